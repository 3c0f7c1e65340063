//! SIGKILL while files are uploaded, replaced and deleted: what was acknowledged is there after the
//! restart, byte for byte, and nothing else is.

use std::{collections::BTreeSet, time::Duration};

use reqwest::{Method, header};
use serde_json::{Value, json};

use crate::{
    client::{Answer, Client, answer},
    harness::{Process, create_admin, eventually},
};

/// How often the process is killed.
const KILLS: u32 = 5;
/// Uploads at a time.
const WRITERS: u32 = 6;
/// The space over which the kills spread.
const SPREAD: Duration = Duration::from_millis(400);
/// What the gateway answers a client that asks too often, and how long to wait then.
const TOO_MANY: u16 = 429;
const PAUSE: Duration = Duration::from_millis(50);
const RECORDS: &str = "/api/collections/attachments/records";
const BOUNDARY: &str = "a-boundary-of-the-tests";

/// What a file of the test holds: larger than what is kept inside the metadata.
fn content(name: &str) -> String {
    format!("{name};").repeat(40_000 / (name.len() + 1))
}

/// Sends a file as a form, to a new record or to one that is there.
async fn send(client: &Client, token: &str, path: &str, name: &str) -> reqwest::Result<Answer> {
    let method = if path == RECORDS {
        Method::POST
    } else {
        Method::PATCH
    };
    let body = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}.txt\"\r\n\
         Content-Type: text/plain\r\n\r\n{}\r\n--{BOUNDARY}--\r\n",
        content(name)
    );
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    let request = client
        .request(method, "api.localhost", path)
        .header(header::AUTHORIZATION, token)
        .header(header::CONTENT_TYPE, kind)
        .body(body);
    answer(request).await
}

/// Uploads, replaces and deletes until the process is gone; returns what was acknowledged: names of
/// uploads by the id of their record, none where it was deleted.
async fn write(
    client: Client,
    token: String,
    writer: u32,
    round: u32,
) -> Vec<(String, Vec<String>)> {
    let mut acknowledged = Vec::new();
    for turn in 0.. {
        let name = format!("round{round}writer{writer}turn{turn}");
        let Ok(created) = send(&client, &token, RECORDS, &name).await else {
            break;
        };
        if created.status == TOO_MANY {
            tokio::time::sleep(PAUSE).await;
            continue;
        }
        assert_eq!(created.status, 200, "{}", created.text);
        let id = created.json()["id"].as_str().unwrap().to_owned();
        let path = format!("{RECORDS}/{id}");
        let again = format!("{name}again");
        acknowledged.push((id, vec![name]));
        let last = acknowledged.last_mut().expect("it was pushed");
        match turn % 3 {
            0 => {
                // Until it is answered, both are right.
                last.1.push(again.clone());
                match send(&client, &token, &path, &again).await {
                    Ok(answer) if answer.status == 200 => last.1 = vec![again],
                    Ok(answer) => assert_eq!(answer.status, TOO_MANY, "{}", answer.text),
                    Err(_) => break,
                }
            }
            1 => {
                last.1.push(String::new());
                let request = client
                    .request(Method::DELETE, "api.localhost", &path)
                    .header(header::AUTHORIZATION, &token);
                match answer(request).await {
                    Ok(answer) if answer.status == 204 => last.1 = vec![String::new()],
                    Ok(answer) => assert_eq!(answer.status, TOO_MANY, "{}", answer.text),
                    Err(_) => break,
                }
            }
            _ => {}
        }
    }
    acknowledged
}

/// The keys of the files that records have.
fn keys(records: &[Value]) -> BTreeSet<String> {
    let key = |record: &Value| {
        let part = |name: &str| record[name].as_str().unwrap().to_owned();
        format!("{}/{}/{}", part("collectionId"), part("id"), part("file"))
    };
    records.iter().map(key).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn files_survive_sigkill_and_leave_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut process = Process::start(&data, &[]);
    create_admin(&data);
    let token = process.client.sign_in().await;
    let collection = json!({
        "name": "attachments", "type": "base", "fields": [{"name": "file", "type": "file"}],
    });
    let request = process
        .client
        .request(Method::POST, "api.localhost", "/api/collections")
        .header(header::AUTHORIZATION, &token)
        .json(&collection);
    assert_eq!(answer(request).await.unwrap().status, 200);

    let mut acknowledged = Vec::new();
    for round in 0..KILLS {
        let token = process.client.sign_in().await;
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| tokio::spawn(write(process.client.clone(), token.clone(), writer, round)))
            .collect();
        tokio::time::sleep(Duration::from_millis(100) + SPREAD * round / KILLS).await;
        process.kill();
        for writer in writers {
            acknowledged.extend(writer.await.unwrap());
        }
        process = Process::start(&data, &[]);
    }
    assert!(acknowledged.len() >= KILLS as usize, "nothing was written");

    let client = &process.client;
    let token = client.sign_in().await;
    let records = client.records(&token, "attachments", "id != ''").await;
    for (id, names) in &acknowledged {
        let record = records.iter().find(|record| record["id"] == **id);
        let Some(record) = record else {
            assert!(
                names.iter().any(String::is_empty),
                "{id} is lost: {names:?}"
            );
            continue;
        };
        let path = format!(
            "/api/files/attachments/{id}/{}",
            record["file"].as_str().unwrap()
        );
        let got = client.get_from(client.services["api"], &path).await;
        assert_eq!(got.status, 200, "{path}");
        let is_whole = names
            .iter()
            .any(|name| !name.is_empty() && got.text == content(name));
        assert!(is_whole, "{id} has something else than one of {names:?}");
    }
    let panel = client.panel().await;
    eventually("no file is left that no record has", || async {
        let listed = panel
            .items("/_mito/api/objects/buckets/mito-records/objects?limit=500")
            .await;
        let listed: BTreeSet<String> = listed
            .iter()
            .map(|object| object["key"].as_str().unwrap().to_owned())
            .collect();
        listed == keys(&records)
    })
    .await;
    assert_eq!(process.interrupt(), Some(0));
}
