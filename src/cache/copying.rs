//! A copy of everything as it was at one moment, made piece by piece while commands go on: what is
//! about to change is copied first. The copy is written as commands that make the values anew.

use bytes::Bytes;

use crate::{
    data::Value,
    database::{Database, Entry},
    resp,
};

/// How many elements one command of a copy holds.
const ELEMENTS: usize = 64;

/// A copy under way.
#[derive(Debug)]
pub(crate) struct Copying {
    number: u32,
    /// The database that the walk is at, and how many of its entries are not copied yet.
    place: (usize, Option<usize>),
    selected: Option<usize>,
    /// What has been copied and not taken yet.
    pub(crate) out: Vec<u8>,
}

impl Copying {
    /// Begins copy `number`; entries that were made in this or a later one are left out.
    pub(crate) fn new(number: u32) -> Self {
        Self {
            number,
            place: (0, None),
            selected: None,
            out: Vec::new(),
        }
    }

    /// Its number.
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// Copies an entry that is about to change, unless it has been copied.
    pub(crate) fn before_change(&mut self, db: usize, key: &[u8], database: &mut Database) {
        if let Some(entry) = database.get_mut(key) {
            self.copy(db, key, entry);
        }
    }

    /// Copies on until some `enough_bytes` are there; whether everything is copied.
    pub(crate) fn step(&mut self, databases: &mut [Database], enough_bytes: usize) -> bool {
        while self.out.len() < enough_bytes {
            let (db, left) = self.place;
            let Some(database) = databases.get_mut(db) else {
                return true;
            };
            let left = left.unwrap_or(database.len()).min(database.len());
            if left == 0 {
                self.place = (db + 1, None);
                continue;
            }
            self.place = (db, Some(left - 1));
            let Some((key, _)) = database.at(left - 1) else {
                continue;
            };
            let key = key.clone();
            self.before_change(db, &key, database);
        }
        false
    }

    fn copy(&mut self, db: usize, key: &[u8], entry: &mut Entry) {
        if entry.copied_in >= self.number {
            return;
        }
        entry.copied_in = self.number;
        if self.selected != Some(db) {
            self.selected = Some(db);
            resp::command(&["SELECT", &db.to_string()], &mut self.out);
        }
        write_entry(key, entry, &mut self.out);
    }
}

/// Appends the commands that make the entry anew.
pub(crate) fn write_entry(key: &[u8], entry: &Entry, out: &mut Vec<u8>) {
    match &entry.value {
        Value::String(bytes) => resp::command(&[b"SET", key, bytes], out),
        Value::List(list) => chunks(b"RPUSH", key, list.iter().map(|item| [item.clone()]), out),
        Value::Set(set) => chunks(b"SADD", key, set.iter().map(|item| [item.clone()]), out),
        Value::Hash(hash) => {
            let pairs = hash
                .iter()
                .map(|(field, value)| [field.clone(), value.clone()]);
            chunks(b"HSET", key, pairs, out);
        }
        Value::SortedSet(set) => {
            let score = |score| Bytes::from(crate::number::format_double(score));
            let pairs = set.iter().map(|(member, of)| [score(of), member.clone()]);
            chunks(b"ZADD", key, pairs, out);
        }
        Value::Stream(stream) => stream.write_commands(key, out),
    }
    if let Some(at_ms) = entry.expires_ms {
        resp::command(&[b"PEXPIREAT", key, at_ms.to_string().as_bytes()], out);
    }
}

fn chunks<const N: usize>(
    name: &[u8],
    key: &[u8],
    elements: impl Iterator<Item = [Bytes; N]>,
    out: &mut Vec<u8>,
) {
    let head = [Bytes::copy_from_slice(name), Bytes::copy_from_slice(key)];
    let mut command = head.to_vec();
    for element in elements {
        command.extend(element);
        if command.len() >= ELEMENTS * N + head.len() {
            resp::command(&command, out);
            command.truncate(head.len());
        }
    }
    if command.len() > head.len() {
        resp::command(&command, out);
    }
}
