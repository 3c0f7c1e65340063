//! `EVAL` and `SCRIPT`.

use bytes::Bytes;

use crate::{
    commands::{self, options::is},
    engine::{Engine, ScriptCall},
    fault::Fault,
    number::parse_integer,
    resp::Reply,
};

/// `EVAL`, `EVALSHA` and their read-only forms.
pub(crate) fn eval(
    engine: &mut Engine,
    db: usize,
    name: &str,
    arguments: &[Bytes],
) -> Result<Reply, Fault> {
    let count = parse_integer(&arguments[2])?;
    let rest = &arguments[3..];
    let count =
        usize::try_from(count).map_err(|_| Fault::error("ERR Number of keys can't be negative"))?;
    if count > rest.len() {
        return Err(Fault::error(
            "ERR Number of keys can't be greater than number of args",
        ));
    }
    let (keys, values) = rest.split_at(count);
    let call = ScriptCall {
        script: &arguments[1],
        by_sha: name.starts_with("evalsha"),
        read_only: name.ends_with("_ro"),
        keys,
        arguments: values,
    };
    Ok(engine.run_script(db, &call))
}

/// `SCRIPT`.
pub(super) fn script(engine: &mut Engine, arguments: &[Bytes]) -> Result<Reply, Fault> {
    let scripts = &mut engine.scripts;
    match arguments {
        [_, what, source] if is(what, "LOAD") => {
            Ok(scripts.load(source).map_or_else(|error| error, Reply::bulk))
        }
        [_, what, names @ ..] if is(what, "EXISTS") && !names.is_empty() => {
            let known = names
                .iter()
                .map(|sha| Reply::Integer(scripts.exists(sha).into()));
            Ok(Reply::Array(known.collect()))
        }
        [_, what] if is(what, "FLUSH") => {
            scripts.flush();
            Ok(Reply::OK)
        }
        [_, what, mode] if is(what, "FLUSH") => {
            if !is(mode, "SYNC") && !is(mode, "ASYNC") {
                return Err(Fault::error(
                    "ERR SCRIPT FLUSH only support SYNC|ASYNC option",
                ));
            }
            scripts.flush();
            Ok(Reply::OK)
        }
        [_, what] if is(what, "KILL") => {
            Err(Fault::error("NOTBUSY No scripts in execution right now."))
        }
        _ => Err(commands::subcommand(arguments, "script")),
    }
}
