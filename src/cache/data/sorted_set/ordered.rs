//! Pairs of score and member in order, found by rank as fast as by score.
//!
//! The pairs lie in short chunks and the chunks in groups that know how many pairs they hold. A
//! rank is found by adding up the groups before it, then the chunks of one group; a million pairs
//! are some hundred groups, and moving a chunk's tail is one copy.

use std::cmp::Ordering;

use bytes::Bytes;

/// The most pairs of a chunk; a full one is halved.
const MAX_CHUNK: usize = 128;
/// The most chunks of a group; a full one is halved.
const MAX_GROUP: usize = 128;

/// A score and who has it.
pub(crate) type Pair = (f64, Bytes);

#[derive(Clone, Debug, Default)]
struct Group {
    length: usize,
    chunks: Vec<Vec<Pair>>,
}

/// All pairs in order of score, then of bytes. Scores are numbers, never NaN.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ordered {
    length: usize,
    /// No group and no chunk is ever empty.
    groups: Vec<Group>,
}

/// A place among the groups.
#[derive(Clone, Copy, Debug)]
struct Place {
    group: usize,
    chunk: usize,
    at: usize,
}

fn compare(pair: &Pair, score: f64, member: &[u8]) -> Ordering {
    let by_score = pair.0.partial_cmp(&score).unwrap_or(Ordering::Equal);
    by_score.then_with(|| pair.1.as_ref().cmp(member))
}

fn last(group: &Group) -> Option<&Pair> {
    group.chunks.last()?.last()
}

impl Ordered {
    /// Adds a pair that is not there.
    pub(super) fn insert(&mut self, score: f64, member: Bytes) {
        let before = |pair: &Pair| compare(pair, score, &member) == Ordering::Less;
        let mut place = self.first_not(&before);
        if place.group == self.groups.len() {
            // Behind everything: at the end of the last chunk.
            let Some(group) = self.groups.len().checked_sub(1) else {
                let chunks = vec![vec![(score, member)]];
                self.groups.push(Group { length: 1, chunks });
                self.length = 1;
                return;
            };
            let chunk = self.groups[group].chunks.len() - 1;
            let at = self.groups[group].chunks[chunk].len();
            place = Place { group, chunk, at };
        }
        self.length += 1;
        let group = &mut self.groups[place.group];
        group.length += 1;
        let chunk = &mut group.chunks[place.chunk];
        chunk.insert(place.at, (score, member));
        if chunk.len() > MAX_CHUNK {
            // What grows at its end, as most do, is not left half empty.
            let at_end = place.at + 1 == chunk.len();
            let keep = if at_end {
                MAX_CHUNK * 7 / 8
            } else {
                MAX_CHUNK / 2
            };
            let tail = chunk.split_off(keep);
            group.chunks.insert(place.chunk + 1, tail);
        }
        if group.chunks.len() > MAX_GROUP {
            let chunks = group.chunks.split_off(MAX_GROUP / 2);
            let length = chunks.iter().map(Vec::len).sum();
            group.length -= length;
            self.groups
                .insert(place.group + 1, Group { length, chunks });
        }
    }

    /// Removes a pair; whether it was there.
    pub(super) fn remove(&mut self, score: f64, member: &[u8]) -> bool {
        let place = self.first_not(&|pair| compare(pair, score, member) == Ordering::Less);
        let found = self
            .pair(place)
            .is_some_and(|pair| compare(pair, score, member) == Ordering::Equal);
        if !found {
            return false;
        }
        self.length -= 1;
        let group = &mut self.groups[place.group];
        group.length -= 1;
        group.chunks[place.chunk].remove(place.at);
        merge(&mut group.chunks, place.chunk);
        if group.chunks.is_empty() {
            self.groups.remove(place.group);
        }
        true
    }

    /// How many pairs stand before the first that `before` does not hold for. It has to hold for a
    /// beginning of the order and for nothing after that.
    pub(crate) fn rank_of_first_not(&self, before: impl Fn(&Pair) -> bool) -> usize {
        let place = self.first_not(&before);
        let groups = self.groups[..place.group].iter().map(|group| group.length);
        let chunks = self.groups.get(place.group).map_or(0, |group| {
            group.chunks[..place.chunk].iter().map(Vec::len).sum()
        });
        groups.sum::<usize>() + chunks + place.at
    }

    /// How many pairs stand before this one.
    pub(super) fn rank(&self, score: f64, member: &[u8]) -> usize {
        self.rank_of_first_not(|pair| compare(pair, score, member) == Ordering::Less)
    }

    fn first_not(&self, before: &dyn Fn(&Pair) -> bool) -> Place {
        let group = self
            .groups
            .partition_point(|group| last(group).is_some_and(before));
        let Some(chunks) = self.groups.get(group).map(|group| &group.chunks) else {
            return Place {
                group,
                chunk: 0,
                at: 0,
            };
        };
        let chunk = chunks.partition_point(|chunk| chunk.last().is_some_and(before));
        let at = chunks
            .get(chunk)
            .map_or(0, |chunk| chunk.partition_point(before));
        Place { group, chunk, at }
    }

    fn pair(&self, place: Place) -> Option<&Pair> {
        let group = self.groups.get(place.group)?;
        group.chunks.get(place.chunk)?.get(place.at)
    }

    fn place(&self, mut rank: usize) -> Option<Place> {
        for (group, of) in self.groups.iter().enumerate() {
            if rank >= of.length {
                rank -= of.length;
                continue;
            }
            for (chunk, pairs) in of.chunks.iter().enumerate() {
                if rank < pairs.len() {
                    let at = rank;
                    return Some(Place { group, chunk, at });
                }
                rank -= pairs.len();
            }
        }
        None
    }

    /// The pairs from `rank` upwards.
    pub(crate) fn from(&self, rank: usize) -> Pairs<'_> {
        Pairs {
            ordered: self,
            place: self.place(rank),
            backwards: false,
        }
    }

    /// The pairs from `rank` downwards.
    pub(crate) fn back_from(&self, rank: usize) -> Pairs<'_> {
        Pairs {
            ordered: self,
            place: self.place(rank),
            backwards: true,
        }
    }

    fn after(&self, place: Place) -> Option<Place> {
        let Place { group, chunk, at } = place;
        let chunks = &self.groups.get(group)?.chunks;
        if at + 1 < chunks.get(chunk)?.len() {
            return Some(Place {
                at: at + 1,
                ..place
            });
        }
        if chunk + 1 < chunks.len() {
            return Some(Place {
                group,
                chunk: chunk + 1,
                at: 0,
            });
        }
        (group + 1 < self.groups.len()).then_some(Place {
            group: group + 1,
            chunk: 0,
            at: 0,
        })
    }

    fn before(&self, place: Place) -> Option<Place> {
        let Place { group, chunk, at } = place;
        if at > 0 {
            return Some(Place {
                at: at - 1,
                ..place
            });
        }
        let (group, chunk) = match chunk.checked_sub(1) {
            Some(chunk) => (group, chunk),
            None => {
                let group = group.checked_sub(1)?;
                (group, self.groups[group].chunks.len() - 1)
            }
        };
        let at = self.groups[group].chunks[chunk].len() - 1;
        Some(Place { group, chunk, at })
    }
}

/// Drops an empty chunk, or joins a small one with the next.
fn merge(chunks: &mut Vec<Vec<Pair>>, at: usize) {
    if chunks[at].is_empty() {
        chunks.remove(at);
        return;
    }
    let small = chunks[at].len() < MAX_CHUNK / 4;
    let next = chunks.get(at + 1).map(Vec::len);
    if small && next.is_some_and(|next| next < MAX_CHUNK / 2) {
        let next = chunks.remove(at + 1);
        chunks[at].extend(next);
    }
}

/// Pairs one after another.
#[derive(Clone, Debug)]
pub(crate) struct Pairs<'a> {
    ordered: &'a Ordered,
    place: Option<Place>,
    backwards: bool,
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a Bytes, f64);

    fn next(&mut self) -> Option<Self::Item> {
        let place = self.place?;
        let (score, member) = self.ordered.pair(place)?;
        self.place = if self.backwards {
            self.ordered.before(place)
        } else {
            self.ordered.after(place)
        };
        Some((member, *score))
    }
}
