//! What can go wrong in the database.

use std::path::PathBuf;

/// An error of the database.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be opened; the message says what to do.
    #[error("cannot open the database {path}: {reason}")]
    Open {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// The file is damaged.
    #[error("the database {path} is damaged ({reason}); restore a backup or move the file away")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What the engine said.
        reason: String,
    },
    /// The file was written by a newer mito.
    #[error(
        "the database {path} has {role} migration {found}, this mito knows {known}; \
         run the newer version"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The role whose migrations are ahead.
        role: String,
        /// The version in the file.
        found: u32,
        /// The newest version that this program knows.
        known: u32,
    },
    /// A uniqueness constraint was violated.
    #[error("{0} is not unique")]
    Unique(String),
    /// Another constraint was violated.
    #[error("constraint violated: {0}")]
    Constraint(String),
    /// The disk is full. Nothing was written.
    #[error("the disk is full")]
    Full,
    /// The write queue is full; try again later.
    #[error("the database is busy; try again")]
    Busy,
    /// A statement ran longer than its limit.
    #[error("the statement ran longer than its limit")]
    TimedOut,
    /// The database is shutting down.
    #[error("the database is closed")]
    Closed,
    /// A value has another type than was asked for, or a column does not exist.
    #[error("column {column}: {reason}")]
    Column {
        /// The column's name or number.
        column: String,
        /// What is wrong.
        reason: String,
    },
    /// The statement is wrong, or the engine failed.
    #[error("{message} (in: {sql})")]
    Statement {
        /// What the engine said.
        message: String,
        /// The statement, shortened.
        sql: String,
    },
    /// Another failure of the engine.
    #[error("database: {0}")]
    Engine(String),
}

impl Error {
    /// The same error for one more caller.
    pub(crate) fn again(&self) -> Self {
        match self {
            Self::Unique(what) => Self::Unique(what.clone()),
            Self::Constraint(what) => Self::Constraint(what.clone()),
            Self::Full => Self::Full,
            Self::Busy => Self::Busy,
            Self::TimedOut => Self::TimedOut,
            Self::Closed => Self::Closed,
            other => Self::Engine(other.to_string()),
        }
    }

    /// Whether the same call may succeed later without a change (503 with `Retry-After`). What was
    /// stopped may, when the machine has less to do; clients of the API are told to ask for less.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Busy | Self::TimedOut | Self::Closed)
    }
}

/// The longest statement text in an error, in bytes.
const SHOWN_SQL_BYTES: usize = 200;

/// `sql` on one line, cut to what a log line can carry.
pub(crate) fn shortened(sql: &str) -> String {
    let line = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.len() <= SHOWN_SQL_BYTES {
        return line;
    }
    let end = (0..=SHOWN_SQL_BYTES)
        .rev()
        .find(|&at| line.is_char_boundary(at))
        .unwrap_or(0);
    format!("{}…", &line[..end])
}
