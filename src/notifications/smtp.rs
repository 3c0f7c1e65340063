//! Sends one message over one connection, to an address that egress has allowed.

use std::time::Duration;

use lettre::{
    Message,
    transport::smtp::{
        Error as SmtpError,
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, TlsParameters},
        extension::ClientId,
    },
};
use mito_core::egress::{Egress, Error as EgressError};

use crate::{Encryption, Smtp};

/// How long connecting and the greeting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// How long the whole conversation may take, however slowly the server answers.
const CONVERSATION_TIMEOUT: Duration = Duration::from_secs(45);

/// Why a message was not sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    /// The server refuses this message for good (a 5xx answer to it).
    #[error("the mail server refused the message: {0}")]
    Refused(String),
    /// Try again later.
    #[error("{0}")]
    Later(String),
}

impl SendError {
    fn later(what: &str, error: &SmtpError) -> Self {
        Self::Later(format!("{what}: {}", describe(error)))
    }
}

/// Sends `message`; when it returns, the server has taken it over.
pub(crate) async fn send(
    smtp: &Smtp,
    egress: &Egress,
    hello: &str,
    message: &Message,
) -> Result<(), SendError> {
    let conversation = converse(smtp, egress, hello, message);
    match tokio::time::timeout(CONVERSATION_TIMEOUT, conversation).await {
        Ok(outcome) => outcome,
        Err(_) => Err(SendError::Later(format!(
            "the mail server {} did not finish within {CONVERSATION_TIMEOUT:?}",
            smtp.host
        ))),
    }
}

async fn converse(
    smtp: &Smtp,
    egress: &Egress,
    hello: &str,
    message: &Message,
) -> Result<(), SendError> {
    let mut connection = connect(smtp, egress, hello).await?;
    if !smtp.user.is_empty() {
        let credentials = Credentials::new(smtp.user.clone(), smtp.password.clone());
        let mechanisms = [Mechanism::Plain, Mechanism::Login];
        // Wrong credentials are the operator's to mend; the messages wait meanwhile.
        connection
            .auth(&mechanisms, &credentials)
            .await
            .map_err(|error| SendError::later("the mail server refused to sign us in", &error))?;
    }
    let sent = connection
        .send(message.envelope(), &message.formatted())
        .await;
    sent.map_err(|error| {
        if error.is_permanent() {
            SendError::Refused(describe(&error))
        } else {
            SendError::later("the mail server did not take the message", &error)
        }
    })?;
    // The message is the server's now; how the goodbye goes does not matter.
    let _ = connection.quit().await;
    Ok(())
}

/// Connects to the first address that answers; the certificate must be the host's.
async fn connect(
    smtp: &Smtp,
    egress: &Egress,
    hello: &str,
) -> Result<AsyncSmtpConnection, SendError> {
    let addresses = egress.resolve(&smtp.host, smtp.port).await;
    let addresses = addresses.map_err(|error: EgressError| SendError::Later(error.to_string()))?;
    let hello = ClientId::Domain(hello.to_owned());
    let tls = match smtp.encryption {
        Encryption::None => None,
        Encryption::Starttls | Encryption::Offered | Encryption::Tls => {
            let parameters = TlsParameters::new(smtp.host.clone());
            Some(parameters.map_err(|error| SendError::later("cannot prepare TLS", &error))?)
        }
    };
    let implicit = tls.clone().filter(|_| smtp.encryption == Encryption::Tls);
    let mut last = format!("{} has no address", smtp.host);
    for address in addresses {
        let timeout = Some(CONNECT_TIMEOUT);
        let connecting =
            AsyncSmtpConnection::connect_tokio1(address, timeout, &hello, implicit.clone(), None);
        match connecting.await {
            Ok(mut connection) => {
                let upgrades = match smtp.encryption {
                    Encryption::Starttls => true,
                    Encryption::Offered => connection.can_starttls(),
                    Encryption::Tls | Encryption::None => false,
                };
                if let Some(tls) = tls.filter(|_| upgrades) {
                    connection.starttls(tls, &hello).await.map_err(|error| {
                        SendError::later("the mail server did not start TLS", &error)
                    })?;
                }
                return Ok(connection);
            }
            Err(error) => {
                last = format!(
                    "cannot connect to {} ({address}): {}",
                    smtp.host,
                    describe(&error)
                );
            }
        }
    }
    Err(SendError::Later(last))
}

/// The error with its causes: the library's own text leaves them out.
fn describe(error: &SmtpError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests;
