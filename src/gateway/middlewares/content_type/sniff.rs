//! The type of a body by its first bytes, as Go's `net/http` finds it (a part of the WHATWG's MIME
//! sniffing).

/// How much is looked at, in bytes.
const MAX_BYTES: usize = 512;

/// What HTML begins with, in capitals, after white space.
const HTML: [&[u8]; 17] = [
    b"<!DOCTYPE HTML",
    b"<HTML",
    b"<HEAD",
    b"<SCRIPT",
    b"<IFRAME",
    b"<H1",
    b"<DIV",
    b"<FONT",
    b"<TABLE",
    b"<A",
    b"<STYLE",
    b"<TITLE",
    b"<B",
    b"<BODY",
    b"<BR",
    b"<P",
    b"<!--",
];

/// What bodies begin with; a dot is any byte.
const EXACT: [(&[u8], &str); 30] = [
    (b"%PDF-", "application/pdf"),
    (b"%!PS-Adobe-", "application/postscript"),
    (b"\xFE\xFF", "text/plain; charset=utf-16be"),
    (b"\xFF\xFE", "text/plain; charset=utf-16le"),
    (b"\xEF\xBB\xBF", "text/plain; charset=utf-8"),
    (b"\x00\x00\x01\x00", "image/x-icon"),
    (b"\x00\x00\x02\x00", "image/x-icon"),
    (b"BM", "image/bmp"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"RIFF....WEBPVP", "image/webp"),
    (b"\x89PNG\x0D\x0A\x1A\x0A", "image/png"),
    (b"\xFF\xD8\xFF", "image/jpeg"),
    (b"FORM....AIFF", "audio/aiff"),
    (b"ID3", "audio/mpeg"),
    (b"OggS\x00", "application/ogg"),
    (b"MThd\x00\x00\x00\x06", "audio/midi"),
    (b"RIFF....AVI ", "video/avi"),
    (b"RIFF....WAVE", "audio/wave"),
    (b"\x1A\x45\xDF\xA3", "video/webm"),
    (b"\x00\x01\x00\x00", "font/ttf"),
    (b"OTTO", "font/otf"),
    (b"ttcf", "font/collection"),
    (b"wOFF", "font/woff"),
    (b"wOF2", "font/woff2"),
    (b"\x1F\x8B\x08", "application/x-gzip"),
    (b"PK\x03\x04", "application/zip"),
    (b"Rar!\x1A\x07\x00", "application/x-rar-compressed"),
    (b"Rar!\x1A\x07\x01\x00", "application/x-rar-compressed"),
    (b"\x00\x61\x73\x6D", "application/wasm"),
];

/// The type of what begins like this.
pub(super) fn kind(beginning: &[u8]) -> &'static str {
    let beginning = &beginning[..beginning.len().min(MAX_BYTES)];
    let plain = beginning.trim_ascii_start();
    if HTML.iter().any(|tag| is_tag(plain, tag)) {
        return "text/html; charset=utf-8";
    }
    if plain.starts_with(b"<?xml") {
        return "text/xml; charset=utf-8";
    }
    let exact = EXACT.iter().find(|(pattern, _)| fits(beginning, pattern));
    if let Some((_, kind)) = exact {
        return kind;
    }
    if is_mp4(beginning) {
        return "video/mp4";
    }
    // A font whose name comes late.
    if beginning.get(34..36) == Some(&b"LP"[..]) {
        return "application/vnd.ms-fontobject";
    }
    if plain.iter().any(|byte| is_binary(*byte)) {
        return "application/octet-stream";
    }
    "text/plain; charset=utf-8"
}

/// Whether a tag begins here and its name ends.
fn is_tag(beginning: &[u8], tag: &[u8]) -> bool {
    let Some((name, rest)) = beginning.split_at_checked(tag.len()) else {
        return false;
    };
    name.eq_ignore_ascii_case(tag) && matches!(rest.first(), Some(b' ' | b'>'))
}

fn fits(beginning: &[u8], pattern: &[u8]) -> bool {
    let same = |(byte, wanted): (&u8, &u8)| *wanted == b'.' || byte == wanted;
    beginning.len() >= pattern.len() && beginning.iter().zip(pattern).all(same)
}

/// Whether a box `ftyp` names a brand of MP4.
fn is_mp4(beginning: &[u8]) -> bool {
    let Some((length, rest)) = beginning.split_first_chunk::<4>() else {
        return false;
    };
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    if length > beginning.len() || !length.is_multiple_of(4) || !rest.starts_with(b"ftyp") {
        return false;
    }
    let mut brands = (8..length).step_by(4).filter(|at| *at != 12);
    brands.any(|at| beginning[at..].starts_with(b"mp4"))
}

fn is_binary(byte: u8) -> bool {
    matches!(byte, 0..=0x08 | 0x0B | 0x0E..=0x1A | 0x1C..=0x1F)
}

#[cfg(test)]
mod tests {
    use super::kind;

    #[test]
    fn types_are_those_of_go() {
        let check = |beginning: &[u8], expected: &str| {
            assert_eq!(kind(beginning), expected, "{beginning:?}");
        };
        check(b"\n\t <html>", "text/html; charset=utf-8");
        check(b"<p class=x", "text/html; charset=utf-8");
        check(b"<part>", "text/plain; charset=utf-8");
        check(b"<!-- x", "text/html; charset=utf-8");
        check(b"  <?xml version", "text/xml; charset=utf-8");
        check(b"{\"a\": 1}", "text/plain; charset=utf-8");
        check(b"%PDF-1.7", "application/pdf");
        check(b"RIFF1234WEBPVP8 ", "image/webp");
        check(b"RIFF1234WAVE", "audio/wave");
        check(b"\x89PNG\x0D\x0A\x1A\x0A0", "image/png");
        check(b"\xFF\xD8\xFF\xE0", "image/jpeg");
        check(b"\x00\x00\x00\x14ftypisom\x00\x00\x02\x00mp41", "video/mp4");
        check(
            b"\x00\x00\x00\x18ftypqt  \x00\x00\x00\x00qt  qt  ",
            "application/octet-stream",
        );
        check(b"\x1F\x8B\x08\x00", "application/x-gzip");
        check(b"PK\x03\x04", "application/zip");
        check(b"\x00asm\x01", "application/wasm");
        check(b"text\x00", "application/octet-stream");
        check(b"th\xC3\xA9", "text/plain; charset=utf-8");
        let mut font = vec![b'x'; 34];
        font.extend(b"LP");
        check(&font, "application/vnd.ms-fontobject");
    }
}
