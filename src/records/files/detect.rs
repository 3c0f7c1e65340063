//! What a file is by its first bytes, in the names that PocketBase gives: the client's word for it
//! is never taken.

mod text;

/// How much of a file is looked at.
pub(super) const HEAD_BYTES: usize = 3_072;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    /// Its media type, with a charset where it is text.
    pub(super) mime: &'static str,
    /// The usual extension with its dot; empty if there is none.
    pub(super) extension: &'static str,
}

const UNKNOWN: Kind = kind("application/octet-stream", "");

/// Where PocketBase's names differ from infer's: `(infer's extension, type, extension)`.
const RENAMED: &[(&str, Kind)] = &[
    ("aiff", kind("audio/aiff", ".aiff")),
    ("ape", kind("audio/ape", ".ape")),
    ("ar", kind("application/x-archive", ".a")),
    ("elf", kind("application/x-elf", "")),
    (
        "exe",
        kind("application/vnd.microsoft.portable-executable", ".exe"),
    ),
    (
        "dll",
        kind("application/vnd.microsoft.portable-executable", ".exe"),
    ),
    ("flac", kind("audio/flac", ".flac")),
    ("heif", kind("image/heic", ".heic")),
    ("ico", kind("image/x-icon", ".ico")),
    ("jxr", kind("image/jxr", ".jxr")),
    ("m4a", kind("audio/x-m4a", ".m4a")),
    ("mkv", kind("video/matroska", ".mkv")),
    ("mobi", kind("application/x-mobipocket-ebook", ".mobi")),
    ("mpg", kind("video/mpeg", ".mpeg")),
    ("otf", kind("font/otf", ".otf")),
    ("rtf", kind("text/rtf", ".rtf")),
    ("tif", kind("image/tiff", ".tiff")),
    ("ttf", kind("font/ttf", ".ttf")),
    ("wav", kind("audio/wav", ".wav")),
    ("wmv", kind("video/x-ms-asf", ".asf")),
    ("woff", kind("font/woff", ".woff")),
    ("woff2", kind("font/woff2", ".woff2")),
];

/// Signatures that infer does not know or that are too short for it.
const SIGNATURES: &[(&[u8], Kind)] = &[
    (b".snd", kind("audio/basic", ".au")),
    (b"glTF", kind("model/gltf-binary", ".glb")),
    (b"II*\x00", kind("image/tiff", ".tiff")),
    (b"MM\x00*", kind("image/tiff", ".tiff")),
    (b"8BPS\x00\x01", kind("image/vnd.adobe.photoshop", ".psd")),
    (
        b"MZ",
        kind("application/vnd.microsoft.portable-executable", ".exe"),
    ),
    (b"\xFF\xFB", kind("audio/mpeg", ".mp3")),
    (b"\x1F\x8B", kind("application/gzip", ".gz")),
    (b"BZh", kind("application/x-bzip2", ".bz2")),
    (b"PK\x03\x04", kind("application/zip", ".zip")),
    (b"\xFF\xD8\xFF", kind("image/jpeg", ".jpg")),
    (
        b"\xCF\xFA\xED\xFE",
        kind("application/x-mach-binary", ".macho"),
    ),
];

const fn kind(mime: &'static str, extension: &'static str) -> Kind {
    Kind { mime, extension }
}

/// What the file is that begins with `head`.
pub(super) fn detect(head: &[u8]) -> Kind {
    if let Some(kind) = text::detect(head) {
        return kind;
    }
    if let Some(kind) = zipped(head).or_else(|| ogg(head)) {
        return kind;
    }
    if let Some(found) = infer::get(head) {
        let renamed = RENAMED.iter().find(|(from, _)| *from == found.extension());
        return match renamed {
            Some((_, kind)) => *kind,
            None => Kind {
                mime: found.mime_type(),
                extension: dotted(found.extension()),
            },
        };
    }
    let known = SIGNATURES.iter().find(|(start, _)| head.starts_with(start));
    known.map_or(UNKNOWN, |(_, kind)| *kind)
}

/// Archives whose first member says what they are.
fn zipped(head: &[u8]) -> Option<Kind> {
    /// Where the name of a ZIP archive's first member begins (APPNOTE.TXT 4.3.7).
    const NAME_AT: usize = 30;
    if !head.starts_with(b"PK\x03\x04") {
        return None;
    }
    let name = head.get(NAME_AT..)?;
    if name.starts_with(b"META-INF/MANIFEST.MF") {
        return Some(kind("application/java-archive", ".jar"));
    }
    None
}

/// Ogg files by their first stream (RFC 5334).
fn ogg(head: &[u8]) -> Option<Kind> {
    /// Where the first packet begins when its page has one segment (RFC 3533 §6).
    const PACKET_AT: usize = 28;
    const AUDIO: &[&[u8]] = &[b"\x01vorbis", b"OpusHead", b"\x7FFLAC", b"Speex   "];
    const VIDEO: &[&[u8]] = &[b"\x80theora", b"fishead\x00", b"\x01video\x00\x00\x00"];
    if !head.starts_with(b"OggS\x00") {
        return None;
    }
    let packet = head.get(PACKET_AT..).unwrap_or_default();
    Some(if AUDIO.iter().any(|start| packet.starts_with(start)) {
        kind("audio/ogg", ".oga")
    } else if VIDEO.iter().any(|start| packet.starts_with(start)) {
        kind("video/ogg", ".ogv")
    } else {
        kind("application/ogg", ".ogg")
    })
}

/// infer's extensions have no dots.
fn dotted(extension: &'static str) -> &'static str {
    const DOTTED: &[&str] = &[
        ".7z", ".Z", ".aac", ".amr", ".avi", ".avif", ".bc", ".bmp", ".bz2", ".bz3", ".cab",
        ".class", ".cpio", ".cr2", ".crx", ".dcm", ".deb", ".der", ".dex", ".dey", ".djvu", ".doc",
        ".docx", ".dsf", ".dwg", ".eot", ".epub", ".flv", ".gif", ".gz", ".jp2", ".jpg", ".jxl",
        ".lz", ".lz4", ".m4v", ".mach", ".midi", ".mkv", ".mov", ".mp3", ".mp4", ".msi", ".nes",
        ".odp", ".ods", ".odt", ".ogg", ".opus", ".ora", ".par2", ".pdf", ".pem", ".png", ".ppt",
        ".pptx", ".ps", ".psd", ".qcow2", ".rar", ".rpm", ".sqlite", ".swf", ".tar", ".wasm",
        ".webm", ".webp", ".xls", ".xlsx", ".xz", ".zip", ".zst",
    ];
    let found = DOTTED.iter().find(|dotted| dotted[1..] == *extension);
    found.copied().unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the real PocketBase said of the same bytes.
    #[track_caller]
    fn check(head: &[u8], mime: &str, extension: &str) {
        let found = detect(head);
        assert_eq!((found.mime, found.extension), (mime, extension));
    }

    #[test]
    fn texts_are_those_of_pocketbase() {
        check(b"", "text/plain; charset=utf-8", ".txt");
        check(b"hello", "text/plain; charset=utf-8", ".txt");
        check(b"\xEF\xBB\xBFbom", "text/plain; charset=utf-8", ".txt");
        check(
            b"\xFF\xFEa\x00b\x00",
            "text/plain; charset=utf-16le",
            ".txt",
        );
        check(b"caf\xE9 latin", "text/plain; charset=iso-8859-1", ".txt");
        check(b"hello <b>x</b>", "text/plain; charset=utf-8", ".txt");
        check(b"x = 1;\nfunction(){}", "text/plain; charset=utf-8", ".txt");
        check(
            b"<!DOCTYPE html><html>",
            "text/html; charset=utf-8",
            ".html",
        );
        check(b"   \n <html>", "text/html; charset=utf-8", ".html");
        check(b"<p>hello</p>", "text/html; charset=utf-8", ".html");
        check(b"<!-- c --><b>x", "text/html; charset=utf-8", ".html");
        check(
            b"<svg xmlns=\"http://www.w3.org/2000/svg\">",
            "image/svg+xml",
            ".svg",
        );
        check(
            b"<?xml version=\"1.0\"?><svg></svg>",
            "image/svg+xml",
            ".svg",
        );
        check(
            b"<?xml version=\"1.0\"?><a/>",
            "text/xml; charset=utf-8",
            ".xml",
        );
        check(
            b"<?xml version=\"1.0\"?><rss version=\"2.0\">",
            "application/rss+xml",
            ".rss",
        );
        check(b"{\"a\":1}", "application/json", ".json");
        check(b"[1,2,3]", "application/json", ".json");
        check(b"\"str\"", "text/plain; charset=utf-8", ".txt");
        check(b"{\"a\":", "text/plain; charset=utf-8", ".txt");
        check(b"{\"a\":1}\n{\"b\":2}\n", "application/x-ndjson", ".ndjson");
        check(
            b"{\"type\":\"FeatureCollection\",\"features\":[]}",
            "application/geo+json",
            ".geojson",
        );
        check(b"a,b,c\n1,2,3\n", "text/csv", ".csv");
        check(b"a\tb\n1\t2\n", "text/tab-separated-values", ".tsv");
        check(b"#!/bin/sh\necho", "text/x-shellscript", ".sh");
        check(b"#!/usr/bin/env python\nx", "text/x-python", ".py");
        check(b"#!/usr/bin/env node\nx", "text/javascript", ".js");
        check(b"<?php echo 1;", "text/x-php", ".php");
        check(b"{\\rtf1}", "text/rtf", ".rtf");
        check(b"BEGIN:VCARD\nVERSION:3.0\n", "text/vcard", ".vcf");
        check(b"BEGIN:VCALENDAR\nx", "text/calendar", ".ics");
        check(b"WEBVTT\n\n", "text/vtt", ".vtt");
        check(
            b"1\n00:00:01,000 --> 00:00:02,000\nhi\n",
            "application/x-subrip",
            ".srt",
        );
    }

    #[test]
    fn binary_files_are_those_of_pocketbase() {
        let check = |start: &[u8], mime: &str, extension: &str| {
            check(&[start, &[0; 32]].concat(), mime, extension);
        };
        check(b"\x00\x01\x02", "application/octet-stream", "");
        check(b"%PDF-1.7\n", "application/pdf", ".pdf");
        check(b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", "image/gif", ".gif");
        check(b"\x89PNG\r\n\x1a\n\x00\x00", "image/png", ".png");
        check(b"\xFF\xD8\xFF\xE0", "image/jpeg", ".jpg");
        check(b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp", ".webp");
        check(b"RIFF\x00\x00\x00\x00WAVEfmt ", "audio/wav", ".wav");
        check(b"\x00\x00\x01\x00\x01\x00", "image/x-icon", ".ico");
        check(b"II*\x00aaaa", "image/tiff", ".tiff");
        check(b"8BPS\x00\x01", "image/vnd.adobe.photoshop", ".psd");
        check(
            b"PK\x03\x04aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "application/zip",
            ".zip",
        );
        check(b"\x1F\x8B\x08\x00aaaaaaaaa", "application/gzip", ".gz");
        check(b"\xFF\xFB\x90\x00", "audio/mpeg", ".mp3");
        check(
            b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom",
            "video/mp4",
            ".mp4",
        );
        check(
            b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00mp42isom",
            "video/mp4",
            ".mp4",
        );
        check(
            b"\x00\x00\x00\x14ftypqt  \x00\x00",
            "video/quicktime",
            ".mov",
        );
        check(b"\x00\x00\x00\x20ftypavif\x00\x00", "image/avif", ".avif");
        check(b"\x00\x00\x00\x20ftypheic\x00\x00", "image/heic", ".heic");
        check(b"OggS\x00\x02\x00\x00\x00\x00", "application/ogg", ".ogg");
        check(b"Rar!\x1a\x07\x01\x00", "application/vnd.rar", ".rar");
        check(b"7z\xBC\xAF\x27\x1C", "application/x-7z-compressed", ".7z");
        check(b"BZh91AY", "application/x-bzip2", ".bz2");
        check(b"\xFD7zXZ\x00", "application/x-xz", ".xz");
        check(b"\x28\xB5\x2F\xFD", "application/zstd", ".zst");
        check(b"wOF2\x00\x01\x00\x00", "font/woff2", ".woff2");
        check(b"wOFF\x00\x01\x00\x00", "font/woff", ".woff");
        check(b"\x00asm\x01\x00\x00\x00", "application/wasm", ".wasm");
        check(b"SQLite format 3\x00", "application/vnd.sqlite3", ".sqlite");
        check(
            b"MZ\x90\x00",
            "application/vnd.microsoft.portable-executable",
            ".exe",
        );
    }
}
