//! Takes over an installation of PocketBase 0.23 or later from its folder `pb_data`: collections
//! with their rules and indexes, records with their ids, accounts whose passwords and unexpired
//! tokens go on working, files, and settings.
//!
//! Running it again brings over what has changed since: of a record with the same id, and of a
//! definition, what they say counts; fields that only we have keep their values, and records that
//! they have no more stay. So an import that was cut off is simply started anew, and a long one can
//! be made beside the running PocketBase and repeated once that has stopped. Nothing is written to
//! `pb_data`. Nobody is told of imported records: no event, and so no mail, webhook or realtime
//! message, comes of them.
//!
//! What cannot be taken is left out by the piece (a rule, an index, a row, a file), never in
//! silence: the [`Report`] names each with its reason. A rule that cannot be taken is locked to
//! administrators.
//!
//! | module | what it holds |
//! |---|---|
//! | [`source`] | the folder: definitions, rows, settings, as they stand there |
//! | [`definitions`] | collections in, with what does not fit left out |
//! | [`rows`] | a row of theirs as a row of ours |
//! | [`copy`](mod@copy) | all records of a collection, page by page |
//! | [`files`] | what records carry |
//! | [`write`](mod@write) | rows into the database |
//! | [`rehearse`] | what a dry run foresees of that |
//! | [`settings`] | settings in, group by group |
//! | [`report`] | what was taken and what was not |

mod copy;
mod definitions;
mod files;
mod rehearse;
mod report;
mod rows;
mod settings;
mod source;
#[cfg(test)]
mod tests;
mod write;

use std::path::PathBuf;

use secrecy::SecretString;

pub use report::{Problem, Progress, Report, TakenCollection};

use crate::{
    Error, Records,
    pocketbase::{report::Reporter, source::Source},
};

/// System collections whose records are taken: the links of accounts to other sites. Codes and
/// half sign-ins live minutes, and places of earlier sign-ins are told in another way here.
const TAKEN_OF_SYSTEM: &str = "_externalAuths";

/// An installation to take over.
#[derive(Clone, Debug)]
pub struct Installation {
    /// `pb_data`, or the folder that it is in.
    pub folder: PathBuf,
    /// What its settings are encrypted with: the value of the variable that PocketBase's
    /// `--encryptionEnv` names, 32 characters.
    pub encryption_key: Option<SecretString>,
    /// Looks at everything and writes nothing.
    pub dry_run: bool,
}

impl Records {
    /// Takes over an installation; `progress` is called now and then, and must not block. An error
    /// says why the import ended; what was committed before stays, and the next one goes on there.
    pub async fn import_pocketbase(
        &self,
        installation: &Installation,
        progress: &(dyn Fn(&Progress) + Send + Sync),
    ) -> Result<Report, Error> {
        let Ok(_alone) = self.inner.importing.try_lock() else {
            let message = "Another import runs. Wait until it has ended.";
            return Err(Error::Invalid(message.to_owned()));
        };
        let source = Source::open(&installation.folder).await?;
        let mut reporter = Reporter::new(installation.dry_run, progress);
        source.note_what_stays(&mut reporter).await?;
        let given = source.definitions(&mut reporter).await?;
        let collections = self.take_definitions(given, &mut reporter).await?;
        let files = source.files();
        for collection in &collections {
            self.copy_records(&source, &files, collection, &mut reporter)
                .await?;
        }
        let settings = source.settings(installation.encryption_key.as_ref()).await;
        self.take_settings(settings, &mut reporter).await?;
        let report = reporter.finish();
        if !report.dry_run {
            let records: u64 = report.collections.iter().map(|taken| taken.records).sum();
            tracing::info!(
                collections = report.collections.len(),
                records,
                "took over an installation of PocketBase"
            );
        }
        Ok(report)
    }
}
