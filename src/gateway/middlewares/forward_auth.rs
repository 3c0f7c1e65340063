//! `forwardAuth`: another server decides who may come in. It is asked with the head of every
//! request; what it answers with 2xx is let through with some of its headers, and any other answer
//! is the client's.

mod request;
mod response;

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use mito_network::Problem;
use regex::Regex;
use url::Url;

use super::{
    answers,
    bodies::ReadAhead,
    chain::{Context, Layer, Next, Outgoing, User},
    outgoing::Client,
    rewriting,
};
use crate::dynamic::middlewares::ForwardAuth as Options;

/// How long the server may take, as in Traefik.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The largest body of a request that it is sent, if nothing else was said, in bytes. Traefik has
/// no bound, and warns of that.
const MAX_BODY_BYTES: u64 = 2 * 1024 * 1024;
/// The largest answer that is taken from it, if nothing else was said, in bytes.
const MAX_ANSWER_BYTES: u64 = 2 * 1024 * 1024;

/// Whom to ask and what to make of the answer.
pub(super) struct ForwardAuth {
    /// Without credentials.
    address: Url,
    /// `Basic` of the credentials in the address.
    authorization: Option<HeaderValue>,
    /// With its own authorities; the gateway's if there is none.
    client: Option<Client>,
    options: Options,
    response_headers: Vec<HeaderName>,
    response_headers_pattern: Option<Regex>,
    request_headers: Vec<HeaderName>,
    user_header: Option<HeaderName>,
    max_body_bytes: u64,
    max_answer_bytes: u64,
    sign_in: Option<HeaderValue>,
}

/// Why the request does not go on.
enum Stop {
    /// The server did not answer.
    Failed(String),
    /// Something is larger than it may be.
    TooLarge,
    /// The client broke off.
    Gone,
}

impl ForwardAuth {
    pub(super) fn build(options: &Options) -> Result<Self, String> {
        let (address, authorization) = read_address(&options.address)?;
        let tls = options.tls.as_ref().map(Client::with_tls).transpose();
        let pattern = match options.auth_response_headers_regex.as_str() {
            "" => None,
            text => Some(rewriting::pattern("authResponseHeadersRegex", text)?),
        };
        let user_header = match options.header_field.as_str() {
            "" => None,
            name => names("headerField", std::slice::from_ref(&name.to_owned()))?.pop(),
        };
        let sign_in = match options.auth_signin_url.as_str() {
            "" => None,
            url => Some(
                HeaderValue::try_from(url)
                    .map_err(|_| format!("authSigninURL: {url:?} cannot stand in a header"))?,
            ),
        };
        let bytes = |given: Option<i64>, most| match given.map(u64::try_from) {
            Some(Ok(bytes)) => bytes,
            Some(Err(_)) | None => most,
        };
        Ok(Self {
            address,
            authorization,
            client: tls.map_err(|error| format!("tls.{error}"))?,
            options: options.clone(),
            response_headers: names("authResponseHeaders", &options.auth_response_headers)?,
            response_headers_pattern: pattern,
            request_headers: names("authRequestHeaders", &options.auth_request_headers)?,
            user_header,
            max_body_bytes: bytes(options.max_body_size, MAX_BODY_BYTES),
            max_answer_bytes: bytes(options.max_response_body_size, MAX_ANSWER_BYTES),
            sign_in,
        })
    }

    /// Asks the server about a request, and gives that back with its body.
    async fn ask(
        &self,
        context: &Context,
        request: Request<Body>,
    ) -> Result<(Request<Body>, Response<ReadAhead>), Stop> {
        let (parts, body) = request.into_parts();
        let mut question = self.question(context, &parts);
        let body = if self.options.forward_body {
            let read = ReadAhead::of(body, self.max_body_bytes).await;
            let read = read.map_err(|_| Stop::Gone)?;
            let whole = read.all().filter(|_| read.bytes() <= self.max_body_bytes);
            *question.body_mut() = Body::from(whole.ok_or(Stop::TooLarge)?);
            Body::new(read)
        } else {
            body
        };
        let outgoing: &dyn Outgoing = match &self.client {
            Some(client) => client,
            None => &*context.outgoing,
        };
        let answer = async {
            let answer = outgoing.send(question).await.map_err(Stop::Failed)?;
            let (parts, body) = answer.into_parts();
            let read = ReadAhead::of(body, self.max_answer_bytes).await;
            let read = read.map_err(|error| Stop::Failed(error.to_string()))?;
            if read.bytes() > self.max_answer_bytes {
                return Err(Stop::TooLarge);
            }
            Ok(Response::from_parts(parts, read))
        };
        let answer = tokio::time::timeout(TIMEOUT, answer).await;
        let answer = answer.unwrap_or_else(|_| Err(Stop::Failed("it took too long".to_owned())))?;
        Ok((Request::from_parts(parts, body), answer))
    }

    fn stopped(&self, context: &Context, stop: &Stop) -> Response<Body> {
        match stop {
            Stop::Failed(error) => {
                let host = self.address.host_str().unwrap_or_default();
                tracing::debug!(%error, host, "the server of a forwardAuth did not answer");
                let detail = "The server that decides who may come in did not answer.";
                let problem = Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail);
                context.reader.answer(problem)
            }
            Stop::TooLarge => answers::of_status(StatusCode::UNAUTHORIZED),
            Stop::Gone => answers::of_status(StatusCode::BAD_REQUEST),
        }
    }
}

impl Layer for ForwardAuth {
    fn handle<'a>(
        &'a self,
        context: &'a Context,
        request: Request<Body>,
        next: Next<'a>,
    ) -> BoxFuture<'a, Response<Body>> {
        Box::pin(async move {
            let (mut request, answer) = match self.ask(context, request).await {
                Ok(asked) => asked,
                Err(stop) => return self.stopped(context, &stop),
            };
            if !answer.status().is_success() {
                return self.refusal(answer);
            }
            // Its body is nobody's, and the request may be a connection that stays for days.
            let (answer, _) = answer.into_parts();
            self.take_headers(&answer.headers, request.headers_mut());
            let mut response = next.run(request).await;
            self.add_cookies(&answer.headers, response.headers_mut());
            if let Some(user) = self.user(&answer.headers) {
                response.extensions_mut().insert(user);
            }
            response
        })
    }
}

impl ForwardAuth {
    /// Who the server says the client is.
    fn user(&self, answer: &HeaderMap) -> Option<User> {
        let name = answer.get(self.user_header.as_ref()?)?;
        Some(User(Arc::from(name.to_str().ok()?)))
    }
}

/// The address without its credentials, and those as a header.
fn read_address(text: &str) -> Result<(Url, Option<HeaderValue>), String> {
    let wrong = || {
        // It may hold a password, so it is not shown.
        "address: it is not one such as http://auth.internal:9091/verify".to_owned()
    };
    let mut url = Url::parse(text).map_err(|_| wrong())?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(wrong());
    }
    let decoded = |text: &str| {
        // The decoder is that of queries, to which these two would say something.
        let text = text.replace('+', "%2B").replace('&', "%26");
        let mut pairs = url::form_urlencoded::parse(text.as_bytes());
        pairs
            .next()
            .map_or_else(String::new, |(text, _)| text.into_owned())
    };
    let authorization = match (url.username(), url.password()) {
        ("", None) => None,
        (name, password) => Some(request::basic(
            &decoded(name),
            &decoded(password.unwrap_or_default()),
        )),
    };
    // Neither fails for an address with a host.
    url.set_username("").map_err(|()| wrong())?;
    url.set_password(None).map_err(|()| wrong())?;
    url.set_fragment(None);
    Ok((url, authorization.flatten()))
}

/// Reads names of headers; `option` is the list's.
fn names(option: &str, texts: &[String]) -> Result<Vec<HeaderName>, String> {
    let read = |(at, text): (usize, &String)| {
        text.trim()
            .parse()
            .map_err(|_| format!("{option}[{at}]: {text:?} is not the name of a header"))
    };
    texts.iter().enumerate().map(read).collect()
}

#[cfg(test)]
mod tests;
