//! The protocol through the whole front, with requests signed as clients sign them.

mod hostile;
mod listing;
mod multipart;
mod objects;
mod signer;

use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode};
use mito_core::{Clock, Random};
use mito_database::{Database, Options, database::Location};
use mito_network::HttpService;
use tempfile::TempDir;
use tower::Service as _;

use self::signer::{Payload, Signer};
use crate::{
    Config, MIGRATIONS, Objects,
    store::{BlobFault, Dependencies},
};

pub(crate) const PASSWORD: &str = "a-secret-for-tests";

/// Object storage in a temporary folder.
pub(crate) struct Storage {
    pub(crate) objects: Objects,
    pub(crate) fault: BlobFault,
    pub(crate) folder: TempDir,
    pub(crate) service: HttpService,
}

/// An answer, read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// The body ended with an error.
    pub(crate) broken: bool,
}

impl Storage {
    pub(crate) async fn new() -> Self {
        Self::with(Config::default()).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        Self::with_database(config, mito_database::database::Config::default()).await
    }

    pub(crate) async fn with_database(
        config: Config,
        database: mito_database::database::Config,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = Options {
            location: Location::File(folder.path().join("objects.db")),
            config: database,
            clock: Clock::system(),
        };
        let database = Database::open(options, &[MIGRATIONS]).await.unwrap();
        let fault = BlobFault::default();
        let dependencies = Dependencies {
            database,
            folder: folder.path().join("objects"),
            root_password: PASSWORD.to_owned().into(),
            domain: "example.org".to_owned(),
            clock: Clock::system(),
            random: Random::system(),
            fault: Some(fault.clone()),
        };
        let config = Config {
            bucket: "inbox".to_owned(),
            ..config
        };
        let objects = Objects::new(config, dependencies);
        objects.recover().await.unwrap();
        let service = objects.service();
        Self {
            objects,
            fault,
            folder,
            service,
        }
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.service.clone().call(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let mut bytes = Vec::new();
        let mut broken = false;
        let mut stream = body.into_data_stream();
        while let Some(piece) = futures_util::StreamExt::next(&mut stream).await {
            match piece {
                Ok(piece) => bytes.extend_from_slice(&piece),
                Err(_) => broken = true,
            }
        }
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: bytes,
            broken,
        }
    }

    /// Signs and sends a request.
    pub(crate) async fn call(
        &self,
        method: Method,
        target: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Answer {
        let body = body.into();
        let request = Signer::default().sign(method, target, headers, &Payload::Hashed(body));
        self.send(request).await
    }

    pub(crate) async fn put(&self, target: &str, body: impl Into<Vec<u8>>) -> Answer {
        self.call(Method::PUT, target, &[], body).await
    }

    pub(crate) async fn get(&self, target: &str) -> Answer {
        self.call(Method::GET, target, &[], Vec::new()).await
    }

    pub(crate) async fn delete(&self, target: &str) -> Answer {
        self.call(Method::DELETE, target, &[], Vec::new()).await
    }

    /// The files below the blob folder.
    pub(crate) fn files(&self) -> Vec<std::path::PathBuf> {
        let mut files = Vec::new();
        let mut folders = vec![self.folder.path().join("objects")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                if entry.file_type().unwrap().is_dir() {
                    folders.push(entry.path());
                } else {
                    files.push(entry.path());
                }
            }
        }
        files
    }
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// The content of the first element of that name.
    pub(crate) fn element(&self, name: &str) -> Option<String> {
        self.elements(name).into_iter().next()
    }

    /// The contents of all elements of that name.
    pub(crate) fn elements(&self, name: &str) -> Vec<String> {
        let text = self.text();
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let pieces = text.split(open.as_str()).skip(1);
        pieces
            .filter_map(|piece| Some(piece.split_once(&close)?.0.to_owned()))
            .collect()
    }

    /// `200`, or the status and the code of an error.
    pub(crate) fn outcome(&self) -> String {
        if self.status.is_success() {
            return self.status.as_u16().to_string();
        }
        let code = if self.body.is_empty() {
            None
        } else {
            self.element("Code")
        };
        format!("{} {}", self.status.as_u16(), code.unwrap_or_default())
            .trim_end()
            .to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}
