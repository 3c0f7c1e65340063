//! Members with scores, in order of score and then of bytes. A member's score is found by hashing,
//! its rank and the members of a range in an order kept beside it.

use bytes::Bytes;
use foldhash::fast::RandomState;
use indexmap::IndexMap;

mod ordered;

pub(crate) use ordered::Pair;
use ordered::{Ordered, Pairs};

/// What a member costs beside its bytes: its entry and hash, its pair in the order, the count of
/// the two who share its bytes, the room that growing tables keep free, and the allocator's
/// rounding.
const MEMBER_OVERHEAD_BYTES: u64 = 192;

/// Below this capacity a table is not worth shrinking.
const SMALL_CAPACITY: usize = 64;

/// A sorted set.
#[derive(Clone, Debug, Default)]
pub(crate) struct SortedSet {
    scores: IndexMap<Bytes, f64, RandomState>,
    ordered: Ordered,
    payload_bytes: u64,
}

impl SortedSet {
    /// How many members there are.
    pub(crate) fn len(&self) -> usize {
        self.scores.len()
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.scores.is_empty()
    }

    /// What the members take, in bytes.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.payload_bytes + self.scores.len() as u64 * MEMBER_OVERHEAD_BYTES
    }

    /// The score of a member.
    pub(crate) fn score(&self, member: &[u8]) -> Option<f64> {
        self.scores.get(member).copied()
    }

    /// Gives a member (copied if it is new) a score, which is a number; its old one.
    pub(crate) fn insert(&mut self, member: &[u8], score: f64) -> Option<f64> {
        // There is no negative zero among scores.
        let score = score + 0.0;
        if let Some((_, key, old)) = self.scores.get_full_mut(member) {
            let former = *old;
            if former.total_cmp(&score).is_ne() {
                *old = score;
                let key = key.clone();
                self.ordered.remove(former, member);
                self.ordered.insert(score, key);
            }
            return Some(former);
        }
        let member = Bytes::copy_from_slice(member);
        self.payload_bytes += member.len() as u64;
        self.ordered.insert(score, member.clone());
        self.scores.insert(member, score);
        None
    }

    /// Removes a member; the score that it had.
    pub(crate) fn remove(&mut self, member: &[u8]) -> Option<f64> {
        let score = self.scores.swap_remove(member)?;
        self.ordered.remove(score, member);
        self.payload_bytes -= member.len() as u64;
        let capacity = self.scores.capacity();
        if capacity > SMALL_CAPACITY && self.scores.len() < capacity / 4 {
            self.scores.shrink_to(capacity / 2);
        }
        Some(score)
    }

    /// How many members stand before this one.
    pub(crate) fn rank(&self, member: &[u8]) -> Option<usize> {
        Some(self.ordered.rank(self.score(member)?, member))
    }

    /// How many members stand before the first that `before` does not hold for; it has to hold for
    /// a beginning of the order and for nothing after that.
    pub(crate) fn rank_of_first_not(&self, before: impl Fn(&Pair) -> bool) -> usize {
        self.ordered.rank_of_first_not(before)
    }

    /// All members in order.
    pub(crate) fn iter(&self) -> Pairs<'_> {
        self.ordered.from(0)
    }

    /// The members from `rank` upwards.
    pub(crate) fn from(&self, rank: usize) -> Pairs<'_> {
        self.ordered.from(rank)
    }

    /// The members from `rank` downwards.
    pub(crate) fn back_from(&self, rank: usize) -> Pairs<'_> {
        self.ordered.back_from(rank)
    }

    /// The member at a place, which has nothing to do with its rank.
    pub(crate) fn at(&self, place: usize) -> Option<(&Bytes, f64)> {
        let (member, score) = self.scores.get_index(place)?;
        Some((member, *score))
    }
}

#[cfg(test)]
mod tests;
