//! Signing in, the version of the protocol, the selected database, and what commands there are.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use secrecy::ExposeSecret as _;
use subtle::ConstantTimeEq as _;

use super::{Outcome, Session, Silence};
use crate::{
    commands::{self, Keys, Spec, options::is},
    engine::Engine,
    fault::Fault,
    number::parse_integer,
    resp::Reply,
};

/// The version of Redis whose behaviour programs may expect.
pub(crate) const REDIS_VERSION: &str = "7.2.4";

const WRONG_PASSWORD: Fault = Fault::Error(std::borrow::Cow::Borrowed(
    "WRONGPASS invalid username-password pair or user is disabled.",
));

impl Session {
    pub(super) fn auth(&mut self, engine: &Engine, arguments: &[Bytes]) -> Result<Reply, Fault> {
        let (user, password) = match arguments {
            [_, password] => (&b"default"[..], password),
            [_, user, password] => (&user[..], password),
            _ => return Err(Fault::SYNTAX),
        };
        self.sign_in(engine, user, password)?;
        Ok(Reply::OK)
    }

    fn sign_in(&mut self, engine: &Engine, user: &[u8], password: &[u8]) -> Result<(), Fault> {
        let expected = engine.shared.password.expose_secret().as_bytes();
        let matches = bool::from(expected.ct_eq(password));
        if user != b"default" || !matches {
            metrics::counter!("mito_redis_auth_failures_total").increment(1);
            return Err(WRONG_PASSWORD);
        }
        self.authenticated = true;
        Ok(())
    }

    pub(super) fn hello(&mut self, engine: &Engine, arguments: &[Bytes]) -> Result<Reply, Fault> {
        let mut protocol = self.protocol;
        if let Some(version) = arguments.get(1) {
            protocol = match &version[..] {
                b"2" => 2,
                b"3" => 3,
                other if parse_integer(other).is_err() => {
                    return Err(Fault::error(
                        "ERR Protocol version is not an integer or out of range",
                    ));
                }
                _ => return Err(Fault::error("NOPROTO unsupported protocol version")),
            };
        }
        let mut name = None;
        let mut words = arguments.get(2..).unwrap_or(&[]).iter();
        while let Some(word) = words.next() {
            if is(word, "AUTH") {
                let (Some(user), Some(password)) = (words.next(), words.next()) else {
                    return Err(syntax_in_hello(word));
                };
                self.sign_in(engine, user, password)?;
            } else if is(word, "SETNAME") {
                name = Some(words.next().ok_or_else(|| syntax_in_hello(word))?);
            } else {
                return Err(syntax_in_hello(word));
            }
        }
        if !self.authenticated {
            return Err(Fault::error(
                "NOAUTH HELLO must be called with the client already authenticated, otherwise the \
                 HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and \
                 select the RESP protocol version at the same time",
            ));
        }
        if let Some(name) = name {
            self.client.set_name(super::client::checked_name(name)?);
        }
        self.protocol = protocol;
        self.client.protocol.store(protocol, Ordering::Relaxed);
        let text = |text: &str| Reply::bulk(text);
        Ok(Reply::Map(vec![
            (text("server"), text("redis")),
            (text("version"), text(REDIS_VERSION)),
            (text("proto"), Reply::Integer(protocol.into())),
            (
                text("id"),
                Reply::Integer(i64::try_from(self.client.id).unwrap_or(i64::MAX)),
            ),
            (text("mode"), text("standalone")),
            (text("role"), text("master")),
            (text("modules"), Reply::Array(Vec::new())),
        ]))
    }

    pub(super) fn reset(&mut self, engine: &mut Engine) -> Outcome {
        self.forget_transaction();
        self.unwatch(engine);
        self.unsubscribe_all(engine);
        self.protocol = 2;
        self.client.protocol.store(2, Ordering::Relaxed);
        self.authenticated = false;
        self.silence = Silence::None;
        self.client.set_name(String::new());
        if engine.core.is_home_of(0) {
            self.db = 0;
            self.client.db.store(0, Ordering::Relaxed);
        }
        Outcome::Reply(Reply::Status("RESET"))
    }

    pub(super) fn select(
        &mut self,
        engine: &mut Engine,
        arguments: &[Bytes],
    ) -> Result<Outcome, Fault> {
        let db = commands::database_number(&arguments[1])?;
        if !engine.core.is_home_of(db) {
            // What is watched stays with its executor.
            if self.watches() {
                return Err(crate::engine::other_home(db));
            }
            return Ok(Outcome::Move(db));
        }
        self.db = db;
        self.client.db.store(db, Ordering::Relaxed);
        Ok(Outcome::Reply(Reply::OK))
    }
}

fn syntax_in_hello(word: &[u8]) -> Fault {
    let word = String::from_utf8_lossy(word);
    Fault::error(format!("ERR Syntax error in HELLO option '{word}'"))
}

/// `COMMAND`.
pub(super) fn command(arguments: &[Bytes]) -> Result<Reply, Fault> {
    let count = || i64::try_from(commands::all().count()).unwrap_or(i64::MAX);
    match arguments {
        [_] => Ok(Reply::Array(commands::all().map(described).collect())),
        [_, what] if is(what, "COUNT") => Ok(Reply::Integer(count())),
        [_, what] if is(what, "LIST") => {
            let names = commands::all().map(|spec| Reply::bulk(spec.name));
            Ok(Reply::Array(names.collect()))
        }
        [_, what, names @ ..] if is(what, "INFO") => {
            if names.is_empty() {
                return Ok(Reply::Array(commands::all().map(described).collect()));
            }
            let found = names
                .iter()
                .map(|name| commands::find(name).map_or(Reply::NilArray, described));
            Ok(Reply::Array(found.collect()))
        }
        [_, what, ..] if is(what, "DOCS") => Ok(Reply::Map(Vec::new())),
        [_, what, words @ ..] if is(what, "GETKEYS") && !words.is_empty() => keys_of(words),
        _ => Err(commands::subcommand(arguments, "command")),
    }
}

fn keys_of(words: &[Bytes]) -> Result<Reply, Fault> {
    let spec =
        commands::find(&words[0]).ok_or_else(|| Fault::error("ERR Invalid command specified"))?;
    if spec.keys == Keys::None {
        return Err(Fault::error("ERR The command has no key arguments"));
    }
    if spec.check_arity(words.len()).is_err() {
        return Err(Fault::error(
            "ERR Invalid number of arguments specified for command",
        ));
    }
    let keys = spec.keys.of(words).into_iter().map(Reply::Bulk);
    Ok(Reply::Array(keys.collect()))
}

fn described(spec: &'static Spec) -> Reply {
    let [first, last, step] = spec.keys.shown();
    let flags = spec.flags.names().into_iter().map(Reply::Status);
    Reply::Array(vec![
        Reply::bulk(spec.name),
        Reply::Integer(spec.arity.into()),
        Reply::Set(flags.collect()),
        Reply::Integer(first),
        Reply::Integer(last),
        Reply::Integer(step),
        Reply::Set(Vec::new()),
        Reply::Array(Vec::new()),
        Reply::Array(Vec::new()),
        Reply::Array(Vec::new()),
    ])
}
