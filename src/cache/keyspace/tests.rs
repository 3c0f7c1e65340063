//! The keyspace without time, threads or disk.

use super::*;

/// The cost of a one-letter key with a value of `size` bytes.
fn entry(size: u64) -> u64 {
    1 + size + ENTRY_OVERHEAD_BYTES
}

fn set(keyspace: &mut Keyspace, key: &str, size: usize, expires_ms: Option<i64>) {
    keyspace
        .set(key, Bytes::from(vec![b'x'; size]), expires_ms)
        .unwrap();
}

/// Sets and reads (`+a` sets, `?a` reads, `-a` removes) with room for three entries of ten bytes;
/// returns what is left, in order of use from the oldest.
fn left(script: &str) -> String {
    let mut keyspace = Keyspace::new(3 * entry(10), false);
    for step in script.split(' ') {
        let (action, key) = step.split_at(1);
        match action {
            "+" => set(&mut keyspace, key, 10, None),
            "-" => assert!(keyspace.remove(key, 0), "{key} is there"),
            _ => drop(keyspace.get(key, 0)),
        }
    }
    let mut keys = String::new();
    while let Some(position) = keyspace.slots.least_recent() {
        keys.push_str(&keyspace.take_out(position).key);
    }
    assert_eq!(
        keyspace.stats().memory_bytes,
        0,
        "accounting returns to nothing"
    );
    keys
}

#[test]
fn the_least_recently_used_key_goes_first() {
    for (script, expected) in [
        ("+a +b +c", "abc"),
        ("+a +b +c +d", "bcd"),
        ("+a +b +c ?a +d", "cad"),
        ("+a +b +c +a +d", "cad"),
        ("+a +b +c ?c ?b ?a +d", "bad"),
        ("+a +b +c -b +d", "acd"),
        ("+a -a +b", "b"),
        ("+a +b +c +d +e +f +g", "efg"),
    ] {
        assert_eq!(left(script), expected, "{script}");
    }
}

#[test]
fn one_large_value_pushes_out_as_many_as_it_needs() {
    let mut keyspace = Keyspace::new(3 * entry(10), false);
    for key in ["a", "b", "c"] {
        set(&mut keyspace, key, 10, None);
    }
    let size = usize::try_from(2 * entry(10) - entry(0)).unwrap();
    set(&mut keyspace, "d", size, None);
    assert!(keyspace.get("a", 0).is_none() && keyspace.get("b", 0).is_none());
    assert!(keyspace.get("c", 0).is_some() && keyspace.get("d", 0).is_some());
    assert_eq!(keyspace.stats().evictions, 2);
    assert!(keyspace.stats().memory_bytes <= 3 * entry(10));
}

#[test]
fn a_value_that_can_never_fit_is_refused_and_removes_nothing() {
    let mut keyspace = Keyspace::new(2 * entry(10), false);
    set(&mut keyspace, "a", 10, None);
    let huge = keyspace.set("b", Bytes::from(vec![0; 1_000]), None);
    assert!(matches!(huge, Err(Error::TooLarge { .. })));
    assert!(keyspace.get("a", 0).is_some());
}

#[test]
fn a_deadline_is_passed_when_it_is_reached() {
    let mut keyspace = Keyspace::new(10_000, false);
    set(&mut keyspace, "a", 1, Some(100));
    assert!(keyspace.get("a", 99).is_some());
    assert!(keyspace.get("a", 100).is_none());
    assert_eq!(
        (keyspace.stats().keys, keyspace.stats().expirations),
        (0, 1)
    );
}

#[test]
fn a_sweep_removes_no_more_than_it_may_and_only_what_is_due() {
    let mut keyspace = Keyspace::new(100_000, false);
    for number in 0..10 {
        set(&mut keyspace, &number.to_string(), 1, Some(number));
    }
    set(&mut keyspace, "never", 1, None);
    assert_eq!(keyspace.sweep(6, 4), 4);
    assert_eq!(keyspace.sweep(6, 4), 3);
    assert_eq!(keyspace.sweep(6, 4), 0);
    assert_eq!(keyspace.stats().keys, 4);
}

#[test]
fn setting_again_replaces_the_deadline() {
    let mut keyspace = Keyspace::new(10_000, false);
    set(&mut keyspace, "a", 1, Some(100));
    set(&mut keyspace, "a", 1, None);
    assert_eq!(keyspace.sweep(1_000, 10), 0);
    assert!(keyspace.get("a", 1_000).is_some());
}

#[test]
fn changes_show_the_last_state_of_each_key() {
    let mut keyspace = Keyspace::new(10_000, true);
    set(&mut keyspace, "a", 1, None);
    set(&mut keyspace, "a", 2, Some(5));
    set(&mut keyspace, "b", 1, None);
    keyspace.remove("b", 0);
    let mut changes = keyspace.take_changes(10);
    changes.sort_by_key(|change| matches!(change, Change::Remove { .. }));
    let value = Bytes::from_static(b"xx");
    assert_eq!(
        changes,
        [
            Change::Put {
                key: "a".into(),
                value,
                expires_ms: Some(5)
            },
            Change::Remove { key: "b".into() },
        ]
    );
}

#[test]
fn what_comes_from_disk_never_replaces_what_is_newer() {
    let mut keyspace = Keyspace::new(10_000, true);
    set(&mut keyspace, "set", 1, None);
    set(&mut keyspace, "removed", 1, None);
    keyspace.remove("removed", 0);
    for key in ["set", "removed", "untouched"] {
        keyspace.restore(key, Bytes::from_static(b"old"), None);
    }
    assert_eq!(keyspace.get("set", 0), Some(Bytes::from_static(b"x")));
    assert_eq!(keyspace.get("removed", 0), None);
    assert_eq!(
        keyspace.get("untouched", 0),
        Some(Bytes::from_static(b"old"))
    );
}

#[test]
fn all_entries_can_be_walked_in_small_steps() {
    let mut keyspace = Keyspace::new(100_000, true);
    for number in 0..10 {
        set(&mut keyspace, &number.to_string(), 1, None);
    }
    keyspace.remove("3", 0);
    let (mut seen, mut from) = (0, Some(0));
    while let Some(position) = from {
        let (entries, next) = keyspace.entries(position, 2);
        assert!(entries.len() <= 2);
        seen += entries.len();
        from = next;
    }
    assert_eq!(seen, 9);
}

#[test]
fn what_is_removed_while_the_disk_is_read_does_not_come_back() {
    let mut keyspace = Keyspace::new(1_000, true);
    assert!(!keyspace.remove("a", 0), "not read yet");
    keyspace.restore("a", Bytes::from_static(b"old"), None);
    assert_eq!(keyspace.get("a", 0), None);
    let gone = Change::Remove { key: "a".into() };
    assert_eq!(
        keyspace.take_changes(10),
        [gone],
        "nor after the next start"
    );
    keyspace.finish_restoring();
    assert!(!keyspace.remove("b", 0));
    assert!(!keyspace.has_changes(), "what was never there is no change");
}

#[test]
fn what_does_not_fit_any_more_leaves_the_disk_too() {
    let mut keyspace = Keyspace::new(entry(10), true);
    for key in ["a", "b"] {
        keyspace.restore(key, Bytes::from(vec![b'x'; 10]), None);
    }
    let gone = Change::Remove { key: "b".into() };
    assert_eq!(keyspace.take_changes(10), [gone]);
    assert!(keyspace.get("a", 0).is_some());
}

#[test]
fn without_a_disk_no_changes_wait() {
    let mut keyspace = Keyspace::new(1_000, true);
    set(&mut keyspace, "a", 10, None);
    keyspace.stop_tracking();
    set(&mut keyspace, "b", 10, None);
    assert!(!keyspace.has_changes());
    assert!(keyspace.take_changes(10).is_empty());
}
