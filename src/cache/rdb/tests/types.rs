//! The types and encodings that Redis 7.0 does not write, older and newer ones.

use super::{
    write::{File, Item, listpack, ziplist},
    *,
};

const EDGES: &[i64] = &[
    0,
    1,
    12,
    13,
    63,
    64,
    127,
    128,
    -1,
    -128,
    -129,
    4095,
    4096,
    -4096,
    -4097,
    32767,
    32768,
    -32768,
    -32769,
    8_388_607,
    8_388_608,
    -8_388_608,
    -8_388_609,
    2_147_483_647,
    2_147_483_648,
    -2_147_483_648,
    -2_147_483_649,
    i64::MAX,
    i64::MIN,
];

/// Reads a file that must be good; its commands.
#[track_caller]
fn lines(file: File) -> Vec<String> {
    read_lines(&file.end()).unwrap().1
}

/// Checks that a file gives just these commands.
#[track_caller]
fn check(file: File, expected: &[&str]) {
    assert_eq!(lines(file), expected);
}

#[test]
fn plain_collections() {
    check(File::new(1).key(0).string("v"), &["0: SET k v"]);
    check(
        File::new(3)
            .key(1)
            .length(3)
            .string("a")
            .string("b")
            .string("c"),
        &["0: RPUSH k a b c"],
    );
    check(
        File::new(3).key(2).length(2).string("a").string("b"),
        &["0: SADD k a b"],
    );
    check(
        File::new(3).key(4).length(1).string("f").string("v"),
        &["0: HSET k f v"],
    );
    let zset = File::new(3).key(3).length(4).string("a").raw(b"\x031.5");
    let zset = zset
        .string("b")
        .raw(&[255])
        .string("c")
        .raw(&[254])
        .string("d")
        .raw(b"\x011");
    check(zset, &["0: ZADD k 1.5 a -inf b inf c 1 d"]);
    let zset = File::new(8).key(5).length(3);
    let zset = [1.0, -1e-300, f64::NEG_INFINITY]
        .iter()
        .fold(zset, |zset, score| {
            zset.string("m").raw(&score.to_le_bytes())
        });
    check(zset, &["0: ZADD k 1 m -1e-300 m -inf m"]);
    // A collection without elements is no key.
    check(File::new(3).raw(&[253, 1, 0, 0, 0]).key(1).length(0), &[]);
}

#[test]
fn long_collections_come_in_pieces() {
    let file = (0..130).fold(File::new(9).key(1).length(130), |file, number: i64| {
        file.string(number.to_string())
    });
    let lines = lines(file);
    let words: Vec<_> = lines
        .iter()
        .map(|line| line.split(' ').count() - 3)
        .collect();
    assert_eq!(words, [64, 64, 2]);
}

#[test]
fn packed_collections_keep_every_number_and_text() {
    let texts: Vec<_> = [0, 1, 63, 64, 253, 254, 4095, 4096, 16383, 16384, 70_000]
        .iter()
        .map(|length| vec![b'x'; *length])
        .collect();
    let items: Vec<_> = EDGES
        .iter()
        .map(|number| Item::Number(*number))
        .chain(texts.iter().map(|text| Item::Text(text)))
        .collect();
    let mut expected = String::from("0: RPUSH k");
    for number in EDGES {
        let _ = write!(expected, " {number}");
    }
    for text in &texts {
        let _ = write!(expected, " {}", text.escape_ascii());
    }
    let packed = listpack(&items);
    check(
        File::new(10).key(18).length(1).length(2).string(&packed),
        &[&expected],
    );
    let packed = ziplist(&items);
    check(File::new(3).key(10).string(&packed), &[&expected]);
    check(File::new(7).key(14).length(1).string(&packed), &[&expected]);
}

#[test]
fn packed_collections_of_every_type() {
    let items = [
        Item::Text(b"a"),
        Item::Number(1),
        Item::Text(b"b"),
        Item::Text(b"2.5"),
    ];
    let (listpack, ziplist) = (listpack(&items), ziplist(&items));
    for kind in [13, 16] {
        let packed = if kind == 13 { &ziplist } else { &listpack };
        check(
            File::new(10).key(kind).string(packed),
            &["0: HSET k a 1 b 2.5"],
        );
    }
    for kind in [12, 17] {
        let packed = if kind == 12 { &ziplist } else { &listpack };
        check(
            File::new(10).key(kind).string(packed),
            &["0: ZADD k 1 a 2.5 b"],
        );
    }
    check(
        File::new(11).key(20).string(&listpack),
        &["0: SADD k a 1 b 2.5"],
    );
    let plain = File::new(10).key(18).length(2).length(1).string("big");
    check(
        plain.length(2).string(&listpack),
        &["0: RPUSH k big a 1 b 2.5"],
    );
    for (width, numbers) in [(2, "1 -2"), (4, "1 -2"), (8, "1 -2")] {
        let mut intset = [[width, 0, 0, 0], [2, 0, 0, 0]].concat();
        for number in [1_i64, -2] {
            intset.extend(&number.to_le_bytes()[..width.into()]);
        }
        let expected = format!("0: SADD k {numbers}");
        check(File::new(3).key(11).string(intset), &[&expected]);
    }
    let zipmap = b"\x02\x01a\x03\x021.5xx\x01b\xfe\x02\x00\x00\x00\x00zz\xff";
    check(
        File::new(2).key(9).string(zipmap),
        &["0: HSET k a 1.5 b zz"],
    );
}

#[test]
fn hash_fields_of_redis_7_4_lose_their_time() {
    let (past, future) = (NOW_MS - 1, NOW_MS + 5_000);
    let expected = &["0: HSET k a 1 c 3"];
    let items = [("a", "1", 0), ("b", "2", past), ("c", "3", future)];
    let mut packed = Vec::new();
    for (field, value, expiry) in &items {
        packed.extend([Item::Text(field.as_bytes()), Item::Text(value.as_bytes())]);
        packed.push(Item::Number(*expiry));
    }
    let packed = listpack(&packed);
    let earliest = past.to_le_bytes();
    let mut absolute = File::new(12).key(22).length(3);
    let mut relative = File::new(12).key(24).raw(&earliest).length(3);
    for (field, value, expiry) in items {
        absolute = absolute
            .length(expiry.cast_unsigned())
            .string(field)
            .string(value);
        let after = if expiry == 0 { 0 } else { expiry - past + 1 };
        relative = relative
            .length(after.cast_unsigned())
            .string(field)
            .string(value);
    }
    for file in [
        absolute,
        relative,
        File::new(12).key(23).string(&packed),
        File::new(12).key(25).raw(&earliest).string(&packed),
    ] {
        let (summary, lines) = read_lines(&file.end()).unwrap();
        assert_eq!(lines, expected);
        assert_eq!(
            (summary.fields_expired, summary.field_expiries_left_out),
            (1, 1)
        );
    }
}

/// A node of a stream: two entries with the first's fields, one deleted, one with its own.
fn node() -> Vec<u8> {
    let numbers = |numbers: &[i64]| numbers.iter().map(|n| Item::Number(*n)).collect::<Vec<_>>();
    let mut items = numbers(&[3, 1, 1]);
    items.extend([Item::Text(b"f"), Item::Number(0)]);
    items.extend([numbers(&[2, 0, 0]), vec![Item::Text(b"v1")], numbers(&[4])].concat());
    items.extend(
        [
            numbers(&[3, 1, -5]),
            vec![Item::Text(b"gone")],
            numbers(&[4]),
        ]
        .concat(),
    );
    items.extend([numbers(&[2, 2, -5]), vec![Item::Number(7)], numbers(&[4])].concat());
    items.extend(numbers(&[0, 300, -4, 1]));
    items.extend([Item::Text(b"g"), Item::Text(b"v3")]);
    items.extend(numbers(&[6]));
    listpack(&items)
}

#[test]
fn streams_of_every_version() {
    let first = [1000_u64.to_be_bytes(), 5_u64.to_be_bytes()].concat();
    for version in 1..=3 {
        let kind = [15, 19, 21][version - 1];
        let mut file = File::new(11)
            .key(kind)
            .length(1)
            .string(&first)
            .string(node());
        file = file.length(3).length(2000).length(1);
        if version >= 2 {
            file = file.length(1000).length(5).length(1001).length(0).length(9);
        }
        // A group with an entry delivered to its one consumer.
        file = file.length(1).string("g").length(1000).length(5);
        if version >= 2 {
            file = file.length(1);
        }
        file = file.length(1).raw(&[0; 24]).length(1);
        file = file.length(1).string("c").raw(&[0; 8]);
        if version >= 3 {
            file = file.raw(&[0; 8]);
        }
        let bytes = file.length(1).raw(&[0; 16]).end();
        let (summary, lines) = read_lines(&bytes).unwrap();
        let counters = match version {
            1 => "0: XSETID k 2000-1 ENTRIESADDED 3 MAXDELETEDID 0-0",
            _ => "0: XSETID k 2000-1 ENTRIESADDED 9 MAXDELETEDID 1001-0",
        };
        let entries = [
            "0: XADD k 1000-5 f v1",
            "0: XADD k 1002-0 f 7",
            "0: XADD k 1300-1 g v3",
        ];
        assert_eq!(lines[..3], entries);
        assert_eq!(lines[3..], [counters]);
        assert_eq!((summary.keys, summary.groups_left_out), (1, 1));
    }
    let empty = File::new(9)
        .key(15)
        .length(0)
        .length(0)
        .length(0)
        .length(0)
        .length(0);
    check(
        empty,
        &[
            "0: XADD k MAXLEN 0 0-1 x y",
            "0: XSETID k 0-0 ENTRIESADDED 0 MAXDELETEDID 0-0",
        ],
    );
}

#[test]
fn what_is_not_a_key_is_read_over() {
    let file = File::new(12)
        .raw(&[250])
        .string("redis-ver")
        .string("7.4.0")
        .raw(&[250])
        .string("valkey-thing")
        .string("x")
        .raw(&[245])
        .string("#!lua name=x")
        .raw(&[254])
        .length(9)
        .raw(&[251])
        .length(1)
        .length(0)
        .raw(&[244])
        .length(1)
        .length(1)
        .length(0)
        .raw(&[249, 5])
        .raw(&[248])
        .length(100)
        .raw(&[252])
        .raw(&4_000_000_000_000_i64.to_le_bytes())
        .key(0)
        .string("v")
        .raw(&[253])
        .raw(&4_000_i32.to_le_bytes())
        .key(0)
        .string("w")
        .key(0)
        .string("x");
    let (summary, lines) = read_lines(&file.end()).unwrap();
    let expected = [
        "9: SET k v",
        "9: PEXPIREAT k 4000000000000",
        "9: SET k w",
        "9: PEXPIREAT k 4000000",
        "9: SET k x",
    ];
    assert_eq!(lines, expected);
    assert_eq!(summary.server_version.as_deref(), Some("7.4.0"));
    assert_eq!(summary.functions_left_out, 1);
}

#[test]
fn modules_and_other_versions_are_refused_by_name() {
    // "ReJSON-RL" as Redis packs it, with version 3.
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let id = b"ReJSON-RL".iter().fold(0, |id: u64, letter| {
        id << 6 | letters.iter().position(|known| known == letter).unwrap() as u64
    });
    for file in [
        File::new(9).key(7).length(id << 10 | 3),
        File::new(9).raw(&[247]).length(id << 10),
    ] {
        match read_lines(&file.end()).unwrap_err() {
            Error::Module { name, .. } => assert_eq!(name, "ReJSON-RL"),
            other => panic!("{other}"),
        }
    }
    for header in [
        "REDIS0000",
        "REDIS0013",
        "VALKEY080",
        "REDIS00x1",
        "REDIS+011",
        "*3\r\n$3\r\nS",
    ] {
        let bytes = [header.as_bytes(), &[255; 9]].concat();
        assert!(
            matches!(read_lines(&bytes), Err(Error::Version(_))),
            "{header}"
        );
    }
    for kind in [6, 8, 26, 100, 243, 246] {
        let bytes = File::new(9).key(kind).length(1).string("x").end();
        assert!(
            matches!(read_lines(&bytes), Err(Error::Damaged { .. })),
            "{kind}"
        );
    }
}
