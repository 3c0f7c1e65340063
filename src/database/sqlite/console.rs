//! Statements typed by an administrator, on SQLite.

use rusqlite::{
    Batch, Statement,
    fallible_iterator::FallibleIterator as _,
    hooks::{AuthAction, Authorization},
};

use crate::{
    Error,
    console::{Column, Limits, Outcome, is_protected, room},
    sqlite::{
        errors::translate,
        tx::{Running, SqliteTx, owned},
    },
};

impl SqliteTx<'_> {
    pub(crate) fn console(&mut self, sql: &str, limits: Limits) -> Result<Outcome, Error> {
        let guarded = self.guarded;
        // Statements are prepared anew: one that is cached was checked when it was prepared.
        guarded.guard.set_console(true);
        let result = self.each_statement(sql, limits);
        guarded.guard.set_console(false);
        self.wrote();
        if guarded.connection.is_autocommit() {
            self.lose("the transaction has been rolled back after an earlier error");
        }
        result
    }

    fn each_statement(&mut self, sql: &str, limits: Limits) -> Result<Outcome, Error> {
        let connection = &self.guarded.connection;
        let path = self.path;
        let failed = |error: rusqlite::Error| translate(&error, sql, path);
        let before = connection.total_changes();
        let mut outcome = Outcome::default();
        let mut batch = Batch::new(connection, sql);
        loop {
            let running = Running::start(&self.guarded.guard, limits.time);
            let Some(mut statement) = batch.next().map_err(failed)? else {
                break;
            };
            let (columns, rows) = run(&mut statement, limits, &failed)?;
            if !columns.is_empty() {
                (outcome.columns, outcome.rows) = (columns, rows);
            }
            drop(running);
        }
        outcome.affected = connection.total_changes() - before;
        Ok(outcome)
    }
}

type Rows = Vec<Vec<crate::Value>>;

fn run(
    statement: &mut Statement<'_>,
    limits: Limits,
    failed: &dyn Fn(rusqlite::Error) -> Error,
) -> Result<(Vec<Column>, Rows), Error> {
    if statement.parameter_count() > 0 {
        return Err(Error::Engine("parameters have no values here".to_owned()));
    }
    let columns: Vec<Column> = statement
        .columns()
        .map(|column| Column {
            name: column.name().to_owned(),
            kind: column.decl_type().unwrap_or_default().to_ascii_uppercase(),
        })
        .collect();
    let (mut rows, mut bytes) = (Vec::new(), 0_usize);
    let mut found = statement.raw_query();
    while let Some(row) = found.next().map_err(failed)? {
        let mut values = Vec::with_capacity(columns.len());
        for index in 0..columns.len() {
            let value = owned(row.get_ref(index).map_err(failed)?);
            bytes = bytes.saturating_add(room(&value));
            values.push(value);
        }
        if rows.len() == limits.rows || bytes > limits.bytes {
            return Err(limits.exceeded());
        }
        rows.push(values);
    }
    Ok((columns, rows))
}

/// What a statement from the console may not do. A trigger would write later, when nobody looks, and
/// what is temporary would hide tables from everybody who uses the connection after it.
pub(super) fn authorize(action: &AuthAction<'_>) -> Authorization {
    let table = match action {
        AuthAction::CreateTrigger { .. }
        | AuthAction::CreateTempTrigger { .. }
        | AuthAction::CreateTempTable { .. }
        | AuthAction::CreateTempView { .. }
        | AuthAction::CreateTempIndex { .. }
        | AuthAction::CreateVtable { .. }
        | AuthAction::DropVtable { .. } => return Authorization::Deny,
        AuthAction::Insert { table_name }
        | AuthAction::Update { table_name, .. }
        | AuthAction::Delete { table_name }
        | AuthAction::CreateTable { table_name }
        | AuthAction::DropTable { table_name }
        | AuthAction::AlterTable { table_name, .. }
        | AuthAction::CreateIndex { table_name, .. }
        | AuthAction::DropIndex { table_name, .. }
        | AuthAction::DropTrigger { table_name, .. } => table_name,
        AuthAction::CreateView { view_name } | AuthAction::DropView { view_name } => view_name,
        _ => return Authorization::Allow,
    };
    if is_protected(table) {
        return Authorization::Deny;
    }
    Authorization::Allow
}
