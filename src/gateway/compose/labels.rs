//! Labels to options. Their names are the same as in files, in lower case, with dots between; what a
//! value is depends on the option.

use serde_json::{Map, Value, json};

/// Why a label is not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// It says nothing about routes.
    Ignored,
    /// The reason in words.
    Unknown(String),
}

/// What the value of an option is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Flag,
    Number,
    /// Separated by commas.
    List,
    /// Names that are kept as they are, with texts.
    Pairs,
    /// Options within, or `true` for none of them.
    Object,
}

/// Options by their names in files, one line for each kind.
const OPTIONS: &[(Kind, &str)] = &[
    (
        Kind::Text,
        "rule service certResolver options main url scheme sameSite name path domain mode method \
         hostname interval unhealthyInterval timeout failureWindow serversTransport strategy prefix \
         regex replacement realm headerField usersFile address authResponseHeadersRegex \
         authSigninURL port period requestHeaderName query initialInterval retryExpression \
         customFrameOptionsValue contentSecurityPolicy contentSecurityPolicyReportOnly \
         referrerPolicy permissionsPolicy customBrowserXSSValue publicKey defaultEncoding \
         flushInterval ruleSyntax",
    ),
    (
        Kind::Flag,
        "secure httpOnly passHostHeader followRedirects preservePath removeHeader permanent \
         trustForwardHeader forwardBody preserveLocationHeader preserveRequestMethod requestHost \
         accessControlAllowCredentials addVaryHeader stsIncludeSubdomains stsPreload forceSTSHeader \
         frameDeny contentTypeNosniff browserXssFilter isDevelopment forceSlash \
         disableRetryOnNetworkError retryNonIdempotentMethod",
    ),
    (
        Kind::Number,
        "priority weight status maxAge maxFailedAttempts average burst amount depth ipv6Subnet \
         attempts maxRequestBodyBytes memRequestBodyBytes maxResponseBodyBytes \
         memResponseBodyBytes minResponseBodyBytes maxBodySize maxResponseBodySize \
         accessControlMaxAge stsSeconds rejectStatusCode",
    ),
    (
        Kind::List,
        "entryPoints middlewares sans users prefixes sourceRange excludedIPs authResponseHeaders \
         authRequestHeaders addAuthCookiesToResponse allowedHosts hostsProxyHeaders \
         accessControlAllowHeaders accessControlAllowMethods accessControlAllowOriginList \
         accessControlAllowOriginListRegex accessControlExposeHeaders encodings \
         excludedContentTypes includedContentTypes",
    ),
    (
        Kind::Pairs,
        "customRequestHeaders customResponseHeaders sslProxyHeaders headers",
    ),
    (
        Kind::Object,
        "routers services tls domains loadBalancer server sticky cookie healthCheck \
         passiveHealthCheck responseForwarding weighted addPrefix basicAuth digestAuth buffering \
         chain circuitBreaker compress contentType errors forwardAuth inFlightReq ipAllowList \
         ipWhiteList passTLSClientCert plugin rateLimit redirectRegex redirectScheme replacePath \
         replacePathRegex retry stripPrefix stripPrefixRegex sourceCriterion ipStrategy",
    ),
];

/// Puts what a label says into `http`.
pub(super) fn put(http: &mut Value, key: &str, value: &str) -> Result<(), Refused> {
    let mut parts = key.split('.');
    let section = match (parts.next(), parts.next()) {
        (Some(_), Some(section)) => section.to_ascii_lowercase(),
        _ => return Err(Refused::Ignored),
    };
    match section.as_str() {
        "http" => {}
        "tcp" | "udp" => {
            let reason = format!("{section} is not routed here");
            return Err(Refused::Unknown(reason));
        }
        _ => return Err(Refused::Ignored),
    }
    let (Some(kind), Some(name)) = (parts.next(), parts.next()) else {
        return Err(Refused::Unknown("it is too short".to_owned()));
    };
    let kind = match kind.to_ascii_lowercase().as_str() {
        "routers" => "routers",
        "services" => "services",
        "middlewares" => "middlewares",
        _ => return Err(Refused::Unknown(format!("there is no {kind:?}"))),
    };
    let path: Vec<&str> = parts.collect();
    let place = super::object(http, kind)
        .entry(name.to_owned())
        .or_insert_with(|| json!({}));
    set(place, kind, &path, value)
}

/// Sets the option at the end of `path`, below the option `parent`.
fn set(place: &mut Value, parent: &str, path: &[&str], value: &str) -> Result<(), Refused> {
    let Some((first, rest)) = path.split_first() else {
        return Err(Refused::Unknown("it names no option".to_owned()));
    };
    let (word, index) = match first
        .strip_suffix(']')
        .and_then(|word| word.split_once('['))
    {
        Some((word, index)) => {
            let index = index.parse::<usize>().ok().filter(|index| *index < 100);
            let wrong = || Refused::Unknown(format!("{first:?} is no place in a list"));
            (word, Some(index.ok_or_else(wrong)?))
        }
        None => (*first, None),
    };
    let (kind, name) = known(parent, word)
        .ok_or_else(|| Refused::Unknown(format!("there is no option {word:?}")))?;
    let members = match place {
        Value::Object(members) => members,
        other => {
            *other = json!({});
            match other {
                Value::Object(members) => members,
                _ => return Err(Refused::Unknown("it has no options".to_owned())),
            }
        }
    };
    if let Some(index) = index {
        return element(members, name, index, rest, value);
    }
    match (kind, rest) {
        (Kind::Pairs, [header]) => {
            let pairs = members.entry(name).or_insert_with(|| json!({}));
            pairs[*header] = json!(value);
            Ok(())
        }
        (Kind::Object, []) => {
            if value == "false" {
                return Err(Refused::Ignored);
            }
            members.entry(name).or_insert_with(|| json!({}));
            Ok(())
        }
        (Kind::Object, rest) => {
            let inner = members.entry(name).or_insert_with(|| json!({}));
            set(inner, name, rest, value)
        }
        (kind, []) => {
            members.insert(name.to_owned(), typed(kind, name, value)?);
            Ok(())
        }
        (_, _) => Err(Refused::Unknown(format!("{name} has no options"))),
    }
}

/// `tls.domains[0].main` and `prefixes[0]`.
fn element(
    members: &mut Map<String, Value>,
    name: &str,
    index: usize,
    rest: &[&str],
    value: &str,
) -> Result<(), Refused> {
    let list = members.entry(name).or_insert_with(|| json!([]));
    let Value::Array(items) = list else {
        return Err(Refused::Unknown(format!("{name} is no list")));
    };
    while items.len() <= index {
        items.push(Value::Null);
    }
    if rest.is_empty() {
        items[index] = json!(value);
        return Ok(());
    }
    set(&mut items[index], name, rest, value)
}

fn typed(kind: Kind, name: &str, value: &str) -> Result<Value, Refused> {
    let wrong = |what: &str| Refused::Unknown(format!("{value:?} is no {what}"));
    Ok(match kind {
        // The container's port, which is made part of an address; redirects have a text there, too.
        Kind::Text => json!(value),
        Kind::Flag => json!(value.parse::<bool>().map_err(|_| wrong("true or false"))?),
        Kind::Number => json!(value.trim().parse::<i64>().map_err(|_| wrong("number"))?),
        Kind::List => json!(
            value
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .collect::<Vec<_>>()
        ),
        Kind::Pairs | Kind::Object => {
            return Err(Refused::Unknown(format!("{name} needs a name after it")));
        }
    })
}

/// The option that a label calls `word`.
fn known(parent: &str, word: &str) -> Option<(Kind, &'static str)> {
    // A few words mean another thing elsewhere.
    match (parent, word.to_ascii_lowercase().as_str()) {
        ("errors", "status") => return Some((Kind::List, "status")),
        ("errors", "service") => return Some((Kind::Text, "service")),
        ("healthCheck", "port") => return Some((Kind::Number, "port")),
        ("stripPrefixRegex", "regex") => return Some((Kind::List, "regex")),
        ("middlewares", "headers") => return Some((Kind::Object, "headers")),
        ("rateLimit" | "inFlightReq", "sourcecriterion") => {
            return Some((Kind::Object, "sourceCriterion"));
        }
        _ => {}
    }
    OPTIONS.iter().find_map(|(kind, names)| {
        let mut names = names.split_ascii_whitespace();
        let name = names.find(|name| name.eq_ignore_ascii_case(word))?;
        Some((*kind, name))
    })
}
