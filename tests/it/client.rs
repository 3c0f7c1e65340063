//! Speaks to the platform as its users do: HTTP by host name, S3 with a real client.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use object_store::{ObjectStore, aws::AmazonS3Builder};
use reqwest::{Method, header};
use serde_json::{Value, json};

use crate::harness::{ADMIN, PASSWORD, SECRET_KEY};

/// Where the platform listens.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    pub(crate) entrypoints: BTreeMap<String, SocketAddr>,
    pub(crate) services: BTreeMap<String, SocketAddr>,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|_| panic!("{} is no JSON: {:?}", self.status, self.text))
    }

    /// A header's text, empty if it is absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

impl Client {
    pub(crate) fn new(
        entrypoints: BTreeMap<String, SocketAddr>,
        services: BTreeMap<String, SocketAddr>,
    ) -> Self {
        // The client wants a TLS provider even for plain HTTP; a second call changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Self {
            http,
            entrypoints,
            services,
        }
    }

    /// A request for `host` by the entry point `web`.
    pub(crate) fn request(
        &self,
        method: Method,
        host: &str,
        path: &str,
    ) -> reqwest::RequestBuilder {
        let url = format!("http://{}{path}", self.entrypoints["web"]);
        self.http.request(method, url).header(header::HOST, host)
    }

    pub(crate) async fn get(&self, host: &str, path: &str) -> reqwest::Result<Answer> {
        answer(self.request(Method::GET, host, path)).await
    }

    /// A GET straight to an entry point or published service.
    pub(crate) async fn get_from(&self, address: SocketAddr, path: &str) -> Answer {
        answer(self.http.get(format!("http://{address}{path}")))
            .await
            .unwrap()
    }

    /// An administrator's bearer token.
    pub(crate) async fn sign_in(&self) -> String {
        let request = self
            .request(
                Method::POST,
                "api.localhost",
                "/api/collections/_superusers/auth-with-password",
            )
            .json(&json!({ "identity": ADMIN, "password": PASSWORD }));
        let answer = answer(request).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["token"].as_str().unwrap().to_owned()
    }

    /// All records of a collection that match a filter, as the administrator.
    pub(crate) async fn records(&self, token: &str, collection: &str, filter: &str) -> Vec<Value> {
        let request = self
            .request(
                Method::GET,
                "api.localhost",
                &format!("/api/collections/{collection}/records"),
            )
            .query(&[("filter", filter), ("perPage", "500")])
            .header(header::AUTHORIZATION, token);
        let answer = answer(request).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["items"].as_array().unwrap().clone()
    }

    /// A page of the control panel that nobody has signed in to yet.
    pub(crate) async fn visit(&self) -> Panel {
        Panel {
            client: self.clone(),
            cookie: String::new(),
            csrf: String::new(),
        }
        .reload()
        .await
    }

    /// A session of the control panel.
    pub(crate) async fn panel(&self) -> Panel {
        let mut panel = self.visit().await;
        let credentials = json!({ "email": ADMIN, "password": PASSWORD });
        let signed_in = panel.post("/_mito/api/session", &credentials).await;
        assert!(
            signed_in.status < 300,
            "{} {}",
            signed_in.status,
            signed_in.text
        );
        let cookie = signed_in.header("set-cookie").split(';').next();
        panel.cookie = cookie.map(str::to_owned).unwrap();
        panel.reload().await
    }

    /// An S3 client for a bucket, through the published port as programs on this machine do.
    pub(crate) fn s3(&self, bucket: &str) -> Arc<dyn ObjectStore> {
        self.s3_with(bucket, SECRET_KEY)
    }

    /// An S3 client with a secret key of one's own.
    pub(crate) fn s3_with(&self, bucket: &str, secret_key: &str) -> Arc<dyn ObjectStore> {
        let retry = object_store::RetryConfig {
            max_retries: 0,
            ..Default::default()
        };
        let store = AmazonS3Builder::new()
            .with_endpoint(format!("http://{}", self.services["minio"]))
            .with_allow_http(true)
            .with_region("us-east-1")
            .with_bucket_name(bucket)
            .with_access_key_id("mito")
            .with_secret_access_key(secret_key)
            .with_retry(retry)
            .build()
            .unwrap();
        Arc::new(store)
    }
}

/// A browser on the control panel.
pub(crate) struct Panel {
    client: Client,
    cookie: String,
    csrf: String,
}

impl Panel {
    pub(crate) async fn get(&self, path: &str) -> Answer {
        let request = self
            .client
            .request(Method::GET, "admin.localhost", path)
            .header(header::COOKIE, &self.cookie);
        answer(request).await.unwrap()
    }

    /// Reads the session as a page does when it loads: the CSRF token belongs to it.
    async fn reload(mut self) -> Self {
        let session = self.get("/_mito/api/session").await.json();
        self.csrf = session["csrf"].as_str().map(str::to_owned).unwrap();
        self
    }

    /// All items of a list whose path ends in a query, page by page.
    pub(crate) async fn items(&self, path: &str) -> Vec<Value> {
        let (mut items, mut page) = (Vec::new(), path.to_owned());
        loop {
            let answer = self.get(&page).await;
            assert_eq!(answer.status, 200, "{page}: {}", answer.text);
            let list = answer.json();
            items.extend(list["items"].as_array().unwrap().iter().cloned());
            let Some(next) = list["next"].as_str() else {
                return items;
            };
            page = format!("{path}&before={next}");
        }
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        let request = self
            .client
            .request(Method::POST, "admin.localhost", path)
            .header(header::COOKIE, &self.cookie)
            .header(header::ORIGIN, "http://admin.localhost")
            .header("x-mito-csrf", &self.csrf)
            .json(body);
        answer(request).await.unwrap()
    }
}

/// Sends a request and reads the answer whole.
pub(crate) async fn answer(request: reqwest::RequestBuilder) -> reqwest::Result<Answer> {
    let response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Ok(Answer {
        status,
        headers,
        text: response.text().await?,
    })
}
