//! `mito trust` and `mito untrust`: the root of the local authority in the stores that browsers and
//! programs of this machine look at. It never makes the root: mito does that at its start, as the user
//! that it runs as, and this command often runs as another.

mod nss;
mod system;

use std::{fs, path::PathBuf, process::Command};

use super::{EXIT_FAILURE, output};
use crate::config::Config;

/// What to do with the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// Trust it.
    Trust,
    /// Trust it no more.
    Untrust,
}

/// The root certificate.
struct Root {
    path: PathBuf,
    domain: String,
}

/// What was done in the stores, and what was not.
#[derive(Default)]
struct Report {
    done: Vec<String>,
    failed: Vec<String>,
}

pub(super) fn run(config: &Config, wish: Wish) -> u8 {
    let path = mito_gateway::root_certificate(&config.data, &config.domain);
    let root = Root {
        path: fs::canonicalize(&path).unwrap_or(path),
        domain: config.domain.clone(),
    };
    if wish == Wish::Trust && !root.path.exists() {
        output::failure(&format!(
            "{} does not exist yet: mito makes it when it starts, so start it once with this data \
             folder and domain",
            root.path.display()
        ));
        return EXIT_FAILURE;
    }
    let mut report = Report::default();
    system::apply(&root, wish, &mut report);
    nss::apply(&root, wish, &mut report);
    if wish == Wish::Trust {
        report.done.push(format!(
            "Node.js reads none of these stores; for its programs: export NODE_EXTRA_CA_CERTS={}",
            root.path.display()
        ));
    }
    for line in &report.done {
        output::text(&format!("{line}\n"));
    }
    for reason in &report.failed {
        output::failure(reason);
    }
    if report.failed.is_empty() {
        0
    } else {
        EXIT_FAILURE
    }
}

impl Root {
    /// What it is called where names have to tell roots apart.
    fn nickname(&self) -> String {
        format!("mito local authority for {}", self.domain)
    }

    /// The same as the name of a file.
    fn file_name(&self) -> String {
        let domain: String = self
            .domain
            .chars()
            .map(|letter| match letter {
                'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '.' => letter,
                _ => '_',
            })
            .collect();
        format!("mito-local-authority-{domain}.crt")
    }
}

/// Runs a program of the system; what it says is shown when it fails.
fn call(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let ended = command
        .output()
        .map_err(|error| format!("{program} cannot be run: {error}"))?;
    if ended.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&ended.stderr).trim().to_owned();
    Err(format!("{program} failed ({}): {said}", ended.status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_is_called_by_its_domain() {
        let root = Root {
            path: "ca/root.crt".into(),
            domain: "../b.example".to_owned(),
        };
        assert_eq!(root.nickname(), "mito local authority for ../b.example");
        assert_eq!(root.file_name(), "mito-local-authority-.._b.example.crt");
    }

    #[test]
    fn a_program_that_fails_is_named() {
        let error = call(&mut Command::new("false")).unwrap_err();
        assert!(error.starts_with("false failed"), "{error}");
        let error = call(&mut Command::new("mito-does-not-exist")).unwrap_err();
        assert!(error.contains("cannot be run"), "{error}");
        assert_eq!(call(&mut Command::new("true")), Ok(()));
    }
}
