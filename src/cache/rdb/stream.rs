//! Streams: entries as `XADD` with their ids, and the counters as `XSETID`. Consumer groups are read
//! over.

use std::{fmt, io::BufRead};

use bytes::Bytes;

use super::{
    Error,
    listpack::Listpack,
    packed::{Element, Reason},
    values::Reading,
};

/// An entry that was deleted but not yet removed from its listpack.
const FLAG_DELETED: i64 = 1;
/// An entry with the fields of its listpack's first.
const FLAG_SAME_FIELDS: i64 = 2;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Id {
    ms: u64,
    sequence: u64,
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.sequence)
    }
}

/// The entries of one listpack: ids are relative to `first`, fields may be those of the first.
struct Node<'a> {
    elements: Listpack<'a>,
    first: Id,
    fields: Vec<Bytes>,
}

/// An entry: fields and values by turns.
type Entry = (Id, Vec<Bytes>);

impl<'a> Node<'a> {
    fn new(mut elements: Listpack<'a>, first: Id) -> Result<Self, Reason> {
        // How many entries there are, and how many were deleted.
        integer(&mut elements)?;
        integer(&mut elements)?;
        let fields = (0..integer(&mut elements)?)
            .map(|_| Ok(element(&mut elements)?.into_bytes()))
            .collect::<Result<_, Reason>>()?;
        // The first entry ends with this where others have their length.
        integer(&mut elements)?;
        Ok(Self {
            elements,
            first,
            fields,
        })
    }

    fn entry(&mut self, flags: &Element) -> Result<Option<Entry>, Reason> {
        let flags = flags.integer()?;
        let id = Id {
            ms: self.first.ms.wrapping_add_signed(self.integer()?),
            sequence: self.first.sequence.wrapping_add_signed(self.integer()?),
        };
        let mut pairs = Vec::new();
        if flags & FLAG_SAME_FIELDS != 0 {
            for field in &self.fields {
                pairs.push(field.clone());
                pairs.push(element(&mut self.elements)?.into_bytes());
            }
        } else {
            for _ in 0..self.integer()? {
                pairs.push(element(&mut self.elements)?.into_bytes());
                pairs.push(element(&mut self.elements)?.into_bytes());
            }
        }
        // How many elements this entry took, for reading backwards.
        self.integer()?;
        if flags & FLAG_DELETED != 0 {
            return Ok(None);
        }
        if pairs.is_empty() {
            return Err("an entry of a stream without fields");
        }
        Ok(Some((id, pairs)))
    }

    fn integer(&mut self) -> Result<i64, Reason> {
        integer(&mut self.elements)
    }
}

impl Iterator for Node<'_> {
    type Item = Result<Option<Entry>, Reason>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.elements.next()? {
            Ok(flags) => Some(self.entry(&flags)),
            Err(why) => Some(Err(why)),
        }
    }
}

fn element(elements: &mut Listpack<'_>) -> Result<Element, Reason> {
    elements.next().ok_or("a stream's node ends in an entry")?
}

fn integer(elements: &mut Listpack<'_>) -> Result<i64, Reason> {
    element(elements)?.integer()
}

impl<R: BufRead> Reading<'_, '_, '_, '_, R> {
    /// Reads a stream of the given version of the format. It counts as a key even when empty.
    pub(super) fn stream(&mut self, version: u8, key: &Bytes) -> Result<u64, Error> {
        let mut newest = Id::default();
        let mut count = 0;
        for _ in 0..self.input.plain_length()? {
            count += self.node(key, &mut newest)?;
        }
        let announced = self.input.plain_length()?;
        if announced != count {
            let why = "a stream has another number of entries than it says";
            return Err(self.input.damaged(why));
        }
        let last = self.id()?;
        if last < newest {
            return Err(self.input.damaged("a stream's last id is not its last"));
        }
        let (mut deleted, mut added) = (Id::default(), count);
        if version >= 2 {
            // The id of the first entry, which the entries tell as well.
            self.id()?;
            deleted = self.id()?;
            added = self.input.plain_length()?;
        }
        self.counters(key, count, last, deleted, added)?;
        self.groups(version)?;
        Ok(1)
    }

    fn node(&mut self, key: &Bytes, newest: &mut Id) -> Result<u64, Error> {
        let first = self.input.string()?;
        let Some((ms, sequence)) = first
            .split_first_chunk::<8>()
            .and_then(|(ms, rest)| Some((ms, <&[u8; 8]>::try_from(rest).ok()?)))
        else {
            return Err(self.input.damaged("a stream's id of another length"));
        };
        let first = Id {
            ms: u64::from_be_bytes(*ms),
            sequence: u64::from_be_bytes(*sequence),
        };
        let bytes = self.input.string()?;
        let node = Node::new(self.listpack(&bytes)?, first);
        let mut count = 0;
        for entry in node.map_err(|why| self.input.damaged(why))? {
            let Some((id, pairs)) = entry.map_err(|why| self.input.damaged(why))? else {
                continue;
            };
            if id <= *newest {
                return Err(self.input.damaged("ids of a stream do not grow"));
            }
            *newest = id;
            count += 1;
            let mut command = vec![Bytes::from_static(b"XADD"), key.clone(), text(id)];
            command.extend(pairs);
            self.send(command)?;
        }
        Ok(count)
    }

    fn counters(
        &mut self,
        key: &Bytes,
        count: u64,
        last: Id,
        deleted: Id,
        added: u64,
    ) -> Result<(), Error> {
        if count == 0 {
            // The one way to an empty stream: an entry that is trimmed at once.
            let id = text(last.max(Id { ms: 0, sequence: 1 }));
            let mut command = vec![Bytes::from_static(b"XADD"), key.clone()];
            command.extend([&b"MAXLEN"[..], b"0"].map(Bytes::from_static));
            command.extend([id, Bytes::from_static(b"x"), Bytes::from_static(b"y")]);
            self.send(command)?;
        }
        self.send(vec![
            Bytes::from_static(b"XSETID"),
            key.clone(),
            text(last),
            Bytes::from_static(b"ENTRIESADDED"),
            Bytes::from(added.to_string()),
            Bytes::from_static(b"MAXDELETEDID"),
            text(deleted),
        ])
    }

    fn id(&mut self) -> Result<Id, Error> {
        Ok(Id {
            ms: self.input.plain_length()?,
            sequence: self.input.plain_length()?,
        })
    }

    /// Reads over the consumer groups and counts them.
    fn groups(&mut self, version: u8) -> Result<(), Error> {
        for _ in 0..self.input.plain_length()? {
            self.input.string()?;
            self.id()?;
            if version >= 2 {
                self.input.plain_length()?;
            }
            for _ in 0..self.input.plain_length()? {
                // An entry that was delivered: its id, when, and how often.
                self.input.array::<24>()?;
                self.input.plain_length()?;
            }
            for _ in 0..self.input.plain_length()? {
                self.input.string()?;
                // When the consumer was seen, and since version 3 when it was active.
                self.input.array::<8>()?;
                if version >= 3 {
                    self.input.array::<8>()?;
                }
                for _ in 0..self.input.plain_length()? {
                    self.input.array::<16>()?;
                }
            }
            self.summary.groups_left_out += 1;
        }
        Ok(())
    }
}

fn text(id: Id) -> Bytes {
    Bytes::from(id.to_string())
}
