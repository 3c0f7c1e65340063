//! A full disk: writes are refused with the protocol's own error, nothing acknowledged is lost, and
//! work goes on when there is space again.

use object_store::{ObjectStoreExt as _, PutPayload, path::Path};

use crate::harness::{TestApp, create_admin};

#[tokio::test(flavor = "multi_thread")]
async fn a_full_database_refuses_writes_and_keeps_what_it_has() {
    let app = TestApp::start_with(|config, _| {
        config.database.max_bytes = 6 * 1024 * 1024;
        // Everything goes into the metadata file, so that it is the one that fills.
        config.objects.inline_bytes = 512 * 1024;
    })
    .await;
    create_admin(&app.folder.path().join("data"));
    app.importer.import("content").await.unwrap();
    let s3 = app.client.s3("inbox");
    let (mut stored, mut refusal) = (Vec::new(), None);
    for number in 0..64 {
        let key = Path::from(format!("part-{number}.bin"));
        match s3
            .put(&key, PutPayload::from(vec![number; 256 * 1024]))
            .await
        {
            Ok(_) => stored.push((key, number)),
            Err(error) => {
                refusal = Some(error.to_string());
                break;
            }
        }
    }
    let refusal = refusal.expect("the file is bounded, so it fills");
    assert!(
        refusal.contains("XMinioStorageFull") || refusal.contains("507"),
        "{refusal}"
    );
    assert!(!stored.is_empty());
    for (key, number) in &stored {
        let bytes = s3.get(key).await.unwrap().bytes().await.unwrap();
        assert_eq!(
            bytes,
            vec![*number; 256 * 1024],
            "{key} is as it was acknowledged"
        );
    }
    // Deleting makes room again, without a restart.
    for (key, _) in stored.drain(..) {
        s3.delete(&key).await.unwrap();
    }
    let again = Path::from("again.bin");
    crate::harness::eventually("there is room again", || async {
        s3.put(&again, PutPayload::from(vec![1_u8; 256 * 1024]))
            .await
            .is_ok()
    })
    .await;
    assert_eq!(
        app.client
            .get("api.localhost", "/health")
            .await
            .unwrap()
            .status,
        200
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_blob_disk_keeps_the_old_object() {
    let fault = mito_objects::BlobFault::default();
    let app =
        TestApp::start_with(|_, environment| environment.blob_fault = Some(fault.clone())).await;
    app.importer.import("content").await.unwrap();
    let (s3, key) = (app.client.s3("inbox"), Path::from("report.bin"));
    s3.put(&key, PutPayload::from(vec![1_u8; 300_000]))
        .await
        .unwrap();

    fault.fail(std::io::ErrorKind::StorageFull);
    let refused = s3.put(&key, PutPayload::from(vec![2_u8; 300_000])).await;
    assert!(
        refused.is_err(),
        "an object that is not on disk is not acknowledged"
    );
    let old = s3.get(&key).await.unwrap().bytes().await.unwrap();
    assert_eq!(old, vec![1_u8; 300_000], "the old object is whole");

    fault.clear();
    s3.put(&key, PutPayload::from(vec![3_u8; 300_000]))
        .await
        .unwrap();
    assert_eq!(
        s3.get(&key).await.unwrap().bytes().await.unwrap(),
        vec![3_u8; 300_000]
    );
    app.stop().await;
}
