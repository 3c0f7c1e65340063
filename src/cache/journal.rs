//! What changes, as commands for the append-only file: one by one, or between `MULTI` and `EXEC`
//! when they took effect together.

use std::io;

use crate::{aof::Log, resp};

/// Collects the effects of units and hands them on.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    mode: Mode,
    /// The database that the log's reader is at.
    selected: Option<usize>,
    /// The commands of the unit that is open.
    unit: Vec<u8>,
    unit_commands: usize,
    /// Whole units that have not been handed on.
    ready: Vec<u8>,
    /// The position after what was handed on last.
    position: u64,
}

#[derive(Debug, Default)]
enum Mode {
    /// Nothing is kept.
    #[default]
    Off,
    /// The log is being read.
    Loading,
    /// What changes is written down.
    On(Log),
}

impl Journal {
    /// A journal that will write, once it has been read.
    pub(crate) fn loading() -> Self {
        Self {
            mode: Mode::Loading,
            ..Self::default()
        }
    }

    /// From now on what changes is written to `log`.
    pub(crate) fn begin(&mut self, log: Log) {
        self.mode = Mode::On(log);
    }

    pub(crate) fn is_loading(&self) -> bool {
        matches!(self.mode, Mode::Loading)
    }

    pub(crate) fn log(&self) -> Option<&Log> {
        match &self.mode {
            Mode::On(log) => Some(log),
            Mode::Off | Mode::Loading => None,
        }
    }

    /// Whether what changes now could not be written down.
    pub(crate) fn has_failed(&self) -> bool {
        self.log().is_some_and(Log::has_failed)
    }

    /// The policy's name, as `CONFIG` shows it.
    pub(crate) fn fsync_name(&self) -> &'static str {
        self.log().map_or("no", |log| log.fsync().name())
    }

    /// Notes a command that took effect on `db`.
    pub(crate) fn note<B: AsRef<[u8]>>(&mut self, db: usize, command: &[B]) {
        if !matches!(self.mode, Mode::On(_)) {
            return;
        }
        if self.selected != Some(db) {
            self.selected = Some(db);
            resp::command(&["SELECT", &db.to_string()], &mut self.unit);
        }
        resp::command(command, &mut self.unit);
        self.unit_commands += 1;
    }

    /// What was noted since the last call took effect together.
    pub(crate) fn end_unit(&mut self) {
        match self.unit_commands {
            0 => return,
            1 => self.ready.append(&mut self.unit),
            _ => {
                resp::command(&["MULTI"], &mut self.ready);
                self.ready.append(&mut self.unit);
                resp::command(&["EXEC"], &mut self.ready);
            }
        }
        self.unit_commands = 0;
    }

    /// Hands on what is ready; the position in the log after it.
    pub(crate) fn hand_on(&mut self) -> io::Result<u64> {
        let Mode::On(log) = &self.mode else {
            return Ok(0);
        };
        if !self.ready.is_empty() {
            let handed = log.append(&self.ready);
            self.ready.clear();
            self.position = handed.map_err(io::Error::other)?;
        }
        Ok(self.position)
    }

    /// The next command says its database again: a file begins.
    pub(crate) fn new_file(&mut self) {
        self.selected = None;
    }
}
