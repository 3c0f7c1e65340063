//! One connection to PostgreSQL with its prepared statements, opened again when it is lost.

use std::{collections::HashMap, time::Duration};

use postgres::{Client, Config, NoTls, Statement, config::SslMode};

use crate::{Error, postgres::errors::translate};

/// How long connecting may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// Prepared statements kept per connection.
const CACHED_STATEMENTS: usize = 512;
/// A transaction that its thread has forgotten ends after this long.
const FORGOTTEN_AFTER: Duration = Duration::from_mins(5);

/// A connection that one thread owns.
pub(crate) struct Connection {
    config: Config,
    statement_limit: Duration,
    open: Option<Client>,
    statements: HashMap<String, Statement>,
}

impl Connection {
    /// Reads the connection string; connects later.
    pub(crate) fn new(url: &str, statement_limit: Duration) -> Result<Self, Error> {
        let mut config: Config = url.parse().map_err(|error: postgres::Error| {
            // The text of the error does not repeat the string, which holds a password.
            Error::Engine(format!("database.url is not a connection string: {error}"))
        })?;
        if config.get_ssl_mode() == SslMode::Require {
            return Err(Error::Engine(
                "database.url asks for TLS, which mito does not speak to PostgreSQL; connect over \
                 loopback, a Unix socket or a private network"
                    .to_owned(),
            ));
        }
        config
            .connect_timeout(CONNECT_LIMIT)
            .application_name("mito");
        Ok(Self {
            config,
            statement_limit,
            open: None,
            statements: HashMap::new(),
        })
    }

    /// The connection, opened if need be.
    pub(crate) fn client(&mut self) -> Result<&mut Client, Error> {
        if self.open.as_ref().is_some_and(Client::is_closed) {
            self.reset();
        }
        if self.open.is_none() {
            self.open = Some(self.connect()?);
        }
        Ok(self.open.as_mut().expect("it was opened above"))
    }

    fn connect(&self) -> Result<Client, Error> {
        let mut client = self
            .config
            .connect(NoTls)
            .map_err(|error| translate(&error, "connecting"))?;
        let settings = format!(
            "SET statement_timeout = {}; SET idle_in_transaction_session_timeout = {}; \
             SET standard_conforming_strings = on; SET client_min_messages = warning",
            self.statement_limit.as_millis(),
            FORGOTTEN_AFTER.as_millis(),
        );
        client
            .batch_execute(&settings)
            .map_err(|error| translate(&error, &settings))?;
        Ok(client)
    }

    /// Forgets a connection that is lost or in an unknown state.
    pub(crate) fn reset(&mut self) {
        self.statements.clear();
        self.open = None;
    }

    /// Prepared statements that refer to an older schema are of no use.
    pub(crate) fn forget_statements(&mut self) {
        self.statements.clear();
    }

    /// The statement, prepared once.
    pub(crate) fn prepare(&mut self, sql: &str) -> Result<Statement, postgres::Error> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let client = self
            .open
            .as_mut()
            .expect("a transaction runs on an open connection");
        let statement = client.prepare(sql)?;
        if self.statements.len() >= CACHED_STATEMENTS {
            self.statements.clear();
        }
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Runs plain SQL without parameters.
    pub(crate) fn run(&mut self, sql: &str) -> Result<(), postgres::Error> {
        let client = self
            .open
            .as_mut()
            .expect("a transaction runs on an open connection");
        client.batch_execute(sql)
    }

    /// The open connection of a running transaction.
    pub(crate) fn running(&mut self) -> &mut Client {
        self.open
            .as_mut()
            .expect("a transaction runs on an open connection")
    }
}
