//! Lists as such, without commands.

use super::*;

fn list(words: &str) -> List {
    let mut list = List::default();
    for word in words.split_whitespace() {
        list.push_back(word.as_bytes());
    }
    list
}

#[track_caller]
fn check(list: &List, words: &str) {
    assert_eq!(*list, self::list(words));
}

#[test]
fn ends() {
    let mut list = List::default();
    list.push_back(b"b");
    list.push_front(b"a");
    list.push_back(b"c");
    check(&list, "a b c");
    assert_eq!(list.pop_front().as_deref(), Some(&b"a"[..]));
    assert_eq!(list.pop_back().as_deref(), Some(&b"c"[..]));
    check(&list, "b");
}

#[test]
fn middle() {
    let mut list = list("a bb c");
    list.insert(1, b"x");
    check(&list, "a x bb c");
    assert!(list.set(2, b"y"));
    assert!(!list.set(4, b"y"));
    check(&list, "a x y c");
    list.insert(99, b"z");
    check(&list, "a x y c z");
    let middle: Vec<_> = list.range(1..3).cloned().collect();
    assert_eq!(middle, ["x", "y"]);
    assert_eq!(list.range(7..9).count(), 0);
}

#[test]
fn removal_of_equal_elements() {
    for (limit, from_the_end, left, removed) in [
        (1, false, "b a c a", 1),
        (2, false, "b c a", 2),
        (1, true, "a b a c", 1),
        (2, true, "a b c", 2),
        (usize::MAX, false, "b c", 3),
        (usize::MAX, true, "b c", 3),
    ] {
        let mut list = list("a b a c a");
        assert_eq!(list.remove_equal(b"a", limit, from_the_end), removed);
        check(&list, left);
    }
}

#[test]
fn keeping_a_range() {
    for (range, left) in [(0..2, "a b"), (1..3, "b c"), (2..9, "c"), (3..3, "")] {
        let mut list = list("a b c");
        list.keep(range);
        check(&list, left);
    }
}

#[test]
fn memory_returns_to_nothing() {
    let mut list = List::default();
    for number in 0..1000 {
        list.push_back(format!("element {number}").as_bytes());
    }
    assert_eq!(list.memory_bytes(), 10 * 9 + 90 * 10 + 900 * 11 + 64_000);
    while list.pop_front().is_some() {}
    assert_eq!(list.memory_bytes(), 0);
    assert!(list.elements.capacity() <= 2 * SMALL_CAPACITY);
}
