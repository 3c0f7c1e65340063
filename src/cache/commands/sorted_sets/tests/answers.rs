//! What the real server (7.0.15) answers, command after command, on a keyspace that begins empty.
//! What is drawn at random and what 7.2 added stand one level up.

use super::check;
use crate::testing::Keyspace;

#[test]
fn scores_are_added_under_conditions() {
    let mut keyspace = Keyspace::new();
    check(
        &mut keyspace,
        &[
            ("ZADD z 1 a 2.5 b", "2"),
            ("ZADD z 1 a 3 b 4 c", "1"),
            ("ZADD z CH 1 a 4 b 5 d", "2"),
            ("ZADD z NX 9 a 9 e", "1"),
            ("ZADD z XX 9 e 9 f", "0"),
            ("ZADD z XX CH 8 e 9 f", "1"),
            ("ZADD z GT CH 7 e 1 g", "1"),
            ("ZADD z LT CH 7 e 8 g", "1"),
            ("ZADD z XX GT CH 9 e", "1"),
            ("ZADD z INCR 0.1 a", "1.1000000000000001"),
            ("ZADD z NX INCR 1 a", "nil"),
            ("ZADD z XX INCR 1 nobody", "nil"),
            ("ZADD z GT INCR -1 a", "nil"),
            ("ZADD z LT INCR -1 a", "0.10000000000000009"),
            ("ZADD y XX 1 a", "0"),
            ("ZADD y XX INCR 1 a", "nil"),
            ("ZINCRBY z 2 new", "2"),
            ("ZINCRBY z inf new", "inf"),
            (
                "ZINCRBY z -inf new",
                "ERR resulting score is not a number (NaN)",
            ),
            ("ZINCRBY z x new", "ERR value is not a valid float"),
            ("ZADD z nan a", "ERR value is not a valid float"),
            ("ZADD z 1e400 a", "ERR value is not a valid float"),
            ("ZADD z 0x10 hex +5 plus .5 half Infinity all", "4"),
            ("ZADD z 1 a 2", "ERR syntax error"),
            ("ZADD zero -0 a", "1"),
            ("ZSCORE zero a", "0"),
            ("ZADD z INCR CH", "ERR syntax error"),
            (
                "ZADD z NX XX 1 a",
                "ERR XX and NX options at the same time are not compatible",
            ),
            (
                "ZADD z NX GT 1 a",
                "ERR GT, LT, and/or NX options at the same time are not compatible",
            ),
            (
                "ZADD z GT LT 1 a",
                "ERR GT, LT, and/or NX options at the same time are not compatible",
            ),
            (
                "ZADD z INCR 1 a 2 b",
                "ERR INCR option supports a single increment-element pair",
            ),
            ("ZADD z 1 q x w", "ERR value is not a valid float"),
            (
                "ZRANGE z 0 -1 WITHSCORES",
                "[a 0.10000000000000009 half 0.5 g 1 b 4 c 4 d 5 plus 5 e 9 hex 16 all inf new inf]",
            ),
            ("ZREM z a b nobody a", "2"),
            ("ZCARD z", "9"),
            ("ZREM z c d e f g new hex plus half all", "9"),
            ("ZCARD z", "0"),
            ("EXISTS z", "0"),
        ],
    );
}

#[test]
fn members_are_read() {
    let mut keyspace = Keyspace::new();
    check(
        &mut keyspace,
        &[
            ("ZADD z 1 a 2 b 2 c -1.5 d", "4"),
            ("ZSCORE z a", "1"),
            ("ZSCORE z x", "nil"),
            ("ZSCORE y x", "nil"),
            ("ZMSCORE z a x d", "[1 nil -1.5]"),
            ("ZMSCORE y a", "[nil]"),
            ("ZRANK z a", "1"),
            ("ZREVRANK z a", "2"),
            ("ZRANK z x", "nil"),
            ("ZRANK y a", "nil"),
            ("ZCARD y", "0"),
            ("ZCOUNT z 1 2", "3"),
            ("ZCOUNT z (1 (3", "2"),
            ("ZCOUNT z -inf +inf", "4"),
            ("ZCOUNT z 3 1", "0"),
            ("ZCOUNT z (2 2", "0"),
            ("ZCOUNT z '' 2", "3"),
            ("ZCOUNT z x 2", "ERR min or max is not a float"),
            ("ZCOUNT z ( 2", "3"),
            ("ZRANDMEMBER y", "nil"),
            ("ZRANDMEMBER y 3", "[]"),
            (
                "ZRANDMEMBER z x",
                "ERR value is not an integer or out of range",
            ),
            ("ZRANDMEMBER z 0", "[]"),
            ("ZRANDMEMBER z 1 x", "ERR syntax error"),
            ("ZRANDMEMBER z 1 WITHSCORES x", "ERR syntax error"),
            (
                "ZRANDMEMBER z 9223372036854775807 WITHSCORES",
                "ERR value is out of range",
            ),
            (
                "ZRANDMEMBER z -9223372036854775808",
                "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
            ),
            ("ZSCAN y 0", "[0 []]"),
            ("ZSCAN z x", "ERR invalid cursor"),
            ("ZSCAN z 0 COUNT 0", "ERR syntax error"),
            ("ZSCAN z 0 TYPE zset", "ERR syntax error"),
            ("SET s 1", "OK"),
            (
                "ZSCORE s a",
                "WRONGTYPE Operation against a key holding the wrong kind of value",
            ),
            (
                "ZADD s 1 a",
                "WRONGTYPE Operation against a key holding the wrong kind of value",
            ),
            (
                "ZRANGE s 0 -1",
                "WRONGTYPE Operation against a key holding the wrong kind of value",
            ),
            (
                "ZSCAN s 0",
                "WRONGTYPE Operation against a key holding the wrong kind of value",
            ),
        ],
    );
}

#[test]
fn ranges_are_shown() {
    let mut keyspace = Keyspace::new();
    check(
        &mut keyspace,
        &[
            ("ZADD z 1 a 2 b 3 c 4 d 5 e", "5"),
            ("ZRANGE z 0 -1", "[a b c d e]"),
            ("ZRANGE z 1 2 WITHSCORES", "[b 2 c 3]"),
            ("ZRANGE z -2 9", "[d e]"),
            ("ZRANGE z -9 0", "[a]"),
            ("ZRANGE z 3 1", "[]"),
            ("ZRANGE z 0 1 REV", "[e d]"),
            ("ZRANGE z -2 -1 REV WITHSCORES", "[b 2 a 1]"),
            ("ZREVRANGE z 0 1", "[e d]"),
            ("ZREVRANGE z 0 1 REV", "ERR syntax error"),
            ("ZRANGE z 2 4 BYSCORE", "[b c d]"),
            ("ZRANGE z (2 +inf BYSCORE WITHSCORES", "[c 3 d 4 e 5]"),
            ("ZRANGE z 4 2 BYSCORE REV", "[d c b]"),
            ("ZRANGE z 2 4 BYSCORE REV", "[]"),
            ("ZRANGE z -inf +inf BYSCORE LIMIT 1 2", "[b c]"),
            ("ZRANGE z +inf -inf BYSCORE REV LIMIT 1 2", "[d c]"),
            ("ZRANGE z -inf +inf BYSCORE LIMIT 3 -1", "[d e]"),
            ("ZRANGE z -inf +inf BYSCORE LIMIT -1 2", "[]"),
            ("ZRANGE z -inf +inf BYSCORE LIMIT 0 0", "[]"),
            ("ZRANGE z -inf +inf BYSCORE LIMIT 9 2", "[]"),
            ("ZRANGE z -inf +inf BYSCORE BYSCORE", "ERR syntax error"),
            ("ZRANGE z 0 1 REV REV", "ERR syntax error"),
            ("ZRANGE z - + BYLEX BYSCORE", "ERR syntax error"),
            (
                "ZRANGE z 0 -1 LIMIT 0 1",
                "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
            ),
            ("ZRANGE z 0 -1 LIMIT 0 -1", "[a b c d e]"),
            ("ZRANGE z 0 -1 LIMIT 0", "ERR syntax error"),
            (
                "ZRANGE z 0 -1 LIMIT x 0",
                "ERR value is not an integer or out of range",
            ),
            (
                "ZRANGE z 0 -1 BYLEX",
                "ERR min or max not valid string range item",
            ),
            (
                "ZRANGE z - + BYLEX WITHSCORES",
                "ERR syntax error, WITHSCORES not supported in combination with BYLEX",
            ),
            (
                "ZRANGE z a 1",
                "ERR value is not an integer or out of range",
            ),
            ("ZRANGE z a 1 BYSCORE", "ERR min or max is not a float"),
            ("ZRANGEBYSCORE z 2 3 WITHSCORES LIMIT 0 1", "[b 2]"),
            ("ZRANGEBYSCORE z 2 3 REV", "ERR syntax error"),
            ("ZREVRANGEBYSCORE z 3 2 WITHSCORES", "[c 3 b 2]"),
            ("ZREVRANGEBYSCORE z +inf (3 LIMIT 1 5", "[d]"),
            ("ZRANGE y 0 -1 WITHSCORES", "[]"),
            (
                "ZRANGE y x -1",
                "ERR value is not an integer or out of range",
            ),
        ],
    );
}

#[test]
fn ranges_of_bytes_are_shown() {
    let mut keyspace = Keyspace::new();
    check(
        &mut keyspace,
        &[
            ("ZADD l 0 a 0 b 0 ba 0 c", "4"),
            ("ZRANGE l - + BYLEX", "[a b ba c]"),
            ("ZRANGE l [b (c BYLEX", "[b ba]"),
            ("ZRANGE l + (b BYLEX REV", "[c ba]"),
            ("ZRANGE l + - BYLEX REV LIMIT 1 2", "[ba b]"),
            ("ZRANGE l + - BYLEX", "[]"),
            ("ZRANGEBYLEX l (a [ba", "[b ba]"),
            ("ZRANGEBYLEX l [ [z", "[a b ba c]"),
            ("ZREVRANGEBYLEX l [ba -", "[ba b a]"),
            (
                "ZRANGEBYLEX l b c",
                "ERR min or max not valid string range item",
            ),
            (
                "ZRANGEBYLEX l -a +",
                "ERR min or max not valid string range item",
            ),
            (
                "ZRANGEBYLEX l '' +",
                "ERR min or max not valid string range item",
            ),
            ("ZLEXCOUNT l - +", "4"),
            ("ZLEXCOUNT l (a (c", "2"),
            (
                "ZLEXCOUNT l a c",
                "ERR min or max not valid string range item",
            ),
        ],
    );
}

#[test]
fn ranges_are_stored_and_removed() {
    let mut keyspace = Keyspace::new();
    check(
        &mut keyspace,
        &[
            ("ZADD z 1 a 2 b 3 c 4 d 5 e 6 f 7 g", "7"),
            ("ZRANGESTORE t z 1 3", "3"),
            ("ZRANGE t 0 -1 WITHSCORES", "[b 2 c 3 d 4]"),
            ("ZRANGESTORE t z 6 3 BYSCORE REV LIMIT 0 2", "2"),
            ("ZRANGE t 0 -1 WITHSCORES", "[e 5 f 6]"),
            ("ZRANGESTORE t z 0 1 WITHSCORES", "ERR syntax error"),
            ("ZRANGESTORE t z 9 20", "0"),
            ("EXISTS t", "0"),
            ("SET t 1", "OK"),
            ("ZRANGESTORE t z 0 0", "1"),
            ("TYPE t", "zset"),
            ("ZRANGESTORE t t 0 -1", "1"),
            ("ZRANGESTORE t y 0 -1", "0"),
            ("EXISTS t", "0"),
            ("ZREMRANGEBYRANK z 0 1", "2"),
            ("ZREMRANGEBYRANK z -1 -1", "1"),
            ("ZREMRANGEBYRANK z 5 9", "0"),
            (
                "ZREMRANGEBYRANK z x 9",
                "ERR value is not an integer or out of range",
            ),
            ("ZREMRANGEBYSCORE z (3 4", "1"),
            ("ZREMRANGEBYSCORE z x 4", "ERR min or max is not a float"),
            ("ZRANGE z 0 -1", "[c e f]"),
            ("ZREMRANGEBYSCORE z -inf inf", "3"),
            ("EXISTS z", "0"),
            ("ZADD l 0 a 0 b 0 c", "3"),
            ("ZREMRANGEBYLEX l [a (c", "2"),
            (
                "ZREMRANGEBYLEX l [a c",
                "ERR min or max not valid string range item",
            ),
            ("ZREMRANGEBYLEX y - +", "0"),
            ("ZRANGE l 0 -1", "[c]"),
        ],
    );
}

#[test]
fn members_are_popped() {
    let mut keyspace = Keyspace::new();
    check(
        &mut keyspace,
        &[
            ("ZADD z 1 a 2 b 3 c 4 d 5 e 6 f", "6"),
            ("ZPOPMIN z", "[a 1]"),
            ("ZPOPMAX z", "[f 6]"),
            ("ZPOPMIN z 2", "[b 2 c 3]"),
            ("ZPOPMAX z 0", "[]"),
            (
                "ZPOPMIN z -1",
                "ERR value is out of range, must be positive",
            ),
            ("ZPOPMIN z x", "ERR value is out of range, must be positive"),
            ("ZPOPMIN z 1 2", "ERR syntax error"),
            ("ZPOPMIN y", "[]"),
            ("ZPOPMIN y 2", "[]"),
            ("ZPOPMAX z 9", "[e 5 d 4]"),
            ("EXISTS z", "0"),
            ("ZMPOP 1 z MIN", "no array"),
            ("ZADD z 1 a 2 b 3 c 4 d 5 e 6 f", "6"),
            ("ZMPOP 2 y z MIN", "[z [[a 1]]]"),
            ("ZMPOP 2 y z MAX COUNT 2", "[z [[f 6] [e 5]]]"),
            ("ZMPOP x z MIN", "ERR numkeys should be greater than 0"),
            ("ZMPOP 0 z MIN", "ERR numkeys should be greater than 0"),
            ("ZMPOP 2 z MIN", "ERR syntax error"),
            ("ZMPOP 1 z FIRST", "ERR syntax error"),
            (
                "ZMPOP 1 z MIN COUNT 0",
                "ERR count should be greater than 0",
            ),
            ("ZMPOP 1 z MIN COUNT", "ERR syntax error"),
            ("ZMPOP 1 z MIN COUNT 1 COUNT 1", "ERR syntax error"),
            (
                "ZMPOP 1 z MIN COUNT x COUNT 1",
                "ERR count should be greater than 0",
            ),
            ("BZPOPMIN y z 0", "[z b 2]"),
            ("BZPOPMAX z 0.1", "[z d 4]"),
            ("BZMPOP 0 2 y z MIN COUNT 9", "[z [[c 3]]]"),
            ("BZPOPMIN z x", "ERR timeout is not a float or out of range"),
            ("BZPOPMIN z -1", "ERR timeout is negative"),
            (
                "BZMPOP x 1 z MIN",
                "ERR timeout is not a float or out of range",
            ),
            ("BZMPOP x 0 z MIN", "ERR numkeys should be greater than 0"),
            ("SET s 1", "OK"),
            (
                "BZPOPMIN s z 1",
                "WRONGTYPE Operation against a key holding the wrong kind of value",
            ),
            (
                "ZPOPMIN s",
                "WRONGTYPE Operation against a key holding the wrong kind of value",
            ),
            (
                "ZPOPMIN s 0",
                "WRONGTYPE Operation against a key holding the wrong kind of value",
            ),
            (
                "ZMPOP 1 s MIN",
                "WRONGTYPE Operation against a key holding the wrong kind of value",
            ),
        ],
    );
}

#[test]
fn sources_are_combined() {
    let mut keyspace = Keyspace::new();
    check(
        &mut keyspace,
        &[
            ("ZADD a 1 x 2 y 3 z", "3"),
            ("ZADD b 10 y 20 z 30 w", "3"),
            ("ZUNION 2 a b", "[x y z w]"),
            ("ZUNION 2 a b WITHSCORES", "[x 1 y 12 z 23 w 30]"),
            (
                "ZUNION 2 a b WEIGHTS 2 1 WITHSCORES",
                "[x 2 y 14 z 26 w 30]",
            ),
            (
                "ZUNION 2 a b AGGREGATE MIN WITHSCORES",
                "[x 1 y 2 z 3 w 30]",
            ),
            (
                "ZUNION 2 a b WEIGHTS 2 0.5 AGGREGATE MAX WITHSCORES",
                "[x 2 y 5 z 10 w 15]",
            ),
            ("ZUNION 2 a nothing WITHSCORES", "[x 1 y 2 z 3]"),
            ("ZUNION 2 a a WITHSCORES", "[x 2 y 4 z 6]"),
            ("ZINTER 2 a b WITHSCORES", "[y 12 z 23]"),
            ("ZINTER 3 a b nothing", "[]"),
            ("ZINTER 2 a b AGGREGATE MIN WITHSCORES", "[y 2 z 3]"),
            ("ZDIFF 2 a b WITHSCORES", "[x 1]"),
            ("ZDIFF 2 a a", "[]"),
            ("ZDIFF 2 nothing a", "[]"),
            ("ZDIFF 2 a nothing", "[x y z]"),
            ("ZINTERCARD 2 a b", "2"),
            ("ZINTERCARD 2 a b LIMIT 1", "1"),
            ("ZINTERCARD 2 a b LIMIT 0", "2"),
            ("ZINTERCARD 2 a b LIMIT -1", "ERR LIMIT can't be negative"),
            ("ZINTERCARD 2 a b LIMIT x", "ERR LIMIT can't be negative"),
            ("ZINTERCARD 2 a b LIMIT", "ERR syntax error"),
            ("ZINTERCARD 2 a b WITHSCORES", "ERR syntax error"),
            ("ZUNIONSTORE t 2 a b", "4"),
            ("ZRANGE t 0 -1 WITHSCORES", "[x 1 y 12 z 23 w 30]"),
            ("ZINTERSTORE t 2 a b WEIGHTS 1 -1", "2"),
            ("ZRANGE t 0 -1 WITHSCORES", "[z -17 y -8]"),
            ("ZDIFFSTORE t 2 a b", "1"),
            ("ZRANGE t 0 -1 WITHSCORES", "[x 1]"),
            ("ZDIFFSTORE t 2 a a", "0"),
            ("EXISTS t", "0"),
            ("ZINTERSTORE a 2 a b", "2"),
            ("ZRANGE a 0 -1 WITHSCORES", "[y 12 z 23]"),
            ("ZADD i inf x", "1"),
            ("ZADD j -inf x", "1"),
            ("ZUNION 2 i j WITHSCORES", "[x 0]"),
            ("ZUNION 1 i WEIGHTS 0 WITHSCORES", "[x 0]"),
            ("ZINTER 2 i j WITHSCORES", "[x 0]"),
            (
                "ZINTER 2 i j WEIGHTS 1 0 AGGREGATE MIN WITHSCORES",
                "[x inf]",
            ),
            ("ZUNION 2 i j WEIGHTS 1 0 AGGREGATE MIN WITHSCORES", "[x 0]"),
        ],
    );
}

#[test]
fn what_cannot_be_combined_is_refused() {
    let mut keyspace = Keyspace::new();
    check(
        &mut keyspace,
        &[
            ("ZADD a 1 x", "1"),
            ("ZADD b 10 y", "1"),
            (
                "ZUNION 0 a",
                "ERR at least 1 input key is needed for 'zunion' command",
            ),
            (
                "ZINTERSTORE t 0 a",
                "ERR at least 1 input key is needed for 'zinterstore' command",
            ),
            ("ZUNION x a", "ERR value is not an integer or out of range"),
            ("ZUNION 3 a b", "ERR syntax error"),
            ("ZUNION 1 a WEIGHTS x", "ERR weight value is not a float"),
            ("ZUNION 2 a b WEIGHTS 1", "ERR syntax error"),
            ("ZUNION 1 a AGGREGATE", "ERR syntax error"),
            ("ZUNION 1 a AGGREGATE AVG", "ERR syntax error"),
            ("ZDIFF 1 a WEIGHTS 1", "ERR syntax error"),
            ("ZUNIONSTORE t 1 a WITHSCORES", "ERR syntax error"),
            ("SET s 1", "OK"),
            (
                "ZUNION 2 nothing s FOO",
                "WRONGTYPE Operation against a key holding the wrong kind of value",
            ),
            (
                "ZINTER 2 nothing s",
                "WRONGTYPE Operation against a key holding the wrong kind of value",
            ),
        ],
    );
}

#[test]
fn scores_stand_beside_members_in_version_3() {
    let mut keyspace = Keyspace::new();
    keyspace.protocol = 3;
    check(
        &mut keyspace,
        &[
            ("ZADD z 1 a 2.5 b 3 c", "3"),
            ("ZSCORE z b", "2.5"),
            ("ZSCORE z x", "nil"),
            ("ZRANGE z 0 1 WITHSCORES", "[[a 1] [b 2.5]]"),
            ("ZRANGEBYSCORE z 1 2 WITHSCORES", "[[a 1]]"),
            ("ZRANGE z 0 1", "[a b]"),
            ("ZMSCORE z a x", "[1 nil]"),
            ("ZINCRBY z 1 a", "2"),
            ("ZADD z INCR 1 a", "3"),
            ("ZADD z NX INCR 1 a", "nil"),
            ("ZUNION 1 z WITHSCORES", "[[b 2.5] [a 3] [c 3]]"),
            ("ZINTER 1 z WITHSCORES", "[[b 2.5] [a 3] [c 3]]"),
            ("ZADD q 0.5 a", "1"),
            ("ZRANDMEMBER q 5 WITHSCORES", "[[a 0.5]]"),
            ("ZSCAN z 0 MATCH b", "[0 [b 2.5]]"),
            ("ZPOPMIN z", "[b 2.5]"),
            ("ZPOPMIN z 1", "[[a 3]]"),
            ("ZPOPMIN z", "[c 3]"),
            ("ZPOPMIN z", "[]"),
            ("ZPOPMIN z 1", "[]"),
            ("ZMPOP 1 z MIN", "nil"),
            ("ZADD z 1 a 2.5 b 3 c", "3"),
            ("ZMPOP 1 z MIN", "[z [[a 1]]]"),
            ("BZPOPMIN z 0", "[z b 2.5]"),
            ("BZMPOP 0 1 z MIN", "[z [[c 3]]]"),
        ],
    );
}
