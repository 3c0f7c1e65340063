//! Entries by time: fields and values under names that only grow. It knows no consumer groups.

use std::{collections::BTreeMap, ops::RangeInclusive};

use bytes::{BufMut, Bytes, BytesMut};

use crate::resp::encode::command;

pub(crate) mod id;

pub(crate) use id::StreamId;

/// What an entry costs beside its fields: its name and handle, its share of the tree's nodes, and
/// the allocator's rounding.
const ENTRY_OVERHEAD_BYTES: u64 = 96;
/// The length that stands before each field and value.
const LENGTH_BYTES: usize = 4;

/// A stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stream {
    /// An entry is one buffer: its fields and values one after another, each with its length.
    entries: BTreeMap<StreamId, Bytes>,
    payload_bytes: u64,
    /// The name of the last entry that was ever added.
    pub(crate) last_id: StreamId,
    /// The greatest name that was ever deleted.
    pub(crate) max_deleted_id: StreamId,
    /// How many entries were ever added.
    pub(crate) entries_added: u64,
}

/// The fields and values of an entry, in the order in which they came.
pub(crate) fn words(entry: &Bytes) -> impl Iterator<Item = Bytes> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let length = entry.get(at..at + LENGTH_BYTES)?;
        let length = u32::from_le_bytes(length.try_into().ok()?) as usize;
        let start = at + LENGTH_BYTES;
        at = start + length;
        Some(entry.slice(start..at))
    })
}

impl Stream {
    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// What the entries take, in bytes.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.payload_bytes + self.entries.len() as u64 * ENTRY_OVERHEAD_BYTES
    }

    /// Adds an entry after all others; the words are copied. A word beyond 4 GiB, which no protocol
    /// carries, is cut.
    pub(crate) fn add(&mut self, id: StreamId, words: &[Bytes]) {
        let size = words.iter().map(|word| word.len() + LENGTH_BYTES).sum();
        let mut entry = BytesMut::with_capacity(size);
        for word in words {
            let length = u32::try_from(word.len()).unwrap_or(u32::MAX);
            entry.put_u32_le(length);
            entry.put_slice(&word[..length as usize]);
        }
        self.payload_bytes += size as u64;
        self.entries.insert(id, entry.freeze());
        self.last_id = id;
        self.entries_added += 1;
    }

    /// Deletes an entry; whether it was there.
    pub(crate) fn delete(&mut self, id: StreamId) -> bool {
        let Some(entry) = self.entries.remove(&id) else {
            return false;
        };
        self.payload_bytes -= entry.len() as u64;
        self.max_deleted_id = self.max_deleted_id.max(id);
        true
    }

    /// Removes the oldest `count` entries.
    pub(crate) fn drop_oldest(&mut self, count: usize) {
        for _ in 0..count {
            let Some((_, entry)) = self.entries.pop_first() else {
                return;
            };
            self.payload_bytes -= entry.len() as u64;
        }
    }

    /// How many entries are older than `id`, counted up to `limit`.
    pub(crate) fn count_before(&self, id: StreamId, limit: usize) -> usize {
        self.entries.range(..id).take(limit).count()
    }

    /// The entries of a range of names, which may be empty.
    pub(crate) fn range(
        &self,
        range: RangeInclusive<StreamId>,
    ) -> impl DoubleEndedIterator<Item = (StreamId, &Bytes)> {
        let valid = (range.start() <= range.end()).then_some(range);
        let found = valid.map(|range| self.entries.range(range));
        found.into_iter().flatten().map(|(id, entry)| (*id, entry))
    }

    /// The oldest entry.
    pub(crate) fn first(&self) -> Option<(StreamId, &Bytes)> {
        self.entries
            .first_key_value()
            .map(|(id, entry)| (*id, entry))
    }

    /// The newest entry.
    pub(crate) fn last(&self) -> Option<(StreamId, &Bytes)> {
        self.entries
            .last_key_value()
            .map(|(id, entry)| (*id, entry))
    }

    /// The commands that make a stream like this one, as a client writes them.
    pub(crate) fn write_commands(&self, key: &[u8], out: &mut Vec<u8>) {
        for (id, entry) in &self.entries {
            let id = Bytes::from(id.to_string());
            let head = ["XADD".into(), Bytes::copy_from_slice(key), id];
            let all: Vec<Bytes> = head.into_iter().chain(words(entry)).collect();
            command(&all, out);
        }
        let last_id = self.last_id.to_string();
        if self.entries.is_empty() {
            // Added and cut away at once: a stream can be empty but not be made so.
            let id = self
                .last_id
                .max(StreamId { ms: 0, sequence: 1 })
                .to_string();
            command(
                &[b"XADD", key, b"MAXLEN", b"0", id.as_bytes(), b"x", b"y"],
                out,
            );
        }
        let added = self.entries_added.to_string();
        let deleted = self.max_deleted_id.to_string();
        let words: [&[u8]; 7] = [
            b"XSETID",
            key,
            last_id.as_bytes(),
            b"ENTRIESADDED",
            added.as_bytes(),
            b"MAXDELETEDID",
            deleted.as_bytes(),
        ];
        command(&words, out);
    }
}

#[cfg(test)]
mod tests;
