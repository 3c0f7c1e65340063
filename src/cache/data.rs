//! What a key holds.

use bytes::Bytes;

pub(crate) mod hash;
pub(crate) mod list;
pub(crate) mod set;
pub(crate) mod sorted_set;
pub(crate) mod stream;

pub(crate) use hash::Hash;
pub(crate) use list::List;
pub(crate) use set::Set;
pub(crate) use sorted_set::SortedSet;
pub(crate) use stream::Stream;

/// A value of one of Redis's types. Never empty, but for streams.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    String(Bytes),
    List(Box<List>),
    Set(Box<Set>),
    Hash(Box<Hash>),
    SortedSet(Box<SortedSet>),
    Stream(Box<Stream>),
}

/// A type that a key can hold.
pub(crate) trait Typed: Sized + Default {
    fn of(value: &Value) -> Option<&Self>;
    fn of_mut(value: &mut Value) -> Option<&mut Self>;
    fn wrap(self) -> Value;
}

macro_rules! typed {
    ($($type:ident),*) => {$(
        impl Typed for $type {
            fn of(value: &Value) -> Option<&Self> {
                match value {
                    Value::$type(inner) => Some(inner),
                    _ => None,
                }
            }

            fn of_mut(value: &mut Value) -> Option<&mut Self> {
                match value {
                    Value::$type(inner) => Some(inner),
                    _ => None,
                }
            }

            fn wrap(self) -> Value {
                Value::$type(Box::new(self))
            }
        }
    )*};
}

typed!(List, Set, Hash, SortedSet, Stream);

impl Typed for Bytes {
    fn of(value: &Value) -> Option<&Self> {
        match value {
            Value::String(bytes) => Some(bytes),
            _ => None,
        }
    }

    fn of_mut(value: &mut Value) -> Option<&mut Self> {
        match value {
            Value::String(bytes) => Some(bytes),
            _ => None,
        }
    }

    fn wrap(self) -> Value {
        Value::String(self)
    }
}

impl Value {
    /// The name that `TYPE` answers.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::String(_) => "string",
            Self::List(_) => "list",
            Self::Set(_) => "set",
            Self::Hash(_) => "hash",
            Self::SortedSet(_) => "zset",
            Self::Stream(_) => "stream",
        }
    }

    /// The memory that it takes beside its key, in bytes.
    pub(crate) fn memory_bytes(&self) -> u64 {
        match self {
            Self::String(bytes) => bytes.len() as u64,
            Self::List(list) => list.memory_bytes(),
            Self::Set(set) => set.memory_bytes(),
            Self::Hash(hash) => hash.memory_bytes(),
            Self::SortedSet(set) => set.memory_bytes(),
            Self::Stream(stream) => stream.memory_bytes(),
        }
    }

    /// Whether the key goes because nothing is left in it.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::String(_) | Self::Stream(_) => false,
            Self::List(list) => list.is_empty(),
            Self::Set(set) => set.is_empty(),
            Self::Hash(hash) => hash.is_empty(),
            Self::SortedSet(set) => set.is_empty(),
        }
    }

    /// How many elements it has, for those who look at a keyspace; the length of a string.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::String(bytes) => bytes.len(),
            Self::List(list) => list.len(),
            Self::Set(set) => set.len(),
            Self::Hash(hash) => hash.len(),
            Self::SortedSet(set) => set.len(),
            Self::Stream(stream) => stream.len(),
        }
    }
}
