//! The text part of a mail, from its HTML part.

/// Elements that begin a line.
const BLOCKS: [&str; 13] = [
    "p", "/p", "div", "/div", "br", "br/", "li", "/ul", "/ol", "h1", "h2", "h3", "/tr",
];

/// The words of a piece of HTML, with the addresses that its links lead to.
pub(super) fn text_of(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut link = String::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        push_words(&mut text, &rest[..start]);
        let Some(end) = rest[start..].find('>') else {
            rest = "";
            break;
        };
        let tag = &rest[start + 1..start + end];
        rest = &rest[start + end + 1..];
        let name = tag
            .split(char::is_whitespace)
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        match name.as_str() {
            "a" => link = attribute(tag, "href"),
            "/a" if !link.is_empty() => {
                let address = std::mem::take(&mut link);
                if !text.ends_with(&address) {
                    text.push_str(": ");
                    text.push_str(&address);
                }
            }
            block if BLOCKS.contains(&block) => text.push('\n'),
            _ => {}
        }
    }
    push_words(&mut text, rest);
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    lines.join("\n\n")
}

/// Appends text with its entities resolved and its white space as one.
fn push_words(text: &mut String, words: &str) {
    let mut gap = words.starts_with(char::is_whitespace);
    for word in words.split_whitespace() {
        if gap && !text.is_empty() && !text.ends_with(char::is_whitespace) {
            text.push(' ');
        }
        text.push_str(&resolved(word));
        gap = true;
    }
    if words.ends_with(char::is_whitespace) && !text.ends_with(char::is_whitespace) {
        text.push(' ');
    }
}

fn resolved(word: &str) -> String {
    word.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&nbsp;", " ")
        .replace("&amp;", "&")
}

fn attribute(tag: &str, name: &str) -> String {
    let Some(at) = tag.find(&format!("{name}=\"")) else {
        return String::new();
    };
    let value = &tag[at + name.len() + 2..];
    let end = value.find('"').unwrap_or(value.len());
    resolved(&value[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_becomes_lines_of_text() {
        let check = |html: &str, expected: &str| assert_eq!(text_of(html), expected, "{html}");
        check("<p>Hello,</p>\n<p>you  &amp;\nme</p>", "Hello,\n\nyou & me");
        check("a<br>b", "a\n\nb");
        check(
            "<p>See <a class=\"x\" href=\"https://a.b/?x=1&amp;y\">this</a> now</p>",
            "See this: https://a.b/?x=1&y now",
        );
        check("<a href=\"https://a.b\">https://a.b</a>", "https://a.b");
        check("<strong>1</strong>2 <em>3</em>", "12 3");
        check("a <", "a");
        check("", "");
    }
}
