//! What happens while the disk fails, and after.

use std::sync::Arc;

use super::{faults::Faults, *};

/// A log on a disk that can be made to fail.
fn faulty(options: &Options) -> (Log, Arc<Faults>) {
    let mut folder = Folder::open(&options.folder).unwrap();
    let (file, length) = folder.last_increment().unwrap();
    let file = LogFile::new(file, length);
    let faults = Arc::clone(&file.faults);
    (Log::start(options, folder, file).unwrap(), faults)
}

fn set_room(faults: &Faults, room_bytes: Option<usize>) {
    *faults.room_bytes.lock().unwrap() = room_bytes;
}

#[tokio::test]
async fn a_full_disk_refuses_until_there_is_room_and_loses_nothing() {
    for fsync in [Fsync::Always, Fsync::EverySecond, Fsync::No] {
        let folder = tempfile::tempdir().unwrap();
        let options = options(folder.path(), fsync);
        let (log, faults) = faulty(&options);
        let good = log.append(&script("SELECT 0\nSET a 1")).unwrap();
        log.durable(good).await.unwrap();
        assert!(!log.has_failed());

        set_room(&faults, Some(10));
        let late = log.append(&script("SET b 2")).unwrap();
        let error = log.durable(late).await.unwrap_err();
        assert!(matches!(error, Error::Disk(_)), "{error}");
        assert!(log.has_failed() && log.status().failure.is_some());
        // What was durable before is so still, and nothing half-written is on disk.
        log.durable(good).await.unwrap();
        let file = options.folder.join("appendonly.aof.1.incr.aof");
        assert_eq!(fs::metadata(&file).unwrap().len(), good);
        // What took effect meanwhile (a key that expired) is kept too.
        let later = log.append(&script("DEL a")).unwrap();

        set_room(&faults, None);
        until(|| !log.has_failed()).await;
        log.durable(later).await.unwrap();
        drop(log);
        assert_eq!(shown(options), ["0: SET a 1", "0: SET b 2", "0: DEL a"]);
    }
}

#[tokio::test]
async fn what_could_not_be_synced_is_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path(), Fsync::Always);
    let (log, faults) = faulty(&options);
    faults.sync.store(true, Ordering::SeqCst);
    let end = log.append(&script("SELECT 0\nSET a 1")).unwrap();
    log.durable(end).await.unwrap_err();
    let file = options.folder.join("appendonly.aof.1.incr.aof");
    assert_eq!(fs::metadata(&file).unwrap().len(), 0);
    faults.sync.store(false, Ordering::SeqCst);
    until(|| !log.has_failed()).await;
    log.durable(end).await.unwrap();
    log.close().unwrap();
    assert_eq!(fs::metadata(&file).unwrap().len(), end);
    assert_eq!(shown(options), ["0: SET a 1"]);
}

#[tokio::test]
async fn a_log_that_cannot_be_written_says_so_when_it_closes() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path(), Fsync::Always);
    let (log, faults) = faulty(&options);
    set_room(&faults, Some(3));
    let end = log.append(&script("SELECT 0\nSET a 1")).unwrap();
    assert!(matches!(log.close(), Err(Error::Disk(_))));
    log.durable(end).await.unwrap_err();
    drop(log);
    assert!(shown(options).is_empty());
}

#[tokio::test]
async fn a_rewrite_begun_while_the_disk_fails_comes_after_what_waits() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path(), Fsync::Always);
    let (log, faults) = faulty(&options);
    set_room(&faults, Some(3));
    let end = log.append(&script("SELECT 0\nSET a 1")).unwrap();
    log.durable(end).await.unwrap_err();
    let mut rewrite = log.begin_rewrite().unwrap();
    rewrite.write(script("SELECT 0\nSET a 1")).unwrap();
    let finished = rewrite.finish();
    log.append(&script("SELECT 0\nSET b 2")).unwrap();
    set_room(&faults, None);
    finished.await.unwrap();
    drop(log);
    assert_eq!(shown(options), ["0: SET a 1", "0: SET b 2"]);
}

#[tokio::test]
async fn too_much_waiting_asks_for_a_pause() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(folder.path(), Fsync::Always);
    options.max_waiting_bytes = 100;
    let (log, faults) = faulty(&options);
    faults.sync.store(true, Ordering::SeqCst);
    let value = "x".repeat(200);
    let end = log.append(&encode(&["SET", "a", &value])).unwrap();
    assert!(log.has_failed());
    faults.sync.store(false, Ordering::SeqCst);
    until(|| !log.has_failed()).await;
    log.durable(end).await.unwrap();
}

#[tokio::test]
async fn many_wait_and_all_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path(), Fsync::Always);
    let (log, _) = faulty(&options);
    let mut waiting = tokio::task::JoinSet::new();
    log.append(&script("SELECT 0")).unwrap();
    for number in 0..500 {
        let end = log.append(&script(&format!("SET key{number} 1"))).unwrap();
        waiting.spawn(log.durable(end));
    }
    while let Some(told) = waiting.join_next().await {
        told.unwrap().unwrap();
    }
    drop(log);
    assert_eq!(shown(options).len(), 500);
}

#[tokio::test]
async fn everysec_syncs_in_the_background() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path(), Fsync::EverySecond);
    let (log, _) = faulty(&options);
    let end = log.append(&script("SELECT 0\nSET a 1")).unwrap();
    log.durable(end).await.unwrap();
    until(|| !log.status().last_fsync.is_zero()).await;
}
