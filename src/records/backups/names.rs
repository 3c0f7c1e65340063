//! What archives may be called. A key is a plain name in one folder, whoever sends it.

use crate::{Error, FieldError};

/// What the names of archives that make themselves begin with.
pub(super) const AUTOMATIC: &str = "@auto_";
/// The longest name, in characters.
const MAX_NAME: usize = 150;
/// How much of the application's name a generated name has, in characters.
const MAX_APP_NAME: usize = 50;

/// A name that was asked for: `[a-z0-9_-]+.zip`.
pub(super) fn check_given(name: &str) -> Result<(), FieldError> {
    if name.chars().count() > MAX_NAME {
        let message = format!("The length must be between 1 and {MAX_NAME}.");
        let mut error = FieldError::new("validation_length_out_of_range", message);
        error.params = Some(serde_json::json!({"min": 1, "max": MAX_NAME}));
        return Err(error);
    }
    let is_good =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
    let stem = name.strip_suffix(".zip");
    if !stem.is_some_and(|stem| !stem.is_empty() && stem.bytes().all(is_good)) {
        let message = "Must be in a valid format.";
        return Err(FieldError::new("validation_match_invalid", message));
    }
    Ok(())
}

/// The name of a file in the folder of archives.
pub(super) fn key(key: &str) -> Result<&str, Error> {
    let plain = !key.is_empty()
        && key.len() <= 2 * MAX_NAME
        && !key.starts_with('.')
        && !key.contains(['/', '\\'])
        && !key.chars().any(char::is_control);
    plain.then_some(key).ok_or(Error::NotFound)
}

/// The name that a sent file is kept under: the last part of what its sender calls it.
pub(super) fn of_upload(name: &str) -> Result<&str, FieldError> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    if last.chars().count() > MAX_NAME || key(last).is_err() {
        let message = "Must be in a valid format.";
        return Err(FieldError::new("validation_match_invalid", message));
    }
    Ok(last)
}

/// `mito_backup_<application>_<yyyymmddhhmmss>.zip`.
pub(super) fn generated(prefix: &str, app_name: &str, at: &str) -> String {
    let mut name = String::new();
    for character in app_name.chars().take(MAX_APP_NAME) {
        match character {
            'a'..='z' | '0'..='9' => name.push(character),
            'A'..='Z' => name.push(character.to_ascii_lowercase()),
            _ if name.ends_with('_') || name.is_empty() => {}
            _ => name.push('_'),
        }
    }
    let name = match name.trim_end_matches('_') {
        "" => "platform",
        name => name,
    };
    let digits: String = at.chars().filter(char::is_ascii_digit).take(14).collect();
    format!("{prefix}mito_backup_{name}_{digits}.zip")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stay_in_their_folder() {
        for good in ["a.zip", "@auto_a.zip", "We Ird.ZIP", "a..b"] {
            assert!(key(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", ".a", "a/b", "../a", "a\\b", "a\nb", "a\0b"] {
            assert!(key(bad).is_err(), "{bad:?}");
        }
        assert_eq!(of_upload("../../etc/a.zip").unwrap(), "a.zip");
        assert_eq!(of_upload("c:\\temp\\a.zip").unwrap(), "a.zip");
        assert!(of_upload("/").is_err());
    }

    #[test]
    fn generated_names_are_names_that_could_be_given() {
        let check = |app: &str, expected: &str| {
            let name = generated("", app, "2026-11-23 03:41:11.117Z");
            assert_eq!(name, expected);
            assert_eq!(check_given(&name), Ok(()));
        };
        check("Acme", "mito_backup_acme_20261123034111.zip");
        check(
            "  Straße & Söhne!",
            "mito_backup_stra_e_s_hne_20261123034111.zip",
        );
        check("日本", "mito_backup_platform_20261123034111.zip");
    }
}
