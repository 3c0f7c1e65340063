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
mod tests;
