//! One Lua state with Redis's world in it, and the running of one script. Keeps no sources.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use mlua::{Function, HookTriggers, Lua, LuaOptions, MultiValue, StdLib, Table, Value, VmState};

use super::{CHUNK, Call, Limits, bit, convert, json, number, pack, patterns, raise, redis};
use crate::resp::Reply;

/// How many instructions run between two looks at the clock.
const HOOK_INSTRUCTIONS: u32 = 5_000;

/// Flags that Redis knows in the first line of a script.
const FLAGS: [&str; 5] = [
    "no-writes",
    "allow-oom",
    "allow-stale",
    "no-cluster",
    "allow-cross-slot-keys",
];

/// What the native functions share for the time of one run.
pub(super) struct Run {
    deadline: Cell<Instant>,
    pub(super) killed: Cell<bool>,
    pub(super) resp3: Cell<bool>,
    pub(super) random: Cell<u64>,
    failure: RefCell<Option<(String, Option<usize>)>>,
}

impl Run {
    /// Raises when the time is over, now and ever after.
    pub(super) fn check(&self) -> mlua::Result<()> {
        if self.killed.get() || Instant::now() >= self.deadline.get() {
            self.killed.set(true);
            return Err(raise::killed());
        }
        Ok(())
    }
}

/// A Lua state and the scripts that it has compiled.
pub(super) struct State {
    lua: Lua,
    limits: Limits,
    run: Rc<Run>,
    json: json::Shared,
    base: Table,
    redis: Table,
    start: Function,
    compiled: HashMap<String, Function>,
    spent: bool,
}

impl State {
    pub(super) fn new(limits: Limits) -> mlua::Result<Self> {
        let libraries = StdLib::TABLE | StdLib::STRING | StdLib::MATH;
        let lua = Lua::new_with(libraries, LuaOptions::default())?;
        lua.set_memory_limit(limits.memory_bytes)?;
        let run = Rc::new(Run {
            deadline: Cell::new(Instant::now() + Duration::from_mins(1)),
            killed: Cell::new(false),
            resp3: Cell::new(false),
            random: Cell::new(number::seeded(0)),
            failure: RefCell::new(None),
        });
        let json = json::Shared::default();
        let native = lua.create_table()?;
        let redis = redis::library(&lua, &run)?;
        native.set("redis", &redis)?;
        native.set("cjson", json::library(&lua, &json, &run)?)?;
        native.set("cmsgpack", pack::library(&lua)?)?;
        native.set("bit", bit::library(&lua)?)?;
        native.set("patterns", patterns::library(&lua)?)?;
        helpers(&lua, &native, &run)?;
        let (globals, base, start): (Table, Table, Function) = lua
            .load(include_str!("prelude.lua"))
            .set_name("=prelude")
            .call(native)?;
        lua.set_globals(globals)?;
        let clock = Rc::clone(&run);
        lua.set_global_hook(
            HookTriggers::new().every_nth_instruction(HOOK_INSTRUCTIONS),
            move |_, _| clock.check().map(|()| VmState::Continue),
        )?;
        Ok(Self {
            lua,
            limits,
            run,
            json,
            base,
            redis,
            start,
            compiled: HashMap::new(),
            spent: false,
        })
    }

    /// Whether it must not run another script.
    pub(super) fn is_spent(&self) -> bool {
        self.spent
    }

    pub(super) fn forget(&mut self, sha: &str) {
        self.compiled.remove(sha);
    }

    pub(super) fn forget_all(&mut self) {
        self.compiled.clear();
    }

    pub(super) fn compile(&mut self, source: &Bytes, sha: &str) -> Result<(), Reply> {
        if self.compiled.contains_key(sha) {
            return Ok(());
        }
        let body = without_shebang(source)?;
        if body.first() == Some(&0x1b) {
            return Err(uncompiled(
                "user_script:1: unexpected symbol near 'char(27)'",
            ));
        }
        let function = self
            .lua
            .load(body)
            .set_name(format!("@{CHUNK}"))
            .set_mode(mlua::chunk::ChunkMode::Text)
            .into_function()
            .map_err(|error| {
                self.spent |= is_memory(&error);
                match &error {
                    mlua::Error::SyntaxError { message, .. } => uncompiled(message),
                    other => uncompiled(&raise::plain(other)),
                }
            })?;
        self.compiled.insert(sha.to_owned(), function);
        Ok(())
    }

    /// Runs a script that was compiled.
    pub(super) fn run(&mut self, sha: &str, call: Call<'_>) -> Reply {
        let Some(script) = self.compiled.get(sha).cloned() else {
            return Reply::Error("NOSCRIPT No matching script. Please use EVAL.".to_owned());
        };
        self.run.killed.set(false);
        self.run.resp3.set(false);
        self.run.random.set(number::seeded(0));
        self.run.failure.replace(None);
        self.json.reset();
        self.run.deadline.set(Instant::now() + self.limits.time);
        let outcome = self.call(&script, call);
        if self.run.killed.get() {
            self.spent = true;
            return Reply::error(format_args!(
                "Error running script: the script timed out and was killed script: {sha}"
            ));
        }
        let reply = match outcome {
            Ok(reply) => reply,
            Err(error) => self.failed(&error, sha),
        };
        if self.lua.used_memory() > self.limits.memory_bytes / 2 && self.lua.gc_collect().is_err() {
            self.spent = true;
        }
        reply
    }

    fn call(&self, script: &Function, call: Call<'_>) -> mlua::Result<Reply> {
        self.base.raw_set("KEYS", strings(&self.lua, call.keys)?)?;
        self.base
            .raw_set("ARGV", strings(&self.lua, call.arguments)?)?;
        let command = RefCell::new(call.command);
        self.lua.scope(|scope| {
            let run = &*self.run;
            let raising = scope.create_function(|lua, arguments: MultiValue| {
                redis::call(lua, run, &command, &arguments, true)
            })?;
            let returning = scope.create_function(|lua, arguments: MultiValue| {
                redis::call(lua, run, &command, &arguments, false)
            })?;
            self.redis.raw_set("call", raising)?;
            self.redis.raw_set("pcall", returning)?;
            let (succeeded, value): (bool, Value) = self.start.call(script)?;
            if succeeded {
                return Ok(convert::to_reply(&value, run));
            }
            if run.failure.borrow().is_none() {
                let text = match &value {
                    Value::Error(error) => raise::plain(error),
                    other => other.to_string().unwrap_or_default(),
                };
                run.failure.replace(Some((format!("ERR {text}"), None)));
            }
            Err(mlua::Error::runtime("script failed"))
        })
    }

    fn failed(&mut self, error: &mlua::Error, sha: &str) -> Reply {
        let (text, line) = self
            .run
            .failure
            .take()
            .unwrap_or_else(|| (format!("ERR {}", raise::plain(error)), None));
        self.spent |= is_memory(error) || text.contains("not enough memory");
        let text = text.replace(['\r', '\n'], " ");
        Reply::Error(match line {
            Some(line) => format!("{text} script: {sha}, on @{CHUNK}:{line}."),
            None => format!("{text} script: {sha}"),
        })
    }
}

/// What the prelude needs from Rust.
fn helpers(lua: &Lua, native: &Table, run: &Rc<Run>) -> mlua::Result<()> {
    let shared = Rc::clone(run);
    let caught = lua.create_function(move |lua, value: Value| {
        if shared.killed.get() {
            return Err(raise::killed());
        }
        raise::value(lua, value)
    })?;
    native.set("caught", caught)?;
    let shared = Rc::clone(run);
    let failed = lua.create_function(move |lua, value: Value| {
        let text = match raise::value(lua, value)? {
            Value::Table(table) => match table.raw_get("err")? {
                Value::Nil => "ERR unknown error".to_owned(),
                other => other.to_string()?,
            },
            Value::String(text) => format!("ERR {}", text.to_string_lossy()),
            Value::Nil => "ERR nil".to_owned(),
            other => format!("ERR {}", other.to_string()?),
        };
        shared.failure.replace(Some((text, raise::line(lua))));
        Ok(())
    })?;
    native.set("failed", failed)?;
    let born = Instant::now();
    native.set(
        "clock",
        lua.create_function(move |_, ()| Ok(born.elapsed().as_secs_f64()))?,
    )?;
    redis::random(lua, native, run)
}

fn strings(lua: &Lua, items: &[Bytes]) -> mlua::Result<Table> {
    let table = lua.create_table_with_capacity(items.len(), 0)?;
    for (index, item) in items.iter().enumerate() {
        table.raw_set(index + 1, lua.create_string(item)?)?;
    }
    Ok(table)
}

fn uncompiled(message: &str) -> Reply {
    Reply::error(format_args!(
        "Error compiling script (new function): {message}"
    ))
}

fn is_memory(error: &mlua::Error) -> bool {
    match error {
        mlua::Error::CallbackError { cause, .. } => is_memory(cause),
        other => matches!(other, mlua::Error::MemoryError(_)),
    }
}

/// The source after a first line `#!lua flags=…`; its line break stays so that lines count right.
fn without_shebang(source: &[u8]) -> Result<&[u8], Reply> {
    if !source.starts_with(b"#!") {
        return Ok(source);
    }
    let Some(end) = memchr::memchr(b'\n', source) else {
        return Err(Reply::error("Invalid script shebang"));
    };
    let (line, body) = source.split_at(end);
    let line = String::from_utf8_lossy(line);
    let mut words = line.split_ascii_whitespace();
    let engine = words.next().unwrap_or_default();
    if engine != "#!lua" {
        return Err(Reply::error(format_args!(
            "Unexpected engine in script shebang: {engine}"
        )));
    }
    for word in words {
        let Some(flags) = word.strip_prefix("flags=") else {
            return Err(Reply::error(format_args!(
                "Unknown lua shebang option: {word}"
            )));
        };
        if let Some(flag) = flags
            .split(',')
            .find(|flag| !flag.is_empty() && !FLAGS.contains(flag))
        {
            return Err(Reply::error(format_args!(
                "Unexpected flag in script shebang: {flag}"
            )));
        }
    }
    Ok(body)
}
