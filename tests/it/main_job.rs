//! The main job: an article uploaded by S3 becomes a described record, and subscribers are told.

use object_store::{ObjectStoreExt as _, PutPayload, path::Path};
use serde_json::{Value, json};

use crate::{
    client::{Client, Panel},
    harness::{TestApp, create_admin, eventually},
};

/// An article as a news site would serve it, with a heading to find it again by.
pub(crate) fn article(title: &str) -> String {
    format!(
        "<!doctype html><html lang=en><head><title>{title}</title><script>track()</script></head>\
         <body><nav><a href=/>Home</a> <a href=/about>About us</a></nav><article><h1>{title}</h1>\
         <p>The lighthouse stands on a granite rock at the entrance of the harbour. It was lit for \
         the first time in the autumn of 1859, after eleven years of work by forty masons.</p>\
         <p>Every block of granite was cut on the mainland and carried over by sailing boats, which \
         could land on the rock for only a few hours at low water. The masons lived in a wooden \
         barrack on stilts, and twice the winter storms carried it away.</p>\
         <p>The keepers of the lighthouse worked in turns of four hours. They wound the clockwork, \
         trimmed the wicks and wrote the weather into the journal, which is kept in the museum of \
         the harbour to this day.</p>\
         <p>Since 1987 the lighthouse works without keepers. Its light is seen over twenty miles, \
         and the granite tower has not moved by the width of a hand.</p></article>\
         <footer>Subscribe to our newsletter</footer></body></html>"
    )
}

pub(crate) async fn upload(client: &Client, key: &str, html: &str) -> object_store::Result<()> {
    let payload = PutPayload::from(html.to_owned());
    client
        .s3("inbox")
        .put(&Path::from(key), payload)
        .await
        .map(|_| ())
}

/// The records that came of an object.
pub(crate) async fn contents(client: &Client, token: &str, key: &str) -> Vec<Value> {
    client
        .records(token, "contents", &format!("source_key = '{key}'"))
        .await
}

/// The mails about a content, by its title.
pub(crate) async fn mails(panel: &Panel, title: &str) -> Vec<Value> {
    let mut mails = panel
        .items("/_mito/api/notifications/mailbox?limit=500")
        .await;
    mails.retain(|mail| {
        mail["subject"]
            .as_str()
            .is_some_and(|subject| subject.contains(title))
    });
    mails
}

#[tokio::test(flavor = "multi_thread")]
async fn an_uploaded_article_becomes_a_record_and_mails() {
    let app = TestApp::start().await;
    create_admin(&app.folder.path().join("data"));
    let (token, panel) = (app.client.sign_in().await, app.client.panel().await);

    let imported = panel
        .post("/_mito/api/starter", &json!({ "name": "content" }))
        .await;
    assert_eq!(imported.status, 200, "{}", imported.text);
    let subscribers = app
        .client
        .records(&token, "subscribers", "active = true")
        .await
        .len();
    assert!(subscribers > 0, "the starter brings subscribers");

    let title = "The lighthouse of the granite rock";
    upload(&app.client, "lighthouse.html", &article(title))
        .await
        .unwrap();
    eventually("every subscriber has a mail", || async {
        mails(&panel, title).await.len() >= subscribers
    })
    .await;

    let records = contents(&app.client, &token, "lighthouse.html").await;
    assert_eq!(records.len(), 1, "one object, one record");
    let record = &records[0];
    assert_eq!(record["title"], title);
    assert_eq!(record["language"], "en");
    let (body, summary) = (
        record["body"].as_str().unwrap(),
        record["summary"].as_str().unwrap(),
    );
    assert!(
        body.contains("forty masons") && !body.contains("newsletter"),
        "cleaned: {body}"
    );
    assert!(!body.contains("track()"), "no script: {body}");
    assert!(
        !summary.is_empty() && summary.len() < body.len(),
        "a summary is shorter: {summary}"
    );
    let phrases = record["key_phrases"].to_string().to_lowercase();
    assert!(
        phrases.contains("lighthouse") || phrases.contains("granite"),
        "{phrases}"
    );

    assert_eq!(
        mails(&panel, title).await.len(),
        subscribers,
        "one mail each"
    );
    let inbox = panel
        .items("/_mito/api/notifications/inbox?limit=500")
        .await;
    let entries = inbox
        .iter()
        .filter(|entry| entry.to_string().contains(title));
    assert_eq!(entries.count(), subscribers, "one inbox entry each");

    let jobs = panel
        .items("/_mito/api/queue/jobs?queue=ai-pipeline&limit=500")
        .await;
    let of_this: Vec<_> = jobs
        .iter()
        .filter(|job| job.to_string().contains("ai.process_object"))
        .collect();
    assert!(
        of_this.iter().all(|job| job["state"] == "completed"),
        "{of_this:?}"
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn importing_the_starter_twice_changes_nothing() {
    let app = TestApp::start().await;
    create_admin(&app.folder.path().join("data"));
    let token = app.client.sign_in().await;
    let first = app.importer.import("content").await.unwrap();
    assert!(first.objects > 0, "the starter brings texts");
    eventually("the samples are processed", || async {
        app.client.records(&token, "contents", "").await.len() == first.objects
    })
    .await;
    let again = app.importer.import("content").await.unwrap();
    assert_eq!(again.objects, 0);
    assert_eq!(
        app.client.records(&token, "contents", "").await.len(),
        first.objects
    );
    app.stop().await;
}
