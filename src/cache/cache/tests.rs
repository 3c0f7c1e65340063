//! The cache as roles use it: real files, real threads, a clock that the tests move.

use std::path::Path;

use super::*;

/// A Tuesday in November 2023, milliseconds since the Unix epoch.
const START_MS: i64 = 1_700_000_000_000;

struct Stage {
    folder: tempfile::TempDir,
    clock: Clock,
    config: Config,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            folder,
            clock: Clock::manual(START_MS),
            config: Config::default(),
        }
    }

    async fn open(&self) -> Cache {
        let folder = self.folder.path().join("cache");
        Cache::open(self.config.clone(), folder, self.clock.clone()).await
    }

    fn generation(&self) -> PathBuf {
        let root = self.folder.path().join("cache");
        let number = std::fs::read_to_string(root.join("current")).unwrap();
        root.join(format!("generation-{number}"))
    }
}

fn text(cache: &Cache, key: &str) -> Option<String> {
    cache
        .get(key)
        .map(|value| String::from_utf8(value.to_vec()).unwrap())
}

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

/// Lets the cache's threads run until `condition` holds; fails after ten seconds.
async fn until(what: &str, condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(10), wait).await;
    assert!(ended.is_ok(), "never: {what}");
}

#[tokio::test]
async fn values_are_set_read_replaced_and_removed() {
    let cache = Stage::new().open().await;
    assert_eq!(text(&cache, "a"), None);
    cache.set("a", "1".into(), None).unwrap();
    cache.set("a", "2".into(), None).unwrap();
    assert_eq!(text(&cache, "a").as_deref(), Some("2"));
    assert!(!cache.set_if_absent("a", "3".into(), None).unwrap());
    assert!(cache.set_if_absent("b", "3".into(), None).unwrap());
    assert!(cache.remove("a"));
    assert!(!cache.remove("a"));
    let stats = cache.stats();
    assert_eq!((stats.keys, stats.hits, stats.misses), (1, 1, 1));
}

#[tokio::test]
async fn integers_are_added_to_and_keep_their_expiry() {
    let stage = Stage::new();
    let cache = stage.open().await;
    assert_eq!(
        cache
            .increment("n", 5, Some(Duration::from_secs(10)))
            .unwrap(),
        5
    );
    stage.clock.advance(Duration::from_secs(6));
    assert_eq!(
        cache
            .increment("n", -7, Some(Duration::from_secs(10)))
            .unwrap(),
        -2
    );
    stage.clock.advance(Duration::from_secs(4));
    assert_eq!(
        cache.increment("n", 1, None).unwrap(),
        1,
        "the first expiry held"
    );

    cache.set("word", "ten".into(), None).unwrap();
    assert!(matches!(
        cache.increment("word", 1, None),
        Err(Error::NotAnInteger(_))
    ));
    cache.set("max", i64::MAX.to_string().into(), None).unwrap();
    assert!(matches!(
        cache.increment("max", 1, None),
        Err(Error::Overflow(_))
    ));
}

#[tokio::test]
async fn sizes_are_bounded() {
    let mut stage = Stage::new();
    stage.config.max_value_bytes = 10;
    let cache = stage.open().await;
    cache.set("fits", vec![0; 10].into(), None).unwrap();
    let large = cache.set("large", vec![0; 11].into(), None);
    assert!(matches!(
        large,
        Err(Error::TooLarge {
            size_bytes: 11,
            limit_bytes: 10,
            ..
        })
    ));
    let long = cache.set(&"k".repeat(MAX_KEY_BYTES + 1), Bytes::new(), None);
    assert!(matches!(long, Err(Error::KeyTooLong { .. })));
}

#[tokio::test]
async fn memory_stays_under_its_limit() {
    let mut stage = Stage::new();
    stage.config.max_memory_bytes = 100_000;
    let cache = stage.open().await;
    for number in 0..1_000 {
        cache
            .set(&number.to_string(), vec![0; 300].into(), None)
            .unwrap();
        assert!(cache.stats().memory_bytes <= 100_000);
    }
    assert!(cache.get("999").is_some() && cache.get("0").is_none());
    assert!(cache.stats().evictions > 700);
}

#[tokio::test]
async fn what_has_expired_is_never_read_and_is_swept() {
    let stage = Stage::new();
    let cache = stage.open().await;
    for number in 0..5_000 {
        cache
            .set(&number.to_string(), Bytes::new(), Some(MINUTE))
            .unwrap();
    }
    cache.set("kept", Bytes::new(), None).unwrap();
    stage.clock.advance(MINUTE);
    assert!(cache.get("1").is_none());
    // One tick removes 2,000 keys; each move of the clock allows another one.
    until("swept", || {
        stage.clock.advance(Duration::from_millis(100));
        cache.stats().keys == 1
    })
    .await;
    assert_eq!(cache.stats().expirations, 5_000);
}

#[tokio::test]
async fn a_restart_is_warm() {
    let stage = Stage::new();
    let cache = stage.open().await;
    cache.set("forever", "1".into(), None).unwrap();
    cache.set("long", "2".into(), Some(HOUR)).unwrap();
    cache.set("short", "3".into(), Some(MINUTE)).unwrap();
    cache.set("gone", "4".into(), None).unwrap();
    cache.remove("gone");
    cache.close().await;

    stage.clock.advance(2 * MINUTE);
    let cache = stage.open().await;
    assert_eq!(text(&cache, "forever").as_deref(), Some("1"));
    assert_eq!(text(&cache, "long").as_deref(), Some("2"));
    assert_eq!((text(&cache, "short"), text(&cache, "gone")), (None, None));
    stage.clock.advance(HOUR);
    assert_eq!(text(&cache, "long"), None, "expiry survives");
}

#[tokio::test]
async fn changes_reach_the_disk_each_second_without_a_close() {
    let stage = Stage::new();
    let cache = stage.open().await;
    cache.set("a", "1".into(), None).unwrap();
    let waiting = || cache.inner.keyspace.lock().has_changes();
    assert!(waiting());
    until("written", || {
        stage.clock.advance(Duration::from_secs(1));
        !waiting()
    })
    .await;
}

#[tokio::test]
async fn without_a_warm_restart_nothing_is_written() {
    let mut stage = Stage::new();
    stage.config.warm_restart = false;
    let cache = stage.open().await;
    cache.set("a", "1".into(), None).unwrap();
    cache.close().await;
    assert!(!stage.folder.path().join("cache").exists());
    assert_eq!(text(&stage.open().await, "a"), None);
}

/// Opens a warm folder after `damage`; the cache must start, and what it writes then must last.
async fn survives(what: &str, damage: impl FnOnce(&Path)) {
    let stage = Stage::new();
    let cache = stage.open().await;
    cache.set("before", "1".into(), None).unwrap();
    cache.close().await;
    damage(&stage.generation());

    let cache = stage.open().await;
    cache.ping().await.unwrap();
    cache.set("after", "2".into(), None).unwrap();
    cache.close().await;
    assert_eq!(
        text(&stage.open().await, "after").as_deref(),
        Some("2"),
        "{what}"
    );
}

#[tokio::test]
async fn a_bad_folder_starts_an_empty_cache() {
    survives("garbage as configuration", |folder| {
        std::fs::write(folder.join("conf"), [0xff; 300]).unwrap();
    })
    .await;
    survives("garbage as data", |folder| {
        let size = std::fs::metadata(folder.join("db")).unwrap().len();
        std::fs::write(
            folder.join("db"),
            vec![0xa5; usize::try_from(size).unwrap()],
        )
        .unwrap();
    })
    .await;
    survives("cut short", |folder| {
        let file = std::fs::File::options()
            .write(true)
            .open(folder.join("db"))
            .unwrap();
        file.set_len(100).unwrap();
    })
    .await;
    survives("a file where the folder was", |folder| {
        std::fs::remove_dir_all(folder).unwrap();
        std::fs::write(folder, "not a folder").unwrap();
    })
    .await;
    survives("gone", |folder| std::fs::remove_dir_all(folder).unwrap()).await;
}

#[tokio::test]
async fn an_unreadable_folder_is_kept_aside() {
    let stage = Stage::new();
    let cache = stage.open().await;
    cache.set("a", "1".into(), None).unwrap();
    cache.close().await;
    std::fs::write(stage.generation().join("conf"), [0xff; 300]).unwrap();
    let cache = stage.open().await;
    assert_eq!(text(&cache, "a"), None);
    assert!(stage.folder.path().join("cache/unreadable/conf").exists());
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_leaves_a_cold_cache() {
    let stage = Stage::new();
    std::fs::write(stage.folder.path().join("cache"), "a file").unwrap();
    let cache = stage.open().await;
    cache.set("a", "1".into(), None).unwrap();
    assert_eq!(text(&cache, "a").as_deref(), Some("1"));
    cache.ping().await.unwrap();
}

#[tokio::test]
async fn a_folder_that_has_grown_is_written_afresh() {
    let mut stage = Stage::new();
    stage.config.max_memory_bytes = 64 * 1024 * 1024;
    let cache = stage.open().await;
    for number in 0..40 {
        let value: Vec<u8> = (0..1024 * 1024_u32)
            .map(|at| (at * 31 + number).to_le_bytes()[0])
            .collect();
        cache.set(&number.to_string(), value.into(), None).unwrap();
    }
    cache.set("kept", "1".into(), None).unwrap();
    let first = stage.generation();
    let waiting = || cache.inner.keyspace.lock().has_changes();
    until("written", || {
        stage.clock.advance(Duration::from_secs(1));
        !waiting()
    })
    .await;
    for number in 0..40 {
        cache.remove(&number.to_string());
    }
    until("a new generation", || {
        stage.clock.advance(Duration::from_secs(1));
        stage.generation() != first
    })
    .await;
    cache.close().await;
    assert!(!first.exists());
    assert_eq!(text(&stage.open().await, "kept").as_deref(), Some("1"));
}

#[tokio::test]
async fn a_closed_cache_says_so() {
    let cache = Stage::new().open().await;
    cache.set("a", "1".into(), None).unwrap();
    cache.ping().await.unwrap();
    cache.close().await;
    assert!(matches!(cache.ping().await, Err(Error::Closed)));
    assert!(matches!(
        cache.set("a", "2".into(), None),
        Err(Error::Closed)
    ));
    assert_eq!(cache.get("a"), None);
    cache.close().await;
}
