//! Members in the order of their scores; members of the same score in the order of their bytes.

use std::ops::Range;

use bytes::Bytes;
use foldhash::fast::RandomState;
use indexmap::IndexMap;

mod order;

use order::Order;

/// What a member costs beside its bytes: a handle and its score in both structures, the count of
/// its holders, a hash, a slot of the index, and the allocator's rounding.
const MEMBER_OVERHEAD_BYTES: u64 = 176;

/// A sorted set. A member's bytes are kept once: the scores by member and the order share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct SortedSet {
    scores: IndexMap<Bytes, f64, RandomState>,
    order: Order,
    memory_bytes: u64,
}

impl SortedSet {
    pub(crate) fn len(&self) -> usize {
        self.scores.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.scores.is_empty()
    }

    pub(crate) fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }

    pub(crate) fn score(&self, member: &[u8]) -> Option<f64> {
        self.scores.get(member).copied()
    }

    /// The member at a place that has nothing to do with its score, for walking and drawing.
    pub(crate) fn at(&self, index: usize) -> Option<(&Bytes, f64)> {
        self.scores
            .get_index(index)
            .map(|(member, score)| (member, *score))
    }

    /// All members, the lowest score first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (&Bytes, f64)> {
        self.ranks(0..self.len())
    }

    /// The members of these ranks, the lowest score first.
    pub(crate) fn ranks(
        &self,
        ranks: Range<usize>,
    ) -> impl DoubleEndedIterator<Item = (&Bytes, f64)> {
        let pairs = self.order.ranks(ranks);
        pairs.map(|(score, member)| (member, *score))
    }

    /// How many members have a lower place in the order.
    pub(crate) fn rank(&self, member: &[u8]) -> Option<usize> {
        let score = self.score(member)?;
        Some(self.order.rank(score, member))
    }

    /// How many members at the low end `fits` holds for; it has to hold for no member above one
    /// that it does not hold for.
    pub(crate) fn count_while(&self, fits: impl Fn(f64, &[u8]) -> bool) -> usize {
        self.order.count_while(fits)
    }

    /// Gives a member a score, which is not NaN; the score that it had. The member is copied, so
    /// that it does not keep the buffer alive in which it arrived. A score of -0 is kept as 0, as
    /// Redis does it in small sets.
    pub(crate) fn set(&mut self, member: &[u8], score: f64) -> Option<f64> {
        let Some(held) = self.scores.get_mut(member) else {
            self.add(Bytes::copy_from_slice(member), score);
            return None;
        };
        let old = *held;
        #[expect(clippy::float_cmp, reason = "any other score is another place")]
        if old != score {
            let score = score + 0.0;
            *held = score;
            if let Some(member) = self.order.remove(old, member) {
                self.order.insert(score, member);
            }
        }
        Some(old)
    }

    /// As [`Self::set`], for bytes that may be kept as they are.
    pub(crate) fn set_whole(&mut self, member: &Bytes, score: f64) {
        if self.scores.contains_key(&member[..]) {
            self.set(member, score);
        } else {
            self.add(member.clone(), score);
        }
    }

    fn add(&mut self, member: Bytes, score: f64) {
        let score = score + 0.0;
        self.memory_bytes += member.len() as u64 + MEMBER_OVERHEAD_BYTES;
        self.scores.insert(member.clone(), score);
        self.order.insert(score, member);
    }

    /// Removes a member; whether it was there.
    pub(crate) fn remove(&mut self, member: &[u8]) -> bool {
        let Some((member, score)) = self.scores.swap_remove_entry(member) else {
            return false;
        };
        self.order.remove(score, &member);
        self.memory_bytes -= member.len() as u64 + MEMBER_OVERHEAD_BYTES;
        true
    }

    /// Removes the members of these ranks; how many.
    pub(crate) fn remove_ranks(&mut self, ranks: Range<usize>) -> usize {
        let members: Vec<Bytes> = self
            .ranks(ranks)
            .map(|(member, _)| member.clone())
            .collect();
        for member in &members {
            self.remove(member);
        }
        members.len()
    }

    /// Takes the member of the lowest or of the highest score.
    pub(crate) fn pop(&mut self, highest: bool) -> Option<(Bytes, f64)> {
        let mut all = self.iter();
        let (member, score) = if highest { all.next_back() } else { all.next() }?;
        let member = member.clone();
        drop(all);
        self.remove(&member);
        Some((member, score))
    }
}

#[cfg(test)]
mod tests;
