//! What browsers are told about a file of somebody's: not to guess what it is, not to run it, and to
//! show it only where that is harmless.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use mito_records::files::{FoundFile, Object};

use super::conditions;

/// Whatever is in the file, it runs no script and loads nothing.
const POLICY: &str = "default-src 'none'; media-src 'self'; style-src 'unsafe-inline'; sandbox";
/// Thirty days, for a day of which an old copy will do while it is looked up again.
const CACHE: &str = "max-age=2592000, stale-while-revalidate=86400";
/// The same for what only some may read.
const PRIVATE_CACHE: &str = "private, max-age=2592000, stale-while-revalidate=86400";
const UNKNOWN: &str = "application/octet-stream";

/// What browsers show by themselves without danger; everything else is saved.
const SHOWN: &[&str] = &[
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "image/x-icon",
    "image/bmp",
    "video/webm",
    "video/mp4",
    "video/3gpp",
    "video/quicktime",
    "audio/basic",
    "audio/aiff",
    "audio/mpeg",
    "audio/midi",
    "audio/wav",
    "audio/x-m4a",
    "audio/aac",
    "application/pdf",
];

/// Files that pages load only with the right type, which their bytes do not tell.
const BY_EXTENSION: &[(&str, &str)] = &[
    (".svg", "image/svg+xml"),
    (".css", "text/css"),
    (".js", "text/javascript"),
    (".mjs", "text/javascript"),
];

/// Where a file is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Site {
    /// The API, whose origin has no pages of its own.
    Public,
    /// The panel, whose pages may load scripts from its own origin: no file is one there.
    Panel,
}

/// What an answer says of its file.
pub(super) struct Description<'a> {
    pub(super) found: &'a FoundFile,
    pub(super) object: &'a Object,
    pub(super) site: Site,
    /// The client wants to save it.
    pub(super) is_download: bool,
}

impl Description<'_> {
    pub(super) fn write_to(&self, headers: &mut HeaderMap) {
        let mut set = |name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        let is_shown = !self.is_download && SHOWN.contains(&self.stored_type());
        let disposition = if is_shown { "inline" } else { "attachment" };
        let disposition = format!("{disposition}; filename=\"{}\"", plain(&self.found.name));
        set(header::CONTENT_TYPE, self.content_type());
        set(header::CONTENT_DISPOSITION, &disposition);
        set(header::CONTENT_SECURITY_POLICY, POLICY);
        set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        set(header::ACCEPT_RANGES, "bytes");
        set(header::ETAG, &conditions::etag(self.object));
        set(
            header::LAST_MODIFIED,
            &conditions::last_modified(self.object),
        );
        let cache = if self.found.is_protected {
            PRIVATE_CACHE
        } else {
            CACHE
        };
        set(header::CACHE_CONTROL, cache);
    }

    fn stored_type(&self) -> &str {
        self.object.content_type.as_deref().unwrap_or(UNKNOWN)
    }

    fn content_type(&self) -> &str {
        let stored = self.stored_type();
        match self.site {
            Site::Panel if SHOWN.contains(&stored) || stored == "image/svg+xml" => stored,
            Site::Panel => UNKNOWN,
            Site::Public => {
                let name = self.found.name.as_str();
                let known = BY_EXTENSION.iter().find(|(end, _)| name.ends_with(end));
                known.map_or(stored, |(_, mime)| mime)
            }
        }
    }
}

/// A name as it may stand in quotes. Those that uploads get are plain already.
fn plain(name: &str) -> String {
    let keep = |character: char| match character {
        '"' | '\\' => '_',
        character if character.is_ascii_graphic() => character,
        _ => '_',
    };
    name.chars().map(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_quotes() {
        for (name, expected) in [
            ("a_b-c.tar.gz", "a_b-c.tar.gz"),
            ("a\"; filename=\"evil.html", "a__filename=_evil.html"),
            ("a\r\nSet-Cookie: x", "a__Set-Cookie:_x"),
            ("ü.png", "_.png"),
            ("a\\b", "a_b"),
        ] {
            let shown = plain(name);
            assert!(!shown.contains(['"', '\\', '\r', '\n']), "{shown}");
            assert_eq!(shown.replace(';', ""), expected.replace(';', ""), "{name}");
        }
    }
}
