//! Settings, the log, jobs, backups and the SQL console by HTTP.

use mito_core::Shutdown;
use mito_records::{
    Platform,
    backups::{Backups, Known},
    logs::{LOG_MIGRATIONS, Logs},
};

use super::*;

const KNOWN: Known = Known {
    main: &[mito_queue::MIGRATIONS, mito_records::MIGRATIONS],
    objects: &[mito_objects::MIGRATIONS],
};

impl Fixture {
    /// Attaches the log and backups; returns the signal of a restart.
    async fn attach(&self) -> Shutdown {
        let data = self.folder.path();
        let options = Options {
            location: Location::File(data.join("telemetry.db")),
            config: mito_database::database::Config::default(),
            clock: self.clock.clone(),
        };
        let telemetry = Database::open(options, &[LOG_MIGRATIONS]).await.unwrap();
        let restart = Shutdown::new();
        self.records.attach(Platform {
            logs: Logs::new(telemetry, self.clock.clone(), Random::seeded(11)),
            backups: Backups::new(mito_records::backups::Dependencies {
                folder: data.to_owned(),
                database: self.database.clone(),
                objects_database: self.objects_database.clone(),
                objects: self.objects.clone(),
                migrations: KNOWN,
                random: Random::system(),
                restart: restart.clone(),
            }),
        });
        restart
    }

    /// Writes the log rows that wait.
    async fn flush_logs(&self) {
        let tasks = self.records.tasks();
        let writer = tasks.iter().find(|task| task.name == "logs").unwrap();
        let shutdown = Shutdown::new();
        shutdown.begin();
        (writer.run)(shutdown).await.unwrap();
    }

    async fn patch(&self, body: Value, token: &str) -> Answer {
        self.call(Method::PATCH, "/api/settings", Some(body), token)
            .await
    }
}

#[tokio::test]
async fn only_administrators_run_the_platform() {
    let fixture = Fixture::new().await;
    fixture.attach().await;
    let user = fixture.account("user@b.co").await;
    for (method, path) in [
        (Method::GET, "/api/settings"),
        (Method::PATCH, "/api/settings"),
        (Method::GET, "/api/logs"),
        (Method::GET, "/api/logs/x"),
        (Method::GET, "/api/logs/stats"),
        (Method::DELETE, "/api/logs"),
        (Method::GET, "/api/crons"),
        (Method::POST, "/api/crons/__pbDBOptimize__"),
        (Method::GET, "/api/backups"),
        (Method::POST, "/api/backups"),
        (Method::POST, "/api/backups/upload"),
        (Method::DELETE, "/api/backups/a.zip"),
        (Method::POST, "/api/backups/a.zip/restore"),
        (Method::POST, "/api/sql"),
    ] {
        for (token, status) in [("", 401), (&*user, 403)] {
            let answer = fixture.call(method.clone(), path, None, token).await;
            assert_eq!(
                answer.status.as_u16(),
                status,
                "{method} {path}: {answer:?}"
            );
        }
    }
    let download = fixture.get("/api/backups/a.zip?token=x", &user).await;
    assert_eq!(download.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn settings_are_changed_and_refused_in_the_words_of_the_peer() {
    let fixture = Fixture::new().await;
    let token = fixture.administrator().await;
    let changed = fixture
        .patch(
            json!({"meta": {"appName": "Ours"}, "smtp": {"password": "x"}}),
            &token,
        )
        .await;
    assert_eq!(changed.json()["meta"]["appName"], "Ours");
    assert!(changed.json()["smtp"].get("password").is_none());
    let shown = fixture
        .get("/api/settings?fields=meta.appName", &token)
        .await;
    shown.check(200, json!({"meta": {"appName": "Ours"}}));
    let refused = fixture
        .patch(json!({"rateLimits": {"rules": [{"label": ""}]}}), &token)
        .await;
    let blank = json!({"code": "validation_required", "message": "Cannot be blank."});
    refused.check(
        400,
        json!({
            "data": {"rateLimits": {"rules": {"0": {
                "duration": blank, "label": blank, "maxRequests": blank,
            }}}},
            "message": "An error occurred while saving the new settings.",
            "status": 400,
        }),
    );
    let unreadable = fixture.patch(json!({"smtp": {"port": "25"}}), &token).await;
    unreadable.check(
        400,
        json!({
            "data": {},
            "message": "An error occurred while loading the submitted data.",
            "status": 400,
        }),
    );
}

#[tokio::test]
async fn administrators_act_from_their_addresses_alone() {
    let fixture = Fixture::new().await;
    let token = fixture.administrator().await;
    let refused = fixture
        .patch(json!({"superuserIPs": ["10.0.0.1"]}), &token)
        .await;
    let error = &refused.json()["data"]["superuserIPs"];
    assert_eq!(error["code"], "validation_own_ip_missing", "{refused:?}");
    // Somebody else, who sits there, may say so.
    let elsewhere = Some("10.0.0.1".parse().unwrap());
    let patch = json!({"superuserIPs": ["10.0.0.1"]});
    fixture
        .records
        .change_settings(patch, elsewhere)
        .await
        .unwrap();
    for path in ["/api/settings", "/api/health", "/api/collections"] {
        let answer = fixture.get(path, &token).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(fixture.get("/api/health", "").await.status, StatusCode::OK);
}

#[tokio::test]
async fn requests_are_logged_without_their_secrets() {
    let fixture = Fixture::new().await;
    fixture.attach().await;
    let token = fixture.administrator().await;
    fixture.get("/api/nothing?token=hush&a=1", "").await;
    fixture
        .patch(json!({"meta": {"appName": ""}}), &token)
        .await;
    fixture.flush_logs().await;
    let page = fixture
        .get("/api/logs?sort=-@rowid&filter=data.status%3E%3D400", &token)
        .await
        .json();
    assert_eq!(page["totalItems"], 2, "{page}");
    let (patch, lost) = (&page["items"][0], &page["items"][1]);
    assert_eq!(lost["message"], "GET /api/nothing?token=***&a=1");
    assert_eq!(lost["level"], 8);
    assert_eq!(lost["data"]["auth"], "");
    assert_eq!(lost["data"]["userIP"], "192.0.2.1");
    assert_eq!(lost["data"]["requestId"], "request-1");
    assert_eq!(patch["data"]["auth"], "_superusers");
    assert_eq!(
        patch["data"]["error"],
        "An error occurred while saving the new settings."
    );
    assert_eq!(
        patch["data"]["details"]["meta"]["appName"]["code"],
        "validation_required"
    );
    assert!(patch["data"].get("authId").is_none());
    let id = lost["id"].as_str().unwrap();
    let one = fixture
        .get(&format!("/api/logs/{id}?fields=id"), &token)
        .await;
    one.check(200, json!({"id": id}));
    let stats = fixture
        .get("/api/logs/stats?filter=level%3E0", &token)
        .await;
    stats.check(
        200,
        json!([{"total": 2, "date": "2026-05-06 07:00:00.000Z"}]),
    );
    for path in [
        "/api/logs?filter=x=1",
        "/api/logs?sort=x",
        "/api/logs?page=x",
    ] {
        let answer = fixture.get(path, &token).await;
        let message = "Something went wrong while processing your request.";
        answer.check(400, json!({"data": {}, "message": message, "status": 400}));
    }
    let cleared = fixture
        .call(Method::DELETE, "/api/logs", None, &token)
        .await;
    assert_eq!(cleared.status, StatusCode::NO_CONTENT);
    let nothing = fixture.get(&format!("/api/logs/{id}"), &token).await;
    assert_eq!(nothing.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn backups_are_made_fetched_sent_and_restored() {
    let fixture = Fixture::new().await;
    let restart = fixture.attach().await;
    let token = fixture.administrator().await;
    let name = |name: &str| json!({ "name": name });
    let made = fixture.post("/api/backups", name("a.zip"), &token).await;
    assert_eq!(made.status, StatusCode::NO_CONTENT, "{made:?}");
    for (body, code) in [
        (name("a.zip"), "validation_backup_name_exists"),
        (name("A.zip"), "validation_match_invalid"),
        (name("../a.zip"), "validation_match_invalid"),
        (
            name(&format!("{}.zip", "x".repeat(150))),
            "validation_length_out_of_range",
        ),
    ] {
        let refused = fixture.post("/api/backups", body, &token).await.json();
        assert_eq!(refused["data"]["name"]["code"], code, "{refused}");
    }
    let listed = fixture.get("/api/backups?fields=key", &token).await;
    listed.check(200, json!([{"key": "a.zip"}]));
    let path = fixture.folder.path().join("backups/a.zip");
    let bytes = std::fs::read(&path).unwrap();
    let sent = fixture.upload("sent.zip", &bytes, &token).await;
    assert_eq!(sent.status, StatusCode::NO_CONTENT, "{sent:?}");
    let refused = fixture.upload("b.zip", b"hi", &token).await.json();
    assert_eq!(
        refused["data"]["file"]["code"],
        "validation_invalid_mime_type"
    );
    let head = fixture
        .call(Method::HEAD, "/api/backups/sent.zip", None, &token)
        .await;
    assert_eq!(head.status, StatusCode::OK);
    assert_eq!(
        head.headers[header::CONTENT_LENGTH],
        bytes.len().to_string()
    );
    assert_eq!(
        head.headers[header::CONTENT_DISPOSITION],
        "attachment; filename=\"sent.zip\""
    );
    let lost = fixture.get("/api/backups/..%2fmito.db", &token).await;
    assert_eq!(lost.status, StatusCode::NOT_FOUND);
    let foreign = fixture.get("/api/backups/a.zip", "").await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
    std::fs::write(&path, b"PK\x03\x04 no more").unwrap();
    let broken = fixture
        .post("/api/backups/a.zip/restore", json!({}), &token)
        .await;
    assert_eq!(broken.status, StatusCode::BAD_REQUEST, "{broken:?}");
    assert!(!restart.has_begun());
    let restored = fixture
        .post("/api/backups/sent.zip/restore", json!({}), &token)
        .await;
    assert_eq!(restored.status, StatusCode::NO_CONTENT, "{restored:?}");
    assert!(restart.has_begun());
    for status in [StatusCode::NO_CONTENT, StatusCode::BAD_REQUEST] {
        let gone = fixture
            .call(Method::DELETE, "/api/backups/a.zip", None, &token)
            .await;
        assert_eq!(gone.status, status);
    }
}

impl Fixture {
    async fn upload(&self, name: &str, content: &[u8], token: &str) -> Answer {
        let mut body = format!(
            "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n--b--\r\n");
        let request = Request::builder()
            .method(Method::POST)
            .uri("/api/backups/upload")
            .header(header::AUTHORIZATION, token)
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=b");
        self.send(request.body(Body::from(body)).unwrap()).await
    }
}

#[tokio::test]
async fn sql_and_crons_and_health_answer_administrators() {
    let fixture = Fixture::new().await;
    fixture.attach().await;
    let token = fixture.administrator().await;
    let sql = |query: &str| json!({ "query": query });
    let mut answer = fixture
        .post("/api/sql", sql("select 1 a, null b"), &token)
        .await
        .json();
    answer["execTime"] = json!(0);
    let column = |name: &str| json!({"name": name, "type": "", "nullable": true});
    let expected = json!({
        "execTime": 0, "affectedRows": 0, "columns": [column("a"), column("b")],
        "rows": [["1", null]],
    });
    assert_eq!(answer, expected);
    let blank = fixture.post("/api/sql", json!({}), &token).await.json();
    assert_eq!(blank["data"]["query"]["code"], "validation_required");
    let wrong = fixture.post("/api/sql", sql("selec"), &token).await.json();
    assert_eq!(
        wrong["message"],
        "Failed to execute query. Raw error:\nnear \"selec\": syntax error."
    );
    let unreadable = fixture
        .post("/api/sql", json!({"query": 5}), &token)
        .await
        .json();
    assert_eq!(
        unreadable["message"],
        "An error occurred while loading the submitted data."
    );

    let crons = fixture.get("/api/crons", &token).await.json();
    let optimize = json!({"id": "__pbDBOptimize__", "expression": "0 0 * * *"});
    assert_eq!(crons[0], optimize);
    let missing = fixture.post("/api/crons/nothing", json!({}), &token).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    let run = fixture
        .post("/api/crons/__pbDBOptimize__", json!({}), &token)
        .await;
    assert_eq!(run.status, StatusCode::NO_CONTENT);

    let health = fixture.get("/api/health", &token).await.json();
    let data = json!({"canBackup": true, "realIP": "192.0.2.1", "possibleProxyHeader": ""});
    assert_eq!(health["data"], data);
    let health = fixture.get("/api/health", "").await.json();
    assert_eq!(health["data"], json!({}));
}
