//! Templates into words: a subject of one line, a text part, an HTML part.
//!
//! Templates are Jinja. HTML is escaped by the engine; a template may use so many instructions and
//! no more, and so many bytes of output, so that neither a template nor the record it shows can
//! hold a worker.

use std::sync::LazyLock;

use minijinja::{AutoEscape, Environment, UndefinedBehavior, value::Value};
use serde::Serialize;

/// How many instructions one rendering may use.
const FUEL: u64 = 50_000;
/// The largest rendered part, in bytes.
const MAX_PART_BYTES: usize = 1_024 * 1_024;
/// The longest subject, in characters.
const MAX_SUBJECT_CHARS: usize = 200;

/// A template that ships with the program.
struct Shipped {
    name: &'static str,
    subject: &'static str,
    text: &'static str,
    html: &'static str,
}

const SHIPPED: [Shipped; 1] = [Shipped {
    name: "content-published",
    subject: include_str!("../../data/templates/content-published.subject.txt"),
    text: include_str!("../../data/templates/content-published.txt"),
    html: include_str!("../../data/templates/content-published.html"),
}];

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(environment);

/// What a template sees.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Context {
    /// The record that the event speaks of.
    pub(crate) record: serde_json::Map<String, serde_json::Value>,
    /// Who is told.
    pub(crate) recipient: Recipient,
    /// The platform's domain.
    pub(crate) domain: String,
}

/// Who is told.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Recipient {
    /// The name; may be empty.
    pub(crate) name: String,
    /// The address.
    pub(crate) address: String,
}

/// A rendered message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rendered {
    /// One line without control characters.
    pub(crate) subject: String,
    /// The text part.
    pub(crate) text: String,
    /// The HTML part.
    pub(crate) html: String,
}

/// Whether there is a template of that name.
pub(crate) fn exists(name: &str) -> bool {
    SHIPPED.iter().any(|shipped| shipped.name == name)
}

/// The names of all templates.
pub(crate) fn names() -> Vec<&'static str> {
    SHIPPED.iter().map(|shipped| shipped.name).collect()
}

/// Renders the template; the error says what is wrong with it.
pub(crate) fn render(name: &str, context: &Context) -> Result<Rendered, String> {
    let context = Value::from(minijinja::value::Serde(context));
    let part =
        |extension: &str| render_part(&ENVIRONMENT, &format!("{name}.{extension}"), &context);
    Ok(Rendered {
        subject: one_line(&part("subject.txt")?),
        text: part("txt")?,
        html: part("html")?,
    })
}

fn environment() -> Environment<'static> {
    let mut environment = bare_environment();
    for shipped in &SHIPPED {
        for (extension, source) in [
            ("subject.txt", shipped.subject),
            ("txt", shipped.text),
            ("html", shipped.html),
        ] {
            environment
                .add_template_owned(format!("{}.{extension}", shipped.name), source)
                .expect("a test compiles every template that ships");
        }
    }
    environment
}

fn bare_environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_fuel(Some(FUEL));
    environment.set_undefined_behavior(UndefinedBehavior::Lenient);
    environment.set_auto_escape_callback(|name| {
        // The same extensions as the engine's own rule, without its other languages.
        if std::path::Path::new(name)
            .extension()
            .is_some_and(|it| it == "html")
        {
            AutoEscape::Html
        } else {
            AutoEscape::None
        }
    });
    environment
}

fn render_part(
    environment: &Environment<'_>,
    name: &str,
    context: &Value,
) -> Result<String, String> {
    let template = environment
        .get_template(name)
        .map_err(|error| error.to_string())?;
    let part = template
        .render(context.clone())
        .map_err(|error| error.to_string())?;
    if part.len() > MAX_PART_BYTES {
        return Err(format!(
            "{name} is larger than {MAX_PART_BYTES} bytes when rendered"
        ));
    }
    Ok(part)
}

/// Words parted by single spaces: a line break in a subject would start another header.
pub(crate) fn one_line(text: &str) -> String {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|it| !it.is_empty())
        .collect();
    words.join(" ").chars().take(MAX_SUBJECT_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Context, Recipient, bare_environment, names, one_line, render, render_part};

    fn context(record: serde_json::Value) -> Context {
        Context {
            record: record.as_object().unwrap().clone(),
            recipient: Recipient {
                name: "Ada".into(),
                address: "ada@example.com".into(),
            },
            domain: "example.com".into(),
        }
    }

    #[test]
    fn every_template_renders_whatever_the_record_has() {
        for name in names() {
            for record in [
                json!({}),
                json!({"title": "A", "summary": "B", "key_phrases": ["c", "d"], "language": "fr"}),
                json!({"title": null, "summary": 7, "key_phrases": []}),
            ] {
                let rendered = render(name, &context(record)).unwrap();
                assert!(
                    rendered.text.contains("ada@example.com"),
                    "{name}: {}",
                    rendered.text
                );
                assert!(
                    rendered.html.contains("</html>"),
                    "{name}: {}",
                    rendered.html
                );
            }
        }
    }

    #[test]
    fn values_are_escaped_in_html_and_kept_to_one_line_in_subjects() {
        let record = json!({"title": "<b>Tea & \"toast\"</b>\r\nBcc: x@example.com", "summary": "{{ 7 * 7 }}"});
        let rendered = render("content-published", &context(record)).unwrap();
        assert_eq!(
            rendered.subject,
            "New: <b>Tea & \"toast\"</b> Bcc: x@example.com"
        );
        assert!(!rendered.html.contains("<b>Tea"), "{}", rendered.html);
        assert!(
            rendered.html.contains("&lt;b&gt;Tea &amp;"),
            "{}",
            rendered.html
        );
        assert!(
            rendered.text.contains("{{ 7 * 7 }}"),
            "values are not templates"
        );
    }

    #[test]
    fn subjects_are_one_short_line() {
        for (from, to) in [
            (" a \n b\t", "a b"),
            ("a\u{0}b\u{85}c\u{2028}d", "a b c d"),
            ("", ""),
            ("\r\n", ""),
        ] {
            assert_eq!(one_line(from), to, "{from:?}");
        }
        assert_eq!(one_line(&"x".repeat(5_000)).len(), 200);
    }

    #[test]
    fn bombs_run_out_of_fuel() {
        let mut environment = bare_environment();
        for (name, bomb) in [
            (
                "loops",
                "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}",
            ),
            ("repeat", "{{ 'a' * 2000000000 }}"),
            ("pad", "{{ '%2000000000d' | format(1) }}"),
            ("itself", "{% include 'itself' %}"),
            ("macro", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"),
        ] {
            environment.add_template(name, bomb).unwrap();
            let outcome = render_part(&environment, name, &minijinja::value::Value::UNDEFINED);
            assert!(outcome.is_err(), "{name}");
        }
    }
}
