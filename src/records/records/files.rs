//! Files in records: which names a field may have, who takes them in and who lets go of them.

use std::collections::BTreeSet;

use mito_database::{Tx, Value as Stored};

use crate::{
    Error, Field, FieldError, Records,
    fields::{FieldKind, convert},
    records::{draft::Draft, submitted::Submitted},
};

/// Every name must be of a file that the record has or that came with the request, and a new file
/// of a kind that the field takes.
pub(crate) fn check(
    field: &Field,
    before: Option<&Stored>,
    stored: &Stored,
    submitted: &Submitted,
) -> Result<(), FieldError> {
    let before: Vec<String> = before.map_or_else(Vec::new, |before| convert::values(field, before));
    let added: Vec<String> = convert::values(field, stored)
        .into_iter()
        .filter(|name| !before.contains(name))
        .collect();
    let unknown: Vec<&str> = added
        .iter()
        .filter(|name| submitted.file(name).is_none())
        .map(String::as_str)
        .collect();
    if !unknown.is_empty() {
        let message = format!("Invalid new files: [{}].", unknown.join(" "));
        return Err(
            FieldError::new("validation_invalid_file", message).with("invalidFiles", unknown)
        );
    }
    let kinds: Vec<&str> = field.list_option("mimeTypes").collect();
    if kinds.is_empty() {
        return Ok(());
    }
    let is_taken = |mime: &str| {
        kinds
            .iter()
            .any(|kind| essence(kind).eq_ignore_ascii_case(essence(mime)))
    };
    let wrong = added.iter().find(|name| {
        !submitted
            .file(name)
            .is_some_and(|file| is_taken(&file.mime))
    });
    match wrong {
        None => Ok(()),
        Some(name) => {
            let message = format!("\"{name}\" mime type must be one of: {}.", kinds.join(", "));
            Err(FieldError::new("validation_invalid_mime_type", message))
        }
    }
}

/// A type without its parameters.
fn essence(mime: &str) -> &str {
    mime.split(';').next().unwrap_or_default().trim()
}

impl Records {
    /// Claims the files that the record gets with this write, and lets go of those that it loses.
    pub(crate) fn move_files(
        &self,
        tx: &mut Tx<'_>,
        draft: &Draft<'_>,
        submitted: &Submitted,
    ) -> Result<(), Error> {
        let collection = draft.collection;
        for (at, field) in collection.fields.iter().enumerate() {
            if field.kind_of() != Some(FieldKind::File) {
                continue;
            }
            let before = draft
                .before
                .as_ref()
                .map_or_else(Vec::new, |before| convert::values(field, &before[at]));
            let after = convert::values(field, &draft.columns[at]);
            if before == after {
                continue;
            }
            for name in after.iter().filter(|name| !before.contains(name)) {
                if let Some(file) = submitted.file(name) {
                    self.files().claim_in(tx, &file.key)?;
                }
            }
            let kept: BTreeSet<&str> = after.iter().map(String::as_str).collect();
            let lost = before
                .iter()
                .map(String::as_str)
                .filter(|name| !kept.contains(name));
            self.files()
                .discard_in(tx, &collection.id, draft.id(), lost)?;
        }
        Ok(())
    }

    /// Lets go of all files of a record that goes.
    pub(crate) fn discard_files(&self, tx: &mut Tx<'_>, draft: &Draft<'_>) -> Result<(), Error> {
        for (field, stored) in draft.collection.fields.iter().zip(&draft.columns) {
            if field.kind_of() != Some(FieldKind::File) {
                continue;
            }
            let names = convert::values(field, stored);
            let names = names.iter().map(String::as_str);
            self.files()
                .discard_in(tx, &draft.collection.id, draft.id(), names)?;
        }
        Ok(())
    }
}
