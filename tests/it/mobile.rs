//! An update is published and fetched as `expo-updates` does, through the gateway.

use reqwest::{Method, header};
use serde_json::json;

use crate::{
    client::answer,
    harness::{TestApp, create_admin},
};

const HOST: &str = "mobile-build.localhost";

#[tokio::test(flavor = "multi_thread")]
async fn a_published_update_is_what_a_client_gets() {
    let app = TestApp::start().await;
    create_admin(&app.folder.path().join("data"));
    let token = app.client.sign_in().await;
    let update = json!({
        "runtimeVersion": "1.0", "platform": "android", "message": "first",
        "launchAsset": { "key": "bundle", "contentType": "application/javascript" },
        "assets": [],
    });
    let body = format!(
        "--b\r\ncontent-disposition: form-data; name=\"update\"\r\n\r\n{update}\r\n\
         --b\r\ncontent-disposition: form-data; name=\"bundle\"\r\n\r\nrun()\r\n--b--\r\n"
    );
    let publish = |token: &str| {
        app.client
            .request(Method::POST, HOST, "/api/updates")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=b")
            .body(body.clone())
    };
    assert_eq!(answer(publish("a stranger")).await.unwrap().status, 401);
    let published = answer(publish(&token)).await.unwrap();
    assert!(
        published.status < 300,
        "{} {}",
        published.status,
        published.text
    );

    let manifest = app
        .client
        .request(Method::GET, HOST, "/api/manifest")
        .header(header::ACCEPT, "application/expo+json")
        .header("expo-protocol-version", "1")
        .header("expo-platform", "android")
        .header("expo-runtime-version", "1.0");
    let manifest = answer(manifest).await.unwrap();
    assert_eq!(manifest.status, 200, "{}", manifest.text);
    let manifest = manifest.json();
    let url = manifest["launchAsset"]["url"].as_str().unwrap();
    let path = url
        .split_once(HOST)
        .map_or(url, |(_, rest)| &rest[rest.find('/').unwrap()..]);
    let bundle = app.client.get(HOST, path).await.unwrap();
    assert_eq!((bundle.status, bundle.text.as_str()), (200, "run()"));
    app.stop().await;
}
