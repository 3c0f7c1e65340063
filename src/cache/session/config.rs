//! `CONFIG`: what Redis's programs ask for and may change while it runs. What is changed here lasts
//! until the next start; `mito.toml` is where it is kept.

use std::sync::atomic::Ordering;

use bytes::Bytes;

use crate::{
    commands::{self, options::is},
    core::DATABASES,
    engine::Engine,
    eviction::Policy,
    fault::Fault,
    glob,
    number::parse_integer,
    resp::Reply,
};

/// `CONFIG`.
pub(super) fn config(engine: &mut Engine, _: usize, arguments: &[Bytes]) -> Result<Reply, Fault> {
    match &arguments[1..] {
        [what, patterns @ ..] if is(what, "GET") && !patterns.is_empty() => {
            let lower: Vec<Vec<u8>> = patterns
                .iter()
                .map(|word| word.to_ascii_lowercase())
                .collect();
            let shown = values(engine).into_iter().filter(|(name, _)| {
                lower
                    .iter()
                    .any(|pattern| glob::matches(pattern, name.as_bytes()))
            });
            let pairs = shown.map(|(name, value)| (Reply::bulk(name), Reply::bulk(value)));
            Ok(Reply::Map(pairs.collect()))
        }
        [what, pairs @ ..] if is(what, "SET") && !pairs.is_empty() => {
            let (pairs, rest) = pairs.as_chunks::<2>();
            if !rest.is_empty() {
                return Err(Fault::error(
                    "ERR wrong number of arguments for 'config|set' command",
                ));
            }
            for [name, value] in pairs {
                set(engine, name, value)?;
            }
            Ok(Reply::OK)
        }
        [what] if is(what, "RESETSTAT") => {
            engine.core.counters = crate::core::Counters::default();
            engine.shared.commands.store(0, Ordering::Relaxed);
            Ok(Reply::OK)
        }
        [what] if is(what, "REWRITE") => Err(Fault::error(
            "ERR The server is running without a config file",
        )),
        _ => Err(commands::subcommand(arguments, "config")),
    }
}

fn values(engine: &Engine) -> Vec<(&'static str, String)> {
    let core = &engine.core;
    let yes = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    vec![
        ("appendfsync", core.journal.fsync_name().to_owned()),
        ("appendonly", yes(core.journal.log().is_some())),
        ("databases", DATABASES.to_string()),
        ("maxmemory", core.memory.max_bytes.to_string()),
        ("maxmemory-policy", core.memory.policy.name().to_owned()),
        (
            "proto-max-bulk-len",
            engine.shared.max_request_bytes.to_string(),
        ),
        ("save", String::new()),
        (
            "slowlog-log-slower-than",
            engine
                .shared
                .slow_micros
                .load(Ordering::Relaxed)
                .to_string(),
        ),
        ("slowlog-max-len", "128".to_owned()),
        ("timeout", "0".to_owned()),
    ]
}

fn set(engine: &mut Engine, name: &[u8], value: &[u8]) -> Result<(), Fault> {
    let refused = |why: &str| {
        let name = String::from_utf8_lossy(name);
        Fault::error(format!(
            "ERR CONFIG SET failed (possibly related to argument '{name}') - {why}"
        ))
    };
    match name {
        name if is(name, "maxmemory") => {
            let bytes = memory(value).ok_or_else(|| refused("argument must be a memory value"))?;
            engine.core.memory.max_bytes = bytes;
        }
        name if is(name, "maxmemory-policy") => {
            let policy = Policy::ALL
                .into_iter()
                .find(|policy| is(value, policy.name()));
            engine.core.memory.policy = policy.ok_or_else(|| {
                refused("argument must be one of Redis's policies, such as noeviction")
            })?;
        }
        name if is(name, "slowlog-log-slower-than") => {
            let micros = parse_integer(value)
                .map_err(|_| refused("argument couldn't be parsed into an integer"))?;
            engine.shared.slow_micros.store(micros, Ordering::Relaxed);
        }
        name if is(name, "save") && value.is_empty() => {}
        name if values(engine).iter().any(|(known, _)| is(name, known)) => {
            return Err(refused(
                "can't set immutable config: it belongs to mito.toml",
            ));
        }
        name => {
            let name = String::from_utf8_lossy(name);
            return Err(Fault::error(format!(
                "ERR Unknown option or number of arguments for CONFIG SET - '{name}'"
            )));
        }
    }
    Ok(())
}

/// A number of bytes: `100`, `100mb`, `1gb`.
fn memory(value: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(value).ok()?.to_ascii_lowercase();
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "b" => 1,
        "k" => 1_000,
        "kb" => 1_024,
        "m" => 1_000_000,
        "mb" => 1_024 * 1_024,
        "g" => 1_000_000_000,
        "gb" => 1_024 * 1_024 * 1_024,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}
