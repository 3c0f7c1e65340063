//! Heads and framing of HTTP/1, row by row.

use super::{
    site::{HOST, Site},
    wire,
};

/// What must come back.
enum Required {
    /// This status, then the end of the connection, and the server behind sees no whole request.
    Refused(u16),
    /// As many answers with 200; what the server saw has all of these and none of those.
    Served(usize, &'static [&'static str], &'static [&'static str]),
    /// This status, from the gateway itself.
    Answered(u16),
}

use Required::{Answered, Refused, Served};

struct Row {
    number: u8,
    sent: Vec<u8>,
    required: Required,
}

fn row(number: u8, sent: impl AsRef<[u8]>, required: Required) -> Row {
    let sent = sent.as_ref().to_vec();
    Row {
        number,
        sent,
        required,
    }
}

/// A request with a body: `fields` without the host.
fn post(fields: &str, body: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: {HOST}\r\n{fields}\r\n\r\n{body}")
}

/// A request that asks for the connection to be closed.
fn get(target: &str, fields: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n{fields}\r\n")
}

/// A request with exactly this head.
fn bare(head: &str) -> String {
    format!("{head}\r\n\r\n")
}

fn chunked(body: &str) -> String {
    post("Transfer-Encoding: chunked\r\nConnection: close", body)
}

fn framing() -> Vec<Row> {
    let mut rows = vec![
        row(
            1,
            post(
                "Content-Length: 5\r\nTransfer-Encoding: chunked",
                "0\r\n\r\n",
            ),
            Refused(400),
        ),
        row(
            1,
            post(
                "Transfer-Encoding: chunked\r\nContent-Length: 5",
                "0\r\n\r\n",
            ),
            Refused(400),
        ),
        row(
            2,
            post("Content-Length: 3\r\nContent-Length: 4", "abcd"),
            Refused(400),
        ),
        row(
            3,
            post("Content-Length: 3\r\nContent-Length: 3", "abc"),
            Refused(400),
        ),
    ];
    for length in ["3, 3", "+3", "-1", "0x3", "18446744073709551616"] {
        rows.push(row(
            4,
            post(&format!("Content-Length: {length}"), "abc"),
            Refused(400),
        ));
    }
    for (number, coding, status) in [
        (5, "Transfer-Encoding: xchunked", 501),
        (5, "Transfer-Encoding: \x0bchunked", 400),
        (
            6,
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
            400,
        ),
        (6, "Transfer-Encoding: chunked, identity", 400),
        (7, "Transfer-Encoding: gzip, chunked", 501),
        (8, "Transfer-Encoding : chunked", 400),
    ] {
        rows.push(row(number, post(coding, "0\r\n\r\n"), Refused(status)));
    }
    let old = "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    let extension = format!("1;{}\r\na\r\n0\r\n\r\n", "x".repeat(64 * 1024));
    rows.extend([
        row(9, old, Refused(400)),
        row(
            10,
            chunked("10000000000000001\r\na\r\n0\r\n\r\n"),
            Refused(400),
        ),
        row(11, chunked("1\na\n0\n\n"), Refused(400)),
        row(11, chunked("1\r\na\n0\r\n\r\n"), Refused(400)),
        row(12, chunked(&extension), Refused(400)),
    ]);
    // Roles in this process read bodies themselves.
    for body in [
        "10000000000000001\r\na\r\n0\r\n\r\n",
        "1\na\n0\n\n",
        &extension,
    ] {
        let own = chunked(body)
            .replace(HOST, "api.localhost")
            .replace("POST /", "POST /api/collections/users/records");
        rows.push(row(10, own, Refused(400)));
    }
    rows
}

fn fields() -> Vec<Row> {
    let with = |field: &str| format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n{field}\r\n\r\n");
    let mut rows = vec![
        row(
            13,
            format!("GET / HTTP/1.1\nHost: {HOST}\n\n"),
            Refused(400),
        ),
        row(
            13,
            format!("GET / HTTP/1.1\r\nHost: {HOST}\nX: y\r\n\r\n"),
            Refused(400),
        ),
        row(
            16,
            format!("GET / HTTP/1.1\r\n X: y\r\nHost: {HOST}\r\n\r\n"),
            Refused(400),
        ),
        row(17, bare("GET / HTTP/1.1"), Refused(400)),
        row(18, with("Host: admin.localhost"), Refused(400)),
        row(18, with(&format!("Host: {HOST}")), Refused(400)),
    ];
    for (number, field) in [
        (14, "X: a\rb"),
        (14, "X: a\0b"),
        (15, "X: a\r\n b"),
        (15, "X: a\r\n\tb"),
        (16, "no colon"),
        (16, ": no name"),
    ] {
        rows.push(row(number, with(field), Refused(400)));
    }
    for host in ["a b", "a@evil", "", "echo.localhost:99999", "a/b", "a,b"] {
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
        rows.push(row(19, request, Refused(400)));
    }
    let long = |length| with(&format!("X: {}", "x".repeat(length)));
    rows.extend([
        row(31, with(&"X: y\r\n".repeat(101)), Refused(431)),
        row(32, long(64 * 1024), Refused(431)),
        row(32, long(1024 * 1024), Refused(431)),
        row(34, with("Expect: 200-ok"), Refused(417)),
        row(
            35,
            format!(
                "GET / HTTP/1.1\r\nHost: {HOST}\r\nConnection: close, X-Real-IP, X-Forwarded-For, \
                 X-Kind, Host\r\nX-Kind: blue\r\nX-Real-IP: 192.0.2.1\r\n\r\n"
            ),
            Served(1, &["x-real-ip: 127.0.0.1", "x-forwarded-for: 127.0.0.1", "host: echo"], &["x-kind", "192.0.2.1"]),
        ),
        row(
            36,
            format!(
                "GET / HTTP/1.1\r\nHost: {HOST}\r\nConnection: close, Upgrade, HTTP2-Settings\r\n\
                 Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"
            ),
            Served(1, &[], &["upgrade", "http2-settings", " 101 "]),
        ),
        row(39, get("/", "X_Forwarded_For: 192.0.2.1\r\nX_Real_IP: 192.0.2.1\r\n"), Served(1, &["x-real-ip: 127.0.0.1"], &["192.0.2.1"])),
        row(
            40,
            get("/", "X-Forwarded-For: 192.0.2.1\r\nForwarded: for=192.0.2.1\r\nX-Real-IP: 192.0.2.1\r\nX-Forwarded-Host: evil\r\n"),
            Served(1, &["x-forwarded-for: 127.0.0.1", "x-forwarded-host: echo.localhost"], &["192.0.2.1", "evil"]),
        ),
    ]);
    rows
}

fn targets() -> Vec<Row> {
    let line = |line: &str| format!("{line}\r\nHost: {HOST}\r\n\r\n");
    let absolute = format!(
        "GET http://{HOST}/there HTTP/1.1\r\nHost: admin.localhost\r\nConnection: close\r\n\r\n"
    );
    let mut rows = vec![
        row(
            20,
            absolute,
            Served(
                1,
                &["GET /there\n", "host: echo.localhost"],
                &["admin.localhost"],
            ),
        ),
        row(21, line("GET /a#b HTTP/1.1"), Refused(400)),
        row(22, get("/a/../b", ""), Served(1, &["GET /b\n"], &[])),
        row(22, get("/a/%2e%2E/b", ""), Served(1, &["GET /b\n"], &[])),
        row(23, line("GET /%00 HTTP/1.1"), Refused(400)),
        row(23, line("GET /%zz HTTP/1.1"), Refused(400)),
        row(
            24,
            get("/a\\..\\b", ""),
            Served(1, &["GET /a%5C..%5Cb\n"], &[]),
        ),
        row(25, line("GET /\u{e9} HTTP/1.1"), Refused(400)),
        row(26, line("GET a HTTP/1.1"), Refused(400)),
        row(26, line("GET ?a HTTP/1.1"), Refused(400)),
        row(27, bare("GET /"), Refused(400)),
        row(27, line("GET / HTTP/3.7"), Refused(505)),
        row(27, line("GET / HTTP/1.2"), Refused(400)),
        row(29, line("CONNECT evil:443 HTTP/1.1"), Refused(501)),
        row(29, line("CONNECT / HTTP/1.1"), Refused(501)),
        row(29, line("TRACE / HTTP/1.1"), Refused(405)),
        row(
            30,
            format!("OPTIONS * HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n"),
            Answered(200),
        ),
        row(
            33,
            line(&format!("GET /{} HTTP/1.1", "x".repeat(70_000))),
            Refused(414),
        ),
    ];
    let mut odd = line("G?T / HTTP/1.1").into_bytes();
    odd[1] = 0xa5;
    rows.push(row(28, odd, Refused(400)));
    let body = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n\r\n";
    let with_body = format!(
        "GET /first HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {}\r\n\r\n{body}{}",
        body.len(),
        get("/second", "")
    );
    rows.push(row(
        37,
        with_body,
        Served(2, &["GET /first\n", "GET /second\n"], &["GET /smuggled\n"]),
    ));
    rows
}

/// Other protocols on the port of HTTP.
fn strangers() -> Vec<Row> {
    let hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    let request = get("/", "");
    let proxied = format!("PROXY TCP4 192.0.2.1 127.0.0.1 1000 80\r\n{request}");
    let signature = b"\r\n\r\n\0\r\nQUIT\n";
    // A local address, and one whose length is all that fits.
    let short = [
        &signature[..],
        b"\x21\x11\x00\x0c",
        &[127; 12],
        request.as_bytes(),
    ]
    .concat();
    let long = [
        &signature[..],
        b"\x21\x11\xff\xff",
        &vec![127; 0xffff],
        request.as_bytes(),
    ]
    .concat();
    vec![
        row(38, hello, Refused(400)),
        row(47, proxied, Refused(400)),
        row(47, short, Refused(400)),
        row(47, long, Refused(400)),
    ]
}

async fn check(site: &Site, row: &Row) {
    let shown = String::from_utf8_lossy(&row.sent[..row.sent.len().min(200)]).into_owned();
    let before = site.seen();
    let reply = wire::exchange(site.web(), &row.sent).await;
    let (status, text) = (reply.status(), reply.text());
    let told = format!("row {}: {shown:?} got {text:?}", row.number);
    match row.required {
        Refused(required) => {
            assert_eq!((status, reply.answers()), (required, 1), "{told}");
            assert!(!text.contains("location:"), "{told}");
            assert_eq!(site.seen(), before, "the server sees nothing of it: {told}");
        }
        Answered(required) => {
            assert_eq!((status, reply.answers()), (required, 1), "{told}");
            assert_eq!(site.seen(), before, "{told}");
        }
        Served(answers, has, lacks) => {
            assert_eq!((status, reply.answers()), (200, answers), "{told}");
            assert_eq!(site.seen() - before, answers, "{told}");
            for part in has {
                assert!(text.contains(part), "{part:?} is missing, {told}");
            }
            for part in lacks {
                assert!(!text.contains(part), "{part:?} is there, {told}");
            }
        }
    }
    site.is_healthy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_is_answered_as_it_must_be() {
    let site = Site::start().await;
    let rows: Vec<Row> = [framing(), fields(), targets(), strangers()]
        .into_iter()
        .flatten()
        .collect();
    let missing: Vec<u8> = (1..=40)
        .filter(|number| rows.iter().all(|row| row.number != *number))
        .collect();
    assert!(missing.is_empty(), "nothing is sent for rows {missing:?}");
    for row in &rows {
        check(&site, row).await;
    }
    site.stop().await;
}
