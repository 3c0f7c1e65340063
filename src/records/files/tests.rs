//! Files on a real database and real objects.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::*;
use crate::testing::{Fixture, codes};

fn body(chunks: &[&str]) -> Body {
    let chunks: Vec<std::io::Result<Bytes>> = chunks
        .iter()
        .map(|chunk| Ok(Bytes::from(chunk.as_bytes().to_vec())))
        .collect();
    stream::iter(chunks).boxed()
}

fn upload(name: &str) -> Upload<'_> {
    Upload {
        collection_id: "c",
        record_id: "r",
        field: "documents",
        original_name: name,
        max_bytes: 10,
    }
}

impl Fixture {
    async fn stage(&self, name: &str) -> StagedFile {
        let files = self.records.files();
        files
            .stage(upload(name), body(&["hel", "lo"]))
            .await
            .unwrap()
    }

    async fn claim(&self, file: &StagedFile) -> Result<(), Error> {
        let (records, key) = (self.records.clone(), file.key.clone());
        self.database
            .write(move |tx| records.files().claim_in(tx, &key))
            .await
    }

    async fn content(&self, file: &StagedFile) -> Result<String, Error> {
        let (_, body) = self.records.files().read(&file.key).await?;
        let chunks: Vec<Bytes> = body.try_collect().await.unwrap();
        Ok(String::from_utf8(chunks.concat()).unwrap())
    }

    /// The keys of all objects.
    async fn keys(&self) -> Vec<String> {
        let options = mito_objects::ListOptions {
            prefix: String::new(),
            delimiter: None,
            after: None,
            limit: 100,
        };
        let listing = self
            .records
            .inner
            .objects
            .list(BUCKET, options)
            .await
            .unwrap();
        listing
            .objects
            .into_iter()
            .map(|object| object.key)
            .collect()
    }
}

#[tokio::test]
async fn a_claimed_file_stays() {
    let fixture = Fixture::new().await;
    let file = fixture.stage("Hello World.txt").await;
    assert_eq!(
        (file.size, file.mime.as_str()),
        (5, "text/plain; charset=utf-8")
    );
    assert_eq!(file.original_name, "Hello World.txt");
    fixture.claim(&file).await.unwrap();
    fixture.clock.advance(Duration::from_hours(48));
    assert_eq!(fixture.records.files().sweep().await.unwrap(), 0);
    assert_eq!(fixture.content(&file).await.unwrap(), "hello");
    // It can be claimed once.
    assert!(matches!(fixture.claim(&file).await, Err(Error::Invalid(_))));
}

#[tokio::test]
async fn a_file_that_nobody_claims_goes() {
    let fixture = Fixture::new().await;
    let file = fixture.stage("a.txt").await;
    assert_eq!(fixture.records.files().sweep().await.unwrap(), 0);
    fixture.clock.advance(Duration::from_hours(2));
    assert_eq!(fixture.records.files().sweep().await.unwrap(), 1);
    assert_eq!(fixture.keys().await, Vec::<String>::new());
    assert!(matches!(fixture.claim(&file).await, Err(Error::Invalid(_))));
    assert!(matches!(fixture.content(&file).await, Err(Error::NotFound)));
}

#[tokio::test]
async fn a_restart_frees_what_the_last_process_staged() {
    let fixture = Fixture::new().await;
    let file = fixture.stage("a.txt").await;
    let kept = fixture.stage("b.txt").await;
    fixture.claim(&kept).await.unwrap();
    let restarted = fixture.restarted();
    let alone = fixture
        .database
        .read(|tx| Ok::<_, Error>(tx.dialect() == mito_database::Dialect::Sqlite))
        .await
        .unwrap();
    assert_eq!(restarted.files().sweep().await.unwrap(), usize::from(alone));
    if alone {
        assert!(matches!(fixture.content(&file).await, Err(Error::NotFound)));
    }
    assert_eq!(fixture.content(&kept).await.unwrap(), "hello");
}

#[tokio::test]
async fn an_abandoned_or_discarded_file_goes_at_once() {
    let fixture = Fixture::new().await;
    let (abandoned, discarded) = (fixture.stage("a.txt").await, fixture.stage("b.txt").await);
    let files = fixture.records.files();
    files.abandon(std::slice::from_ref(&abandoned)).await;
    fixture.claim(&discarded).await.unwrap();
    let (records, name) = (fixture.records.clone(), discarded.key.name.clone());
    fixture
        .database
        .write(move |tx| records.files().discard_in(tx, "c", "r", ["", &name]))
        .await
        .unwrap();
    assert_eq!(files.sweep().await.unwrap(), 2);
    assert_eq!(fixture.keys().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_file_follows_its_record() {
    let fixture = Fixture::new().await;
    let files = fixture.records.files();
    let staged = fixture.stage("a.txt").await;
    let moved = files.assign(staged.clone(), "c2", "r2").await.unwrap();
    assert_eq!(moved.key.name, staged.key.name);
    fixture.claim(&moved).await.unwrap();
    assert_eq!(files.sweep().await.unwrap(), 1);
    assert_eq!(fixture.keys().await, [format!("c2/r2/{}", staged.key.name)]);
    assert_eq!(fixture.content(&moved).await.unwrap(), "hello");
    let same = files.assign(moved.clone(), "c2", "r2").await.unwrap();
    assert_eq!(same, moved);
}

#[tokio::test]
async fn a_file_that_is_too_large_is_refused_and_leaves_nothing() {
    let fixture = Fixture::new().await;
    let files = fixture.records.files();
    let large = body(&["hello", " ", "world"]);
    let refused = files.stage(upload("dir/big.txt"), large).await;
    let Err(Error::Fields(fields)) = &refused else {
        panic!("accepted: {refused:?}");
    };
    let error = &fields["documents"];
    assert_eq!(
        error.message,
        "Failed to upload big.txt - the maximum allowed file size is 10 bytes."
    );
    assert_eq!(codes(refused), ["documents validation_file_size_limit"]);
    fixture.clock.advance(Duration::from_hours(48));
    files.sweep().await.unwrap();
    assert_eq!(fixture.keys().await, Vec::<String>::new());
    // As large as allowed is not too large.
    files
        .stage(upload("ok.txt"), body(&["hello worl"]))
        .await
        .unwrap();
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing() {
    let fixture = Fixture::new().await;
    let broken = stream::iter([
        Ok(Bytes::from_static(b"hel")),
        Err(std::io::ErrorKind::ConnectionReset.into()),
    ]);
    let files = fixture.records.files();
    let refused = files.stage(upload("a.txt"), broken.boxed()).await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    assert_eq!(fixture.keys().await, Vec::<String>::new());
}

#[tokio::test]
async fn all_files_of_a_collection_go_at_once() {
    let fixture = Fixture::new().await;
    let files = serde_json::json!([{
        "id": "papers000000001", "name": "papers", "type": "base", "fields": [
            {"name": "one", "type": "file"},
            {"name": "many", "type": "file", "maxSelect": 5},
        ],
    }]);
    fixture.import(files).await.unwrap();
    let mut staged = Vec::new();
    for name in ["a.txt", "b.txt", "c.txt"] {
        let upload = Upload {
            collection_id: "papers000000001",
            record_id: "paper0000000001",
            ..upload(name)
        };
        let files = fixture.records.files();
        staged.push(files.stage(upload, body(&["hello"])).await.unwrap());
    }
    let submitted = crate::records::Submitted {
        files: std::sync::Arc::new(vec![
            ("one".to_owned(), vec![staged[0].clone()]),
            (
                "many".to_owned(),
                vec![staged[1].clone(), staged[2].clone()],
            ),
        ]),
        record_id: Some("paper0000000001".to_owned()),
        ..crate::records::Submitted::default()
    };
    let root = mito_network::Identity {
        id: "root00000000001".to_owned(),
        collection: crate::SUPERUSERS.to_owned(),
        collection_id: String::new(),
        email: String::new(),
        session_id: String::new(),
    };
    let info = crate::RequestInfo::of(Some(root));
    fixture
        .records
        .create("papers", submitted, &info)
        .await
        .unwrap();
    assert_eq!(fixture.records.files().sweep().await.unwrap(), 0);
    let records = fixture.records.clone();
    let discard = move |tx: &mut mito_database::Tx<'_>| {
        let collection = records.collection_in(tx, "papers")?;
        let fields: Vec<&crate::Field> = collection.fields.iter().collect();
        records.files().discard_all_in(tx, &collection, &fields)
    };
    fixture.database.write(discard).await.unwrap();
    assert_eq!(fixture.records.files().sweep().await.unwrap(), 3);
    assert_eq!(fixture.keys().await, Vec::<String>::new());
}
