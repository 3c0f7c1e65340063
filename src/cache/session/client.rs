//! `CLIENT`.

use std::sync::{Arc, atomic::Ordering};

use bytes::Bytes;

use super::{Outcome, Session, Silence};
use crate::{
    clients::Client,
    commands::{self, options::is},
    engine::Engine,
    fault::Fault,
    number::parse_integer,
    resp::Reply,
};

/// A name without blanks and line breaks, which would spoil `CLIENT LIST`.
pub(super) fn checked_name(name: &[u8]) -> Result<String, Fault> {
    if name.iter().all(u8::is_ascii_graphic) {
        return Ok(String::from_utf8_lossy(name).into_owned());
    }
    Err(Fault::error(
        "ERR Client names cannot contain spaces, newlines or special characters.",
    ))
}

impl Session {
    pub(super) fn client_command(
        &mut self,
        engine: &mut Engine,
        arguments: &[Bytes],
    ) -> Result<Outcome, Fault> {
        let now_ms = engine.core.now_ms;
        let reply = match &arguments[1..] {
            [what] if is(what, "ID") => {
                Reply::Integer(i64::try_from(self.client.id).unwrap_or(i64::MAX))
            }
            [what] if is(what, "GETNAME") => match self.client.name() {
                name if name.is_empty() => Reply::Nil,
                name => Reply::bulk(name),
            },
            [what, name] if is(what, "SETNAME") => {
                self.client.set_name(checked_name(name)?);
                Reply::OK
            }
            [what, attribute, text] if is(what, "SETINFO") => {
                self.set_info(attribute, text)?;
                Reply::OK
            }
            [what] if is(what, "INFO") => Reply::Verbatim(self.client.line(now_ms) + "\n"),
            [what, rest @ ..] if is(what, "LIST") => list(engine, rest)?,
            [what, rest @ ..] if is(what, "KILL") && !rest.is_empty() => {
                return self.kill(engine, rest);
            }
            [what, mode] if is(what, "REPLY") => return self.reply_mode(mode),
            [what, id, rest @ ..] if is(what, "UNBLOCK") && rest.len() <= 1 => {
                unblock(engine, id, rest.first())?
            }
            [what, on] if is(what, "NO-EVICT") || is(what, "NO-TOUCH") => {
                if !is(on, "ON") && !is(on, "OFF") {
                    return Err(Fault::SYNTAX);
                }
                Reply::OK
            }
            [what] if is(what, "GETREDIR") => Reply::Integer(-1),
            [what, on, ..] if is(what, "TRACKING") && is(on, "OFF") => Reply::OK,
            _ => return Err(commands::subcommand(arguments, "client")),
        };
        Ok(Outcome::Reply(reply))
    }

    fn set_info(&self, attribute: &[u8], text: &[u8]) -> Result<(), Fault> {
        let shown = String::from_utf8_lossy(attribute).into_owned();
        let value = checked_name(text).map_err(|_| {
            Fault::error(format!(
                "ERR {shown} cannot contain spaces, newlines or special characters."
            ))
        })?;
        match attribute {
            name if is(name, "LIB-NAME") => self.client.set_library(value),
            name if is(name, "LIB-VER") => self.client.set_library_version(value),
            _ => return Err(Fault::error(format!("ERR Unrecognized option '{shown}'"))),
        }
        Ok(())
    }

    fn reply_mode(&mut self, mode: &[u8]) -> Result<Outcome, Fault> {
        self.silence = match mode {
            mode if is(mode, "ON") => {
                self.silence = Silence::None;
                return Ok(Outcome::Reply(Reply::OK));
            }
            mode if is(mode, "OFF") => Silence::All,
            mode if is(mode, "SKIP") => Silence::Next,
            _ => return Err(Fault::SYNTAX),
        };
        Ok(Outcome::Replies(Vec::new()))
    }

    fn kill(&self, engine: &Engine, words: &[Bytes]) -> Result<Outcome, Fault> {
        let clients: Vec<Arc<Client>> = engine.shared.clients().values().cloned().collect();
        if let [address] = words {
            let found = clients
                .iter()
                .find(|client| client.address.as_bytes() == &address[..]);
            let found = found.ok_or_else(|| Fault::error("ERR No such client"))?;
            found.stop.begin();
            return Ok(Outcome::Reply(Reply::OK));
        }
        let (filters, rest) = words.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(Fault::SYNTAX);
        }
        let mut chosen = clients;
        let mut skip_me = true;
        for [name, value] in filters {
            match name {
                name if is(name, "ID") => {
                    let id = parse_integer(value)
                        .ok()
                        .filter(|id| *id > 0)
                        .ok_or_else(|| Fault::error("ERR client-id should be greater than 0"))?;
                    chosen.retain(|client| i64::try_from(client.id) == Ok(id));
                }
                name if is(name, "ADDR") => {
                    chosen.retain(|client| client.address.as_bytes() == &value[..]);
                }
                name if is(name, "LADDR") => {
                    chosen.retain(|client| client.local_address.as_bytes() == &value[..]);
                }
                name if is(name, "TYPE") => chosen.retain(|client| is(value, client.kind())),
                name if is(name, "USER") => chosen.retain(|_| is(value, "default")),
                name if is(name, "SKIPME") => skip_me = is(value, "YES"),
                _ => return Err(Fault::SYNTAX),
            }
        }
        chosen.retain(|client| !skip_me || client.id != self.client.id);
        for client in &chosen {
            client.stop.begin();
        }
        let count = i64::try_from(chosen.len()).unwrap_or(i64::MAX);
        Ok(Outcome::Reply(Reply::Integer(count)))
    }
}

fn list(engine: &Engine, words: &[Bytes]) -> Result<Reply, Fault> {
    let clients: Vec<Arc<Client>> = engine.shared.clients().values().cloned().collect();
    let mut ids = None;
    let mut kind = None;
    match words {
        [] => {}
        [what, value] if is(what, "TYPE") => kind = Some(value),
        [what, rest @ ..] if is(what, "ID") && !rest.is_empty() => {
            let parsed: Result<Vec<i64>, Fault> = rest
                .iter()
                .map(|id| parse_integer(id).map_err(|_| Fault::error("ERR Invalid client ID")))
                .collect();
            ids = Some(parsed?);
        }
        _ => return Err(Fault::SYNTAX),
    }
    let shown = clients.iter().filter(|client| {
        let id = i64::try_from(client.id).unwrap_or(i64::MAX);
        ids.as_ref().is_none_or(|ids| ids.contains(&id))
            && kind.is_none_or(|kind| is(kind, client.kind()))
    });
    let lines: String = shown
        .map(|client| client.line(engine.core.now_ms) + "\n")
        .collect();
    Ok(Reply::Verbatim(lines))
}

fn unblock(engine: &mut Engine, id: &[u8], how: Option<&Bytes>) -> Result<Reply, Fault> {
    let id = parse_integer(id)?;
    let error = match how {
        None => false,
        Some(how) if is(how, "TIMEOUT") => false,
        Some(how) if is(how, "ERROR") => true,
        Some(_) => {
            return Err(Fault::error(
                "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR",
            ));
        }
    };
    let client = u64::try_from(id)
        .ok()
        .and_then(|id| engine.shared.clients().get(&id).cloned());
    let waiter = client.map_or(0, |client| client.blocked.load(Ordering::Relaxed));
    let unblocked = engine.core.waiting.unblock(waiter, error);
    Ok(Reply::Integer(unblocked.into()))
}
