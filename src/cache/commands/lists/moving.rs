//! The two ends of a list, and elements that go from one list to another.

use bytes::Bytes;

use crate::{commands::options::is, context::Context, data::List, fault::Fault, resp::Reply};

/// An end of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Left,
    Right,
}

impl End {
    /// `LEFT` or `RIGHT`.
    pub(crate) fn read(word: &[u8]) -> Result<Self, Fault> {
        if is(word, "LEFT") {
            return Ok(Self::Left);
        }
        if is(word, "RIGHT") {
            return Ok(Self::Right);
        }
        Err(Fault::SYNTAX)
    }

    pub(crate) fn name(self) -> Bytes {
        Bytes::from_static(match self {
            Self::Left => b"LEFT",
            Self::Right => b"RIGHT",
        })
    }

    /// The command that pops at this end.
    pub(crate) fn pop_name(self) -> Bytes {
        Bytes::from_static(match self {
            Self::Left => b"LPOP",
            Self::Right => b"RPOP",
        })
    }

    pub(crate) fn push(self, list: &mut List, element: &[u8]) {
        match self {
            Self::Left => list.push_front(element),
            Self::Right => list.push_back(element),
        }
    }

    pub(crate) fn pop(self, list: &mut List) -> Option<Bytes> {
        match self {
            Self::Left => list.pop_front(),
            Self::Right => list.pop_back(),
        }
    }

    /// Pops up to `wanted` elements.
    pub(crate) fn pop_many(self, list: &mut List, wanted: i64) -> Vec<Reply> {
        let wanted = usize::try_from(wanted).unwrap_or(0).min(list.len());
        (0..wanted)
            .filter_map(|_| self.pop(list).map(Reply::Bulk))
            .collect()
    }
}

/// Takes an element from the one list and adds it to the other; `None` if there is no element.
pub(crate) fn transfer(
    cx: &mut Context<'_>,
    [source, target]: [&Bytes; 2],
    [from, to]: [End; 2],
) -> Result<Option<Bytes>, Fault> {
    if cx.read::<List>(source)?.is_none() {
        return Ok(None);
    }
    // The target's type is judged before anything is taken.
    cx.read::<List>(target)?;
    let Some(element) = cx.write::<List>(source)?.and_then(|list| from.pop(list)) else {
        return Ok(None);
    };
    if source == target {
        let list = cx.create::<List>(target)?;
        to.push(list, &element);
        cx.changed(target);
        return Ok(Some(element));
    }
    cx.changed(source);
    to.push(cx.create::<List>(target)?, &element);
    cx.changed(target);
    Ok(Some(element))
}
