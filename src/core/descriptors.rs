//! How many file descriptors the process may have: one for each connection, and those of the
//! databases and objects, which stop working when there is none left.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit to what is allowed. Most systems begin with 1,024, which is meant for programs
/// that wait with select(2), and allow many times as many.
pub fn raise() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::debug!(%error, "the limit of file descriptors stays as it is");
    }
}

/// How many there may be, if there is a limit.
pub fn most() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}
