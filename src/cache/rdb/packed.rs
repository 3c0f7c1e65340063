//! Small collections that Redis stores as one string: what an element is, sets of whole numbers,
//! and the hashes of Redis 2.4. Listpacks and ziplists have files of their own.

use bytes::Bytes;

/// Why a packed collection cannot be read.
pub(super) type Reason = &'static str;

/// An element as it was packed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Element {
    Text(Bytes),
    Integer(i64),
}

impl Element {
    pub(super) fn text(bytes: &[u8]) -> Self {
        Self::Text(Bytes::copy_from_slice(bytes))
    }

    pub(super) fn into_bytes(self) -> Bytes {
        match self {
            Self::Text(bytes) => bytes,
            Self::Integer(number) => Bytes::from(number.to_string()),
        }
    }

    /// The number, also when it was packed as text.
    pub(super) fn integer(&self) -> Result<i64, Reason> {
        match self {
            Self::Integer(number) => Ok(*number),
            Self::Text(bytes) => std::str::from_utf8(bytes)
                .ok()
                .and_then(|text| text.parse().ok())
                .ok_or("text where a whole number is expected"),
        }
    }
}

/// Takes `count` bytes off the front.
pub(super) fn take<'a>(rest: &mut &'a [u8], count: usize) -> Result<&'a [u8], Reason> {
    let (taken, behind) = rest
        .split_at_checked(count)
        .ok_or("a packed collection is shorter than it says")?;
    *rest = behind;
    Ok(taken)
}

/// Takes `N` bytes off the front.
pub(super) fn take_array<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Reason> {
    let (taken, behind) = rest
        .split_first_chunk::<N>()
        .ok_or("a packed collection is shorter than it says")?;
    *rest = behind;
    Ok(*taken)
}

/// A whole number of `bytes.len()` ≤ 8 bytes with its sign, the lowest byte first.
pub(super) fn signed(bytes: &[u8]) -> i64 {
    let negative = bytes.last().is_some_and(|high| high & 0x80 != 0);
    let mut wide = [if negative { 0xff } else { 0 }; 8];
    for (to, from) in wide.iter_mut().zip(bytes) {
        *to = *from;
    }
    i64::from_le_bytes(wide)
}

/// The numbers of an intset.
pub(super) fn intset(
    mut rest: &[u8],
) -> Result<impl Iterator<Item = Result<Element, Reason>> + '_, Reason> {
    let width = u32::from_le_bytes(take_array(&mut rest)?) as usize;
    let count = u32::from_le_bytes(take_array(&mut rest)?) as usize;
    if !matches!(width, 2 | 4 | 8) {
        return Err("an intset of an unknown width");
    }
    if count.checked_mul(width) != Some(rest.len()) {
        return Err("an intset has another length than it says");
    }
    Ok(rest
        .chunks_exact(width)
        .map(|number| Ok(Element::Integer(signed(number)))))
}

/// The fields and values, by turns, of a zipmap.
pub(super) struct Zipmap<'a> {
    rest: &'a [u8],
    is_value: bool,
    ended: bool,
}

impl<'a> Zipmap<'a> {
    pub(super) fn new(mut rest: &'a [u8]) -> Result<Self, Reason> {
        // The number of pairs, unless it is large.
        take(&mut rest, 1)?;
        Ok(Self {
            rest,
            is_value: false,
            ended: false,
        })
    }

    fn element(&mut self) -> Result<Option<Element>, Reason> {
        let length = match take(&mut self.rest, 1)?[0] {
            255 if self.is_value => return Err("a zipmap ends after a field"),
            255 if self.rest.is_empty() => return Ok(None),
            255 => return Err("a zipmap goes on after its end"),
            254 => u32::from_le_bytes(take_array(&mut self.rest)?) as usize,
            short => usize::from(short),
        };
        let free = match self.is_value {
            true => usize::from(take(&mut self.rest, 1)?[0]),
            false => 0,
        };
        let text = take(&mut self.rest, length)?;
        take(&mut self.rest, free)?;
        self.is_value = !self.is_value;
        Ok(Some(Element::text(text)))
    }
}

impl Iterator for Zipmap<'_> {
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
