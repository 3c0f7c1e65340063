//! What is wrong with the options of an auth collection.

use crate::{
    Collection, FieldError,
    accounts::options::{AuthOptions, EmailTemplate, TokenOptions, providers::PROVIDERS},
    collections::indexes::Index,
    error::FieldErrors,
};

/// The shortest duration of a token, a code or a first method, in seconds.
const MIN_SECONDS: i64 = 10;
/// The longest duration of a token, in seconds: three years.
const MAX_TOKEN_SECONDS: i64 = 94_670_856;
/// The longest duration of a code or a first method, in seconds: a day.
const MAX_STEP_SECONDS: i64 = 86_400;
/// The fewest digits of a code.
const MIN_OTP_LENGTH: i64 = 4;
/// The most digits of a code. PocketBase has no limit; a code is typed by hand.
const MAX_OTP_LENGTH: i64 = 64;
/// How long a token's secret may be, in characters.
const SECRET_LENGTH: std::ops::RangeInclusive<usize> = 30..=255;

impl AuthOptions {
    /// What is wrong, by dotted name. `rule` says what is wrong with a rule of the collection.
    pub fn check(
        &self,
        collection: &Collection,
        existing: Option<&Collection>,
        mut rule: impl FnMut(&str) -> Option<FieldError>,
    ) -> FieldErrors {
        let mut errors = FieldErrors::new();
        let mut set = |name: &str, error: Option<FieldError>| {
            if let Some(error) = error {
                errors.insert(name.to_owned(), error);
            }
        };
        let auth_rule = self.auth_rule.as_deref().unwrap_or_default();
        set("authRule", rule(auth_rule));
        set(
            "manageRule",
            match self.manage_rule.as_deref() {
                Some("") => Some(FieldError::new(
                    "validation_nil_or_not_empty_required",
                    "Cannot be blank.",
                )),
                Some(manage_rule) => rule(manage_rule),
                None => None,
            },
        );
        if self.mfa.enabled {
            set("mfa.duration", step_seconds(self.mfa.duration));
            set("mfa.rule", rule(&self.mfa.rule));
            if self.methods() < 2 {
                let message = "MFA requires at least 2 auth methods to be enabled.";
                let error = FieldError::new("validation_mfa_not_enough_auths", message);
                set("mfa.enabled", Some(error));
            }
        }
        if let Some(existing) = existing.filter(|existing| existing.system) {
            let before = Self::of(existing);
            let changed = || {
                let message = "System collection API rule cannot be changed.";
                FieldError::new("validation_collection_system_rule_change", message)
            };
            set(
                "authRule",
                (before.auth_rule != self.auth_rule).then(changed),
            );
            set(
                "manageRule",
                (before.manage_rule != self.manage_rule).then(changed),
            );
        }
        self.check_otp(&mut errors);
        self.check_tokens(&mut errors);
        self.check_templates(&mut errors);
        self.check_identity_fields(collection, &mut errors);
        self.check_providers(&mut errors);
        errors
    }

    fn check_otp(&self, errors: &mut FieldErrors) {
        if !self.otp.enabled {
            return;
        }
        if let Some(error) = step_seconds(self.otp.duration) {
            errors.insert("otp.duration".to_owned(), error);
        }
        if let Some(error) = between(self.otp.length, MIN_OTP_LENGTH, MAX_OTP_LENGTH) {
            errors.insert("otp.length".to_owned(), error);
        }
    }

    fn check_tokens(&self, errors: &mut FieldErrors) {
        for (name, token) in self.tokens() {
            if let Some(error) = between(token.duration, MIN_SECONDS, MAX_TOKEN_SECONDS) {
                errors.insert(format!("{name}.duration"), error);
            }
            let length = token.secret.chars().count();
            if length > 0 && !SECRET_LENGTH.contains(&length) {
                let (min, max) = (*SECRET_LENGTH.start(), *SECRET_LENGTH.end());
                errors.insert(
                    format!("{name}.secret"),
                    FieldError::length_out_of_range(min, max),
                );
            }
        }
    }

    fn tokens(&self) -> [(&'static str, &TokenOptions); 5] {
        [
            ("authToken", &self.auth_token),
            ("passwordResetToken", &self.password_reset_token),
            ("emailChangeToken", &self.email_change_token),
            ("verificationToken", &self.verification_token),
            ("fileToken", &self.file_token),
        ]
    }

    fn check_templates(&self, errors: &mut FieldErrors) {
        let templates: [(&str, &EmailTemplate); 5] = [
            ("verificationTemplate", &self.verification_template),
            ("resetPasswordTemplate", &self.reset_password_template),
            (
                "confirmEmailChangeTemplate",
                &self.confirm_email_change_template,
            ),
            ("otp.emailTemplate", &self.otp.email_template),
            ("authAlert.emailTemplate", &self.auth_alert.email_template),
        ];
        for (name, template) in templates {
            for (part, text) in [("subject", &template.subject), ("body", &template.body)] {
                if text.is_empty() {
                    errors.insert(format!("{name}.{part}"), FieldError::required());
                }
            }
        }
    }

    fn check_identity_fields(&self, collection: &Collection, errors: &mut FieldErrors) {
        if !self.password_auth.enabled {
            return;
        }
        let fields = &self.password_auth.identity_fields;
        let problem = if fields.is_empty() || fields.iter().any(String::is_empty) {
            Some(FieldError::required())
        } else {
            fields
                .iter()
                .find_map(|name| wrong_identity(collection, name))
        };
        if let Some(error) = problem {
            errors.insert("passwordAuth.identityFields".to_owned(), error);
        }
    }

    fn check_providers(&self, errors: &mut FieldErrors) {
        if !self.oauth2.enabled {
            return;
        }
        let providers = &self.oauth2.providers;
        for (position, provider) in providers.iter().enumerate() {
            let mut set = |name: &str, error: FieldError| {
                errors.insert(format!("oauth2.providers.{position}.{name}"), error);
            };
            let name = &provider.name;
            if name.is_empty() {
                set("name", FieldError::required());
            } else if !PROVIDERS.contains(&name.as_str()) {
                let message = format!("Invalid or missing provider with name {name}.");
                let error = FieldError::new("validation_missing_provider", message);
                set("name", error.with("name", name.clone()));
            } else if providers[..position].iter().any(|one| one.name == *name) {
                let message = format!("The provider {name} is already registered.");
                let error = FieldError::new("validation_duplicated_provider", message);
                set("name", error.with("name", name.clone()));
            }
            for (name, value) in [
                ("clientId", &provider.client_id),
                ("clientSecret", &provider.client_secret),
            ] {
                if value.is_empty() {
                    set(name, FieldError::required());
                }
            }
            for (name, address) in [
                ("authURL", &provider.auth_url),
                ("tokenURL", &provider.token_url),
                ("userInfoURL", &provider.user_info_url),
            ] {
                if !address.is_empty() && !is_web_address(address) {
                    let message = "Must be a valid URL.";
                    set(name, FieldError::new("validation_is_url", message));
                }
            }
        }
    }
}

fn wrong_identity(collection: &Collection, name: &str) -> Option<FieldError> {
    if collection.field(name).is_none() {
        let message = format!("Invalid or missing field {name}.");
        let error = FieldError::new("validation_missing_field", message);
        return Some(error.with("fieldName", name));
    }
    if is_unique(collection, name) {
        return None;
    }
    let message = format!("The field {name} doesn't have a UNIQUE constraint.");
    let error = FieldError::new("validation_missing_unique_constraint", message);
    Some(error.with("fieldName", name))
}

/// Whether an index lets no two records have the same value in the field.
pub fn is_unique(collection: &Collection, name: &str) -> bool {
    unique_index(collection, name).is_some()
}

/// The index that lets no two records have the same value in the field.
pub(crate) fn unique_index(collection: &Collection, name: &str) -> Option<Index> {
    let mut indexes = collection
        .indexes
        .iter()
        .filter_map(|statement| Index::parse(statement).ok());
    indexes.find(|index| {
        index.unique && matches!(index.columns.as_slice(), [column] if column.name == name)
    })
}

/// `http` or `https` with a host.
fn is_web_address(address: &str) -> bool {
    let rest = address
        .strip_prefix("https://")
        .or_else(|| address.strip_prefix("http://"));
    let host = rest.map_or("", |rest| {
        rest.split(['/', '?', '#']).next().unwrap_or_default()
    });
    !host.is_empty() && !address.contains(|character: char| character.is_whitespace())
}

fn step_seconds(seconds: i64) -> Option<FieldError> {
    between(seconds, MIN_SECONDS, MAX_STEP_SECONDS)
}

fn between(value: i64, min: i64, max: i64) -> Option<FieldError> {
    if value == 0 {
        return Some(FieldError::required());
    }
    if value < min {
        let message = format!("Must be no less than {min}.");
        let error = FieldError::new("validation_min_greater_equal_than_required", message);
        return Some(error.with("threshold", min));
    }
    if value > max {
        let message = format!("Must be no greater than {max}.");
        let error = FieldError::new("validation_max_less_equal_than_required", message);
        return Some(error.with("threshold", max));
    }
    None
}
