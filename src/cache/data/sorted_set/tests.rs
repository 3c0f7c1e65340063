//! The sorted set against a sorted vector.

use super::*;

/// Draws numbers; always the same ones.
struct Draw(u64);

impl Draw {
    fn below(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % below
    }
}

fn sorted(model: &IndexMap<Bytes, f64, RandomState>) -> Vec<(Bytes, f64)> {
    let mut pairs: Vec<_> = model
        .iter()
        .map(|(of, score)| (of.clone(), *score))
        .collect();
    pairs.sort_by(|one, other| one.1.total_cmp(&other.1).then_with(|| one.0.cmp(&other.0)));
    pairs
}

fn check(set: &SortedSet, model: &IndexMap<Bytes, f64, RandomState>, draw: &mut Draw) {
    let expected = sorted(model);
    let held: Vec<_> = set.iter().map(|(of, score)| (of.clone(), score)).collect();
    assert_eq!(held, expected);
    assert_eq!(set.len(), expected.len());
    let bytes: usize = expected.iter().map(|(member, _)| member.len()).sum();
    let overhead = MEMBER_OVERHEAD_BYTES * expected.len() as u64;
    assert_eq!(set.memory_bytes(), bytes as u64 + overhead);
    let end = draw.below(expected.len() + 1);
    let start = draw.below(end + 1);
    let back = set.ranks(start..end).rev();
    let back: Vec<_> = back.map(|(of, score)| (of.clone(), score)).collect();
    let part: Vec<_> = expected[start..end].iter().rev().cloned().collect();
    assert_eq!(back, part, "{start}..{end}");
    for (rank, (member, score)) in expected.iter().enumerate().step_by(17) {
        assert_eq!(set.rank(member), Some(rank));
        let lower = expected.iter().filter(|(_, other)| other < score).count();
        assert_eq!(set.count_while(|other, _| other < *score), lower);
    }
}

#[test]
fn any_order_of_changes_gives_the_order_of_scores() {
    for (seed, scores, members, growing) in [
        (1, 1, 3_000, 8),
        (2, 50, 3_000, 7),
        (3, 100_000, 2_000, 9),
        (4, 5, 40, 6),
    ] {
        let mut draw = Draw(seed);
        let mut set = SortedSet::default();
        let mut model = IndexMap::default();
        for round in 0..12_000 {
            let share = if round < 6_000 { growing } else { 3 };
            let member = Bytes::from(draw.below(members).to_string());
            if draw.below(10) < share {
                let score = f64::from(u32::try_from(draw.below(scores)).unwrap());
                assert_eq!(set.set(&member, score), model.insert(member, score));
            } else {
                assert_eq!(set.remove(&member), model.swap_remove(&member).is_some());
            }
            if round % 500 == 0 {
                check(&set, &model, &mut draw);
            }
        }
        check(&set, &model, &mut draw);
    }
}

#[test]
fn ascending_and_descending_scores_are_popped_in_order() {
    for descending in [false, true] {
        let mut set = SortedSet::default();
        for at in 0..5_000_u32 {
            let score = if descending { 5_000 - at } else { at };
            set.set(format!("m{at}").as_bytes(), f64::from(score));
        }
        let mut last = f64::NEG_INFINITY;
        for _ in 0..2_500 {
            let (_, score) = set.pop(false).unwrap();
            assert!(score > last);
            last = score;
        }
        let mut last = f64::INFINITY;
        while let Some((_, score)) = set.pop(true) {
            assert!(score < last);
            last = score;
        }
        assert_eq!((set.len(), set.memory_bytes()), (0, 0));
    }
}

#[test]
fn zero_and_minus_zero_are_one_place() {
    let mut set = SortedSet::default();
    set.set(b"b", 0.0);
    set.set(b"a", -0.0);
    assert_eq!(set.set(b"b", -0.0), Some(0.0));
    assert!(set.remove(b"b"));
    assert_eq!(set.rank(b"a"), Some(0));
}

#[test]
fn ranks_that_are_not_there_are_left_out() {
    let mut set = SortedSet::default();
    assert_eq!(set.ranks(0..5).count(), 0);
    set.set(b"a", 1.0);
    for (ranks, count) in [(0..5, 1), (1..5, 0), (7..9, 0), (0..0, 0)] {
        assert_eq!(set.ranks(ranks.clone()).count(), count, "{ranks:?}");
    }
    assert_eq!(set.remove_ranks(0..9), 1);
    assert!(set.is_empty());
}
