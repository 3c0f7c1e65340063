//! A value from outside in one step: converted, then checked.

pub(crate) use crate::fields::check::{is_email, is_url, too_long, too_short};

#[cfg(test)]
mod tests;
