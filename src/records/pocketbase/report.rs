//! What an import took, and what it did not.

use serde::{Deserialize, Serialize};

use crate::{Collection, collections::store::kind_name};

/// The most problems that are listed one by one; more are counted.
const MAX_PROBLEMS: usize = 500;
/// The longest place and the longest reason of a problem, in characters.
const MAX_TEXT: usize = 400;

/// What an import took over, or would take.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Nothing was written.
    pub dry_run: bool,
    /// The collections, in the order in which they were made.
    pub collections: Vec<TakenCollection>,
    /// The groups of settings that were taken: `meta`, `smtp`, …
    pub settings: Vec<String>,
    /// What was not taken, or only in part.
    pub problems: Vec<Problem>,
    /// How many more problems there are.
    pub problems_not_listed: u64,
}

/// A collection that was taken over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenCollection {
    /// Its name.
    pub name: String,
    /// `base`, `auth` or `view`.
    pub kind: String,
    /// Records that were taken.
    pub records: u64,
    /// Those of them that took the place of a record with the same id.
    pub replaced: u64,
    /// Records that could not be taken.
    pub refused: u64,
    /// Files of its records.
    pub files: u64,
    /// The bytes of these files.
    pub file_bytes: u64,
}

/// Something that was not taken, or only in part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Where: `posts`, `posts/RECORD`, `posts/RECORD/FILE`, `settings.smtp`.
    pub place: String,
    /// What is the matter, and what became of it.
    pub reason: String,
}

/// How far an import has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The collection whose records are taken.
    pub collection: String,
    /// Its records so far.
    pub records: u64,
    /// Its records in all.
    pub total: u64,
    /// The bytes of its files so far.
    pub file_bytes: u64,
}

/// A report that is being written.
pub(super) struct Reporter<'a> {
    report: Report,
    progress: &'a (dyn Fn(&Progress) + Send + Sync),
}

impl<'a> Reporter<'a> {
    pub(super) fn new(dry_run: bool, progress: &'a (dyn Fn(&Progress) + Send + Sync)) -> Self {
        let report = Report {
            dry_run,
            ..Report::default()
        };
        Self { report, progress }
    }

    pub(super) fn is_dry_run(&self) -> bool {
        self.report.dry_run
    }

    pub(super) fn problem(&mut self, place: impl Into<String>, reason: impl AsRef<str>) {
        if self.report.problems.len() == MAX_PROBLEMS {
            self.report.problems_not_listed += 1;
            return;
        }
        self.report.problems.push(Problem {
            place: place.into().chars().take(MAX_TEXT).collect(),
            reason: reason.as_ref().chars().take(MAX_TEXT).collect(),
        });
    }

    /// [`Reporter::problem`] of a place that has only this one.
    pub(super) fn problem_once(&mut self, place: &str, reason: &str) {
        let known = self.report.problems.iter();
        if !known.into_iter().any(|problem| problem.place == place) {
            self.problem(place, reason);
        }
    }

    pub(super) fn last_reason(&self) -> &str {
        let last = self.report.problems.last();
        last.map_or("", |problem| &problem.reason)
    }

    pub(super) fn begin_collection(&mut self, collection: &Collection) {
        self.report.collections.push(TakenCollection {
            name: collection.name.clone(),
            kind: kind_name(collection.kind).to_owned(),
            ..TakenCollection::default()
        });
    }

    /// The collection that was begun last.
    pub(super) fn collection(&mut self) -> &mut TakenCollection {
        let collections = &mut self.report.collections;
        if collections.is_empty() {
            collections.push(TakenCollection::default());
        }
        collections
            .last_mut()
            .expect("there is one, or one was just added")
    }

    pub(super) fn tell_progress(&mut self, total: u64) {
        let taken = self.collection();
        let progress = Progress {
            collection: taken.name.clone(),
            records: taken.records + taken.refused,
            total,
            file_bytes: taken.file_bytes,
        };
        (self.progress)(&progress);
    }

    pub(super) fn setting(&mut self, group: &str) {
        self.report.settings.push(group.to_owned());
    }

    pub(super) fn finish(self) -> Report {
        self.report
    }
}
