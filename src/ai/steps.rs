//! Runs a pipeline's steps over one document: pure work, no I/O, takes as long as the document is
//! large.

use std::collections::BTreeMap;

use mito_core::Clock;
use serde_json::{Map, Value, json};

use crate::{
    clean::{self, Kind},
    pipeline::{Definition, Step},
    store::StepReport,
    text::{PROVIDER, language, phrases, summary},
};

/// The longest slug without its suffix, in characters.
const MAX_SLUG_CHARS: usize = 60;

/// The document and what is known of it.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    /// The bucket.
    pub(crate) bucket: String,
    /// The object's key.
    pub(crate) key: String,
    /// The stored content type.
    pub(crate) content_type: String,
    /// What kind of document it is.
    pub(crate) kind: Kind,
    /// The object.
    pub(crate) bytes: Vec<u8>,
    /// Makes the slug unique.
    pub(crate) suffix: String,
}

/// What came of the steps.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    /// The record to create; `None` when the document has no text.
    pub(crate) record: Option<Map<String, Value>>,
    /// What was done.
    pub(crate) steps: Vec<StepReport>,
}

/// Runs the steps in order.
pub(crate) fn run(definition: &Definition, input: &Input, clock: &Clock) -> Output {
    let mut values: BTreeMap<&'static str, Value> = BTreeMap::from([
        ("bucket", json!(input.bucket)),
        ("key", json!(input.key)),
        ("content_type", json!(input.content_type)),
    ]);
    let mut steps = Vec::new();
    let mut text = String::new();
    let mut language = "und";
    for step in &definition.steps {
        let started_ms = clock.now_ms();
        let (provider, outcome) = match step {
            Step::Clean => {
                let cleaned = clean::clean(
                    &clean::decode(&input.bytes, &input.content_type),
                    input.kind,
                );
                let title = if cleaned.title.is_empty() {
                    file_name(&input.key)
                } else {
                    cleaned.title
                };
                values.insert("slug", json!(slug(&title, &input.suffix)));
                values.insert("title", json!(title));
                values.insert("html", json!(cleaned.html));
                text = cleaned.text;
                let outcome = format!(
                    "{}, {} characters",
                    cleaned.method.describe(),
                    text.chars().count()
                );
                values.insert("text", json!(text));
                ("clean", outcome)
            }
            Step::Language => {
                let found = language::detect(&text);
                language = found.code;
                values.insert("language", json!(found.code));
                values.insert("language_reliable", json!(found.is_reliable));
                let reliable = if found.is_reliable {
                    "reliable"
                } else {
                    "unreliable"
                };
                (
                    "whatlang",
                    format!("{}, {reliable} ({:.2})", found.code, found.confidence),
                )
            }
            Step::Summary(options) => {
                let summary = summary::summarize(&text, language, options.into());
                let outcome = format!(
                    "{} characters copied from the source",
                    summary.chars().count()
                );
                values.insert("summary", json!(summary));
                (PROVIDER, outcome)
            }
            Step::KeyPhrases(options) => {
                let found = phrases::extract(&text, language, options.count);
                let outcome = if found.is_empty() && !text.is_empty() {
                    format!("none: there are no stop words for {language:?}")
                } else {
                    format!("{} phrases of the source", found.len())
                };
                values.insert("key_phrases", json!(found));
                (PROVIDER, outcome)
            }
            // The worker creates the record in the transaction that completes the job.
            Step::Record(_) => continue,
        };
        let duration_ms = clock.now_ms() - started_ms;
        let (name, provider) = (step.name().to_owned(), provider.to_owned());
        steps.push(StepReport {
            name,
            provider,
            outcome,
            duration_ms,
        });
    }
    let record = (!text.trim().is_empty()).then(|| record(definition, &values));
    Output { record, steps }
}

fn record(definition: &Definition, values: &BTreeMap<&'static str, Value>) -> Map<String, Value> {
    let mut record = Map::new();
    if let Some(options) = definition.record() {
        for (field, value) in &options.fields {
            record.insert(
                field.clone(),
                values.get(value.as_str()).cloned().unwrap_or_default(),
            );
        }
        for (field, constant) in &options.constants {
            record.insert(field.clone(), constant.clone());
        }
    }
    record
}

/// The file name of a key without its extension, spaces for dashes.
fn file_name(key: &str) -> String {
    let name = key
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or_default();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let words = stem.replace(['-', '_'], " ").trim().to_owned();
    if words.is_empty() {
        "Untitled".to_owned()
    } else {
        words
    }
}

/// A title as part of a URL: letters and digits in lower case, dashes between.
fn slug(title: &str, suffix: &str) -> String {
    let mut slug = String::new();
    for c in title.chars().flat_map(char::to_lowercase) {
        if slug.chars().count() >= MAX_SLUG_CHARS {
            break;
        }
        if c.is_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() {
        suffix.to_owned()
    } else {
        format!("{slug}-{suffix}")
    }
}

#[cfg(test)]
mod tests {
    use mito_core::Clock;
    use serde_json::json;

    use super::{Input, file_name, run, slug};
    use crate::{clean::Kind, pipeline::Definition};

    fn input(key: &str, kind: Kind, bytes: &[u8]) -> Input {
        Input {
            bucket: "inbox".to_owned(),
            key: key.to_owned(),
            content_type: kind.content_type().to_owned(),
            kind,
            bytes: bytes.to_vec(),
            suffix: "abc123".to_owned(),
        }
    }

    #[test]
    fn a_document_becomes_a_record() {
        let definition = Definition::shipped("content").unwrap();
        let text = "On the Sea\n\nThe sea is wide and the sea is deep, as every sailor will tell \
            you. A sailor who has crossed the sea speaks of the sea for the rest of his life.";
        let output = run(
            &definition,
            &input("a/sea.txt", Kind::Text, text.as_bytes()),
            &Clock::manual(0),
        );
        let record = output.record.unwrap();
        assert_eq!(record["title"], "On the Sea");
        assert_eq!(record["slug"], "on-the-sea-abc123");
        assert_eq!(record["language"], "en");
        assert_eq!(record["source_bucket"], "inbox");
        assert_eq!(record["source_key"], "a/sea.txt");
        assert_eq!(record["status"], "published");
        assert!(text.contains(record["summary"].as_str().unwrap()) && record["summary"] != "");
        assert!(
            record["key_phrases"]
                .as_array()
                .unwrap()
                .contains(&json!("sea"))
        );
        let steps: Vec<&str> = output.steps.iter().map(|step| step.name.as_str()).collect();
        assert_eq!(steps, ["clean", "language", "summary", "key_phrases"]);
        assert_eq!(output.steps[2].provider, "extractive");
    }

    #[test]
    fn a_document_without_text_makes_no_record() {
        let definition = Definition::shipped("content").unwrap();
        for (kind, bytes) in [
            (Kind::Html, b"".as_slice()),
            (Kind::Html, b"<script>x</script>"),
            (Kind::Text, b" \n\n "),
            (Kind::Markdown, b"```\n```"),
        ] {
            let output = run(&definition, &input("x", kind, bytes), &Clock::manual(0));
            assert!(output.record.is_none(), "{kind:?} {bytes:?}");
        }
    }

    #[test]
    fn names_come_from_keys_and_slugs_from_titles() {
        for (key, expected) in [
            ("a/b/the-old_sea.html", "the old sea"),
            ("x", "x"),
            (".html", "Untitled"),
            ("a/", "a"),
        ] {
            assert_eq!(file_name(key), expected, "{key}");
        }
        for (title, expected) in [
            ("On the Origin: of Species!", "on-the-origin-of-species-s"),
            ("Être & Temps", "être-temps-s"),
            ("!!!", "s"),
            ("", "s"),
        ] {
            assert_eq!(slug(title, "s"), expected, "{title}");
        }
        assert!(slug(&"long ".repeat(100), "s").chars().count() <= 62);
    }
}
