//! Who is told of which event, as a starter says it.

use mito_database::Action;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Error, template};

/// The longest filter of recipients, in bytes.
const MAX_FILTER_BYTES: usize = 2_000;

/// A trigger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// The name: `a-z`, `0-9`, `-` and `_`.
    pub name: String,
    /// What happens.
    pub event: On,
    /// Who is told.
    pub recipients: Recipients,
    /// The name of a template in `data/templates`.
    pub template: String,
}

/// What happens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct On {
    /// The collection whose records it happens to.
    pub collection: String,
    /// `create`, `update`; `create` alone where it is missing.
    #[serde(default = "create_alone")]
    pub actions: Vec<Verb>,
}

/// What happens to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// It is created.
    Create,
    /// It is changed.
    Update,
}

/// Who is told: records with an e-mail address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipients {
    /// The collection.
    pub collection: String,
    /// Which of its records, in the filter language; all where it is empty.
    #[serde(default)]
    pub filter: String,
    /// The field with the address.
    #[serde(default = "email")]
    pub email_field: String,
    /// The field with the name; empty for none.
    #[serde(default = "name")]
    pub name_field: String,
}

fn create_alone() -> Vec<Verb> {
    vec![Verb::Create]
}

fn email() -> String {
    "email".to_owned()
}

fn name() -> String {
    "name".to_owned()
}

impl Trigger {
    /// Reads and checks what a starter says.
    pub fn from_json(json: &Value) -> Result<Self, Error> {
        let trigger = Self::deserialize(json).map_err(|error| Error::Trigger(error.to_string()))?;
        trigger.check()?;
        Ok(trigger)
    }

    fn check(&self) -> Result<(), Error> {
        let refuse = |reason: &str| Err(Error::Trigger(format!("{:?}: {reason}", self.name)));
        let is_name = (1..=64).contains(&self.name.len())
            && self.name.bytes().all(|byte| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte)
            });
        if !is_name {
            return refuse("a name has 1 to 64 of a-z, 0-9, '-' and '_'");
        }
        if self.event.collection.is_empty() || self.event.actions.is_empty() {
            return refuse("the event needs a collection and an action");
        }
        if self.recipients.collection.is_empty() || self.recipients.email_field.is_empty() {
            return refuse("the recipients need a collection and a field with the address");
        }
        if self.recipients.filter.len() > MAX_FILTER_BYTES {
            return refuse("the filter is too long");
        }
        // A message to those whom the message creates would go on for ever.
        if self.event.collection.starts_with("_mito_") {
            return refuse("internal tables cannot start notifications");
        }
        if !template::exists(&self.template) {
            return refuse(&format!(
                "there is no template {:?}; there are {}",
                self.template,
                template::names().join(", ")
            ));
        }
        Ok(())
    }

    /// Whether the trigger waits for this action.
    pub(crate) fn waits_for(&self, action: Action) -> bool {
        let verb = match action {
            Action::Create => Verb::Create,
            Action::Update => Verb::Update,
            // What is gone has no words left to tell.
            Action::Delete => return false,
        };
        self.event.actions.contains(&verb)
    }
}

impl Recipients {
    /// The filter for one recipient: the same people at the time of sending as at the time of
    /// planning. `id` must be a record id.
    pub(crate) fn filter_for(&self, id: &str) -> String {
        let one = format!("id = \"{}\"", id.replace(['"', '\\'], ""));
        if self.filter.trim().is_empty() {
            one
        } else {
            format!("({}) && {one}", self.filter)
        }
    }
}

#[cfg(test)]
mod tests {
    use mito_database::Action;
    use serde_json::json;

    use super::Trigger;

    #[test]
    fn a_trigger_is_read_with_its_defaults() {
        let trigger = Trigger::from_json(&json!({
            "name": "new-content",
            "event": { "collection": "contents" },
            "recipients": { "collection": "subscribers", "filter": "active = true" },
            "template": "content-published",
        }))
        .unwrap();
        assert!(trigger.waits_for(Action::Create));
        assert!(!trigger.waits_for(Action::Update) && !trigger.waits_for(Action::Delete));
        assert_eq!(trigger.recipients.email_field, "email");
        assert_eq!(
            trigger.recipients.filter_for("abc"),
            "(active = true) && id = \"abc\""
        );
        assert_eq!(
            trigger.recipients.filter_for("a\"c"),
            "(active = true) && id = \"ac\""
        );
    }

    #[test]
    fn bad_triggers_are_refused() {
        let good = json!({
            "name": "n", "event": {"collection": "c"}, "recipients": {"collection": "s"},
            "template": "content-published",
        });
        assert!(Trigger::from_json(&good).is_ok());
        for (key, value, expected) in [
            ("name", json!(""), "a name has"),
            ("name", json!("A b"), "a name has"),
            ("event", json!({"collection": ""}), "needs a collection"),
            (
                "event",
                json!({"collection": "c", "actions": []}),
                "an action",
            ),
            (
                "event",
                json!({"collection": "c", "actions": ["explode"]}),
                "unknown variant",
            ),
            ("event", json!({"collection": "_mito_x"}), "internal tables"),
            (
                "recipients",
                json!({"collection": ""}),
                "the recipients need",
            ),
            (
                "recipients",
                json!({"collection": "c", "filter": "a".repeat(3_000)}),
                "too long",
            ),
            (
                "template",
                json!("nope"),
                "no template \"nope\"; there are content-published",
            ),
            ("colour", json!("red"), "unknown field"),
        ] {
            let mut bad = good.clone();
            bad[key] = value;
            let error = Trigger::from_json(&bad).unwrap_err().to_string();
            assert!(error.contains(expected), "{bad}: {error}");
        }
    }
}
