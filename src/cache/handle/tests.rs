//! The databases as the roles of this process use them.

use std::time::Duration;

use mito_core::{Clock, Random};
use tempfile::TempDir;

use super::Keys;
use crate::{Config, Redis, redis::Options};

const START_MS: i64 = 1_700_000_000_000;
const MINUTE: Duration = Duration::from_mins(1);

async fn open(folder: &TempDir, clock: &Clock) -> Redis {
    let options = Options {
        config: Config::default(),
        folder: folder.path().to_owned(),
        password: "secret".to_owned().into(),
        clock: clock.clone(),
        random: Random::seeded(1),
    };
    Redis::open(options).await.unwrap()
}

async fn with_keys<F: Future<Output = ()>>(test: impl FnOnce(Keys, Clock) -> F) {
    let folder = TempDir::new().unwrap();
    let clock = Clock::manual(START_MS);
    let redis = open(&folder, &clock).await;
    test(redis.database(0), clock).await;
    redis.close().await;
}

#[tokio::test]
async fn values_of_all_types_are_kept() {
    with_keys(async |keys, _| {
        keys.set(b"a", b"1", None).await.unwrap();
        assert_eq!(keys.increment(b"a", 2).await.unwrap(), 3);
        assert_eq!(keys.get(b"a").await.unwrap().unwrap(), "3");
        keys.hash_set(b"h", b"f", b"v").await.unwrap();
        assert_eq!(keys.hash_get(b"h", b"f").await.unwrap().unwrap(), "v");
        assert_eq!(keys.list_push(b"l", b"x").await.unwrap(), 1);
        assert_eq!(keys.list_pop(b"l").await.unwrap().unwrap(), "x");
        assert_eq!(keys.list_pop(b"l").await.unwrap(), None);
        assert!(keys.set_add(b"s", b"m").await.unwrap());
        assert!(keys.set_contains(b"s", b"m").await.unwrap());
        keys.sorted_add(b"z", 2.0, b"two").await.unwrap();
        keys.sorted_add(b"z", 1.0, b"one").await.unwrap();
        assert_eq!(keys.sorted_first(b"z", 5).await.unwrap(), ["one", "two"]);
        assert!(keys.remove(b"z").await.unwrap());
        let refused = keys.increment(b"h", 1).await.unwrap_err();
        assert!(refused.to_string().starts_with("WRONGTYPE"), "{refused}");
    })
    .await;
}

#[tokio::test]
async fn a_value_is_set_only_if_it_is_the_expected_one() {
    with_keys(async |keys, _| {
        assert!(keys.compare_and_set(b"a", None, b"1").await.unwrap());
        assert!(!keys.compare_and_set(b"a", None, b"2").await.unwrap());
        assert!(!keys.compare_and_set(b"a", Some(b"2"), b"3").await.unwrap());
        assert!(keys.compare_and_set(b"a", Some(b"1"), b"2").await.unwrap());
        assert_eq!(keys.get(b"a").await.unwrap().unwrap(), "2");
    })
    .await;
}

#[tokio::test]
async fn a_lock_has_one_holder_and_its_tokens_grow() {
    with_keys(async |keys, clock| {
        let first = keys.lock(b"l", MINUTE).await.unwrap().unwrap();
        assert!(keys.lock(b"l", MINUTE).await.unwrap().is_none());
        assert!(first.extend(MINUTE * 2).await.unwrap());
        clock.advance(MINUTE * 3);
        let second = keys.lock(b"l", MINUTE).await.unwrap().unwrap();
        assert!(second.token > first.token);
        assert!(!first.extend(MINUTE).await.unwrap(), "its time was over");
        assert!(!first.release().await.unwrap(), "it is another's");
        assert!(second.release().await.unwrap());
        assert!(keys.lock(b"l", MINUTE).await.unwrap().is_some());
    })
    .await;
}

#[tokio::test]
async fn messages_reach_those_who_listen() {
    with_keys(async |keys, _| {
        assert_eq!(keys.publish(b"news", b"nobody"), 0);
        let mut subscription = keys.subscribe(&[b"news"]);
        assert_eq!(keys.publish(b"news", b"hello"), 1);
        let (channel, message) = subscription.next().await.unwrap();
        assert_eq!((&channel[..], &message[..]), (&b"news"[..], &b"hello"[..]));
        drop(subscription);
        assert_eq!(keys.publish(b"news", b"nobody"), 0);
    })
    .await;
}

#[tokio::test]
async fn the_durable_database_outlives_a_restart_and_the_cache_is_bounded() {
    let folder = TempDir::new().unwrap();
    let clock = Clock::manual(START_MS);
    let redis = open(&folder, &clock).await;
    redis
        .database(0)
        .set(b"kept", b"1", Some(MINUTE))
        .await
        .unwrap();
    redis
        .database(0)
        .set(b"short", b"1", Some(MINUTE / 2))
        .await
        .unwrap();
    redis.close().await;
    assert!(
        redis.database(0).get(b"kept").await.is_err(),
        "it is closed"
    );
    clock.advance(MINUTE / 2);
    let redis = open(&folder, &clock).await;
    assert!(redis.database(0).get(b"kept").await.unwrap().is_some());
    assert!(redis.database(0).get(b"short").await.unwrap().is_none());
    clock.advance(MINUTE);
    assert!(redis.database(0).get(b"kept").await.unwrap().is_none());
    redis.close().await;
}
