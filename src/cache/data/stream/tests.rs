//! Streams as such, without commands.

use super::*;

fn id(ms: u64, sequence: u64) -> StreamId {
    StreamId { ms, sequence }
}

#[test]
fn ids_are_read_strictly() {
    for (text, expected) in [
        ("5", Some(id(5, 9))),
        ("5-1", Some(id(5, 1))),
        ("0-0", Some(id(0, 0))),
        (
            "18446744073709551615-18446744073709551615",
            Some(StreamId::MAX),
        ),
        ("18446744073709551616", None),
        ("5-", None),
        ("-5", None),
        ("5-01", None),
        ("5-1-1", None),
        ("x", None),
        ("", None),
    ] {
        assert_eq!(
            StreamId::parse(text.as_bytes(), 9).ok(),
            expected,
            "{text:?}"
        );
    }
    assert_eq!(StreamId::MAX.next(), None);
    assert_eq!(StreamId::MIN.previous(), None);
    assert_eq!(id(1, u64::MAX).next(), Some(id(2, 0)));
    assert_eq!(id(2, 0).previous(), Some(id(1, u64::MAX)));
}

#[test]
fn entries_are_added_read_and_removed() {
    let mut stream = Stream::default();
    for ms in 1..=5 {
        stream.add(id(ms, 0), &["field".into(), Bytes::from(ms.to_string())]);
    }
    let values: Vec<_> = stream
        .range(id(2, 0)..=id(4, 0))
        .map(|(id, entry)| (id.ms, words(entry).collect::<Vec<_>>()))
        .collect();
    assert_eq!(values[0], (2, vec!["field".into(), "2".into()]));
    assert_eq!(values.len(), 3);
    assert_eq!(stream.range(id(4, 0)..=id(2, 0)).count(), 0);
    assert!(stream.delete(id(3, 0)));
    assert!(!stream.delete(id(3, 0)));
    assert_eq!(stream.max_deleted_id, id(3, 0));
    assert_eq!(stream.count_before(id(4, 0), 9), 2);
    stream.drop_oldest(9);
    assert_eq!((stream.len(), stream.memory_bytes()), (0, 0));
    assert_eq!((stream.last_id, stream.entries_added), (id(5, 0), 5));
}
