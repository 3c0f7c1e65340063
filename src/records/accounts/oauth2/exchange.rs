//! The conversation with a site: a code becomes a token, and a token a person. All of it goes out
//! through the platform's egress, which bounds it and keeps it off private addresses.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{Method, Request, Response, header};
use jsonwebtoken::jwk::JwkSet;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::{
    OAuth2SignIn, apple, id_token,
    person::{self, Person},
    sites::{Reading, Site},
};
use crate::{Records, accounts::options::OAuth2Provider, accounts::tokens::fingerprint};

/// How long a provider's keys are kept.
const KEYS_LIFE: Duration = Duration::from_mins(10);
/// The largest answer to the questions asked here, in bytes.
const MAX_ANSWER: usize = 1024 * 1024;
/// What we call ourselves; some sites refuse clients without a name.
const USER_AGENT: &str = "mito";

/// What a code was exchanged for.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    pub(super) access_token: String,
    pub(super) refresh_token: String,
    /// When the access token expires, in seconds from now.
    pub(super) expires_in: Option<i64>,
    /// All that the site answered.
    pub(super) raw: Value,
}

/// A site with what the administrator has set for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Configured<'a> {
    pub(super) site: &'static Site,
    pub(super) provider: &'a OAuth2Provider,
}

fn first<'a>(set: &'a str, default: &'a str) -> &'a str {
    if set.is_empty() { default } else { set }
}

impl<'a> Configured<'a> {
    pub(super) fn auth_url(&self) -> &'a str {
        first(&self.provider.auth_url, self.site.auth_url)
    }

    fn token_url(&self) -> &'a str {
        first(&self.provider.token_url, self.site.token_url)
    }

    fn user_url(&self) -> &'a str {
        first(&self.provider.user_info_url, self.site.user_url)
    }

    pub(super) fn display_name(&self) -> &'a str {
        first(&self.provider.display_name, self.site.display_name)
    }

    pub(super) fn uses_pkce(&self) -> bool {
        self.provider.pkce.unwrap_or(self.site.pkce)
    }

    /// Where the keys of identity tokens are; empty when nobody said.
    fn keys_url(&self) -> &str {
        if self.site.name == "apple" {
            return apple::KEYS;
        }
        let url = self.provider.extra.get("jwksURL").and_then(Value::as_str);
        url.unwrap_or_default()
    }

    fn issuers(&self) -> Vec<String> {
        if self.site.name == "apple" {
            return vec![apple::ISSUER.to_owned()];
        }
        match self.provider.extra.get("issuers") {
            Some(Value::Array(issuers)) => issuers
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            Some(Value::String(issuer)) => vec![issuer.clone()],
            _ => Vec::new(),
        }
    }
}

impl Records {
    /// The tokens that the code is good for. The client is named in a header, and where the site
    /// does not take that (RFC 6749 §2.3.1 leaves it the choice) in the form.
    pub(super) async fn exchange_code(
        &self,
        configured: Configured<'_>,
        sign_in: &OAuth2SignIn,
    ) -> Result<Tokens, String> {
        let provider = configured.provider;
        let mut form = vec![
            ("code", sign_in.code.as_str()),
            ("grant_type", "authorization_code"),
            ("redirect_uri", sign_in.redirect_url.as_str()),
        ];
        if !sign_in.code_verifier.is_empty() {
            form.push(("code_verifier", &sign_in.code_verifier));
        }
        let escape =
            |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let credentials = STANDARD.encode(format!(
            "{}:{}",
            escape(&provider.client_id),
            escape(&provider.client_secret)
        ));
        let by_header = self
            .ask_for_tokens(configured, &form, Some(&credentials))
            .await;
        match by_header {
            Ok(tokens) => Ok(tokens),
            Err(Refusal::Site) => {
                form.push(("client_id", &provider.client_id));
                form.push(("client_secret", &provider.client_secret));
                let by_form = self.ask_for_tokens(configured, &form, None).await;
                by_form.map_err(|_| "the site refused the code".to_owned())
            }
            Err(Refusal::Failed(reason)) => Err(reason),
        }
    }

    async fn ask_for_tokens(
        &self,
        configured: Configured<'_>,
        form: &[(&str, &str)],
        credentials: Option<&str>,
    ) -> Result<Tokens, Refusal> {
        let body: String = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(configured.token_url())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json")
            .header(header::USER_AGENT, USER_AGENT);
        if let Some(credentials) = credentials {
            request = request.header(header::AUTHORIZATION, format!("Basic {credentials}"));
        }
        let request = request.body(Bytes::from(body)).map_err(failed)?;
        let answer = self.inner.egress.send(request).await.map_err(failed)?;
        if !answer.status().is_success() {
            return Err(Refusal::Site);
        }
        tokens(&answer).ok_or(Refusal::Site)
    }

    /// Who the account is that the tokens are of.
    pub(super) async fn read_person(
        &self,
        configured: Configured<'_>,
        tokens: &Tokens,
    ) -> Result<Person, String> {
        let site = configured.site;
        let asks = !configured.user_url().is_empty() && site.reading != Reading::IdToken;
        let claims = self.read_id_token(configured, tokens, asks).await?;
        if !asks {
            let claims = claims.ok_or("the site sent no identity token")?;
            return Ok(person::of(site.name, &claims)?);
        }
        let raw = self.ask(configured, configured.user_url(), tokens).await?;
        if claims.is_some_and(|claims| claims.get("sub") != raw.get("sub")) {
            return Err("the identity token is somebody else's".to_owned());
        }
        let mut person = person::of(site.name, &raw)?;
        let list = match site.name {
            "github" | "bitbucket" | "gitea" => format!("{}/emails", configured.user_url()),
            "gitee" => "https://gitee.com/api/v5/emails".to_owned(),
            "vk" => {
                let email = tokens.raw.get("email").and_then(Value::as_str);
                person.email = email.unwrap_or_default().to_owned();
                return Ok(person);
            }
            "microsoft" => {
                // In a directory of one's own, its administrator gives the addresses; in all others
                // anybody enters what they like.
                person.owns_email = !["/common/", "/organizations/", "/consumers/"]
                    .iter()
                    .any(|shared| configured.token_url().contains(shared));
                return Ok(person);
            }
            _ => return Ok(person),
        };
        // An account without an address may sign in all the same.
        match self.ask(configured, &list, tokens).await {
            Ok(list) => {
                person.email = person::primary_address(site.name, &list).unwrap_or_default();
                person.owns_email = !person.email.is_empty();
            }
            Err(reason) => tracing::debug!(%reason, site = site.name, "a site tells no addresses"),
        }
        Ok(person)
    }

    /// The claims of the identity token: needed when nothing else says who it is, and looked at
    /// whenever its signature can be checked.
    async fn read_id_token(
        &self,
        configured: Configured<'_>,
        tokens: &Tokens,
        asks: bool,
    ) -> Result<Option<Value>, String> {
        let token = tokens.raw.get("id_token").and_then(Value::as_str);
        let Some(token) = token.filter(|token| !token.is_empty()) else {
            return Ok(None);
        };
        let is_meant = configured.site.is_oidc() || configured.site.name == "apple";
        let url = configured.keys_url();
        if !is_meant || (asks && url.is_empty()) {
            return Ok(None);
        }
        let keys = if url.is_empty() {
            None
        } else {
            Some(self.keys(url, token).await?)
        };
        let expected = id_token::Expected {
            client_id: &configured.provider.client_id,
            issuers: &configured.issuers(),
            now_ms: self.inner.clock.now_ms(),
        };
        id_token::claims(token, keys.as_ref(), &expected).map(Some)
    }

    /// The provider's keys; asked for again when the one of the token is not among those kept.
    async fn keys(&self, url: &str, token: &str) -> Result<JwkSet, String> {
        let place = format!("records:oauth2:keys:{}", fingerprint(url));
        let wanted = id_token::key_id(token);
        let has = |keys: &JwkSet| wanted.as_ref().is_none_or(|id| keys.find(id).is_some());
        let kept = self.inner.cache.get(&place);
        let kept = kept.and_then(|keys| serde_json::from_slice::<JwkSet>(&keys).ok());
        if let Some(keys) = kept.filter(has) {
            return Ok(keys);
        }
        let request = Request::get(url)
            .header(header::ACCEPT, "application/json")
            .header(header::USER_AGENT, USER_AGENT)
            .body(Bytes::new())
            .map_err(|error| error.to_string())?;
        let answer = self.inner.egress.send(request).await;
        let answer = json_of(answer.map_err(|error| error.to_string())?)?;
        let keys = serde_json::from_value(answer.clone()).map_err(|error| error.to_string())?;
        let text = Bytes::from(answer.to_string());
        if let Err(error) = self.inner.cache.set(&place, text, Some(KEYS_LIFE)) {
            tracing::debug!(%error, "a provider's keys are not kept");
        }
        Ok(keys)
    }

    /// Asks the site something in the name of the account.
    async fn ask(
        &self,
        configured: Configured<'_>,
        url: &str,
        tokens: &Tokens,
    ) -> Result<Value, String> {
        let client_id = configured.provider.client_id.as_str();
        let mut request = Request::builder()
            .uri(url)
            .header(header::ACCEPT, "application/json")
            .header(header::USER_AGENT, USER_AGENT)
            .header(
                header::AUTHORIZATION,
                format!("Bearer {}", tokens.access_token),
            );
        request = match configured.site.name {
            "notion" => request.header("notion-version", "2022-06-28"),
            "twitch" => request.header("client-id", client_id),
            "trakt" => request
                .header("trakt-api-key", client_id)
                .header("trakt-api-version", "2"),
            _ => request,
        };
        let body = match configured.site.reading {
            Reading::GraphQl(query) => {
                request = request
                    .method(Method::POST)
                    .header(header::CONTENT_TYPE, "application/json");
                Bytes::from(json!({"query": query}).to_string())
            }
            Reading::Get | Reading::IdToken => Bytes::new(),
        };
        let request = request.body(body).map_err(|error| error.to_string())?;
        let answer = self.inner.egress.send(request).await;
        json_of(answer.map_err(|error| error.to_string())?)
    }

    /// A picture; `None` when there is none that could be a file of a record.
    pub(super) async fn picture(&self, url: &str, max_bytes: usize) -> Option<Bytes> {
        let request = Request::get(url).header(header::USER_AGENT, USER_AGENT);
        let request = request.body(Bytes::new()).ok()?;
        match self.inner.egress.send(request).await {
            Ok(answer) if answer.status().is_success() && answer.body().len() <= max_bytes => {
                Some(answer.into_body())
            }
            Ok(answer) => {
                let status = answer.status().as_u16();
                tracing::debug!(status, "a picture was not taken over");
                None
            }
            Err(error) => {
                tracing::debug!(%error, "a picture was not taken over");
                None
            }
        }
    }
}

/// Why there are no tokens.
enum Refusal {
    /// The site said no.
    Site,
    /// The site was not reached.
    Failed(String),
}

fn failed(error: impl ToString) -> Refusal {
    Refusal::Failed(error.to_string())
}

/// The tokens of an answer: JSON, or a form as some sites write it.
fn tokens(answer: &Response<Bytes>) -> Option<Tokens> {
    let body = answer.body();
    if body.len() > MAX_ANSWER {
        return None;
    }
    let raw: Value = serde_json::from_slice(body).unwrap_or_else(|_| {
        let pairs = form_urlencoded::parse(body);
        let pairs = pairs.map(|(name, value)| (name.into_owned(), json!(value)));
        Value::Object(pairs.collect())
    });
    let text = |name: &str| {
        let text = raw.get(name).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let expires_in = match raw.get("expires_in") {
        Some(Value::Number(seconds)) => seconds.as_i64(),
        Some(Value::String(seconds)) => seconds.parse().ok(),
        _ => None,
    };
    let tokens = Tokens {
        access_token: text("access_token"),
        refresh_token: text("refresh_token"),
        expires_in: expires_in.filter(|seconds| *seconds > 0),
        raw,
    };
    (!tokens.access_token.is_empty()).then_some(tokens)
}

fn json_of(answer: Response<Bytes>) -> Result<Value, String> {
    let status = answer.status();
    if !status.is_success() {
        return Err(format!("the site answered {status}"));
    }
    if answer.body().len() > MAX_ANSWER {
        return Err("the site's answer is too large".to_owned());
    }
    serde_json::from_slice(answer.body()).map_err(|error| error.to_string())
}
