//! What a client asks to be told of: `posts/*`, `posts/abc`, each perhaps with
//! `?options={"query":{…},"headers":{…}}`, which narrow and shape what is told and are what rules
//! see as `@request.query` and `@request.headers`.

use std::sync::Arc;

use serde_json::Value;
use url::form_urlencoded;

use super::Pick;
use crate::{Parameters, Record};

/// A parsed subscription. Clients that submit the same text share one.
#[derive(Debug)]
pub(crate) struct Topic {
    /// As it was submitted: the name of its events.
    pub(crate) text: Arc<str>,
    /// The text before the options.
    pub(crate) target: Arc<str>,
    /// `@request.query.*`.
    pub(crate) query: Parameters,
    /// `@request.headers.*`.
    pub(crate) headers: Parameters,
    /// Picks the fields that the options ask for.
    pub(crate) pick: Pick,
}

impl Topic {
    /// Options that cannot be read are as good as none.
    pub(crate) fn parse(text: &str, pick: Pick) -> Self {
        let (target, parameters) = text.split_once('?').unwrap_or((text, ""));
        let options = form_urlencoded::parse(parameters.as_bytes())
            .find(|(name, _)| name == "options")
            .and_then(|(_, value)| serde_json::from_str::<Value>(&value).ok())
            .unwrap_or_default();
        let header_name = |name: &str| name.to_lowercase().replace('-', "_");
        Self {
            text: Arc::from(text),
            target: Arc::from(target),
            query: texts(options.get("query"), str::to_owned).into(),
            headers: texts(options.get("headers"), header_name).into(),
            pick,
        }
    }

    /// A parameter of the options; empty when it is absent.
    pub(crate) fn parameter(&self, name: &str) -> &str {
        self.query
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// What is kept of it in memory, in bytes.
    pub(crate) fn size(&self) -> usize {
        // The text, the target and the options are each about as long as the text.
        self.text.len() * 3
    }

    /// Whether it can be the name of an event: a line break would end it.
    pub(crate) fn can_be_told(&self) -> bool {
        !self.text.is_empty() && !self.text.contains(['\n', '\r', '\0'])
    }
}

/// The members of an object as texts.
fn texts(object: Option<&Value>, name_of: impl Fn(&str) -> String) -> Record {
    let Some(Value::Object(members)) = object else {
        return Record::new();
    };
    let text = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    members
        .iter()
        .map(|(name, value)| (name_of(name), Value::String(text(value))))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn options_are_read_as_texts() {
        let check = |text: &str, target: &str, query: Value, headers: Value| {
            let topic = Topic::parse(text, |value, _| value);
            assert_eq!(&*topic.target, target, "{text}");
            assert_eq!(Value::Object((*topic.query).clone()), query, "{text}");
            assert_eq!(Value::Object((*topic.headers).clone()), headers, "{text}");
        };
        check("posts/*", "posts/*", json!({}), json!({}));
        check("posts/*?", "posts/*", json!({}), json!({}));
        check("posts?options=broken", "posts", json!({}), json!({}));
        check("posts?options=%5B1%5D", "posts", json!({}), json!({}));
        check(
            r#"p/a?x=1&options={"query":{"filter":"a=1","n":2,"b":true,"z":null},"headers":{"X-Y":"v"}}"#,
            "p/a",
            json!({"filter": "a=1", "n": "2", "b": "true", "z": ""}),
            json!({"x_y": "v"}),
        );
        check(
            "p/a?options=%7B%22query%22%3A%7B%22fields%22%3A%22id%22%7D%7D",
            "p/a",
            json!({"fields": "id"}),
            json!({}),
        );
    }

    #[test]
    fn line_breaks_name_no_event() {
        for text in ["", "a\nb", "a\rb", "a\0"] {
            assert!(
                !Topic::parse(text, |value, _| value).can_be_told(),
                "{text:?}"
            );
        }
        assert!(Topic::parse("ä b/*", |value, _| value).can_be_told());
    }
}
