//! The commands: one table for each family, looked up by name.

use std::{collections::HashMap, sync::LazyLock};

use bytes::Bytes;
use foldhash::fast::RandomState;

use crate::{context::Context, fault::Fault, resp::Reply};

mod bits;
mod expiry;
mod hashes;
mod keys;
mod lists;
pub(crate) mod options;
mod scan;
mod session;
mod sets;
mod sorted_sets;
mod streams;
mod strings;

pub(crate) use keys::{check_flush, database_number, subcommand};

/// What a command does with the keyspace. The number of arguments has been checked.
pub(crate) type Run = fn(&mut Context<'_>, &[Bytes]) -> Result<Reply, Fault>;

/// What is known of a command.
#[derive(Debug)]
pub(crate) struct Spec {
    /// In lower case.
    pub(crate) name: &'static str,
    /// How many words it has; negative: at least so many.
    pub(crate) arity: i32,
    pub(crate) flags: Flags,
    pub(crate) keys: Keys,
    pub(crate) run: Run,
}

impl Spec {
    /// Runs it on the keyspace.
    pub(crate) fn run_data(
        &self,
        context: &mut Context<'_>,
        arguments: &[Bytes],
    ) -> Result<Reply, Fault> {
        (self.run)(context, arguments)
    }

    /// Refuses a wrong number of words.
    pub(crate) fn check_arity(&self, words: usize) -> Result<(), Fault> {
        let words = i32::try_from(words).unwrap_or(i32::MAX);
        let fits = if self.arity < 0 {
            words >= -self.arity
        } else {
            words == self.arity
        };
        if fits {
            return Ok(());
        }
        let name = self.name;
        Err(Fault::error(format!(
            "ERR wrong number of arguments for '{name}' command"
        )))
    }
}

/// What a command is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flags(u16);

impl Flags {
    pub(crate) const WRITE: Self = Self(1);
    pub(crate) const READ_ONLY: Self = Self(1 << 1);
    pub(crate) const DENY_OOM: Self = Self(1 << 2);
    pub(crate) const FAST: Self = Self(1 << 3);
    pub(crate) const BLOCKING: Self = Self(1 << 4);
    pub(crate) const NO_SCRIPT: Self = Self(1 << 5);
    /// Concerns the connection, not the keyspace.
    pub(crate) const SESSION: Self = Self(1 << 6);
    /// Allowed before signing in.
    pub(crate) const NO_AUTH: Self = Self(1 << 7);
    /// Allowed while subscribed in version 2 of the protocol.
    pub(crate) const PUB_SUB: Self = Self(1 << 8);
    pub(crate) const ADMIN: Self = Self(1 << 9);
    /// Not kept for `EXEC` but run at once.
    pub(crate) const NO_MULTI: Self = Self(1 << 10);

    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The names that `COMMAND INFO` shows.
    pub(crate) fn names(self) -> Vec<&'static str> {
        const NAMES: [(Flags, &str); 8] = [
            (Flags::WRITE, "write"),
            (Flags::READ_ONLY, "readonly"),
            (Flags::DENY_OOM, "denyoom"),
            (Flags::FAST, "fast"),
            (Flags::BLOCKING, "blocking"),
            (Flags::NO_SCRIPT, "noscript"),
            (Flags::NO_AUTH, "no_auth"),
            (Flags::ADMIN, "admin"),
        ];
        let held = NAMES.iter().filter(|(flag, _)| self.contains(*flag));
        held.map(|(_, name)| *name).collect()
    }
}

impl std::ops::BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.and(other)
    }
}

/// Where the keys stand among the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    None,
    /// First, last (negative: from the end) and step.
    Range {
        first: i32,
        last: i32,
        step: i32,
    },
    /// The word at this index says how many follow it.
    Numbered(usize),
    /// The first word after the name, and those that the second one counts.
    Destination,
    /// After the word `STREAMS`, half of the rest.
    Streams,
}

impl Keys {
    pub(crate) const NONE: Self = Self::None;
    /// The first word after the name.
    pub(crate) const FIRST: Self = Self::range(1, 1, 1);

    pub(crate) const fn range(first: i32, last: i32, step: i32) -> Self {
        Self::Range { first, last, step }
    }

    pub(crate) const fn numbered(index: usize) -> Self {
        Self::Numbered(index)
    }

    /// First, last and step as `COMMAND INFO` shows them.
    pub(crate) fn shown(self) -> [i64; 3] {
        match self {
            Self::Range { first, last, step } => [first.into(), last.into(), step.into()],
            Self::Destination => [1, 1, 1],
            Self::None | Self::Numbered(_) | Self::Streams => [0, 0, 0],
        }
    }

    /// The keys among `arguments`.
    pub(crate) fn of(self, arguments: &[Bytes]) -> Vec<Bytes> {
        match self {
            Self::None => Vec::new(),
            Self::Range { first, last, step } => {
                let count = i32::try_from(arguments.len()).unwrap_or(i32::MAX);
                let last = if last < 0 { count + last } else { last };
                let step = usize::try_from(step.max(1)).unwrap_or(1);
                let places = usize::try_from(first).unwrap_or(0)
                    ..usize::try_from(last + 1).unwrap_or(0).min(arguments.len());
                places
                    .step_by(step)
                    .map(|at| arguments[at].clone())
                    .collect()
            }
            Self::Numbered(index) => {
                let count = arguments
                    .get(index)
                    .and_then(|text| crate::number::parse_integer(text).ok());
                let count = usize::try_from(count.unwrap_or(0)).unwrap_or(0);
                arguments
                    .iter()
                    .skip(index + 1)
                    .take(count)
                    .cloned()
                    .collect()
            }
            Self::Destination => {
                let destination = arguments.get(1).cloned();
                let sources = Self::Numbered(2).of(arguments);
                destination.into_iter().chain(sources).collect()
            }
            Self::Streams => {
                let at = arguments
                    .iter()
                    .position(|word| word.eq_ignore_ascii_case(b"streams"));
                let rest = &arguments[at.map_or(arguments.len(), |at| at + 1)..];
                rest[..rest.len() / 2].to_vec()
            }
        }
    }
}

const TABLES: &[&[Spec]] = &[
    bits::TABLE,
    expiry::TABLE,
    hashes::TABLE,
    keys::TABLE,
    lists::TABLE,
    lists::blocking::TABLE,
    scan::TABLE,
    session::TABLE,
    sets::TABLE,
    sets::algebra::TABLE,
    sorted_sets::TABLE,
    streams::TABLE,
    streams::reading::TABLE,
    streams::state::TABLE,
    strings::TABLE,
];

static BY_NAME: LazyLock<HashMap<&'static str, &'static Spec, RandomState>> = LazyLock::new(|| {
    let all = TABLES.iter().copied().flatten();
    all.map(|spec| (spec.name, spec)).collect()
});

/// The longest name that is looked up.
const MAX_NAME_BYTES: usize = 24;

/// The command called `name`, in whatever case.
pub(crate) fn find(name: &[u8]) -> Option<&'static Spec> {
    let mut lower = [0; MAX_NAME_BYTES];
    let lower = lower.get_mut(..name.len())?;
    lower.copy_from_slice(name);
    lower.make_ascii_lowercase();
    BY_NAME.get(std::str::from_utf8(lower).ok()?).copied()
}

/// Every command.
pub(crate) fn all() -> impl Iterator<Item = &'static Spec> {
    BY_NAME.values().copied()
}

/// What a client is told of a command that is not there.
pub(crate) fn unknown(arguments: &[Bytes]) -> Fault {
    const SHOWN_BYTES: usize = 128;
    let shown = |word: &Bytes| {
        let word = &word[..word.len().min(SHOWN_BYTES)];
        String::from_utf8_lossy(word).into_owned()
    };
    let name = arguments.first().map(shown).unwrap_or_default();
    let mut beginning = String::new();
    for word in arguments.iter().skip(1) {
        if beginning.len() >= SHOWN_BYTES {
            break;
        }
        beginning.push('\'');
        beginning.push_str(&shown(word));
        beginning.push_str("' ");
    }
    Fault::error(format!(
        "ERR unknown command '{name}', with args beginning with: {beginning}"
    ))
}
