//! `:excerpt(max,withEllipsis)`: the beginning of a text without its markup.

use std::cell::{Cell, RefCell};

use html5ever::{
    buffer_queue::BufferQueue,
    tendril::StrTendril,
    tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, states::RawKind},
};
use serde_json::Value;

/// What is read at a time, in bytes.
const CHUNK_BYTES: usize = 16 * 1024;
/// The longest excerpt, in characters.
const MAX_LENGTH: usize = 1_000_000;

/// Elements that stand in a line of text. Others begin and end lines.
const INLINE: &[&str] = &[
    "a", "abbr", "acronym", "b", "bdo", "big", "br", "cite", "code", "em", "i", "img", "input",
    "label", "q", "small", "span", "strike", "strong", "sub", "sup", "time",
];
/// Elements whose content is no text to read.
const SKIPPED: &[&str] = &[
    "applet", "button", "dialog", "form", "head", "iframe", "object", "option", "picture",
    "script", "select", "style", "svg", "template", "textarea",
];
/// Elements that belong to the head of a page where nothing stands before them.
const OF_THE_HEAD: &[&str] = &["noscript", "title"];
/// Elements without content (HTML §13.1.2).
const VOID: &[&str] = &[
    "area", "base", "basefont", "br", "col", "embed", "frame", "hr", "img", "input", "keygen",
    "link", "meta", "param", "source", "track", "wbr",
];
/// Elements in whose content tags are text.
const RAW: &[(&str, RawKind)] = &[
    ("iframe", RawKind::Rawtext),
    ("noembed", RawKind::Rawtext),
    ("noframes", RawKind::Rawtext),
    ("script", RawKind::ScriptData),
    ("style", RawKind::Rawtext),
    ("textarea", RawKind::Rcdata),
    ("title", RawKind::Rcdata),
];

/// How a text is shortened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Excerpt {
    max: usize,
    with_ellipsis: bool,
}

impl Excerpt {
    /// Reads `excerpt(200)` or `excerpt(200,true)`.
    pub(super) fn parse(modifier: &str) -> Option<Self> {
        let arguments = modifier
            .trim()
            .strip_prefix("excerpt(")?
            .strip_suffix(')')?;
        if arguments.contains(['(', ')']) {
            return None;
        }
        let mut arguments = arguments.split(',').map(str::trim);
        let max: usize = arguments.next()?.parse().ok()?;
        let with_ellipsis = arguments.next().unwrap_or_default();
        if max == 0 || arguments.next().is_some() {
            return None;
        }
        Some(Self {
            max: max.min(MAX_LENGTH),
            with_ellipsis: matches!(with_ellipsis, "1" | "t" | "T" | "true" | "TRUE" | "True"),
        })
    }

    /// Shortens a text; what is no text stays as it is.
    pub(super) fn shorten(self, value: &mut Value) {
        if let Value::String(text) = value {
            *text = self.of(text);
        }
    }

    fn of(self, html: &str) -> String {
        let text = text_of(html, self.max);
        let text = text.trim();
        let Some((end, _)) = text.char_indices().nth(self.max) else {
            return text.to_owned();
        };
        let mut short = text[..end].trim_end().to_owned();
        if self.with_ellipsis {
            short.push_str("...");
        }
        short
    }
}

/// The text of HTML, at least its first `enough` characters, with single spaces.
fn text_of(html: &str, enough: usize) -> String {
    let tokenizer = Tokenizer::new(
        Reader::default(),
        html5ever::tokenizer::TokenizerOpts::default(),
    );
    let queue = BufferQueue::default();
    let mut rest = html;
    while !rest.is_empty() {
        let mut cut = rest.len().min(CHUNK_BYTES);
        while !rest.is_char_boundary(cut) {
            cut += 1;
        }
        queue.push_back(StrTendril::from(&rest[..cut]));
        rest = &rest[cut..];
        // Nothing here runs scripts, so the tokenizer never waits for one.
        let _ = tokenizer.feed(&queue);
        let text = tokenizer.sink.text.borrow();
        // One more than is shown tells that there is more; the outer spaces do not count.
        if text.chars().nth(enough.saturating_add(2)).is_some() {
            break;
        }
    }
    if rest.is_empty() {
        tokenizer.end();
    }
    tokenizer.sink.text.take()
}

/// Collects the text between tags.
#[derive(Default)]
struct Reader {
    text: RefCell<String>,
    /// The elements that are open, inside of which an end tag counts.
    open: RefCell<Vec<String>>,
    /// The element whose content is skipped, and how often it is open.
    skipped: RefCell<Option<(String, usize)>>,
    has_begun: Cell<bool>,
}

impl TokenSink for Reader {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        match token {
            Token::TagToken(tag) => return self.tag(&tag),
            Token::CharacterTokens(characters) if self.skipped.borrow().is_none() => {
                self.characters(&characters);
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl Reader {
    fn characters(&self, characters: &str) {
        for character in characters.chars() {
            if character.is_ascii_whitespace() {
                self.space();
            } else {
                self.has_begun.set(true);
                self.text.borrow_mut().push(character);
            }
        }
    }

    /// A space, unless there is one already.
    fn space(&self) {
        let mut text = self.text.borrow_mut();
        if !text.ends_with(' ') {
            text.push(' ');
        }
    }

    fn tag(&self, tag: &Tag) -> TokenSinkResult<()> {
        let name = &*tag.name;
        let mut skipped = self.skipped.borrow_mut();
        if let Some((element, times)) = &mut *skipped {
            if element == name {
                match tag.kind {
                    TagKind::StartTag => *times += 1,
                    TagKind::EndTag => *times -= 1,
                }
                if *times == 0 {
                    *skipped = None;
                }
            }
            return TokenSinkResult::Continue;
        }
        let is_skipped =
            SKIPPED.contains(&name) || (OF_THE_HEAD.contains(&name) && !self.has_begun.get());
        if is_skipped && tag.kind == TagKind::StartTag {
            *skipped = Some((name.to_owned(), 1));
        } else if !is_skipped && self.counts(tag) {
            if !INLINE.contains(&name) {
                self.space();
            }
            if name != "html" && name != "body" {
                self.has_begun.set(true);
            }
        }
        let raw = RAW.iter().find(|(raw, _)| *raw == name);
        match raw {
            Some((_, kind)) if tag.kind == TagKind::StartTag => TokenSinkResult::RawData(*kind),
            _ => TokenSinkResult::Continue,
        }
    }

    /// Whether a tag begins or ends an element. Those that end what never began do not, but for
    /// `</p>` (HTML §13.2.6.4.7).
    fn counts(&self, tag: &Tag) -> bool {
        let name = &*tag.name;
        let mut open = self.open.borrow_mut();
        match tag.kind {
            TagKind::StartTag => {
                if !VOID.contains(&name) {
                    open.push(name.to_owned());
                }
                true
            }
            TagKind::EndTag => match open.iter().rposition(|element| element == name) {
                Some(position) => {
                    open.truncate(position);
                    true
                }
                None => name == "p",
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(html: &str, expected: &str) {
        let all = Excerpt {
            max: 100,
            with_ellipsis: false,
        };
        assert_eq!(all.of(html), expected, "{html}");
    }

    /// What the real PocketBase answered.
    #[test]
    fn texts_are_those_of_pocketbase() {
        check(
            "<style>x{}</style><p>Hello  <b>big</b> world.</p><p>Second&nbsp;para &amp; more</p>\
             <script>alert(1)</script><br>line<ul><li>one</li><li>two</li></ul>",
            "Hello big world. Second\u{a0}para & more line one two",
        );
        check("a &lt;b&gt; c", "a <b> c");
        check("a<br>b", "ab");
        check("a<!-- c -->b", "ab");
        check("a<b", "a");
        check("a < b", "a < b");
        check("a<>b", "a<>b");
        check("a</p>b", "a b");
        check("&copy;&#169;&bogus;&amp", "©©&bogus;&");
        check("a\n\t b", "a b");
        check("<p> a </p> <p> b </p>", "a b");
        check("<div><p>a</p></div><div>b</div>", "a b");
        check("<title>t</title>x", "x");
        check("x<title>t</title>y", "x t y");
        check("<noscript>no<b>x</b></noscript>z", "z");
        check("<script>a</script", "");
        check("<p>unclosed <b>x", "unclosed x");
        check("<textarea>a<b>x</b></textarea>", "");
        check("a<![CDATA[x]]>b", "ab");
        check("<?php echo 1 ?>x", "x");
        check("<svg><text>hi</text></svg>y", "y");
        check("<table><tr><td>1</td><td>2</td></tr></table>", "1 2");
        check("<select><option>1<option>2</select>", "");
        check("<iframe>x</iframe>y", "y");
        check("\u{2003} a", "a");
        for (inline, expected) in [
            ("span", "xyz"),
            ("h1", "x y z"),
            ("custom-x", "x y z"),
            ("form", "xz"),
            ("hr", "x yz"),
        ] {
            check(&format!("x<{inline}>y</{inline}>z"), expected);
        }
    }

    #[test]
    fn excerpts_are_cut_between_characters() {
        let check = |max: usize, expected: &str| {
            let excerpt = Excerpt {
                max,
                with_ellipsis: true,
            };
            assert_eq!(excerpt.of("<p>日本語テスト &amp; ß</p>"), expected);
        };
        check(3, "日本語...");
        check(7, "日本語テスト...");
        check(10, "日本語テスト & ß");
    }

    #[test]
    fn a_long_text_is_not_read_to_its_end() {
        let long = format!("<p>{}</p>", "word ".repeat(1_000_000));
        let excerpt = Excerpt {
            max: 9,
            with_ellipsis: false,
        };
        assert_eq!(excerpt.of(&long), "word word");
        assert!(text_of(&long, 9).len() <= 2 * CHUNK_BYTES);
    }
}
