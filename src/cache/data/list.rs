//! A list: strings in the order in which they were pushed. Both ends are cheap; the middle is found
//! at once but inserting there moves one half.

use std::{collections::VecDeque, ops::Range};

use bytes::Bytes;

/// What an element costs beside its bytes: its handle, the room that a growing buffer keeps free,
/// and the allocator's rounding.
const ELEMENT_OVERHEAD_BYTES: u64 = 64;

/// Below this capacity a buffer is not worth shrinking.
const SMALL_CAPACITY: usize = 64;

/// A list of strings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct List {
    elements: VecDeque<Bytes>,
    payload_bytes: u64,
}

impl List {
    /// How many elements there are.
    pub(crate) fn len(&self) -> usize {
        self.elements.len()
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// What the elements take, in bytes.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.payload_bytes + self.elements.len() as u64 * ELEMENT_OVERHEAD_BYTES
    }

    /// Adds a copy of `element` before the first one.
    pub(crate) fn push_front(&mut self, element: &[u8]) {
        self.payload_bytes += element.len() as u64;
        self.elements.push_front(Bytes::copy_from_slice(element));
    }

    /// Adds a copy of `element` after the last one.
    pub(crate) fn push_back(&mut self, element: &[u8]) {
        self.payload_bytes += element.len() as u64;
        self.elements.push_back(Bytes::copy_from_slice(element));
    }

    /// Takes the first element out.
    pub(crate) fn pop_front(&mut self) -> Option<Bytes> {
        let element = self.elements.pop_front();
        self.taken(element)
    }

    /// Takes the last element out.
    pub(crate) fn pop_back(&mut self) -> Option<Bytes> {
        let element = self.elements.pop_back();
        self.taken(element)
    }

    /// The element at a place counted from the first.
    pub(crate) fn get(&self, index: usize) -> Option<&Bytes> {
        self.elements.get(index)
    }

    /// All elements in order.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Bytes> + ExactSizeIterator {
        self.elements.iter()
    }

    /// The elements of a range that lies within the list.
    pub(crate) fn range(&self, range: Range<usize>) -> impl Iterator<Item = &Bytes> {
        let end = range.end.min(self.len());
        self.elements.range(range.start.min(end)..end)
    }

    /// Puts a copy of `element` in the place of another; `false` if there is no such place.
    pub(crate) fn set(&mut self, index: usize, element: &[u8]) -> bool {
        let Some(place) = self.elements.get_mut(index) else {
            return false;
        };
        self.payload_bytes = self.payload_bytes - place.len() as u64 + element.len() as u64;
        *place = Bytes::copy_from_slice(element);
        true
    }

    /// Puts a copy of `element` before the one at `index`, or at the end.
    pub(crate) fn insert(&mut self, index: usize, element: &[u8]) {
        self.payload_bytes += element.len() as u64;
        let index = index.min(self.len());
        self.elements.insert(index, Bytes::copy_from_slice(element));
    }

    /// Removes up to `limit` elements that equal `element`, from the last backwards if
    /// `from_the_end`; how many.
    pub(crate) fn remove_equal(
        &mut self,
        element: &[u8],
        limit: usize,
        from_the_end: bool,
    ) -> usize {
        let equal = self.iter().filter(|other| **other == element).count();
        let (skip, take) = match limit.min(equal) {
            take if from_the_end => (equal - take, take),
            take => (0, take),
        };
        let mut seen = 0;
        self.elements.retain(|other| {
            if *other != element {
                return true;
            }
            seen += 1;
            seen <= skip || seen > skip + take
        });
        self.payload_bytes -= (take * element.len()) as u64;
        take
    }

    /// Keeps only the elements of a range.
    pub(crate) fn keep(&mut self, range: Range<usize>) {
        let end = range.end.min(self.len());
        let start = range.start.min(end);
        let cut: usize = self.elements.range(end..).map(Bytes::len).sum();
        self.elements.truncate(end);
        let front: usize = self.elements.drain(..start).map(|gone| gone.len()).sum();
        self.payload_bytes -= (cut + front) as u64;
        self.shrink();
    }

    fn taken(&mut self, element: Option<Bytes>) -> Option<Bytes> {
        let element = element?;
        self.payload_bytes -= element.len() as u64;
        self.shrink();
        Some(element)
    }

    /// Gives room back when three quarters of it are unused.
    fn shrink(&mut self) {
        let capacity = self.elements.capacity();
        if capacity > SMALL_CAPACITY && self.elements.len() < capacity / 4 {
            self.elements.shrink_to(capacity / 2);
        }
    }
}

#[cfg(test)]
mod tests;
