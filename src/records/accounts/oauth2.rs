//! Signing in with an account of another site: OAuth 2.0 with PKCE (RFC 6749, RFC 7636) and OpenID
//! Connect.
//!
//! | module | what it holds |
//! |---|---|
//! | [`sites`] | the sites that are known by name |
//! | [`exchange`] | the conversation with a site |
//! | [`person`] | what sites say of an account, in one form |
//! | [`id_token`] | identity tokens, checked |
//! | [`link`] | whose account here a person's is |
//! | [`apple`] | Apple's client secrets |
//! | [`values`] | what a new account begins with |
//! | [`logo`] | marks for buttons |

mod apple;
mod exchange;
mod id_token;
mod link;
mod logo;
mod person;
mod sites;
#[cfg(test)]
mod tests;
mod values;

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use mito_database::Tx;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::form_urlencoded;

use self::{
    exchange::{Configured, Tokens},
    person::Person,
};
use crate::{
    AuthMethod, AuthOutcome, Collection, Error, FieldError, Record, Records, RequestInfo,
    RuleContext,
    accounts::{
        options::{AuthOptions, OAuth2Provider},
        tokens::fingerprint,
    },
    fields::dates,
    records::text,
};

pub use apple::AppleSecret;

/// Characters of a state.
const STATE_LENGTH: usize = 30;
/// Characters of the password of an account that nobody has given one.
const PASSWORD_LENGTH: usize = 30;
/// How long the name that Apple sends with a code waits for the code.
const NAME_LIFE: Duration = Duration::from_mins(1);
/// The longest name that is kept, in characters.
const MAX_NAME: usize = 255;
/// How often a sign-in is tried that meets another of the same person.
const TRIES: u32 = 3;

/// A site that may be configured.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KnownSite {
    /// `google`, `github`, `oidc`, …
    pub name: &'static str,
    /// What people call it.
    pub display_name: &'static str,
    /// An SVG.
    pub logo: String,
}

/// How to sign in with a site: what the SDK needs.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OAuth2Method {
    /// `google`, `github`, `oidc`, …
    pub name: &'static str,
    /// Shown on the button.
    pub display_name: String,
    /// An SVG.
    pub logo: String,
    /// Comes back with the code.
    pub state: String,
    /// Where to send the person, up to the address to come back to, which is appended.
    #[serde(rename = "authURL")]
    pub auth_url: String,
    /// The same, as older clients know it.
    #[serde(rename = "authUrl")]
    pub old_auth_url: String,
    /// Comes with the code; empty without PKCE.
    pub code_verifier: String,
    /// Its hash.
    pub code_challenge: String,
    /// `S256`.
    pub code_challenge_method: String,
}

/// A code that a site has given.
#[derive(Clone, Debug, Default)]
pub struct OAuth2Code {
    /// The site.
    pub provider: String,
    /// The code.
    pub code: String,
    /// What its challenge was made of.
    pub code_verifier: String,
    /// Where the code was sent to.
    pub redirect_url: String,
    /// Values of the account, if it is a new one.
    pub create_data: Record,
}

type OAuth2SignIn = OAuth2Code;

/// The sites that may be configured.
pub fn known_sites() -> Vec<KnownSite> {
    let known = |site: &sites::Site| KnownSite {
        name: site.name,
        display_name: site.display_name,
        logo: logo::of(site),
    };
    sites::SITES.iter().map(known).collect()
}

impl Records {
    /// How to sign in with the sites of a collection; none when it is not allowed.
    pub fn oauth2_methods(&self, options: &AuthOptions) -> Vec<OAuth2Method> {
        if !options.oauth2.enabled {
            return Vec::new();
        }
        let providers = options.oauth2.providers.iter();
        providers
            .filter_map(configured)
            .map(|configured| self.oauth2_method(configured))
            .collect()
    }

    fn oauth2_method(&self, configured: Configured<'_>) -> OAuth2Method {
        let site = configured.site;
        let state = self.inner.random.id(STATE_LENGTH);
        let (verifier, challenge) = if configured.uses_pkce() {
            let verifier = self.inner.random.token();
            let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
            (verifier, challenge)
        } else {
            (String::new(), String::new())
        };
        let method = if challenge.is_empty() { "" } else { "S256" };
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("client_id", &configured.provider.client_id);
        if !challenge.is_empty() {
            query.append_pair("code_challenge", &challenge);
            query.append_pair("code_challenge_method", method);
        }
        if site.name == "apple" {
            // Apple sends names to a form alone.
            query.append_pair("response_mode", "form_post");
        }
        query.append_pair("response_type", "code");
        if !site.scopes.is_empty() {
            query.append_pair("scope", &site.scopes.join(" "));
        }
        query.append_pair("state", &state);
        let base = configured.auth_url();
        let separator = if base.contains('?') { '&' } else { '?' };
        let auth_url = format!("{base}{separator}{}&redirect_uri=", query.finish());
        OAuth2Method {
            name: site.name,
            display_name: configured.display_name().to_owned(),
            logo: logo::of(site),
            state,
            old_auth_url: auth_url.clone(),
            auth_url,
            code_verifier: verifier,
            code_challenge: challenge,
            code_challenge_method: method.to_owned(),
        }
    }

    /// Whether the collection has accounts of other sites at all.
    pub async fn require_oauth2(&self, collection: &str) -> Result<(), Error> {
        let collection = self.auth_collection(collection).await?;
        if AuthOptions::of(&collection).oauth2.enabled {
            return Ok(());
        }
        let message = "The collection is not configured to allow OAuth2 authentication.";
        Err(Error::Forbidden(message.to_owned()))
    }

    /// Signs in with the code of a site, with a new account if there is none.
    pub async fn sign_in_with_oauth2(
        &self,
        collection: &str,
        code: OAuth2Code,
        info: &RequestInfo,
    ) -> Result<AuthOutcome, Error> {
        let collection = self.auth_collection(collection).await?;
        let options = AuthOptions::of(&collection);
        let configured = find(&options, &code.provider)?;
        let failed = |what: &'static str| {
            let site = configured.site.name;
            move |reason: String| {
                tracing::info!(%reason, site, "a sign-in with another site failed");
                Error::Invalid(format!("Failed to fetch OAuth2 {what}."))
            }
        };
        let tokens = self.exchange_code(configured, &code).await;
        let tokens = tokens.map_err(failed("token"))?;
        let person = self.read_person(configured, &tokens).await;
        let mut person = person.map_err(failed("user"))?;
        if configured.site.name == "apple" && person.name.is_empty() {
            person.name = self.name_sent_with(&code.code);
        }
        let info = info.with_context(RuleContext::OAuth2);
        let (record, is_new) = self
            .account_of(&collection, &options, &code, &person, &info)
            .await?;
        let meta = meta(&person, &tokens, is_new, self.inner.clock.now_ms());
        let method = AuthMethod::OAuth2;
        self.sign_in_as(&collection.name, &record, method, &info, Some(meta))
            .await
    }

    /// The person's account, and whether it is new.
    async fn account_of(
        &self,
        collection: &Collection,
        options: &AuthOptions,
        code: &OAuth2Code,
        person: &Person,
        info: &RequestInfo,
    ) -> Result<(String, bool), Error> {
        let mut tried = 0;
        loop {
            tried += 1;
            if let Some(record) = self.existing(collection, code, person, info).await? {
                return Ok((record, false));
            }
            let values = self.values_of(collection, options, code, person).await;
            let created = self.create(&collection.name, values, info).await?;
            let record = text(&created, "id").unwrap_or_default().to_owned();
            let (records, name) = (self.clone(), collection.id.clone());
            let (site, whose, new) = (code.provider.clone(), person.clone(), record.clone());
            let link = move |tx: &mut Tx<'_>| {
                let collection = records.shared_collection_in(tx, &name)?;
                records.link_new(tx, &collection, &new, &site, &whose)
            };
            match self.inner.database.write(link).await {
                Ok(()) => return Ok((record, true)),
                Err(error) => {
                    // The same person was quicker elsewhere: this account is nobody's.
                    self.withdraw(collection, &record).await?;
                    if tried >= TRIES || !matches!(error, Error::Fields(_)) {
                        return Err(error);
                    }
                }
            }
        }
    }

    async fn existing(
        &self,
        collection: &Collection,
        code: &OAuth2Code,
        person: &Person,
        info: &RequestInfo,
    ) -> Result<Option<String>, Error> {
        let (records, name) = (self.clone(), collection.id.clone());
        let (site, person, info) = (code.provider.clone(), person.clone(), info.clone());
        let find = move |tx: &mut Tx<'_>| {
            let collection = records.shared_collection_in(tx, &name)?;
            records.find_linked(tx, &collection, &site, &person, &info)
        };
        let found = self.inner.database.write(find).await?;
        self.mark_all_ended(&found.ended);
        Ok(found.record)
    }

    /// Takes an account back that was made a moment ago.
    async fn withdraw(&self, collection: &Collection, record: &str) -> Result<(), Error> {
        let (records, name, record) = (self.clone(), collection.id.clone(), record.to_owned());
        let remove = move |tx: &mut Tx<'_>| {
            let collection = records.shared_collection_in(tx, &name)?;
            records.remove(tx, &collection, &record, None).map(|_| ())
        };
        self.inner.database.write(remove).await
    }

    /// Keeps the name that Apple sends with a code, and only with the first.
    pub fn keep_name_sent_with(&self, code: &str, name: &str) {
        let name: String = name.trim().chars().take(MAX_NAME).collect();
        if code.is_empty() || name.is_empty() {
            return;
        }
        let place = place_of_name(code);
        if let Err(error) = self
            .inner
            .cache
            .set(&place, Bytes::from(name), Some(NAME_LIFE))
        {
            tracing::debug!(%error, "a name is not kept");
        }
    }

    fn name_sent_with(&self, code: &str) -> String {
        let place = place_of_name(code);
        let name = self.inner.cache.get(&place);
        self.inner.cache.remove(&place);
        let name = name.and_then(|name| String::from_utf8(name.to_vec()).ok());
        name.unwrap_or_default()
    }
}

fn place_of_name(code: &str) -> String {
    format!("records:oauth2:name:{}", fingerprint(code))
}

fn configured(provider: &OAuth2Provider) -> Option<Configured<'_>> {
    let site = sites::find(&provider.name)?;
    Some(Configured { site, provider })
}

fn find<'a>(options: &'a AuthOptions, name: &str) -> Result<Configured<'a>, Error> {
    let mut providers = options.oauth2.providers.iter();
    let provider = providers.find(|provider| provider.name == name);
    provider.and_then(configured).ok_or_else(|| {
        let message = format!("Provider with name {name} is missing or is not enabled.");
        let error = FieldError::new("validation_invalid_provider", message).with("name", name);
        Error::field("provider", error)
    })
}

/// What clients are told of the person.
fn meta(person: &Person, tokens: &Tokens, is_new: bool, now_ms: i64) -> Value {
    let expiry = tokens.expires_in.map_or_else(String::new, |seconds| {
        dates::format_ms(now_ms.saturating_add(seconds.saturating_mul(1_000)))
    });
    json!({
        "id": person.id,
        "name": person.name,
        "username": person.username,
        "email": person.email,
        "avatarURL": person.avatar_url,
        "avatarUrl": person.avatar_url,
        "accessToken": tokens.access_token,
        "refreshToken": tokens.refresh_token,
        "expiry": expiry,
        "rawUser": person.raw,
        "isNew": is_new,
    })
}
