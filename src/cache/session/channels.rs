//! Subscriptions.

use std::{collections::HashSet, sync::atomic::Ordering};

use bytes::Bytes;

use super::Session;
use crate::{
    commands::{self, options::is},
    engine::Engine,
    fault::Fault,
    pubsub::Kind,
    resp::Reply,
};

/// What a client listens to.
#[derive(Debug, Default)]
pub(super) struct Subscribed {
    channels: HashSet<Bytes>,
    patterns: HashSet<Bytes>,
    shards: HashSet<Bytes>,
}

impl Subscribed {
    pub(super) fn any(&self) -> bool {
        self.ordinary() + self.shards.len() > 0
    }

    fn ordinary(&self) -> usize {
        self.channels.len() + self.patterns.len()
    }

    fn of(&mut self, kind: Kind) -> &mut HashSet<Bytes> {
        match kind {
            Kind::Channel => &mut self.channels,
            Kind::Pattern => &mut self.patterns,
            Kind::Shard => &mut self.shards,
        }
    }
}

fn kind(command: &str) -> Kind {
    match command.as_bytes()[0] {
        b'p' => Kind::Pattern,
        b's' if command.starts_with("ss") || command.starts_with("sun") => Kind::Shard,
        _ => Kind::Channel,
    }
}

impl Session {
    pub(super) fn subscribe(
        &mut self,
        engine: &Engine,
        command: &'static str,
        arguments: &[Bytes],
    ) -> Vec<Reply> {
        let kind = kind(command);
        let mut replies = Vec::new();
        for name in &arguments[1..] {
            let name = Bytes::copy_from_slice(name);
            engine
                .shared
                .channels
                .subscribe(kind, &name, &self.listener);
            self.subscribed.of(kind).insert(name.clone());
            replies.push(self.told(command, kind, Reply::Bulk(name)));
        }
        replies
    }

    pub(super) fn unsubscribe(
        &mut self,
        engine: &Engine,
        command: &'static str,
        arguments: &[Bytes],
    ) -> Vec<Reply> {
        let kind = kind(command);
        let mut names = arguments[1..].to_vec();
        if names.is_empty() {
            names = self.subscribed.of(kind).iter().cloned().collect();
        }
        if names.is_empty() {
            return vec![self.told(command, kind, Reply::Nil)];
        }
        let mut replies = Vec::new();
        for name in names {
            engine
                .shared
                .channels
                .unsubscribe(kind, &name, self.client.id);
            self.subscribed.of(kind).remove(&name);
            replies.push(self.told(command, kind, Reply::Bulk(name)));
        }
        replies
    }

    fn told(&self, command: &'static str, kind: Kind, name: Reply) -> Reply {
        let subscribed = &self.subscribed;
        self.client
            .subscriptions
            .store(subscribed.channels.len(), Ordering::Relaxed);
        self.client
            .patterns
            .store(subscribed.patterns.len(), Ordering::Relaxed);
        let count = if kind == Kind::Shard {
            subscribed.shards.len()
        } else {
            subscribed.ordinary()
        };
        let count = Reply::Integer(i64::try_from(count).unwrap_or(i64::MAX));
        Reply::Push(vec![Reply::bulk(command), name, count])
    }

    /// Listens to nothing any more.
    pub(super) fn unsubscribe_all(&mut self, engine: &Engine) {
        for kind in [Kind::Channel, Kind::Pattern, Kind::Shard] {
            for name in std::mem::take(self.subscribed.of(kind)) {
                engine
                    .shared
                    .channels
                    .unsubscribe(kind, &name, self.client.id);
            }
        }
        self.client.subscriptions.store(0, Ordering::Relaxed);
        self.client.patterns.store(0, Ordering::Relaxed);
    }

    /// Whether it listens to anything.
    pub(crate) fn listens(&self) -> bool {
        self.subscribed.any()
    }
}

/// `PUBSUB`.
pub(super) fn pubsub(engine: &Engine, arguments: &[Bytes]) -> Result<Reply, Fault> {
    let channels = &engine.shared.channels;
    let names = |kind, pattern: Option<&Bytes>| {
        let names = channels.names(kind, pattern.map(|pattern| &pattern[..]));
        Reply::Array(names.into_iter().map(Reply::Bulk).collect())
    };
    let listeners = |kind, names: &[Bytes]| {
        let count =
            |name: &Bytes| i64::try_from(channels.listeners(kind, name)).unwrap_or(i64::MAX);
        let pairs = names
            .iter()
            .flat_map(|name| [Reply::Bulk(name.clone()), Reply::Integer(count(name))]);
        Reply::Array(pairs.collect())
    };
    let count = |count: usize| Reply::Integer(i64::try_from(count).unwrap_or(i64::MAX));
    match arguments {
        [_, what] if is(what, "CHANNELS") => Ok(names(Kind::Channel, None)),
        [_, what, pattern] if is(what, "CHANNELS") => Ok(names(Kind::Channel, Some(pattern))),
        [_, what] if is(what, "SHARDCHANNELS") => Ok(names(Kind::Shard, None)),
        [_, what, pattern] if is(what, "SHARDCHANNELS") => Ok(names(Kind::Shard, Some(pattern))),
        [_, what, names @ ..] if is(what, "NUMSUB") => Ok(listeners(Kind::Channel, names)),
        [_, what, names @ ..] if is(what, "SHARDNUMSUB") => Ok(listeners(Kind::Shard, names)),
        [_, what] if is(what, "NUMPAT") => Ok(count(channels.patterns())),
        _ => Err(commands::subcommand(arguments, "pubsub")),
    }
}
