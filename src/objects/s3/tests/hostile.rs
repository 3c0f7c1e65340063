//! What must not hurt: hostile keys, full and dying disks, damaged bytes, too much of everything.

use std::{io, time::Duration};

use axum::body::Body;
use bytes::Bytes;
use http::{Method, Request};
use mito_core::Shutdown;

use super::{Payload, Signer, Storage, signer::encode};
use crate::{Config, Error, Put};

#[tokio::test]
async fn every_key_is_an_object_of_its_own_inside_the_bucket() {
    let storage = Storage::new().await;
    let long = "k".repeat(1024);
    let keys = [
        "../../etc/x",
        "..",
        "./x",
        "a",
        "a/b",
        "dir",
        "dir/",
        "//x",
        "a//b",
        " trailing ",
        "line\nbreak",
        "\u{1}",
        "e\u{301}",
        "é",
        "%2e%2e",
        long.as_str(),
        &"s".repeat(300),
    ];
    let target = |key: &str| encode(&format!("/inbox/{key}"));
    for key in keys {
        let body = format!("body of {key}");
        assert_eq!(
            storage.put(&target(key), body).await.outcome(),
            "200",
            "{key:?}"
        );
    }
    storage.put("/inbox/large", vec![0; 20_000]).await;
    for file in storage.files() {
        let name = file.file_name().unwrap().to_str().unwrap();
        assert!(
            name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{name}"
        );
    }
    assert_eq!(storage.delete(&target("a")).await.outcome(), "204");
    for key in keys.into_iter().filter(|key| *key != "a") {
        let got = storage.get(&target(key)).await;
        assert_eq!(got.text(), format!("body of {key}"), "{key:?}");
    }
}

#[tokio::test]
async fn keys_and_metadata_that_s3_forbids_are_refused() {
    let storage = Storage::new().await;
    for (target, expected) in [
        (
            format!("/inbox/{}", "k".repeat(1025)),
            "400 KeyTooLongError",
        ),
        ("/inbox/a%00b".to_owned(), "400 InvalidURI"),
        ("/inbox/%ff".to_owned(), "400 InvalidURI"),
    ] {
        assert_eq!(
            storage.put(&target, "x").await.outcome(),
            expected,
            "{target}"
        );
    }
    let large = "m".repeat(2_048);
    let headers = [("x-amz-meta-m", large.as_str())];
    let put = storage.call(Method::PUT, "/inbox/a", &headers, "x").await;
    assert_eq!(put.outcome(), "400 MetadataTooLarge");
    let sse = [("x-amz-server-side-encryption", "AES256")];
    let put = storage.call(Method::PUT, "/inbox/a", &sse, "x").await;
    assert_eq!(put.outcome(), "501 NotImplemented");
}

#[tokio::test]
async fn what_is_too_large_is_refused_by_its_head_or_on_the_way() {
    let config = Config {
        max_object_bytes: 3_000_000,
        ..Config::default()
    };
    let storage = Storage::with(config).await;
    storage.put("/inbox/a", "old").await;
    let signed =
        Signer::default().sign(Method::PUT, "/inbox/a", &[], &Payload::Unsigned(Vec::new()));
    let (mut parts, _) = signed.into_parts();
    parts.headers.insert("content-length", (3_u64 << 30).into());
    let never_read =
        futures_util::stream::poll_fn(|_| -> std::task::Poll<Option<io::Result<Bytes>>> {
            panic!("the body was read")
        });
    let refused = storage
        .send(Request::from_parts(parts, Body::from_stream(never_read)))
        .await;
    assert_eq!(refused.outcome(), "400 EntityTooLarge");

    let endless = futures_util::stream::repeat_with(|| Ok(Bytes::from(vec![0; 100_000])));
    let put = storage
        .objects
        .put("inbox", "a", Put::default(), Box::pin(endless))
        .await;
    assert!(matches!(put, Err(Error::TooLarge(3_000_000))), "{put:?}");
    assert_eq!(storage.get("/inbox/a").await.text(), "old");
    assert_eq!(storage.files().len(), 0);
}

#[tokio::test]
async fn bodies_that_stop_early_leave_the_old_object_and_no_file() {
    let storage = Storage::new().await;
    storage.put("/inbox/a", "old").await;
    let signed =
        Signer::default().sign(Method::PUT, "/inbox/a", &[], &Payload::Unsigned(Vec::new()));
    let (mut parts, _) = signed.into_parts();
    parts.headers.insert("content-length", 3_000_000_u64.into());
    let short = Body::from_stream(futures_util::stream::iter([
        Ok(Bytes::from(vec![0; 2_000_000])),
        Err(io::Error::from(io::ErrorKind::ConnectionReset)),
    ]));
    let answer = storage.send(Request::from_parts(parts, short)).await;
    assert_eq!(answer.outcome(), "400 IncompleteBody");
    for length in [5, 7] {
        let options = Put {
            length: Some(length),
            ..Put::default()
        };
        let body = futures_util::stream::iter([Ok(Bytes::from_static(b"sixsix"))]);
        let put = storage
            .objects
            .put("inbox", "a", options, Box::pin(body))
            .await;
        assert!(
            matches!(put, Err(Error::IncompleteBody)),
            "{length}: {put:?}"
        );
    }
    assert_eq!(storage.get("/inbox/a").await.text(), "old");
    assert_eq!(storage.files().len(), 0);
}

#[tokio::test]
async fn a_failing_disk_leaves_the_old_object_and_no_file() {
    let storage = Storage::new().await;
    let old = vec![7; 2_000_000];
    storage.put("/inbox/a", old.clone()).await;
    for (writes, kind, expected) in [
        (0, io::ErrorKind::StorageFull, "507 XMinioStorageFull"),
        (2, io::ErrorKind::StorageFull, "507 XMinioStorageFull"),
        (3, io::ErrorKind::StorageFull, "507 XMinioStorageFull"),
        (1, io::ErrorKind::Other, "500 InternalError"),
    ] {
        storage.fault.fail_after(writes, kind);
        let put = storage.put("/inbox/a", vec![8; 2_500_000]).await;
        assert_eq!(put.outcome(), expected, "after {writes} writes");
        assert!(storage.get("/inbox/a").await.body == old);
        assert_eq!(storage.files().len(), 1, "after {writes} writes");
    }
    assert_eq!(
        storage.delete("/inbox/a").await.outcome(),
        "204",
        "deletes still work"
    );
    storage.fault.clear();
    assert_eq!(storage.put("/inbox/a", old).await.outcome(), "200");
}

#[tokio::test]
async fn writes_stop_before_the_disk_is_full() {
    let config = Config {
        reserve_bytes: u64::MAX,
        ..Config::default()
    };
    let storage = Storage::with(config).await;
    assert_eq!(
        storage.put("/inbox/a", "x").await.outcome(),
        "507 XMinioStorageFull"
    );
    assert_eq!(storage.delete("/inbox/a").await.outcome(), "204");
    assert_eq!(storage.get("/inbox?list-type=2").await.outcome(), "200");
}

#[tokio::test]
async fn damaged_bytes_are_never_served() {
    let storage = Storage::new().await;
    let bytes = vec![5; 600_000];
    for (key, at) in [("first", 10), ("last", 599_999)] {
        let before = storage.files();
        storage.put(&format!("/inbox/{key}"), bytes.clone()).await;
        let file = storage
            .files()
            .into_iter()
            .find(|file| !before.contains(file))
            .unwrap();
        let mut content = std::fs::read(&file).unwrap();
        content[at] ^= 1;
        std::fs::write(&file, content).unwrap();
    }
    assert_eq!(
        storage.get("/inbox/first").await.outcome(),
        "500 InternalError"
    );
    let headers = [("range", "bytes=0-9")];
    let whole = storage.call(Method::GET, "/inbox/last", &headers, "").await;
    assert_eq!(whole.body, [5; 10]);
    let cut = storage.get("/inbox/last").await;
    assert!(cut.broken, "the stream ends with an error");
    assert!(cut.body.len() < 600_000 && cut.body.iter().all(|byte| *byte == 5));
    let again = storage.get("/inbox/last").await;
    assert_eq!(again.outcome(), "500 InternalError", "it is marked");
    assert_eq!(
        storage.put("/inbox/last", bytes.clone()).await.outcome(),
        "200"
    );
    assert!(storage.get("/inbox/last").await.body == bytes);
}

#[tokio::test]
async fn a_missing_file_is_damage_and_not_a_missing_key() {
    let storage = Storage::new().await;
    storage.put("/inbox/a", vec![1; 20_000]).await;
    std::fs::remove_file(&storage.files()[0]).unwrap();
    assert_eq!(storage.get("/inbox/a").await.outcome(), "500 InternalError");
}

#[tokio::test]
async fn the_sweep_removes_what_nobody_names_and_nothing_else() {
    let storage = Storage::new().await;
    storage.put("/inbox/kept", vec![1; 20_000]).await;
    let kept = storage.files().remove(0);
    let folder = kept.parent().unwrap();
    let kept_name = kept.file_name().unwrap().to_str().unwrap().to_owned();
    let old = std::time::SystemTime::now() - Duration::from_hours(2);
    let make = |name: &str, modified: Option<std::time::SystemTime>| {
        let path = folder.join(name);
        let file = std::fs::File::create(&path).unwrap();
        if let Some(modified) = modified {
            file.set_modified(modified).unwrap();
        }
        path
    };
    // A blob's folders are the first letters of its id.
    let name = |rest: &str| format!("{}{}", &kept_name[..4], rest.repeat(28));
    let orphan = make(&name("0"), Some(old));
    let young = make(&name("1"), None);
    let staged = make(&format!("{}#1", name("2")), Some(old));
    std::fs::File::options()
        .append(true)
        .open(&kept)
        .unwrap()
        .set_modified(old)
        .unwrap();
    let removed = storage
        .objects
        .sweep_leftovers(&Shutdown::new())
        .await
        .unwrap();
    assert_eq!(removed, 1);
    let exist = [&orphan, &young, &staged, &kept].map(|path| path.exists());
    assert_eq!(exist, [false, true, false, true]);
    assert_eq!(storage.get("/inbox/kept").await.outcome(), "200");
}

#[tokio::test]
async fn forms_and_old_signatures_are_refused_without_reading_a_body() {
    let storage = Storage::new().await;
    let form = Request::post("/inbox")
        .header("content-type", "multipart/form-data; boundary=x")
        .body(Body::from_stream(futures_util::stream::repeat_with(|| {
            Ok::<_, io::Error>(Bytes::from(vec![0; 1_000_000]))
        })));
    assert_eq!(
        storage.send(form.unwrap()).await.outcome(),
        "501 NotImplemented"
    );
    let old = Request::get("/inbox/a")
        .header("authorization", "AWS mito:sig")
        .body(Body::empty());
    assert_eq!(
        storage.send(old.unwrap()).await.outcome(),
        "400 InvalidRequest"
    );
    let preflight = Request::options("/inbox/a")
        .header("origin", "http://x")
        .body(Body::empty());
    assert_eq!(
        storage.send(preflight.unwrap()).await.outcome(),
        "403 AccessForbidden"
    );
}

#[tokio::test]
async fn a_full_metadata_file_refuses_puts_and_keeps_what_it_has() {
    let database = mito_database::database::Config {
        max_bytes: 600_000,
        ..Default::default()
    };
    let storage = Storage::with_database(Config::default(), database).await;
    let mut stored = 0;
    let refused = loop {
        let put = storage
            .put(&format!("/inbox/{stored}"), vec![1; 15_000])
            .await;
        if put.outcome() != "200" {
            break put;
        }
        stored += 1;
        assert!(stored < 100, "the limit does not hold");
    };
    assert_eq!(refused.outcome(), "507 XMinioStorageFull");
    assert!(stored > 0);
    for index in 0..stored {
        assert_eq!(
            storage.get(&format!("/inbox/{index}")).await.body,
            [1; 15_000]
        );
    }
    let missing = storage.get(&format!("/inbox/{stored}")).await;
    assert_eq!(missing.outcome(), "404 NoSuchKey");
}

#[tokio::test]
async fn a_full_disk_is_no_reason_to_stop_serving() {
    let storage = Storage::new().await;
    storage.fault.fail(io::ErrorKind::StorageFull);
    storage.objects.ping().await.unwrap();
    storage.fault.fail(io::ErrorKind::Other);
    storage.objects.ping().await.unwrap_err();
    assert_eq!(storage.files().len(), 0);
}

#[tokio::test]
async fn too_many_requests_are_told_to_slow_down() {
    let mut storage = Storage::new().await;
    storage.service = crate::front::with_permits(storage.objects.clone(), 0);
    let answer = storage.get("/inbox/a").await;
    assert_eq!(answer.outcome(), "503 SlowDown");
    assert_eq!(answer.header("retry-after"), "1");
    let healthy = Request::get("/minio/health/live")
        .body(Body::empty())
        .unwrap();
    assert_eq!(storage.send(healthy).await.outcome(), "200");
}

#[tokio::test]
async fn a_permit_is_held_until_the_last_byte() {
    let mut storage = Storage::new().await;
    storage.put("/inbox/a", vec![1; 600_000]).await;
    storage.service = crate::front::with_permits(storage.objects.clone(), 1);
    let request =
        || Signer::default().sign(Method::GET, "/inbox/a", &[], &Payload::Hashed(Vec::new()));
    let mut service = storage.service.clone();
    let reading = tower::Service::call(&mut service, request()).await.unwrap();
    assert_eq!(reading.headers()["content-length"], "600000");
    assert_eq!(storage.send(request()).await.outcome(), "503 SlowDown");
    drop(reading);
    assert_eq!(storage.send(request()).await.outcome(), "200");
}
