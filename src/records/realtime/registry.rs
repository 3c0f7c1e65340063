//! Who is connected and what they have asked for, by topic.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use bytes::Bytes;
use mito_network::Identity;

use super::{
    Limits, Refused,
    mailbox::{Mailbox, Posted},
    topic::Topic,
};

/// Bits of an IPv6 address that count as one address: what a provider gives to one customer.
const IPV6_PREFIX_BITS: u32 = 64;
/// What all subscriptions of all clients may take, in bytes.
const MAX_TOPIC_BYTES: usize = 256 * 1024 * 1024;

/// One connected client.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) id: String,
    number: u64,
    address: String,
    pub(crate) mailbox: Mailbox,
    pub(crate) opened_ms: i64,
    /// When it was last told something, or subscribed to something.
    active_ms: AtomicI64,
    /// When anything was last written into its stream.
    written_ms: AtomicI64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    identity: Option<Arc<Identity>>,
    topics: Vec<Arc<Topic>>,
}

impl Client {
    /// Puts a message into the mailbox; whether it is kept there.
    pub(crate) fn post(&self, message: Bytes, now_ms: i64) -> bool {
        match self.mailbox.post(message) {
            Posted::Kept => {
                self.active_ms.store(now_ms, Ordering::Relaxed);
                self.written_ms.store(now_ms, Ordering::Relaxed);
                true
            }
            Posted::Closed => false,
            Posted::RanOver => {
                metrics::counter!("mito_realtime_slow_clients_total").increment(1);
                tracing::debug!(client.id = %self.id, "a realtime client reads too slowly");
                false
            }
        }
    }

    /// Shows the other end that the connection lives.
    pub(crate) fn keep_alive(&self, now_ms: i64) {
        self.written_ms.store(now_ms, Ordering::Relaxed);
        self.mailbox.keep_alive();
    }

    pub(crate) fn active_ms(&self) -> i64 {
        self.active_ms.load(Ordering::Relaxed)
    }

    pub(crate) fn written_ms(&self) -> i64 {
        self.written_ms.load(Ordering::Relaxed)
    }

    /// Who it has proved to be.
    pub(crate) fn identity(&self) -> Option<Arc<Identity>> {
        self.state().identity.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Those who have submitted the same text.
#[derive(Debug)]
struct Channel {
    topic: Arc<Topic>,
    members: HashMap<u64, Member>,
}

#[derive(Debug)]
struct Member {
    client: Arc<Client>,
    /// The newest event when it asked: it is told of later ones.
    after: i64,
}

/// When something is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) at_ms: i64,
    /// The newest committed event.
    pub(crate) sequence: i64,
}

/// A channel as it was at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Audience {
    pub(crate) topic: Arc<Topic>,
    pub(crate) members: Vec<(Arc<Client>, Option<Arc<Identity>>)>,
}

/// All clients.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    clients: HashMap<String, Arc<Client>>,
    by_address: HashMap<String, usize>,
    /// Channels by target, then by the whole text.
    channels: HashMap<Arc<str>, HashMap<Arc<str>, Channel>>,
    topic_bytes: usize,
    opened: u64,
    /// No more clients are let in.
    closed: bool,
}

impl Registry {
    /// Lets a client in, if there is room for it.
    pub(crate) fn enter(
        &mut self,
        id: String,
        address: &str,
        limits: Limits,
        now_ms: i64,
    ) -> Result<Arc<Client>, Refused> {
        if self.closed || self.clients.len() >= limits.clients {
            return Err(Refused::Full);
        }
        let group = group(address);
        let count = self.by_address.get(&group).copied().unwrap_or(0);
        if count >= limits.clients_per_address && !is_loopback(address) {
            return Err(Refused::TooManyOfAddress);
        }
        self.by_address.insert(group, count + 1);
        self.opened += 1;
        let client = Arc::new(Client {
            number: self.opened,
            address: address.to_owned(),
            mailbox: Mailbox::new(Bytes::from(format!("id:{id}\n"))),
            opened_ms: now_ms,
            active_ms: AtomicI64::new(now_ms),
            written_ms: AtomicI64::new(now_ms),
            state: Mutex::default(),
            id: id.clone(),
        });
        self.clients.insert(id, Arc::clone(&client));
        self.show();
        Ok(client)
    }

    /// Forgets a client.
    pub(crate) fn leave(&mut self, client: &Client) {
        if self.clients.remove(&client.id).is_none() {
            return;
        }
        let topics = std::mem::take(&mut client.state().topics);
        self.remove_from(client, &topics);
        let group = group(&client.address);
        if let Some(count) = self.by_address.get_mut(&group) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&group);
            }
        }
        self.show();
    }

    /// Replaces what a client is told of, and perhaps makes somebody of nobody.
    pub(crate) fn subscribe(
        &mut self,
        id: &str,
        topics: Vec<Topic>,
        identity: Option<Identity>,
        address: &str,
        now: Moment,
    ) -> Result<(), Refused> {
        let client = self.clients.get(id).cloned().ok_or(Refused::Unknown)?;
        if client.address != address {
            return Err(Refused::OtherAddress);
        }
        let size: usize = topics.iter().map(Topic::size).sum();
        if self.topic_bytes.saturating_add(size) > MAX_TOPIC_BYTES {
            return Err(Refused::Full);
        }
        let mut state = client.state();
        let same = |own: &Identity| {
            identity
                .as_ref()
                .is_some_and(|other| own.id == other.id && own.collection_id == other.collection_id)
        };
        if state.identity.as_deref().is_some_and(|own| !same(own)) {
            return Err(Refused::OtherAccount);
        }
        state.identity = identity.map(Arc::new);
        // What is submitted again goes on without a gap.
        let before = std::mem::take(&mut state.topics);
        let added = self.add_to(&client, topics, now.sequence);
        let dropped: Vec<Arc<Topic>> = before
            .into_iter()
            .filter(|topic| !added.contains_key(&topic.text))
            .collect();
        self.remove_from(&client, &dropped);
        state.topics = added.into_values().collect();
        client.active_ms.store(now.at_ms, Ordering::Relaxed);
        Ok(())
    }

    /// Adds a client to channels, each once; returns their topics by text.
    fn add_to(
        &mut self,
        client: &Arc<Client>,
        topics: Vec<Topic>,
        after: i64,
    ) -> HashMap<Arc<str>, Arc<Topic>> {
        let mut added: HashMap<Arc<str>, Arc<Topic>> = HashMap::with_capacity(topics.len());
        for topic in topics {
            let channels = self.channels.entry(Arc::clone(&topic.target)).or_default();
            let channel = channels
                .entry(Arc::clone(&topic.text))
                .or_insert_with(|| Channel {
                    topic: Arc::new(topic),
                    members: HashMap::new(),
                });
            let topic = Arc::clone(&channel.topic);
            channel.members.entry(client.number).or_insert_with(|| {
                self.topic_bytes += topic.size();
                Member {
                    client: Arc::clone(client),
                    after,
                }
            });
            added.insert(Arc::clone(&topic.text), topic);
        }
        added
    }

    fn remove_from(&mut self, client: &Client, topics: &[Arc<Topic>]) {
        for topic in topics {
            let Some(channels) = self.channels.get_mut(&topic.target) else {
                continue;
            };
            if let Some(channel) = channels.get_mut(&topic.text) {
                if channel.members.remove(&client.number).is_some() {
                    self.topic_bytes -= topic.size();
                }
                if channel.members.is_empty() {
                    channels.remove(&topic.text);
                }
            }
            if channels.is_empty() {
                self.channels.remove(&topic.target);
            }
        }
    }

    /// Whether anybody has asked for anything.
    pub(crate) fn has_subscribers(&self) -> bool {
        !self.channels.is_empty()
    }

    /// Everybody who had asked for `target`, whatever their options, before the event `sequence`.
    pub(crate) fn audiences(&self, target: &str, sequence: i64) -> Vec<Audience> {
        let Some(channels) = self.channels.get(target) else {
            return Vec::new();
        };
        let members = |channel: &Channel| {
            let members = channel.members.values();
            members
                .filter(|member| member.after < sequence)
                .map(|member| (Arc::clone(&member.client), member.client.identity()))
                .collect()
        };
        channels
            .values()
            .filter(|channel| channel.topic.can_be_told())
            .map(|channel| Audience {
                topic: Arc::clone(&channel.topic),
                members: members(channel),
            })
            .collect()
    }

    /// The client with that id, if it has asked for `topic`; it is not told of it again.
    pub(crate) fn take_subscription(&mut self, id: &str, topic: &str) -> Option<Arc<Client>> {
        let client = self.clients.get(id).cloned()?;
        let mut state = client.state();
        let at = state.topics.iter().position(|own| &*own.text == topic)?;
        let taken = state.topics.swap_remove(at);
        self.remove_from(&client, &[taken]);
        drop(state);
        Some(client)
    }

    pub(crate) fn all(&self) -> Vec<Arc<Client>> {
        self.clients.values().cloned().collect()
    }

    /// Makes nobody of those whose session has ended.
    pub(crate) fn end_sessions(&self, has_ended: impl Fn(&str) -> bool) {
        for client in self.clients.values() {
            let mut state = client.state();
            let ended = state.identity.as_ref();
            if ended.is_some_and(|identity| has_ended(&identity.session_id)) {
                state.identity = None;
            }
        }
    }

    /// The sessions of all clients.
    pub(crate) fn sessions(&self) -> Vec<String> {
        let identities = self.clients.values().filter_map(|client| client.identity());
        let mut sessions: Vec<String> = identities
            .map(|identity| identity.session_id.clone())
            .collect();
        sessions.sort_unstable();
        sessions.dedup();
        sessions
    }

    /// Ends all streams; with `for_good`, no client is let in again.
    pub(crate) fn close(&mut self, for_good: bool) {
        self.closed = for_good;
        for client in self.clients.values() {
            client.mailbox.close();
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.clients.len()
    }

    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
    fn show(&self) {
        metrics::gauge!("mito_realtime_clients").set(self.clients.len() as f64);
    }
}

fn is_loopback(address: &str) -> bool {
    let parsed = address.parse::<IpAddr>();
    parsed.is_ok_and(|address| address.to_canonical().is_loopback())
}

/// Addresses that are counted together.
fn group(address: &str) -> String {
    match address
        .parse::<IpAddr>()
        .map(|address| address.to_canonical())
    {
        Ok(IpAddr::V6(address)) => {
            let kept = u128::MAX << (u128::BITS - IPV6_PREFIX_BITS);
            std::net::Ipv6Addr::from_bits(address.to_bits() & kept).to_string()
        }
        Ok(other) => other.to_string(),
        Err(_) => address.to_owned(),
    }
}
