//! Bytes into text: a byte order mark wins, then the declared charset, then what the first kilobyte
//! of HTML says of itself, then UTF-8, then windows-1252 (what browsers take in the same case).

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// How far into a document its own declaration of a charset is looked for, in bytes (the HTML
/// standard's prescan length).
const PRESCAN_BYTES: usize = 1_024;

/// Decodes a document. Bytes that the encoding does not know become U+FFFD; NUL is dropped.
pub(crate) fn decode(bytes: &[u8], content_type: &str) -> String {
    let (text, _, _) = encoding(bytes, content_type).decode(bytes);
    if text.contains('\0') {
        text.replace('\0', "")
    } else {
        text.into_owned()
    }
}

fn encoding(bytes: &[u8], content_type: &str) -> &'static Encoding {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return encoding;
    }
    let declared = charset_in(content_type).or_else(|| {
        let head = String::from_utf8_lossy(&bytes[..bytes.len().min(PRESCAN_BYTES)]);
        charset_in(&head)
    });
    match declared {
        // A page whose declaration could be read byte by byte is not UTF-16, whatever it says.
        Some(encoding) if encoding.is_ascii_compatible() => encoding,
        Some(_) | None if std::str::from_utf8(bytes).is_ok() => UTF_8,
        Some(_) | None => WINDOWS_1252,
    }
}

/// The value after `charset=`, in a content type or a `meta` element.
fn charset_in(text: &str) -> Option<&'static Encoding> {
    let lower = text.to_ascii_lowercase();
    let mut rest = lower.as_str();
    while let Some(at) = rest.find("charset") {
        rest = rest[at + "charset".len()..].trim_start();
        let Some(value) = rest.strip_prefix('=') else {
            continue;
        };
        let value = value.trim_start().trim_start_matches(['"', '\'']);
        let end = value
            .find(|c: char| !(c.is_ascii_alphanumeric() || "-_:.".contains(c)))
            .unwrap_or(value.len());
        if let Some(encoding) = Encoding::for_label(&value.as_bytes()[..end]) {
            return Some(encoding);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::decode;

    fn check(bytes: &[u8], content_type: &str, expected: &str) {
        assert_eq!(
            decode(bytes, content_type),
            expected,
            "{content_type}: {bytes:?}"
        );
    }

    #[test]
    fn charsets_are_taken_from_mark_header_document_and_bytes() {
        check("naïve".as_bytes(), "text/html", "naïve");
        check(b"na\xefve", "text/html", "naïve");
        check(b"na\xefve", "text/html; charset=ISO-8859-1", "naïve");
        check(
            b"\xef\xbb\xbfnaive",
            "text/html; charset=ISO-8859-1",
            "naive",
        );
        check(b"\xff\xfeh\x00i\x00", "text/plain", "hi");
        check(
            b"<meta charset=\"windows-1251\">\xcf",
            "text/html",
            "<meta charset=\"windows-1251\">П",
        );
        check(
            b"<meta http-equiv=content-type content='text/html; charset = koi8-r'>\xf0",
            "",
            "<meta http-equiv=content-type content='text/html; charset = koi8-r'>П",
        );
        check(
            "<meta charset=utf-16>é".as_bytes(),
            "text/html",
            "<meta charset=utf-16>é",
        );
        check(
            b"charset charset=nonsense",
            "text/plain",
            "charset charset=nonsense",
        );
        check(b"a\0b", "text/plain", "ab");
        check(b"", "text/plain", "");
    }
}
