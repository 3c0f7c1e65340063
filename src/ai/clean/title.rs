//! What a page is called, without the name of its site.

use dom_query::Document;

use super::sanitize::tidy_text;

/// What stands between a page's title and its site's name.
const SEPARATORS: [char; 11] = ['|', '-', '–', '—', '·', '•', ':', '/', '\\', '»', '«'];

/// The first heading, or else the page's title.
pub(crate) fn of_page(document: &Document) -> Option<String> {
    let heading = text_of(document, "h1");
    heading.or_else(|| {
        let title = text_of(document, "title")?;
        Some(without_site(&title, &own_names(document)).to_owned())
    })
}

/// What the page calls its content in places where sites seldom write their own name, the most
/// telling first.
pub(crate) fn own_names(document: &Document) -> Vec<String> {
    let shared = document.select_single("meta[property='og:title']");
    let shared = shared.attr("content").map(|name| tidy_text(&name));
    let headings = document.select("h1");
    // One of several headings may be the site's; one alone is taken for the page's unless it
    // stands in the site's own header.
    let alone = (headings.length() == 1 && !document.select("body > header h1").exists())
        .then(|| text_of(document, "h1"))
        .flatten();
    let article = text_of(document, "article h1, main h1");
    [shared, article, alone]
        .into_iter()
        .flatten()
        .filter(|name| !name.is_empty())
        .collect()
}

/// The title without a separator and what follows or precedes it, where the rest is one of the
/// page's own names.
pub(crate) fn without_site<'a>(title: &'a str, own_names: &'a [String]) -> &'a str {
    let is_separated = |name: &str| {
        let after = title.strip_prefix(name).map(str::trim_start);
        let before = title.strip_suffix(name).map(str::trim_end);
        // `Notes-on-tea` does not extend `Notes`: there is space on one side at least.
        let ends = after.is_some_and(|rest| rest.starts_with(SEPARATORS))
            && title[name.len()..].contains(' ');
        let starts = before.is_some_and(|rest| rest.ends_with(SEPARATORS))
            && title[..title.len() - name.len()].contains(' ');
        ends || starts
    };
    let own = own_names.iter().find(|name| is_separated(name));
    own.map_or(title, String::as_str)
}

fn text_of(document: &Document, selector: &str) -> Option<String> {
    let text = tidy_text(&document.select_single(selector).text()).replace("\n\n", " ");
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use dom_query::Document;

    use super::{of_page, own_names, without_site};

    #[test]
    fn the_sites_name_is_left_out() {
        for (title, own, expected) in [
            (
                "An Entangled Bank | The Reading Room",
                "An Entangled Bank",
                "An Entangled Bank",
            ),
            (
                "The Reading Room – Le bon sens",
                "Le bon sens",
                "Le bon sens",
            ),
            ("Tea: A History", "Tea", "Tea"),
            ("Tea - A History", "Tea - A History", "Tea - A History"),
            ("Notes-on-tea", "Notes", "Notes-on-tea"),
            ("Tea and toast", "Tea", "Tea and toast"),
            ("Tea", "Tea", "Tea"),
            ("Tea | Site", "Coffee", "Tea | Site"),
            ("Été · Le Site", "Été", "Été"),
            ("", "Tea", ""),
            ("| Tea", "", "| Tea"),
        ] {
            let own: Vec<String> = [own]
                .iter()
                .filter(|it| !it.is_empty())
                .map(|it| (*it).to_owned())
                .collect();
            assert_eq!(without_site(title, &own), expected, "{title}");
        }
    }

    #[test]
    fn a_page_names_itself() {
        for (html, expected) in [
            (
                "<article><h1>Own\n name</h1></article>",
                vec!["Own name", "Own name"],
            ),
            ("<header><h1>Site</h1></header><p>x", vec![]),
            ("<h1>Site</h1><main><h1>Own</h1></main>", vec!["Own"]),
            ("<h1>One</h1><h1>Two</h1>", vec![]),
            ("<h1>Own</h1>", vec!["Own"]),
            (
                "<head><meta property='og:title' content=' Shared '></head><h1>Own</h1>",
                vec!["Shared", "Own"],
            ),
            ("", vec![]),
        ] {
            assert_eq!(own_names(&Document::from(html)), expected, "{html}");
        }
    }

    #[test]
    fn a_page_without_headings_is_called_by_its_title() {
        for (html, expected) in [
            ("<title>T | S</title>", Some("T | S")),
            (
                "<title>T | S</title><meta property='og:title' content=T>",
                Some("T"),
            ),
            ("<title>T | S</title><h1>H</h1>", Some("H")),
            ("<p>x", None),
        ] {
            assert_eq!(
                of_page(&Document::from(html)).as_deref(),
                expected,
                "{html}"
            );
        }
    }
}
