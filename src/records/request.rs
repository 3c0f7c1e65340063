//! What rules know of a request: `@request.*`.

use std::{
    fmt,
    ops::Deref,
    sync::{Arc, LazyLock},
};

use mito_network::Identity;
use serde_json::Value;

use crate::Record;

/// What a rule is evaluated for: `@request.context`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RuleContext {
    /// A request of the record API.
    #[default]
    Default,
    /// The records that another one expands to.
    Expand,
    /// A change that a subscriber may be told of.
    Realtime,
    /// A file that needs a token.
    ProtectedFile,
    /// One of the requests of a batch.
    Batch,
    /// A sign-in with an OAuth2 provider.
    OAuth2,
    /// A sign-in with a one-time password.
    Otp,
    /// A sign-in with a password.
    Password,
}

impl RuleContext {
    /// The name that rules compare it with.
    pub fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Expand => "expand",
            Self::Realtime => "realtime",
            Self::ProtectedFile => "protectedFile",
            Self::Batch => "batch",
            Self::OAuth2 => "oauth2",
            Self::Otp => "otp",
            Self::Password => "password",
        }
    }
}

/// Named texts that are read only when a rule asks for one: few rules do, and every request has them.
#[derive(Clone)]
pub struct Parameters(Arc<LazyLock<Record, Box<dyn FnOnce() -> Record + Send>>>);

impl Parameters {
    /// Those that `read` gives.
    pub fn new(read: impl FnOnce() -> Record + Send + 'static) -> Self {
        Self(Arc::new(LazyLock::new(Box::new(read))))
    }
}

impl Default for Parameters {
    fn default() -> Self {
        Self::new(Record::new)
    }
}

impl From<Record> for Parameters {
    fn from(record: Record) -> Self {
        Self::new(move || record)
    }
}

impl Deref for Parameters {
    type Target = Record;

    fn deref(&self) -> &Record {
        &self.0
    }
}

impl fmt::Debug for Parameters {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The names alone: a header may be a secret.
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

/// A request as rules see it. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct RequestInfo {
    /// `@request.context`.
    pub context: RuleContext,
    /// `@request.method`, in capitals.
    pub method: String,
    /// `@request.auth.*`: who asks, if they have proved it.
    pub identity: Option<Identity>,
    /// `@request.query.*`: texts.
    pub query: Parameters,
    /// `@request.headers.*`: texts; names in lower case with `_` for `-`.
    pub headers: Parameters,
    /// `@request.body.*`: what was submitted, files as the names that they will have.
    pub body: Arc<Record>,
    /// The id that follows the request through jobs and logs.
    pub request_id: Option<String>,
    /// The address that it came from; rules do not see it.
    pub client_ip: String,
}

impl RequestInfo {
    /// A request of `identity` of which rules know nothing else.
    pub fn of(identity: Option<Identity>) -> Self {
        Self {
            identity,
            ..Self::default()
        }
    }

    /// The same request in another context.
    #[must_use]
    pub fn with_context(&self, context: RuleContext) -> Self {
        Self {
            context,
            ..self.clone()
        }
    }

    /// The same request with what was submitted.
    #[must_use]
    pub fn with_body(&self, body: Record) -> Self {
        Self {
            body: Arc::new(body),
            ..self.clone()
        }
    }

    /// What the client calls itself; empty when it does not say.
    pub fn user_agent(&self) -> &str {
        let named = self.headers.get("user_agent");
        named.and_then(Value::as_str).unwrap_or_default()
    }

    /// A text of the body, or else of the query; empty when it is in neither.
    pub(crate) fn parameter(&self, name: &str) -> &str {
        let query: &Record = &self.query;
        [&*self.body, query]
            .into_iter()
            .filter_map(|record| record.get(name).and_then(Value::as_str))
            .find(|text| !text.is_empty())
            .unwrap_or_default()
    }

    /// Whether an administrator asks: no rule applies.
    pub fn is_superuser(&self) -> bool {
        self.identity.as_ref().is_some_and(Identity::is_superuser)
    }
}
