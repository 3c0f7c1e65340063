//! The jobs themselves.

use mito_database::{Dialect, Tx};
use mito_network::service::BoxFuture;

use crate::{Error, Records, Settings};

/// A job.
pub(crate) struct Job {
    pub(crate) id: &'static str,
    /// When it runs; empty while it is off.
    pub(crate) expression: fn(&Settings) -> String,
    pub(crate) run: fn(Records) -> BoxFuture<Result<(), Error>>,
}

/// Every job, in the order in which they are shown.
pub(crate) const JOBS: &[Job] = &[
    Job {
        id: "__pbDBOptimize__",
        expression: |_| "0 0 * * *".to_owned(),
        run: |records| Box::pin(optimize(records)),
    },
    Job {
        id: "__pbMFACleanup__",
        expression: |_| "0 * * * *".to_owned(),
        run: |records| Box::pin(async move { records.sweep_accounts().await }),
    },
    Job {
        id: "__pbOTPCleanup__",
        expression: |_| "0 * * * *".to_owned(),
        run: |records| Box::pin(async move { records.sweep_accounts().await }),
    },
    Job {
        id: "__pbLogsCleanup__",
        expression: |_| "0 */6 * * *".to_owned(),
        run: |records| Box::pin(async move { records.clean_logs().await }),
    },
    Job {
        id: "__pbAutoBackup__",
        expression: |settings| settings.backups.cron.clone(),
        run: |records| Box::pin(async move { records.auto_backup().await }),
    },
];

/// Lets the engine look at its tables again, so that it goes on choosing good plans.
async fn optimize(records: Records) -> Result<(), Error> {
    let optimize = |tx: &mut Tx<'_>| {
        let sql = match tx.dialect() {
            Dialect::Sqlite => "PRAGMA optimize",
            Dialect::Postgres => "ANALYZE",
        };
        tx.execute(sql, &[]).map(|_| ())
    };
    Ok(records.inner.database.exclusive(optimize).await?)
}
