//! A rendered message into bytes that a mail server takes: text and HTML, a Message-ID that stays
//! the same however often it is sent, no header that came from data unchecked.

use std::time::{Duration, UNIX_EPOCH};

use lettre::{
    Address, Message,
    message::{Mailbox, MultiPart, MultiPartKind, SinglePart},
};

use crate::template::Rendered;

/// The longest display name, in characters.
const MAX_NAME_CHARS: usize = 100;
/// The longest address (RFC 5321 §4.5.3.1.3), in bytes.
const MAX_ADDRESS_BYTES: usize = 254;

/// Checks an address and a name and puts them together. The mail library panics on line breaks in
/// names, and an address that it would take apart wrongly must never reach it.
pub(crate) fn mailbox(name: &str, address: &str) -> Result<Mailbox, String> {
    let address = address.trim();
    let is_plain = address.len() <= MAX_ADDRESS_BYTES
        && address.is_ascii()
        && !address
            .bytes()
            .any(|b| b.is_ascii_control() || b" \"(),:;<>[]\\".contains(&b));
    let parsed = if is_plain {
        address.parse::<Address>().ok()
    } else {
        None
    };
    let Some(parsed) = parsed else {
        return Err(format!("{address:?} is not an e-mail address"));
    };
    let name = name.trim();
    if name.chars().any(char::is_control) || name.chars().count() > MAX_NAME_CHARS {
        return Err(format!(
            "the name of {address} has control characters or is too long"
        ));
    }
    let name = (!name.is_empty()).then(|| name.to_owned());
    Ok(Mailbox::new(name, parsed))
}

/// Reads the configured sender: `Name <address>` or `address`.
pub(crate) fn sender(from: &str) -> Result<Mailbox, String> {
    match from
        .trim()
        .strip_suffix('>')
        .and_then(|rest| rest.rsplit_once('<'))
    {
        Some((name, address)) => mailbox(name.trim().trim_matches('"'), address),
        None => mailbox("", from),
    }
}

/// The Message-ID of a delivery: the same at every attempt, so that a receiver can tell a second
/// copy.
pub(crate) fn message_id(delivery: &str, domain: &str) -> String {
    let is_host = !domain.is_empty()
        && domain
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b));
    format!(
        "<{delivery}@{}>",
        if is_host { domain } else { "localhost" }
    )
}

/// What a message is made of.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub(crate) from: Mailbox,
    pub(crate) to: Mailbox,
    pub(crate) message_id: String,
    /// Milliseconds since the Unix epoch.
    pub(crate) date_ms: i64,
    pub(crate) rendered: Rendered,
}

/// Builds the message.
pub(crate) fn build(parts: Parts) -> Result<Message, String> {
    let date = UNIX_EPOCH + Duration::from_millis(u64::try_from(parts.date_ms).unwrap_or(0));
    // The boundary is the Message-ID's own, so that the same delivery is the same bytes.
    let boundary: String = parts
        .message_id
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    let body = MultiPart::builder()
        .kind(MultiPartKind::Alternative)
        .boundary(format!("=_{boundary:.60}"))
        .build()
        .singlepart(SinglePart::plain(parts.rendered.text))
        .singlepart(SinglePart::html(parts.rendered.html));
    Message::builder()
        .from(parts.from)
        .to(parts.to)
        .subject(parts.rendered.subject)
        .message_id(Some(parts.message_id))
        .date(date)
        .multipart(body)
        .map_err(|error| format!("cannot build the message: {error}"))
}

/// The head of a message as it goes over the wire, without its body.
pub(crate) fn headers(message: &Message) -> String {
    let bytes = message.formatted();
    let text = String::from_utf8_lossy(&bytes);
    text.split_once("\r\n\r\n")
        .map_or("", |(head, _)| head)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Parts, build, headers, mailbox, message_id, sender};
    use crate::template::Rendered;

    #[test]
    fn addresses_and_names_are_checked_before_the_library_sees_them() {
        for (name, address, expected) in [
            ("Ada", "ada@example.com", Some("Ada <ada@example.com>")),
            ("", " ada@example.com ", Some("ada@example.com")),
            (
                "Ada Lovelace, Countess",
                "a@b.example",
                Some("\"Ada Lovelace, Countess\" <a@b.example>"),
            ),
            ("A\r\nBcc: x@example.com", "a@b.example", None),
            ("A\0", "a@b.example", None),
            (&"x".repeat(500), "a@b.example", None),
            ("A", "", None),
            ("A", "no-at", None),
            ("A", "a@b.example\r\nBcc: x@example.com", None),
            ("A", "a@b.example, c@d.example", None),
            ("A", "<a@b.example>", None),
            ("A", "a@[127.0.0.1]", None),
            ("A", "a@ｅxample.com", None),
            ("A", &format!("{}@b.example", "a".repeat(300)), None),
        ] {
            let found = mailbox(name, address).ok().map(|it| it.to_string());
            assert_eq!(found.as_deref(), expected, "{name:?} {address:?}");
        }
    }

    #[test]
    fn senders_have_a_name_or_not() {
        for (from, expected) in [
            ("mito <mito@localhost>", Some("mito <mito@localhost>")),
            ("\"The Site\" <a@b.example>", Some("The Site <a@b.example>")),
            ("a@b.example", Some("a@b.example")),
            ("", None),
            ("mito", None),
            ("mito <>", None),
        ] {
            assert_eq!(
                sender(from).ok().map(|it| it.to_string()).as_deref(),
                expected,
                "{from:?}"
            );
        }
    }

    #[test]
    fn a_message_is_the_same_bytes_at_every_attempt() {
        let parts = Parts {
            from: sender("mito <mito@example.com>").unwrap(),
            to: mailbox("Zoë", "zoe@example.com").unwrap(),
            message_id: message_id("d1", "example.com"),
            date_ms: 1_700_000_000_000,
            rendered: Rendered {
                subject: "Ünïcode\r\nBcc: x@example.com".to_owned(),
                text: ".\r\nline\n.\n".to_owned(),
                html: "<p>hé</p>".to_owned(),
            },
        };
        let (one, other) = (build(parts.clone()).unwrap(), build(parts).unwrap());
        assert_eq!(one.formatted(), other.formatted());
        let head = headers(&one);
        assert!(head.contains("Message-ID: <d1@example.com>"), "{head}");
        assert!(head.contains("Date: Tue, 14 Nov 2023 22:13:20"), "{head}");
        assert!(head.contains("multipart/alternative"), "{head}");
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
        assert!(
            one.formatted().is_ascii(),
            "no server needs 8BITMIME or SMTPUTF8"
        );
    }

    #[test]
    fn odd_domains_do_not_reach_the_message_id() {
        assert_eq!(message_id("d", "a.example"), "<d@a.example>");
        assert_eq!(message_id("d", ""), "<d@localhost>");
        assert_eq!(message_id("d", "a>\r\nX: y"), "<d@localhost>");
    }
}
