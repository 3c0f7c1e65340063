//! What an auth collection says about how its accounts sign in, typed. A definition stores these
//! options among its others; what it leaves out has the default.
//!
//! | module | what it holds |
//! |---|---|
//! | [`merge`] | what was submitted, over what there was |
//! | [`check`] | what is wrong with them, in PocketBase's words |
//! | [`providers`] | the names that an OAuth2 provider may have |

pub mod check;
pub mod merge;
pub mod providers;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Collection, accounts::mails::defaults};

/// The options that only auth collections have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AuthOptions {
    /// Who may sign in: empty everybody, `None` nobody.
    pub auth_rule: Option<String>,
    /// Who may change other accounts' addresses, passwords and verification.
    pub manage_rule: Option<String>,
    /// Mails about sign-ins from new places.
    pub auth_alert: AuthAlert,
    /// Signing in with other sites' accounts.
    #[serde(rename = "oauth2")]
    pub oauth2: OAuth2Options,
    /// Signing in with a password.
    pub password_auth: PasswordAuth,
    /// Signing in by two methods.
    pub mfa: Mfa,
    /// Signing in with a mailed code.
    pub otp: Otp,
    /// How long sessions' tokens are valid.
    pub auth_token: TokenOptions,
    /// How long links that set a new password are valid.
    pub password_reset_token: TokenOptions,
    /// How long links that change an address are valid.
    pub email_change_token: TokenOptions,
    /// How long links that verify an address are valid.
    pub verification_token: TokenOptions,
    /// How long tokens for protected files are valid.
    pub file_token: TokenOptions,
    /// The mail that verifies an address.
    pub verification_template: EmailTemplate,
    /// The mail that resets a password.
    pub reset_password_template: EmailTemplate,
    /// The mail that changes an address.
    pub confirm_email_change_template: EmailTemplate,
}

/// Mails about sign-ins from new places.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthAlert {
    /// Whether they are sent.
    pub enabled: bool,
    /// What they say.
    pub email_template: EmailTemplate,
}

/// A mail's subject and HTML with placeholders: `{APP_NAME}`, `{APP_URL}`, `{TOKEN}`, `{OTP}`,
/// `{OTP_ID}`, `{ALERT_INFO}`, `{RECORD:field}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmailTemplate {
    /// The subject.
    pub subject: String,
    /// The HTML.
    pub body: String,
}

/// Signing in with other sites' accounts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OAuth2Options {
    /// The sites.
    pub providers: Vec<OAuth2Provider>,
    /// Which fields of a new account are filled from the site's.
    pub mapped_fields: MappedFields,
    /// Whether it is allowed.
    pub enabled: bool,
}

/// Another site whose accounts sign in here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OAuth2Provider {
    /// Whether PKCE is used; the provider's own default when `None`.
    pub pkce: Option<bool>,
    /// `google`, `github`, `oidc`, …
    pub name: String,
    /// What the site calls us.
    pub client_id: String,
    /// What proves it; never shown.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub client_secret: String,
    /// Where people sign in; empty means the site's own.
    #[serde(rename = "authURL")]
    pub auth_url: String,
    /// Where codes become tokens.
    #[serde(rename = "tokenURL")]
    pub token_url: String,
    /// Where the account is described.
    #[serde(rename = "userInfoURL")]
    pub user_info_url: String,
    /// Shown on the button.
    pub display_name: String,
    /// What only some sites need.
    pub extra: Map<String, Value>,
}

/// Fields of a new account by what the other site says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MappedFields {
    /// Gets the site's id of the account.
    pub id: String,
    /// Gets the person's name.
    pub name: String,
    /// Gets the account's name.
    pub username: String,
    /// Gets the picture's address, or the picture where it is a file field.
    #[serde(rename = "avatarURL")]
    pub avatar_url: String,
}

/// Signing in with a password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PasswordAuth {
    /// Whether it is allowed.
    pub enabled: bool,
    /// The fields by which an account is found; each has a unique index.
    pub identity_fields: Vec<String>,
}

/// Signing in by two methods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mfa {
    /// Whether it is required.
    pub enabled: bool,
    /// How long the first method counts, in seconds.
    pub duration: i64,
    /// Whom it is required of; empty everybody.
    pub rule: String,
}

/// Signing in with a mailed code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Otp {
    /// Whether it is allowed.
    pub enabled: bool,
    /// How long a code is valid, in seconds.
    pub duration: i64,
    /// Digits of a code.
    pub length: i64,
    /// The mail.
    pub email_template: EmailTemplate,
}

/// How long tokens of a kind are valid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenOptions {
    /// In seconds.
    pub duration: i64,
    /// Part of the key of these tokens, where one was set: by an import, or by whoever wants all of
    /// them to end. Never shown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub secret: String,
}

impl TokenOptions {
    fn lasting(duration: Duration) -> Self {
        Self {
            duration: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
            secret: String::new(),
        }
    }

    /// The duration; nothing that was not checked makes it negative.
    pub fn duration(&self) -> Duration {
        Duration::from_secs(u64::try_from(self.duration).unwrap_or(0))
    }
}

impl Default for AuthOptions {
    fn default() -> Self {
        Self {
            auth_rule: Some(String::new()),
            manage_rule: None,
            auth_alert: AuthAlert {
                enabled: true,
                email_template: defaults::alert(),
            },
            oauth2: OAuth2Options::default(),
            password_auth: PasswordAuth {
                enabled: true,
                identity_fields: vec!["email".to_owned()],
            },
            mfa: Mfa {
                enabled: false,
                duration: 600,
                rule: String::new(),
            },
            otp: Otp {
                enabled: false,
                duration: 180,
                length: 8,
                email_template: defaults::otp(),
            },
            auth_token: TokenOptions::lasting(Duration::from_hours(5 * 24)),
            password_reset_token: TokenOptions::lasting(Duration::from_mins(30)),
            email_change_token: TokenOptions::lasting(Duration::from_mins(30)),
            verification_token: TokenOptions::lasting(Duration::from_hours(24)),
            file_token: TokenOptions::lasting(Duration::from_mins(3)),
            verification_template: defaults::verification(),
            reset_password_template: defaults::password_reset(),
            confirm_email_change_template: defaults::email_change(),
        }
    }
}

impl AuthOptions {
    /// The options of a stored collection, defaults where it says nothing.
    pub fn of(collection: &Collection) -> Self {
        merge::over(&Self::default(), &collection.options).unwrap_or_default()
    }

    /// Methods by which an account may sign in.
    pub(crate) fn methods(&self) -> usize {
        [
            self.password_auth.enabled,
            self.oauth2.enabled,
            self.otp.enabled,
        ]
        .into_iter()
        .filter(|enabled| *enabled)
        .count()
    }

    /// Writes the options, secrets too, among a definition's others.
    pub fn store_in(&self, options: &mut Map<String, Value>) {
        for (name, value) in self.to_map() {
            options.insert(name, value);
        }
    }

    /// The options as the API shows them: all of them, without secrets, in PocketBase's order.
    pub fn shown(&self) -> Map<String, Value> {
        let mut shown = self.clone();
        for token in [
            &mut shown.auth_token,
            &mut shown.password_reset_token,
            &mut shown.email_change_token,
            &mut shown.verification_token,
            &mut shown.file_token,
        ] {
            token.secret.clear();
        }
        for provider in &mut shown.oauth2.providers {
            provider.client_secret.clear();
        }
        shown.to_map()
    }

    pub(crate) fn to_map(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(map)) => map,
            _ => Map::new(),
        }
    }
}

#[cfg(test)]
mod tests;
