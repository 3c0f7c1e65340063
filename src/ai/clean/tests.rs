//! Cases for [`super::clean`].

use super::{Cleaned, Kind, Method, clean};

const ARTICLE: &str = "<!doctype html><html><head><title>On Lanterns | The Site</title></head><body>\
<nav><a href=/>Home</a><a href=/news>News</a></nav><article><h1>On Lanterns</h1>\
<p>A lantern is a lamp that can be carried about, and people have carried lamps for as long as \
there have been nights in which they wished to see the road before them.</p>\
<p>The oldest ones burned oil in a dish; the flame was shielded from the wind by horn, which was \
scraped so thin that light came through it, and this is how the lantern got its name.</p>\
<p>Later came glass, and with the glass came brightness, so that a watchman could be seen from \
the far end of a street and a ship from the far side of a bay.</p>\
<script>track('reader')</script></article><footer>Terms, imprint and cookies</footer></body></html>";

#[test]
fn the_article_of_a_page_is_found() {
    let Cleaned {
        title,
        html,
        text,
        method,
    } = clean(ARTICLE, Kind::Html);
    assert_eq!(method, Method::Article);
    assert_eq!(title, "On Lanterns");
    assert!(text.contains("burned oil in a dish"), "{text}");
    assert!(html.contains("<p>Later came glass"), "{html}");
    for absent in ["Home", "News", "imprint", "track("] {
        assert!(
            !text.contains(absent) && !html.contains(absent),
            "{absent}: {html}"
        );
    }
}

fn check(source: &str, kind: Kind, method: Method, title: &str, text: &str) {
    let cleaned = clean(source, kind);
    assert_eq!(cleaned.method, method, "{source:.80}");
    assert_eq!(cleaned.title, title, "{source:.80}");
    assert_eq!(cleaned.text, text, "{source:.80}");
}

#[test]
fn pages_without_an_article_are_taken_whole() {
    check(
        "<h1>Hi</h1><p>short</p>",
        Kind::Html,
        Method::WholePage,
        "Hi",
        "Hi\n\nshort",
    );
    check("<title>T</title>", Kind::Html, Method::WholePage, "T", "");
    check("", Kind::Html, Method::WholePage, "", "");
    check(
        "just text",
        Kind::Html,
        Method::WholePage,
        "just text",
        "just text",
    );
}

#[test]
fn text_and_markdown_are_taken_as_they_are() {
    check(
        "First line\n\nRest.",
        Kind::Text,
        Method::Text,
        "First line",
        "First line\n\nRest.",
    );
    check(
        "# Head\nbody",
        Kind::Markdown,
        Method::Text,
        "Head",
        "Head\n\nbody",
    );
}

#[test]
fn pages_too_heavy_to_parse_are_stripped_of_their_tags() {
    let deep = format!(
        "{}<script>if (a < b) x()</script>&lt;ok&gt;",
        "<div>".repeat(100_000)
    );
    check(&deep, Kind::Html, Method::Stripped, "<ok>", "<ok>");
    let open_script = format!("{}a<SCRIPT>b", "<div>".repeat(1_000));
    check(&open_script, Kind::Html, Method::Stripped, "a", "a");
    let attributes = format!("<a {}>text", "b=1 ".repeat(1_000));
    check(&attributes, Kind::Html, Method::WholePage, "text", "text");
}

#[test]
fn depth_that_is_parsed_does_not_exhaust_the_stack() {
    // As deep as the limit allows, on a thread with the small stack that async runtimes give.
    let deep = format!(
        "{}words in the deep{}",
        "<div>".repeat(190),
        "</div>".repeat(190)
    );
    let worker = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
    let cleaned = worker
        .spawn(move || clean(&deep, Kind::Html))
        .unwrap()
        .join()
        .unwrap();
    assert_eq!(cleaned.text, "words in the deep");
}

#[test]
fn kinds_are_told_by_content_type_and_then_by_extension() {
    for (content_type, key, expected) in [
        (Some("text/html"), "a", Some(Kind::Html)),
        (Some("Text/HTML; charset=utf-8"), "a.txt", Some(Kind::Html)),
        (Some("application/xhtml+xml"), "a", Some(Kind::Html)),
        (Some("text/markdown"), "a", Some(Kind::Markdown)),
        (Some("text/plain"), "a.html", Some(Kind::Text)),
        (Some("image/png"), "a.html", None),
        (Some("binary/octet-stream"), "dir.d/a.HTM", Some(Kind::Html)),
        (Some("application/octet-stream"), "a.bin", None),
        (None, "notes.md", Some(Kind::Markdown)),
        (None, "notes", None),
        (Some(""), "a.txt", Some(Kind::Text)),
    ] {
        assert_eq!(
            Kind::of(content_type, key),
            expected,
            "{content_type:?} {key}"
        );
    }
}
