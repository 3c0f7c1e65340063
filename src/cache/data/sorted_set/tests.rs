use super::*;

#[test]
fn order_is_by_score_then_by_bytes() {
    let mut set = SortedSet::default();
    for (member, score) in [("b", 1.0), ("a", 1.0), ("c", -1.0), ("d", f64::INFINITY)] {
        assert_eq!(set.insert(member.as_bytes(), score), None);
    }
    let members: Vec<_> = set.iter().map(|(member, _)| member.clone()).collect();
    assert_eq!(members, ["c", "a", "b", "d"]);
    assert_eq!(set.rank(b"b"), Some(2));
    assert_eq!(set.insert(b"b", -5.0), Some(1.0));
    assert_eq!(set.rank(b"b"), Some(0));
    let members: Vec<_> = set.back_from(2).map(|(member, _)| member.clone()).collect();
    assert_eq!(members, ["a", "c", "b"]);
    assert_eq!(set.remove(b"x"), None);
}

#[test]
fn zero_has_no_sign() {
    let mut set = SortedSet::default();
    set.insert(b"a", -0.0);
    assert!(set.score(b"a").is_some_and(f64::is_sign_positive));
}

/// Compares with a plain sorted vector while members come, move and go.
#[test]
fn ranks_hold_through_many_changes() {
    let mut set = SortedSet::default();
    let mut state = 1_u32;
    let mut draw = |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % below
    };
    for round in 0..60_000 {
        let member = draw(30_000).to_string();
        if round < 40_000 || draw(4) == 0 {
            set.insert(member.as_bytes(), f64::from(draw(1000)));
        } else {
            set.remove(member.as_bytes());
        }
    }
    let mut plain: Vec<(f64, Bytes)> = (0..set.len())
        .filter_map(|place| set.at(place))
        .map(|(member, score)| (score, member.clone()))
        .collect();
    plain.sort_by(|one, other| one.0.total_cmp(&other.0).then_with(|| one.1.cmp(&other.1)));
    let found: Vec<_> = set
        .iter()
        .map(|(member, score)| (score, member.clone()))
        .collect();
    assert_eq!(found, plain);
    for (rank, (score, member)) in plain.iter().enumerate() {
        assert_eq!(set.rank(member), Some(rank));
        assert_eq!(set.from(rank).next(), Some((member, *score)));
    }
    let last = set.len() - 1;
    assert!(
        set.back_from(last)
            .map(|(member, _)| member)
            .eq(plain.iter().rev().map(|pair| &pair.1))
    );
    for (_, member) in plain {
        set.remove(&member);
    }
    assert_eq!((set.len(), set.memory_bytes()), (0, 0));
    assert_eq!(set.iter().next(), None);
}
