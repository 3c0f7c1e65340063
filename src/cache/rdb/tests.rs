//! Files of a real server, files made by a small writer, and files that lie.

use std::fmt::Write as _;

use super::*;

mod hostile;
mod types;
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bytes of numbers that fit, or are meant to be cut"
)]
mod write;

/// Written by Redis 7.0.15: every type and encoding that it writes.
const SAMPLE: &[u8] = include_bytes!("samples/redis-7.0.rdb");
/// The same without compression.
const UNCOMPRESSED: &[u8] = include_bytes!("samples/redis-7.0-uncompressed.rdb");
/// What both hold.
const SAMPLE_COMMANDS: &str = include_str!("samples/redis-7.0.txt");

/// The time that tests stand at, in milliseconds since the Unix epoch.
const NOW_MS: i64 = 1_700_000_000_000;

/// Reads a file; its commands, a line each.
fn read_lines(bytes: &[u8]) -> Result<(Summary, Vec<String>), Error> {
    let mut lines = Vec::new();
    let mut rest = bytes;
    let summary = read(&mut rest, NOW_MS, &mut |db, command| {
        let mut line = format!("{db}:");
        for word in command {
            let _ = write!(line, " {}", word.escape_ascii());
        }
        lines.push(line);
        Ok(())
    })?;
    assert_eq!(
        bytes.len() - rest.len(),
        usize::try_from(summary.size_bytes).unwrap()
    );
    assert_eq!(lines.len(), usize::try_from(summary.commands).unwrap());
    Ok((summary, lines))
}

#[test]
fn files_of_redis_7_are_read() {
    for sample in [SAMPLE, UNCOMPRESSED] {
        let (summary, mut lines) = read_lines(sample).unwrap();
        lines.sort();
        let mut expected: Vec<_> = SAMPLE_COMMANDS.lines().collect();
        expected.sort_unstable();
        assert_eq!(lines, expected, "{}", lines.join("\n"));
        assert_eq!(
            summary,
            Summary {
                version: 10,
                server_version: Some("7.0.15".to_owned()),
                size_bytes: sample.len() as u64,
                keys: 21,
                commands: expected.len() as u64,
                groups_left_out: 2,
                functions_left_out: 1,
                ..Summary::default()
            }
        );
    }
}

#[test]
fn what_follows_the_file_is_left_to_the_caller() {
    let bytes = [SAMPLE, b"*1\r\n"].concat();
    // Small buffers: lengths, strings and the checksum cross their edges.
    for capacity in [1, 2, 3, 7, 64, 1000, 100_000] {
        let mut input = io::BufReader::with_capacity(capacity, &bytes[..]);
        let summary = read(&mut input, NOW_MS, &mut |_, _| Ok(())).unwrap();
        assert_eq!(summary.keys, 21);
        let mut rest = Vec::new();
        io::Read::read_to_end(&mut input, &mut rest).unwrap();
        assert_eq!(rest, b"*1\r\n");
    }
}

#[test]
fn a_changed_byte_is_noticed_by_the_checksum() {
    let mut bytes = SAMPLE.to_vec();
    let at = bytes
        .windows(11)
        .position(|window| window == b"hello world")
        .unwrap();
    bytes[at] ^= 1;
    assert!(matches!(read_lines(&bytes), Err(Error::Checksum { .. })));
    // Without a checksum nobody can know.
    let end = bytes.len() - 8;
    bytes[end..].fill(0);
    read_lines(&bytes).unwrap();
}

#[test]
fn a_file_that_ends_early_is_refused() {
    for length in 0..SAMPLE.len() {
        let error = read_lines(&SAMPLE[..length]).unwrap_err();
        assert!(
            matches!(error, Error::Truncated { .. }),
            "{length}: {error}"
        );
    }
}

#[test]
fn a_refused_command_ends_the_reading() {
    let mut rest = SAMPLE;
    let error = read(&mut rest, NOW_MS, &mut |_, _| Err("no".to_owned())).unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error}");
}
