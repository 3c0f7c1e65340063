//! When keys expire.

#![expect(
    clippy::unnecessary_wraps,
    reason = "commands have one shape, whether or not they can fail"
)]

use bytes::Bytes;

use super::{Flags, Keys, Spec, options::is};
use crate::{context::Context, fault::Fault, number::parse_integer, resp::Reply};

const READ: Flags = Flags::READ_ONLY.and(Flags::FAST);
const WRITE: Flags = Flags::WRITE.and(Flags::FAST);

/// What a number of a deadline means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Seconds,
    Milliseconds,
    /// Seconds since the Unix epoch.
    AtSeconds,
    /// Milliseconds since the Unix epoch.
    AtMilliseconds,
}

impl Unit {
    /// The unit that an option of `SET` and `GETEX` names.
    pub(crate) fn named(word: &[u8]) -> Option<Self> {
        match word {
            word if is(word, "EX") => Some(Self::Seconds),
            word if is(word, "PX") => Some(Self::Milliseconds),
            word if is(word, "EXAT") => Some(Self::AtSeconds),
            word if is(word, "PXAT") => Some(Self::AtMilliseconds),
            _ => None,
        }
    }

    fn absolute_ms(self, amount: i64, now_ms: i64) -> Option<i64> {
        match self {
            Self::Seconds => amount.checked_mul(1_000)?.checked_add(now_ms),
            Self::Milliseconds => amount.checked_add(now_ms),
            Self::AtSeconds => amount.checked_mul(1_000),
            Self::AtMilliseconds => Some(amount),
        }
    }
}

pub(crate) const TABLE: &[Spec] = &[
    spec("expire", -3, WRITE, |cx, args| {
        expire(cx, args, Unit::Seconds)
    }),
    spec("pexpire", -3, WRITE, |cx, args| {
        expire(cx, args, Unit::Milliseconds)
    }),
    spec("expireat", -3, WRITE, |cx, args| {
        expire(cx, args, Unit::AtSeconds)
    }),
    spec("pexpireat", -3, WRITE, |cx, args| {
        expire(cx, args, Unit::AtMilliseconds)
    }),
    spec("ttl", 2, READ, |cx, args| Ok(left(cx, &args[1], 1_000))),
    spec("pttl", 2, READ, |cx, args| Ok(left(cx, &args[1], 1))),
    spec("expiretime", 2, READ, |cx, args| {
        Ok(at(cx, &args[1], 1_000))
    }),
    spec("pexpiretime", 2, READ, |cx, args| Ok(at(cx, &args[1], 1))),
    spec("persist", 2, WRITE, persist),
];

const fn spec(name: &'static str, arity: i32, flags: Flags, run: super::Run) -> Spec {
    Spec {
        name,
        arity,
        flags,
        keys: Keys::FIRST,
        run,
    }
}

/// When a key expires that is given `amount`, which has to be more than 0; milliseconds since the
/// Unix epoch. `command` is named in the error.
pub(crate) fn deadline(
    cx: &Context<'_>,
    amount: &[u8],
    unit: Unit,
    command: &str,
) -> Result<i64, Fault> {
    let amount = parse_integer(amount)?;
    let at_ms = unit.absolute_ms(amount, cx.now_ms()).filter(|_| amount > 0);
    at_ms.ok_or_else(|| invalid(command))
}

fn invalid(command: &str) -> Fault {
    Fault::error(format!("ERR invalid expire time in '{command}' command"))
}

/// Sets or takes away a key's deadline; one that has passed removes the key.
pub(super) fn set(cx: &mut Context<'_>, key: &Bytes, expires_ms: Option<i64>) {
    match expires_ms {
        None => {
            if cx.expires_ms(key).is_some() {
                cx.set_deadline(key, None);
                cx.propagate(vec![vec![Bytes::from_static(b"PERSIST"), key.clone()]]);
            }
        }
        Some(at_ms) if at_ms <= cx.now_ms() && !cx.core.journal.is_loading() => {
            cx.remove(key);
            cx.propagate(vec![vec![Bytes::from_static(b"DEL"), key.clone()]]);
        }
        Some(at_ms) => {
            cx.set_deadline(key, Some(at_ms));
            let at_ms = Bytes::from(at_ms.to_string());
            cx.propagate(vec![vec![
                Bytes::from_static(b"PEXPIREAT"),
                key.clone(),
                at_ms,
            ]]);
        }
    }
}

#[derive(Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "one for each word of the command"
)]
struct Conditions {
    if_none: bool,
    if_some: bool,
    if_later: bool,
    if_earlier: bool,
}

fn expire(cx: &mut Context<'_>, args: &[Bytes], unit: Unit) -> Result<Reply, Fault> {
    let conditions = conditions(&args[3..])?;
    let amount = parse_integer(&args[2])?;
    let name = match unit {
        Unit::Seconds => "expire",
        Unit::Milliseconds => "pexpire",
        Unit::AtSeconds => "expireat",
        Unit::AtMilliseconds => "pexpireat",
    };
    let at_ms = unit
        .absolute_ms(amount, cx.now_ms())
        .ok_or_else(|| invalid(name))?;
    let key = &args[1];
    if !cx.exists(key) {
        return Ok(Reply::Integer(0));
    }
    let old_ms = cx.expires_ms(key);
    // A key without a deadline expires later than any other.
    let refused = (conditions.if_none && old_ms.is_some())
        || (conditions.if_some && old_ms.is_none())
        || (conditions.if_later && old_ms.is_none_or(|old_ms| at_ms <= old_ms))
        || (conditions.if_earlier && old_ms.is_some_and(|old_ms| at_ms >= old_ms));
    if refused {
        return Ok(Reply::Integer(0));
    }
    set(cx, key, Some(at_ms));
    Ok(Reply::Integer(1))
}

fn conditions(words: &[Bytes]) -> Result<Conditions, Fault> {
    let mut conditions = Conditions::default();
    for word in words {
        match word {
            word if is(word, "NX") => conditions.if_none = true,
            word if is(word, "XX") => conditions.if_some = true,
            word if is(word, "GT") => conditions.if_later = true,
            word if is(word, "LT") => conditions.if_earlier = true,
            word => {
                let word = String::from_utf8_lossy(word);
                return Err(Fault::error(format!("ERR Unsupported option {word}")));
            }
        }
    }
    let others = conditions.if_some || conditions.if_later || conditions.if_earlier;
    if conditions.if_none && others {
        return Err(Fault::error(
            "ERR NX and XX, GT or LT options at the same time are not compatible",
        ));
    }
    if conditions.if_later && conditions.if_earlier {
        return Err(Fault::error(
            "ERR GT and LT options at the same time are not compatible",
        ));
    }
    Ok(conditions)
}

/// What is left, rounded to `unit_ms`: -2 without the key, -1 without a deadline.
fn left(cx: &mut Context<'_>, key: &Bytes, unit_ms: i64) -> Reply {
    if !cx.exists(key) {
        return Reply::Integer(-2);
    }
    let now_ms = cx.now_ms();
    Reply::Integer(cx.expires_ms(key).map_or(-1, |at_ms| {
        ((at_ms - now_ms).max(0) + unit_ms / 2) / unit_ms
    }))
}

fn at(cx: &mut Context<'_>, key: &Bytes, unit_ms: i64) -> Reply {
    if !cx.exists(key) {
        return Reply::Integer(-2);
    }
    Reply::Integer(
        cx.expires_ms(key)
            .map_or(-1, |at_ms| (at_ms + unit_ms / 2) / unit_ms),
    )
}

fn persist(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    if cx.expires_ms(&args[1]).is_none() {
        return Ok(Reply::Integer(0));
    }
    set(cx, &args[1], None);
    Ok(Reply::Integer(1))
}
