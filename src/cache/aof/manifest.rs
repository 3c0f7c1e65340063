//! The manifest: which files make up the log, in the grammar of Redis 7.
//!
//! A line a file: `file NAME seq N type b|i|h`, for the base, an increment, or history that may be
//! removed. Names with spaces or bytes that do not print stand in double quotes with escapes.

use std::fmt::Write as _;

/// Redis reads no longer line, in bytes.
const MAX_LINE_BYTES: usize = 1024;

/// A file of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The name inside the folder.
    pub(super) name: String,
    /// The number that the name carries too.
    pub(super) sequence: u64,
}

/// What the log is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Manifest {
    /// The state that the increments go on from; none when they began with nothing.
    pub(super) base: Option<Entry>,
    /// What was appended, oldest first.
    pub(super) increments: Vec<Entry>,
    /// No longer part of the log, and to be removed.
    pub(super) history: Vec<Entry>,
}

/// What is wrong with a manifest.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The line, from 1.
    pub(super) line: usize,
    /// What is wrong with it.
    pub(super) reason: &'static str,
}

impl Manifest {
    /// Reads a manifest; it names at least one file.
    pub(super) fn parse(text: &[u8]) -> Result<Self, Fault> {
        let mut manifest = Self::default();
        let mut lines = 0;
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            lines += 1;
            manifest.take_line(line).map_err(|reason| Fault {
                line: lines,
                reason,
            })?;
        }
        if manifest == Self::default() {
            return Err(Fault {
                line: lines,
                reason: "it names no file",
            });
        }
        Ok(manifest)
    }

    fn take_line(&mut self, line: &[u8]) -> Result<(), &'static str> {
        if line.len() > MAX_LINE_BYTES {
            return Err("the line is too long");
        }
        let line = line.strip_suffix(b"\n").ok_or("the line has no end")?;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.starts_with(b"#") {
            return Ok(());
        }
        let words = words(line)?;
        let (mut name, mut sequence, mut kind) = (None, None, None);
        let mut pairs = words.chunks_exact(2);
        for pair in &mut pairs {
            match pair[0].to_ascii_lowercase().as_str() {
                "file" => name = Some(pair[1].clone()),
                "seq" => sequence = pair[1].parse().ok().filter(|sequence| *sequence > 0),
                "type" => kind = Some(pair[1].as_str()),
                // Later versions of Redis may say more of a file.
                _ => {}
            }
        }
        let (Some(name), Some(sequence), Some(kind), []) =
            (name, sequence, kind, pairs.remainder())
        else {
            return Err("it is not `file NAME seq N type b|i|h`");
        };
        if !is_plain_name(&name) {
            return Err("the file is not in this folder");
        }
        self.take_entry(Entry { name, sequence }, kind)
    }

    fn take_entry(&mut self, entry: Entry, kind: &str) -> Result<(), &'static str> {
        match kind {
            "b" if self.base.is_some() => return Err("it is a second base"),
            "b" => self.base = Some(entry),
            "i" if self
                .increments
                .last()
                .is_some_and(|last| last.sequence >= entry.sequence) =>
            {
                return Err("its number does not grow");
            }
            "i" => self.increments.push(entry),
            "h" => self.history.push(entry),
            _ => return Err("the type is none of b, i and h"),
        }
        Ok(())
    }

    /// The text of the manifest.
    pub(super) fn encode(&self) -> String {
        let mut text = String::new();
        for (entry, kind) in (self.base.iter().map(|entry| (entry, 'b')))
            .chain(self.history.iter().map(|entry| (entry, 'h')))
            .chain(self.increments.iter().map(|entry| (entry, 'i')))
        {
            let name = quote(&entry.name);
            let _ = writeln!(text, "file {name} seq {} type {kind}", entry.sequence);
        }
        text
    }

    /// The files to read, in order.
    pub(super) fn files(&self) -> impl Iterator<Item = &Entry> {
        self.base.iter().chain(&self.increments)
    }

    /// Whether a file is named, as whatever.
    pub(super) fn names(&self, name: &str) -> bool {
        self.files().any(|entry| entry.name == name)
    }
}

fn is_plain_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '\\', '\0'])
}

/// Splits a line at its spaces, except in quotes.
fn words(line: &[u8]) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut rest = line.trim_ascii();
    while let Some(first) = rest.first() {
        let (word, behind) = match first {
            b'"' => quoted(&rest[1..])?,
            b'\'' => single_quoted(&rest[1..])?,
            _ => {
                let end = rest.iter().position(u8::is_ascii_whitespace);
                let (word, behind) = rest.split_at(end.unwrap_or(rest.len()));
                (word.to_vec(), behind)
            }
        };
        if behind
            .first()
            .is_some_and(|byte| !byte.is_ascii_whitespace())
        {
            return Err("something follows a closing quote");
        }
        words.push(String::from_utf8(word).map_err(|_| "it is not UTF-8")?);
        rest = behind.trim_ascii_start();
    }
    Ok(words)
}

/// The rest of a word in double quotes, and what is behind it.
fn quoted(mut rest: &[u8]) -> Result<(Vec<u8>, &[u8]), &'static str> {
    let mut word = Vec::new();
    loop {
        let (byte, behind) = match rest {
            [] => return Err("a quote is not closed"),
            [b'"', behind @ ..] => return Ok((word, behind)),
            [b'\\', b'x', high, low, behind @ ..]
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                (digit(*high) << 4 | digit(*low), behind)
            }
            [b'\\', escaped, behind @ ..] => {
                let byte = match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 8,
                    b'a' => 7,
                    other => *other,
                };
                (byte, behind)
            }
            [byte, behind @ ..] => (*byte, behind),
        };
        word.push(byte);
        rest = behind;
    }
}

fn single_quoted(mut rest: &[u8]) -> Result<(Vec<u8>, &[u8]), &'static str> {
    let mut word = Vec::new();
    loop {
        let (byte, behind) = match rest {
            [] => return Err("a quote is not closed"),
            [b'\'', behind @ ..] => return Ok((word, behind)),
            [b'\\', b'\'', behind @ ..] => (b'\'', behind),
            [byte, behind @ ..] => (*byte, behind),
        };
        word.push(byte);
        rest = behind;
    }
}

fn digit(hexadecimal: u8) -> u8 {
    match hexadecimal {
        b'0'..=b'9' => hexadecimal - b'0',
        b'a'..=b'f' => hexadecimal - b'a' + 10,
        _ => hexadecimal.wrapping_sub(b'A').wrapping_add(10),
    }
}

/// A name as it stands in the file.
fn quote(name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\');
    if name.bytes().all(is_plain) {
        return name.to_owned();
    }
    let mut quoted = String::from("\"");
    for byte in name.bytes() {
        match byte {
            b'"' | b'\\' => quoted.extend(['\\', byte.into()]),
            b' '..=b'~' => quoted.push(byte.into()),
            _ => {
                let _ = write!(quoted, "\\x{byte:02x}");
            }
        }
    }
    quoted.push('"');
    quoted
}
