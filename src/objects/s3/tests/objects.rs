//! Puts, gets, conditions, ranges, checksums and signatures.

use axum::body::Body;
use http::{Method, Request};

use super::{Payload, Signer, Storage, signer};
use crate::checksums::{Algorithm, checksum};

fn body(bytes: usize) -> Vec<u8> {
    (0..bytes)
        .map(|index| u8::try_from(index % 251).unwrap())
        .collect()
}

#[tokio::test]
async fn objects_of_every_size_come_back_as_they_were_put() {
    let storage = Storage::new().await;
    let sizes = [
        0,
        1,
        16 * 1024,
        16 * 1024 + 1,
        256 * 1024,
        1024 * 1024,
        1024 * 1024 + 1,
        3_000_000,
    ];
    for size in sizes {
        let bytes = body(size);
        let put = storage.put("/inbox/a", bytes.clone()).await;
        assert_eq!(put.outcome(), "200", "{size}");
        let got = storage.get("/inbox/a").await;
        assert_eq!(got.outcome(), "200", "{size}");
        assert_eq!(got.header("content-length"), size.to_string());
        assert_eq!(got.header("etag"), put.header("etag"));
        assert!(got.body == bytes, "{size}");
    }
}

#[tokio::test]
async fn ranges_are_cut_out_of_verified_chunks() {
    let storage = Storage::new().await;
    let bytes = body(700_000);
    storage.put("/inbox/large", bytes.clone()).await;
    for (range, first, last) in [
        ("bytes=0-0", 0, 0),
        ("bytes=262143-262144", 262_143, 262_144),
        ("bytes=699999-", 699_999, 699_999),
        ("bytes=-5", 699_995, 699_999),
        ("bytes=-9000000", 0, 699_999),
        ("bytes=10-9000000", 10, 699_999),
    ] {
        let headers = [("range", range)];
        let got = storage
            .call(Method::GET, "/inbox/large", &headers, "")
            .await;
        assert_eq!(got.outcome(), "206", "{range}");
        assert_eq!(
            got.header("content-range"),
            format!("bytes {first}-{last}/700000"),
            "{range}"
        );
        assert!(got.body == bytes[first..=last], "{range}");
    }
    for range in ["bytes=700000-", "bytes=-0"] {
        let headers = [("range", range)];
        let got = storage
            .call(Method::GET, "/inbox/large", &headers, "")
            .await;
        assert_eq!(got.outcome(), "416 InvalidRange", "{range}");
        assert_eq!(got.header("content-range"), "bytes */700000");
    }
}

#[tokio::test]
async fn headers_and_metadata_are_kept() {
    let storage = Storage::new().await;
    let headers = [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "max-age=5"),
        ("content-disposition", "inline"),
        ("content-language", "en"),
        ("content-encoding", "gzip"),
        ("expires", "Mon, 23 Nov 2026 00:00:00 GMT"),
        ("x-amz-meta-author", "somebody"),
    ];
    storage
        .call(Method::PUT, "/inbox/page", &headers, "<p>")
        .await;
    for method in [Method::GET, Method::HEAD] {
        let got = storage.call(method.clone(), "/inbox/page", &[], "").await;
        for (name, value) in headers {
            assert_eq!(got.header(name), value, "{method} {name}");
        }
        assert_eq!(got.header("content-length"), "3");
        assert_eq!(got.body.is_empty(), method == Method::HEAD);
    }
    let target = "/inbox/page?response-content-type=text%2Fplain";
    assert_eq!(
        storage.get(target).await.header("content-type"),
        "text/plain"
    );
    assert_eq!(storage.head_outcome("/inbox/none").await, "404");
}

#[tokio::test]
async fn reads_are_conditional() {
    let storage = Storage::new().await;
    let etag = storage.put("/inbox/a", "x").await.header("etag").to_owned();
    let past = "Mon, 23 Nov 2020 00:00:00 GMT";
    let future = "Mon, 23 Nov 2099 00:00:00 GMT";
    for (headers, expected) in [
        (vec![("if-match", etag.as_str())], "200"),
        (vec![("if-match", "\"other\"")], "412 PreconditionFailed"),
        (vec![("if-none-match", etag.as_str())], "304"),
        (vec![("if-none-match", "*")], "304"),
        (vec![("if-none-match", "\"other\"")], "200"),
        (vec![("if-modified-since", past)], "200"),
        (vec![("if-modified-since", future)], "304"),
        (
            vec![("if-unmodified-since", past)],
            "412 PreconditionFailed",
        ),
        (vec![("if-unmodified-since", future)], "200"),
        (
            vec![("if-match", etag.as_str()), ("if-unmodified-since", past)],
            "200",
        ),
        (
            vec![
                ("if-none-match", "\"other\""),
                ("if-modified-since", future),
            ],
            "200",
        ),
    ] {
        let got = storage.call(Method::GET, "/inbox/a", &headers, "").await;
        assert_eq!(got.outcome(), expected, "{headers:?}");
        assert_eq!(
            got.header("etag").is_empty(),
            expected.starts_with("412"),
            "{headers:?}"
        );
    }
}

#[tokio::test]
async fn writes_are_conditional() {
    let storage = Storage::new().await;
    let etag = storage.put("/inbox/a", "x").await.header("etag").to_owned();
    for (method, target, header, expected) in [
        (
            Method::PUT,
            "/inbox/a",
            ("if-none-match", "*"),
            "412 PreconditionFailed",
        ),
        (
            Method::PUT,
            "/inbox/a",
            ("if-match", "\"other\""),
            "412 PreconditionFailed",
        ),
        (
            Method::PUT,
            "/inbox/none",
            ("if-match", etag.as_str()),
            "404 NoSuchKey",
        ),
        (
            Method::DELETE,
            "/inbox/a",
            ("if-match", "\"other\""),
            "412 PreconditionFailed",
        ),
        (Method::PUT, "/inbox/a", ("if-match", etag.as_str()), "200"),
        (Method::PUT, "/inbox/b", ("if-none-match", "*"), "200"),
        (
            Method::PUT,
            "/inbox/b",
            ("if-none-match", "\"x\""),
            "501 NotImplemented",
        ),
        (
            Method::DELETE,
            "/inbox/a",
            ("if-match", etag.as_str()),
            "204",
        ),
    ] {
        let answer = storage.call(method.clone(), target, &[header], "x").await;
        assert_eq!(answer.outcome(), expected, "{method} {target} {header:?}");
    }
}

#[tokio::test]
async fn of_parallel_puts_if_absent_exactly_one_wins() {
    let storage = Storage::new().await;
    let puts = (0..12_u8).map(|index| {
        let body = vec![index; 20_000];
        let storage = &storage;
        async move {
            storage
                .call(Method::PUT, "/inbox/once", &[("if-none-match", "*")], body)
                .await
                .outcome()
        }
    });
    let outcomes = futures_util::future::join_all(puts).await;
    assert_eq!(
        outcomes.iter().filter(|outcome| *outcome == "200").count(),
        1,
        "{outcomes:?}"
    );
    let lost = outcomes
        .iter()
        .filter(|outcome| *outcome == "412 PreconditionFailed")
        .count();
    assert_eq!(lost, 11);
    assert_eq!(storage.files().len(), 1, "the losers' bytes are gone");
}

#[tokio::test]
async fn digests_are_verified_and_a_wrong_one_changes_nothing() {
    let storage = Storage::new().await;
    storage.put("/inbox/a", "old").await;
    let crc = checksum(Algorithm::Crc32, b"new");
    let sha = checksum(Algorithm::Sha256, b"new");
    for (name, value, expected) in [
        ("content-md5", "rL0Y20zC+Fzt72VPzMSk2A==", "400 BadDigest"),
        ("content-md5", "nonsense", "400 InvalidDigest"),
        ("x-amz-checksum-crc32", "AAAAAA==", "400 BadDigest"),
        ("x-amz-checksum-crc32", "short", "400 InvalidRequest"),
        ("x-amz-checksum-sha256", crc.as_str(), "400 InvalidRequest"),
    ] {
        let put = storage
            .call(Method::PUT, "/inbox/a", &[(name, value)], "new")
            .await;
        assert_eq!(put.outcome(), expected, "{name}: {value}");
        assert_eq!(storage.get("/inbox/a").await.text(), "old");
    }
    for (name, value) in [
        ("x-amz-checksum-crc32", &crc),
        ("x-amz-checksum-sha256", &sha),
    ] {
        let put = storage
            .call(Method::PUT, "/inbox/a", &[(name, value)], "new")
            .await;
        assert_eq!(
            (put.outcome().as_str(), put.header(name)),
            ("200", value.as_str())
        );
        let headers = [("x-amz-checksum-mode", "ENABLED")];
        let got = storage.call(Method::HEAD, "/inbox/a", &headers, "").await;
        assert_eq!(got.header(name), value);
        assert_eq!(got.header("x-amz-checksum-type"), "FULL_OBJECT");
    }
}

#[tokio::test]
async fn bodies_in_chunks_are_verified() {
    let storage = Storage::new().await;
    let bytes = body(200_000);
    let crc = checksum(Algorithm::Crc32, &bytes);
    let signer = Signer::default();
    let chunked = |payload: Payload| signer.sign(Method::PUT, "/inbox/c", &[], &payload);
    for payload in [
        Payload::Chunked(bytes.clone(), 65_536),
        Payload::Trailer(bytes.clone(), crc.clone()),
    ] {
        let put = storage.send(chunked(payload)).await;
        assert_eq!(put.outcome(), "200", "{}", put.text());
        let got = storage.get("/inbox/c").await;
        assert!(got.body == bytes);
        assert_eq!(got.header("content-encoding"), "");
    }
    let wrong = Payload::Trailer(body(5_000), crc);
    assert_eq!(
        storage.send(chunked(wrong)).await.outcome(),
        "400 BadDigest"
    );
    let (parts, framed) = chunked(Payload::Chunked(bytes.clone(), 65_536)).into_parts();
    let mut framed = axum::body::to_bytes(framed, usize::MAX)
        .await
        .unwrap()
        .to_vec();
    framed[70_000] ^= 1;
    let put = storage
        .send(Request::from_parts(parts, Body::from(framed)))
        .await;
    assert_eq!(put.outcome(), "403 SignatureDoesNotMatch");
    assert!(
        storage.get("/inbox/c").await.body == bytes,
        "nothing was replaced"
    );
    assert_eq!(
        storage.files().len(),
        2,
        "the present blob and the one before it"
    );
}

#[tokio::test]
async fn signatures_are_verified() {
    let storage = Storage::new().await;
    storage.put("/inbox/a", "x").await;
    let sign =
        |signer: &Signer| signer.sign(Method::GET, "/inbox/a", &[], &Payload::Hashed(Vec::new()));
    let ours = Signer::default;
    let old = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(20);
    let old = old.strftime("%Y%m%dT%H%M%SZ").to_string();
    for (signer, expected) in [
        (ours(), "200"),
        (
            Signer {
                secret_key: "wrong".to_owned(),
                ..ours()
            },
            "403 SignatureDoesNotMatch",
        ),
        (
            Signer {
                access_key: "nobody".to_owned(),
                ..ours()
            },
            "403 InvalidAccessKeyId",
        ),
        (
            Signer {
                region: "US".to_owned(),
                ..ours()
            },
            "400 AuthorizationHeaderMalformed",
        ),
        (
            Signer {
                date: old,
                ..ours()
            },
            "403 RequestTimeTooSkewed",
        ),
    ] {
        let answer = storage.send(sign(&signer)).await;
        assert_eq!(answer.outcome(), expected, "{}", answer.text());
        if expected != "200" {
            assert_eq!(answer.element("Resource").as_deref(), Some("/inbox/a"));
            let id = answer.header("x-amz-request-id").to_owned();
            assert_eq!(answer.element("RequestId"), Some(id));
        }
        if expected.starts_with("400") {
            assert_eq!(answer.element("Region").as_deref(), Some("us-east-1"));
        }
    }
    let anonymous = Request::get("/inbox/a")
        .header("host", "x")
        .body(Body::empty())
        .unwrap();
    assert_eq!(storage.send(anonymous).await.outcome(), "403 AccessDenied");
    let mut wrong_body = ours().sign(
        Method::PUT,
        "/inbox/a",
        &[],
        &Payload::Hashed(b"y".to_vec()),
    );
    *wrong_body.body_mut() = Body::from("z");
    assert_eq!(
        storage.send(wrong_body).await.outcome(),
        "400 XAmzContentSHA256Mismatch"
    );
    assert_eq!(storage.get("/inbox/a").await.text(), "x");
}

#[tokio::test]
async fn headers_that_nobody_signed_do_not_turn_a_presigned_put_into_a_copy() {
    let storage = Storage::new().await;
    storage.put("/inbox/secret", "secret").await;
    let put = Signer::default().presign(&Method::PUT, "/inbox/p", 600);
    for (name, value) in [
        ("x-amz-copy-source", "/inbox/secret"),
        ("X-Amz-Meta-Owner", "somebody"),
    ] {
        let request = Request::put(&put)
            .header("host", Signer::default().host)
            .header(name, value)
            .body(Body::empty())
            .unwrap();
        let refused = storage.send(request).await;
        assert_eq!(refused.outcome(), "403 AccessDenied", "{name}");
        assert!(refused.text().contains("not signed"), "{}", refused.text());
    }
    assert_eq!(storage.get("/inbox/p").await.outcome(), "404 NoSuchKey");
}

#[tokio::test]
async fn presigned_urls_work_until_they_expire() {
    let storage = Storage::new().await;
    let signer = Signer::default();
    let send = |method: Method, target: String, body: &'static str| {
        let request = Request::builder().method(method).uri(target);
        let request = request.header("host", "minio.example.org");
        let request = request.header("content-length", body.len());
        storage.send(request.body(Body::from(body)).unwrap())
    };
    let put = signer.presign(&Method::PUT, "/inbox/p", 600);
    assert_eq!(
        send(Method::PUT, put.clone(), "hello").await.outcome(),
        "200"
    );
    let get = signer.presign(&Method::GET, "/inbox/p", 604_800);
    assert_eq!(send(Method::GET, get, "").await.text(), "hello");
    let other = send(Method::GET, put, "").await;
    assert_eq!(other.outcome(), "403 SignatureDoesNotMatch");
    let long = signer.presign(&Method::GET, "/inbox/p", 604_801);
    let long = send(Method::GET, long, "").await;
    assert_eq!(long.outcome(), "400 AuthorizationQueryParametersError");
    let past = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(5);
    let date = past.strftime("%Y%m%dT%H%M%SZ").to_string();
    let expired = Signer {
        date,
        ..Signer::default()
    }
    .presign(&Method::GET, "/inbox/p", 60);
    assert_eq!(
        send(Method::GET, expired, "").await.outcome(),
        "403 AccessDenied"
    );
}

#[tokio::test]
async fn buckets_are_addressed_by_path_and_by_host() {
    let storage = Storage::new().await;
    storage.put("/inbox/a", "x").await;
    for (host, target, expected) in [
        ("inbox.minio.example.org", "/a", "200"),
        ("inbox.minio.example.org:9000", "/a", "200"),
        ("minio.example.org", "/inbox/a", "200"),
        ("localhost:9000", "/inbox/a", "200"),
        ("127.0.0.1:9000", "/inbox/a", "200"),
        ("anything.else", "/inbox/a", "200"),
        ("none.minio.example.org", "/a", "404 NoSuchBucket"),
    ] {
        let signer = Signer {
            host: host.to_owned(),
            ..Signer::default()
        };
        let request = signer.sign(Method::GET, target, &[], &Payload::Hashed(Vec::new()));
        assert_eq!(storage.send(request).await.outcome(), expected, "{host}");
    }
}

#[tokio::test]
async fn copies_share_bytes_and_outlive_their_source() {
    let storage = Storage::new().await;
    let bytes = body(100_000);
    storage
        .call(
            Method::PUT,
            "/inbox/a",
            &[("x-amz-meta-a", "1")],
            bytes.clone(),
        )
        .await;
    let source = [("x-amz-copy-source", "/inbox/a")];
    let copied = storage.call(Method::PUT, "/inbox/b", &source, "").await;
    assert_eq!(copied.outcome(), "200", "{}", copied.text());
    assert_eq!(storage.files().len(), 1);
    storage.delete("/inbox/a").await;
    storage.objects.sweep_garbage().await.unwrap();
    let got = storage.get("/inbox/b").await;
    assert!(got.body == bytes);
    assert_eq!(got.header("x-amz-meta-a"), "1");
    let onto_itself = [("x-amz-copy-source", "/inbox/b")];
    let answer = storage
        .call(Method::PUT, "/inbox/b", &onto_itself, "")
        .await;
    assert_eq!(answer.outcome(), "400 InvalidRequest");
    let replaced = [
        ("x-amz-copy-source", "/inbox/b"),
        ("x-amz-metadata-directive", "REPLACE"),
        ("x-amz-meta-b", "2"),
    ];
    assert_eq!(
        storage
            .call(Method::PUT, "/inbox/b", &replaced, "")
            .await
            .outcome(),
        "200"
    );
    let got = storage.get("/inbox/b").await;
    assert_eq!(
        (got.header("x-amz-meta-a"), got.header("x-amz-meta-b")),
        ("", "2")
    );
    assert!(got.body == bytes);
}

#[tokio::test]
async fn what_is_not_configured_says_so_as_s3_does() {
    let storage = Storage::new().await;
    for (query, expected) in [
        ("policy", "404 NoSuchBucketPolicy"),
        ("tagging", "404 NoSuchTagSet"),
        ("cors", "404 NoSuchCORSConfiguration"),
        ("lifecycle", "404 NoSuchLifecycleConfiguration"),
        (
            "encryption",
            "404 ServerSideEncryptionConfigurationNotFoundError",
        ),
        ("object-lock", "404 ObjectLockConfigurationNotFoundError"),
        ("website", "404 NoSuchWebsiteConfiguration"),
        (
            "publicAccessBlock",
            "404 NoSuchPublicAccessBlockConfiguration",
        ),
        ("ownershipControls", "404 OwnershipControlsNotFoundError"),
        ("replication", "404 ReplicationConfigurationNotFoundError"),
        ("versioning", "200"),
        ("acl", "200"),
        ("location", "200"),
        ("versions", "200"),
        ("uploads", "200"),
        ("notification", "200"),
        ("requestPayment", "200"),
    ] {
        let answer = storage.get(&format!("/inbox?{query}")).await;
        assert_eq!(answer.outcome(), expected, "{query}");
        let missing = storage.get(&format!("/nowhere?{query}")).await;
        assert_eq!(missing.outcome(), "404 NoSuchBucket", "{query}");
    }
}

#[tokio::test]
async fn health_paths_answer_as_minio_did() {
    let storage = Storage::new().await;
    for path in ["live", "ready", "cluster"] {
        let uri = format!("/minio/health/{path}");
        let answer = storage
            .send(Request::get(uri).body(Body::empty()).unwrap())
            .await;
        assert_eq!(
            (answer.outcome().as_str(), answer.body.len()),
            ("200", 0),
            "{path}"
        );
    }
    assert_eq!(signer::sha256(b"").len(), 64);
}

impl Storage {
    async fn head_outcome(&self, target: &str) -> String {
        self.call(Method::HEAD, target, &[], "").await.outcome()
    }
}
