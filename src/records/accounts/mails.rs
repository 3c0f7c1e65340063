//! Mails to accounts.

pub(crate) mod defaults;
