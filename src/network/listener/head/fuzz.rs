//! Random heads, near the grammar and far from it: nothing panics, what is let in means the same to
//! the parser behind, and where a head ends does not depend on how it arrives.

use http::{Request, Version};
use proptest::prelude::*;

use super::{Body, HeadFinder, inspect};
use crate::admission;

/// Pieces that heads are made of, good and bad.
const PIECES: [&str; 38] = [
    "GET",
    "POST",
    "CONNECT",
    "OPTIONS",
    " ",
    "  ",
    "/",
    "/a?b",
    "*",
    "http://a/",
    "HTTP/1.1",
    "HTTP/1.0",
    "HTTP/2.0",
    "\r\n",
    "\n",
    "\r",
    "\r\n\r\n",
    "Host",
    ": ",
    ":",
    "a.example",
    "Content-Length",
    "5",
    "+5",
    "0x5",
    "Transfer-Encoding",
    "chunked",
    "gzip, chunked",
    "identity",
    "Connection",
    "close, Host",
    "Upgrade",
    "h2c",
    "\t",
    "\0",
    "\u{7f}",
    "é",
    "x\r\n y",
];

fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        9 => prop::sample::select(PIECES.to_vec()).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// A head that is right but for one place, at most.
fn nearly_right() -> impl Strategy<Value = Vec<u8>> {
    let fields = prop::sample::subsequence(
        vec![
            "Host: a.example\r\n",
            "Content-Length: 5\r\n",
            "Transfer-Encoding: chunked\r\n",
            "Connection: keep-alive\r\n",
            "Accept: */*\r\n",
            "X-Empty:\r\n",
        ],
        0..6,
    );
    (
        fields,
        any::<prop::sample::Index>(),
        prop::option::of(any::<u8>()),
    )
        .prop_map(|(fields, at, byte)| {
            let mut head = format!("GET /x HTTP/1.1\r\n{}\r\n", fields.concat()).into_bytes();
            if let Some(byte) = byte {
                let at = at.index(head.len());
                head[at] = byte;
            }
            head
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn what_is_let_in_means_the_same_to_the_parser_behind(
        head in prop_oneof![pieces(), nearly_right()],
    ) {
        let Some(end) = HeadFinder::default().end(&head) else {
            return Ok(());
        };
        let head = &head[..end];
        let Ok(seen) = inspect(head) else {
            return Ok(());
        };
        let mut fields = [httparse::EMPTY_HEADER; 128];
        let mut parsed = httparse::Request::new(&mut fields);
        let status = parsed.parse(head);
        prop_assert_eq!(status, Ok(httparse::Status::Complete(end)));
        let named = |name: &str| {
            let fields = parsed.headers.iter();
            let values = fields.filter(|field| field.name.eq_ignore_ascii_case(name));
            values.map(|field| field.value.to_vec()).collect::<Vec<_>>()
        };
        let lengths = named("content-length");
        match seen.body {
            Body::Chunked => {
                prop_assert!(lengths.is_empty());
                prop_assert_eq!(named("transfer-encoding").len(), 1);
            }
            Body::Fixed(length) => {
                prop_assert!(named("transfer-encoding").is_empty());
                let expected: Vec<Vec<u8>> = match &lengths[..] {
                    [] => Vec::new(),
                    _ => vec![lengths[0].clone()],
                };
                prop_assert_eq!(&lengths, &expected, "one length at most");
                let said = lengths.first().map_or("0", |text| std::str::from_utf8(text).unwrap());
                prop_assert_eq!(said.parse::<u64>(), Ok(length));
            }
        }
    }

    #[test]
    fn where_a_head_ends_does_not_depend_on_how_it_arrives(
        head in pieces(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
    ) {
        let whole = HeadFinder::default().end(&head);
        let mut finder = HeadFinder::default();
        let mut lengths: Vec<usize> = cuts.iter().map(|cut| cut.index(head.len() + 1)).collect();
        lengths.push(head.len());
        lengths.sort_unstable();
        let found = lengths.into_iter().find_map(|length| finder.end(&head[..length]));
        prop_assert_eq!(found, whole);
    }

    #[test]
    fn whoever_is_admitted_has_one_host_or_none(
        method in prop::sample::select(vec!["GET", "POST", "OPTIONS", "TRACE", "PRI"]),
        target in prop::sample::select(vec!["/", "/a?b", "*", "http://b:81/x", "http://a@b/", "/%zz", "/%00"]),
        hosts in prop::collection::vec(
            prop::sample::select(vec!["a", "A:80", "a:99999", "a b", "", "[::1]", "a,b", "é", "a/b", "*"]), 0..3),
        version in prop::sample::select(vec![Version::HTTP_10, Version::HTTP_11, Version::HTTP_2]),
    ) {
        let mut request = Request::builder().method(method).uri(target).version(version);
        for host in hosts {
            request = request.header("host", host);
        }
        let Ok(request) = request.body(()) else {
            return Ok(());
        };
        let mut parts = request.into_parts().0;
        if admission::admit(&parts).is_err() {
            return Ok(());
        }
        let host = admission::host(&parts);
        admission::to_origin_form(&mut parts);
        prop_assert_eq!(admission::host(&parts), host.clone());
        prop_assert!(parts.headers.get_all("host").iter().count() <= 1);
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]~!$&'()*+,;=%".contains(&byte);
        prop_assert!(host.bytes().all(allowed), "{host:?}");
    }
}
