//! What accounts leave behind and nobody needs any more: codes and first steps that are over,
//! sessions that have ended, remembered tries. Uses of sessions are written down on the way.

use std::time::Duration;

use mito_database::Tx;
use mito_network::Task;

use crate::{
    Error, Records,
    accounts::{
        options::AuthOptions,
        sessions::millis,
        system::{MFAS, OTPS},
    },
    collections::store,
    fields::dates,
    names::quote,
};

/// How often uses of sessions are written down.
const WRITE_EVERY: Duration = Duration::from_secs(30);
/// How many of these rounds pass between two sweeps.
const ROUNDS: u32 = 10;
/// The most rows of a kind that one round deletes.
const CHUNK: i64 = 400;

impl Records {
    /// The task that looks after sessions and codes.
    pub(crate) fn accounts_task(&self) -> Task {
        let records = self.clone();
        Task::new("accounts", move |shutdown| {
            let records = records.clone();
            async move {
                let mut round = 0;
                let mut ticks = tokio::time::interval(WRITE_EVERY);
                ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
                loop {
                    tokio::select! {
                        () = shutdown.begun() => break,
                        _ = ticks.tick() => {}
                    }
                    records.look_after_accounts(round % ROUNDS == 0).await;
                    round += 1;
                }
                records.look_after_accounts(false).await;
                Ok(())
            }
        })
    }

    async fn look_after_accounts(&self, sweeps: bool) {
        if let Err(error) = self.write_uses().await {
            tracing::warn!(%error, "could not write down which sessions were used");
        }
        if sweeps && let Err(error) = self.sweep_accounts().await {
            tracing::warn!(%error, "could not delete what accounts have left behind");
        }
    }

    /// Deletes what is over, a bounded number of rows of each kind.
    pub(crate) async fn sweep_accounts(&self) -> Result<(), Error> {
        let records = self.clone();
        let sweep = move |tx: &mut Tx<'_>| {
            let now_ms = tx.now_ms();
            for sql in [
                "DELETE FROM _mito_records_sessions WHERE id IN (SELECT id FROM \
                 _mito_records_sessions WHERE idle_at <= $1 OR absolute_at <= $1 LIMIT $2)",
                "DELETE FROM _mito_records_codes WHERE hash IN (SELECT hash FROM \
                 _mito_records_codes WHERE expires_at <= $1 LIMIT $2)",
                "DELETE FROM _mito_records_otp_tries WHERE otp IN (SELECT otp FROM \
                 _mito_records_otp_tries WHERE expires_at <= $1 LIMIT $2)",
            ] {
                tx.execute(sql, &[&now_ms, &CHUNK])?;
            }
            for collection in store::all(tx)?.iter().filter(|one| one.is_auth()) {
                let options = AuthOptions::of(collection);
                for (name, seconds) in [(OTPS, options.otp.duration), (MFAS, options.mfa.duration)]
                {
                    let lasts = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
                    let until = dates::format_ms(now_ms - millis(lasts));
                    records.remove_older(tx, name, &collection.id, &until)?;
                }
            }
            Ok::<_, Error>(())
        };
        self.inner.database.write(sweep).await
    }

    fn remove_older(
        &self,
        tx: &mut Tx<'_>,
        name: &str,
        collection: &str,
        until: &str,
    ) -> Result<(), Error> {
        let sql = format!(
            "SELECT id FROM {} WHERE \"collectionRef\" = $1 AND created <= $2 LIMIT $3",
            quote(name)
        );
        for row in tx.query(&sql, &[&collection, &until, &(CHUNK / 4)])? {
            let id: String = row.get("id")?;
            self.remove_system_record(tx, name, &id)?;
        }
        Ok(())
    }
}
