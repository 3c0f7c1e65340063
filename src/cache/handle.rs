//! The databases of the Redis role for the roles of this process: the same keys that clients of the
//! protocol see, without a socket. Each call is a command, or a transaction, of its database's
//! executor; what it changed is durable, where the database is, when it returns.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use mito_core::Shutdown;

use crate::{
    Redis,
    pubsub::{self, Kind, Listener, Messages},
    resp::Reply,
    shared::Shared,
};

/// What can go wrong with a call.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// The role is shutting down.
    #[error("the Redis role is closed")]
    Closed,
    /// The command was refused, in Redis's words.
    #[error("{0}")]
    Refused(String),
    /// The answer has another shape than the command's.
    #[error("an unexpected answer")]
    Unexpected,
}

/// One database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Keys {
    redis: Redis,
    db: usize,
}

/// A lock that is held until it is released or its time is over.
#[derive(Debug)]
pub struct Lock {
    keys: Keys,
    name: Bytes,
    /// Larger than that of every earlier holder. What is written on the lock's behalf carries it,
    /// so that a holder whose time was over can be told from the present one.
    pub token: i64,
}

/// Messages of channels.
#[derive(Debug)]
pub struct Subscription {
    shared: Arc<Shared>,
    messages: Messages,
    listener: Listener,
    channels: Vec<Bytes>,
}

type Words<'a> = &'a [&'a [u8]];

impl Keys {
    pub(crate) fn new(redis: Redis, db: usize) -> Self {
        Self { redis, db }
    }

    async fn transaction(&self, commands: &[Words<'_>]) -> Result<Vec<Reply>, HandleError> {
        let copied = |words: &Words<'_>| {
            words
                .iter()
                .map(|word| Bytes::copy_from_slice(word))
                .collect()
        };
        let commands = commands.iter().map(copied).collect();
        let replies = self
            .redis
            .call(self.db, commands)
            .await
            .ok_or(HandleError::Closed)?;
        match replies.iter().find(|reply| reply.is_error()) {
            Some(Reply::Error(error)) => Err(HandleError::Refused(error.clone())),
            _ => Ok(replies),
        }
    }

    async fn one(&self, words: Words<'_>) -> Result<Reply, HandleError> {
        let replies = self.transaction(&[words]).await?;
        replies.into_iter().next().ok_or(HandleError::Unexpected)
    }

    async fn script(
        &self,
        source: &str,
        key: &[u8],
        values: Words<'_>,
    ) -> Result<Reply, HandleError> {
        let mut words = vec![&b"EVAL"[..], source.as_bytes(), b"1", key];
        words.extend_from_slice(values);
        self.one(&words).await
    }

    /// The value of a string.
    pub async fn get(&self, key: &[u8]) -> Result<Option<Bytes>, HandleError> {
        optional(self.one(&[b"GET", key]).await?)
    }

    /// Sets a string, which expires after `ttl`.
    pub async fn set(
        &self,
        key: &[u8],
        value: &[u8],
        ttl: Option<Duration>,
    ) -> Result<(), HandleError> {
        match ttl.map(milliseconds) {
            None => self.one(&[b"SET", key, value]).await?,
            Some(ttl) => {
                self.one(&[b"SET", key, value, b"PX", ttl.as_bytes()])
                    .await?
            }
        };
        Ok(())
    }

    /// Sets a string if it is `expected` now (`None`: if the key is absent), keeping its deadline;
    /// whether it was.
    pub async fn compare_and_set(
        &self,
        key: &[u8],
        expected: Option<&[u8]>,
        value: &[u8],
    ) -> Result<bool, HandleError> {
        const SOURCE: &str = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end \
             redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL') return 1";
        match expected {
            None => integer(&self.one(&[b"SETNX", key, value]).await?).map(|set| set == 1),
            Some(expected) => {
                let done = self.script(SOURCE, key, &[expected, value]).await?;
                integer(&done).map(|done| done == 1)
            }
        }
    }

    /// Adds to an integer that begins at 0; the sum.
    pub async fn increment(&self, key: &[u8], by: i64) -> Result<i64, HandleError> {
        integer(
            &self
                .one(&[b"INCRBY", key, by.to_string().as_bytes()])
                .await?,
        )
    }

    /// Removes a key; whether it was there.
    pub async fn remove(&self, key: &[u8]) -> Result<bool, HandleError> {
        integer(&self.one(&[b"DEL", key]).await?).map(|removed| removed == 1)
    }

    /// The key expires after `ttl`; whether it is there.
    pub async fn expire(&self, key: &[u8], ttl: Duration) -> Result<bool, HandleError> {
        let set = self
            .one(&[b"PEXPIRE", key, milliseconds(ttl).as_bytes()])
            .await?;
        integer(&set).map(|set| set == 1)
    }

    /// Sets a field of a hash.
    pub async fn hash_set(
        &self,
        key: &[u8],
        field: &[u8],
        value: &[u8],
    ) -> Result<(), HandleError> {
        self.one(&[b"HSET", key, field, value]).await.map(|_| ())
    }

    /// A field of a hash.
    pub async fn hash_get(&self, key: &[u8], field: &[u8]) -> Result<Option<Bytes>, HandleError> {
        optional(self.one(&[b"HGET", key, field]).await?)
    }

    /// Appends to a list; its length.
    pub async fn list_push(&self, key: &[u8], value: &[u8]) -> Result<i64, HandleError> {
        integer(&self.one(&[b"RPUSH", key, value]).await?)
    }

    /// Takes the first of a list.
    pub async fn list_pop(&self, key: &[u8]) -> Result<Option<Bytes>, HandleError> {
        optional(self.one(&[b"LPOP", key]).await?)
    }

    /// Adds a member to a set; whether it is new.
    pub async fn set_add(&self, key: &[u8], member: &[u8]) -> Result<bool, HandleError> {
        integer(&self.one(&[b"SADD", key, member]).await?).map(|added| added == 1)
    }

    /// Whether a set has the member.
    pub async fn set_contains(&self, key: &[u8], member: &[u8]) -> Result<bool, HandleError> {
        integer(&self.one(&[b"SISMEMBER", key, member]).await?).map(|held| held == 1)
    }

    /// Sets the score of a member of a sorted set.
    pub async fn sorted_add(
        &self,
        key: &[u8],
        score: f64,
        member: &[u8],
    ) -> Result<(), HandleError> {
        let score = crate::number::format_double(score);
        self.one(&[b"ZADD", key, score.as_bytes(), member])
            .await
            .map(|_| ())
    }

    /// The first `count` members of a sorted set.
    pub async fn sorted_first(&self, key: &[u8], count: usize) -> Result<Vec<Bytes>, HandleError> {
        if count == 0 {
            return Ok(Vec::new());
        }
        let last = (count - 1).to_string();
        match self.one(&[b"ZRANGE", key, b"0", last.as_bytes()]).await? {
            Reply::Array(items) => items
                .into_iter()
                .map(|item| optional(item)?.ok_or(HandleError::Unexpected))
                .collect(),
            _ => Err(HandleError::Unexpected),
        }
    }

    /// Sends a message to a channel; how many got it.
    pub fn publish(&self, channel: &[u8], message: &[u8]) -> usize {
        let (channel, message) = (
            Bytes::copy_from_slice(channel),
            Bytes::copy_from_slice(message),
        );
        self.redis
            .shared()
            .channels
            .publish(Kind::Channel, &channel, &message)
    }

    /// Listens to channels. One that does not keep up is cut off.
    pub fn subscribe(&self, channels: &[&[u8]]) -> Subscription {
        let shared = Arc::clone(self.redis.shared());
        let (listener, messages) = pubsub::listener(shared.next_client(), Shutdown::new());
        let channels: Vec<Bytes> = channels
            .iter()
            .map(|name| Bytes::copy_from_slice(name))
            .collect();
        for channel in &channels {
            shared.channels.subscribe(Kind::Channel, channel, &listener);
        }
        Subscription {
            shared,
            messages,
            listener,
            channels,
        }
    }

    /// Takes the lock called `name` for `ttl`, unless somebody holds it.
    pub async fn lock(&self, name: &[u8], ttl: Duration) -> Result<Option<Lock>, HandleError> {
        const SOURCE: &str = "if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end \
             local token = redis.call('INCR', KEYS[1] .. ':token') \
             redis.call('SET', KEYS[1], token, 'PX', ARGV[1]) return token";
        let ttl = milliseconds(ttl);
        let token = integer(&self.script(SOURCE, name, &[ttl.as_bytes()]).await?)?;
        let lock = || Lock {
            keys: self.clone(),
            name: Bytes::copy_from_slice(name),
            token,
        };
        Ok((token > 0).then(lock))
    }
}

impl Lock {
    /// Holds it for `ttl` from now on; false when its time was over.
    pub async fn extend(&self, ttl: Duration) -> Result<bool, HandleError> {
        const SOURCE: &str = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end \
             return redis.call('PEXPIRE', KEYS[1], ARGV[2])";
        let (token, ttl) = (self.token.to_string(), milliseconds(ttl));
        let values: Words<'_> = &[token.as_bytes(), ttl.as_bytes()];
        let extended = self.keys.script(SOURCE, &self.name, values).await?;
        integer(&extended).map(|extended| extended == 1)
    }

    /// Releases it; false when its time was over.
    pub async fn release(self) -> Result<bool, HandleError> {
        const SOURCE: &str = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end \
             return redis.call('DEL', KEYS[1])";
        let token = self.token.to_string();
        let released = self
            .keys
            .script(SOURCE, &self.name, &[token.as_bytes()])
            .await?;
        integer(&released).map(|released| released == 1)
    }
}

impl Subscription {
    /// The next message: its channel and what it says.
    pub async fn next(&mut self) -> Option<(Bytes, Bytes)> {
        self.messages.next().await.map(pubsub::Message::into_parts)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        for channel in &self.channels {
            let id = self.listener.id();
            self.shared.channels.unsubscribe(Kind::Channel, channel, id);
        }
    }
}

fn milliseconds(ttl: Duration) -> String {
    ttl.as_millis().max(1).to_string()
}

fn optional(reply: Reply) -> Result<Option<Bytes>, HandleError> {
    match reply {
        Reply::Bulk(bytes) => Ok(Some(bytes)),
        Reply::Nil | Reply::NilArray => Ok(None),
        _ => Err(HandleError::Unexpected),
    }
}

fn integer(reply: &Reply) -> Result<i64, HandleError> {
    match reply {
        Reply::Integer(number) => Ok(*number),
        _ => Err(HandleError::Unexpected),
    }
}

#[cfg(test)]
mod tests;
