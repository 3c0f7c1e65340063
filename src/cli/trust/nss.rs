//! The stores of Firefox, and of Chromium on Linux: one database a profile, of the user that runs the
//! browser, written with NSS's own certutil.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{Report, Root, Wish, call};

/// Where profiles are, below the home folder: each has a database, or folders that have one.
const PROFILES: [&str; 5] = [
    ".pki/nssdb",
    ".mozilla/firefox",
    "snap/firefox/common/.mozilla/firefox",
    "snap/chromium/current/.pki/nssdb",
    "Library/Application Support/Firefox/Profiles",
];
/// The file that a database is known by.
const DATABASE: &str = "cert9.db";

/// Trusts the root in every database of this user, or ends that.
pub(super) fn apply(root: &Root, wish: Wish, report: &mut Report) {
    let Some(home) = std::env::home_dir() else {
        return;
    };
    let databases = databases(&home);
    if databases.is_empty() {
        return;
    }
    if Command::new("certutil").arg("-H").output().is_err() {
        report.done.push(format!(
            "browsers have stores of their own here, for which certutil is missing (Debian: apt \
             install libnss3-tools): {}",
            list(&databases)
        ));
        return;
    }
    for database in databases {
        let outcome = apply_to(root, wish, &database);
        match outcome {
            Ok(()) => report.done.push(match wish {
                Wish::Trust => format!("{} trusts {}", database.display(), root.nickname()),
                Wish::Untrust => {
                    format!("{} trusts {} no more", database.display(), root.nickname())
                }
            }),
            Err(reason) => report
                .failed
                .push(format!("{}: {reason}", database.display())),
        }
    }
}

fn apply_to(root: &Root, wish: Wish, database: &Path) -> Result<(), String> {
    let certutil = |arguments: &[&str]| {
        let mut command = Command::new("certutil");
        command
            .arg("-d")
            .arg(format!("sql:{}", database.display()))
            .args(["-n", &root.nickname()])
            .args(arguments);
        command
    };
    // A root that was made anew has the name of the old one, which would stay.
    let known = call(&mut certutil(&["-L"])).is_ok();
    if known {
        call(&mut certutil(&["-D"]))?;
    }
    match wish {
        Wish::Trust => call(certutil(&["-A", "-t", "C,,", "-i"]).arg(&root.path)),
        Wish::Untrust => Ok(()),
    }
}

fn databases(home: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for place in PROFILES {
        let place = home.join(place);
        if place.join(DATABASE).exists() {
            found.push(place);
            continue;
        }
        let Ok(folders) = fs::read_dir(&place) else {
            continue;
        };
        let folders = folders.filter_map(Result::ok).map(|entry| entry.path());
        found.extend(folders.filter(|folder| folder.join(DATABASE).exists()));
    }
    found.sort();
    found
}

fn list(databases: &[PathBuf]) -> String {
    let shown: Vec<String> = databases
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_with_a_database_is_found() {
        let home = tempfile::tempdir().unwrap();
        for folder in [
            ".pki/nssdb",
            ".mozilla/firefox/a.default",
            ".mozilla/firefox/b.other",
            ".mozilla/firefox/Crash Reports",
        ] {
            fs::create_dir_all(home.path().join(folder)).unwrap();
        }
        let with = [".mozilla/firefox/a.default", ".pki/nssdb"];
        for folder in with {
            fs::write(home.path().join(folder).join(DATABASE), "").unwrap();
        }
        assert_eq!(databases(home.path()), with.map(|it| home.path().join(it)));
    }
}
