//! What a pipeline does (its definition), and what it is bound to.
//!
//! A definition is YAML or JSON, checked when it is installed, so that a run cannot meet a step
//! that does not exist or a value that no earlier step makes.

use std::collections::BTreeMap;

use mito_records::Record;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{Error, clean::Kind, text::summary};

/// The definitions that ship with the program.
const SHIPPED: [(&str, &str); 1] = [("content", include_str!("../../data/pipelines/content.yaml"))];

/// Values that are there before the first step, and after `clean`.
const OBJECT_VALUES: [&str; 3] = ["bucket", "key", "content_type"];
const CLEAN_VALUES: [&str; 4] = ["title", "slug", "html", "text"];
const LANGUAGE_VALUES: [&str; 2] = ["language", "language_reliable"];

/// The most sentences of a summary.
const MAX_SUMMARY_SENTENCES: usize = 20;
/// The most characters of a summary.
const MAX_SUMMARY_CHARS: usize = 10_000;
/// The most key phrases.
const MAX_KEY_PHRASES: usize = 50;

/// A pipeline: its steps in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// The name: `a-z`, `0-9`, `-` and `_`.
    pub name: String,
    /// What it is for, one sentence.
    #[serde(default)]
    pub description: String,
    /// The steps.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawStep", into = "RawStep")]
pub enum Step {
    /// Makes clean HTML and text of the object.
    Clean,
    /// Detects the language.
    Language,
    /// Copies the most telling sentences.
    Summary(SummaryOptions),
    /// Finds key phrases.
    KeyPhrases(KeyPhraseOptions),
    /// Creates the record.
    Record(RecordOptions),
}

/// Options of [`Step::Summary`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SummaryOptions {
    /// The most sentences.
    pub sentences: usize,
    /// The most characters.
    pub characters: usize,
}

impl Default for SummaryOptions {
    fn default() -> Self {
        Self {
            sentences: 3,
            characters: 700,
        }
    }
}

impl From<&SummaryOptions> for summary::Limits {
    fn from(options: &SummaryOptions) -> Self {
        Self {
            sentences: options.sentences,
            chars: options.characters,
        }
    }
}

/// Options of [`Step::KeyPhrases`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeyPhraseOptions {
    /// The most phrases.
    pub count: usize,
}

impl Default for KeyPhraseOptions {
    fn default() -> Self {
        Self { count: 8 }
    }
}

/// Options of [`Step::Record`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecordOptions {
    /// Which value goes into which field of the record.
    pub fields: BTreeMap<String, String>,
    /// Fields that are always the same.
    pub constants: BTreeMap<String, Value>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStep {
    uses: String,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    with: Value,
}

impl TryFrom<RawStep> for Step {
    type Error = String;

    fn try_from(raw: RawStep) -> Result<Self, String> {
        match raw.uses.as_str() {
            "clean" => options::<NoOptions>(&raw).map(|_| Self::Clean),
            "language" => options::<NoOptions>(&raw).map(|_| Self::Language),
            "summary" => options(&raw).map(Self::Summary),
            "key_phrases" => options(&raw).map(Self::KeyPhrases),
            "record" => options(&raw).map(Self::Record),
            other => Err(format!(
                "there is no step {other:?}; there are clean, language, summary, key_phrases and \
                 record"
            )),
        }
    }
}

impl From<Step> for RawStep {
    fn from(step: Step) -> Self {
        let uses = step.name().to_owned();
        let with = match &step {
            Step::Clean | Step::Language => Ok(Value::Null),
            Step::Summary(options) => serde_json::to_value(options),
            Step::KeyPhrases(options) => serde_json::to_value(options),
            Step::Record(options) => serde_json::to_value(options),
        };
        Self {
            uses,
            with: with.unwrap_or_default(),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct NoOptions {}

fn options<T: DeserializeOwned + Default>(raw: &RawStep) -> Result<T, String> {
    if raw.with.is_null() {
        return Ok(T::default());
    }
    T::deserialize(&raw.with).map_err(|error| format!("step {}: {error}", raw.uses))
}

impl Step {
    /// The name that definitions and runs call it by.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Language => "language",
            Self::Summary(_) => "summary",
            Self::KeyPhrases(_) => "key_phrases",
            Self::Record(_) => "record",
        }
    }

    fn makes(&self) -> &'static [&'static str] {
        match self {
            Self::Clean => &CLEAN_VALUES,
            Self::Language => &LANGUAGE_VALUES,
            Self::Summary(_) => &["summary"],
            Self::KeyPhrases(_) => &["key_phrases"],
            Self::Record(_) => &[],
        }
    }
}

impl Definition {
    /// A definition that ships with the program.
    pub fn shipped(name: &str) -> Result<Self, Error> {
        let Some((_, yaml)) = SHIPPED.iter().find(|(shipped, _)| *shipped == name) else {
            return Err(Error::Pipeline(format!("there is no pipeline {name:?}")));
        };
        Self::from_yaml(yaml)
    }

    /// Reads and checks YAML (or JSON, which is YAML).
    pub fn from_yaml(yaml: &str) -> Result<Self, Error> {
        let definition: Self =
            serde_yaml_ng::from_str(yaml).map_err(|error| Error::Pipeline(error.to_string()))?;
        definition.check()?;
        Ok(definition)
    }

    /// What the record step writes.
    pub(crate) fn record(&self) -> Option<&RecordOptions> {
        self.steps.iter().find_map(|step| match step {
            Step::Record(options) => Some(options),
            Step::Clean | Step::Language | Step::Summary(_) | Step::KeyPhrases(_) => None,
        })
    }

    /// What a later version of the document changes in its record: the slug stays, because it is
    /// part of URLs, and so do constants, which people may have changed since.
    pub(crate) fn changes(&self, record: &Record) -> Record {
        let mut changes = Record::new();
        for (field, value) in self.record().iter().flat_map(|options| &options.fields) {
            if let Some(written) = record.get(field).filter(|_| value != "slug") {
                changes.insert(field.clone(), written.clone());
            }
        }
        changes
    }

    /// Checks what serde cannot: the order of steps, and that values exist where they are used.
    pub fn check(&self) -> Result<(), Error> {
        let refuse = |reason: String| Err(Error::Pipeline(format!("{:?}: {reason}", self.name)));
        if !is_name(&self.name) {
            return refuse("a name has 1 to 64 of a-z, 0-9, '-' and '_'".to_owned());
        }
        let names: Vec<&str> = self.steps.iter().map(Step::name).collect();
        if names.first() != Some(&"clean") || names.last() != Some(&"record") {
            return refuse("the first step must be clean and the last one record".to_owned());
        }
        if let Some(name) = names
            .iter()
            .enumerate()
            .find_map(|(at, name)| names[..at].contains(name).then_some(name))
        {
            return refuse(format!("step {name} is there twice"));
        }
        let mut known: Vec<&str> = OBJECT_VALUES.to_vec();
        for step in &self.steps {
            let needs_language = matches!(step, Step::Summary(_) | Step::KeyPhrases(_));
            if needs_language && !known.contains(&"language") {
                return refuse(format!(
                    "step {} needs step language before it",
                    step.name()
                ));
            }
            self.check_options(step, &known)?;
            known.extend(step.makes());
        }
        Ok(())
    }

    fn check_options(&self, step: &Step, known: &[&str]) -> Result<(), Error> {
        let refuse = |reason: String| Err(Error::Pipeline(format!("{:?}: {reason}", self.name)));
        match step {
            Step::Summary(options)
                if !(1..=MAX_SUMMARY_SENTENCES).contains(&options.sentences)
                    || !(1..=MAX_SUMMARY_CHARS).contains(&options.characters) =>
            {
                refuse(format!(
                    "a summary has 1 to {MAX_SUMMARY_SENTENCES} sentences and at most \
                     {MAX_SUMMARY_CHARS} characters"
                ))
            }
            Step::KeyPhrases(options) if !(1..=MAX_KEY_PHRASES).contains(&options.count) => {
                refuse(format!("there are 1 to {MAX_KEY_PHRASES} key phrases"))
            }
            Step::Clean | Step::Language | Step::Summary(_) | Step::KeyPhrases(_) => Ok(()),
            Step::Record(options) => {
                let unknown = options
                    .fields
                    .values()
                    .find(|it| !known.contains(&it.as_str()));
                match unknown {
                    Some(value) => refuse(format!(
                        "no step makes {value:?}; there are {}",
                        known.join(", ")
                    )),
                    None if options.fields.is_empty() => refuse("the record has no fields".into()),
                    None => Ok(()),
                }
            }
        }
    }
}

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b))
}

/// What runs a pipeline, as a starter writes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBinding {
    /// The name; the pipeline's where it is missing.
    #[serde(default)]
    name: Option<String>,
    /// The name of a pipeline that ships with the program, or a definition.
    pipeline: Value,
    /// New objects of this bucket start it.
    bucket: String,
    /// Only objects of these content types; all that can be read where it is empty.
    #[serde(default)]
    content_types: Vec<String>,
    /// Where the record goes.
    collection: String,
}

/// A pipeline that runs over new objects of a bucket.
#[derive(Clone, Debug, PartialEq)]
pub struct Binding {
    /// The name; one binding has it.
    pub name: String,
    /// The bucket whose new objects start it.
    pub bucket: String,
    /// Only objects of these content types; all that can be read where it is empty.
    pub content_types: Vec<String>,
    /// Where the record goes.
    pub collection: String,
    /// What is done.
    pub definition: Definition,
}

impl Binding {
    /// Reads and checks what a starter says.
    pub fn from_json(json: &Value) -> Result<Self, Error> {
        let raw = RawBinding::deserialize(json).map_err(|it| Error::Pipeline(it.to_string()))?;
        let definition = match &raw.pipeline {
            Value::String(name) => Definition::shipped(name)?,
            inline => {
                let definition = Definition::deserialize(inline)
                    .map_err(|error| Error::Pipeline(error.to_string()))?;
                definition.check()?;
                definition
            }
        };
        let name = raw.name.unwrap_or_else(|| definition.name.clone());
        if !is_name(&name) || raw.bucket.is_empty() || raw.collection.is_empty() {
            let reason = format!("{name:?}: name, bucket and collection must not be empty");
            return Err(Error::Pipeline(reason));
        }
        let content_types = normal_types(&raw.content_types)?;
        let RawBinding {
            bucket, collection, ..
        } = raw;
        Ok(Self {
            name,
            bucket,
            content_types,
            collection,
            definition,
        })
    }

    /// What kind of document an object is, if the pipeline takes it.
    pub(crate) fn takes(&self, content_type: Option<&str>, key: &str) -> Option<Kind> {
        let kind = Kind::of(content_type, key)?;
        let takes_all = self.content_types.is_empty();
        (takes_all
            || self
                .content_types
                .iter()
                .any(|it| it == kind.content_type()))
        .then_some(kind)
    }
}

/// Content types by the name that [`Kind`] gives them.
fn normal_types(content_types: &[String]) -> Result<Vec<String>, Error> {
    let normal = |content_type: &String| {
        let kind = Kind::of(Some(content_type), "");
        let kind = kind.ok_or_else(|| {
            Error::Pipeline(format!("content type {content_type:?} cannot be read"))
        })?;
        Ok(kind.content_type().to_owned())
    };
    content_types.iter().map(normal).collect()
}

#[cfg(test)]
mod tests;
