//! Ziplists: what listpacks were before Redis 7.

use super::packed::{Element, Reason, signed, take, take_array};

/// The elements of a ziplist, in order. After an error there are no more.
pub(super) struct Ziplist<'a> {
    rest: &'a [u8],
    /// How many elements the header announces; none when there are too many for it.
    announced: Option<usize>,
    seen: usize,
    /// The length in bytes of the element before.
    previous: usize,
    ended: bool,
}

impl<'a> Ziplist<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, Reason> {
        let mut rest = bytes;
        let total = u32::from_le_bytes(take_array(&mut rest)?);
        // Where the last element begins.
        take(&mut rest, 4)?;
        let count = u16::from_le_bytes(take_array(&mut rest)?);
        if total as usize != bytes.len() {
            return Err("a ziplist has another length than it says");
        }
        Ok(Self {
            rest,
            announced: (count != u16::MAX).then_some(usize::from(count)),
            seen: 0,
            previous: 0,
            ended: false,
        })
    }

    fn element(&mut self) -> Result<Option<Element>, Reason> {
        let before = self.rest.len();
        let previous = match take(&mut self.rest, 1)?[0] {
            0xff => return self.end(),
            0xfe => u32::from_le_bytes(take_array(&mut self.rest)?) as usize,
            short => usize::from(short),
        };
        if previous != self.previous {
            return Err("the length before an element of a ziplist is wrong");
        }
        let element = self.body()?;
        self.previous = before - self.rest.len();
        self.seen += 1;
        Ok(Some(element))
    }

    fn body(&mut self) -> Result<Element, Reason> {
        let rest = &mut self.rest;
        let first = take(rest, 1)?[0];
        let width = match first {
            0..=0x3f => return take(rest, usize::from(first)).map(Element::text),
            0x40..=0x7f => {
                let length = usize::from(first & 0x3f) << 8 | usize::from(take(rest, 1)?[0]);
                return take(rest, length).map(Element::text);
            }
            0x80 => {
                let length = u32::from_be_bytes(take_array(rest)?) as usize;
                return take(rest, length).map(Element::text);
            }
            0xc0 => 2,
            0xd0 => 4,
            0xe0 => 8,
            0xf0 => 3,
            0xfe => 1,
            0xf1..=0xfd => return Ok(Element::Integer(i64::from(first & 0x0f) - 1)),
            _ => return Err("an element of a ziplist is of an unknown kind"),
        };
        Ok(Element::Integer(signed(take(rest, width)?)))
    }

    fn end(&self) -> Result<Option<Element>, Reason> {
        if !self.rest.is_empty() {
            return Err("a ziplist goes on after its end");
        }
        if self.announced.is_some_and(|count| count != self.seen) {
            return Err("a ziplist has another number of elements than it says");
        }
        Ok(None)
    }
}

impl Iterator for Ziplist<'_> {
    type Item = Result<Element, Reason>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let element = self.element().transpose();
        self.ended = !matches!(element, Some(Ok(_)));
        element
    }
}
