//! A parsed tree into HTML of a short list of elements and attributes, and into text. Nothing that
//! runs, loads or styles gets through, whatever the source said: the output is written from
//! scratch, not filtered.

use dom_query::{Document, NodeRef};

/// How deep the tree is followed; deeper nodes are left out. The weight check keeps ordinary pages
/// far below.
const MAX_DEPTH: usize = 400;

/// What is left of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sanitized {
    /// HTML of listed elements alone.
    pub(crate) html: String,
    /// Its text; blocks are separated by blank lines.
    pub(crate) text: String,
}

/// Elements whose content is never text for people.
const DROPPED: [&str; 22] = [
    "script", "style", "noscript", "template", "iframe", "object", "embed", "applet", "svg",
    "math", "canvas", "audio", "video", "form", "button", "input", "select", "textarea", "head",
    "title", "dialog", "frameset",
];
/// Elements that surround an article without belonging to it; dropped where no article was found.
const SURROUNDINGS: [&str; 4] = ["nav", "footer", "aside", "menu"];
const BLOCKS: [&str; 21] = [
    "p",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "blockquote",
    "pre",
    "ul",
    "ol",
    "li",
    "dl",
    "dt",
    "dd",
    "table",
    "tr",
    "figure",
    "figcaption",
    "hr",
    "section",
];
const INLINE: [&str; 19] = [
    "a", "b", "i", "em", "strong", "code", "sub", "sup", "br", "cite", "q", "abbr", "mark",
    "small", "del", "ins", "td", "th", "img",
];
/// Blocks that are not written but still part the text.
const SILENT_BLOCKS: [&str; 9] = [
    "div", "article", "main", "body", "header", "address", "center", "details", "summary",
];

/// Writes what is listed of `document`. `whole_page` leaves the page's surroundings out.
pub(crate) fn sanitize(document: &Document, whole_page: bool) -> Sanitized {
    let mut writer = Writer {
        out: Sanitized::default(),
        whole_page,
        gap: Gap::Edge,
        is_pre: false,
    };
    let root = document.body().unwrap_or_else(|| document.root());
    writer.children(&root, 0);
    Sanitized {
        html: writer.out.html,
        text: tidy_text(&writer.out.text),
    }
}

/// What lies between the words that were written and those that come next. White space is not
/// written before it is known that words follow it, as a browser would show it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gap {
    /// The edge of a block, or a space that is written: more white space means nothing.
    Edge,
    /// None: words touch.
    None,
    /// White space.
    Space,
    /// The edge of a block that is not written itself.
    Line,
}

struct Writer {
    out: Sanitized,
    whole_page: bool,
    gap: Gap,
    is_pre: bool,
}

impl Writer {
    fn children(&mut self, node: &NodeRef<'_>, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        for child in node.children_it(false) {
            if child.is_text() {
                let text = child.text();
                self.words(&text);
                // A line break of the source is none of the text: blank lines part blocks.
                let is_pre = self.is_pre;
                let spaced = |c: char| {
                    if c.is_ascii_whitespace() && !is_pre {
                        ' '
                    } else {
                        c
                    }
                };
                self.out.text.extend(text.chars().map(spaced));
            } else if child.is_element() {
                self.element(&child, depth);
            }
        }
    }

    /// Writes text, its white space as HTML reads it.
    fn words(&mut self, text: &str) {
        for c in text.chars() {
            if c.is_ascii_whitespace() && !self.is_pre {
                if self.gap == Gap::None {
                    self.gap = Gap::Space;
                }
            } else if !is_invisible(c) {
                self.close_gap();
                self.gap = Gap::None;
                push_escaped_char(&mut self.out.html, c);
            }
        }
    }

    /// Writes the gap before something that stands in a line.
    fn close_gap(&mut self) {
        match self.gap {
            Gap::Edge | Gap::None => return,
            Gap::Space => self.out.html.push(' '),
            Gap::Line => self.out.html.push_str("<br>"),
        }
        self.gap = Gap::Edge;
    }

    fn element(&mut self, node: &NodeRef<'_>, depth: usize) {
        let name = node
            .node_name()
            .map(|name| name.to_ascii_lowercase())
            .unwrap_or_default();
        let name = name.as_str();
        if DROPPED.contains(&name) || (self.whole_page && SURROUNDINGS.contains(&name)) {
            return;
        }
        self.edge(name);
        match name {
            "br" => {
                self.out.html.push_str("<br>");
                self.out.text.push('\n');
                self.gap = Gap::Edge;
            }
            "hr" => self.out.html.push_str("<hr>"),
            "img" => self.image(node),
            _ if BLOCKS.contains(&name) || INLINE.contains(&name) => {
                let was_pre = self.is_pre;
                self.is_pre |= name == "pre";
                self.open(name, node);
                self.children(node, depth + 1);
                self.is_pre = was_pre;
                self.out.html.push_str("</");
                self.out.html.push_str(name);
                self.out.html.push('>');
            }
            _ => self.children(node, depth + 1),
        }
        self.edge(name);
    }

    /// Parts what stands before the start or end of an element from what follows it.
    fn edge(&mut self, name: &str) {
        let is_cell = matches!(name, "td" | "th");
        let is_block = BLOCKS.contains(&name);
        let is_silent = SILENT_BLOCKS.contains(&name);
        if is_block || is_cell {
            self.gap = Gap::Edge;
        } else if is_silent && self.gap != Gap::Edge {
            self.gap = Gap::Line;
        }
        if is_cell {
            self.out.text.push(' ');
        } else if is_block || is_silent {
            self.out.text.push_str("\n\n");
        }
    }

    fn open(&mut self, name: &str, node: &NodeRef<'_>) {
        self.close_gap();
        self.out.html.push('<');
        self.out.html.push_str(name);
        if name == "a"
            && let Some(href) = node.attr("href")
            && is_safe_link(&href)
        {
            self.attribute("href", &href);
            self.attribute("rel", "nofollow noopener noreferrer");
        }
        self.out.html.push('>');
    }

    fn image(&mut self, node: &NodeRef<'_>) {
        // A picture's words stay; the picture itself would make every reader's browser call its
        // host.
        if let Some(words) = node.attr("alt").filter(|words| !words.trim().is_empty()) {
            self.words(&words);
            self.out.text.push_str(&words);
        }
    }

    fn attribute(&mut self, name: &str, value: &str) {
        self.out.html.push(' ');
        self.out.html.push_str(name);
        self.out.html.push_str("=\"");
        push_escaped(&mut self.out.html, value);
        self.out.html.push('"');
    }
}

/// Whether a link leads to a web page or a mailbox, and does so absolutely: relative links lose
/// their meaning away from their page.
fn is_safe_link(href: &str) -> bool {
    let href = href.trim().to_ascii_lowercase();
    ["https://", "http://", "mailto:"]
        .iter()
        .any(|scheme| href.starts_with(scheme))
        && !href.chars().any(char::is_control)
}

/// Appends `text` escaped for element content and quoted attributes.
pub(crate) fn push_escaped(out: &mut String, text: &str) {
    for c in text.chars().filter(|c| !is_invisible(*c)) {
        push_escaped_char(out, c);
    }
}

fn push_escaped_char(out: &mut String, c: char) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#39;"),
        c => out.push(c),
    }
}

/// Characters that a reader cannot see and that hide words from them: zero-width and direction
/// controls, Unicode tags. Joiners stay, because Persian and many Indian scripts need them.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{2060}' | '\u{feff}' | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' | '\u{e0000}'..='\u{e007f}')
        || (c.is_control() && !matches!(c, '\n' | '\t' | '\r'))
}

/// Words parted by single spaces, blocks by one blank line.
pub(crate) fn tidy_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for block in text.replace("\r\n", "\n").split("\n\n") {
        let mut words = block.split_whitespace().peekable();
        if words.peek().is_none() {
            continue;
        }
        if !out.is_empty() {
            out.push_str("\n\n");
        }
        for (index, word) in words.enumerate() {
            if index > 0 {
                out.push(' ');
            }
            out.extend(word.chars().filter(|c| !is_invisible(*c)));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use dom_query::Document;

    use super::{sanitize, tidy_text};

    fn check(html: &str, expected_html: &str, expected_text: &str) {
        let out = sanitize(&Document::from(html), true);
        assert_eq!(out.html, expected_html, "{html}");
        assert_eq!(out.text, expected_text, "{html}");
    }

    #[test]
    fn only_listed_elements_and_attributes_are_written() {
        check(
            "<p class=x onclick=y>Hi <b>you</b></p>",
            "<p>Hi <b>you</b></p>",
            "Hi you",
        );
        check("<script>alert(1)</script><p>a</p>", "<p>a</p>", "a");
        check("<p>a<style>p{}</style></p>", "<p>a</p>", "a");
        check("<a href='javascript:x'>go</a>", "<a>go</a>", "go");
        check("<a href=' JaVaScRiPt:x'>go</a>", "<a>go</a>", "go");
        check("<a href='data:text/html,x'>go</a>", "<a>go</a>", "go");
        check("<a href='/relative'>go</a>", "<a>go</a>", "go");
        check(
            "<a href='https://example.com/?a=1&b=\"2' target=_top>go</a>",
            "<a href=\"https://example.com/?a=1&amp;b=&quot;2\" rel=\"nofollow noopener \
             noreferrer\">go</a>",
            "go",
        );
        check(
            "<img src=x onerror=alert(1) alt='A <tree>'>",
            "A &lt;tree&gt;",
            "A <tree>",
        );
        check("<svg><script>x</script><text>y</text></svg>z", "z", "z");
        check(
            "<math><mtext></p><style><img src=x onerror=y></style></mtext></math>z",
            "z",
            "z",
        );
        check("<nav>Home</nav><p>a</p><footer>c</footer>", "<p>a</p>", "a");
        check(
            "<iframe src=x></iframe><object data=y>q</object>z",
            "z",
            "z",
        );
        check("1 &lt; 2 &amp; 3", "1 &lt; 2 &amp; 3", "1 < 2 & 3");
        check("<div>one</div><div>two</div>", "one<br>two", "one\n\ntwo");
        check("<p>a<br>b</p>", "<p>a<br>b</p>", "a b");
        check("<custom-thing><p>x</p></custom-thing>", "<p>x</p>", "x");
        check("a\u{202e}b\u{200b}c", "abc", "abc");
        check("", "", "");
    }

    #[test]
    fn white_space_is_collapsed_as_html_does() {
        check(
            "<p>a\n  b\r\n\tc </p>\n<p> d</p>",
            "<p>a b c</p><p>d</p>",
            "a b c\n\nd",
        );
        check("<p>a <b> b </b> c</p>", "<p>a <b>b</b> c</p>", "a b c");
        check("<p>a<b>b</b>c</p>", "<p>a<b>b</b>c</p>", "abc");
        check("a\n<p>b</p>\nc", "a<p>b</p>c", "a\n\nb\n\nc");
        check(
            "<pre>a\n  b\n</pre> <p>c</p>",
            "<pre>a\n  b\n</pre><p>c</p>",
            "a b\n\nc",
        );
        check(
            "<ul>\n<li>a</li>\n<li>b</li>\n</ul>",
            "<ul><li>a</li><li>b</li></ul>",
            "a\n\nb",
        );
        check(
            "<table><tr><td>a</td> <td>b</td></tr></table>",
            "<table><tr><td>a</td><td>b</td></tr></table>",
            "a b",
        );
        check("a <div> b </div> c", "a<br>b<br>c", "a\n\nb\n\nc");
        check(
            "<p><div><div>a</div></div><p>b",
            "<p></p>a<p>b</p>",
            "a\n\nb",
        );
        check("a\u{200b} \u{200b}b", "a b", "a b");
        check("a<br>\n b", "a<br>b", "a b");
        check("<p>a\n\nb</p>", "<p>a b</p>", "a b");
        check("a&nbsp; b", "a\u{a0} b", "a b");
    }

    #[test]
    fn text_is_parted_by_single_spaces_and_blank_lines() {
        for (from, to) in [
            ("  a \t b\n c ", "a b c"),
            ("a\n\n\n\nb", "a\n\nb"),
            ("\r\n\r\na\r\n\r\n b", "a\n\nb"),
            (" \n\n ", ""),
        ] {
            assert_eq!(tidy_text(from), to, "{from:?}");
        }
    }
}
