//! The files of the dynamic configuration. A file that is wrong keeps what it said before, so that a
//! slip of the pen takes nothing away.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::{Document, Format, Wrong, places::Places, read};

/// The largest file, in bytes.
pub(crate) const MAX_BYTES: u64 = 1024 * 1024;
/// The most files.
pub(crate) const MAX_FILES: usize = 200;
/// Within this time a file may have changed again although its time is the same.
const RECENT: Duration = Duration::from_secs(2);
/// The longest name, in bytes.
const MAX_NAME: usize = 100;

/// The folder.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    known: Mutex<BTreeMap<String, Known>>,
}

/// A file as it was seen last.
#[derive(Debug)]
struct Known {
    stamp: Stamp,
    /// Of its text, if that could be read.
    version: Option<String>,
    format: Format,
    /// What it says, or said before it was wrong.
    source: Source,
    wrong: Option<Wrong>,
}

/// What a file says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Source {
    /// The file's name.
    pub(crate) name: String,
    pub(crate) document: Arc<Document>,
    places: Arc<Places>,
}

impl Source {
    fn read(name: &str, text: &str, format: Format) -> Result<Self, Wrong> {
        let document = read::document(text, format)?;
        Ok(Self {
            name: name.to_owned(),
            places: Arc::new(Places::of(text, format)),
            document: Arc::new(document),
        })
    }

    /// Where an object of a section stands.
    pub(crate) fn place(&self, section: &str, name: &str) -> String {
        match self.places.object(section, name) {
            Some(line) => format!("{} line {line}: {section}.{name}", self.name),
            None => format!("{}: {section}.{name}", self.name),
        }
    }
}

/// What changes when a file does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    bytes: u64,
}

/// A file, for lists.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub(crate) name: String,
    pub(crate) format: Format,
    pub(crate) bytes: u64,
    pub(crate) modified: Option<Timestamp>,
    pub(crate) wrong: Option<Wrong>,
}

/// Why a file cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error(
        "{0:?} is no name of a configuration file: letters, digits, dots, dashes and underscores, \
         and .yml, .yaml or .toml at the end"
    )]
    Name(String),
    #[error("there is no file {0:?}")]
    Missing(String),
    #[error("the file is another one by now; load it again")]
    Changed,
    #[error("the file is larger than {MAX_BYTES} bytes")]
    TooLarge,
    #[error("there are {MAX_FILES} files already")]
    TooMany,
    #[error("{0}")]
    Wrong(Wrong),
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl Stamp {
    /// Whether the file may change once more without another time: clocks of file systems tick in
    /// milliseconds or seconds.
    fn is_recent(self) -> bool {
        let age = self.modified.and_then(|at| at.elapsed().ok());
        age.is_none_or(|age| age < RECENT)
    }
}

impl Folder {
    /// The folder at `path`, which need not exist.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            known: Mutex::default(),
        }
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the files; whether what they say together may have changed.
    pub(crate) fn refresh(&self) -> bool {
        let mut known = self.known();
        let mut changed = false;
        let found = match files(&self.path) {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%error, path = %self.path.display(), "cannot look for configuration files");
                return false;
            }
        };
        known.retain(|name, _| {
            let stays = found.iter().any(|(found, _)| found == name);
            changed |= !stays;
            stays
        });
        for (name, stamp) in found {
            let seen = known.get(&name);
            if seen.is_some_and(|seen| seen.stamp == stamp && !stamp.is_recent()) {
                continue;
            }
            let Some(format) = Format::of(&name) else {
                continue;
            };
            let text = text_of(&self.path.join(&name)).map_err(|error| Wrong {
                line: None,
                message: format!("it cannot be read: {error}"),
            });
            let version = text.as_ref().ok().map(|text| version(text));
            if seen.is_some_and(|seen| version.is_some() && seen.version == version) {
                continue;
            }
            let source = text.and_then(|text| Source::read(&name, &text, format));
            if let Err(wrong) = &source {
                tracing::error!(
                    file = name,
                    "a configuration file is wrong, what it said before stays: {wrong}"
                );
            }
            let before = known.remove(&name);
            let (source, wrong) = match source {
                Ok(source) => (source, None),
                Err(wrong) => (
                    before.map(|known| known.source).unwrap_or_default(),
                    Some(wrong),
                ),
            };
            changed = true;
            known.insert(
                name,
                Known {
                    stamp,
                    version,
                    format,
                    source,
                    wrong,
                },
            );
        }
        changed
    }

    /// What the files say, by their names.
    pub(crate) fn sources(&self) -> Vec<Source> {
        self.known()
            .values()
            .map(|known| known.source.clone())
            .collect()
    }

    /// The files.
    pub(crate) fn list(&self) -> Vec<Listed> {
        let known = self.known();
        let each = known.iter();
        each.map(|(name, known)| Listed {
            name: name.clone(),
            format: known.format,
            bytes: known.stamp.bytes,
            modified: known
                .stamp
                .modified
                .and_then(|at| Timestamp::try_from(at).ok()),
            wrong: known.wrong.clone(),
        })
        .collect()
    }

    /// The text of a file and its version.
    pub(crate) fn text(&self, name: &str) -> Result<(String, String), Refused> {
        check_name(name)?;
        match text_of(&self.path.join(name)) {
            Ok(text) => {
                let version = version(&text);
                Ok((text, version))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(Refused::Missing(name.to_owned()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Reads a text for the file of that name.
    pub(crate) fn check(name: &str, text: &str) -> Result<Source, Refused> {
        let format = check_name(name)?;
        if text.len() as u64 > MAX_BYTES {
            return Err(Refused::TooLarge);
        }
        Source::read(name, text, format).map_err(Refused::Wrong)
    }

    /// Writes a file whose text is right; `version` is of the text that it replaces. It is on disk
    /// when this returns. The new version.
    pub(crate) fn write(
        &self,
        name: &str,
        text: &str,
        over: Option<&str>,
    ) -> Result<String, Refused> {
        Self::check(name, text)?;
        // Held so that of two writers one sees the other.
        let known = self.known();
        let current = match self.text(name) {
            Ok((_, version)) => Some(version),
            Err(Refused::Missing(_)) => None,
            Err(refused) => return Err(refused),
        };
        if over.is_some_and(|over| current.as_deref() != Some(over)) {
            return Err(Refused::Changed);
        }
        if current.is_none() && known.len() >= MAX_FILES {
            return Err(Refused::TooMany);
        }
        fs::create_dir_all(&self.path)?;
        let aside = self.path.join(format!(".{name}.new"));
        let mut file = File::create(&aside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&aside, self.path.join(name))?;
        File::open(&self.path)?.sync_all()?;
        Ok(version(text))
    }

    /// Removes a file.
    pub(crate) fn remove(&self, name: &str) -> Result<(), Refused> {
        check_name(name)?;
        match fs::remove_file(self.path.join(name)) {
            Ok(()) => Ok(File::open(&self.path)?.sync_all()?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(Refused::Missing(name.to_owned()))
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn version(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

fn check_name(name: &str) -> Result<Format, Refused> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let is_plain = name.len() <= MAX_NAME && !name.starts_with('.') && name.bytes().all(allowed);
    Format::of(name)
        .filter(|_| is_plain)
        .ok_or_else(|| Refused::Name(name.to_owned()))
}

/// The configuration files in a folder, by their names.
fn files(folder: &Path) -> io::Result<Vec<(String, Stamp)>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
            continue;
        };
        if check_name(&name).is_err() {
            continue;
        }
        // Follows links, as configuration is often mounted by them.
        let Ok(data) = fs::metadata(entry.path()) else {
            continue;
        };
        if data.is_file() && found.len() < MAX_FILES {
            let (modified, bytes) = (data.modified().ok(), data.len());
            found.push((name, Stamp { modified, bytes }));
        }
    }
    found.sort_by(|left, right| left.0.cmp(&right.0));
    Ok(found)
}

fn text_of(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?
        .take(MAX_BYTES + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(io::Error::other(format!(
            "it is larger than {MAX_BYTES} bytes"
        )));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "http:\n  routers:\n    a:\n      rule: Host(`a`)\n      service: a\n";

    fn rules(folder: &Folder) -> Vec<String> {
        let sources = folder.sources();
        let routers = sources
            .iter()
            .flat_map(|source| source.document.http.routers.values());
        routers.map(|router| router.rule.clone()).collect()
    }

    #[test]
    fn a_file_that_is_wrong_keeps_what_it_said() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("gateway");
        let folder = Folder::new(path.clone());
        assert!(!folder.refresh(), "there is no folder yet");
        folder.write("a.yml", GOOD, None).unwrap();
        assert!(folder.refresh());
        assert!(!folder.refresh(), "nothing has changed");
        fs::write(path.join("a.yml"), "http: [").unwrap();
        fs::write(
            path.join("b.toml"),
            "[http.routers.b]\nrule = 'Host(`b`)'\n",
        )
        .unwrap();
        fs::write(path.join("readme.txt"), "not ours").unwrap();
        assert!(folder.refresh());
        assert_eq!(rules(&folder), ["Host(`a`)", "Host(`b`)"]);
        let listed = folder.list();
        assert!(
            listed[0].wrong.is_some() && listed[1].wrong.is_none(),
            "{listed:?}"
        );
        folder.remove("a.yml").unwrap();
        assert!(folder.refresh());
        assert_eq!(rules(&folder), ["Host(`b`)"]);
    }

    #[test]
    fn writers_see_each_other_and_names_stay_inside() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path().to_owned());
        let first = folder.write("a.yml", GOOD, None).unwrap();
        let second = folder.write("a.yml", "# empty\n", Some(&first)).unwrap();
        let late = folder.write("a.yml", GOOD, Some(&first));
        assert!(matches!(late, Err(Refused::Changed)), "{late:?}");
        assert_eq!(
            folder.text("a.yml").unwrap(),
            ("# empty\n".to_owned(), second)
        );
        for name in ["../a.yml", ".a.yml", "a/b.yml", "a.json", "", "a b.yml"] {
            let written = folder.write(name, GOOD, None);
            assert!(
                matches!(written, Err(Refused::Name(_))),
                "{name}: {written:?}"
            );
        }
        let wrong = folder.write("a.yml", "http: [", None);
        assert!(matches!(wrong, Err(Refused::Wrong(_))), "{wrong:?}");
        let large = "#".repeat(1024 * 1024 + 1);
        assert!(matches!(
            folder.write("a.yml", &large, None),
            Err(Refused::TooLarge)
        ));
        assert!(matches!(folder.text("c.yml"), Err(Refused::Missing(_))));
    }
}
