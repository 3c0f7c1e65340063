//! What the control panel reads and does.

use axum::body::Body;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

use super::*;

async fn call(queue: &Queue, method: &str, path: &str) -> (u16, Value) {
    let request = axum::http::Request::builder().method(method).uri(path);
    let request = request.body(Body::empty()).unwrap();
    let response = crate::panel::routes(queue.clone())
        .oneshot(request)
        .await
        .unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

fn ids(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn jobs_are_listed_newest_first_in_pages() {
    let process = Stage::new().process().await;
    let mut expected = Vec::new();
    for number in 0..5 {
        expected.insert(0, process.enqueue(&number.to_string()).await);
    }
    process.queue.cancel(&expected[1]).await.unwrap();

    let (status, page) = call(&process.queue, "GET", "/jobs?limit=2").await;
    assert_eq!((status, ids(&page)), (200, expected[..2].to_vec()));
    let next = page["next"].as_str().unwrap().to_owned();
    let (_, page) = call(
        &process.queue,
        "GET",
        &format!("/jobs?limit=3&before={next}"),
    )
    .await;
    assert_eq!(ids(&page), expected[2..]);
    let next = page["next"].as_str().unwrap().to_owned();
    let (_, page) = call(&process.queue, "GET", &format!("/jobs?before={next}")).await;
    assert_eq!((ids(&page), &page["next"]), (vec![], &Value::Null));

    let (_, page) = call(&process.queue, "GET", "/jobs?state=cancelled&queue=test").await;
    assert_eq!(ids(&page), expected[1..2]);
    let (_, page) = call(&process.queue, "GET", "/jobs?state=&queue=other").await;
    assert!(ids(&page).is_empty());
}

#[tokio::test]
async fn jobs_are_searched_part_by_part() {
    let process = Stage::new().process().await;
    let queue = process.queue.clone();
    let mut texts: Vec<String> = (0..5_000).map(|number| format!("n{number}")).collect();
    texts[10] = "A Needle, 100%".to_owned();
    texts[4_990] = "another needle".to_owned();
    let enqueue = move |tx: &mut Tx<'_>| {
        let note = |text: &String| Note { text: text.clone() };
        let ids = texts
            .iter()
            .map(|text| queue.enqueue(tx, &note(text), &Enqueue::default()));
        ids.collect::<Result<Vec<String>, Error>>()
    };
    let enqueued = process.database.write(enqueue).await.unwrap();
    let search = async |text: &str| {
        let (mut found, mut before, mut parts) = (Vec::new(), String::new(), 0);
        loop {
            let path = format!("/jobs?search={text}&before={before}");
            let (status, page) = call(&process.queue, "GET", &path).await;
            assert_eq!(status, 200, "{page}");
            found.extend(ids(&page));
            parts += 1;
            match page["next"].as_str() {
                Some(next) => next.clone_into(&mut before),
                None => return (found, parts),
            }
        }
    };
    let (newer, older) = (enqueued[4_990].clone(), enqueued[10].clone());
    assert_eq!(search("NEEDLE").await, (vec![newer, older.clone()], 3));
    assert_eq!(search("100%25").await.0, std::slice::from_ref(&older));
    assert_eq!(search(&older).await.0, [older]);
    assert!(search("n_eedle").await.0.is_empty());
    let long = "x".repeat(201);
    let (status, _) = call(&process.queue, "GET", &format!("/jobs?search={long}")).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn a_job_is_shown_whole() {
    let process = Stage::new().process().await;
    let options = Enqueue {
        unique_key: Some("key".to_owned()),
        request_id: Some("req-1".to_owned()),
        priority: 3,
        ..Enqueue::default()
    };
    let id = process.enqueue_with("hello", options).await.unwrap();
    let (status, job) = call(&process.queue, "GET", &format!("/jobs/{id}")).await;
    assert_eq!(status, 200);
    let expected = serde_json::json!({
        "id": id, "queue": "test", "kind": "test.note", "state": "available", "priority": 3,
        "attempts": 0, "max_attempts": null, "created_ms": START_MS, "due_ms": START_MS,
        "started_ms": null, "finished_ms": null, "error": null, "request_id": "req-1",
        "payload": { "text": "hello" }, "unique_key": "key", "log": [], "dedup_key": null,
        "group_key": null, "parent": null, "children_left": 0, "children": [], "result": null,
        "progress": null, "steps": [],
    });
    assert_eq!(job, expected);
}

#[tokio::test]
async fn jobs_are_cancelled_and_run_again() {
    let process = Stage::new().process().await;
    let id = process.enqueue("x").await;
    let path = |action: &str| format!("/jobs/{id}/{action}");
    let (status, job) = call(&process.queue, "POST", &path("cancel")).await;
    assert_eq!((status, job["state"].as_str()), (200, Some("cancelled")));
    let (status, problem) = call(&process.queue, "POST", &path("cancel")).await;
    assert_eq!(status, 409);
    assert_eq!(problem["detail"], format!("job {id} is cancelled"));
    let (status, job) = call(&process.queue, "POST", &path("retry")).await;
    assert_eq!((status, job["state"].as_str()), (200, Some("available")));
}

#[tokio::test]
async fn queues_are_counted_by_state() {
    let process = Stage::new().process().await;
    for _ in 0..3 {
        process.enqueue("x").await;
    }
    let at_ms = Some(START_MS + 1);
    process
        .enqueue_with(
            "x",
            Enqueue {
                at_ms,
                ..Enqueue::default()
            },
        )
        .await
        .unwrap();
    let (status, page) = call(&process.queue, "GET", "/queues").await;
    assert_eq!(status, 200);
    let expected = serde_json::json!({
        "items": [{
            "name": "test",
            "paused": false,
            "limits": {
                "concurrency": null, "rate": null, "group_concurrency": null, "group_rate": null,
            },
            "counts": {
                "scheduled": 1, "available": 3, "running": 0, "retryable": 0,
                "completed": 0, "discarded": 0, "cancelled": 0,
            },
            "count_limit": 10_000,
            "oldest_available_ms": START_MS,
        }],
        "next": null,
    });
    assert_eq!(page, expected);
}

#[tokio::test]
async fn wrong_questions_are_told_so() {
    let process = Stage::new().process().await;
    for (method, path, status, field) in [
        ("GET", "/jobs?state=lost", 400, Some("state")),
        ("GET", "/jobs?before=yesterday", 400, Some("before")),
        ("GET", "/jobs/none", 404, None),
        ("POST", "/jobs/none/retry", 404, None),
        ("POST", "/jobs/none/cancel", 404, None),
    ] {
        let (found, problem) = call(&process.queue, method, path).await;
        assert_eq!(
            (found, problem["field"].as_str()),
            (status, field),
            "{method} {path}"
        );
    }
}

/// Sends JSON; returns the status and what comes back, null if that is nothing.
async fn send(queue: &Queue, method: &str, path: &str, body: Value) -> (u16, Value) {
    let request = axum::http::Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap();
    let response = crate::panel::routes(queue.clone())
        .oneshot(request)
        .await
        .unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

#[tokio::test]
async fn queues_are_paused_limited_and_replayed() {
    let process = Stage::new().process().await;
    process.enqueue("x").await;
    let (queue, none) = (&process.queue, || Value::Null);
    let limits = serde_json::json!({ "concurrency": 3 });
    for (method, path, body, status) in [
        ("POST", "/queues/test/pause", none(), 204),
        ("PUT", "/queues/test/limits", limits, 204),
        (
            "PUT",
            "/queues/test/limits",
            serde_json::json!({ "speed": 3 }),
            422,
        ),
    ] {
        let (found, answer) = send(queue, method, path, body).await;
        assert_eq!(found, status, "{method} {path}: {answer}");
    }
    let (_, page) = call(queue, "GET", "/queues").await;
    assert_eq!(page["items"][0]["paused"], true);
    assert_eq!(page["items"][0]["limits"]["concurrency"], 3);
    let empty = serde_json::json!({ "rate": { "max": 1, "window_ms": 0 } });
    let (status, problem) = send(queue, "PUT", "/queues/test/limits", empty).await;
    assert_eq!(status, 400, "{problem}");
    assert_eq!(
        send(queue, "POST", "/queues/test/resume", none()).await.0,
        204
    );
    let (_, page) = call(queue, "GET", "/queues").await;
    assert_eq!(page["items"][0]["paused"], false);
    let replayed = call(queue, "POST", "/queues/test/replay?kind=test.note").await;
    assert_eq!(replayed, (200, serde_json::json!({ "jobs": 0 })));
}

#[tokio::test]
async fn schedules_and_workers_are_shown_and_changed() {
    let process = Stage::new().process().await;
    let queue = &process.queue;
    let note = Note {
        text: "hello".to_owned(),
    };
    let daily = crate::Schedule::cron("@daily", "Europe/Berlin");
    queue.schedule("daily", &note, daily).await.unwrap();
    let (_, page) = call(queue, "GET", "/schedules").await;
    let shown = &page["items"][0];
    assert_eq!(shown["kind"], "test.note");
    assert_eq!(shown["schedule"]["when"]["zone"], "Europe/Berlin");
    assert_eq!(shown["coming_ms"].as_array().unwrap().len(), 5);
    let (status, job) = call(queue, "POST", "/schedules/daily/run").await;
    assert_eq!((status, &job["payload"]["text"]), (200, &"hello".into()));
    let (status, _) = send(queue, "DELETE", "/schedules/daily", Value::Null).await;
    assert_eq!(status, 204);
    let (status, _) = send(queue, "DELETE", "/schedules/daily", Value::Null).await;
    assert_eq!(status, 404);

    let _task = queue.worker("test", 2);
    let scale = serde_json::json!({ "replicas": 5 });
    let (status, page) = send(queue, "POST", "/workers/test/scale", scale.clone()).await;
    let expected = serde_json::json!({
        "items": [{ "name": "test", "replicas": 5, "configured": 2, "busy": 0 }],
        "next": null,
    });
    assert_eq!((status, page), (200, expected.clone()));
    assert_eq!(call(queue, "GET", "/workers").await, (200, expected));
    let (status, _) = send(queue, "POST", "/workers/other/scale", scale).await;
    assert_eq!(status, 404);
}
