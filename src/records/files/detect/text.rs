//! Which text a file holds, if it holds text at all.

use super::{Kind, kind};

/// Texts that are told by how they begin, after white space.
const STARTS: &[(&str, Kind)] = &[
    ("<?php", kind("text/x-php", ".php")),
    ("{\\rtf", kind("text/rtf", ".rtf")),
    ("BEGIN:VCARD", kind("text/vcard", ".vcf")),
    ("BEGIN:VCALENDAR", kind("text/calendar", ".ics")),
    ("WEBVTT", kind("text/vtt", ".vtt")),
];

/// The programs that scripts name after `#!`.
const INTERPRETERS: &[(&str, Kind)] = &[
    ("node", kind("text/javascript", ".js")),
    ("python", kind("text/x-python", ".py")),
    ("perl", kind("text/x-perl", ".pl")),
    ("ruby", kind("text/x-ruby", ".rb")),
    ("lua", kind("text/x-lua", ".lua")),
    ("php", kind("text/x-php", ".php")),
    ("tclsh", kind("text/x-tcl", ".tcl")),
    ("sh", kind("text/x-shellscript", ".sh")),
];

/// Elements that HTML begins with (WHATWG MIME Sniffing §7.1).
const HTML: &[&str] = &[
    "!doctype html",
    "html",
    "head",
    "script",
    "iframe",
    "h1",
    "div",
    "font",
    "table",
    "a",
    "style",
    "title",
    "b",
    "body",
    "br",
    "p",
];

/// XML by its root element.
const XML: &[(&str, Kind)] = &[
    ("<html", kind("application/xhtml+xml", ".html")),
    ("<rss", kind("application/rss+xml", ".rss")),
    ("<feed", kind("application/atom+xml", ".atom")),
    ("<kml", kind("application/vnd.google-earth.kml+xml", ".kml")),
    ("<gpx", kind("application/gpx+xml", ".gpx")),
];

/// Rows that a table is told by.
const TABLE_ROWS: usize = 2;

/// What text `head` begins; none for anything that is no text.
pub(super) fn detect(head: &[u8]) -> Option<Kind> {
    if head.starts_with(b"\xFF\xFE") && head.len() > 2 {
        return Some(kind("text/plain; charset=utf-16le", ".txt"));
    }
    if head.starts_with(b"\xFE\xFF") && head.len() > 2 {
        return Some(kind("text/plain; charset=utf-16be", ".txt"));
    }
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    if head.iter().copied().any(is_binary) {
        return None;
    }
    let Some(text) = utf8(head) else {
        // Signatures of binary files may look like Latin text.
        return latin(head).then(|| kind("text/plain; charset=iso-8859-1", ".txt"));
    };
    let trimmed = text.trim_start();
    let known = STARTS.iter().find(|(start, _)| trimmed.starts_with(start));
    let found = known
        .map(|(_, kind)| *kind)
        .or_else(|| script(trimmed))
        .or_else(|| markup(trimmed))
        .or_else(|| json(trimmed))
        .or_else(|| subtitles(trimmed))
        .or_else(|| table(text));
    if found.is_none() && infer::get(head).is_some() {
        return None;
    }
    Some(found.unwrap_or(kind("text/plain; charset=utf-8", ".txt")))
}

/// Bytes that no text has (WHATWG MIME Sniffing §3).
fn is_binary(byte: u8) -> bool {
    matches!(byte, 0x00..=0x08 | 0x0B | 0x0E..=0x1A | 0x1C..=0x1F)
}

/// The text of the bytes, but for a character that was cut at the end.
fn utf8(head: &[u8]) -> Option<&str> {
    match std::str::from_utf8(head) {
        Ok(text) => Some(text),
        Err(error) if error.error_len().is_none() && head.len() == super::HEAD_BYTES => {
            std::str::from_utf8(&head[..error.valid_up_to()]).ok()
        }
        Err(_) => None,
    }
}

fn latin(head: &[u8]) -> bool {
    infer::get(head).is_none()
        && !head.starts_with(b"\xFF\xD8\xFF")
        && !head.iter().any(|byte| matches!(byte, 0x7F..=0x9F))
}

fn script(text: &str) -> Option<Kind> {
    let line = text.strip_prefix("#!")?.lines().next()?;
    let found = INTERPRETERS.iter().find(|(name, _)| {
        let words = line.split([' ', '/', '\t']);
        let mut programs = words.map(|word| {
            word.trim_end_matches(|digit: char| digit.is_ascii_digit() || digit == '.')
        });
        programs.any(|program| program == *name || (*name == "sh" && program.ends_with("sh")))
    });
    found.map(|(_, kind)| *kind)
}

fn markup(text: &str) -> Option<Kind> {
    if !text.starts_with('<') {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    if is_svg(&lower) {
        return Some(kind("image/svg+xml", ".svg"));
    }
    if lower.starts_with("<?xml") {
        let known = XML.iter().find(|(root, _)| lower.contains(root));
        return Some(known.map_or(kind("text/xml; charset=utf-8", ".xml"), |(_, kind)| *kind));
    }
    let is_element = |name: &&str| {
        let rest = lower[1..].strip_prefix(*name);
        rest.is_some_and(|rest| rest.starts_with([' ', '>', '\n', '\t', '\r']))
    };
    let html = lower.starts_with("<!--") || HTML.iter().any(is_element);
    html.then(|| kind("text/html; charset=utf-8", ".html"))
}

/// Whether the first element is `svg`, after declarations and comments. Whatever a browser might
/// run as SVG has to be called so.
fn is_svg(lower: &str) -> bool {
    let mut rest = lower;
    loop {
        rest = rest.trim_start();
        if rest.starts_with("<svg") {
            return true;
        }
        let end = if rest.starts_with("<!--") {
            "-->"
        } else if rest.starts_with("<?") {
            "?>"
        } else {
            return rest.starts_with("<!doctype svg");
        };
        match rest.find(end) {
            Some(at) => rest = &rest[at + end.len()..],
            None => return false,
        }
    }
}

fn json(text: &str) -> Option<Kind> {
    if !text.starts_with(['{', '[']) {
        return None;
    }
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<serde_json::Value>();
    let first = match values.next()? {
        Ok(first) => first,
        // What is cut is judged by as much as there is.
        Err(error) if error.is_eof() && text.len() > super::HEAD_BYTES - 4 => {
            return Some(kind("application/json", ".json"));
        }
        Err(_) => return None,
    };
    match values.next() {
        None => Some(json_kind(&first)),
        Some(Ok(_)) => Some(kind("application/x-ndjson", ".ndjson")),
        Some(Err(error)) if error.is_eof() => Some(kind("application/x-ndjson", ".ndjson")),
        Some(Err(_)) => None,
    }
}

fn json_kind(value: &serde_json::Value) -> Kind {
    const GEOMETRIES: &[&str] = &[
        "Feature",
        "FeatureCollection",
        "Point",
        "LineString",
        "Polygon",
        "MultiPoint",
        "MultiLineString",
        "MultiPolygon",
        "GeometryCollection",
    ];
    let kind_of = value.get("type").and_then(serde_json::Value::as_str);
    if kind_of.is_some_and(|name| GEOMETRIES.contains(&name)) {
        return kind("application/geo+json", ".geojson");
    }
    if value
        .get("asset")
        .is_some_and(|asset| asset.get("version").is_some())
    {
        return kind("model/gltf+json", ".gltf");
    }
    kind("application/json", ".json")
}

fn subtitles(text: &str) -> Option<Kind> {
    let mut lines = text.lines();
    let first = lines.next()?.trim();
    let second = lines.next()?;
    let times = second.split_once(" --> ");
    let is_time = |time: &str| time.len() >= 12 && time.as_bytes()[2] == b':';
    let found = first == "1" && times.is_some_and(|(from, to)| is_time(from) && is_time(to));
    found.then(|| kind("application/x-subrip", ".srt"))
}

/// Rows with the same number of cells, of which there are several.
fn table(text: &str) -> Option<Kind> {
    let complete = if text.len() >= super::HEAD_BYTES - 4 {
        text.rsplit_once('\n')?.0
    } else {
        text
    };
    let kinds = [
        (',', kind("text/csv", ".csv")),
        ('\t', kind("text/tab-separated-values", ".tsv")),
    ];
    kinds.into_iter().find_map(|(separator, kind)| {
        let mut rows = complete.lines().filter(|line| !line.is_empty());
        let cells = rows.next()?.split(separator).count();
        let mut count = 1;
        for row in rows {
            if row.split(separator).count() != cells {
                return None;
            }
            count += 1;
        }
        (cells > 1 && count >= TABLE_ROWS).then_some(kind)
    })
}
