//! Sends the mails that other roles write themselves: to accounts, about signing in.
//!
//! Where they go is asked at every attempt, since administrators may change it while the platform
//! runs: the mail server of the settings if there is one, else that of the configuration, else the
//! built-in mailbox. What a mail says is a secret (links, codes) and stands in no log.

use std::{sync::Arc, time::Duration};

use mito_queue::{Backoff, Completed, Failure, Policy, Running, kinds::SendMail};
use mito_records::Settings;

use crate::{
    Encryption, Inner, Smtp, message,
    smtp::{self, SendError},
    store::{self, MailboxItem, MailboxMessage},
    template::Rendered,
};

/// How often a mail is tried in all. Links and codes are of no use much later.
const ATTEMPTS: u32 = 8;

/// How mails are tried.
pub(crate) fn policy() -> Policy {
    Policy {
        attempts: ATTEMPTS,
        backoff: Backoff::exponential(Duration::from_secs(2), Duration::from_mins(5)),
        timeout: Duration::from_mins(2),
        ..Policy::default()
    }
}

/// Where a mail goes.
struct Way {
    /// The mail server; `None` is the built-in mailbox.
    server: Option<Smtp>,
    from: lettre::message::Mailbox,
    /// How we introduce ourselves.
    hello: String,
}

impl Way {
    fn of(settings: &Settings, configured: &Smtp, domain: &str) -> Result<Self, Failure> {
        let wrong = |reason: String| Failure::Retry(format!("the sender of mails: {reason}"));
        let meta = &settings.meta;
        let own = || message::mailbox(&meta.sender_name, &meta.sender_address).map_err(wrong);
        let named = &settings.smtp;
        if named.enabled {
            let encryption = if named.tls {
                Encryption::Tls
            } else {
                Encryption::Offered
            };
            let server = Smtp {
                host: named.host.clone(),
                port: named.port,
                user: named.username.clone(),
                password: named.password.expose().to_owned(),
                from: String::new(),
                encryption,
            };
            let hello = Some(&named.local_name).filter(|name| !name.is_empty());
            return Ok(Self {
                server: Some(server),
                from: own()?,
                hello: hello.map_or(domain, String::as_str).to_owned(),
            });
        }
        let configured = Some(configured).filter(|smtp| !smtp.host.is_empty());
        let from = match configured {
            Some(smtp) => message::sender(&smtp.from).map_err(wrong)?,
            None => own()?,
        };
        Ok(Self {
            server: configured.cloned(),
            from,
            hello: domain.to_owned(),
        })
    }
}

/// Sends one mail.
pub(crate) async fn send(
    inner: Arc<Inner>,
    running: Running<SendMail>,
) -> Result<Completed, Failure> {
    let mail = &running.payload;
    let Some(address) = &mail.to else {
        return Ok(running.complete(|_| Ok::<_, mito_queue::Error>(())).await?);
    };
    let to = message::mailbox(&mail.name, address)
        .or_else(|_| message::mailbox("", address))
        .map_err(|_| Failure::Discard("the recipient is no address".to_owned()))?;
    let way = Way::of(&inner.records.settings(), &inner.config.smtp, &inner.domain)?;
    let created_ms = inner.clock.now_ms();
    let rendered = Rendered {
        subject: mail.subject.clone(),
        text: mail.text.clone(),
        html: mail.html.clone(),
    };
    let from = way.from.to_string();
    let built = message::build(message::Parts {
        from: way.from,
        to,
        message_id: message::message_id(&running.id, &inner.domain),
        date_ms: created_ms,
        rendered: rendered.clone(),
    });
    let built = built.map_err(Failure::Discard)?;
    if let Some(server) = &way.server {
        let sent = smtp::send(server, &inner.egress, &way.hello, &built).await;
        sent.map_err(|error| match error {
            SendError::Refused(_) => Failure::Discard(error.to_string()),
            SendError::Later(_) => Failure::Retry(error.to_string()),
        })?;
    }
    let kept = way.server.is_none().then(|| MailboxMessage {
        item: MailboxItem {
            id: running.id.clone(),
            from,
            to: address.clone(),
            subject: rendered.subject,
            size_bytes: i64::try_from(built.formatted().len()).unwrap_or(i64::MAX),
            created_ms,
        },
        text: rendered.text,
        html: rendered.html,
        headers: message::headers(&built),
    });
    tracing::info!(job.id = %running.id, "a mail goes out");
    let completed = running
        .complete(move |tx| {
            if let Some(message) = &kept {
                store::add_to_mailbox(tx, message, store::MAILBOX_MESSAGES)?;
            }
            Ok::<_, mito_queue::Error>(())
        })
        .await?;
    Ok(completed)
}
