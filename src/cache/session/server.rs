//! Commands for those who look after the server.

use bytes::Bytes;

use super::Outcome;
use crate::{
    commands::{self, check_flush, options::is},
    engine::Engine,
    fault::Fault,
    number::parse_integer,
    resp::Reply,
};

/// `FLUSHALL`: this executor's databases, then those of the others.
pub(super) fn flushall(engine: &mut Engine, arguments: &[Bytes]) -> Result<Outcome, Fault> {
    check_flush(arguments)?;
    engine.core.clear_all();
    Ok(Outcome::ClearEverywhere(Reply::OK))
}

/// `BGREWRITEAOF`.
pub(super) fn rewrite(engine: &mut Engine) -> Result<Reply, Fault> {
    if engine.core.journal.log().is_none() {
        return Err(Fault::error(
            "ERR this database has no append-only file: it is a cache",
        ));
    }
    if engine.core.copying.is_some() {
        return Err(Fault::error(
            "ERR Background append only file rewriting already in progress",
        ));
    }
    engine.core.wants_rewrite = true;
    Ok(Reply::Status(
        "Background append only file rewriting started",
    ))
}

/// `SAVE` and `BGSAVE`: what is durable is so already, in the append-only file.
pub(super) fn save(engine: &mut Engine) -> Result<Reply, Fault> {
    rewrite(engine).map(|_| Reply::OK)
}

/// `ROLE`: there are no replicas.
pub(super) fn role() -> Reply {
    Reply::Array(vec![
        Reply::bulk("master"),
        Reply::Integer(0),
        Reply::Array(Vec::new()),
    ])
}

/// `SLOWLOG`.
pub(super) fn slowlog(engine: &Engine, arguments: &[Bytes]) -> Result<Reply, Fault> {
    let mut slow = engine.shared.slow();
    match arguments {
        [_, what] if is(what, "LEN") => Ok(Reply::Integer(
            i64::try_from(slow.1.len()).unwrap_or(i64::MAX),
        )),
        [_, what] if is(what, "RESET") => {
            slow.1.clear();
            Ok(Reply::OK)
        }
        [_, what, rest @ ..] if is(what, "GET") && rest.len() <= 1 => {
            let count = rest.first().map_or(Ok(10), |count| parse_integer(count))?;
            if count < -1 {
                return Err(Fault::error(
                    "ERR count should be greater than or equal to -1",
                ));
            }
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            let shown = slow.1.iter().take(count).map(|entry| {
                Reply::Array(vec![
                    Reply::Integer(entry.id),
                    Reply::Integer(entry.at_seconds),
                    Reply::Integer(entry.micros),
                    Reply::Array(entry.words.iter().cloned().map(Reply::Bulk).collect()),
                    Reply::bulk(&entry.address),
                    Reply::bulk(&entry.name),
                ])
            });
            Ok(Reply::Array(shown.collect()))
        }
        _ => Err(commands::subcommand(arguments, "slowlog")),
    }
}
