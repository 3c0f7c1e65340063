//! Dry runs: what writing rows would come to, as far as what is here already tells.

use std::sync::Arc;

use mito_database::{Tx, Value as Stored};

use super::{
    copy::left_out,
    report::Reporter,
    rows::Incoming,
    write::{Batch, Written, not_unique, position},
};
use crate::{
    Collection, Error, Records,
    collections::{indexes::Index, store},
    names::quote,
};

impl Records {
    /// Says of the rows of a batch what writing them would come to.
    pub(super) async fn rehearse(
        &self,
        batch: &Arc<Batch>,
        reporter: &mut Reporter<'_>,
    ) -> Result<(), Error> {
        let theirs = Arc::clone(batch);
        let look = move |tx: &mut Tx<'_>| {
            // What is not here yet stands in nobody's way.
            let Some(ours) = store::find_by_id(tx, &theirs.collection.id)? else {
                return Ok(Vec::new());
            };
            let rows = theirs.rows.iter();
            rows.map(|row| foresee(tx, &ours, &theirs.collection, row))
                .collect::<Result<Vec<_>, Error>>()
        };
        let foreseen = self.inner.database.read(look).await?;
        for row in 0..batch.rows.len() {
            match foreseen.get(row) {
                Some(Err(reason)) => {
                    left_out(reporter, &batch.collection, &batch.rows[row].id, reason);
                }
                other => {
                    let written = Written {
                        replaced: matches!(other, Some(Ok(true))),
                        ended: Vec::new(),
                    };
                    self.count_in(reporter, batch, row, &written);
                }
            }
        }
        Ok(())
    }
}

/// Whether a row would take the place of another, or why it would be refused.
fn foresee(
    tx: &mut Tx<'_>,
    ours: &Collection,
    theirs: &Collection,
    row: &Incoming,
) -> Result<Result<bool, String>, Error> {
    let table = quote(&ours.name);
    for statement in &ours.indexes {
        let Ok(index) = Index::parse(statement) else {
            continue;
        };
        let [column] = index.columns.as_slice() else {
            continue;
        };
        let value = position(theirs, &column.name).map(|at| &row.values[at]);
        let Some(value @ Stored::Text(text)) = value else {
            continue;
        };
        if !index.unique || text.is_empty() || ours.field(&column.name).is_none() {
            continue;
        }
        let column = quote(&column.name);
        let sql = format!("SELECT id FROM {table} WHERE {column} = $1 AND id <> $2");
        if tx.query_one(&sql, &[value, &row.id])?.is_some() {
            return Ok(Err(not_unique(&format!("{}.{column}", ours.name))));
        }
    }
    let sql = format!("SELECT id FROM {table} WHERE id = $1");
    Ok(Ok(tx.query_one(&sql, &[&row.id])?.is_some()))
}
