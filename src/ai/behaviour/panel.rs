//! What the panel shows of runs.

use serde_json::Value;
use tower::ServiceExt as _;

use super::{Config, Platform};

async fn get(platform: &Platform, path: String) -> (u16, Value) {
    let request = http::Request::get(path)
        .body(axum::body::Body::empty())
        .unwrap();
    let response = platform.ai.panel().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), 1_000_000)
        .await
        .unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_panel_pages_through_runs() {
    let folder = tempfile::tempdir().unwrap();
    let platform = Platform::create(folder.path(), Config::default()).await;
    platform.run();
    for key in ["a.txt", "b.txt", "c.txt"] {
        platform
            .put(
                key,
                "text/plain",
                &format!("The text of {key} is a sentence."),
            )
            .await;
    }
    platform.ended(3).await;
    let mut keys = Vec::new();
    let mut path = "/runs?limit=2".to_owned();
    loop {
        let (_, page) = get(&platform, path).await;
        keys.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|run| run["key"].to_string()),
        );
        let Some(next) = page["next"].as_str() else {
            break;
        };
        path = format!("/runs?limit=2&before={next}");
    }
    keys.sort();
    assert_eq!(keys, ["\"a.txt\"", "\"b.txt\"", "\"c.txt\""]);
    assert_eq!(
        get(&platform, "/runs?before=nonsense".to_owned()).await.0,
        400
    );
    let (_, pipelines) = get(&platform, "/pipelines".to_owned()).await;
    assert_eq!(pipelines["items"][0]["steps"][0], "clean");
    assert_eq!(platform.ai.ping().await, Ok(()));
    platform.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_job_was_stopped_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let platform = Platform::create(folder.path(), Config::default()).await;
    // The relay alone: nobody works on the job.
    platform.run_tasks(1);
    platform
        .put("a.txt", "text/plain", "A text that nobody reads.")
        .await;
    let run = platform.planned(1).await.remove(0);
    let path = || "/runs".to_owned();
    let (_, page) = get(&platform, path()).await;
    assert_eq!(page["items"][0]["state"], "queued");
    platform.queue.cancel(&run.id).await.unwrap();
    let (_, page) = get(&platform, path()).await;
    assert_eq!(page["items"][0]["state"], "cancelled");
    assert!(page["items"][0]["finished_ms"].is_i64(), "{page}");
    platform.close().await;
}
