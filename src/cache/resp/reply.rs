//! What a command answers, before it is written in one of the two protocol versions.

use bytes::Bytes;

/// An answer. Values of RESP3 that RESP2 does not know are written as what Redis writes instead.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Reply {
    /// `+OK` and the like: one line of text.
    Status(&'static str),
    /// A line of text that was made up at run time, without line breaks.
    Line(String),
    /// An error: `CODE message`, without the leading `-` and without line breaks.
    Error(String),
    /// A whole number.
    Integer(i64),
    /// A string of bytes.
    Bulk(Bytes),
    /// The absence of a value.
    Nil,
    /// The absence of an array: `*-1` in RESP2, null in RESP3.
    NilArray,
    /// An array.
    Array(Vec<Reply>),
    /// Pairs; a flat array in RESP2.
    Map(Vec<(Reply, Reply)>),
    /// An array without order in RESP3.
    Set(Vec<Reply>),
    /// A floating-point number; a string in RESP2.
    Double(f64),
    /// `true` or `false`; 1 or 0 in RESP2.
    Boolean(bool),
    /// Text for people (`INFO`, `CLIENT LIST`); a string in RESP2.
    Verbatim(String),
    /// A message that was not asked for; an array in RESP2.
    Push(Vec<Reply>),
}

impl Reply {
    /// `+OK`.
    pub(crate) const OK: Self = Self::Status("OK");

    /// A string of bytes, copied.
    pub(crate) fn bulk(bytes: impl AsRef<[u8]>) -> Self {
        Self::Bulk(Bytes::copy_from_slice(bytes.as_ref()))
    }

    /// An error of the code that Redis uses when there is no better one.
    pub(crate) fn error(message: impl std::fmt::Display) -> Self {
        Self::Error(format!("ERR {message}"))
    }

    /// Whether it is an error.
    pub(crate) fn is_error(&self) -> bool {
        matches!(self, Self::Error(_))
    }
}
