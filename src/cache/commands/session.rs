//! Commands that concern a connection, or more than the keyspace; [`crate::session`] runs them.

use super::{Flags, Keys, Spec};
use crate::fault::Fault;

const SESSION: Flags = Flags::SESSION.and(Flags::FAST);
const PUB_SUB: Flags = SESSION.and(Flags::PUB_SUB).and(Flags::NO_SCRIPT);
const CONNECTION: Flags = SESSION.and(Flags::NO_SCRIPT);
const BEFORE_AUTH: Flags = CONNECTION.and(Flags::NO_AUTH).and(Flags::NO_MULTI);
const TRANSACTION: Flags = CONNECTION.and(Flags::NO_MULTI);
const SCRIPT: Flags = Flags::SESSION.and(Flags::NO_SCRIPT);
const ADMIN: Flags = CONNECTION.and(Flags::ADMIN);

pub(crate) const TABLE: &[Spec] = &[
    spec("auth", -2, BEFORE_AUTH, Keys::NONE),
    spec("hello", -1, BEFORE_AUTH, Keys::NONE),
    spec("quit", -1, BEFORE_AUTH.and(Flags::PUB_SUB), Keys::NONE),
    spec("reset", 1, BEFORE_AUTH.and(Flags::PUB_SUB), Keys::NONE),
    spec("ping", -1, SESSION.and(Flags::PUB_SUB), Keys::NONE),
    spec("echo", 2, SESSION, Keys::NONE),
    spec("select", 2, SESSION, Keys::NONE),
    spec("client", -2, CONNECTION, Keys::NONE),
    spec("command", -1, SESSION, Keys::NONE),
    spec("multi", 1, TRANSACTION, Keys::NONE),
    spec("exec", 1, TRANSACTION, Keys::NONE),
    spec("discard", 1, TRANSACTION, Keys::NONE),
    spec("watch", -2, TRANSACTION, Keys::range(1, -1, 1)),
    spec("unwatch", 1, CONNECTION, Keys::NONE),
    spec("subscribe", -2, PUB_SUB, Keys::NONE),
    spec("unsubscribe", -1, PUB_SUB, Keys::NONE),
    spec("psubscribe", -2, PUB_SUB, Keys::NONE),
    spec("punsubscribe", -1, PUB_SUB, Keys::NONE),
    spec("ssubscribe", -2, PUB_SUB, Keys::range(1, -1, 1)),
    spec("sunsubscribe", -1, PUB_SUB, Keys::range(1, -1, 1)),
    spec("publish", 3, SESSION, Keys::NONE),
    spec("spublish", 3, SESSION, Keys::FIRST),
    spec("pubsub", -2, SESSION, Keys::NONE),
    spec("eval", -3, SCRIPT, Keys::numbered(2)),
    spec("evalsha", -3, SCRIPT, Keys::numbered(2)),
    spec("eval_ro", -3, SCRIPT, Keys::numbered(2)),
    spec("evalsha_ro", -3, SCRIPT, Keys::numbered(2)),
    spec("script", -2, SCRIPT, Keys::NONE),
    spec("info", -1, Flags::SESSION, Keys::NONE),
    spec("config", -2, ADMIN, Keys::NONE),
    spec("slowlog", -2, ADMIN, Keys::NONE),
    spec("flushall", -1, Flags::SESSION.and(Flags::WRITE), Keys::NONE),
    spec("bgrewriteaof", 1, ADMIN, Keys::NONE),
    spec("bgsave", -1, ADMIN, Keys::NONE),
    spec("save", 1, ADMIN, Keys::NONE),
    spec("time", 1, SESSION, Keys::NONE),
    spec("lastsave", 1, SESSION, Keys::NONE),
    spec("role", 1, CONNECTION, Keys::NONE),
    spec("wait", 3, CONNECTION, Keys::NONE),
    spec("shutdown", -1, ADMIN, Keys::NONE),
];

const fn spec(name: &'static str, arity: i32, flags: Flags, keys: Keys) -> Spec {
    Spec {
        name,
        arity,
        flags,
        keys,
        run: |_, _| {
            // A connection runs it before it gets here; the keyspace alone cannot.
            Err(Fault::SYNTAX)
        },
    }
}
