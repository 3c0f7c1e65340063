//! A keyspace in memory for the tests of commands: lines in, text out.

use bytes::Bytes;
use mito_core::Random;

use crate::{
    commands,
    context::Context,
    core::{Core, DATABASES},
    eviction::{Memory, Policy},
    fault::Fault,
    journal::Journal,
    number::format_double,
    resp::Reply,
};

/// A keyspace, and what its log would hold.
pub(crate) struct Keyspace {
    pub(crate) core: Core,
    /// 2 or 3.
    pub(crate) protocol: u8,
    pub(crate) log: Vec<String>,
}

impl Keyspace {
    pub(crate) fn new() -> Self {
        let memory = Memory {
            max_bytes: 0,
            policy: Policy::Noeviction,
        };
        let random = Random::seeded(1);
        Self {
            core: Core::new([true; DATABASES], memory, Journal::default(), &random),
            protocol: 2,
            log: Vec::new(),
        }
    }

    /// Runs a command whose words are separated by blanks; `''` is an empty word.
    pub(crate) fn run(&mut self, line: &str) -> String {
        let word = |word: &str| Bytes::copy_from_slice(word.replace("''", "").as_bytes());
        let words: Vec<Bytes> = line.split(' ').map(word).collect();
        let outcome = self.outcome(&words);
        match outcome {
            Ok(Reply::NilArray) if self.protocol >= 3 => "nil".to_owned(),
            Ok(reply) => text(&reply),
            Err(Fault::Error(error)) => error.into_owned(),
            Err(Fault::Wait(wait)) => {
                let keys: Vec<_> = wait.keys.iter().map(|key| shown(key)).collect();
                format!("waits for {}", keys.join(" "))
            }
        }
    }

    fn outcome(&mut self, words: &[Bytes]) -> Result<Reply, Fault> {
        let spec = commands::find(&words[0]).ok_or_else(|| commands::unknown(words))?;
        spec.check_arity(words.len())?;
        let mut context = Context::new(&mut self.core, 0, self.protocol);
        let outcome = spec.run_data(&mut context, words);
        let (changes, propagated) = context.into_effects();
        if changes > 0 {
            for command in propagated.unwrap_or_else(|| vec![words.to_vec()]) {
                let words: Vec<_> = command.iter().map(|word| shown(word)).collect();
                self.log.push(words.join(" "));
            }
        }
        outcome
    }
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// An answer on one line.
pub(crate) fn text(reply: &Reply) -> String {
    let all = |items: &[Reply]| items.iter().map(text).collect::<Vec<_>>().join(" ");
    match reply {
        Reply::Status(line) => (*line).to_owned(),
        Reply::Line(line) | Reply::Error(line) | Reply::Verbatim(line) => line.clone(),
        Reply::Integer(number) => number.to_string(),
        Reply::Bulk(bytes) => shown(bytes),
        Reply::Nil => "nil".to_owned(),
        Reply::NilArray => "no array".to_owned(),
        Reply::Array(items) => format!("[{}]", all(items)),
        Reply::Set(items) => format!("~[{}]", all(items)),
        Reply::Push(items) => format!(">[{}]", all(items)),
        Reply::Map(pairs) => {
            let pairs = pairs
                .iter()
                .map(|(key, value)| format!("{}: {}", text(key), text(value)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
        Reply::Double(number) => format_double(*number),
        Reply::Boolean(value) => value.to_string(),
    }
}
