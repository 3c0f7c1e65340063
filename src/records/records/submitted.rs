//! What a request submits: values by name, and the files that came with it.

use std::sync::Arc;

use crate::{Record, error::FieldErrors, files::StagedFile};

/// What is written: values by the names of fields, with modifiers or without, and files that are
/// stored already. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Submitted {
    /// The values.
    pub values: Arc<Record>,
    /// The files, by the names of fields with modifiers or without.
    pub files: Arc<Vec<(String, Vec<StagedFile>)>>,
    /// The id that a new record gets when the values name none: files are stored under it.
    pub record_id: Option<String>,
    /// What was found wrong while the files were read: told with what is wrong with the values.
    pub errors: Arc<FieldErrors>,
}

impl Submitted {
    /// All files, whatever they are for.
    pub fn all_files(&self) -> impl Iterator<Item = &StagedFile> {
        self.files.iter().flat_map(|(_, files)| files)
    }

    /// The file of that name.
    pub(crate) fn file(&self, name: &str) -> Option<&StagedFile> {
        self.all_files().find(|file| file.key.name == name)
    }
}

impl From<Record> for Submitted {
    fn from(values: Record) -> Self {
        Self {
            values: Arc::new(values),
            ..Self::default()
        }
    }
}
