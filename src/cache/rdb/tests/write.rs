//! A writer of database files, just enough for tests.

/// A file in the making.
pub(super) struct File(pub(super) Vec<u8>);

impl File {
    /// A file of a version, without a checksum.
    pub(super) fn new(version: u32) -> Self {
        Self(format!("REDIS{version:04}").into_bytes())
    }

    pub(super) fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    pub(super) fn length(self, length: u64) -> Self {
        match u8::try_from(length) {
            Ok(short @ 0..64) => self.raw(&[short]),
            _ => self.raw(&[0x81]).raw(&length.to_be_bytes()),
        }
    }

    pub(super) fn string(self, text: impl AsRef<[u8]>) -> Self {
        let text = text.as_ref();
        self.length(text.len() as u64).raw(text)
    }

    /// The type and name of a key.
    pub(super) fn key(self, kind: u8) -> Self {
        self.raw(&[kind]).string("k")
    }

    pub(super) fn end(self) -> Vec<u8> {
        self.raw(&[255]).raw(&[0; 8]).0
    }
}

/// What stands in a listpack or ziplist.
#[derive(Clone, Copy)]
pub(super) enum Item<'a> {
    Text(&'a [u8]),
    Number(i64),
}

/// A listpack of texts and numbers in their shortest form.
pub(super) fn listpack(items: &[Item<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    for item in items {
        let element = match *item {
            Item::Text(text) => {
                let length = text.len();
                let mut element = match length {
                    0..64 => vec![0x80 | length as u8],
                    64..4096 => vec![0xe0 | (length >> 8) as u8, length as u8],
                    _ => [&[0xf0][..], &(length as u32).to_le_bytes()].concat(),
                };
                element.extend(text);
                element
            }
            Item::Number(number @ 0..128) => vec![number as u8],
            Item::Number(number @ -4096..4096) => {
                let bits = (number & 0x1fff) as u16;
                vec![0xc0 | (bits >> 8) as u8, bits as u8]
            }
            Item::Number(number) => {
                let (mark, width) = match number {
                    -0x8000..0x8000 => (0xf1, 2),
                    -0x80_0000..0x80_0000 => (0xf2, 3),
                    -0x8000_0000..0x8000_0000 => (0xf3, 4),
                    _ => (0xf4, 8),
                };
                [&[mark][..], &number.to_le_bytes()[..width]].concat()
            }
        };
        let length = element.len();
        body.extend(element);
        let mut shift = [7, 14, 21, 28]
            .iter()
            .filter(|bits| length >> **bits > 0)
            .count();
        // The first byte is the highest; all but it carry a mark.
        body.push((length >> (7 * shift)) as u8 & 0x7f);
        while shift > 0 {
            shift -= 1;
            body.push((length >> (7 * shift)) as u8 & 0x7f | 0x80);
        }
    }
    let total = (body.len() + 7) as u32;
    let count = u16::try_from(items.len()).unwrap_or(u16::MAX);
    let head = [&total.to_le_bytes()[..], &count.to_le_bytes()].concat();
    [&head[..], &body, &[0xff]].concat()
}

/// A ziplist of texts and numbers in their shortest form.
pub(super) fn ziplist(items: &[Item<'_>]) -> Vec<u8> {
    let mut body: Vec<u8> = Vec::new();
    let mut previous = 0;
    for item in items {
        let begin = body.len();
        if previous < 254 {
            body.push(previous as u8);
        } else {
            body.push(254);
            body.extend((previous as u32).to_le_bytes());
        }
        match *item {
            Item::Text(text) => {
                match text.len() {
                    length @ 0..64 => body.push(length as u8),
                    length @ 64..0x4000 => {
                        body.extend([0x40 | (length >> 8) as u8, length as u8]);
                    }
                    length => {
                        body.push(0x80);
                        body.extend((length as u32).to_be_bytes());
                    }
                }
                body.extend(text);
            }
            Item::Number(number) => {
                let (mark, width) = match number {
                    0..=12 => (0xf1 + number as u8, 0),
                    -0x80..0x80 => (0xfe, 1),
                    -0x8000..0x8000 => (0xc0, 2),
                    -0x80_0000..0x80_0000 => (0xf0, 3),
                    -0x8000_0000..0x8000_0000 => (0xd0, 4),
                    _ => (0xe0, 8),
                };
                body.push(mark);
                body.extend(&number.to_le_bytes()[..width]);
            }
        }
        previous = body.len() - begin;
    }
    let total = (body.len() + 11) as u32;
    let tail = total - 1 - previous as u32;
    let count = u16::try_from(items.len()).unwrap_or(u16::MAX);
    let mut bytes = [total.to_le_bytes(), tail.to_le_bytes()].concat();
    bytes.extend(count.to_le_bytes());
    bytes.extend(body);
    bytes.push(0xff);
    bytes
}
