//! Keys with their values, whatever their encoding, as commands.

use std::io::BufRead;

use bytes::Bytes;

use super::{
    Error, Summary,
    emit::{Batch, Target},
    input::Input,
    listpack::Listpack,
    packed::{Element, Reason, Zipmap, intset},
    ziplist::Ziplist,
};

/// How a value was written; Redis's numbers.
mod kind {
    pub(super) const STRING: u8 = 0;
    pub(super) const LIST: u8 = 1;
    pub(super) const SET: u8 = 2;
    pub(super) const ZSET: u8 = 3;
    pub(super) const HASH: u8 = 4;
    pub(super) const ZSET_2: u8 = 5;
    pub(super) const MODULE_PRE_GA: u8 = 6;
    pub(super) const MODULE_2: u8 = 7;
    pub(super) const HASH_ZIPMAP: u8 = 9;
    pub(super) const LIST_ZIPLIST: u8 = 10;
    pub(super) const SET_INTSET: u8 = 11;
    pub(super) const ZSET_ZIPLIST: u8 = 12;
    pub(super) const HASH_ZIPLIST: u8 = 13;
    pub(super) const LIST_QUICKLIST: u8 = 14;
    pub(super) const STREAM_LISTPACKS: u8 = 15;
    pub(super) const HASH_LISTPACK: u8 = 16;
    pub(super) const ZSET_LISTPACK: u8 = 17;
    pub(super) const LIST_QUICKLIST_2: u8 = 18;
    pub(super) const STREAM_LISTPACKS_2: u8 = 19;
    pub(super) const SET_LISTPACK: u8 = 20;
    pub(super) const STREAM_LISTPACKS_3: u8 = 21;
    pub(super) const HASH_METADATA_PRE_GA: u8 = 22;
    pub(super) const HASH_LISTPACK_EX_PRE_GA: u8 = 23;
    pub(super) const HASH_METADATA: u8 = 24;
    pub(super) const HASH_LISTPACK_EX: u8 = 25;
}

/// A quicklist's node that is one element.
const NODE_PLAIN: u64 = 1;
/// A quicklist's node that is a listpack.
const NODE_PACKED: u64 = 2;

/// What the readers of values share.
pub(super) struct Reading<'r, 'i, 't, 'e, R> {
    pub(super) input: &'r mut Input<'i, R>,
    pub(super) target: &'r mut Target<'t, 'e>,
    pub(super) summary: &'r mut Summary,
    pub(super) now_ms: i64,
}

impl<R: BufRead> Reading<'_, '_, '_, '_, R> {
    /// Reads the value of `key` and shows it, with its time of expiry in milliseconds since the
    /// Unix epoch. A collection without elements is no key, as in Redis.
    pub(super) fn value(
        &mut self,
        kind: u8,
        key: &Bytes,
        expires_ms: Option<i64>,
    ) -> Result<(), Error> {
        let elements = match kind {
            kind::STRING => {
                let value = self.input.string()?;
                self.send(vec![Bytes::from_static(b"SET"), key.clone(), value])?;
                1
            }
            kind::LIST => self.strings("RPUSH", key)?,
            kind::SET => self.strings("SADD", key)?,
            kind::HASH => self.hash(key)?,
            kind::ZSET => self.zset(key, Self::text_score)?,
            kind::ZSET_2 => self.zset(key, Self::binary_score)?,
            kind::LIST_QUICKLIST => self.quicklist(key)?,
            kind::LIST_QUICKLIST_2 => self.quicklist_2(key)?,
            kind::HASH_METADATA_PRE_GA => self.hash_with_expiry(key, false)?,
            kind::HASH_METADATA => self.hash_with_expiry(key, true)?,
            kind::HASH_LISTPACK_EX_PRE_GA => self.hash_listpack_with_expiry(key)?,
            kind::HASH_LISTPACK_EX => {
                // The earliest expiry of all fields; each field says its own.
                self.input.array::<8>()?;
                self.hash_listpack_with_expiry(key)?
            }
            kind::STREAM_LISTPACKS => self.stream(1, key)?,
            kind::STREAM_LISTPACKS_2 => self.stream(2, key)?,
            kind::STREAM_LISTPACKS_3 => self.stream(3, key)?,
            kind::MODULE_2 => return Err(super::module(self.input)?),
            kind::MODULE_PRE_GA => {
                return Err(self.input.damaged("module data of a Redis 4.0 candidate"));
            }
            _ => self.packed(kind, key)?,
        };
        if elements > 0 {
            self.summary.keys += 1;
            if let Some(at) = expires_ms {
                let at = Bytes::from(at.to_string());
                self.send(vec![Bytes::from_static(b"PEXPIREAT"), key.clone(), at])?;
            }
        }
        Ok(())
    }

    /// Collections in one string.
    fn packed(&mut self, kind: u8, key: &Bytes) -> Result<u64, Error> {
        let known = matches!(
            kind,
            kind::HASH_ZIPMAP
                ..=kind::HASH_ZIPLIST
                    | kind::HASH_LISTPACK
                    | kind::ZSET_LISTPACK
                    | kind::SET_LISTPACK
        );
        if !known {
            return Err(self.input.damaged("a key of an unknown type"));
        }
        let bytes = self.input.string()?;
        match kind {
            kind::HASH_ZIPMAP => {
                let zipmap = Zipmap::new(&bytes).map_err(|why| self.input.damaged(why))?;
                self.pairs("HSET", key, zipmap)
            }
            kind::SET_INTSET => {
                let numbers = intset(&bytes).map_err(|why| self.input.damaged(why))?;
                self.elements("SADD", key, numbers)
            }
            kind::LIST_ZIPLIST => {
                let ziplist = self.ziplist(&bytes)?;
                self.elements("RPUSH", key, ziplist)
            }
            kind::HASH_ZIPLIST => {
                let ziplist = self.ziplist(&bytes)?;
                self.pairs("HSET", key, ziplist)
            }
            kind::ZSET_ZIPLIST => {
                let ziplist = self.ziplist(&bytes)?;
                self.packed_zset(key, ziplist)
            }
            kind::HASH_LISTPACK => {
                let listpack = self.listpack(&bytes)?;
                self.pairs("HSET", key, listpack)
            }
            kind::ZSET_LISTPACK => {
                let listpack = self.listpack(&bytes)?;
                self.packed_zset(key, listpack)
            }
            _ => {
                let listpack = self.listpack(&bytes)?;
                self.elements("SADD", key, listpack)
            }
        }
    }

    pub(super) fn listpack<'b>(&self, bytes: &'b Bytes) -> Result<Listpack<'b>, Error> {
        Listpack::new(bytes).map_err(|why| self.input.damaged(why))
    }

    fn ziplist<'b>(&self, bytes: &'b Bytes) -> Result<Ziplist<'b>, Error> {
        Ziplist::new(bytes).map_err(|why| self.input.damaged(why))
    }

    pub(super) fn send(&mut self, command: Vec<Bytes>) -> Result<(), Error> {
        let sent = self.target.send(command);
        self.taken(sent)
    }

    fn taken<T>(&self, sent: Result<T, String>) -> Result<T, Error> {
        sent.map_err(|message| Error::Refused {
            offset: self.input.offset(),
            message,
        })
    }

    fn add<const N: usize>(&mut self, batch: &mut Batch, element: [Bytes; N]) -> Result<(), Error> {
        let sent = batch.add(element, self.target);
        self.taken(sent)
    }

    fn finish(&mut self, batch: Batch) -> Result<u64, Error> {
        let sent = batch.finish(self.target);
        self.taken(sent)
    }

    fn next(
        &self,
        elements: &mut impl Iterator<Item = Result<Element, Reason>>,
    ) -> Result<Option<Bytes>, Error> {
        match elements.next() {
            None => Ok(None),
            Some(Ok(element)) => Ok(Some(element.into_bytes())),
            Some(Err(why)) => Err(self.input.damaged(why)),
        }
    }

    /// As many strings as a length announces.
    fn strings(&mut self, name: &'static str, key: &Bytes) -> Result<u64, Error> {
        let mut batch = Batch::new(name, key);
        for _ in 0..self.input.plain_length()? {
            let element = self.input.string()?;
            self.add(&mut batch, [element])?;
        }
        self.finish(batch)
    }

    fn elements(
        &mut self,
        name: &'static str,
        key: &Bytes,
        mut elements: impl Iterator<Item = Result<Element, Reason>>,
    ) -> Result<u64, Error> {
        let mut batch = Batch::new(name, key);
        while let Some(element) = self.next(&mut elements)? {
            self.add(&mut batch, [element])?;
        }
        self.finish(batch)
    }

    fn pairs(
        &mut self,
        name: &'static str,
        key: &Bytes,
        mut elements: impl Iterator<Item = Result<Element, Reason>>,
    ) -> Result<u64, Error> {
        let mut batch = Batch::new(name, key);
        while let Some(first) = self.next(&mut elements)? {
            let Some(second) = self.next(&mut elements)? else {
                return Err(self.input.damaged("a pair without its second half"));
            };
            self.add(&mut batch, [first, second])?;
        }
        self.finish(batch)
    }

    fn quicklist(&mut self, key: &Bytes) -> Result<u64, Error> {
        let mut batch = Batch::new("RPUSH", key);
        for _ in 0..self.input.plain_length()? {
            let node = self.input.string()?;
            let mut elements = self.ziplist(&node)?;
            while let Some(element) = self.next(&mut elements)? {
                self.add(&mut batch, [element])?;
            }
        }
        self.finish(batch)
    }

    fn quicklist_2(&mut self, key: &Bytes) -> Result<u64, Error> {
        let mut batch = Batch::new("RPUSH", key);
        for _ in 0..self.input.plain_length()? {
            let container = self.input.plain_length()?;
            let node = self.input.string()?;
            match container {
                NODE_PLAIN => self.add(&mut batch, [node])?,
                NODE_PACKED => {
                    let mut elements = self.listpack(&node)?;
                    while let Some(element) = self.next(&mut elements)? {
                        self.add(&mut batch, [element])?;
                    }
                }
                _ => return Err(self.input.damaged("a list's node of an unknown kind")),
            }
        }
        self.finish(batch)
    }

    fn hash(&mut self, key: &Bytes) -> Result<u64, Error> {
        let mut batch = Batch::new("HSET", key);
        for _ in 0..self.input.plain_length()? {
            let field = self.input.string()?;
            let value = self.input.string()?;
            self.add(&mut batch, [field, value])?;
        }
        self.finish(batch)
    }

    /// A hash of Redis 7.4 whose fields expire one by one; in the final form times count from the
    /// earliest, and one more, because 0 means never.
    fn hash_with_expiry(&mut self, key: &Bytes, is_relative: bool) -> Result<u64, Error> {
        let earliest = match is_relative {
            true => u64::from_le_bytes(self.input.array()?),
            false => 1,
        };
        let mut batch = Batch::new("HSET", key);
        for _ in 0..self.input.plain_length()? {
            let expiry = match self.input.plain_length()? {
                0 => 0,
                after => earliest.saturating_add(after - 1),
            };
            let field = self.input.string()?;
            let value = self.input.string()?;
            if self.field_is_there(i64::try_from(expiry).unwrap_or(i64::MAX)) {
                self.add(&mut batch, [field, value])?;
            }
        }
        self.finish(batch)
    }

    /// The same, as field, value and time of expiry by turns.
    fn hash_listpack_with_expiry(&mut self, key: &Bytes) -> Result<u64, Error> {
        let bytes = self.input.string()?;
        let mut elements = self.listpack(&bytes)?;
        let mut batch = Batch::new("HSET", key);
        while let Some(field) = self.next(&mut elements)? {
            let value = self.next(&mut elements)?;
            let expiry = elements.next().transpose();
            let expiry = expiry.and_then(|expiry| expiry.map(|at| at.integer()).transpose());
            let expiry = expiry.map_err(|why| self.input.damaged(why))?;
            let (Some(value), Some(expiry)) = (value, expiry) else {
                return Err(self.input.damaged("a field without its value or expiry"));
            };
            if self.field_is_there(expiry) {
                self.add(&mut batch, [field, value])?;
            }
        }
        self.finish(batch)
    }

    /// Whether a field has not expired; counts what is lost either way.
    fn field_is_there(&mut self, expires_ms: i64) -> bool {
        if expires_ms == 0 {
            return true;
        }
        let is_there = expires_ms > self.now_ms;
        match is_there {
            true => self.summary.field_expiries_left_out += 1,
            false => self.summary.fields_expired += 1,
        }
        is_there
    }

    fn zset(
        &mut self,
        key: &Bytes,
        score: impl Fn(&mut Self) -> Result<Bytes, Error>,
    ) -> Result<u64, Error> {
        let mut batch = Batch::new("ZADD", key);
        for _ in 0..self.input.plain_length()? {
            let member = self.input.string()?;
            let score = score(self)?;
            self.add(&mut batch, [score, member])?;
        }
        self.finish(batch)
    }

    fn packed_zset(
        &mut self,
        key: &Bytes,
        mut elements: impl Iterator<Item = Result<Element, Reason>>,
    ) -> Result<u64, Error> {
        let mut batch = Batch::new("ZADD", key);
        while let Some(member) = self.next(&mut elements)? {
            let Some(score) = self.next(&mut elements)? else {
                return Err(self.input.damaged("a member without a score"));
            };
            self.check_score(&score)?;
            self.add(&mut batch, [score, member])?;
        }
        self.finish(batch)
    }

    /// A score as text behind its length, with three lengths that mean something else.
    fn text_score(&mut self) -> Result<Bytes, Error> {
        match self.input.byte()? {
            255 => Ok(Bytes::from_static(b"-inf")),
            254 => Ok(Bytes::from_static(b"inf")),
            253 => Err(self.input.damaged("a score that is not a number")),
            length => {
                let text = Bytes::from(self.input.bytes(length.into())?);
                self.check_score(&text)?;
                Ok(text)
            }
        }
    }

    fn binary_score(&mut self) -> Result<Bytes, Error> {
        let score = f64::from_le_bytes(self.input.array()?);
        if score.is_nan() {
            return Err(self.input.damaged("a score that is not a number"));
        }
        // Without an exponent a large or small number would be hundreds of digits.
        let is_plain = score == 0.0 || (1e-5..1e17).contains(&score.abs()) || score.is_infinite();
        Ok(Bytes::from(match is_plain {
            true => score.to_string(),
            false => format!("{score:e}"),
        }))
    }

    fn check_score(&self, text: &Bytes) -> Result<(), Error> {
        let score: Option<f64> = std::str::from_utf8(text)
            .ok()
            .and_then(|text| text.parse().ok());
        match score {
            Some(score) if !score.is_nan() => Ok(()),
            _ => Err(self.input.damaged("a score that is not a number")),
        }
    }
}
