//! One executor: the keyspace of its databases, and the scripts that run on it. Everything happens
//! on its thread, one thing after the other, which is what makes commands, transactions and scripts
//! atomic.

use std::{path::Path, sync::Arc};

use bytes::Bytes;

use crate::{
    aof,
    cache::Config,
    commands::{self, Flags, Spec},
    core::Core,
    fault::Fault,
    pubsub::Kind,
    redis::OpenError,
    resp::Reply,
    script::Scripts,
    shared::Shared,
};

/// How much may wait for the disk before changes are refused.
const MAX_WAITING_BYTES: usize = 256 * 1024 * 1024;

/// What an executor's thread owns.
pub(crate) struct Engine {
    pub(crate) core: Core,
    pub(crate) scripts: Scripts,
    pub(crate) shared: Arc<Shared>,
}

/// What a script is given.
#[derive(Debug)]
pub(crate) struct ScriptCall<'a> {
    /// The text, or its SHA-1 with `by_sha`.
    pub(crate) script: &'a Bytes,
    pub(crate) by_sha: bool,
    pub(crate) read_only: bool,
    pub(crate) keys: &'a [Bytes],
    pub(crate) arguments: &'a [Bytes],
}

impl Engine {
    /// A unit begins: time stands still until it ends.
    pub(crate) fn begin_unit(&mut self) {
        self.core.now_ms = self.shared.clock.now_ms();
    }

    fn run_inner(&mut self, db: usize, arguments: &[Bytes]) -> Result<Reply, Fault> {
        let name = arguments.first().map_or(&b""[..], |name| name);
        let spec = commands::find(name).ok_or_else(|| commands::unknown(arguments))?;
        spec.check_arity(arguments.len())?;
        if spec.flags.contains(Flags::SESSION) {
            if spec.name == "eval" {
                return crate::session::eval(self, db, spec.name, arguments);
            }
            let answered = simple(&self.shared, spec, arguments);
            return answered.unwrap_or_else(|| Err(commands::unknown(arguments)));
        }
        self.core.run(spec, db, 3, arguments)
    }

    /// Runs a script within the unit that is open.
    pub(crate) fn run_script(&mut self, db: usize, call: &ScriptCall<'_>) -> Reply {
        let Self {
            core,
            scripts,
            shared,
        } = self;
        let mut db = db;
        let mut run = |arguments: &[Bytes]| {
            let done = script_command(core, shared, &mut db, call.read_only, arguments);
            done.unwrap_or_else(Fault::into_reply)
        };
        if call.by_sha {
            scripts.eval_sha(call.script, call.keys, call.arguments, &mut run)
        } else {
            scripts.eval(call.script, call.keys, call.arguments, &mut run)
        }
    }
}

/// A command that a script calls.
fn script_command(
    core: &mut Core,
    shared: &Shared,
    db: &mut usize,
    read_only: bool,
    arguments: &[Bytes],
) -> Result<Reply, Fault> {
    let name = arguments.first().map_or(&b""[..], |name| name);
    let spec = commands::find(name)
        .ok_or_else(|| Fault::error("ERR Unknown Redis command called from script"))?;
    if spec.check_arity(arguments.len()).is_err() {
        return Err(Fault::error(
            "ERR Wrong number of args calling Redis command from script",
        ));
    }
    if spec.flags.contains(Flags::NO_SCRIPT) {
        return Err(Fault::error(
            "ERR This Redis command is not allowed from script",
        ));
    }
    if read_only && spec.flags.contains(Flags::WRITE) {
        return Err(Fault::error(
            "ERR Write commands are not allowed from read-only scripts.",
        ));
    }
    if !spec.flags.contains(Flags::SESSION) {
        return core.run(spec, *db, 2, arguments);
    }
    if spec.name == "select" {
        let number = commands::database_number(&arguments[1])?;
        if !core.is_home_of(number) {
            return Err(other_home(number));
        }
        *db = number;
        return Ok(Reply::OK);
    }
    simple(shared, spec, arguments).unwrap_or_else(|| {
        Err(Fault::error(
            "ERR This Redis command is not allowed from script",
        ))
    })
}

/// What a transaction or script is told that reaches for a database of another executor.
pub(crate) fn other_home(db: usize) -> Fault {
    Fault::error(format!(
        "ERR database {db} is kept by other rules than this one and cannot be reached from here"
    ))
}

/// Commands that need neither the keyspace nor a connection; `None` for all others.
pub(crate) fn simple(
    shared: &Shared,
    spec: &Spec,
    arguments: &[Bytes],
) -> Option<Result<Reply, Fault>> {
    let count = |count: usize| Reply::Integer(i64::try_from(count).unwrap_or(i64::MAX));
    Some(match spec.name {
        "echo" => Ok(Reply::Bulk(arguments[1].clone())),
        "ping" => match arguments {
            [_] => Ok(Reply::Status("PONG")),
            [_, text] => Ok(Reply::Bulk(text.clone())),
            _ => Err(Fault::error(
                "ERR wrong number of arguments for 'ping' command",
            )),
        },
        "publish" => Ok(count(publish(shared, Kind::Channel, arguments))),
        "spublish" => Ok(count(publish(shared, Kind::Shard, arguments))),
        "time" => {
            let now_ms = shared.clock.now_ms();
            let (seconds, micros) = (now_ms.div_euclid(1_000), now_ms.rem_euclid(1_000) * 1_000);
            let parts = [seconds, micros].map(|part| Reply::bulk(part.to_string()));
            Ok(Reply::Array(parts.to_vec()))
        }
        "lastsave" => Ok(Reply::Integer(shared.clock.now_ms() / 1_000)),
        _ => return None,
    })
}

fn publish(shared: &Shared, kind: Kind, arguments: &[Bytes]) -> usize {
    let copied = |bytes: &Bytes| Bytes::copy_from_slice(bytes);
    let (channel, payload) = (copied(&arguments[1]), copied(&arguments[2]));
    shared.channels.publish(kind, &channel, &payload)
}

impl Engine {
    /// Runs commands as one transaction, for callers in this process.
    pub(crate) fn run_all(&mut self, db: usize, commands: &[Vec<Bytes>]) -> Vec<Reply> {
        self.begin_unit();
        let replies = commands.iter().map(|arguments| {
            self.run_inner(db, arguments)
                .unwrap_or_else(Fault::into_reply)
        });
        let replies = replies.collect();
        self.core.end_unit();
        replies
    }

    /// Reads the append-only file, and writes to it from now on.
    pub(crate) fn load(&mut self, folder: &Path, config: &Config) -> Result<(), OpenError> {
        let options = aof::Options {
            folder: folder.join("appendonlydir"),
            fsync: config.append_fsync,
            max_waiting_bytes: MAX_WAITING_BYTES,
            repair: config.recover,
            clock: self.shared.clock.clone(),
        };
        let mut foreign = 0_u64;
        self.core.now_ms = self.shared.clock.now_ms();
        let opened = aof::open(options, &mut |db, arguments| {
            let db = usize::try_from(db).unwrap_or(usize::MAX);
            if !self.core.is_home_of(db) {
                foreign += 1;
                return Ok(());
            }
            self.apply(db, &arguments)
        });
        let (log, loaded) = opened.map_err(|error| OpenError::Log(error.to_string()))?;
        if foreign > 0 {
            tracing::warn!(
                commands = foreign,
                "the append-only file held commands of cache databases, which were left out"
            );
        }
        tracing::info!(
            commands = loaded.commands,
            cut_bytes = loaded.cut_bytes,
            took_ms = u64::try_from(loaded.took.as_millis()).unwrap_or(u64::MAX),
            "the durable databases were read"
        );
        self.core.journal.begin(log);
        Ok(())
    }

    /// Takes a command of the append-only file.
    fn apply(&mut self, db: usize, arguments: &[Bytes]) -> Result<(), String> {
        let name = arguments.first().map_or(&b""[..], |name| name);
        let spec = commands::find(name).ok_or_else(|| {
            let name = String::from_utf8_lossy(name);
            format!("there is no command {name:?} here")
        })?;
        if spec.name == "flushall" {
            self.core.clear_all();
            return Ok(());
        }
        spec.check_arity(arguments.len())
            .map_err(|fault| text(&fault))?;
        if spec.flags.contains(Flags::SESSION) {
            return Ok(());
        }
        match self.core.run(spec, db, 2, arguments) {
            Ok(Reply::Error(error)) => Err(error),
            Ok(_) | Err(Fault::Wait(_)) => Ok(()),
            Err(fault) => Err(text(&fault)),
        }
    }

    /// Writes down what has changed.
    pub(crate) fn close(&mut self) {
        if let Err(error) = self.core.journal.hand_on() {
            tracing::error!(%error, "the last changes of the Redis role were not written down");
        }
        if let Some(log) = self.core.journal.log()
            && let Err(error) = log.close()
        {
            tracing::error!(%error, "the append-only file was not closed in order");
        }
    }
}

fn text(fault: &Fault) -> String {
    match fault {
        Fault::Error(text) => text.to_string(),
        Fault::Wait(_) => "it would wait".to_owned(),
    }
}
