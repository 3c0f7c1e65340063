//! Parsed filters and rules by their text, so that a rule is parsed once and not per request.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::filter::{ast::Expression, parser};

/// The most expressions that are kept.
const MAX_KEPT: usize = 1_000;

/// Parsed expressions. A full cache begins anew, which costs each rule one more parse.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    kept: Mutex<HashMap<String, Arc<Expression>>>,
}

impl Parsed {
    /// The expression that `text` says.
    pub(crate) fn get(&self, text: &str) -> Result<Arc<Expression>, String> {
        if let Some(found) = self.lock().get(text) {
            return Ok(Arc::clone(found));
        }
        let parsed = Arc::new(parser::parse(text)?);
        let mut kept = self.lock();
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        kept.insert(text.to_owned(), Arc::clone(&parsed));
        Ok(parsed)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Expression>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
