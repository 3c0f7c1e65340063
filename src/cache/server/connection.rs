//! A connection: reads commands, runs them, and answers when what they changed is durable.

use std::{
    io,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use bytes::BytesMut;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::oneshot,
};

use super::{Home, Message, durable, misconf};
use crate::{
    clients::Client,
    pubsub::Messages,
    resp::{self, Decoder, Reply},
    session::{Outcome, Session, Silence, Waited},
};

/// How much is read at once.
const READ_BYTES: usize = 16 * 1024;
/// Answers are sent when they have become as long as this, or after so many commands, however many
/// commands are there already: others want to run theirs.
const FLUSH_BYTES: usize = 256 * 1024;
const FLUSH_COMMANDS: usize = 512;
/// How much of what a blocked client sends is read.
const READ_WHILE_BLOCKED_BYTES: usize = 64 * 1024;
/// How long a client may take to read an answer.
const WRITE_LIMIT: Duration = Duration::from_mins(1);
/// How long a client waits that has named a wrong password.
const WRONG_PASSWORD_PAUSE: Duration = Duration::from_millis(250);

/// A connection on its way to an executor.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) stream: std::net::TcpStream,
    pub(crate) session: Session,
    pub(crate) messages: Messages,
    pub(crate) decoder: Decoder,
    pub(crate) input: BytesMut,
    /// Told when the connection has ended.
    pub(crate) done: oneshot::Sender<()>,
}

impl Arrival {
    /// A client that has just connected.
    pub(crate) fn new(
        stream: std::net::TcpStream,
        client: Arc<Client>,
        max_request_bytes: usize,
        done: oneshot::Sender<()>,
    ) -> Self {
        let (session, messages) = Session::new(client);
        Self {
            stream,
            session,
            messages,
            decoder: Decoder::new(max_request_bytes),
            input: BytesMut::with_capacity(READ_BYTES),
            done,
        }
    }
}

struct Connection {
    home: Home,
    stream: TcpStream,
    session: Session,
    messages: Messages,
    decoder: Decoder,
    input: BytesMut,
    out: Vec<u8>,
    /// Something was changed whose durability has not been waited for.
    changed: bool,
}

/// Why a connection is left.
enum End {
    /// It is over.
    Over,
    /// It goes on at the executor of this database.
    Move(usize),
}

/// What running the commands that are there has led to.
enum Step {
    /// More has to be read.
    Read,
    /// There are more commands; others come first.
    Again,
    Wait(Waited),
    ClearOthers(Reply),
    End(End),
}

/// Serves a connection until it ends or moves.
pub(super) async fn serve(home: Home, arrival: Arrival) {
    let Arrival {
        stream,
        session,
        messages,
        decoder,
        input,
        done,
    } = arrival;
    let Ok(stream) = TcpStream::from_std(stream) else {
        return;
    };
    let mut connection = Connection {
        home,
        stream,
        session,
        messages,
        decoder,
        input,
        out: Vec::new(),
        changed: false,
    };
    // The client closing or resetting the connection is its ordinary end.
    let end = connection.run().await.unwrap_or(End::Over);
    let Connection {
        home,
        stream,
        mut session,
        messages,
        decoder,
        input,
        ..
    } = connection;
    match end {
        End::Over => {
            session.end(&mut home.engine.borrow_mut());
        }
        End::Move(db) => {
            session.db = db;
            session.client.db.store(db, Ordering::Relaxed);
            let Ok(stream) = stream.into_std() else {
                return;
            };
            let arrival = Arrival {
                stream,
                session,
                messages,
                decoder,
                input,
                done,
            };
            let message = Message::Connection(Box::new(arrival));
            // An executor that has stopped takes no more connections.
            let _ = home.executors.of_database[db].send(message).await;
        }
    }
}

impl Connection {
    async fn run(&mut self) -> io::Result<End> {
        loop {
            let step = self.run_commands();
            match step {
                Step::End(end) => {
                    self.flush().await?;
                    return Ok(end);
                }
                Step::Wait(waited) => {
                    self.flush().await?;
                    if !self.wait(waited).await? {
                        return Ok(End::Over);
                    }
                }
                Step::ClearOthers(reply) => {
                    let executors = Arc::clone(&self.home.executors);
                    executors.clear_others(&self.home.own).await;
                    self.answer(&reply);
                }
                Step::Again => {
                    self.flush().await?;
                    tokio::task::yield_now().await;
                }
                Step::Read => {
                    self.flush().await?;
                    if !self.read().await? {
                        return Ok(End::Over);
                    }
                }
            }
        }
    }

    /// Runs the commands that are there.
    fn run_commands(&mut self) -> Step {
        let mut engine = self.home.engine.borrow_mut();
        let dirty = engine.core.dirty;
        let mut step = Step::Read;
        let mut begun = Instant::now();
        let mut commands = 0;
        loop {
            if self.out.len() >= FLUSH_BYTES || commands >= FLUSH_COMMANDS {
                step = Step::Again;
                break;
            }
            self.decoder.authenticated = self.session.authenticated;
            let arguments = match self.decoder.next(&mut self.input) {
                Ok(Some(arguments)) => arguments,
                Ok(None) => break,
                Err(error) => {
                    let reply = Reply::Error(error.to_string());
                    resp::encode(&reply, self.session.protocol, &mut self.out);
                    step = Step::End(End::Over);
                    break;
                }
            };
            commands += 1;
            let words = arguments.clone();
            let outcome = self.session.execute(&mut engine, arguments);
            let ended = Instant::now();
            let micros = i64::try_from((ended - begun).as_micros()).unwrap_or(i64::MAX);
            begun = ended;
            self.home
                .shared
                .note_slow(micros, &words, Some(&self.session.client));
            if let Some(next) = take(&mut self.session, &mut self.out, outcome) {
                step = next;
                break;
            }
        }
        self.home
            .shared
            .commands
            .fetch_add(commands as u64, Ordering::Relaxed);
        self.changed |= engine.core.dirty != dirty;
        step
    }

    fn answer(&mut self, reply: &Reply) {
        append(
            &mut self.session,
            &mut self.out,
            std::slice::from_ref(reply),
        );
    }

    /// Sends the answers, when what they tell of is durable.
    async fn flush(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.changed)
            && let Err(error) = durable(&self.home).await
        {
            self.out.clear();
            resp::encode(&misconf(&error), self.session.protocol, &mut self.out);
            self.write().await?;
            // Which of the answers hold is not known any more.
            return Err(io::Error::other("the append-only file failed"));
        }
        if self.out.starts_with(b"-WRONGPASS") {
            tokio::time::sleep(WRONG_PASSWORD_PAUSE).await;
        }
        self.write().await
    }

    async fn write(&mut self) -> io::Result<()> {
        if self.out.is_empty() {
            return Ok(());
        }
        let written = match self.stream.try_write(&self.out) {
            Ok(written) => written,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(error) => return Err(error),
        };
        if written < self.out.len() {
            let rest = self.stream.write_all(&self.out[written..]);
            tokio::select! {
                written = tokio::time::timeout(WRITE_LIMIT, rest) => written??,
                () = self.session.client.stop.begun() => {
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
            }
        }
        if self.out.capacity() > FLUSH_BYTES * 2 {
            self.out = Vec::new();
        }
        self.out.clear();
        Ok(())
    }

    /// Waits for more input or for a message; false when it is over.
    async fn read(&mut self) -> io::Result<bool> {
        let wanted = self.decoder.wanted_bytes(&self.input).max(READ_BYTES);
        self.input.reserve(wanted);
        let stop = self.session.client.stop.clone();
        tokio::select! {
            read = self.stream.read_buf(&mut self.input) => return Ok(read? > 0),
            Some(message) = self.messages.next(), if self.session.listens() => {
                let mut message = Some(message);
                while let Some(next) = message {
                    resp::encode(&next.reply(), self.session.protocol, &mut self.out);
                    message = (self.out.len() < FLUSH_BYTES).then(|| self.messages.ready()).flatten();
                }
            }
            () = stop.begun() => return Ok(false),
        }
        Ok(true)
    }

    /// Waits until there is something, the time is over or the client goes; false when it has gone.
    async fn wait(&mut self, waited: Waited) -> io::Result<bool> {
        let Waited {
            id,
            mut answer,
            timeout,
            otherwise,
        } = waited;
        let stop = self.session.client.stop.clone();
        let over = async {
            match timeout {
                Some(timeout) => tokio::time::sleep(timeout).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(over);
        let reply = loop {
            let room = self.input.len() < READ_WHILE_BLOCKED_BYTES;
            tokio::select! {
                biased;
                reply = &mut answer => break reply.ok(),
                () = &mut over => break Some(otherwise),
                () = stop.begun() => break None,
                read = self.stream.read_buf(&mut self.input), if room => {
                    if !matches!(read, Ok(1..)) {
                        break None;
                    }
                }
                Some(message) = self.messages.next(), if self.session.listens() => {
                    resp::encode(&message.reply(), self.session.protocol, &mut self.out);
                    self.write().await?;
                }
            }
        };
        self.session
            .stop_waiting(&mut self.home.engine.borrow_mut(), id);
        let Some(reply) = reply else {
            return Ok(false);
        };
        // What it was given was taken from the keyspace.
        self.changed = true;
        self.answer(&reply);
        Ok(true)
    }
}

/// Notes an outcome's answers; what follows, if not the next command.
fn take(session: &mut Session, out: &mut Vec<u8>, outcome: Outcome) -> Option<Step> {
    match outcome {
        Outcome::Reply(reply) => append(session, out, &[reply]),
        Outcome::Replies(replies) => append(session, out, &replies),
        Outcome::Quit(reply) => {
            append(session, out, &[reply]);
            return Some(Step::End(End::Over));
        }
        Outcome::Move(db) => {
            append(session, out, &[Reply::OK]);
            return Some(Step::End(End::Move(db)));
        }
        Outcome::Wait(waited) => return Some(Step::Wait(waited)),
        Outcome::ClearEverywhere(reply) => return Some(Step::ClearOthers(reply)),
    }
    None
}

fn append(session: &mut Session, out: &mut Vec<u8>, replies: &[Reply]) {
    match session.silence {
        Silence::All => return,
        Silence::Next if replies.is_empty() => return,
        Silence::Next => {
            session.silence = Silence::None;
            return;
        }
        Silence::None => {}
    }
    for reply in replies {
        let start = out.len();
        if resp::size_bytes(reply) > MAX_REPLY_BYTES {
            let error = Reply::error("the answer is too large: ask for less at once");
            resp::encode(&error, session.protocol, out);
            continue;
        }
        resp::encode(reply, session.protocol, out);
        debug_assert!(out.len() > start);
    }
}

/// The longest answer.
const MAX_REPLY_BYTES: usize = 768 * 1024 * 1024;
