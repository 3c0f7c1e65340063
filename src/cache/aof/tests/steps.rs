//! A crash after every step of a rewrite: each state of the folder loads to the same.

use std::path::PathBuf;

use super::*;

const BEFORE: &str = "SELECT 0\nSET a 1\nSET b 2";
const AFTER: &str = "SELECT 0\nSET c 3";

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// A folder in the making, and a copy of it after each step.
struct Steps {
    folder: tempfile::TempDir,
    copies: Vec<(&'static str, PathBuf)>,
}

impl Steps {
    fn live(&self) -> PathBuf {
        self.folder.path().join("live")
    }

    fn took(&mut self, step: &'static str) {
        let number = self.copies.len();
        let place = self.folder.path().join(number.to_string());
        copy(&self.live(), &place.join("appendonlydir"));
        self.copies.push((step, place));
    }

    /// The steps of [`files::replace`] that a crash may come between.
    fn stages_manifest(&mut self, text: &str) {
        let staging = self.live().join("appendonly.aof.manifest.new");
        fs::write(&staging, &text[..text.len() / 2]).unwrap();
        self.took("half a manifest is prepared");
        fs::write(&staging, text).unwrap();
        self.took("a manifest is prepared");
        fs::remove_file(&staging).unwrap();
    }
}

#[test]
fn a_crash_after_any_step_of_a_rewrite_loses_nothing() {
    let mut steps = Steps {
        folder: tempfile::tempdir().unwrap(),
        copies: Vec::new(),
    };
    let live = steps.live();
    let mut folder = Folder::open(&live).unwrap();
    let (mut file, _) = folder.last_increment().unwrap();
    io::Write::write_all(&mut file, &script(BEFORE)).unwrap();
    for round in 1..=3 {
        steps.took("before");
        // The temporary base may be there, whole or not, before and after the new increment.
        fs::write(folder.temporary(), b"*3\r\n$3").unwrap();
        steps.took("half a base");
        let next = folder.last_sequence() + 1;
        let name = format!("appendonly.aof.{next}.incr.aof");
        fs::write(live.join(&name), b"").unwrap();
        steps.took("the increment's file is there");
        let manifest = fs::read_to_string(live.join("appendonly.aof.manifest")).unwrap();
        steps.stages_manifest(&format!("{manifest}file {name} seq {next} type i\n"));
        folder.add_increment().unwrap();
        steps.took("the increment is listed");
        fs::write(folder.temporary(), script(BEFORE)).unwrap();
        steps.took("the base is whole, under its temporary name");
        let base = format!("appendonly.aof.{round}.base.aof");
        fs::copy(folder.temporary(), live.join(&base)).unwrap();
        fs::rename(folder.temporary(), live.join("aside")).unwrap();
        steps.took("the base has its name");
        steps.stages_manifest(&format!(
            "file {base} seq {round} type b\nfile {name} seq {next} type i\n"
        ));
        fs::rename(live.join("aside"), folder.temporary()).unwrap();
        let gone = folder.install_base(next).unwrap();
        steps.took("the base is listed");
        for path in gone {
            fs::remove_file(path).unwrap();
            steps.took("one file is removed");
        }
    }
    assert_eq!(steps.copies.len(), 3 * 14);
    for (step, place) in &steps.copies {
        let options = options(place, Fsync::No);
        let (log, loaded, lines) = open_all(options.clone()).unwrap();
        assert_eq!(lines, ["0: SET a 1", "0: SET b 2"], "{step}");
        assert_eq!(loaded.cut_bytes, 0, "{step}");
        log.append(&script(AFTER)).unwrap();
        drop(log);
        let lines = shown(options.clone());
        assert_eq!(lines, ["0: SET a 1", "0: SET b 2", "0: SET c 3"], "{step}");
        // What was left over is gone: only what the manifest names is there.
        let manifest = fs::read_to_string(options.folder.join("appendonly.aof.manifest")).unwrap();
        let names = names(&options);
        assert_eq!(
            names.iter().filter(|name| *name != "aside").count(),
            manifest.lines().count() + 1
        );
    }
}

#[test]
fn an_attempt_that_failed_never_gives_its_number_away() {
    let root = tempfile::tempdir().unwrap();
    let mut folder = Folder::open(root.path()).unwrap();
    folder.last_increment().unwrap();
    // Without the temporary file the first attempt cannot succeed.
    folder.install_base(1).unwrap_err();
    fs::write(folder.temporary(), script(BEFORE)).unwrap();
    let gone = folder.install_base(1).unwrap();
    assert!(root.path().join("appendonly.aof.2.base.aof").exists());
    assert_eq!(gone, [root.path().join("appendonly.aof.1.base.aof")]);
}

#[test]
fn history_is_removed_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path(), Fsync::No);
    fs::create_dir_all(&options.folder).unwrap();
    let manifest = "file appendonly.aof.2.base.aof seq 2 type b\n\
                    file appendonly.aof.1.base.rdb seq 1 type h\n\
                    file gone seq 1 type h\n\
                    file old seq 1 type h\n";
    for (name, text) in [
        ("appendonly.aof.manifest", manifest.as_bytes()),
        ("appendonly.aof.2.base.aof", &script(BEFORE)),
        ("appendonly.aof.1.base.rdb", b"old"),
        ("old", b"old"),
        ("appendonly.aof.7.incr.aof", b"left over"),
        ("appendonly.aof.x.incr.aof", b"not ours"),
        ("notes.txt", b"not ours"),
    ] {
        fs::write(options.folder.join(name), text).unwrap();
    }
    assert_eq!(shown(options.clone()).len(), 2);
    assert_eq!(
        names(&options),
        [
            "appendonly.aof.1.incr.aof",
            "appendonly.aof.2.base.aof",
            "appendonly.aof.manifest",
            "appendonly.aof.x.incr.aof",
            "notes.txt"
        ]
    );
    let manifest = fs::read_to_string(options.folder.join("appendonly.aof.manifest")).unwrap();
    assert_eq!(manifest.lines().count(), 2);
}
