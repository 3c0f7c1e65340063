//! Both versions of the protocol, byte by byte.

use bytes::BytesMut;

use super::{Decoder, Reply, encode};

fn decode(input: &[u8]) -> Vec<String> {
    let mut decoder = Decoder::new(1024);
    decoder.authenticated = true;
    let mut buffer = BytesMut::from(input);
    let mut seen = Vec::new();
    loop {
        match decoder.next(&mut buffer) {
            Ok(Some(arguments)) => {
                let texts = arguments
                    .iter()
                    .map(|text| String::from_utf8_lossy(text).into_owned());
                seen.push(texts.collect::<Vec<_>>().join("|"));
            }
            Ok(None) => return seen,
            Err(error) => {
                seen.push(error.to_string());
                return seen;
            }
        }
    }
}

#[test]
fn commands_are_read_as_arrays_and_as_lines() {
    let cases: &[(&[u8], &[&str])] = &[
        (b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n", &["GET|a"]),
        (
            b"*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPING\r\n",
            &["PING", "PING"],
        ),
        (b"*2\r\n$3\r\nGET\r\n$4\r\na\r\nb\r\n", &["GET|a\r\nb"]),
        (b"PING\r\n", &["PING"]),
        (b"\r\n\r\nPING\n", &["PING"]),
        (b"SET a \"b c\\x41\\n\" \n", &["SET|a|b cA\n"]),
        (b"SET a 'it\\'s'\r\n", &["SET|a|it's"]),
        (b"SET a \"\"\r\n", &["SET|a|"]),
        (b"*0\r\n*-1\r\nPING\r\n", &["PING"]),
        (b"*2\r\n$3\r\nGET\r\n", &[]),
        (
            b"SET a \"b\r\n",
            &["ERR Protocol error: unbalanced quotes in request"],
        ),
        (
            b"SET a \"b\"c\r\n",
            &["ERR Protocol error: unbalanced quotes in request"],
        ),
        (
            b"*1\r\nGET\r\n",
            &["ERR Protocol error: expected '$', got 'G'"],
        ),
        (b"*a\r\n", &["ERR Protocol error: invalid multibulk length"]),
        (
            b"*1048577\r\n",
            &["ERR Protocol error: invalid multibulk length"],
        ),
        (
            b"*1\r\n$-1\r\n",
            &["ERR Protocol error: invalid bulk length"],
        ),
        (
            b"*1\r\n$x\r\n",
            &["ERR Protocol error: invalid bulk length"],
        ),
        (b"*2\r\n$1000\r\n", &[]),
        (
            b"*1\r\n$1025\r\n",
            &["ERR Protocol error: invalid bulk length"],
        ),
    ];
    for (input, expected) in cases {
        assert_eq!(
            decode(input),
            *expected,
            "{}",
            String::from_utf8_lossy(input)
        );
    }
}

#[test]
fn a_command_may_arrive_byte_by_byte() {
    let mut decoder = Decoder::new(1024);
    let mut buffer = BytesMut::new();
    let whole = b"*2\r\n$4\r\nECHO\r\n$5\r\nhello\r\n";
    for (at, byte) in whole.iter().enumerate() {
        buffer.extend_from_slice(&[*byte]);
        let found = decoder.next(&mut buffer).unwrap();
        assert_eq!(found.is_some(), at + 1 == whole.len(), "{at}");
    }
}

#[test]
fn who_has_not_signed_in_may_not_send_much() {
    for (input, expected) in [
        (
            "*11\r\n",
            "ERR Protocol error: unauthenticated multibulk length",
        ),
        (
            "*1\r\n$16385\r\n",
            "ERR Protocol error: unauthenticated bulk length",
        ),
    ] {
        let mut decoder = Decoder::new(1024 * 1024);
        let error = decoder.next(&mut BytesMut::from(input)).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn answers_are_written_in_both_versions() {
    let cases = [
        (Reply::OK, "+OK\r\n", "+OK\r\n"),
        (Reply::error("a\r\nb"), "-ERR a  b\r\n", "-ERR a  b\r\n"),
        (Reply::Integer(-3), ":-3\r\n", ":-3\r\n"),
        (Reply::bulk("ab"), "$2\r\nab\r\n", "$2\r\nab\r\n"),
        (Reply::Nil, "$-1\r\n", "_\r\n"),
        (Reply::NilArray, "*-1\r\n", "_\r\n"),
        (
            Reply::Array(vec![Reply::Nil]),
            "*1\r\n$-1\r\n",
            "*1\r\n_\r\n",
        ),
        (
            Reply::Set(vec![Reply::Integer(1)]),
            "*1\r\n:1\r\n",
            "~1\r\n:1\r\n",
        ),
        (
            Reply::Map(vec![(Reply::bulk("a"), Reply::Boolean(true))]),
            "*2\r\n$1\r\na\r\n:1\r\n",
            "%1\r\n$1\r\na\r\n#t\r\n",
        ),
        (Reply::Double(1.5), "$3\r\n1.5\r\n", ",1.5\r\n"),
        (Reply::Double(f64::INFINITY), "$3\r\ninf\r\n", ",inf\r\n"),
        (
            Reply::Verbatim("a".to_owned()),
            "$1\r\na\r\n",
            "=5\r\ntxt:a\r\n",
        ),
        (
            Reply::Push(vec![Reply::Integer(1)]),
            "*1\r\n:1\r\n",
            ">1\r\n:1\r\n",
        ),
    ];
    for (reply, second, third) in cases {
        for (protocol, expected) in [(2, second), (3, third)] {
            let mut out = Vec::new();
            encode(&reply, protocol, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{reply:?}");
        }
    }
}
