//! Rules about records that are not stored yet.

use serde_json::json;

use super::*;
use crate::testing::Fixture;

#[tokio::test]
async fn a_rule_is_asked_about_a_row_that_is_not_in_the_table() {
    let fixture = Fixture::new().await;
    let posts = json!([{"name": "posts", "type": "base", "fields": [
        {"name": "title", "type": "text"}, {"name": "views", "type": "number"},
        {"name": "open", "type": "bool"},
    ]}]);
    fixture.import(posts).await.unwrap();
    let records = fixture.records.clone();
    let check = |rule: &'static str| {
        let records = records.clone();
        fixture.database.read(move |tx| {
            let collection = records.shared_collection_in(tx, "posts")?;
            let columns = [
                Stored::Text("abc".to_owned()),
                Stored::Text("it's".to_owned()),
                Stored::Real(1.5),
                Stored::Integer(1),
            ];
            let target = Target::Row(&columns);
            check(
                &records,
                tx,
                &collection,
                rule,
                target,
                &RequestInfo::default(),
            )
        })
    };
    assert!(check("").await.unwrap());
    assert!(
        check("title = 'it\\'s' && views > 1 && open = true && id = 'abc'")
            .await
            .unwrap()
    );
    assert!(!check("title = 'its'").await.unwrap());
    assert!(!check("@request.auth.id != ''").await.unwrap());
}
