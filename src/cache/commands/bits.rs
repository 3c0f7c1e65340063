//! Strings as arrays of bits.

use bytes::Bytes;

use super::{
    Flags, Keys, Spec,
    options::is,
    strings::{MAX_STRING_BYTES, change, count},
};
use crate::{context::Context, data::Value, fault::Fault, number::parse_integer, resp::Reply};

const WRITE: Flags = Flags::WRITE.and(Flags::DENY_OOM);
const READ: Flags = Flags::READ_ONLY;

pub(crate) const TABLE: &[Spec] = &[
    Spec {
        name: "setbit",
        arity: 4,
        flags: WRITE,
        keys: Keys::FIRST,
        run: setbit,
    },
    Spec {
        name: "getbit",
        arity: 3,
        flags: READ.and(Flags::FAST),
        keys: Keys::FIRST,
        run: getbit,
    },
    Spec {
        name: "bitcount",
        arity: -2,
        flags: READ,
        keys: Keys::FIRST,
        run: bitcount,
    },
    Spec {
        name: "bitpos",
        arity: -3,
        flags: READ,
        keys: Keys::FIRST,
        run: bitpos,
    },
    Spec {
        name: "bitop",
        arity: -4,
        flags: WRITE,
        keys: Keys::range(2, -1, 1),
        run: bitop,
    },
];

fn offset(word: &[u8]) -> Result<usize, Fault> {
    parse_integer(word)
        .ok()
        .and_then(|offset| usize::try_from(offset).ok())
        .filter(|offset| offset / 8 < MAX_STRING_BYTES)
        .ok_or_else(|| Fault::error("ERR bit offset is not an integer or out of range"))
}

fn bit(word: &[u8], error: &'static str) -> Result<bool, Fault> {
    match word {
        b"0" => Ok(false),
        b"1" => Ok(true),
        _ => Err(Fault::error(error)),
    }
}

/// The value of the bit at `at`; bits beyond the end are 0.
fn bit_of(text: &[u8], at: usize) -> bool {
    text.get(at / 8)
        .is_some_and(|byte| byte & (0x80 >> (at % 8)) != 0)
}

fn setbit(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let at = offset(&args[2])?;
    let on = bit(&args[3], "ERR bit is not an integer or out of range")?;
    let old = cx
        .read::<Bytes>(&args[1])?
        .is_some_and(|text| bit_of(text, at));
    change(cx, &args[1], |text| {
        if text.len() <= at / 8 {
            text.resize(at / 8 + 1, 0);
        }
        let mask = 0x80 >> (at % 8);
        let byte = &mut text[at / 8];
        *byte = if on { *byte | mask } else { *byte & !mask };
    })?;
    Ok(Reply::Integer(old.into()))
}

fn getbit(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let at = offset(&args[2])?;
    let text = cx.read::<Bytes>(&args[1])?;
    Ok(Reply::Integer(
        text.is_some_and(|text| bit_of(text, at)).into(),
    ))
}

/// The bits from `start` to before `end`, both counted from the end when negative, in bytes or,
/// with `BIT`, in bits.
fn bounds(words: &[Bytes], bits: usize, open_end: bool) -> Result<(usize, usize), Fault> {
    let unit = match words.get(2) {
        None => 8,
        Some(word) if is(word, "BYTE") => 8,
        Some(word) if is(word, "BIT") => 1,
        Some(_) => return Err(Fault::SYNTAX),
    };
    let start = words.first().map_or(Ok(0), |word| parse_integer(word))?;
    let end = match words.get(1) {
        None if open_end || words.is_empty() => -1,
        None => return Err(Fault::SYNTAX),
        Some(word) => parse_integer(word)?,
    };
    let length = i64::try_from(bits / unit).unwrap_or(i64::MAX);
    let from_start = |at: i64| if at < 0 { (length + at).max(0) } else { at };
    if start < 0 && end < 0 && start > end {
        return Ok((0, 0));
    }
    let (start, end) = (from_start(start), from_start(end).min(length - 1));
    let place = |at: i64| usize::try_from(at).unwrap_or(0).saturating_mul(unit);
    Ok((place(start), place(end + 1)))
}

fn bitcount(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    if args.len() == 3 || args.len() > 5 {
        return Err(Fault::SYNTAX);
    }
    let text = cx.read::<Bytes>(&args[1])?.cloned().unwrap_or_default();
    let (start, end) = bounds(&args[2..], text.len() * 8, false)?;
    if start >= end {
        return Ok(Reply::Integer(0));
    }
    let (first, last) = (start.div_ceil(8), end / 8);
    if first >= last {
        return Ok(count((start..end).filter(|at| bit_of(&text, *at)).count()));
    }
    let whole: u64 = text[first..last]
        .iter()
        .map(|byte| u64::from(byte.count_ones()))
        .sum();
    let edges = (start..first * 8).chain(last * 8..end);
    let edges = edges.filter(|at| bit_of(&text, *at)).count();
    Ok(count(usize::try_from(whole).unwrap_or(usize::MAX) + edges))
}

fn bitpos(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    if args.len() > 6 {
        return Err(Fault::SYNTAX);
    }
    let wanted = bit(&args[2], "ERR The bit argument must be 1 or 0.")?;
    let has_end = args.len() >= 5;
    let Some(text) = cx.read::<Bytes>(&args[1])?.cloned() else {
        return Ok(Reply::Integer(if wanted { -1 } else { 0 }));
    };
    let (start, end) = bounds(&args[3..], text.len() * 8, true)?;
    let skipped = if wanted { 0 } else { 0xff };
    let mut at = start;
    while at < end {
        if at % 8 == 0 && at + 8 <= end && text[at / 8] == skipped {
            at += 8;
            continue;
        }
        if bit_of(&text, at) == wanted {
            return Ok(count(at));
        }
        at += 1;
    }
    // A string is followed by zeros without end, unless the end was named.
    if !wanted && !has_end && start < end {
        return Ok(count(text.len() * 8));
    }
    Ok(Reply::Integer(-1))
}

fn bitop(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let not = is(&args[1], "NOT");
    if not && args.len() != 4 {
        return Err(Fault::error(
            "ERR BITOP NOT must be called with a single source key.",
        ));
    }
    let combine: fn(u8, u8) -> u8 = match &args[1] {
        word if is(word, "AND") => |one, other| one & other,
        word if is(word, "OR") => |one, other| one | other,
        word if is(word, "XOR") => |one, other| one ^ other,
        _ if not => |one, _| !one,
        _ => return Err(Fault::SYNTAX),
    };
    let mut sources = Vec::new();
    for key in &args[3..] {
        sources.push(cx.read::<Bytes>(key)?.cloned().unwrap_or_default());
    }
    let length = sources.iter().map(Bytes::len).max().unwrap_or(0);
    if length == 0 {
        cx.remove(&args[2]);
        return Ok(Reply::Integer(0));
    }
    let byte = |source: &Bytes, at: usize| source.get(at).copied().unwrap_or(0);
    let bytes = (0..length).map(|at| {
        let first = byte(&sources[0], at);
        if not {
            return combine(first, 0);
        }
        sources[1..]
            .iter()
            .fold(first, |all, source| combine(all, byte(source, at)))
    });
    let result: Vec<u8> = bytes.collect();
    cx.set_value(&args[2], Value::String(Bytes::from(result)));
    Ok(count(length))
}
