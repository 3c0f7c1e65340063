//! The account at the authority, one for all hosts and for both clients. It is made by instant-acme,
//! which tries again after a refused nonce and knows external accounts; rustls-acme takes its key.

use std::sync::Arc;

use instant_acme::{Account, AccountBuilder, AccountCredentials, ExternalAccountKey, NewAccount};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::{http::Http, issuer::Failure, settings::Settings, store::Store, thorough::failure};

/// Opens the account, or makes it.
pub(super) struct Accounts {
    settings: Settings,
    store: Store,
    pub(super) http: Http,
    open: Mutex<Option<Open>>,
}

#[derive(Clone)]
struct Open {
    account: Account,
    key: Arc<[u8]>,
}

/// The account as it is stored.
#[derive(Serialize, Deserialize)]
struct Stored {
    contact: Vec<String>,
    /// Which external account it is bound to.
    kid: Option<String>,
    credentials: AccountCredentials,
}

impl Accounts {
    /// Opens nothing yet.
    pub(super) fn new(settings: Settings, store: Store, http: Http) -> Self {
        Self {
            settings,
            store,
            http,
            open: Mutex::default(),
        }
    }

    /// The account.
    pub(super) async fn account(&self) -> Result<Account, Failure> {
        Ok(self.open().await?.account)
    }

    /// The key of the account, as PKCS #8.
    pub(super) async fn key(&self) -> Result<Vec<u8>, Failure> {
        Ok(self.open().await?.key.to_vec())
    }

    /// Has another account made at the next order, because the authority does not know this one. Of
    /// several orders that find out, the first replaces it and the others take what that made.
    pub(super) async fn forget(&self, id: &str) {
        let mut open = self.open.lock().await;
        if open.as_ref().is_some_and(|open| open.account.id() == id) {
            self.store.forget_account();
            *open = None;
        }
    }

    async fn open(&self) -> Result<Open, Failure> {
        // Held over the exchange, so that hosts that start together make one account.
        let mut open = self.open.lock().await;
        if let Some(open) = &*open {
            return Ok(open.clone());
        }
        let opened = match self.store.account::<Stored>() {
            Some(stored) if stored.kid == self.kid() => self.restore(stored).await?,
            _ => self.make().await?,
        };
        *open = Some(opened.clone());
        Ok(opened)
    }

    async fn restore(&self, mut stored: Stored) -> Result<Open, Failure> {
        let key = stored.credentials.private_key().secret_pkcs8_der().into();
        let changed = stored.contact != self.settings.contact;
        stored.contact.clone_from(&self.settings.contact);
        let again = serde_json::to_vec(&stored).map_err(unreadable)?;
        let account = self
            .builder()
            .from_credentials(stored.credentials)
            .await
            .map_err(|error| failure(&error, None))?;
        if changed {
            let contact: Vec<&str> = self.settings.contact.iter().map(String::as_str).collect();
            match account.update_contacts(&contact).await {
                Ok(()) => self.keep(again).await,
                Err(error) => tracing::warn!(%error, "the authority keeps the old e-mail address"),
            }
        }
        Ok(Open { account, key })
    }

    async fn make(&self) -> Result<Open, Failure> {
        let contact: Vec<&str> = self.settings.contact.iter().map(String::as_str).collect();
        let new = NewAccount {
            contact: &contact,
            terms_of_service_agreed: true,
            only_return_existing: false,
        };
        let external = self.settings.external.as_ref().map(|external| {
            ExternalAccountKey::new(external.kid.clone(), external.key.expose_secret())
        });
        let directory = self.settings.directory.clone();
        let (account, credentials) = self
            .builder()
            .create(&new, directory, external.as_ref())
            .await
            .map_err(|error| failure(&error, self.http.take_wish()))?;
        tracing::info!(
            directory = self.settings.directory,
            "made an account at the certificate authority"
        );
        let stored = Stored {
            contact: self.settings.contact.clone(),
            kid: self.kid(),
            credentials,
        };
        self.keep(serde_json::to_vec(&stored).map_err(unreadable)?)
            .await;
        let key = stored.credentials.private_key().secret_pkcs8_der().into();
        Ok(Open { account, key })
    }

    fn builder(&self) -> AccountBuilder {
        Account::builder_with_http(Box::new(self.http.clone()))
    }

    fn kid(&self) -> Option<String> {
        let external = self.settings.external.as_ref()?;
        Some(external.kid.clone())
    }

    /// What cannot be kept serves until the next start: to make another one at once would not help, and
    /// authorities count that.
    async fn keep(&self, stored: Vec<u8>) {
        let store = self.store.clone();
        let kept = tokio::task::spawn_blocking(move || store.keep_account(&stored)).await;
        if let Ok(Err(error)) = kept {
            tracing::error!(
                error,
                "the account at the certificate authority cannot be kept"
            );
        }
    }
}

fn unreadable(error: serde_json::Error) -> Failure {
    Failure::Broken(format!("the stored account cannot be read: {error}"))
}
