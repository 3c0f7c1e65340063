//! What mails say until an administrator says it better.

use crate::accounts::options::EmailTemplate;

fn template(subject: &str, body: &str) -> EmailTemplate {
    EmailTemplate {
        subject: subject.to_owned(),
        body: body.trim_end().to_owned(),
    }
}

/// A sign-in from a new place.
pub(crate) fn alert() -> EmailTemplate {
    template(
        "New sign-in to your {APP_NAME} account",
        include_str!("../../../../data/mails/alert.html"),
    )
}

/// A one-time password.
pub(crate) fn otp() -> EmailTemplate {
    template(
        "Your code for {APP_NAME}",
        include_str!("../../../../data/mails/otp.html"),
    )
}

/// Verification of an address.
pub(crate) fn verification() -> EmailTemplate {
    template(
        "Confirm your address for {APP_NAME}",
        include_str!("../../../../data/mails/verification.html"),
    )
}

/// A new password.
pub(crate) fn password_reset() -> EmailTemplate {
    template(
        "Choose a new {APP_NAME} password",
        include_str!("../../../../data/mails/password-reset.html"),
    )
}

/// A new address.
pub(crate) fn email_change() -> EmailTemplate {
    template(
        "Confirm your new address for {APP_NAME}",
        include_str!("../../../../data/mails/email-change.html"),
    )
}
