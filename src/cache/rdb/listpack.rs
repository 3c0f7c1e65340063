//! Listpacks: a list of short strings and numbers in one string, since Redis 5.

use super::packed::{Element, Reason, signed, take, take_array};

/// The elements of a listpack, in order. After an error there are no more.
pub(super) struct Listpack<'a> {
    rest: &'a [u8],
    /// How many elements the header announces; none when there are too many for it.
    announced: Option<usize>,
    seen: usize,
    ended: bool,
}

impl<'a> Listpack<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, Reason> {
        let mut rest = bytes;
        let total = u32::from_le_bytes(take_array(&mut rest)?);
        let count = u16::from_le_bytes(take_array(&mut rest)?);
        if total as usize != bytes.len() {
            return Err("a listpack has another length than it says");
        }
        Ok(Self {
            rest,
            announced: (count != u16::MAX).then_some(usize::from(count)),
            seen: 0,
            ended: false,
        })
    }

    fn element(&mut self) -> Result<Option<Element>, Reason> {
        let before = self.rest.len();
        let first = take(&mut self.rest, 1)?[0];
        if first == 0xff {
            return self.end();
        }
        let element = self.body(first)?;
        self.back_length(before - self.rest.len())?;
        self.seen += 1;
        Ok(Some(element))
    }

    fn body(&mut self, first: u8) -> Result<Element, Reason> {
        let rest = &mut self.rest;
        let width = match first {
            0..=0x7f => return Ok(Element::Integer(first.into())),
            0x80..=0xbf => return take(rest, usize::from(first & 0x3f)).map(Element::text),
            0xc0..=0xdf => {
                // Thirteen bits with their sign.
                let raw = i64::from(first & 0x1f) << 8 | i64::from(take(rest, 1)?[0]);
                return Ok(Element::Integer(if raw >= 1 << 12 {
                    raw - (1 << 13)
                } else {
                    raw
                }));
            }
            0xe0..=0xef => {
                let length = usize::from(first & 0x0f) << 8 | usize::from(take(rest, 1)?[0]);
                return take(rest, length).map(Element::text);
            }
            0xf0 => {
                let length = u32::from_le_bytes(take_array(rest)?) as usize;
                return take(rest, length).map(Element::text);
            }
            0xf1 => 2,
            0xf2 => 3,
            0xf3 => 4,
            0xf4 => 8,
            _ => return Err("an element of a listpack is of an unknown kind"),
        };
        Ok(Element::Integer(signed(take(rest, width)?)))
    }

    /// Behind an element stands its length again, seven bits a byte, for reading backwards. It
    /// must agree, or Redis itself would read something else than we do.
    fn back_length(&mut self, length: usize) -> Result<(), Reason> {
        let width = match length {
            0..=0x7f => 1,
            0x80..=0x3fff => 2,
            0x4000..=0x001f_ffff => 3,
            0x0020_0000..=0x0fff_ffff => 4,
            _ => 5,
        };
        let written = take(&mut self.rest, width)?
            .iter()
            .fold(0_u64, |sum, byte| sum << 7 | u64::from(byte & 0x7f));
        if written == length as u64 {
            Ok(())
        } else {
            Err("the length behind an element of a listpack is wrong")
        }
    }

    fn end(&self) -> Result<Option<Element>, Reason> {
        if !self.rest.is_empty() {
            return Err("a listpack goes on after its end");
        }
        if self.announced.is_some_and(|count| count != self.seen) {
            return Err("a listpack has another number of elements than it says");
        }
        Ok(None)
    }
}

impl Iterator for Listpack<'_> {
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
