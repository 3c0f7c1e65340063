//! Cases for `detect`.

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
