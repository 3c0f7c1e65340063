//! Mails to accounts: a collection's template, its placeholders filled in and escaped, enqueued in
//! the transaction that it follows from.

pub(crate) mod defaults;
mod plain;

use std::sync::PoisonError;

use mito_database::Tx;
use mito_queue::{Enqueue, kinds::SendMail};
use serde_json::Value;

use crate::{Error, Record, Records, accounts::options::EmailTemplate};

/// The longest subject, in characters.
const MAX_SUBJECT: usize = 200;
/// The largest HTML part, in bytes; what is beyond is cut off between two placeholders.
const MAX_HTML_BYTES: usize = 512 * 1024;
/// The longest value that takes a placeholder's place, in characters.
const MAX_VALUE: usize = 4_096;
/// Around every body: what mail programs need to show it well.
const LAYOUT: &str = include_str!("../../../data/mails/layout.html");
/// Where the body goes in the layout.
const BODY: &str = "{BODY}";

/// What takes the place of placeholders.
#[derive(Clone, Copy, Debug, Default)]
pub struct Words<'a> {
    /// `{TOKEN}`.
    pub token: &'a str,
    /// `{OTP}`.
    pub otp: &'a str,
    /// `{OTP_ID}`.
    pub otp_id: &'a str,
    /// `{ALERT_INFO}`.
    pub alert_info: &'a str,
    /// `{RECORD:field}`: the account.
    pub record: Option<&'a Record>,
}

/// A mail to an account.
#[derive(Clone, Copy, Debug)]
pub struct Mail<'a> {
    /// What it says.
    pub template: &'a EmailTemplate,
    /// To whom; `None` does all the work and sends nothing.
    pub to: Option<&'a str>,
    /// What takes the place of placeholders.
    pub words: Words<'a>,
    /// The request that it follows from.
    pub request_id: Option<&'a str>,
}

/// A mail's parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedMail {
    /// One line.
    pub subject: String,
    /// The HTML part.
    pub html: String,
    /// The text part.
    pub text: String,
}

impl Records {
    /// Enqueues a mail; it is sent when the transaction has committed.
    pub fn send_mail_in(&self, tx: &mut Tx<'_>, mail: &Mail<'_>) -> Result<(), Error> {
        let rendered = self.render_mail(mail.template, mail.words);
        let job = SendMail {
            to: mail.to.map(str::to_owned),
            name: String::new(),
            subject: rendered.subject,
            html: rendered.html,
            text: rendered.text,
        };
        let options = Enqueue {
            request_id: mail.request_id.map(str::to_owned),
            ..Enqueue::default()
        };
        self.inner
            .queue
            .enqueue(tx, &job, &options)
            .map_err(|error| Error::Internal(format!("a mail cannot be enqueued: {error}")))?;
        Ok(())
    }

    /// The parts of a mail.
    pub fn render_mail(&self, template: &EmailTemplate, words: Words<'_>) -> RenderedMail {
        let meta = self.settings().meta.clone();
        let url = if meta.app_url.is_empty() {
            self.platform_url()
        } else {
            meta.app_url
        };
        let shared = Shared {
            name: &meta.app_name,
            url: url.trim_end_matches('/'),
        };
        render(template, shared, words)
    }

    /// Where the platform's own pages are, for links in mails while the settings name no other
    /// place.
    pub fn platform_url(&self) -> String {
        let url = self.inner.platform_url.read();
        url.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says where the platform's own pages are.
    pub fn set_platform_url(&self, url: String) {
        let known = self.inner.platform_url.write();
        *known.unwrap_or_else(PoisonError::into_inner) = url;
    }
}

#[derive(Clone, Copy, Debug)]
struct Shared<'a> {
    name: &'a str,
    url: &'a str,
}

fn render(template: &EmailTemplate, shared: Shared<'_>, words: Words<'_>) -> RenderedMail {
    let subject = fill(&template.subject, shared, words, str::to_owned);
    let subject: String = subject
        .chars()
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .take(MAX_SUBJECT)
        .collect();
    let body = fill(&template.body, shared, words, escape);
    let text = plain::text_of(&body);
    RenderedMail {
        subject: subject.trim().to_owned(),
        html: LAYOUT.replacen(BODY, &body, 1),
        text,
    }
}

/// Puts values into the places of the placeholders, in one pass: a value that looks like a
/// placeholder stays what it is.
fn fill(
    template: &str,
    shared: Shared<'_>,
    words: Words<'_>,
    written: impl Fn(&str) -> String,
) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(start) = rest.find('{') {
        filled.push_str(&rest[..start]);
        let inner = &rest[start + 1..];
        let value = inner
            .find('}')
            .and_then(|end| Some((end, value_of(&inner[..end], shared, words)?)));
        if let Some((end, value)) = value {
            let value: String = value.chars().take(MAX_VALUE).collect();
            filled.push_str(&written(&value));
            rest = &inner[end + 1..];
        } else {
            filled.push('{');
            rest = inner;
        }
        if filled.len() > MAX_HTML_BYTES {
            return filled;
        }
    }
    filled.push_str(rest);
    filled
}

/// The value of a placeholder; `None` when it is none.
fn value_of(name: &str, shared: Shared<'_>, words: Words<'_>) -> Option<String> {
    Some(match name {
        "APP_NAME" => shared.name.to_owned(),
        "APP_URL" => shared.url.to_owned(),
        "TOKEN" => words.token.to_owned(),
        "OTP" => words.otp.to_owned(),
        "OTP_ID" => words.otp_id.to_owned(),
        "ALERT_INFO" => words.alert_info.to_owned(),
        other => {
            let field = other.strip_prefix("RECORD:")?;
            match words.record.and_then(|record| record.get(field)) {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Null) | None => String::new(),
                Some(value) => value.to_string(),
            }
        }
    })
}

/// A text as HTML shows it, in an element or an attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::record;

    fn rendered(subject: &str, body: &str) -> RenderedMail {
        let template = EmailTemplate {
            subject: subject.to_owned(),
            body: body.to_owned(),
        };
        let account = record(json!({"name": "<b>&{TOKEN}", "age": 3, "none": null}));
        let words = Words {
            token: "t.o-k",
            otp: "123",
            otp_id: "id",
            alert_info: "here \"now\"",
            record: Some(&account),
        };
        let shared = Shared {
            name: "A & B",
            url: "https://a.example",
        };
        render(&template, shared, words)
    }

    #[test]
    fn placeholders_are_filled_once_and_escaped() {
        let check = |body: &str, expected: &str| {
            let html = rendered("s", body).html;
            assert!(html.contains(expected), "{body}: {html}");
        };
        check("{APP_NAME}", "A &amp; B");
        check(
            "<a href=\"{APP_URL}/x/{TOKEN}\">",
            "<a href=\"https://a.example/x/t.o-k\">",
        );
        check("{OTP} {OTP_ID}", "123 id");
        check("{ALERT_INFO}", "here &quot;now&quot;");
        check("{RECORD:name}!", "&lt;b&gt;&amp;{TOKEN}!");
        check("{RECORD:age}{RECORD:none}{RECORD:nope}.", "3.");
        check("{ {x} {APP_NAME {{OTP}}", "{ {x} {APP_NAME {123}");
    }

    #[test]
    fn subjects_are_one_line_and_not_html() {
        assert_eq!(
            rendered("{APP_NAME}\r\nBcc: x@y.z", "b").subject,
            "A & B  Bcc: x@y.z"
        );
        assert_eq!(rendered(&"x".repeat(999), "b").subject.len(), MAX_SUBJECT);
    }

    #[test]
    fn the_shipped_templates_have_what_they_need() {
        for (template, needed) in [
            (
                defaults::verification(),
                "https://a.example/auth/confirm-verification/t.o-k",
            ),
            (
                defaults::password_reset(),
                "https://a.example/auth/confirm-password-reset/t.o-k",
            ),
            (
                defaults::email_change(),
                "https://a.example/auth/confirm-email-change/t.o-k",
            ),
            (defaults::otp(), "123"),
            (defaults::alert(), "here \"now\""),
        ] {
            let mail = rendered(&template.subject, &template.body);
            assert!(mail.text.contains(needed), "{}", mail.text);
            assert!(!mail.text.contains(['{', '<']), "{}", mail.text);
            assert!(mail.subject.contains("A & B"), "{}", mail.subject);
        }
    }
}
