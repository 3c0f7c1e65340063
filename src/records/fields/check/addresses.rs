//! Addresses of mail and of pages.

use crate::{Field, FieldError, fields::check::present};

/// The longest e-mail address (RFC 5321 §4.5.3.1.3).
const MAX_EMAIL: usize = 254;
/// The longest and the shortest address of a page, in bytes.
const MAX_URL: usize = 2_082;
const MIN_URL: usize = 4;

/// The schemes that an address of a page may have. `javascript:` and `data:` are none of them, since
/// such values end up in links.
const SCHEMES: &[&str] = &["http", "https", "ftp", "tcp", "udp", "ws", "wss"];

pub(super) fn email(field: &Field, text: &str) -> Result<(), FieldError> {
    if !present(field, text.is_empty())? {
        return Ok(());
    }
    if !is_email(text) {
        let message = "Must be a valid email address.";
        return Err(FieldError::new("validation_is_email", message));
    }
    let domain = text.rsplit('@').next().unwrap_or_default();
    if is_domain_allowed(field, domain) {
        return Ok(());
    }
    Err(FieldError::new(
        "validation_email_domain_not_allowed",
        "Email domain is not allowed.",
    ))
}

pub(super) fn url(field: &Field, text: &str) -> Result<(), FieldError> {
    if !present(field, text.is_empty())? {
        return Ok(());
    }
    let Some(host) = url_host(text) else {
        let message = "Must be a valid url.";
        return Err(FieldError::new("validation_invalid_url", message));
    };
    if is_domain_allowed(field, host) {
        return Ok(());
    }
    Err(FieldError::new(
        "validation_url_domain_not_allowed",
        "Url domain is not allowed.",
    ))
}

/// Domains are compared without regard to case (RFC 4343), so that `SPAM.example` is not a way
/// around a list that names `spam.example`.
fn is_domain_allowed(field: &Field, domain: &str) -> bool {
    let is = |wanted: &str| wanted.eq_ignore_ascii_case(domain);
    let restricted = field.list_option("onlyDomains").next().is_some();
    (!restricted || field.list_option("onlyDomains").any(is))
        && !field.list_option("exceptDomains").any(is)
}

/// Whether `text` has the form of an address that mail can be sent to. Stricter than RFC 5322: no
/// quotes, comments, spaces or address literals, and a domain of at least two labels.
pub(crate) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let is_local = |character: char| {
        character.is_ascii_alphanumeric()
            || "!#$%&'*+-/=?^_`{|}~.".contains(character)
            || (!character.is_ascii() && character.is_alphanumeric())
    };
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    let top = domain.rsplit('.').next().unwrap_or_default();
    text.len() <= MAX_EMAIL
        && !local.is_empty()
        && local.chars().all(is_local)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && domain.contains('.')
        && domain.split('.').all(is_label)
        // A name, not the end of an address of a network.
        && top.starts_with(char::is_alphabetic)
}

fn is_label(label: &str) -> bool {
    let is_inner = |character: char| character.is_alphanumeric() || matches!(character, '-' | '_');
    !label.is_empty()
        && label.starts_with(char::is_alphanumeric)
        && label.ends_with(char::is_alphanumeric)
        && label.chars().all(is_inner)
}

/// Whether `text` is an absolute address that a link may lead to.
pub(crate) fn is_url(text: &str) -> bool {
    text.contains("://") && url_host(text).is_some()
}

/// The host of an address, with its port if it has one. A scheme may be left out (`www.x.org`).
fn url_host(text: &str) -> Option<&str> {
    let forbidden = |character: char| character.is_whitespace() || character.is_control();
    if !(MIN_URL..=MAX_URL).contains(&text.len())
        || text.contains(forbidden)
        || !escapes_are_whole(text)
    {
        return None;
    }
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, text),
    };
    if scheme.is_some_and(|scheme| !SCHEMES.contains(&scheme)) {
        return None;
    }
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = match authority.rsplit_once('@') {
        // Without a scheme a colon would make the user a scheme of its own.
        Some((user, _)) if user.is_empty() || scheme.is_none() && user_is_a_scheme(user) => {
            return None;
        }
        Some((_, host)) => host,
        None => authority,
    };
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !host.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    let is_port = |port: &str| {
        (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !port.is_none_or(is_port) || !is_host(name, scheme.is_some()) {
        return None;
    }
    Some(host)
}

fn user_is_a_scheme(user: &str) -> bool {
    user.split_once(':')
        .is_some_and(|(scheme, _)| scheme != "mailto")
}

fn is_host(name: &str, has_scheme: bool) -> bool {
    if let Some(literal) = name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return literal.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    let mut labels = name.split('.');
    let top = name.rsplit('.').next().unwrap_or_default();
    let is_numeric = top.bytes().all(|byte| byte.is_ascii_digit());
    if is_numeric && name.contains('.') {
        return name.parse::<std::net::Ipv4Addr>().is_ok();
    }
    labels.all(is_label) && (has_scheme || name.contains('.'))
}

/// Every `%` begins two hexadecimal digits.
fn escapes_are_whole(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        let bytes = after.as_bytes();
        bytes.len() >= 2 && bytes[..2].iter().all(u8::is_ascii_hexdigit)
    })
}
