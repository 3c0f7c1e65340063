//! Keys, whatever they hold.

#![expect(
    clippy::unnecessary_wraps,
    reason = "commands have one shape, whether or not they can fail"
)]

use bytes::Bytes;

use super::{Flags, Keys, Spec, options::is, strings::count};
use crate::{
    context::Context, core::DATABASES, data::Value, database::Entry, fault::Fault,
    number::parse_integer, resp::Reply,
};

const READ: Flags = Flags::READ_ONLY.and(Flags::FAST);
const ALL: Keys = Keys::range(1, -1, 1);

macro_rules! spec {
    ($name:literal, $arity:literal, $flags:expr, $keys:expr, $run:expr) => {
        Spec {
            name: $name,
            arity: $arity,
            flags: $flags,
            keys: $keys,
            run: $run,
        }
    };
}

pub(crate) const TABLE: &[Spec] = &[
    spec!("del", -2, Flags::WRITE, ALL, del),
    spec!("unlink", -2, Flags::WRITE.and(Flags::FAST), ALL, del),
    spec!("exists", -2, READ, ALL, exists),
    spec!("touch", -2, READ, ALL, touch),
    spec!("type", 2, READ, Keys::FIRST, type_of),
    spec!("rename", 3, Flags::WRITE, Keys::range(1, 2, 1), rename),
    spec!(
        "renamenx",
        3,
        Flags::WRITE.and(Flags::FAST),
        Keys::range(1, 2, 1),
        renamenx
    ),
    spec!(
        "copy",
        -3,
        Flags::WRITE.and(Flags::DENY_OOM),
        Keys::range(1, 2, 1),
        copy
    ),
    spec!(
        "move",
        3,
        Flags::WRITE.and(Flags::FAST),
        Keys::FIRST,
        move_key
    ),
    spec!("randomkey", 1, Flags::READ_ONLY, Keys::NONE, random_key),
    spec!("dbsize", 1, READ, Keys::NONE, dbsize),
    spec!("flushdb", -1, Flags::WRITE, Keys::NONE, flushdb),
    spec!(
        "swapdb",
        3,
        Flags::WRITE.and(Flags::FAST),
        Keys::NONE,
        swapdb
    ),
    spec!("object", -2, Flags::READ_ONLY, Keys::range(2, 2, 1), object),
    spec!("memory", -2, Flags::READ_ONLY, Keys::range(2, 2, 1), memory),
];

fn del(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    Ok(count(args[1..].iter().filter(|key| cx.remove(key)).count()))
}

fn exists(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    Ok(count(args[1..].iter().filter(|key| cx.exists(key)).count()))
}

fn touch(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let now_ms = cx.now_ms();
    let mut touched = 0;
    for key in &args[1..] {
        if !cx.exists(key) {
            continue;
        }
        touched += 1;
        let (db, core) = (cx.db, &mut *cx.core);
        if let Some(entry) = core.databases[db].get_mut(key) {
            crate::eviction::used(entry, now_ms, &core.draw);
        }
    }
    Ok(count(touched))
}

fn type_of(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let name = cx.entry(&args[1]).map(|entry| entry.value.type_name());
    Ok(Reply::Status(name.unwrap_or("none")))
}

fn rename(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    if !cx.exists(&args[1]) {
        return Err(Fault::NO_SUCH_KEY);
    }
    if args[1] != args[2] {
        rename_to(cx, &args[1], &args[2]);
    }
    Ok(Reply::OK)
}

fn renamenx(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    if !cx.exists(&args[1]) {
        return Err(Fault::NO_SUCH_KEY);
    }
    if cx.exists(&args[2]) {
        return Ok(Reply::Integer(0));
    }
    rename_to(cx, &args[1], &args[2]);
    Ok(Reply::Integer(1))
}

fn rename_to(cx: &mut Context<'_>, from: &Bytes, to: &Bytes) {
    if let Some(Entry {
        value, expires_ms, ..
    }) = cx.take(from)
    {
        put(cx, to, value, expires_ms);
    }
}

fn put(cx: &mut Context<'_>, key: &Bytes, value: Value, expires_ms: Option<i64>) {
    cx.set_value(key, value);
    if expires_ms.is_some() {
        cx.set_deadline(key, expires_ms);
    }
}

fn copy(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let (mut replace, mut to_db) = (false, cx.db);
    let mut words = args[3..].iter();
    while let Some(word) = words.next() {
        if is(word, "REPLACE") {
            replace = true;
        } else if is(word, "DB") {
            to_db = database_number(words.next().ok_or(Fault::SYNTAX)?)?;
        } else {
            return Err(Fault::SYNTAX);
        }
    }
    if to_db == cx.db && args[1] == args[2] {
        return Err(Fault::error(
            "ERR source and destination objects are the same",
        ));
    }
    let Some(entry) = cx.entry(&args[1]) else {
        return Ok(Reply::Integer(0));
    };
    let (value, expires_ms) = (entry.value.clone(), entry.expires_ms);
    in_database(cx, to_db, |cx| {
        if cx.exists(&args[2]) && !replace {
            return Ok(Reply::Integer(0));
        }
        put(cx, &args[2], value, expires_ms);
        Ok(Reply::Integer(1))
    })
}

fn move_key(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let to_db = database_number(&args[2])?;
    if to_db == cx.db {
        return Err(Fault::error(
            "ERR source and destination objects are the same",
        ));
    }
    if !cx.exists(&args[1]) || in_database(cx, to_db, |cx| Ok(cx.exists(&args[1])))? {
        return Ok(Reply::Integer(0));
    }
    if let Some(Entry {
        value, expires_ms, ..
    }) = cx.take(&args[1])
    {
        in_database(cx, to_db, |cx| {
            put(cx, &args[1], value, expires_ms);
            Ok(())
        })?;
    }
    Ok(Reply::Integer(1))
}

/// Works on another database of the same executor.
fn in_database<T>(
    cx: &mut Context<'_>,
    db: usize,
    work: impl FnOnce(&mut Context<'_>) -> Result<T, Fault>,
) -> Result<T, Fault> {
    if !cx.core.is_home_of(db) {
        return Err(Fault::error(format!(
            "ERR database {db} is kept by other rules than this one: read and write instead"
        )));
    }
    let here = std::mem::replace(&mut cx.db, db);
    let worked = work(cx);
    cx.db = here;
    worked
}

/// The number of a database, as a client names it.
pub(crate) fn database_number(word: &[u8]) -> Result<usize, Fault> {
    let number = parse_integer(word)?;
    usize::try_from(number)
        .ok()
        .filter(|number| *number < DATABASES)
        .ok_or_else(|| Fault::error("ERR DB index is out of range"))
}

fn random_key(cx: &mut Context<'_>, _: &[Bytes]) -> Result<Reply, Fault> {
    Ok(cx.random_key().map_or(Reply::Nil, Reply::bulk))
}

fn dbsize(cx: &mut Context<'_>, _: &[Bytes]) -> Result<Reply, Fault> {
    Ok(count(cx.database().len()))
}

fn flushdb(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    check_flush(args)?;
    let db = cx.db;
    cx.core.clear(db);
    cx.changed_elsewhere();
    cx.propagate(vec![vec![Bytes::from_static(b"FLUSHDB")]]);
    Ok(Reply::OK)
}

/// `FLUSHDB` and `FLUSHALL` take one word, which changes nothing here.
pub(crate) fn check_flush(args: &[Bytes]) -> Result<(), Fault> {
    match args {
        [_] => Ok(()),
        [_, word] if is(word, "SYNC") || is(word, "ASYNC") => Ok(()),
        _ => Err(Fault::SYNTAX),
    }
}

fn swapdb(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let invalid = |which| move |_| Fault::error(format!("ERR invalid {which} DB index"));
    parse_integer(&args[1]).map_err(invalid("first"))?;
    parse_integer(&args[2]).map_err(invalid("second"))?;
    let (one, other) = (database_number(&args[1])?, database_number(&args[2])?);
    for db in [one, other] {
        in_database(cx, db, |_| Ok(()))?;
    }
    if one != other {
        cx.core.swap(one, other);
        cx.changed_elsewhere();
    }
    Ok(Reply::OK)
}

fn object(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let [_, what, key] = args else {
        return Err(subcommand(args, "object"));
    };
    let (now_ms, lfu) = (cx.now_ms(), cx.core.memory.policy.is_lfu());
    let Some(entry) = cx.entry(key) else {
        return Ok(Reply::Nil);
    };
    match what {
        what if is(what, "ENCODING") => Ok(Reply::bulk(encoding(&entry.value))),
        what if is(what, "REFCOUNT") => Ok(Reply::Integer(1)),
        what if is(what, "IDLETIME") && lfu => Err(Fault::error(
            "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when \
             switching between policies at runtime LRU and LFU data will take some time to adjust.",
        )),
        what if is(what, "IDLETIME") => Ok(Reply::Integer((now_ms - entry.used_ms).max(0) / 1_000)),
        what if is(what, "FREQ") && !lfu => Err(Fault::error(
            "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please \
             note that when switching between policies at runtime LRU and LFU data will take some \
             time to adjust.",
        )),
        what if is(what, "FREQ") => Ok(Reply::Integer(entry.frequency.into())),
        _ => Err(subcommand(args, "object")),
    }
}

/// The encoding that Redis would have chosen, as far as programs look at it.
fn encoding(value: &Value) -> &'static str {
    const SMALL: usize = 128;
    const MOST_INTEGERS: usize = 512;
    match value {
        Value::String(text) if parse_integer(text).is_ok() => "int",
        Value::String(text) if text.len() <= 44 => "embstr",
        Value::String(_) => "raw",
        Value::List(_) => "quicklist",
        Value::Set(set)
            if set
                .iter()
                .take(MOST_INTEGERS + 1)
                .all(|member| parse_integer(member).is_ok())
                && set.len() <= MOST_INTEGERS =>
        {
            "intset"
        }
        Value::Set(_) | Value::Hash(_) if value.len() > SMALL => "hashtable",
        Value::SortedSet(_) if value.len() > SMALL => "skiplist",
        Value::Set(_) | Value::Hash(_) | Value::SortedSet(_) => "listpack",
        Value::Stream(_) => "stream",
    }
}

/// What a client is told of a subcommand that is not there.
pub(crate) fn subcommand(args: &[Bytes], name: &str) -> Fault {
    let word = args
        .get(1)
        .map(|word| String::from_utf8_lossy(word).into_owned());
    let (word, upper) = (word.unwrap_or_default(), name.to_ascii_uppercase());
    Fault::error(format!(
        "ERR unknown subcommand '{word}'. Try {upper} HELP."
    ))
}

fn memory(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    match args {
        [_, what, key, ..] if is(what, "USAGE") => {
            let bytes = cx.entry(key).map(|entry| entry.value.memory_bytes());
            let whole = bytes.map(|bytes| bytes + key.len() as u64 + 128);
            Ok(whole.map_or(Reply::Nil, |bytes| {
                count(usize::try_from(bytes).unwrap_or(usize::MAX))
            }))
        }
        [_, what] if is(what, "DOCTOR") => Ok(Reply::Verbatim(
            "Memory is counted by keys and values; see INFO memory.".to_owned(),
        )),
        [_, what] if is(what, "PURGE") => Ok(Reply::OK),
        _ => Err(subcommand(args, "memory")),
    }
}
