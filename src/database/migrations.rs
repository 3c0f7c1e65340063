//! Numbered SQL per role, applied at start in one transaction, with a backup taken first.

use std::{collections::BTreeMap, path::Path};

use crate::Error;

/// The migrations of one role, in order of version.
#[derive(Clone, Copy, Debug)]
pub struct Migrations {
    /// The role, as in the names of its tables: `_mito_<role>_*`.
    pub role: &'static str,
    /// Versions 1, 2, 3 and so on without gaps; what has been released is never edited.
    pub steps: &'static [Migration],
}

/// One step.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Its number, from 1.
    pub version: u32,
    /// Portable statements, separated by `;`.
    pub sql: &'static str,
    /// What PostgreSQL needs instead, where the portable text will not do.
    pub postgres: Option<&'static str>,
}

/// Where applied steps are noted.
pub(crate) const TABLE: &str = "CREATE TABLE IF NOT EXISTS _mito_migrations (
    role TEXT NOT NULL,
    version BIGINT NOT NULL,
    applied_ms BIGINT NOT NULL,
    PRIMARY KEY (role, version)
)";
/// Notes a step.
pub(crate) const RECORD: &str =
    "INSERT INTO _mito_migrations (role, version, applied_ms) VALUES ($1, $2, $3)";
/// The newest version of each role.
pub(crate) const APPLIED: &str = "SELECT role, MAX(version) FROM _mito_migrations GROUP BY role";
/// The longest list of steps in a file's name, in bytes.
const LABEL_BYTES: usize = 100;

/// A step that is yet to be applied.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pending {
    pub(crate) role: &'static str,
    pub(crate) version: u32,
    pub(crate) sql: &'static str,
}

impl Pending {
    /// Names the step that failed.
    pub(crate) fn failed(&self, path: &Path, error: &Error) -> Error {
        let reason = format!(
            "migration {} of {} failed and nothing was changed: {error}",
            self.version, self.role
        );
        Error::Open {
            path: path.to_owned(),
            reason,
        }
    }
}

/// The steps that `applied` lacks, in the order of the roles; an error if the database is ahead
/// of this program. A role that only the database knows means that a newer program wrote it.
pub(crate) fn pending(
    path: &Path,
    roles: &[Migrations],
    applied: &BTreeMap<String, u32>,
    sql: impl Fn(&Migration) -> &'static str,
) -> Result<Vec<Pending>, Error> {
    let mut pending = Vec::new();
    for role in roles {
        let versions = role.steps.iter().map(|step| step.version);
        if !versions.eq((1..).take(role.steps.len())) {
            return Err(Error::Engine(format!(
                "the migrations of {} are not numbered 1, 2, 3 and so on",
                role.role
            )));
        }
        let done = applied.get(role.role).copied().unwrap_or(0);
        pending.extend(
            role.steps
                .iter()
                .filter(|step| step.version > done)
                .map(|step| Pending {
                    role: role.role,
                    version: step.version,
                    sql: sql(step),
                }),
        );
    }
    let known = |name: &str| {
        let role = roles.iter().find(|role| role.role == name);
        role.and_then(|role| role.steps.last())
            .map_or(0, |step| step.version)
    };
    match applied.iter().find(|(role, found)| known(role) < **found) {
        None => Ok(pending),
        Some((role, found)) => Err(Error::Newer {
            path: path.to_owned(),
            role: role.clone(),
            found: *found,
            known: known(role),
        }),
    }
}

/// `records-2+queue-3`: the newest pending version of each role.
pub(crate) fn label(pending: &[Pending]) -> String {
    let mut newest: Vec<(&str, u32)> = Vec::new();
    for step in pending {
        match newest.iter_mut().find(|(role, _)| *role == step.role) {
            Some((_, version)) => *version = step.version,
            None => newest.push((step.role, step.version)),
        }
    }
    let parts: Vec<String> = newest
        .iter()
        .map(|(role, version)| format!("{role}-{version}"))
        .collect();
    let mut label = parts.join("+");
    label.truncate(LABEL_BYTES);
    label
}
