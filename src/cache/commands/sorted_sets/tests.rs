//! Sorted sets as clients use them.

use bytes::Bytes;

use crate::testing::Keyspace;

mod answers;

fn check(keyspace: &mut Keyspace, cases: &[(&str, &str)]) {
    for (line, expected) in cases {
        assert_eq!(keyspace.run(line), *expected, "{line}");
    }
}

#[test]
fn ranks_are_shown_with_scores_as_in_version_7_2() {
    let mut keyspace = Keyspace::new();
    check(
        &mut keyspace,
        &[
            ("ZADD z 1 a 2.5 b", "2"),
            ("ZRANK z b WITHSCORE", "[1 2.5]"),
            ("ZREVRANK z b withscore", "[0 2.5]"),
            ("ZRANK z x WITHSCORE", "no array"),
            ("ZRANK y x WITHSCORE", "no array"),
            ("ZRANK z b WITHSCORES", "ERR syntax error"),
            (
                "ZREVRANK z b WITHSCORE x",
                "ERR wrong number of arguments for 'zrevrank' command",
            ),
        ],
    );
}

#[test]
fn the_destination_is_among_the_keys() {
    let words = "ZUNIONSTORE t 2 a b WEIGHTS 1 2".split(' ');
    let words: Vec<Bytes> = words
        .map(|word| Bytes::from_static(word.as_bytes()))
        .collect();
    let spec = crate::commands::find(&words[0]).unwrap();
    assert_eq!(spec.keys.of(&words), ["t", "a", "b"]);
}

#[test]
fn clients_wait_for_members() {
    let mut keyspace = Keyspace::new();
    check(
        &mut keyspace,
        &[
            ("BZPOPMIN y z 0", "waits for y z"),
            ("BZPOPMAX z 1.5", "waits for z"),
            ("BZMPOP 1 2 y z MIN COUNT 2", "waits for y z"),
        ],
    );
    assert!(keyspace.log.is_empty());
}

#[test]
fn the_log_gets_what_was_done_and_nothing_else() {
    let mut keyspace = Keyspace::new();
    let cases = [
        ("ZADD z XX 1 a", ""),
        ("ZADD z 1 a 2 b 3 c 4 d 5 e", "ZADD z 1 a 2 b 3 c 4 d 5 e"),
        ("ZADD z 1 a", ""),
        ("ZADD z NX 2 a", ""),
        ("ZINCRBY z 0 a", ""),
        ("ZINCRBY z 1.5 a", "ZINCRBY z 1.5 a"),
        ("ZREM z nobody", ""),
        ("ZREMRANGEBYSCORE z 100 200", ""),
        ("ZPOPMIN z 0", ""),
        ("ZPOPMIN y", ""),
        ("BZPOPMIN y z 0", "ZPOPMIN z 1"),
        ("BZPOPMAX z 0", "ZPOPMAX z 1"),
        ("ZMPOP 1 z MIN COUNT 9", "ZPOPMIN z 3"),
        ("ZMPOP 1 z MIN COUNT 9", ""),
        ("ZUNIONSTORE t 1 z", ""),
        ("ZADD z 1 a", "ZADD z 1 a"),
        ("ZUNIONSTORE t 1 z", "ZUNIONSTORE t 1 z"),
        ("ZDIFFSTORE t 2 z z", "ZDIFFSTORE t 2 z z"),
    ];
    for (line, logged) in cases {
        keyspace.log.clear();
        keyspace.run(line);
        assert_eq!(keyspace.log.join("; "), logged, "{line}");
    }
}

#[test]
fn a_walk_shows_every_member_that_stays() {
    let mut keyspace = Keyspace::new();
    for at in 0..100 {
        keyspace.run(&format!("ZADD z {} m{at}", at % 7));
    }
    let (mut cursor, mut shown) = ("0".to_owned(), Vec::new());
    for round in 0.. {
        let page = keyspace.run(&format!("ZSCAN z {cursor} COUNT 7"));
        let (next, found) = page[1..page.len() - 2].split_once(" [").unwrap();
        shown.extend(found.split(' ').step_by(2).map(str::to_owned));
        // Every odd member is removed sooner or later; the even ones have to be shown.
        keyspace.run(&format!("ZREM z m{}", round * 2 + 1));
        cursor = next.to_owned();
        if cursor == "0" {
            break;
        }
    }
    for at in (0..100).step_by(2) {
        assert!(shown.contains(&format!("m{at}")), "m{at}");
    }
}

#[test]
fn drawn_members_are_there_and_differ_unless_they_may_repeat() {
    let mut keyspace = Keyspace::new();
    keyspace.run("ZADD z 1 a 2 b 3 c");
    for (line, words, different) in [
        ("ZRANDMEMBER z 2", 2, 2..=2),
        ("ZRANDMEMBER z 9", 3, 3..=3),
        ("ZRANDMEMBER z -9", 9, 1..=3),
    ] {
        let text = keyspace.run(line);
        let mut drawn: Vec<_> = text.trim_matches(['[', ']']).split(' ').collect();
        assert_eq!(drawn.len(), words, "{line}");
        drawn.sort_unstable();
        drawn.dedup();
        assert!(different.contains(&drawn.len()), "{line}: {text}");
    }
}
