//! Files that end too early or hold what nobody wrote.

use super::*;

const GOOD: &str = "SELECT 0\nSET a 1\nSET b 2";

/// Writes a folder with increments of the given contents.
fn write(options: &Options, increments: &[&[u8]]) {
    fs::create_dir_all(&options.folder).unwrap();
    let mut manifest = String::new();
    for (index, bytes) in increments.iter().enumerate() {
        let number = index + 1;
        let name = format!("appendonly.aof.{number}.incr.aof");
        fs::write(options.folder.join(&name), bytes).unwrap();
        manifest.push_str(&format!("file {name} seq {number} type i\n"));
    }
    fs::write(options.folder.join("appendonly.aof.manifest"), manifest).unwrap();
}

#[test]
fn an_incomplete_end_is_cut_at_every_byte() {
    let good = script(GOOD);
    let tail = script("SET c 3");
    for length in 1..tail.len() {
        for zeros in [0, 1, 40, 5000] {
            let folder = tempfile::tempdir().unwrap();
            let options = options(folder.path(), Fsync::No);
            let mut bytes = good.clone();
            bytes.extend(&tail[..length]);
            bytes.resize(bytes.len() + zeros, 0);
            write(&options, &[&bytes]);
            let (log, loaded, lines) = open_all(options.clone()).unwrap();
            assert_eq!(lines, ["0: SET a 1", "0: SET b 2"], "{length} {zeros}");
            assert_eq!(loaded.cut_bytes, (length + zeros) as u64);
            // What is appended now follows what was kept.
            log.append(&script("SELECT 0\nSET d 4")).unwrap();
            drop(log);
            assert_eq!(shown(options), ["0: SET a 1", "0: SET b 2", "0: SET d 4"]);
        }
    }
}

#[test]
fn a_group_is_kept_whole_or_not_at_all() {
    let good = script(GOOD);
    let group = script("MULTI\nSET c 3\nSELECT 2\nSET d 4\nEXEC");
    for length in 1..=group.len() {
        let folder = tempfile::tempdir().unwrap();
        let options = options(folder.path(), Fsync::No);
        let mut bytes = good.clone();
        bytes.extend(&group[..length]);
        write(&options, &[&bytes]);
        let (_, loaded, lines) = open_all(options).unwrap();
        if length == group.len() {
            assert_eq!(lines[2..], ["0: SET c 3", "2: SET d 4"]);
        } else {
            assert_eq!(lines.len(), 2, "{length}");
            assert_eq!(loaded.cut_bytes, length as u64);
        }
    }
}

#[test]
fn other_damage_is_refused_with_its_place_or_cut_when_told_to() {
    let good = script(GOOD);
    let after = script("SET z 9");
    let at = good.len() as u64;
    for (damage, offset) in [
        (&b"garbage\r\n"[..], at),
        (b"\0\0\0\0", at),
        (b"*x\r\n", at),
        (b"*-1\r\n", at),
        (b"*0\r\n", at + 4),
        (b"*1048577\r\n", at + 10),
        (b"*1\n", at),
        (b"*1\r\n$536870913\r\n", at + 16),
        (b"*1\r\n$-1\r\n", at + 4),
        (b"*1\r\n+OK\r\n", at + 4),
        (b"*2\r\n$3\r\nSET\r\n$1\r\nab\r\n", at + 18),
        (b"*11111111111111111111111111111111111111\r\n", at),
        (b"*1\r\n$4\r\nEXEC\r\n", at),
        (b"*1\r\n$5\r\nMULTI\r\n*1\r\n$5\r\nMULTI\r\n", at + 15),
        (b"*2\r\n$6\r\nSELECT\r\n$2\r\n-1\r\n", at),
        (b"*1\r\n$6\r\nSELECT\r\n", at),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut options = options(folder.path(), Fsync::No);
        let bytes = [&good[..], damage, &after].concat();
        write(&options, &[&bytes, &after]);
        let name = String::from_utf8_lossy(damage);
        match open_all(options.clone()).unwrap_err() {
            Error::Damaged {
                offset: at,
                keep_bytes,
                ..
            } => {
                assert_eq!((at, keep_bytes), (offset, good.len() as u64), "{name}");
            }
            other => panic!("{name}: {other}"),
        }
        // Nothing has been touched.
        let file = options.folder.join("appendonly.aof.1.incr.aof");
        assert_eq!(fs::read(&file).unwrap(), bytes);

        options.repair = true;
        let (log, loaded, lines) = open_all(options.clone()).unwrap();
        assert_eq!(lines, ["0: SET a 1", "0: SET b 2"], "{name}");
        assert!(loaded.repaired);
        assert_eq!(loaded.cut_bytes as usize, damage.len() + 2 * after.len());
        drop(log);
        assert_eq!(fs::read(&file).unwrap(), good);
        assert_eq!(
            names(&options),
            [
                "appendonly.aof.1.incr.aof",
                "appendonly.aof.1.incr.aof.damaged",
                "appendonly.aof.2.incr.aof.damaged",
                "appendonly.aof.manifest"
            ]
        );
        options.repair = false;
        assert_eq!(shown(options).len(), 2);
    }
}

#[test]
fn only_the_last_file_with_content_may_end_early() {
    let good = script(GOOD);
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path(), Fsync::No);
    let torn = &good[..good.len() - 1];
    write(&options, &[torn, &good]);
    assert!(matches!(
        open_all(options.clone()),
        Err(Error::Damaged { .. })
    ));
    write(&options, &[&good, torn, b""]);
    let (_, loaded, lines) = open_all(options.clone()).unwrap();
    assert_eq!(lines.len(), 3);
    assert!(loaded.cut_bytes > 0);
}

#[test]
fn remarks_are_read_over() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path(), Fsync::No);
    let bytes = [
        b"#TS:1700000000\r\n",
        &script(GOOD)[..],
        b"#TS:1700000001\r\n",
    ]
    .concat();
    write(&options, &[&bytes]);
    assert_eq!(shown(options.clone()).len(), 2);
    write(&options, &[&[&bytes[..], b"#TS:17"].concat()]);
    let (_, loaded, lines) = open_all(options).unwrap();
    assert_eq!((lines.len(), loaded.cut_bytes), (2, 6));
}

#[test]
fn a_refused_command_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path(), Fsync::No);
    write(&options, &[&script(GOOD)]);
    let refused = open(options, &mut |_, command| match &command[1][..] {
        b"b" => Err("no b here".to_owned()),
        _ => Ok(()),
    });
    let message = refused.unwrap_err().to_string();
    assert!(
        message.contains("at byte 50 was refused: no b here"),
        "{message}"
    );
}

#[test]
fn a_folder_without_its_manifest_is_not_taken_for_empty() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path(), Fsync::No);
    write(&options, &[&script(GOOD)]);
    fs::remove_file(options.folder.join("appendonly.aof.manifest")).unwrap();
    assert!(matches!(
        open_all(options.clone()),
        Err(Error::NoManifest { .. })
    ));
    // The very first start may have ended before there was one.
    fs::write(options.folder.join("appendonly.aof.1.incr.aof"), b"").unwrap();
    assert!(shown(options).is_empty());
}

#[test]
fn a_log_of_before_redis_7_is_taken_over() {
    let manifest = "file appendonly.aof seq 1 type b\n";
    // In its place, moved already, and with Redis's manifest written first.
    for (is_moved, has_manifest) in [(false, false), (true, false), (false, true), (true, true)] {
        let folder = tempfile::tempdir().unwrap();
        let options = options(folder.path(), Fsync::No);
        fs::create_dir_all(&options.folder).unwrap();
        let place = if is_moved {
            &options.folder
        } else {
            folder.path()
        };
        fs::write(place.join("appendonly.aof"), script(GOOD)).unwrap();
        if has_manifest {
            fs::write(options.folder.join("appendonly.aof.manifest"), manifest).unwrap();
        }
        let (log, _, lines) = open_all(options.clone()).unwrap();
        assert_eq!(lines.len(), 2);
        log.append(&script("SELECT 0\nSET c 3")).unwrap();
        drop(log);
        assert_eq!(shown(options.clone()).len(), 3);
        assert!(!folder.path().join("appendonly.aof").exists());
    }
}
