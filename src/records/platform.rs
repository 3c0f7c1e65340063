//! What administrators run the platform with and what needs more than the database: the log in a
//! file of its own, and backups of the data folder. Attached after the rest is built, and absent
//! where a test does without.

use mito_network::Task;

use crate::{Records, backups::Backups, logs::Logs};

/// The parts.
pub struct Platform {
    /// The log.
    pub logs: Logs,
    /// Backups.
    pub backups: Backups,
}

impl Records {
    /// Attaches the parts; a second time nothing happens.
    pub fn attach(&self, platform: Platform) {
        let _ = self.inner.platform.set(platform);
    }

    /// The tasks of what administrators run the platform with.
    pub(crate) fn platform_tasks(&self) -> Vec<Task> {
        let (settings, crons) = (self.clone(), self.clone());
        let mut tasks = vec![
            Task::new("settings", move |shutdown| {
                settings.clone().follow_settings(shutdown)
            }),
            Task::new("crons", move |shutdown| crons.clone().run_crons(shutdown)),
        ];
        tasks.extend(self.log_writer());
        tasks
    }
}
