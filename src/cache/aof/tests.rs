//! Logs on a real disk: what is written is read again, whatever happened in between.

use std::{
    fs,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use super::*;

mod damage;
mod disk;
pub(super) mod faults;
mod grammar;
mod steps;

/// A command as a client sends it.
fn encode(words: &[&str]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend(format!("${}\r\n{word}\r\n", word.len()).bytes());
    }
    bytes
}

/// Commands given as lines, encoded.
fn script(lines: &str) -> Vec<u8> {
    lines
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .flat_map(|line| encode(&line.split(' ').collect::<Vec<_>>()))
        .collect()
}

fn options(folder: &Path, fsync: Fsync) -> Options {
    Options {
        folder: folder.join("appendonlydir"),
        fsync,
        max_waiting_bytes: 1024 * 1024,
        repair: false,
        clock: Clock::manual(1_000_000),
    }
}

/// Opens a log and collects what it shows, a line a command.
fn open_all(options: Options) -> Result<(Log, Loaded, Vec<String>), Error> {
    let mut shown = Vec::new();
    let (log, loaded) = open(options, &mut |db, command| {
        let words: Vec<_> = command
            .iter()
            .map(|word| String::from_utf8_lossy(word))
            .collect();
        shown.push(format!("{db}: {}", words.join(" ")));
        Ok(())
    })?;
    Ok((log, loaded, shown))
}

/// What a log shows, without keeping it open.
fn shown(options: Options) -> Vec<String> {
    open_all(options).unwrap().2
}

/// The names in the folder, sorted.
fn names(options: &Options) -> Vec<String> {
    let entries = fs::read_dir(&options.folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn what_is_appended_is_read_again() {
    for fsync in [Fsync::Always, Fsync::EverySecond, Fsync::No] {
        let folder = tempfile::tempdir().unwrap();
        let options = options(folder.path(), fsync);
        let (log, loaded, _) = open_all(options.clone()).unwrap();
        assert_eq!(loaded.commands, 0);
        log.append(&script("SELECT 0\nSET a 1\nSELECT 3\nSET b 2"))
            .unwrap();
        let end = log
            .append(&script("MULTI\nINCR c\nSELECT 0\nINCR d\nEXEC"))
            .unwrap();
        log.durable(end).await.unwrap();
        assert!(log.status().waiting_bytes == 0 && log.size_bytes() == end);
        log.close().unwrap();
        assert!(matches!(log.append(b""), Err(Error::Closed)));
        log.durable(end).await.unwrap();
        assert!(matches!(log.durable(end + 1).await, Err(Error::Closed)));

        let (log, loaded, lines) = open_all(options.clone()).unwrap();
        assert_eq!(
            lines,
            ["0: SET a 1", "3: SET b 2", "3: INCR c", "0: INCR d"]
        );
        assert_eq!(
            (loaded.commands, loaded.bytes, loaded.cut_bytes),
            (4, end, 0)
        );
        log.append(&script("SELECT 1\nSET e 3")).unwrap();
        drop(log);
        assert_eq!(shown(options.clone())[4], "1: SET e 3");
        let mode = std::os::unix::fs::PermissionsExt::mode;
        let file = options.folder.join("appendonly.aof.1.incr.aof");
        assert_eq!(
            mode(&fs::metadata(file).unwrap().permissions()) & 0o777,
            0o600
        );
        let folder = fs::metadata(&options.folder).unwrap();
        assert_eq!(mode(&folder.permissions()) & 0o777, 0o700);
    }
}

#[tokio::test]
async fn a_rewrite_takes_the_place_of_what_was_before() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path(), Fsync::Always);
    let (log, ..) = open_all(options.clone()).unwrap();
    log.append(&script("SELECT 0\nINCR a\nINCR a")).unwrap();
    let mut rewrite = log.begin_rewrite().unwrap();
    assert!(matches!(log.begin_rewrite(), Err(Error::Rewriting)));
    log.append(&script("SELECT 0\nINCR b")).unwrap();
    assert!(rewrite.has_room());
    rewrite.write(script("SELECT 0\nSET a 2")).unwrap();
    let rewritten = rewrite.finish().await.unwrap();
    assert_eq!(log.base_bytes(), rewritten.base_bytes);
    let end = log.append(&script("INCR c")).unwrap();
    log.durable(end).await.unwrap();
    assert!(!log.status().is_rewriting);
    drop(log);
    assert_eq!(
        names(&options),
        [
            "appendonly.aof.1.base.aof",
            "appendonly.aof.2.incr.aof",
            "appendonly.aof.manifest"
        ]
    );
    assert_eq!(shown(options), ["0: SET a 2", "0: INCR b", "0: INCR c"]);
}

#[tokio::test]
async fn a_rewrite_that_is_given_up_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path(), Fsync::Always);
    let (log, ..) = open_all(options.clone()).unwrap();
    for round in 0..3 {
        log.append(&script("SELECT 0\nINCR a")).unwrap();
        let mut rewrite = log.begin_rewrite().unwrap();
        rewrite.write(script("SELECT 0\nSET a 77")).unwrap();
        if round == 0 {
            rewrite.abort();
        } else {
            drop(rewrite);
        }
        log.append(&script("SELECT 0\nINCR b")).unwrap();
        until(|| !log.status().is_rewriting).await;
        assert!(log.status().rewrite_failure.is_some());
    }
    drop(log);
    let lines = shown(options.clone());
    assert_eq!(lines.join(","), ["0: INCR a,0: INCR b"; 3].join(","));
    assert!(!names(&options).iter().any(|name| name.starts_with("temp")));
}

/// Waits for something that another thread does.
async fn until(mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "it never happens"
        );
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
