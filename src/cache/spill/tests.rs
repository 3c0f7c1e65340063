//! One suite for every store, and what happens to the folder.

use std::{collections::BTreeMap, path::Path};

use super::*;
use crate::spill::{folder::Folder, sled_store::SledStore};

/// The reference: a map.
#[derive(Default)]
struct MemoryStore(BTreeMap<String, Entry>);

impl SpillStore for MemoryStore {
    fn apply(&mut self, changes: &[Change]) -> Result<(), Error> {
        for change in changes {
            match change {
                Change::Put {
                    key,
                    value,
                    expires_ms,
                } => {
                    let (key, value, expires_ms) = (key.to_string(), value.clone(), *expires_ms);
                    self.0.insert(
                        key.clone(),
                        Entry {
                            key,
                            value,
                            expires_ms,
                        },
                    );
                }
                Change::Remove { key } => {
                    self.0.remove(&**key);
                }
            }
        }
        Ok(())
    }

    fn scan(&self, visit: &mut dyn FnMut(Entry)) -> Result<u64, Error> {
        self.0.values().cloned().for_each(visit);
        Ok(0)
    }

    fn flush(&mut self) -> Result<(), Error> {
        Ok(())
    }

    fn size_bytes(&self) -> Result<u64, Error> {
        Ok(self
            .0
            .values()
            .map(|entry| (entry.key.len() + entry.value.len()) as u64)
            .sum())
    }
}

fn put(key: &str, value: &[u8], expires_ms: Option<i64>) -> Change {
    Change::Put {
        key: key.into(),
        value: Bytes::copy_from_slice(value),
        expires_ms,
    }
}

fn remove(key: &str) -> Change {
    Change::Remove { key: key.into() }
}

fn contents(store: &dyn SpillStore) -> BTreeMap<String, (Bytes, Option<i64>)> {
    let mut found = BTreeMap::new();
    let unreadable = store.scan(&mut |entry| {
        found.insert(entry.key, (entry.value, entry.expires_ms));
    });
    assert_eq!(unreadable.unwrap(), 0);
    found
}

/// Batches with what a store must cope with, applied one after the other.
fn batches() -> Vec<Vec<Change>> {
    let large = vec![7; 3 * 1024 * 1024];
    vec![
        vec![],
        vec![
            put("a", b"1", None),
            put("b", b"", Some(5)),
            put("ü:ñ 0", b"\0\xff", None),
        ],
        vec![put("a", b"2", Some(9)), remove("b"), remove("never there")],
        vec![put("large", &large, None)],
        vec![remove("a"), put("a", b"3", None), put("b", b"back", None)],
        (0..2_000)
            .map(|number| put(&number.to_string(), b"x", Some(number)))
            .collect(),
        (0..1_990)
            .map(|number| remove(&number.to_string()))
            .collect(),
    ]
}

#[test]
fn every_store_does_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let mut reference = MemoryStore::default();
    let mut sled = SledStore::open(&path, 1024 * 1024).unwrap();
    for (number, batch) in batches().into_iter().enumerate() {
        reference.apply(&batch).unwrap();
        sled.apply(&batch).unwrap();
        sled.flush().unwrap();
        assert_eq!(
            contents(&sled),
            contents(&reference),
            "after batch {number}"
        );
    }
    assert!(sled.size_bytes().unwrap() > 0 && reference.size_bytes().unwrap() > 0);
    drop(sled);
    let again = reopen(&path);
    assert_eq!(
        contents(&again),
        contents(&reference),
        "after opening again"
    );
}

#[test]
fn an_open_store_is_locked() {
    let folder = tempfile::tempdir().unwrap();
    let _held = SledStore::open(folder.path(), 1024 * 1024).unwrap();
    let second = SledStore::open(folder.path(), 1024 * 1024);
    assert!(matches!(second, Err(Error::Locked)));
}

#[test]
fn another_schema_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(SledStore::open(folder.path(), 1024 * 1024).unwrap());
    {
        let database = sled::open(folder.path()).unwrap();
        database
            .open_tree("meta")
            .unwrap()
            .insert("schema", "99")
            .unwrap();
        database.flush().unwrap();
    }
    let opened = loop {
        match SledStore::open(folder.path(), 1024 * 1024) {
            Err(Error::Locked) => std::thread::yield_now(),
            other => break other,
        }
    };
    assert!(matches!(opened, Err(Error::Schema { found, .. }) if found == "99"));
}

#[test]
fn a_damaged_entry_is_left_out_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = SledStore::open(folder.path(), 1024 * 1024).unwrap();
    store
        .apply(&[put("good", b"1", None), put("bad", b"2", None)])
        .unwrap();
    store.corrupt("bad");
    let mut seen = Vec::new();
    assert_eq!(store.scan(&mut |entry| seen.push(entry.key)).unwrap(), 1);
    assert_eq!(seen, ["good"]);
}

#[test]
fn a_folder_keeps_one_generation_and_survives_a_broken_pointer() {
    let root = tempfile::tempdir().unwrap();
    let mut folder = Folder::open(root.path().to_owned()).unwrap();
    std::fs::create_dir(folder.current()).unwrap();
    let next = folder.next().unwrap();
    std::fs::create_dir(&next).unwrap();
    folder.advance().unwrap();
    assert_eq!(folder.current(), next);
    folder.remove_leftovers().unwrap();
    assert_eq!(generations(root.path()), 1);

    std::fs::write(root.path().join("current"), "not a number").unwrap();
    let folder = Folder::open(root.path().to_owned()).unwrap();
    assert_eq!(generations(root.path()), 0, "what nothing names is removed");
    assert!(!folder.current().exists());
}

#[test]
fn only_the_latest_unreadable_generation_is_kept() {
    let root = tempfile::tempdir().unwrap();
    let mut folder = Folder::open(root.path().to_owned()).unwrap();
    for text in ["first", "second"] {
        std::fs::create_dir(folder.current()).unwrap();
        std::fs::write(folder.current().join("db"), text).unwrap();
        let aside = folder.set_aside().unwrap();
        assert_eq!(std::fs::read_to_string(aside.join("db")).unwrap(), text);
    }
    assert_eq!(generations(root.path()), 0);
}

fn generations(root: &Path) -> usize {
    let names = std::fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    names
        .filter(|name| name.to_string_lossy().starts_with("generation-"))
        .count()
}

/// Opens a store that was just closed; sled's threads may hold the lock a moment longer.
fn reopen(path: &Path) -> SledStore {
    loop {
        match SledStore::open(path, 1024 * 1024) {
            Err(Error::Locked) => std::thread::yield_now(),
            other => return other.unwrap(),
        }
    }
}

impl SledStore {
    /// Changes a byte of what is stored for `key`.
    fn corrupt(&self, key: &str) {
        let mut bytes = self.entries().get(key).unwrap().unwrap().to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        self.entries().insert(key, bytes).unwrap();
    }
}
