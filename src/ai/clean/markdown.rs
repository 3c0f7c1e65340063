//! Plain text and Markdown into blocks. Markdown is read for its words alone: headings, lists,
//! quotes and inline marks are recognised, everything else is a paragraph.

use super::sanitize::{Sanitized, push_escaped, tidy_text};

/// The longest link or tag, in bytes.
const MAX_MARK_BYTES: usize = 2_048;

/// Plain text: paragraphs are what blank lines part.
pub(crate) fn from_text(text: &str) -> Sanitized {
    let text = tidy_text(text);
    let mut html = String::with_capacity(text.len() + 64);
    for block in text.split("\n\n").filter(|block| !block.is_empty()) {
        push_block(&mut html, "p", block);
    }
    Sanitized { html, text }
}

/// Markdown: headings and paragraphs, without its marks.
pub(crate) fn from_markdown(markdown: &str) -> Sanitized {
    let mut out = Sanitized::default();
    let mut paragraph = String::new();
    for line in body(markdown).lines().chain([""]) {
        let trimmed = line.trim();
        let is_fence = trimmed.starts_with("```") || trimmed.starts_with("~~~");
        let heading = heading_level(trimmed);
        let starts_item = item(trimmed).is_some();
        if trimmed.is_empty() || is_fence || heading.is_some() || starts_item {
            push(&mut out, "p", &paragraph);
            paragraph.clear();
        }
        match heading {
            Some(level) => {
                let name = ["h1", "h2", "h3", "h4", "h5", "h6"][level - 1];
                push(
                    &mut out,
                    name,
                    trimmed[level..].trim().trim_end_matches('#'),
                );
            }
            None if is_fence || is_rule(trimmed) => {}
            None => {
                let words = item(trimmed)
                    .unwrap_or(trimmed)
                    .trim_start_matches(['>', ' ']);
                paragraph.push_str(words);
                paragraph.push('\n');
            }
        }
    }
    out
}

fn push(out: &mut Sanitized, name: &str, markdown: &str) {
    let words = tidy_text(&without_marks(markdown)).replace("\n\n", " ");
    if words.is_empty() {
        return;
    }
    push_block(&mut out.html, name, &words);
    if !out.text.is_empty() {
        out.text.push_str("\n\n");
    }
    out.text.push_str(&words);
}

fn push_block(html: &mut String, name: &str, words: &str) {
    html.push('<');
    html.push_str(name);
    html.push('>');
    push_escaped(html, words);
    html.push_str("</");
    html.push_str(name);
    html.push('>');
}

/// The document without front matter (`---` lines at its start).
fn body(markdown: &str) -> &str {
    let Some(rest) = markdown.strip_prefix("---\n") else {
        return markdown;
    };
    rest.split_once("\n---\n")
        .map_or(markdown, |(_, body)| body)
}

fn heading_level(line: &str) -> Option<usize> {
    let level = line.bytes().take_while(|byte| *byte == b'#').count();
    ((1..=6).contains(&level) && line[level..].starts_with(' ')).then_some(level)
}

fn is_rule(line: &str) -> bool {
    line.len() >= 3
        && ["-", "*", "_", "="]
            .iter()
            .any(|mark| line.replace(mark, "").is_empty())
}

/// What follows a list mark.
fn item(line: &str) -> Option<&str> {
    let bullet = ["- ", "* ", "+ "]
        .iter()
        .find_map(|mark| line.strip_prefix(mark));
    bullet.or_else(|| {
        let digits = line.bytes().take_while(u8::is_ascii_digit).count();
        (1..=9)
            .contains(&digits)
            .then(|| line[digits..].strip_prefix(". "))?
    })
}

/// The words of inline Markdown: `[text](link)` is `text`, marks and HTML tags go.
fn without_marks(markdown: &str) -> String {
    let mut out = String::with_capacity(markdown.len());
    let mut rest = markdown;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        rest = match c {
            '!' if after.starts_with('[') => after,
            '[' if let Some((text, after)) = link(rest) => {
                out.push_str(&text.replace(['*', '`'], ""));
                after
            }
            '<' if let Some(after) = after_tag(rest) => after,
            '\\' => {
                let mut escaped = after.chars();
                out.extend(escaped.next());
                escaped.as_str()
            }
            '*' | '`' => after,
            c => {
                out.push(c);
                after
            }
        };
    }
    out
}

/// As much of `text` as a link or tag may take, so that a text full of their beginnings is not
/// searched to its end from each of them.
fn mark_window(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_MARK_BYTES)]
}

/// `[text](target)` at the start: the text, and what follows.
fn link(markdown: &str) -> Option<(&str, &str)> {
    let window = mark_window(markdown);
    let (text, target) = window[1..].split_once("](")?;
    let length = 1 + text.len() + 2 + target.find(')')? + 1;
    (!text.contains('\n')).then(|| (text, &markdown[length..]))
}

/// What follows the HTML tag or comment at the start.
fn after_tag(markdown: &str) -> Option<&str> {
    let is_tag =
        markdown[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!');
    let end = mark_window(markdown).find('>').filter(|_| is_tag)?;
    Some(&markdown[end + 1..])
}

#[cfg(test)]
mod tests {
    use super::{from_markdown, from_text};

    fn check(markdown: &str, html: &str, text: &str) {
        let out = from_markdown(markdown);
        assert_eq!(
            (out.html.as_str(), out.text.as_str()),
            (html, text),
            "{markdown:?}"
        );
    }

    #[test]
    fn markdown_keeps_its_words() {
        check(
            "# A *title* #\n\nSome **bold** text.",
            "<h1>A title</h1><p>Some bold text.</p>",
            "A title\n\nSome bold text.",
        );
        check(
            "one\ntwo\n\nthree",
            "<p>one two</p><p>three</p>",
            "one two\n\nthree",
        );
        check("- a\n- b\n1. c", "<p>a</p><p>b</p><p>c</p>", "a\n\nb\n\nc");
        check("> quoted\n> on", "<p>quoted on</p>", "quoted on");
        check(
            "see [the *page*](http://x/y) now",
            "<p>see the page now</p>",
            "see the page now",
        );
        check("![A tree](t.png)", "<p>A tree</p>", "A tree");
        check("<script>x</script> 1 < 2", "<p>x 1 &lt; 2</p>", "x 1 < 2");
        check("---\ntitle: x\n---\nbody", "<p>body</p>", "body");
        check("```\nlet x = `1`;\n```", "<p>let x = 1;</p>", "let x = 1;");
        check("a\n\n---\n\nb", "<p>a</p><p>b</p>", "a\n\nb");
        check(
            &"[<a".repeat(200_000),
            &format!("<p>{}</p>", "[&lt;a".repeat(200_000)),
            &"[<a".repeat(200_000),
        );
        check("[open", "<p>[open</p>", "[open");
        check("\\*not\\* a mark \\", "<p>*not* a mark</p>", "*not* a mark");
        check("#no heading", "<p>#no heading</p>", "#no heading");
        check("", "", "");
    }

    #[test]
    fn plain_text_is_escaped_and_parted() {
        let out = from_text("a <b>\nc\n\n\n& d\n");
        assert_eq!(out.html, "<p>a &lt;b&gt; c</p><p>&amp; d</p>");
        assert_eq!(out.text, "a <b> c\n\n& d");
    }
}
