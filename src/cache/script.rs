//! Scripts in Lua 5.1, as Redis runs them: sandboxed, bounded in memory and time.
//! <https://redis.io/docs/latest/develop/interact/programmability/lua-api/>
//!
//! Differences to Redis: a script that takes too long is ended (Redis waits for `SCRIPT KILL`), there
//! are no coroutines, and patterns that would take very long are refused, as nothing can interrupt
//! them.

use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, VecDeque},
    rc::Rc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use mlua::{Function, HookTriggers, Lua, LuaOptions, MultiValue, StdLib, Table, Value, VmState};
use sha1::{Digest as _, Sha1};

use crate::resp::Reply;

mod convert;
mod json;
mod library;
mod msgpack;
#[cfg(test)]
mod tests;

use library::Run;

/// How often the time is looked at, in instructions.
const LOOK_EVERY: u32 = 10_000;
/// The most scripts that are kept because `EVAL` ran them, and the most bytes of all.
const MAX_EVALUATED: usize = 500;
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// What a script may use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The memory of all scripts together, in bytes.
    pub(crate) memory_bytes: usize,
    /// The time of one run.
    pub(crate) time: Duration,
}

/// Scripts cannot be run.
#[derive(Debug, thiserror::Error)]
#[error("scripts cannot be run: {0}")]
pub(crate) struct Error(#[from] mlua::Error);

/// The scripts of an executor. They are run one at a time.
#[derive(Debug)]
pub(crate) struct Scripts {
    limits: Limits,
    state: State,
    sources: HashMap<String, Bytes>,
    /// Those that only `EVAL` brought, the oldest first.
    evaluated: VecDeque<String>,
    bytes: usize,
}

/// A state of Lua and what was compiled in it.
#[derive(Debug)]
struct State {
    lua: Lua,
    run: Rc<Run>,
    globals: Table,
    runner: Function,
    prepare: Function,
    compiled: HashMap<String, Function>,
}

impl State {
    fn new(limits: Limits) -> Result<Self, Error> {
        let libraries = StdLib::STRING | StdLib::TABLE | StdLib::MATH;
        let lua = Lua::new_with(libraries, LuaOptions::default())?;
        let run = Rc::new(Run {
            deadline: Cell::new(Instant::now()),
            over: Cell::new(false),
            protocol: Cell::new(2),
            random: Cell::new(library::SEED),
            raised: RefCell::new(None),
        });
        let host = library::host(&lua, &run)?;
        let place = lua.create_function(|lua, ()| Ok(line(lua)))?;
        host.raw_set("place", place)?;
        let prelude = lua
            .load(include_str!("script/prelude.lua"))
            .set_name("=prelude");
        let (globals, runner, prepare) = prelude.call(&host)?;
        lua.set_memory_limit(limits.memory_bytes)?;
        Ok(Self {
            lua,
            run,
            globals,
            runner,
            prepare,
            compiled: HashMap::new(),
        })
    }
}

/// The line of the script that runs, for messages.
fn line(lua: &Lua) -> Option<i64> {
    for level in 1..16 {
        let found = lua.inspect_stack(level, |frame| {
            let of_script = frame
                .source()
                .source
                .is_some_and(|source| source == "@user_script");
            of_script.then(|| frame.current_line()).flatten()
        });
        match found {
            None => break,
            Some(Some(line)) => return i64::try_from(line).ok(),
            Some(None) => {}
        }
    }
    None
}

impl Scripts {
    /// No script yet.
    pub(crate) fn new(limits: Limits) -> Result<Self, Error> {
        Ok(Self {
            limits,
            state: State::new(limits)?,
            sources: HashMap::new(),
            evaluated: VecDeque::new(),
            bytes: 0,
        })
    }

    /// Compiles and keeps a script; its SHA-1 in hexadecimal digits.
    pub(crate) fn load(&mut self, source: &Bytes) -> Result<String, Reply> {
        let sha = hex::encode(Sha1::digest(source));
        self.keep(&sha, source, false)?;
        Ok(sha)
    }

    /// Whether the script of that SHA-1 is kept.
    pub(crate) fn exists(&self, sha: &[u8]) -> bool {
        lower(sha).is_some_and(|sha| self.sources.contains_key(&sha))
    }

    /// Forgets all scripts.
    pub(crate) fn flush(&mut self) {
        self.sources.clear();
        self.evaluated.clear();
        self.state.compiled.clear();
        self.bytes = 0;
    }

    /// Runs a script; `call` runs its commands.
    pub(crate) fn eval(
        &mut self,
        source: &Bytes,
        keys: &[Bytes],
        arguments: &[Bytes],
        call: &mut dyn FnMut(&[Bytes]) -> Reply,
    ) -> Reply {
        let sha = hex::encode(Sha1::digest(source));
        match self.keep(&sha, source, true) {
            Ok(()) => self.run(&sha, keys, arguments, call),
            Err(error) => error,
        }
    }

    /// Runs a script that is kept.
    pub(crate) fn eval_sha(
        &mut self,
        sha: &[u8],
        keys: &[Bytes],
        arguments: &[Bytes],
        call: &mut dyn FnMut(&[Bytes]) -> Reply,
    ) -> Reply {
        let known = lower(sha).filter(|sha| self.sources.contains_key(sha));
        let Some(sha) = known else {
            return Reply::Error("NOSCRIPT No matching script. Please use EVAL.".to_owned());
        };
        self.run(&sha, keys, arguments, call)
    }

    fn keep(&mut self, sha: &str, source: &Bytes, evaluated: bool) -> Result<(), Reply> {
        if self.sources.contains_key(sha) {
            if !evaluated {
                self.evaluated.retain(|other| other != sha);
            }
            return Ok(());
        }
        self.compile(sha, source)?;
        if self.bytes + source.len() > MAX_BYTES {
            self.state.compiled.remove(sha);
            return Err(Reply::error(
                "too many scripts are kept: SCRIPT FLUSH forgets them",
            ));
        }
        self.bytes += source.len();
        self.sources
            .insert(sha.to_owned(), Bytes::copy_from_slice(source));
        if evaluated {
            self.evaluated.push_back(sha.to_owned());
        }
        if self.evaluated.len() > MAX_EVALUATED
            && let Some(oldest) = self.evaluated.pop_front()
        {
            self.state.compiled.remove(&oldest);
            let forgotten = self.sources.remove(&oldest);
            self.bytes -= forgotten.map_or(0, |source| source.len());
        }
        Ok(())
    }

    fn compile(&mut self, sha: &str, source: &Bytes) -> Result<Function, Reply> {
        let State {
            lua,
            globals,
            compiled,
            ..
        } = &mut self.state;
        let chunk = lua
            .load(&source[..])
            .set_name("@user_script")
            .set_mode(mlua::chunk::ChunkMode::Text)
            .set_environment(globals.clone());
        let function = chunk.into_function().map_err(|error| {
            let why = match &error {
                mlua::Error::SyntaxError { message, .. } => message.clone(),
                other => other.to_string(),
            };
            Reply::error(format!("Error compiling script (new function): {why}"))
        })?;
        compiled.insert(sha.to_owned(), function.clone());
        Ok(function)
    }

    fn run(
        &mut self,
        sha: &str,
        keys: &[Bytes],
        arguments: &[Bytes],
        call: &mut dyn FnMut(&[Bytes]) -> Reply,
    ) -> Reply {
        let function = match self.state.compiled.get(sha).cloned() {
            Some(function) => function,
            None => match self
                .sources
                .get(sha)
                .cloned()
                .map(|source| self.compile(sha, &source))
            {
                Some(Ok(function)) => function,
                Some(Err(error)) => return error,
                None => return Reply::error("the script is gone"),
            },
        };
        let done = self
            .state
            .execute(&function, self.limits.time, keys, arguments, call);
        let over = self.state.run.over.get();
        match done {
            Ok(reply) if !over => with_sha(reply, sha),
            outcome => {
                let out_of_memory = matches!(outcome, Err(mlua::Error::MemoryError(_)));
                self.start_anew();
                let why = match outcome {
                    _ if over => {
                        let limit_ms = self.limits.time.as_millis();
                        format!("the script ran for more than {limit_ms} ms and was ended")
                    }
                    _ if out_of_memory => "not enough memory".to_owned(),
                    Err(error) => error.to_string(),
                    Ok(_) => String::new(),
                };
                Reply::error(format!("Error running script (call to f_{sha}): {why}"))
            }
        }
    }

    /// A state that ran out of something is not used again.
    fn start_anew(&mut self) {
        match State::new(self.limits) {
            Ok(state) => self.state = state,
            Err(error) => tracing::error!(%error, "scripts go on in a state that failed"),
        }
    }
}

impl State {
    fn execute(
        &self,
        function: &Function,
        time: Duration,
        keys: &[Bytes],
        arguments: &[Bytes],
        call: &mut dyn FnMut(&[Bytes]) -> Reply,
    ) -> mlua::Result<Reply> {
        let Self {
            lua,
            run,
            runner,
            prepare,
            ..
        } = self;
        run.deadline.set(Instant::now() + time);
        run.over.set(false);
        run.protocol.set(2);
        run.random.set(library::SEED);
        let watched = Rc::clone(run);
        let every = HookTriggers::new().every_nth_instruction(LOOK_EVERY);
        lua.set_hook(every, move |_, _| {
            if watched.over.get() || Instant::now() >= watched.deadline.get() {
                // From now on nothing gets far, whatever it catches.
                watched.over.set(true);
                return Err(over());
            }
            Ok(VmState::Continue)
        })?;
        let (keys, arguments) = (texts(lua, keys)?, texts(lua, arguments)?);
        let call = RefCell::new(call);
        let command = |lua: &Lua, words: &MultiValue| {
            // A command of a script cannot run another script.
            let mut call = call.try_borrow_mut().map_err(mlua::Error::external)?;
            command(lua, words, run.protocol.get(), &mut **call)
        };
        let outcome = lua.scope(|scope| {
            let called = scope.create_function(|lua, words: MultiValue| {
                let (done, reply) = command(lua, &words)?;
                if done {
                    return Ok(reply);
                }
                run.raised.replace(Some(reply));
                Err(mlua::Error::RuntimeError("a command failed".to_owned()))
            })?;
            let tried =
                scope.create_function(|lua, words: MultiValue| Ok(command(lua, &words)?.1))?;
            prepare.call::<()>((keys, arguments, called, tried))?;
            runner.call::<(bool, Value)>(function)
        });
        lua.remove_hook();
        let (done, value) = outcome?;
        if done {
            return convert::to_reply(value, run.protocol.get(), 0);
        }
        failure(value)
    }
}

fn over() -> mlua::Error {
    mlua::Error::RuntimeError("script timed out".to_owned())
}

fn texts(lua: &Lua, words: &[Bytes]) -> mlua::Result<Table> {
    let table = lua.create_table_with_capacity(words.len(), 0)?;
    for (index, word) in words.iter().enumerate() {
        table.raw_set(index + 1, lua.create_string(word)?)?;
    }
    Ok(table)
}

/// Runs a command for a script: whether it went well, and what the script gets.
fn command(
    lua: &Lua,
    words: &MultiValue,
    protocol: u8,
    call: &mut dyn FnMut(&[Bytes]) -> Reply,
) -> mlua::Result<(bool, Value)> {
    let reply = if words.is_empty() {
        Reply::error("Please specify at least one argument for this redis lib call")
    } else {
        match words
            .iter()
            .map(convert::word)
            .collect::<Option<Vec<Bytes>>>()
        {
            Some(words) => call(&words),
            None => Reply::error("Lua redis lib command arguments must be strings or integers"),
        }
    };
    Ok((!reply.is_error(), convert::to_lua(lua, reply, protocol)?))
}

/// What a client is told of a script that raised an error; the place is filled in afterwards.
fn failure(value: Value) -> mlua::Result<Reply> {
    let table = match value {
        Value::Table(table) => table,
        // There was no memory or stack left to look for the place.
        Value::Error(error) => return Err(*error),
        _ => {
            return Err(mlua::Error::MemoryError(
                "not enough memory or stack".to_owned(),
            ));
        }
    };
    let text = |name: &str| match table.raw_get::<Value>(name) {
        Ok(Value::String(text)) => text.to_string_lossy(),
        _ => String::new(),
    };
    let line = match table.raw_get::<Value>("line") {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "lines are small whole numbers"
        )]
        Ok(Value::Number(line)) => Some(line as i64),
        Ok(Value::Integer(line)) => Some(line),
        _ => None,
    };
    let place = line.map_or_else(String::new, |line| format!(", on @user_script:{line}."));
    Ok(Reply::Error(format!("{}{MARK}{place}", text("err"))))
}

/// Stands where the SHA-1 goes in an error; a script cannot write it, as answers hold no NUL there.
const MARK: &str = "\0";

fn with_sha(reply: Reply, sha: &str) -> Reply {
    match reply {
        Reply::Error(text) => match text.rsplit_once(MARK) {
            Some((before, after)) => Reply::Error(format!("{before} script: {sha}{after}")),
            None => Reply::Error(text),
        },
        other => other,
    }
}

fn lower(sha: &[u8]) -> Option<String> {
    const DIGITS: usize = 40;
    let text = std::str::from_utf8(sha)
        .ok()
        .filter(|text| text.len() == DIGITS)?;
    Some(text.to_ascii_lowercase())
}
