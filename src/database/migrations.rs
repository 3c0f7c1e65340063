//! Numbered SQL per role, applied at start in one transaction, with a backup taken first.

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
