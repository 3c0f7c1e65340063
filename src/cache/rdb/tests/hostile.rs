//! Files that lie: an error, never a panic, never memory far beyond the file.

use super::{
    super::lzf,
    write::{File, Item, listpack, ziplist},
    *,
};

/// A small generator, so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }
}

/// Reads a file, good or not; how many bytes its commands hold.
fn shown_bytes(mut bytes: &[u8]) -> usize {
    let mut shown = 0;
    let _ = read(&mut bytes, NOW_MS, &mut |_, command| {
        shown += command.iter().map(Bytes::len).sum::<usize>();
        Ok(())
    });
    shown
}

fn mutate(random: &mut Random, bytes: &mut Vec<u8>) {
    let at = random.below(bytes.len() - 9) + 9;
    match random.below(6) {
        0 => bytes[at] = u8::try_from(random.below(256)).unwrap(),
        1 => bytes[at] ^= 1 << random.below(8),
        2 => bytes[at] = [0, 0x80, 0x81, 0xc3, 0xfe, 0xff][random.below(6)],
        3 => drop(bytes.remove(at)),
        4 => bytes.insert(at, u8::try_from(random.below(256)).unwrap()),
        _ => {
            let end = (at + random.below(16)).min(bytes.len());
            let piece = bytes[at..end].to_vec();
            let to = random.below(bytes.len() - 9) + 9;
            bytes.splice(to..to, piece);
        }
    }
}

#[test]
fn changed_files_never_do_harm() {
    let mut random = Random(0x5eed);
    for sample in [SAMPLE, UNCOMPRESSED] {
        // No checksum, so that what follows the change is looked at.
        let mut sample = sample.to_vec();
        let end = sample.len() - 8;
        sample[end..].fill(0);
        for _ in 0..10_000 {
            let mut bytes = sample.clone();
            for _ in 0..=random.below(3) {
                mutate(&mut random, &mut bytes);
            }
            let shown = shown_bytes(&bytes);
            assert!(
                shown < 200 * bytes.len(),
                "{shown} bytes of {}",
                bytes.len()
            );
        }
    }
}

#[test]
fn changed_packed_collections_never_do_harm() {
    let mut random = Random(77);
    let items: Vec<_> = (0..40)
        .map(|number| match number % 3 {
            0 => Item::Text(b"some text of a length"),
            1 => Item::Number(1 << number),
            _ => Item::Number(number),
        })
        .collect();
    let (listpack, ziplist) = (listpack(&items), ziplist(&items));
    let zipmap = b"\x02\x01a\x03\x021.5xx\x01b\xfe\x02\x00\x00\x00\x00zz\xff";
    let intset = b"\x02\0\0\0\x03\0\0\0\x01\0\x02\0\x03\0";
    for _ in 0..20_000 {
        let (kind, packed) = match random.below(5) {
            0 => ([16, 17, 20, 23][random.below(4)], &listpack[..]),
            1 => ([10, 12, 13][random.below(3)], &ziplist[..]),
            2 => (9, &zipmap[..]),
            3 => (11, &intset[..]),
            _ => (25, &listpack[..]),
        };
        let mut packed = packed.to_vec();
        let at = random.below(packed.len());
        packed[at] = u8::try_from(random.below(256)).unwrap();
        let bytes = File::new(12).key(kind).string(&packed).end();
        assert!(shown_bytes(&bytes) < 200 * bytes.len());
    }
}

#[test]
fn lengths_that_lie_take_no_memory() {
    let huge = |file: File, length: u64| file.raw(&[0x81]).raw(&length.to_be_bytes());
    for length in [1 << 20, 500 << 20, 1 << 40, u64::MAX] {
        for kind in 0..=25 {
            // As the length of what follows, and as the length of the key.
            assert_eq!(shown_bytes(&huge(File::new(12).key(kind), length).0), 0);
            assert_eq!(shown_bytes(&huge(File::new(12).raw(&[kind]), length).0), 0);
        }
        let bomb = huge(File::new(12).key(0).raw(&[0xc3]).length(4), length);
        let error = read_lines(&bomb.raw(b"\xe0\xff\x00\x00").end()).unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }), "{error}");
    }
}

#[test]
fn lzf_decompresses_or_says_why_not() {
    for (packed, plain) in [
        (&b"\x02abc"[..], &b"abc"[..]),
        (b"\x00a\x20\x00", b"aaaa"),
        (b"\x00a\xe0\x05\x00", b"aaaaaaaaaaaaaaa"),
        (b"\x02abc\x40\x02\x00!", b"abcabca!"),
        (b"", b""),
    ] {
        assert_eq!(lzf::decompress(packed, plain.len() as u64).unwrap(), plain);
        for wrong in [plain.len() as u64 + 1, plain.len() as u64 + 1000] {
            assert!(lzf::decompress(packed, wrong).is_err());
        }
        if let Some(shorter) = plain.len().checked_sub(1) {
            assert!(lzf::decompress(packed, shorter as u64).is_err());
        }
    }
    for packed in [
        &b"\x05abc"[..],
        b"\x20",
        b"\xe0",
        b"\xe0\x05",
        b"\x20\x00",
        b"\x00a\x20\x01",
    ] {
        assert!(lzf::decompress(packed, 4).is_err(), "{packed:?}");
    }
}
