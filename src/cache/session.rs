//! A connection's side of the commands: signing in, the selected database, transactions,
//! subscriptions, scripts. It knows no socket.

use std::sync::{Arc, atomic::Ordering};

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::{
    clients::Client,
    commands::{self, Flags, Spec},
    database::{Key, Watch},
    engine::Engine,
    fault::{Fault, Wait},
    pubsub::{self, Listener, Messages},
    resp::Reply,
};

mod channels;
mod client;
mod config;
mod connection;
mod info;
mod scripts;
mod server;
mod transactions;

pub(crate) use scripts::eval;
use transactions::Queued;

/// What a command leads to.
#[derive(Debug)]
pub(crate) enum Outcome {
    Reply(Reply),
    /// Several answers, or none.
    Replies(Vec<Reply>),
    /// The answer comes later.
    Wait(Waited),
    /// The connection goes on at the executor of this database; the answer is `+OK`.
    Move(usize),
    /// The databases of the other executors are emptied too before the answer is given.
    ClearEverywhere(Reply),
    /// The answer is the last.
    Quit(Reply),
}

/// A command that blocks.
#[derive(Debug)]
pub(crate) struct Waited {
    pub(crate) id: u64,
    pub(crate) answer: oneshot::Receiver<Reply>,
    pub(crate) timeout: Option<std::time::Duration>,
    pub(crate) otherwise: Reply,
}

/// The state of a connection.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) client: Arc<Client>,
    pub(crate) db: usize,
    pub(crate) protocol: u8,
    pub(crate) authenticated: bool,
    /// The next answers are kept back: `CLIENT REPLY`.
    pub(crate) silence: Silence,
    queued: Option<Queued>,
    watched: Vec<(usize, Key)>,
    watch: Option<Watch>,
    subscribed: channels::Subscribed,
    listener: Listener,
}

/// Which answers a client does not want.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Silence {
    #[default]
    None,
    /// The answer to the next command.
    Next,
    All,
}

impl Session {
    /// The session of a client that has not signed in, and the messages of its subscriptions.
    pub(crate) fn new(client: Arc<Client>) -> (Self, Messages) {
        let (listener, messages) = pubsub::listener(client.id, client.stop.clone());
        let session = Self {
            client,
            db: 0,
            protocol: 2,
            authenticated: false,
            silence: Silence::None,
            queued: None,
            watched: Vec::new(),
            watch: None,
            subscribed: channels::Subscribed::default(),
            listener,
        };
        (session, messages)
    }

    /// Runs one command.
    pub(crate) fn execute(&mut self, engine: &mut Engine, arguments: Vec<Bytes>) -> Outcome {
        let outcome = self.checked(engine, &arguments).and_then(|spec| {
            if self.queued.is_some() && !spec.flags.contains(Flags::NO_MULTI) {
                return self.queue(spec, &arguments);
            }
            self.client.note(spec.name, engine.core.now_ms);
            engine.begin_unit();
            let outcome = self.run(engine, spec, &arguments);
            engine.core.end_unit();
            outcome
        });
        match outcome {
            Ok(outcome) => outcome,
            Err(Fault::Error(text)) => Outcome::Reply(Reply::Error(text.into_owned())),
            Err(Fault::Wait(wait)) => self.wait(engine, arguments, *wait),
        }
    }

    /// The command, if this client may run it now. An error spoils a transaction.
    fn checked(&mut self, engine: &Engine, arguments: &[Bytes]) -> Result<&'static Spec, Fault> {
        let checked = self.allowed(engine, arguments);
        if checked.is_err()
            && let Some(queued) = &mut self.queued
        {
            queued.spoil();
        }
        checked
    }

    fn allowed(&self, _: &Engine, arguments: &[Bytes]) -> Result<&'static Spec, Fault> {
        let name = arguments.first().map_or(&b""[..], |name| name);
        let found = commands::find(name);
        if !self.authenticated && !found.is_some_and(|spec| spec.flags.contains(Flags::NO_AUTH)) {
            return Err(Fault::error("NOAUTH Authentication required."));
        }
        let spec = found.ok_or_else(|| commands::unknown(arguments))?;
        spec.check_arity(arguments.len())?;
        if self.protocol == 2 && self.subscribed.any() && !spec.flags.contains(Flags::PUB_SUB) {
            let name = spec.name;
            return Err(Fault::error(format!(
                "ERR Can't execute '{name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / \
                 RESET are allowed in this context"
            )));
        }
        Ok(spec)
    }

    /// Runs a command that is allowed, within the unit that is open.
    fn run(
        &mut self,
        engine: &mut Engine,
        spec: &'static Spec,
        arguments: &[Bytes],
    ) -> Result<Outcome, Fault> {
        if !spec.flags.contains(Flags::SESSION) {
            let reply = engine.core.run(spec, self.db, self.protocol, arguments)?;
            return Ok(Outcome::Reply(reply));
        }
        let reply = match spec.name {
            "ping" if self.protocol == 2 && self.subscribed.any() => {
                let text = arguments.get(1).cloned().unwrap_or_default();
                Reply::Array(vec![Reply::bulk("pong"), Reply::Bulk(text)])
            }
            "auth" => self.auth(engine, arguments)?,
            "hello" => self.hello(engine, arguments)?,
            "quit" => return Ok(Outcome::Quit(Reply::OK)),
            "reset" => return Ok(self.reset(engine)),
            "select" => return self.select(engine, arguments),
            "client" => return self.client_command(engine, arguments),
            "command" => connection::command(arguments)?,
            "multi" => self.multi()?,
            "exec" => return self.exec(engine),
            "discard" => self.discard(engine)?,
            "watch" => self.watch(engine, arguments)?,
            "unwatch" => {
                self.unwatch(engine);
                Reply::OK
            }
            "subscribe" | "psubscribe" | "ssubscribe" => {
                return Ok(Outcome::Replies(
                    self.subscribe(engine, spec.name, arguments),
                ));
            }
            "unsubscribe" | "punsubscribe" | "sunsubscribe" => {
                return Ok(Outcome::Replies(
                    self.unsubscribe(engine, spec.name, arguments),
                ));
            }
            "pubsub" => channels::pubsub(engine, arguments)?,
            "eval" | "evalsha" | "eval_ro" | "evalsha_ro" => {
                scripts::eval(engine, self.db, spec.name, arguments)?
            }
            "script" => scripts::script(engine, arguments)?,
            "info" => info::info(engine, self.db, arguments),
            "config" => config::config(engine, self.db, arguments)?,
            "slowlog" => server::slowlog(engine, arguments)?,
            "flushall" => return server::flushall(engine, arguments),
            "bgrewriteaof" => server::rewrite(engine)?,
            "bgsave" | "save" => server::save(engine)?,
            "role" => server::role(),
            "wait" => Reply::Integer(0),
            "shutdown" => {
                return Err(Fault::error(
                    "ERR this server is a role of mito: stop mito instead",
                ));
            }
            _ => crate::engine::simple(&engine.shared, spec, arguments)
                .unwrap_or_else(|| Err(commands::unknown(arguments)))?,
        };
        Ok(Outcome::Reply(reply))
    }

    fn wait(&mut self, engine: &mut Engine, arguments: Vec<Bytes>, wait: Wait) -> Outcome {
        let (timeout, otherwise) = (wait.timeout, wait.otherwise.clone());
        let name = arguments.first().map_or(&b""[..], |name| name);
        let Some(spec) = commands::find(name) else {
            return Outcome::Reply(otherwise);
        };
        let waiting = &mut engine.core.waiting;
        let (id, answer) = waiting.begin(spec, self.db, self.protocol, arguments, wait);
        self.client.blocked.store(id, Ordering::Relaxed);
        Outcome::Wait(Waited {
            id,
            answer,
            timeout,
            otherwise,
        })
    }

    /// The client waits no more.
    pub(crate) fn stop_waiting(&mut self, engine: &mut Engine, id: u64) {
        engine.core.waiting.end(id);
        self.client.blocked.store(0, Ordering::Relaxed);
    }

    /// The connection goes: nothing of it stays behind.
    pub(crate) fn end(&mut self, engine: &mut Engine) {
        self.unwatch(engine);
        self.unsubscribe_all(engine);
        let id = self.client.blocked.load(Ordering::Relaxed);
        engine.core.waiting.end(id);
    }
}
