//! Multipart uploads.

use http::Method;

use super::Storage;

const PART: usize = 5 * 1024 * 1024;

async fn create(storage: &Storage, key: &str) -> String {
    let headers = [("x-amz-meta-a", "1"), ("content-type", "text/plain")];
    let target = format!("/inbox/{key}?uploads");
    let answer = storage.call(Method::POST, &target, &headers, "").await;
    answer.element("UploadId").unwrap()
}

fn complete(parts: &[(u32, &str)]) -> String {
    let parts: Vec<String> = parts
        .iter()
        .map(|(number, etag)| {
            format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>")
        })
        .collect();
    format!(
        "<CompleteMultipartUpload>{}</CompleteMultipartUpload>",
        parts.concat()
    )
}

#[tokio::test]
async fn parts_become_one_object() {
    let storage = Storage::new().await;
    let id = create(&storage, "m").await;
    let (first, last) = (vec![1; PART], vec![2; 100]);
    let mut etags = Vec::new();
    for (number, bytes) in [(1, &first), (3, &last)] {
        let target = format!("/inbox/m?partNumber={number}&uploadId={id}");
        let put = storage.put(&target, bytes.clone()).await;
        assert_eq!(put.outcome(), "200", "{}", put.text());
        etags.push(put.header("etag").to_owned());
    }
    let listed = storage
        .get(&format!("/inbox/m?uploadId={id}&max-parts=1"))
        .await;
    assert_eq!(listed.elements("PartNumber"), ["1"]);
    assert_eq!(listed.element("NextPartNumberMarker").as_deref(), Some("1"));
    assert_eq!(
        storage.get("/inbox?uploads").await.elements("UploadId"),
        [id.as_str()]
    );
    assert_eq!(storage.get("/inbox/m").await.outcome(), "404 NoSuchKey");
    assert_eq!(
        storage.delete("/inbox").await.outcome(),
        "409 BucketNotEmpty"
    );

    let target = format!("/inbox/m?uploadId={id}");
    let body = complete(&[(1, &etags[0]), (3, &etags[1])]);
    let done = storage.call(Method::POST, &target, &[], body.clone()).await;
    assert_eq!(done.outcome(), "200", "{}", done.text());
    let got = storage.get("/inbox/m").await;
    assert!(got.body == [first, last].concat());
    assert!(
        got.header("etag").ends_with("-2\""),
        "{}",
        got.header("etag")
    );
    assert_eq!(
        (got.header("x-amz-meta-a"), got.header("content-type")),
        ("1", "text/plain")
    );
    let range = format!("bytes={}-{}", PART - 2, PART + 1);
    let got = storage
        .call(Method::GET, "/inbox/m", &[("range", &range)], "")
        .await;
    assert_eq!(got.body, [1, 1, 2, 2]);
    let again = storage.call(Method::POST, &target, &[], body).await;
    assert_eq!(again.outcome(), "404 NoSuchUpload");
}

#[tokio::test]
async fn bad_completions_are_refused_and_aborts_leave_nothing() {
    let storage = Storage::new().await;
    let id = create(&storage, "m").await;
    let mut etags = Vec::new();
    for (number, size) in [(1, 20_000), (2, 20_000)] {
        let target = format!("/inbox/m?partNumber={number}&uploadId={id}");
        etags.push(
            storage
                .put(&target, vec![number; size])
                .await
                .header("etag")
                .to_owned(),
        );
    }
    let (a, b) = (etags[0].as_str(), etags[1].as_str());
    let target = format!("/inbox/m?uploadId={id}");
    for (body, expected) in [
        (complete(&[(1, a), (2, b)]), "400 EntityTooSmall"),
        (complete(&[(2, b), (1, a)]), "400 InvalidPartOrder"),
        (complete(&[(1, b)]), "400 InvalidPart"),
        (complete(&[(7, a)]), "400 InvalidPart"),
        (complete(&[]), "400 MalformedXML"),
        (complete(&[(0, a)]), "400 InvalidArgument"),
    ] {
        let answer = storage.call(Method::POST, &target, &[], body.clone()).await;
        assert_eq!(answer.outcome(), expected, "{body}: {}", answer.text());
    }
    for (target, expected) in [
        (
            format!("/inbox/m?partNumber=0&uploadId={id}"),
            "400 InvalidArgument",
        ),
        (
            format!("/inbox/m?partNumber=10001&uploadId={id}"),
            "400 InvalidArgument",
        ),
        (
            "/inbox/m?partNumber=1&uploadId=none".to_owned(),
            "404 NoSuchUpload",
        ),
        (
            format!("/inbox/other?partNumber=1&uploadId={id}"),
            "404 NoSuchUpload",
        ),
    ] {
        assert_eq!(
            storage.put(&target, "x").await.outcome(),
            expected,
            "{target}"
        );
    }
    assert_eq!(storage.delete(&target).await.outcome(), "204");
    assert_eq!(storage.delete(&target).await.outcome(), "404 NoSuchUpload");
    assert_eq!(storage.delete("/inbox").await.outcome(), "204");
}
