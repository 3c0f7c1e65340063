//! What the old stack's checks and bookmarks find.

use serde_json::json;

use crate::harness::{ADMIN, PASSWORD, TestApp};

#[tokio::test(flavor = "multi_thread")]
async fn the_old_stacks_checks_are_answered() {
    let app = TestApp::start().await;
    let health = app.client.get("api.localhost", "/health").await.unwrap();
    assert_eq!(
        (health.status, health.json()["status"].as_str()),
        (200, Some("ok"))
    );

    let routers = app
        .client
        .get_from(app.client.entrypoints["traefik"], "/api/http/routers")
        .await;
    assert_eq!(routers.status, 200);
    let routers = routers.json();
    let api = routers
        .as_array()
        .unwrap()
        .iter()
        .find(|router| {
            router["service"]
                .as_str()
                .is_some_and(|service| service.starts_with("api@mito"))
        })
        .unwrap();
    assert!(
        api["rule"].as_str().unwrap().contains("api.localhost"),
        "{api}"
    );
    assert_eq!(api["status"], "enabled");

    for (host, path) in [
        ("minio.localhost", "/minio/health/live"),
        ("minio.localhost", "/minio/health/ready"),
    ] {
        assert_eq!(
            app.client.get(host, path).await.unwrap().status,
            200,
            "{host}{path}"
        );
    }
    let published = app
        .client
        .get_from(app.client.services["minio"], "/minio/health/live")
        .await;
    assert_eq!(published.status, 200);
    let status = app
        .client
        .get("mobile-build.localhost", "/status")
        .await
        .unwrap();
    assert_eq!(status.status, 200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_are_routed_and_unknown_ones_are_named() {
    let app = TestApp::start().await;
    let admin = app.client.get("admin.localhost", "/").await.unwrap();
    assert_eq!(admin.status, 200);
    assert!(
        admin.text.contains("<script"),
        "the application: {}",
        admin.text
    );
    assert!(
        admin
            .header("content-security-policy")
            .contains("default-src")
    );
    for host in [
        "minio-console.localhost",
        "mobile-build.localhost",
        "traefik.localhost",
    ] {
        assert_eq!(
            app.client.get(host, "/").await.unwrap().status,
            200,
            "{host}"
        );
    }
    let unknown = app.client.get("shop.localhost", "/").await.unwrap();
    assert_eq!(unknown.status, 404);
    assert!(unknown.text.contains("shop.localhost"), "{}", unknown.text);
    assert!(!unknown.header("x-request-id").is_empty());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_setup_link_creates_the_administrator_once() {
    let app = TestApp::start().await;
    let url = app.setup_url.clone().unwrap();
    let token = url.split("#token=").nth(1).unwrap();
    let panel = app.client.visit().await;
    let setup = async |token: &str| {
        let account = json!({ "token": token, "email": ADMIN, "password": PASSWORD });
        panel.post("/_mito/api/setup", &account).await
    };
    let wrong = setup("not-the-token").await;
    assert!(
        (400..500).contains(&wrong.status),
        "{} {}",
        wrong.status,
        wrong.text
    );
    let created = setup(token).await;
    assert!(created.status < 300, "{} {}", created.status, created.text);
    let again = setup(token).await;
    assert!(
        (400..500).contains(&again.status),
        "a link works once: {}",
        again.status
    );
    app.client.sign_in().await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_panel_is_closed_to_strangers() {
    let app = TestApp::start().await;
    for path in [
        "/_mito/api/network/services",
        "/_mito/api/queue/jobs",
        "/_mito/api/objects/buckets",
        "/_mito/api/notifications/mailbox",
        "/_mito/api/ai/runs",
        "/_mito/api/mobile/updates",
        "/_mito/api/gateway/http/routers",
        "/_mito/api/collections",
    ] {
        assert_eq!(
            app.client
                .get("admin.localhost", path)
                .await
                .unwrap()
                .status,
            401,
            "{path}"
        );
    }
    crate::harness::create_admin(&app.folder.path().join("data"));
    let panel = app.client.panel().await;
    for path in [
        "/_mito/api/network/services",
        "/_mito/api/queue/jobs",
        "/_mito/api/queue/queues",
        "/_mito/api/objects/buckets",
        "/_mito/api/notifications/mailbox",
        "/_mito/api/notifications/inbox",
        "/_mito/api/ai/runs",
        "/_mito/api/mobile/updates",
        "/_mito/api/gateway/http/routers",
        "/_mito/api/collections",
    ] {
        assert_eq!(panel.get(path).await.status, 200, "{path}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_for_this_machine() {
    let app = TestApp::start().await;
    app.client.get("api.localhost", "/health").await.unwrap();
    let metrics = app
        .client
        .get_from(app.client.entrypoints["traefik"], "/metrics")
        .await;
    assert_eq!(metrics.status, 200);
    assert!(
        metrics.text.contains("traefik_entrypoint_requests_total"),
        "{}",
        metrics.text
    );
    assert_eq!(
        app.client
            .get("api.localhost", "/metrics")
            .await
            .unwrap()
            .status,
        404
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_starter_that_does_not_exist_is_named() {
    let app = TestApp::start().await;
    crate::harness::create_admin(&app.folder.path().join("data"));
    let panel = app.client.panel().await;
    for (body, status) in [
        (json!({ "name": "shop" }), 404),
        (json!({ "nome": "content" }), 422),
        (json!("content"), 422),
    ] {
        let refused = panel.post("/_mito/api/starter", &body).await;
        assert_eq!(refused.status, status, "{body}: {}", refused.text);
        assert!(
            refused.header("content-type").contains("problem+json"),
            "{body}"
        );
        assert!(refused.json()["detail"].is_string(), "{body}");
    }
    app.stop().await;
}
