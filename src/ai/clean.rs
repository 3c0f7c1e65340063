//! Documents into clean HTML and text: the article of a page without its surroundings, or all that
//! is readable where there is no article.

mod charset;
mod markdown;
mod parse;
mod sanitize;
mod title;

use dom_query::Document;
use dom_smoothie::{Config, Readability};

pub(crate) use charset::decode;
use sanitize::{Sanitized, sanitize, tidy_text};

/// Pages with more elements than this are not searched for an article.
const MAX_ELEMENTS: usize = 20_000;
/// The longest title, in characters.
const MAX_TITLE_CHARS: usize = 200;
/// Less text than this is no article, in characters.
const MIN_ARTICLE_CHARS: usize = 200;
/// An article with less text than this share of the whole page's (one in …) is taken for a mistake
/// of the search.
const LEAST_SHARE: usize = 20;

/// What kind of document bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `text/html`, `application/xhtml+xml`.
    Html,
    /// `text/markdown`.
    Markdown,
    /// `text/plain`.
    Text,
}

impl Kind {
    /// The kind by content type; a type that says nothing leaves it to the key's extension.
    pub(crate) fn of(content_type: Option<&str>, key: &str) -> Option<Self> {
        let essence = content_type
            .unwrap_or_default()
            .split(';')
            .next()
            .unwrap_or_default();
        match essence.trim().to_ascii_lowercase().as_str() {
            "text/html" | "application/xhtml+xml" => Some(Self::Html),
            "text/markdown" | "text/x-markdown" => Some(Self::Markdown),
            "text/plain" => Some(Self::Text),
            "" | "binary/octet-stream" | "application/octet-stream" => Self::of_extension(key),
            _ => None,
        }
    }

    fn of_extension(key: &str) -> Option<Self> {
        let (_, extension) = key.rsplit_once('.')?;
        match extension.to_ascii_lowercase().as_str() {
            "html" | "htm" | "xhtml" => Some(Self::Html),
            "md" | "markdown" => Some(Self::Markdown),
            "txt" => Some(Self::Text),
            _ => None,
        }
    }

    /// The content type that pipelines name it by.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Html => "text/html",
            Self::Markdown => "text/markdown",
            Self::Text => "text/plain",
        }
    }
}

/// How the text was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// The page's article.
    Article,
    /// All that is readable of the page: no article was found.
    WholePage,
    /// The page's tags were stripped: it is too deeply nested or too large to parse.
    Stripped,
    /// It was text.
    Text,
}

impl Method {
    /// What a person reads in the run.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Article => "article found",
            Self::WholePage => "no article found, the whole page was taken",
            Self::Stripped => "too deeply nested or too large to parse, tags were stripped",
            Self::Text => "text",
        }
    }
}

/// A clean document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cleaned {
    /// The title; empty where none was found.
    pub(crate) title: String,
    /// HTML of a few harmless elements.
    pub(crate) html: String,
    /// Its text; blocks are separated by blank lines.
    pub(crate) text: String,
    /// How it was found.
    pub(crate) method: Method,
}

/// Cleans a document. Takes as long as the document is large: never call it on an async thread.
pub(crate) fn clean(source: &str, kind: Kind) -> Cleaned {
    match kind {
        Kind::Html => page(source),
        Kind::Markdown => titled(markdown::from_markdown(source), Method::Text, None),
        Kind::Text => titled(markdown::from_text(source), Method::Text, None),
    }
}

fn page(source: &str) -> Cleaned {
    let Ok(document) = parse::parse(source) else {
        return titled(
            markdown::from_text(&strip_tags(source)),
            Method::Stripped,
            None,
        );
    };
    let whole = sanitize(&document, true);
    let page_title = title::of_page(&document);
    let own_names = title::own_names(&document);
    let Some((title, found)) = article(document) else {
        return titled(whole, Method::WholePage, page_title);
    };
    let is_short = found.text.chars().count() < MIN_ARTICLE_CHARS;
    if is_short || found.text.len() * LEAST_SHARE < whole.text.len() {
        return titled(whole, Method::WholePage, page_title);
    }
    let title = Some(title)
        .filter(|title| !title.trim().is_empty())
        .map(|title| title::without_site(&tidy_text(&title), &own_names).to_owned())
        .or(page_title);
    titled(found, Method::Article, title)
}

/// The title and content of the page's article, if it has one.
fn article(document: Document) -> Option<(String, Sanitized)> {
    let config = Config {
        max_elements_to_parse: MAX_ELEMENTS,
        ..Config::default()
    };
    let mut readability = Readability::with_document(document, None, Some(config)).ok()?;
    let article = readability.parse().ok()?;
    let content = parse::parse(&article.content).ok()?;
    Some((article.title, sanitize(&content, false)))
}

fn titled(out: Sanitized, method: Method, title: Option<String>) -> Cleaned {
    let title = title.unwrap_or_else(|| {
        // Text without a heading is called by its first line, if that is short enough to be one.
        let first = out.text.split("\n\n").next().unwrap_or_default();
        if first.chars().count() <= MAX_TITLE_CHARS {
            first.to_owned()
        } else {
            String::new()
        }
    });
    let title: String = tidy_text(&title)
        .replace("\n\n", " ")
        .chars()
        .take(MAX_TITLE_CHARS)
        .collect();
    Cleaned {
        title,
        html: out.html,
        text: out.text,
        method,
    }
}

/// The text between tags, without what stands in scripts and styles. One pass, no tree.
fn strip_tags(html: &str) -> String {
    let mut out = String::new();
    let mut rest = html;
    while let Some((text, after)) = rest.split_once('<') {
        out.push_str(text);
        let is_tag = after.starts_with(|c: char| c.is_ascii_alphabetic() || "/!?".contains(c));
        if !is_tag {
            out.push('<');
            rest = after;
            continue;
        }
        out.push_str("\n\n");
        let raw = ["script", "style"]
            .into_iter()
            .find(|name| starts_with_name(after, name));
        rest = match raw {
            Some(name) => end_of_raw_text(after, name),
            None => after.split_once('>').map_or("", |(_, after)| after),
        };
    }
    out.push_str(rest);
    let entities = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ];
    entities
        .into_iter()
        .fold(out, |text, (entity, c)| text.replace(entity, c))
}

fn starts_with_name(text: &str, name: &str) -> bool {
    let start = text.as_bytes().get(..name.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
}

/// What follows the end tag of a script or style; nothing where there is none.
fn end_of_raw_text<'a>(text: &'a str, name: &str) -> &'a str {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("</") {
        if starts_with_name(after, name) {
            return after.split_once('>').map_or("", |(_, after)| after);
        }
        rest = after;
    }
    ""
}

#[cfg(test)]
mod tests;
