//! The store of the whole system: a folder of anchors with a program that reads them on Linux, the
//! system keychain on macOS. Both belong to root.

use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::Command,
};

use super::{Report, Root, Wish, call};

/// Where anchors are put, and what takes them up: Debian, Red Hat, Arch, openSUSE.
const ANCHORS: [(&str, &[&str]); 4] = [
    (
        "/usr/local/share/ca-certificates",
        &["update-ca-certificates"],
    ),
    (
        "/etc/pki/ca-trust/source/anchors",
        &["update-ca-trust", "extract"],
    ),
    (
        "/etc/ca-certificates/trust-source/anchors",
        &["trust", "extract-compat"],
    ),
    ("/etc/pki/trust/anchors", &["update-ca-certificates"]),
];
/// Where macOS keeps what is trusted for all users.
const KEYCHAIN: &str = "/Library/Keychains/System.keychain";

/// Trusts the root, or ends that.
pub(super) fn apply(root: &Root, wish: Wish, report: &mut Report) {
    let outcome = if cfg!(target_os = "macos") {
        in_keychain(root, wish)
    } else {
        let found = ANCHORS
            .iter()
            .find(|(folder, _)| Path::new(folder).is_dir());
        match found {
            Some((folder, update)) => among_anchors(root, wish, Path::new(folder), update),
            None => Err(format!(
                "this system's certificate store is not known: add {} to it by hand",
                root.path.display()
            )),
        }
    };
    match outcome {
        Ok(line) => report.done.push(line),
        Err(reason) => report.failed.push(reason),
    }
}

fn among_anchors(
    root: &Root,
    wish: Wish,
    folder: &Path,
    update: &[&str],
) -> Result<String, String> {
    let anchor = folder.join(root.file_name());
    let said = match wish {
        Wish::Trust => {
            fs::copy(&root.path, &anchor)
                .and_then(|_| fs::set_permissions(&anchor, Permissions::from_mode(0o644)))
                .map_err(|error| failure(&anchor, &error))?;
            format!(
                "the system trusts {}: {}",
                root.nickname(),
                anchor.display()
            )
        }
        Wish::Untrust => match fs::remove_file(&anchor) {
            Ok(()) => format!("the system trusts {} no more", root.nickname()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(format!("the system did not trust {}", root.nickname()));
            }
            Err(error) => return Err(failure(&anchor, &error)),
        },
    };
    let (program, arguments) = update.split_first().expect("every store has a program");
    call(Command::new(program).args(arguments))?;
    Ok(said)
}

fn in_keychain(root: &Root, wish: Wish) -> Result<String, String> {
    let mut command = Command::new("security");
    match wish {
        Wish::Trust => command.args(["add-trusted-cert", "-d", "-r", "trustRoot", "-k", KEYCHAIN]),
        Wish::Untrust => command.args(["remove-trusted-cert", "-d"]),
    };
    call(command.arg(&root.path))
        .map_err(|reason| format!("{reason}; the system keychain belongs to root: {}", again()))?;
    Ok(match wish {
        Wish::Trust => format!("the system keychain trusts {}", root.nickname()),
        Wish::Untrust => format!("the system keychain trusts {} no more", root.nickname()),
    })
}

fn failure(anchor: &Path, error: &io::Error) -> String {
    let reason = format!("{}: {error}", anchor.display());
    if error.kind() == io::ErrorKind::PermissionDenied {
        return format!("{reason}. The system's store belongs to root: {}", again());
    }
    reason
}

/// The command that may.
fn again() -> String {
    let arguments: Vec<String> = std::env::args_os()
        .skip(1)
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    let program = std::env::current_exe().map_or_else(
        |_| "mito".to_owned(),
        |path| path.to_string_lossy().into_owned(),
    );
    format!("run sudo {program} {}", arguments.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchor_is_put_where_it_is_read_and_taken_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root.crt");
        fs::write(&path, "a root").unwrap();
        let root = Root {
            path,
            domain: "localhost".to_owned(),
        };
        let anchors = folder.path().join("anchors");
        fs::create_dir(&anchors).unwrap();
        let anchor = anchors.join("mito-local-authority-localhost.crt");
        let apply = |wish| among_anchors(&root, wish, &anchors, &["true"]);
        assert!(apply(Wish::Trust).unwrap().starts_with("the system trusts"));
        let mode = fs::metadata(&anchor).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o644);
        assert!(apply(Wish::Untrust).unwrap().ends_with("no more"));
        assert!(!anchor.exists());
        assert!(apply(Wish::Untrust).unwrap().contains("did not trust"));
    }

    #[test]
    fn a_store_of_root_says_what_to_run() {
        let denied = io::Error::from(io::ErrorKind::PermissionDenied);
        let reason = failure(Path::new("/etc/x.crt"), &denied);
        assert!(reason.contains("/etc/x.crt"), "{reason}");
        assert!(reason.contains("run sudo "), "{reason}");
    }
}
