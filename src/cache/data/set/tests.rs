//! Sets as such, without commands.

use super::*;

#[test]
fn members_are_kept_once() {
    let mut set = Set::default();
    assert!(set.insert(b"a"));
    assert!(!set.insert(b"a"));
    assert!(set.insert(b"bb"));
    assert!(set.contains(b"bb"));
    assert_eq!(set.len(), 2);
    assert_eq!(set.memory_bytes(), 3 + 2 * MEMBER_OVERHEAD_BYTES);
    assert!(set.remove(b"a"));
    assert!(!set.remove(b"a"));
    assert_eq!(set.take(0).as_deref(), Some(&b"bb"[..]));
    assert_eq!(set.take(0), None);
    assert!(set.is_empty());
    assert_eq!(set.memory_bytes(), 0);
}

#[test]
fn a_large_set_gives_its_room_back() {
    let mut set: Set = (0..10_000)
        .map(|number: u32| Bytes::from(number.to_string()))
        .collect();
    assert_eq!(set.iter().count(), 10_000);
    while set.take(set.len().saturating_sub(1)).is_some() {}
    assert!(set.members.capacity() < 1000);
    assert_eq!(set.get(0), None);
}
