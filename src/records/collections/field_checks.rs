//! What may be wrong with a field of a definition, in PocketBase's words.

use mito_database::Dialect;
use serde_json::Value;

use crate::{
    Collection, CollectionKind, Field, FieldError,
    collections::validate::Others,
    error::FieldErrors,
    fields::{FieldKind, generate, patterns},
    names,
};

/// The largest limit: what JavaScript can count to.
const MAX_LIMIT: i64 = 9_007_199_254_740_991;
/// The longest text where the field sets no limit, in characters.
const MAX_TEXT: i64 = 5_000;
/// The longest help text, in characters.
const MAX_HELP: usize = 300;
/// The longest id of a field, in characters.
const MAX_ID: usize = 100;
/// The longest password that bcrypt takes, in bytes.
const MAX_PASSWORD: i64 = 71;
/// The costs that bcrypt knows.
const BCRYPT_COSTS: (i64, i64) = (4, 31);

/// A field under examination.
pub(crate) struct Check<'a> {
    pub(crate) collection: &'a Collection,
    pub(crate) field: &'a Field,
    /// The field of the same id before the change.
    pub(crate) before: Option<&'a Field>,
    pub(crate) others: &'a Others,
    pub(crate) dialect: Dialect,
    errors: FieldErrors,
}

/// What is wrong with the field, by option.
pub(crate) fn check(
    collection: &Collection,
    field: &Field,
    before: Option<&Field>,
    others: &Others,
    dialect: Dialect,
) -> FieldErrors {
    let mut check = Check {
        collection,
        field,
        before,
        others,
        dialect,
        errors: FieldErrors::new(),
    };
    check.common();
    if collection.kind != CollectionKind::View {
        check.options();
    }
    check.errors
}

impl Check<'_> {
    fn set(&mut self, option: &str, error: Option<FieldError>) {
        if let Some(error) = error {
            self.errors.entry(option.to_owned()).or_insert(error);
        }
    }

    fn common(&mut self) {
        let (id, name) = (&self.field.id, &self.field.name);
        self.set("id", length(id, MAX_ID));
        let longest = match self.dialect {
            Dialect::Sqlite => names::MAX_FIELD_NAME,
            Dialect::Postgres => names::MAX_POSTGRES_NAME,
        };
        let error = if name.is_empty() {
            Some(FieldError::required())
        } else if let Some(error) = length(name, longest) {
            Some(error)
        } else if !names::is_identifier(name) {
            Some(no_match())
        } else if names::RESERVED_FIELDS.contains(&name.as_str()) {
            Some(in_list())
        } else {
            via(name)
        };
        self.set("name", error);
        let help = self.field.text_option("help");
        self.set("help", length(help, MAX_HELP));
    }

    fn options(&mut self) {
        let Some(kind) = self.field.kind_of() else {
            return;
        };
        match kind {
            FieldKind::Text => self.text(),
            FieldKind::Editor | FieldKind::Json => self.limits(&["maxSize"]),
            FieldKind::Number => self.number(),
            FieldKind::Bool | FieldKind::GeoPoint | FieldKind::Date => {}
            FieldKind::Email | FieldKind::Url => self.domains(),
            FieldKind::Autodate => self.autodate(),
            FieldKind::Select => self.select(),
            FieldKind::File => self.file(),
            FieldKind::Relation => self.relation(),
            FieldKind::Password => self.password(),
        }
    }

    fn integer(&self, option: &str) -> i64 {
        let value = self.field.options.get(option).and_then(Value::as_i64);
        value.unwrap_or_default()
    }

    fn flag(&self, option: &str) -> bool {
        self.field.flag(option)
    }

    /// Limits that are counted from zero.
    fn limits(&mut self, options: &[&str]) {
        for option in options {
            self.set(option, between(self.integer(option), 0, MAX_LIMIT));
        }
    }

    fn text(&mut self) {
        let min = self.integer("min");
        self.set("min", between(min, 0, MAX_LIMIT));
        self.set("max", between(self.integer("max"), min.max(0), MAX_LIMIT));
        if self.flag("primaryKey") {
            self.primary_key();
        }
        let pattern = self.field.text_option("pattern").to_owned();
        self.set("pattern", expression(&pattern));
        let generated = self.field.text_option("autogeneratePattern").to_owned();
        self.set("autogeneratePattern", expression(&generated));
        if !generated.is_empty() {
            self.generated(&generated, &pattern);
        }
    }

    /// Texts that are made up must be texts that would be accepted.
    fn generated(&mut self, generated: &str, pattern: &str) {
        let Some(text) = generate::generate(&self.others.random, generated) else {
            return;
        };
        let length = i64::try_from(text.chars().count()).unwrap_or(MAX_LIMIT);
        let max = match self.integer("max") {
            0 => MAX_TEXT,
            max => max,
        };
        let fits = (self.integer("min")..=max).contains(&length);
        if !fits || !patterns::matches(pattern, &text) {
            let message = format!(
                "The provided autogenerate pattern could produce invalid field values, ex.: {text:?}."
            );
            let code = "validation_invalid_autogenerate_pattern_value";
            self.set("autogeneratePattern", Some(FieldError::new(code, message)));
        }
    }

    fn primary_key(&mut self) {
        let is_key = |field: &&Field| field.flag("primaryKey");
        if self.collection.fields.iter().filter(is_key).count() > 1 {
            let message = "Composite PKs are not supported and the collection must have only 1 PK.";
            let error = FieldError::new("validation_unsupported_composite_pk", message);
            self.set("primaryKey", Some(error));
        }
        if self.field.name != "id" {
            let message = "The primary key must be named \"id\".";
            self.set(
                "name",
                Some(FieldError::new("validation_in_invalid", message)),
            );
        }
        if self.field.text_option("pattern").is_empty() {
            self.set("pattern", Some(FieldError::required()));
        }
        if !self.field.required {
            self.set("required", Some(FieldError::required()));
        }
    }

    fn number(&mut self) {
        let (min, max) = (
            self.field.number_option("min"),
            self.field.number_option("max"),
        );
        if self.flag("onlyInt") {
            for (option, limit) in [("min", min), ("max", max)] {
                let error = limit.filter(|limit| limit.fract() != 0.0).map(|_| {
                    let message = "Decimal numbers are not allowed.";
                    FieldError::new("validation_only_int_constraint", message)
                });
                self.set(option, error);
            }
        }
        if let (Some(min), Some(max)) = (min, max)
            && max < min
        {
            let min = crate::fields::show::number(min);
            let message = format!("Must be greater or equal than {min}.");
            let error = FieldError::new("validation_min_number_constraint", message);
            self.set("max", Some(error.with("min", min)));
        }
    }

    fn domains(&mut self) {
        let list = |option: &str| -> Vec<String> {
            self.field.list_option(option).map(str::to_owned).collect()
        };
        let lists = [
            ("exceptDomains", list("exceptDomains")),
            ("onlyDomains", list("onlyDomains")),
        ];
        if lists.iter().all(|(_, domains)| !domains.is_empty()) {
            for (option, _) in &lists {
                let error = FieldError::new("validation_empty", "Must be blank.");
                self.set(option, Some(error));
            }
            return;
        }
        for (option, domains) in &lists {
            for (position, domain) in domains.iter().enumerate() {
                if !domain.is_empty() && !is_domain(domain) {
                    let error = FieldError::new("validation_is_domain", "Must be a valid domain.");
                    self.set(&format!("{option}.{position}"), Some(error));
                }
            }
        }
    }

    fn autodate(&mut self) {
        if !self.flag("onCreate") && !self.flag("onUpdate") {
            for option in ["onCreate", "onUpdate"] {
                let message = "Either onCreate or onUpdate must be enabled.";
                self.set(
                    option,
                    Some(FieldError::new("validation_required", message)),
                );
            }
        }
    }

    fn select(&mut self) {
        let values = self.field.list_option("values").count();
        if values == 0 {
            self.set("values", Some(FieldError::required()));
        }
        let values = i64::try_from(values).unwrap_or(MAX_LIMIT);
        self.set("maxSelect", between(self.integer("maxSelect"), 0, values));
    }

    fn file(&mut self) {
        self.limits(&["maxSelect", "maxSize"]);
        let thumbs: Vec<String> = self
            .field
            .list_option("thumbs")
            .map(str::to_owned)
            .collect();
        for (position, thumb) in thumbs.iter().enumerate() {
            self.set(&format!("thumbs.{position}"), wrong_thumb(thumb));
        }
    }

    fn relation(&mut self) {
        let target = self.field.text_option("collectionId").to_owned();
        let error = if target.is_empty() {
            Some(FieldError::required())
        } else if self
            .before
            .is_some_and(|before| before.text_option("collectionId") != target)
        {
            let message = "The relation collection cannot be changed.";
            Some(FieldError::new("validation_field_relation_change", message))
        } else {
            match self.others.kind_by_id(&target) {
                Some(CollectionKind::View) => {
                    let message =
                        "Only view collections are allowed to have relations to other views.";
                    let code = "validation_relation_field_non_view_base_collection";
                    Some(FieldError::new(code, message))
                }
                Some(_) => None,
                None => Some(missing_collection()),
            }
        };
        self.set("collectionId", error);
        let (min, max) = (self.integer("minSelect"), self.integer("maxSelect"));
        self.set("minSelect", between(min, 0, MAX_LIMIT));
        if min > 0 && max == 0 {
            self.set("maxSelect", Some(FieldError::required()));
        }
        self.set("maxSelect", between(max, min.max(0), MAX_LIMIT));
    }

    fn password(&mut self) {
        let (min, max, cost) = (
            self.integer("min"),
            self.integer("max"),
            self.integer("cost"),
        );
        self.set("min", between(min, 1, MAX_PASSWORD));
        self.set("max", between(max, min.max(0), MAX_PASSWORD));
        self.set("cost", between(cost, BCRYPT_COSTS.0, BCRYPT_COSTS.1));
        let pattern = self.field.text_option("pattern").to_owned();
        self.set("pattern", expression(&pattern));
    }
}

pub(crate) fn missing_collection() -> FieldError {
    let message = "The relation collection doesn't exist.";
    FieldError::new("validation_field_relation_missing_collection", message)
}

/// A limit; zero means that there is none.
fn between(value: i64, min: i64, max: i64) -> Option<FieldError> {
    if value == 0 {
        return None;
    }
    if value < min {
        let message = format!("Must be no less than {min}.");
        let code = "validation_min_greater_equal_than_required";
        return Some(FieldError::new(code, message).with("threshold", min));
    }
    (value > max).then(|| {
        let message = format!("Must be no greater than {max}.");
        let code = "validation_max_less_equal_than_required";
        FieldError::new(code, message).with("threshold", max)
    })
}

/// A text of at most so many characters.
pub(crate) fn length(text: &str, max: usize) -> Option<FieldError> {
    (text.chars().count() > max).then(|| {
        let message = format!("The length must be between 1 and {max}.");
        let mut error = FieldError::new("validation_length_out_of_range", message);
        error.params = Some(serde_json::json!({"min": 1, "max": max}));
        error
    })
}

pub(crate) fn no_match() -> FieldError {
    FieldError::new("validation_match_invalid", "Must be in a valid format.")
}

fn in_list() -> FieldError {
    FieldError::new("validation_not_in_invalid", "Must not be in list.")
}

/// `_via_` is how back-relations are named.
pub(crate) fn via(name: &str) -> Option<FieldError> {
    name.contains("_via_").then(|| {
        let message = "The value cannot contain \"_via_\".";
        FieldError::new("validation_found_via", message)
    })
}

fn expression(pattern: &str) -> Option<FieldError> {
    let error = patterns::compile(pattern).err()?;
    let reason = error.to_string();
    let reason = reason.lines().last().unwrap_or_default().trim().to_owned();
    let message = format!("Error parsing regexp: {reason}.");
    Some(FieldError::new("validation_invalid_regex", message))
}

fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    text.contains('.')
        && text.len() <= 253
        && text.split('.').all(is_label)
        && last.len() >= 2
        && !last.bytes().all(|byte| byte.is_ascii_digit())
}

/// `WxH` with `t`, `b` or `f` after it; one of the numbers may be zero.
fn wrong_thumb(thumb: &str) -> Option<FieldError> {
    let size = thumb.strip_suffix(['t', 'b', 'f']).unwrap_or(thumb);
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match size.split_once('x') {
        Some(("0", "0")) => Some(in_list()),
        Some((width, height)) if number(width) && number(height) => None,
        _ => Some(no_match()),
    }
}
