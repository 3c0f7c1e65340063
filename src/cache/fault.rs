//! Why a command has no ordinary answer.

use std::{borrow::Cow, time::Duration};

use bytes::Bytes;

use crate::resp::Reply;

/// An error of Redis, or the wish to wait.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fault {
    /// What the client is told: `CODE message`.
    Error(Cow<'static, str>),
    /// There is nothing yet.
    Wait(Box<Wait>),
}

/// What a blocking command waits for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Wait {
    /// The keys whose change may end it.
    pub(crate) keys: Vec<Bytes>,
    /// How long; `None` is for ever.
    pub(crate) timeout: Option<Duration>,
    /// The answer when the time is over, and inside transactions and scripts.
    pub(crate) otherwise: Reply,
    /// What is run when a key has changed, unless it is the command as it came.
    pub(crate) again: Option<Vec<Bytes>>,
}

impl Fault {
    pub(crate) const WRONG_TYPE: Self = Self::Error(Cow::Borrowed(
        "WRONGTYPE Operation against a key holding the wrong kind of value",
    ));
    pub(crate) const SYNTAX: Self = Self::Error(Cow::Borrowed("ERR syntax error"));
    pub(crate) const NOT_AN_INTEGER: Self =
        Self::Error(Cow::Borrowed("ERR value is not an integer or out of range"));
    pub(crate) const NOT_A_FLOAT: Self =
        Self::Error(Cow::Borrowed("ERR value is not a valid float"));
    pub(crate) const OUT_OF_RANGE: Self = Self::Error(Cow::Borrowed("ERR index out of range"));
    pub(crate) const NO_SUCH_KEY: Self = Self::Error(Cow::Borrowed("ERR no such key"));
    pub(crate) const OUT_OF_MEMORY: Self = Self::Error(Cow::Borrowed(
        "OOM command not allowed when used memory > 'maxmemory'.",
    ));

    /// An error with its code.
    pub(crate) fn error(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Error(text.into())
    }

    /// The answer, where waiting is not possible.
    pub(crate) fn into_reply(self) -> Reply {
        match self {
            Self::Error(text) => Reply::Error(text.into_owned()),
            Self::Wait(wait) => wait.otherwise,
        }
    }
}
