//! A set of strings, in no promised order. Members have places, so that a random one and the rest
//! of a scan are found at once; removing one moves the last member into its place.

use bytes::Bytes;
use foldhash::fast::RandomState;
use indexmap::IndexSet;

/// What a member costs beside its bytes: its handle and hash, its place in the table, the room that
/// growing tables keep free, and the allocator's rounding.
const MEMBER_OVERHEAD_BYTES: u64 = 96;

/// Below this capacity a table is not worth shrinking.
const SMALL_CAPACITY: usize = 64;

/// A set of strings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Set {
    members: IndexSet<Bytes, RandomState>,
    payload_bytes: u64,
}

impl Set {
    /// How many members there are.
    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// What the members take, in bytes.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.payload_bytes + self.members.len() as u64 * MEMBER_OVERHEAD_BYTES
    }

    /// Whether `member` is in it.
    pub(crate) fn contains(&self, member: &[u8]) -> bool {
        self.members.contains(member)
    }

    /// Adds a copy of `member`; whether it was new.
    pub(crate) fn insert(&mut self, member: &[u8]) -> bool {
        if self.contains(member) {
            return false;
        }
        self.insert_whole(Bytes::copy_from_slice(member))
    }

    /// Adds a member that no larger buffer is behind, such as one of another set.
    pub(crate) fn insert_whole(&mut self, member: Bytes) -> bool {
        let length = member.len() as u64;
        let new = self.members.insert(member);
        if new {
            self.payload_bytes += length;
        }
        new
    }

    /// Removes `member`; whether it was there.
    pub(crate) fn remove(&mut self, member: &[u8]) -> bool {
        let removed = self.members.swap_remove(member);
        if removed {
            self.payload_bytes -= member.len() as u64;
            self.shrink();
        }
        removed
    }

    /// Takes the member at a place out.
    pub(crate) fn take(&mut self, place: usize) -> Option<Bytes> {
        let member = self.members.swap_remove_index(place)?;
        self.payload_bytes -= member.len() as u64;
        self.shrink();
        Some(member)
    }

    /// The member at a place.
    pub(crate) fn get(&self, place: usize) -> Option<&Bytes> {
        self.members.get_index(place)
    }

    /// All members by place.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Bytes> + ExactSizeIterator {
        self.members.iter()
    }

    fn shrink(&mut self) {
        let capacity = self.members.capacity();
        if capacity > SMALL_CAPACITY && self.members.len() < capacity / 4 {
            self.members.shrink_to(capacity / 2);
        }
    }
}

impl FromIterator<Bytes> for Set {
    fn from_iter<I: IntoIterator<Item = Bytes>>(members: I) -> Self {
        let mut set = Self::default();
        for member in members {
            set.insert_whole(member);
        }
        set
    }
}

#[cfg(test)]
mod tests;
