//! The order of a sorted set: a list of short sorted chunks, and a Fenwick tree of their lengths,
//! so that a rank is found, and a place by its rank, in logarithmic time.
//!
//! It does not know which members there are: the caller adds none twice.

use std::{cmp::Ordering, ops::Range};

use bytes::Bytes;

/// The most pairs of a chunk.
const MAX_CHUNK: usize = 128;
/// A chunk that has become shorter than this is joined with a neighbour.
const MIN_CHUNK: usize = MAX_CHUNK / 4;
/// The most pairs of a joined chunk, so that it is not split again soon.
const MAX_JOINED: usize = MAX_CHUNK / 4 * 3;

type Pair = (f64, Bytes);

/// Pairs by score, then by the bytes of the member. No chunk is empty.
#[derive(Clone, Debug, Default)]
pub(super) struct Order {
    chunks: Vec<Vec<Pair>>,
    /// At `i`: how many pairs there are in the chunks from `i & (i + 1)` to `i`.
    sums: Vec<usize>,
}

fn compare(pair: &Pair, score: f64, member: &[u8]) -> Ordering {
    // There is no NaN in a sorted set, and 0 and -0 are the same place.
    let scores = pair.0.partial_cmp(&score).unwrap_or(Ordering::Equal);
    scores.then_with(|| pair.1[..].cmp(member))
}

impl Order {
    /// The chunk and the place in it of the first pair that `before` does not hold for.
    fn search(&self, before: impl Fn(&Pair) -> bool) -> (usize, usize) {
        let ends_before = |chunk: &Vec<Pair>| chunk.last().is_some_and(&before);
        let chunk = self.chunks.partition_point(ends_before);
        let pairs = self.chunks.get(chunk);
        (
            chunk,
            pairs.map_or(0, |pairs| pairs.partition_point(before)),
        )
    }

    fn place(&self, score: f64, member: &[u8]) -> (usize, usize) {
        self.search(|pair| compare(pair, score, member).is_lt())
    }

    pub(super) fn insert(&mut self, score: f64, member: Bytes) {
        let (mut chunk, mut at) = self.place(score, &member);
        if chunk == self.chunks.len() {
            // Behind everything: a full last chunk is left full, as ascending scores are common.
            let last = self.chunks.last();
            if last.is_none_or(|last| last.len() == MAX_CHUNK) {
                self.chunks.push(vec![(score, member)]);
                self.recount();
                return;
            }
            chunk -= 1;
            at = self.chunks[chunk].len();
        }
        if self.chunks[chunk].len() == MAX_CHUNK {
            let tail = self.chunks[chunk].split_off(MAX_CHUNK / 2);
            self.chunks.insert(chunk + 1, tail);
            self.recount();
            if at > MAX_CHUNK / 2 {
                (chunk, at) = (chunk + 1, at - MAX_CHUNK / 2);
            }
        }
        self.chunks[chunk].insert(at, (score, member));
        self.adjust(chunk, |sum| *sum += 1);
    }

    /// Takes out a pair; the bytes of its member.
    pub(super) fn remove(&mut self, score: f64, member: &[u8]) -> Option<Bytes> {
        let (chunk, at) = self.place(score, member);
        let pairs = self.chunks.get_mut(chunk)?;
        if pairs
            .get(at)
            .is_none_or(|pair| compare(pair, score, member).is_ne())
        {
            return None;
        }
        let (_, member) = pairs.remove(at);
        self.adjust(chunk, |sum| *sum -= 1);
        if self.chunks[chunk].len() < MIN_CHUNK {
            self.join(chunk);
        }
        Some(member)
    }

    /// Joins a short chunk with the one after or before it, if both together are short enough.
    fn join(&mut self, chunk: usize) {
        let after = [Some(chunk), chunk.checked_sub(1)];
        let fits = |first: &usize| {
            let pair = self.chunks.get(*first..*first + 2);
            pair.is_some_and(|pair| pair[0].len() + pair[1].len() <= MAX_JOINED)
        };
        if let Some(first) = after.into_iter().flatten().find(fits) {
            let second = self.chunks.remove(first + 1);
            self.chunks[first].extend(second);
        } else if self.chunks[chunk].is_empty() {
            self.chunks.remove(chunk);
        } else {
            return;
        }
        self.recount();
    }

    /// How many pairs are before this one.
    pub(super) fn rank(&self, score: f64, member: &[u8]) -> usize {
        let (chunk, at) = self.place(score, member);
        self.before(chunk) + at
    }

    /// How many pairs at the low end `fits` holds for.
    pub(super) fn count_while(&self, fits: impl Fn(f64, &[u8]) -> bool) -> usize {
        let (chunk, at) = self.search(|(score, member)| fits(*score, member));
        self.before(chunk) + at
    }

    /// The pairs of these ranks, as far as they are there.
    pub(super) fn ranks(&self, ranks: Range<usize>) -> impl DoubleEndedIterator<Item = &Pair> {
        let end = ranks.end.min(self.before(self.chunks.len()));
        let (mut chunks, mut from, mut to) = (0..0, 0, 0);
        if ranks.start < end {
            let (first, last) = (self.at(ranks.start), self.at(end - 1));
            (from, to) = (first.1, last.1 + 1);
            chunks = first.0..last.0 + 1;
        }
        let (first, behind) = (chunks.start, chunks.end);
        chunks.flat_map(move |chunk| {
            let pairs = &self.chunks[chunk];
            let start = if chunk == first { from } else { 0 };
            let end = if chunk + 1 == behind { to } else { pairs.len() };
            &pairs[start..end]
        })
    }

    /// How many pairs the chunks before this one hold.
    fn before(&self, chunk: usize) -> usize {
        let (mut sum, mut at) = (0, chunk);
        while at > 0 {
            sum += self.sums[at - 1];
            at &= at - 1;
        }
        sum
    }

    /// The chunk and the place in it of a rank that is there.
    fn at(&self, rank: usize) -> (usize, usize) {
        let (mut chunk, mut left) = (0, rank);
        let mut step = self.sums.len().checked_ilog2().map_or(0, |bits| 1 << bits);
        while step > 0 {
            if let Some(sum) = self.sums.get(chunk + step - 1)
                && *sum <= left
            {
                chunk += step;
                left -= sum;
            }
            step /= 2;
        }
        (chunk, left)
    }

    fn adjust(&mut self, chunk: usize, change: impl Fn(&mut usize)) {
        let mut at = chunk;
        while let Some(sum) = self.sums.get_mut(at) {
            change(sum);
            at |= at + 1;
        }
    }

    fn recount(&mut self) {
        self.sums.clear();
        self.sums.extend(self.chunks.iter().map(Vec::len));
        for at in 0..self.sums.len() {
            let next = at | (at + 1);
            if next < self.sums.len() {
                self.sums[next] += self.sums[at];
            }
        }
    }
}
