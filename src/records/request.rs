//! What rules know of a request: `@request.*`.

use std::sync::Arc;

use mito_network::Identity;

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
    pub query: Arc<Record>,
    /// `@request.headers.*`: texts; names in lower case with `_` for `-`.
    pub headers: Arc<Record>,
    /// `@request.body.*`: what was submitted, files as the names that they will have.
    pub body: Arc<Record>,
    /// The id that follows the request through jobs and logs.
    pub request_id: Option<String>,
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

    /// Whether an administrator asks: no rule applies.
    pub fn is_superuser(&self) -> bool {
        self.identity.as_ref().is_some_and(Identity::is_superuser)
    }
}
