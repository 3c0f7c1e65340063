//! Which pages of other origins may use a service (Fetch standard, §3.2).

use axum::body::Body;
use http::{HeaderMap, HeaderValue, Method, Request, Response, header};
use regex::Regex;

use super::value;
use crate::{dynamic::middlewares::Headers as Options, middlewares::rewriting};

/// What pages of other origins may do.
pub(super) struct Cors {
    /// Whether an option says anything; preflights are the service's otherwise.
    applies: bool,
    credentials: bool,
    headers: Option<HeaderValue>,
    methods: Option<HeaderValue>,
    exposed: Option<HeaderValue>,
    max_age: HeaderValue,
    origins: Vec<String>,
    patterns: Vec<Regex>,
    vary: bool,
}

impl Cors {
    pub(super) fn build(options: &Options) -> Result<Self, String> {
        let list = |option: &str, list: &[String]| match list {
            [] => Ok(None),
            list => value(option, &list.join(",")).map(Some),
        };
        let pattern = |(at, text): (usize, &String)| {
            let option = format!("accessControlAllowOriginListRegex[{at}]");
            rewriting::pattern(&option, text)
        };
        let patterns = options.access_control_allow_origin_list_regex.iter();
        let cors = Self {
            applies: true,
            credentials: options.access_control_allow_credentials,
            headers: list(
                "accessControlAllowHeaders",
                &options.access_control_allow_headers,
            )?,
            methods: list(
                "accessControlAllowMethods",
                &options.access_control_allow_methods,
            )?,
            exposed: list(
                "accessControlExposeHeaders",
                &options.access_control_expose_headers,
            )?,
            max_age: options.access_control_max_age.into(),
            origins: options.access_control_allow_origin_list.clone(),
            patterns: patterns
                .enumerate()
                .map(pattern)
                .collect::<Result<_, _>>()?,
            vary: options.add_vary_header,
        };
        Ok(Self {
            applies: cors.says_anything() || options.access_control_max_age != 0,
            ..cors
        })
    }

    fn says_anything(&self) -> bool {
        self.credentials
            || self.vary
            || self.headers.is_some()
            || self.methods.is_some()
            || self.exposed.is_some()
            || !self.origins.is_empty()
            || !self.patterns.is_empty()
    }

    /// The answer to a browser that asks what a page may do; nothing for any other request.
    pub(super) fn preflight(&self, request: &Request<Body>) -> Option<Response<Body>> {
        let headers = request.headers();
        let asks = request.method() == Method::OPTIONS
            && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        let origin = headers.get(header::ORIGIN)?;
        if !self.applies || !asks {
            return None;
        }
        let mut response = Response::new(Body::empty());
        let headers = response.headers_mut();
        let listed = [
            (header::ACCESS_CONTROL_ALLOW_HEADERS, &self.headers),
            (header::ACCESS_CONTROL_ALLOW_METHODS, &self.methods),
        ];
        for (name, value) in listed {
            if let Some(value) = value {
                headers.insert(name, value.clone());
            }
        }
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, self.max_age.clone());
        self.allow_origin(Some(origin), headers);
        Some(response)
    }

    /// Says in an answer which page may read it.
    pub(super) fn allow(&self, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
        if let Some(exposed) = &self.exposed {
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed.clone());
        }
        self.allow_origin(origin, headers);
    }

    fn allow_origin(&self, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
        if let Some(allowed) = self.allowed(origin) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        }
        if self.credentials {
            let yes = HeaderValue::from_static("true");
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
        }
        let varies = |value: &HeaderValue| {
            let items = value.to_str().unwrap_or_default().split(',');
            items
                .into_iter()
                .any(|it| it.trim().eq_ignore_ascii_case("origin"))
        };
        if self.vary && !headers.get_all(header::VARY).iter().any(varies) {
            headers.append(header::VARY, HeaderValue::from_static("Origin"));
        }
    }

    /// What `Access-Control-Allow-Origin` says to an origin.
    fn allowed(&self, origin: Option<&HeaderValue>) -> Option<HeaderValue> {
        let origin = origin
            .and_then(|origin| origin.to_str().ok())
            .unwrap_or_default();
        let listed = self.origins.iter().find(|it| *it == "*" || *it == origin);
        if let Some(listed) = listed {
            return HeaderValue::try_from(listed).ok();
        }
        let fits = self.patterns.iter().any(|pattern| pattern.is_match(origin));
        (fits && !origin.is_empty()).then(|| HeaderValue::try_from(origin).ok())?
    }
}
