//! Fields and their values.

use bytes::Bytes;
use foldhash::fast::RandomState;
use indexmap::IndexMap;

/// What a field costs beside its bytes: two handles, a hash, a slot of the index, and the
/// allocator's rounding.
const FIELD_OVERHEAD_BYTES: u64 = 112;

/// A hash. Fields keep the order in which they came until one is removed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hash {
    fields: IndexMap<Bytes, Bytes, RandomState>,
    memory_bytes: u64,
}

impl Hash {
    pub(crate) fn len(&self) -> usize {
        self.fields.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    pub(crate) fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }

    pub(crate) fn get(&self, field: &[u8]) -> Option<&Bytes> {
        self.fields.get(field)
    }

    pub(crate) fn at(&self, index: usize) -> Option<(&Bytes, &Bytes)> {
        self.fields.get_index(index)
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (&Bytes, &Bytes)> {
        self.fields.iter()
    }

    /// Sets a field; whether it is new. Both are copied, so that they do not keep the buffer alive
    /// in which they arrived.
    pub(crate) fn set(&mut self, field: &[u8], value: &[u8]) -> bool {
        let added = Bytes::copy_from_slice(value);
        self.memory_bytes += value.len() as u64;
        if let Some(old) = self.fields.get_mut(field) {
            self.memory_bytes -= old.len() as u64;
            *old = added;
            return false;
        }
        self.memory_bytes += field.len() as u64 + FIELD_OVERHEAD_BYTES;
        self.fields.insert(Bytes::copy_from_slice(field), added);
        true
    }

    /// Removes a field; whether it was there.
    pub(crate) fn remove(&mut self, field: &[u8]) -> bool {
        let Some((field, value)) = self.fields.swap_remove_entry(field) else {
            return false;
        };
        self.memory_bytes -= (field.len() + value.len()) as u64 + FIELD_OVERHEAD_BYTES;
        true
    }
}
