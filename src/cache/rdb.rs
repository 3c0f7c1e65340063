//! Reads a Redis database file (RDB, versions 1 to 12: what Redis up to 7.4 and Valkey 8 write) and
//! shows what it holds as commands. It never writes one.
//!
//! Nothing in the file is believed: what a header announces is allocated as the bytes arrive, and
//! whatever does not fit is an error that names the byte. Commands before the damage have been
//! shown by then.
//!
//! Left out, and counted in [`Summary`]: consumer groups of streams, function libraries, and the
//! time to live of single hash fields (a field whose time has passed is left out with its value).
//! A file with data of modules is refused.

use std::io::{self, BufRead};

use bytes::Bytes;

mod emit;
mod input;
mod listpack;
mod lzf;
mod packed;
mod stream;
#[cfg(test)]
mod tests;
mod values;
mod ziplist;

use emit::Target;
use input::Input;

/// The newest version of the format that is understood: Redis 7.4.
const NEWEST_VERSION: u32 = 12;

/// Takes a command for a database; what it refuses ends the reading.
pub(crate) type Emit<'a> = dyn FnMut(u32, Vec<Bytes>) -> Result<(), String> + 'a;

/// What can go wrong with a file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The file cannot be read.
    #[error("cannot read on after byte {offset}: {source}")]
    Input {
        /// How far it was read.
        offset: u64,
        /// Why it ended there.
        source: io::Error,
    },
    /// The file ends too early.
    #[error("the database file ends at byte {offset}, before its end mark")]
    Truncated {
        /// Its length in bytes.
        offset: u64,
    },
    /// What stands there means nothing.
    #[error("the database file is damaged before byte {offset}: {reason}")]
    Damaged {
        /// How far it was read.
        offset: u64,
        /// What is wrong.
        reason: &'static str,
    },
    /// It is not a file of Redis, or one of a later version.
    #[error("database files of version {0:?} cannot be read, only 0001 to 0012")]
    Version(String),
    /// A module wrote it.
    #[error("data of the Redis module {name:?} before byte {offset} cannot be read")]
    Module {
        /// The name of the module's type.
        name: String,
        /// How far it was read.
        offset: u64,
    },
    /// The checksum says that bytes have changed.
    #[error("the database file is damaged: its checksum is {found:016x}, it says {written:016x}")]
    Checksum {
        /// Of the bytes that were read.
        found: u64,
        /// At the end of the file.
        written: u64,
    },
    /// The receiver did not take a command.
    #[error("a command before byte {offset} was refused: {message}")]
    Refused {
        /// How far the file was read.
        offset: u64,
        /// The receiver's words.
        message: String,
    },
}

/// What a file held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    /// The version of the format.
    pub(crate) version: u32,
    /// The version of the server that wrote it, if it says so.
    pub(crate) server_version: Option<String>,
    /// The file's length in bytes; what follows is not part of it.
    pub(crate) size_bytes: u64,
    /// Keys that were shown.
    pub(crate) keys: u64,
    /// Commands that were shown.
    pub(crate) commands: u64,
    /// Hash fields whose own time to live had passed; they are left out.
    pub(crate) fields_expired: u64,
    /// Hash fields that lost their own time to live and stay.
    pub(crate) field_expiries_left_out: u64,
    /// Consumer groups of streams that were left out.
    pub(crate) groups_left_out: u64,
    /// Function libraries that were left out.
    pub(crate) functions_left_out: u64,
}

/// Reads one database file from `input`, which may hold more behind it; `now_ms` (milliseconds
/// since the Unix epoch) decides which hash fields are still there.
///
/// Keys that have expired are shown with their `PEXPIREAT`: in front of an append-only file later
/// commands may prolong them.
pub(crate) fn read(
    input: &mut impl BufRead,
    now_ms: i64,
    emit: &mut Emit<'_>,
) -> Result<Summary, Error> {
    let mut input = Input::new(input);
    let mut summary = Summary {
        version: read_header(&mut input)?,
        ..Summary::default()
    };
    let mut target = Target::new(emit);
    let mut expires_ms = None;
    loop {
        match input.byte()? {
            opcode::EOF => break,
            opcode::SELECTDB => {
                let db = input.plain_length()?;
                target.db = u32::try_from(db).map_err(|_| input.damaged("no such database"))?;
            }
            opcode::EXPIRETIME => {
                let at = i32::from_le_bytes(input.array()?);
                expires_ms = Some(i64::from(at).saturating_mul(1000));
            }
            opcode::EXPIRETIME_MS => expires_ms = Some(i64::from_le_bytes(input.array()?)),
            opcode::FREQ => drop(input.byte()?),
            opcode::IDLE => drop(input.plain_length()?),
            opcode::RESIZEDB => skip_lengths(&mut input, 2)?,
            opcode::SLOT_INFO => skip_lengths(&mut input, 3)?,
            opcode::AUX => read_aux(&mut input, &mut summary)?,
            opcode::FUNCTION2 => {
                input.string()?;
                summary.functions_left_out += 1;
            }
            opcode::FUNCTION_PRE_GA => {
                return Err(input.damaged("functions of a release candidate of Redis 7.0"));
            }
            opcode::MODULE_AUX => return Err(module(&mut input)?),
            kind => {
                let key = input.string()?;
                let mut reading = values::Reading {
                    input: &mut input,
                    target: &mut target,
                    summary: &mut summary,
                    now_ms,
                };
                reading.value(kind, &key, expires_ms.take().filter(|at| *at != -1))?;
            }
        }
    }
    if summary.version >= 5 {
        check_checksum(&mut input)?;
    }
    input.settle()?;
    summary.size_bytes = input.offset();
    summary.commands = target.commands;
    Ok(summary)
}

/// What may stand where a key's type is expected.
mod opcode {
    pub(super) const SLOT_INFO: u8 = 244;
    pub(super) const FUNCTION2: u8 = 245;
    pub(super) const FUNCTION_PRE_GA: u8 = 246;
    pub(super) const MODULE_AUX: u8 = 247;
    pub(super) const IDLE: u8 = 248;
    pub(super) const FREQ: u8 = 249;
    pub(super) const AUX: u8 = 250;
    pub(super) const RESIZEDB: u8 = 251;
    pub(super) const EXPIRETIME_MS: u8 = 252;
    pub(super) const EXPIRETIME: u8 = 253;
    pub(super) const SELECTDB: u8 = 254;
    pub(super) const EOF: u8 = 255;
}

fn read_header(input: &mut Input<'_, impl BufRead>) -> Result<u32, Error> {
    let header: [u8; 9] = input.array()?;
    let text = String::from_utf8_lossy(&header);
    let version = header
        .strip_prefix(b"REDIS")
        .filter(|digits| digits.iter().all(u8::is_ascii_digit))
        .and_then(|_| text.get(5..)?.parse().ok());
    version
        .filter(|version| (1..=NEWEST_VERSION).contains(version))
        .ok_or_else(|| Error::Version(text.into_owned()))
}

fn skip_lengths(input: &mut Input<'_, impl BufRead>, count: usize) -> Result<(), Error> {
    for _ in 0..count {
        input.plain_length()?;
    }
    Ok(())
}

/// A remark of the server that wrote the file. None of them changes what the keys mean.
fn read_aux(input: &mut Input<'_, impl BufRead>, summary: &mut Summary) -> Result<(), Error> {
    let name = input.string()?;
    let value = input.string()?;
    if name == b"redis-ver"[..] || name == b"valkey-ver"[..] {
        summary.server_version = Some(String::from_utf8_lossy(&value).into_owned());
    }
    Ok(())
}

/// The error for data of a module. Its name is packed into an id, six bits a letter above ten bits
/// of version.
fn module(input: &mut Input<'_, impl BufRead>) -> Result<Error, Error> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let id = input.plain_length()?;
    let letter = |place: u32| char::from(LETTERS[(id >> (10 + 6 * place) & 63) as usize]);
    Ok(Error::Module {
        name: (0..9).rev().map(letter).collect(),
        offset: input.offset(),
    })
}

fn check_checksum(input: &mut Input<'_, impl BufRead>) -> Result<(), Error> {
    let found = input.checksum()?;
    let written = u64::from_le_bytes(input.array()?);
    // Redis writes 0 when `rdbchecksum` is off.
    if written != 0 && written != found {
        return Err(Error::Checksum { found, written });
    }
    Ok(())
}
