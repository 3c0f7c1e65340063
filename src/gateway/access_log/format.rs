//! A request as a line: Traefik's variant of the Common Log Format, or JSON with its keys.

use std::fmt::Write as _;

use serde_json::json;

use crate::{middlewares::chain::User, record::Record};

/// `host - user [time] "request" status bytes "referer" "agent" number "router" "url" 1ms`.
pub(super) fn common(record: &Record) -> String {
    let time = record.at.strftime("%d/%b/%Y:%H:%M:%S +0000");
    let (router, _, url) = route(record);
    format!(
        "{} - {} [{time}] \"{} {} {}\" {} {} {} {} {} {} {} {}ms\n",
        record.client.ip(),
        escaped(user(record)),
        record.method,
        escaped(&record.path),
        record.version,
        record.code(),
        record.bytes,
        quoted(&record.referer),
        quoted(&record.user_agent),
        record.number,
        quoted(router),
        quoted(url),
        record.elapsed().as_millis(),
    )
}

/// One JSON object.
pub(super) fn json(record: &Record) -> String {
    let (router, service, url) = route(record);
    let mut line = json!({
        "ClientAddr": record.client.to_string(),
        "ClientHost": record.client.ip().to_string(),
        "ClientPort": record.client.port().to_string(),
        "ClientUsername": user(record),
        "DownstreamContentSize": record.bytes,
        "DownstreamStatus": record.code(),
        "Duration": u64::try_from(record.elapsed().as_nanos()).unwrap_or(u64::MAX),
        "RequestContentSize": record.request_bytes(),
        "RequestCount": record.number,
        "RequestHost": &*record.host,
        "RequestMethod": record.method,
        "RequestPath": record.path,
        "RequestProtocol": record.version,
        "RequestScheme": record.scheme,
        "RetryAttempts": record.retries,
        "RouterName": router,
        "ServiceName": service,
        "ServiceURL": url,
        "StartUTC": record.at.to_string(),
        "TLSVersion": record.tls.as_ref().map(|tls| &*tls.version),
        "entryPointName": &*record.entrypoint,
        "level": "info",
        "msg": "",
        "request_User-Agent": record.user_agent,
        "request_Referer": record.referer,
        "request_X-Request-Id": &*record.request_id,
        "time": record.at.to_string(),
    })
    .to_string();
    line.push('\n');
    line
}

fn user(record: &Record) -> &str {
    record.user.as_ref().map_or("-", |User(name)| name)
}

/// Router, service and the service's address; dashes for a request that no router took.
fn route(record: &Record) -> (&str, &str, &str) {
    match &record.router {
        Some(router) => (&router.full_name, &router.service, record.address()),
        None => ("-", "-", "-"),
    }
}

fn quoted(value: &str) -> String {
    let value = if value.is_empty() { "-" } else { value };
    format!("\"{}\"", escaped(value))
}

/// Keeps a client from writing quotes, lines and terminal codes into the log.
fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            control if control.is_control() => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{{{:x}}}", u32::from(control));
            }
            plain => out.push(plain),
        }
    }
    out
}
