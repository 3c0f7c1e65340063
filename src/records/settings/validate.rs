//! What is wrong with settings, in PocketBase's codes and words. What this platform decides
//! elsewhere is refused by name, never accepted and passed over.

use regex::Regex;
use serde_json::Value;

use super::ips;
use crate::{
    FieldError,
    error::FieldErrors,
    fields::accept::{is_email, is_url},
};

/// The longest name of the application or of a sender, in characters.
const MAX_NAME: usize = 255;
/// The most rules, headers or addresses in a list.
const MAX_ITEMS: usize = 1_000;
/// How many characters `#rrggbb` has.
const COLOR_CHARS: usize = 7;
/// The longest host name (RFC 1035 §2.3.4), in characters.
const MAX_HOST: usize = 253;

/// Collects errors under the path that they belong to.
struct Checked<'a> {
    settings: &'a Value,
    errors: FieldErrors,
}

/// Every error of settings that have the right types.
pub(super) fn check(settings: &Value) -> FieldErrors {
    let mut checked = Checked {
        settings,
        errors: FieldErrors::new(),
    };
    checked.meta();
    checked.smtp();
    checked.backups();
    checked.s3("s3");
    checked.rate_limits();
    checked.batch();
    checked.logs();
    checked.networks("superuserIPs");
    checked.decided_elsewhere();
    checked.errors
}

impl Checked<'_> {
    fn meta(&mut self) {
        for name in ["meta.appName", "meta.senderName"] {
            let length = self.text(name).chars().count();
            if self.required(name) && length > MAX_NAME {
                self.add(name, length_between(1, MAX_NAME));
            }
        }
        let url = self.text("meta.appURL");
        if !url.is_empty() && !is_url(url) {
            self.add("meta.appURL", not_a_url());
        }
        if self.required("meta.senderAddress") && !is_email(self.text("meta.senderAddress")) {
            let message = "Must be a valid email address.";
            self.add(
                "meta.senderAddress",
                FieldError::new("validation_is_email", message),
            );
        }
        let color = self.text("meta.accentColor");
        if color.is_empty() {
            return;
        }
        if color.chars().count() != COLOR_CHARS {
            let message = format!("The length must be exactly {COLOR_CHARS}.");
            let error = FieldError::new("validation_length_invalid", message);
            let params = serde_json::json!({"min": COLOR_CHARS, "max": COLOR_CHARS});
            self.add("meta.accentColor", with_params(error, params));
        } else if !color.strip_prefix('#').is_some_and(is_hex) {
            let message = "Must be a valid hexadecimal color code.";
            self.add(
                "meta.accentColor",
                FieldError::new("validation_is_hex_color", message),
            );
        }
    }

    fn smtp(&mut self) {
        let enabled = self.flag("smtp.enabled");
        for (name, required) in [("smtp.host", enabled), ("smtp.localName", false)] {
            let host = self.text(name);
            if host.is_empty() {
                if required {
                    self.add(name, FieldError::required());
                }
            } else if !is_host(host) {
                let message = "Must be a valid IP address or DNS name.";
                self.add(name, FieldError::new("validation_is_host", message));
            }
        }
        match self.number("smtp.port") {
            0 if enabled => self.add("smtp.port", FieldError::required()),
            port if port < 0 => self.add("smtp.port", at_least(0)),
            port if port > i64::from(u16::MAX) => {
                let message = "Must be no greater than 65535.";
                let error = FieldError::new("validation_max_less_equal_than_required", message);
                self.add("smtp.port", error.with("threshold", u16::MAX));
            }
            _ => {}
        }
        if !["", "PLAIN", "LOGIN"].contains(&self.text("smtp.authMethod")) {
            self.add("smtp.authMethod", not_one_of());
        }
    }

    fn backups(&mut self) {
        let cron = self.text("backups.cron");
        let runs = !cron.is_empty();
        if runs && let Err(reason) = mito_queue::Cron::parse(cron) {
            let error = FieldError::new("validation_invalid_cron", reason);
            self.add("backups.cron", error);
        }
        self.count("backups.cronMaxKeep", 1, runs);
        self.s3("backups.s3");
    }

    fn s3(&mut self, group: &str) {
        let enabled = self.flag(&format!("{group}.enabled"));
        for name in ["bucket", "region", "endpoint", "accessKey", "secret"] {
            let path = format!("{group}.{name}");
            let text = self.text(&path);
            if text.is_empty() && enabled {
                self.add(&path, FieldError::required());
            } else if name == "endpoint" && !text.is_empty() && !is_url(text) {
                self.add(&path, not_a_url());
            }
        }
    }

    fn rate_limits(&mut self) {
        self.networks("rateLimits.excludedIPs");
        let rules = self.list("rateLimits.rules");
        if rules.is_empty() && self.flag("rateLimits.enabled") {
            self.add("rateLimits.rules", FieldError::required());
        }
        if rules.len() > MAX_ITEMS {
            self.add("rateLimits.rules", too_many());
            return;
        }
        let label = Regex::new(r"^(\w+:\w+|\*:\w+|\w+|(\w+ )?/[\w/-]*)$")
            .expect("the pattern is well-formed");
        let mut seen: Vec<(&str, &str)> = Vec::new();
        for (index, rule) in rules.iter().enumerate() {
            let at = |name: &str| format!("rateLimits.rules.{index}.{name}");
            let text = |name: &str| rule[name].as_str().unwrap_or_default();
            let (name, audience) = (text("label"), text("audience"));
            if name.is_empty() {
                self.add(&at("label"), FieldError::required());
            } else if !label.is_match(name) || !name.is_ascii() {
                self.add(&at("label"), invalid_form());
            } else if seen.iter().any(|(other, of)| {
                *other == name && (*of == audience || of.is_empty() || audience.is_empty())
            }) {
                let message = format!(
                    "Rate limit rule configuration with label {name} already exists or conflicts \
                     with another rule."
                );
                let error = FieldError::new("validation_conflicting_rate_limit_rule", message);
                self.add(&at("label"), error.with("label", name));
            }
            seen.push((name, audience));
            if !["", "@guest", "@auth"].contains(&audience) {
                self.add(&at("audience"), not_one_of());
            }
            self.count(&at("duration"), 1, true);
            self.count(&at("maxRequests"), 1, true);
        }
    }

    fn batch(&mut self) {
        let enabled = self.flag("batch.enabled");
        self.count("batch.maxRequests", 0, enabled);
        self.count("batch.timeout", 0, enabled);
        self.count("batch.maxBodySize", 0, false);
    }

    fn logs(&mut self) {
        self.count("logs.maxDays", 0, false);
        self.count("logs.maxDataSize", 0, false);
    }

    fn networks(&mut self, path: &str) {
        let list = self.list(path);
        if list.len() > MAX_ITEMS {
            self.add(path, too_many());
            return;
        }
        for (index, item) in list.iter().enumerate() {
            if !item.as_str().is_some_and(ips::is_address_or_network) {
                // The code is spelt as PocketBase spells it.
                let message = "Invalid IP or CIDR subnet.";
                let error = FieldError::new("validation_invlaid_ip_or_subnet", message);
                self.add(&format!("{path}.{index}"), error);
            }
        }
    }

    /// Settings that would have no effect here say where the decision is made.
    fn decided_elsewhere(&mut self) {
        let elsewhere = |message: &str| FieldError::new("validation_decided_elsewhere", message);
        if self.flag("s3.enabled") && self.is_good("s3") {
            self.add(
                "s3.enabled",
                elsewhere(
                    "Where files are kept is configuration: set objects.endpoint and restart.",
                ),
            );
        }
        if self.flag("backups.s3.enabled") && self.is_good("backups.s3") {
            let message = "Backups are kept in the data folder. Download them, or copy the folder \
                           backups elsewhere.";
            self.add("backups.s3.enabled", elsewhere(message));
        }
        let headers = self.list("trustedProxy.headers");
        if headers.iter().any(|header| header.as_str() != Some("")) {
            let message = "The gateway takes the client's address from the connection and trusts \
                           no header.";
            self.add("trustedProxy.headers", elsewhere(message));
        }
    }

    /// A number that is at least `least`; 0 counts as absent.
    fn count(&mut self, path: &str, least: i64, required: bool) {
        match self.number(path) {
            0 if required => self.add(path, FieldError::required()),
            0 => {}
            number if number < least => self.add(path, at_least(least)),
            number if number > i64::from(u32::MAX) => {
                let message = format!("Must be no greater than {}.", u32::MAX);
                let error = FieldError::new("validation_max_less_equal_than_required", message);
                self.add(path, error.with("threshold", u32::MAX));
            }
            _ => {}
        }
    }

    fn required(&mut self, path: &str) -> bool {
        let there = !self.text(path).is_empty();
        if !there {
            self.add(path, FieldError::required());
        }
        there
    }

    fn is_good(&self, group: &str) -> bool {
        let below = format!("{group}.");
        !self.errors.keys().any(|name| name.starts_with(&below))
    }

    fn add(&mut self, path: &str, error: FieldError) {
        self.errors.insert(path.to_owned(), error);
    }
}

impl<'a> Checked<'a> {
    fn at(&self, path: &str) -> &'a Value {
        path.split('.').fold(self.settings, |value, name| {
            let member = name
                .parse::<usize>()
                .ok()
                .and_then(|index| value.get(index));
            member.or_else(|| value.get(name)).unwrap_or(&Value::Null)
        })
    }

    fn text(&self, path: &str) -> &'a str {
        self.at(path).as_str().unwrap_or_default()
    }

    fn flag(&self, path: &str) -> bool {
        self.at(path).as_bool().unwrap_or_default()
    }

    fn number(&self, path: &str) -> i64 {
        self.at(path).as_i64().unwrap_or_default()
    }

    fn list(&self, path: &str) -> &'a [Value] {
        self.at(path).as_array().map_or(&[], Vec::as_slice)
    }
}

/// Whether `text` is a host name or an IP address. Underscores are fine, as in PocketBase.
fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    let name = text.strip_suffix('.').unwrap_or(text);
    text.parse::<std::net::IpAddr>().is_ok()
        || (name.len() <= MAX_HOST && name.split('.').all(is_label))
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn with_params(mut error: FieldError, params: Value) -> FieldError {
    error.params = Some(params);
    error
}

fn length_between(min: usize, max: usize) -> FieldError {
    let message = format!("The length must be between {min} and {max}.");
    let error = FieldError::new("validation_length_out_of_range", message);
    with_params(error, serde_json::json!({"min": min, "max": max}))
}

fn at_least(least: i64) -> FieldError {
    let message = format!("Must be no less than {least}.");
    FieldError::new("validation_min_greater_equal_than_required", message).with("threshold", least)
}

fn not_one_of() -> FieldError {
    FieldError::new("validation_in_invalid", "Must be a valid value.")
}

fn invalid_form() -> FieldError {
    FieldError::new("validation_match_invalid", "Must be in a valid format.")
}

fn not_a_url() -> FieldError {
    FieldError::new("validation_is_url", "Must be a valid URL.")
}

fn too_many() -> FieldError {
    let message = format!("The list must hold no more than {MAX_ITEMS} items.");
    FieldError::new("validation_length_out_of_range", message)
}
