//! The layers: each is read into [`Setting`]s, and what is wrong with it into messages that name
//! key, place and fix.

use std::{collections::BTreeMap, fs, io::ErrorKind, path::Path};

use serde_json::Value;
use toml_edit::{Document, Item, TableLike};

use super::{
    Origin, Sources, VARIABLES, dotenv,
    schema::{Entry, Found, Kind, Node},
    value::{self, key_to_toml},
};
use crate::nearest::nearest;

/// What the names of environment variables of options begin with.
const PREFIX: &str = "MITO_";
/// What stands in them where the path has a dot.
const SEPARATOR: &str = "__";
/// The largest configuration file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// One value for one leaf.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) path: Vec<String>,
    pub(super) value: Value,
    pub(super) origin: Origin,
    pub(super) secret: bool,
}

/// Environment variables by name: the value, and the `.env` file and line if it stands there.
type Variables<'a> = BTreeMap<&'a str, (&'a str, Option<(&'a Path, usize)>)>;

/// All layers, lowest first.
pub(super) struct Layers<'a> {
    options: &'a Entry,
    pub(super) settings: Vec<Setting>,
    pub(super) errors: Vec<String>,
    pub(super) ignored: Vec<String>,
    pub(super) exceptions: BTreeMap<&'static str, String>,
}

/// A path as people write it.
pub(super) fn dotted(path: &[String]) -> String {
    path.iter()
        .map(|segment| key_to_toml(segment))
        .collect::<Vec<_>>()
        .join(".")
}

/// The environment variable of a path.
pub(super) fn variable_name(path: &[String]) -> String {
    format!("{PREFIX}{}", path.join(SEPARATOR).to_uppercase())
}

impl<'a> Layers<'a> {
    /// Reads every source.
    pub(super) fn read(options: &'a Entry, sources: &Sources) -> Self {
        let (settings, errors, ignored) = (Vec::new(), Vec::new(), Vec::new());
        let mut layers = Self {
            options,
            settings,
            errors,
            ignored,
            exceptions: BTreeMap::new(),
        };
        layers.file(sources);
        layers.env_file(sources);
        let environment = sources.environment.iter();
        let variables = environment.map(|(name, value)| (name.as_str(), (value.as_str(), None)));
        layers.variables(&variables.collect(), sources.aliases);
        for (path, value, flag) in &sources.flags {
            layers.flag(path, value, flag);
        }
        layers
    }

    fn file(&mut self, sources: &Sources) {
        let Some(path) = &sources.file else { return };
        let text = match read_file(path) {
            Ok(Some(text)) => text,
            Ok(None) if sources.file_required => {
                return self
                    .errors
                    .push(format!("{}: there is no such file", path.display()));
            }
            Ok(None) => return,
            Err(error) => return self.errors.push(error),
        };
        let document = match Document::parse(text.as_str()) {
            Ok(document) => document,
            Err(error) => {
                let line = line_of(&text, error.span().map_or(0, |span| span.start));
                let said = error.message().replace('\n', ", ");
                return self
                    .errors
                    .push(format!("{}:{line}: {said}", path.display()));
            }
        };
        let options = self.options;
        let mut file = File {
            layers: self,
            path,
            text: &text,
        };
        file.table(document.as_table(), options, &mut Vec::new());
    }

    fn env_file(&mut self, sources: &Sources) {
        let Some(path) = &sources.env_file else {
            return;
        };
        let text = match read_file(path) {
            Ok(Some(text)) => text,
            Ok(None) => return,
            Err(error) => return self.errors.push(error),
        };
        let (variables, broken) = dotenv::parse(&text);
        for line in broken {
            self.errors
                .push(format!("{}:{line}: is not NAME=value", path.display()));
        }
        let variables = variables
            .iter()
            .map(|one| {
                (
                    one.name.as_str(),
                    (one.value.as_str(), Some((path.as_path(), one.line))),
                )
            })
            .collect();
        self.variables(&variables, sources.aliases);
    }

    /// One layer of environment variables. Old names come first, so that a `MITO_` name wins.
    fn variables(&mut self, variables: &Variables<'_>, aliases: &[(&str, &str)]) {
        let origin = |name: &str, file: Option<(&Path, usize)>| Origin::Environment {
            variable: name.to_owned(),
            file: file.map(|(path, line)| (path.to_owned(), line)),
        };
        for (name, path) in aliases {
            let Some((text, file)) = variables.get(name) else {
                continue;
            };
            let path = split(path);
            let proper = variable_name(&path);
            if let Some(reason) = set_aside(&path, text, variables.contains_key(proper.as_str())) {
                self.ignored.push(format!("{name}: {reason}"));
                continue;
            }
            self.set(&path, false, text, origin(name, *file), None);
        }
        for (name, (text, file)) in variables {
            let Some(path) = name.strip_prefix(PREFIX) else {
                continue;
            };
            let path: Vec<String> = path.split(SEPARATOR).map(str::to_owned).collect();
            let known = matches!(self.options.find(&path, true), Found::Entry(..));
            let exception = VARIABLES.iter().find(|(exception, _)| exception == name);
            if let (false, Some((exception, _))) = (known, exception) {
                self.exceptions.insert(exception, (*text).to_owned());
                continue;
            }
            self.set(&path, true, text, origin(name, *file), Some(name));
        }
    }

    fn flag(&mut self, path: &str, text: &str, flag: &str) {
        self.set(
            &split(path),
            false,
            text,
            Origin::Flag(flag.to_owned()),
            None,
        );
    }

    /// Sets one leaf from text. `variable` is the name to correct if the path is unknown.
    fn set(
        &mut self,
        path: &[String],
        fold_case: bool,
        text: &str,
        origin: Origin,
        variable: Option<&str>,
    ) {
        let options = self.options;
        let Found::Entry(path, entry) = options.find(path, fold_case) else {
            let error = match variable {
                Some(variable) => self.unknown_variable(variable, &origin),
                None => self.unknown(path, &[], &origin.place()),
            };
            return self.errors.push(error);
        };
        let Node::Leaf(kind) = &entry.node else {
            let place = origin.place();
            let path = dotted(&path);
            let error = format!("{place}: {path} is a table; set one of its keys, {path}.…");
            return self.errors.push(error);
        };
        let Some(value) = value::from_text(kind, text) else {
            let shown = value::show(&text.into(), entry.secret);
            let error = impossible(&origin.place(), &path, &shown, kind, Some(text));
            return self.errors.push(error);
        };
        self.settings.push(Setting {
            path,
            value,
            origin,
            secret: entry.secret,
        });
    }

    fn unknown_variable(&self, name: &str, origin: &Origin) -> String {
        let names: Vec<String> = self
            .options
            .paths()
            .iter()
            .map(|path| variable_name(path))
            .collect();
        let exceptions = VARIABLES.iter().map(|(name, _)| *name);
        let meant = nearest(name, names.iter().map(String::as_str).chain(exceptions));
        format!(
            "{}: unknown variable {name}; did you mean {}?",
            origin.place(),
            meant.unwrap_or(PREFIX)
        )
    }

    /// `siblings` are the valid keys beside the unknown one, with their real path.
    fn unknown(&self, path: &[String], siblings: &[String], place: &str) -> String {
        let path = dotted(path);
        let known: Vec<String> = self
            .options
            .paths()
            .iter()
            .map(|path| path.join("."))
            .collect();
        let candidates = siblings.iter().chain(&known).map(String::as_str);
        let meant = nearest(&path, candidates).unwrap_or_default();
        // An option in the wrong table is far away in letters and yet what was meant.
        let last = path.rsplit('.').next().unwrap_or_default();
        let mut namesakes = known
            .iter()
            .filter(|one| one.rsplit('.').next() == Some(last));
        let meant = match (namesakes.next(), namesakes.next()) {
            (Some(only), None) if strsim::damerau_levenshtein(&path, meant) > 2 => only,
            _ => meant,
        };
        format!("{place}: unknown key {path}; did you mean {meant}?")
    }
}

/// Reads a TOML file's tables.
struct File<'l, 'a> {
    layers: &'l mut Layers<'a>,
    path: &'l Path,
    text: &'l str,
}

impl File<'_, '_> {
    fn table(&mut self, table: &dyn TableLike, entry: &Entry, at: &mut Vec<String>) {
        for (name, item) in table.iter() {
            let span = table.get_key_value(name).and_then(|(key, _)| key.span());
            let start = span.or_else(|| item.span()).map_or(0, |span| span.start);
            let line = line_of(self.text, start);
            at.push(name.to_owned());
            match &entry.node {
                Node::Table(entries) => {
                    match entries.iter().find(|(known, _)| known.as_str() == name) {
                        Some((_, child)) => self.item(item, child, at, line),
                        None => self.unknown(entries, at, line),
                    }
                }
                Node::Map(child) => self.item(item, child, at, line),
                Node::Leaf(_) => {}
            }
            at.pop();
        }
    }

    fn item(&mut self, item: &Item, entry: &Entry, at: &mut Vec<String>, line: usize) {
        let origin = Origin::File {
            path: self.path.to_owned(),
            line,
        };
        let Node::Leaf(kind) = &entry.node else {
            let Some(table) = item.as_table_like() else {
                let error = format!("{}: {} is a table, not a value", origin.place(), dotted(at));
                return self.layers.errors.push(error);
            };
            return self.table(table, entry, at);
        };
        let Some(value) = value::from_toml(kind, item) else {
            let written = item.to_string();
            let shown = if entry.secret {
                "the value"
            } else {
                written.trim()
            };
            let error = impossible(&origin.place(), at, shown, kind, item.as_str());
            return self.layers.errors.push(error);
        };
        let (path, secret) = (at.clone(), entry.secret);
        self.layers.settings.push(Setting {
            path,
            value,
            origin,
            secret,
        });
    }

    fn unknown(&mut self, entries: &[(String, Entry)], at: &[String], line: usize) {
        let (_, table) = at.split_last().expect("the key was pushed");
        let siblings: Vec<String> = entries
            .iter()
            .map(|(name, _)| dotted(&[table, std::slice::from_ref(name)].concat()))
            .collect();
        let place = Origin::File {
            path: self.path.to_owned(),
            line,
        }
        .place();
        let error = self.layers.unknown(at, &siblings, &place);
        self.layers.errors.push(error);
    }
}

/// Why a variable of the old stack is not used, if it is not.
fn set_aside(path: &[String], text: &str, properly_set: bool) -> Option<String> {
    let instead = path.first().map(|first| first.trim_start_matches('?'));
    match instead {
        None => Some("mito has no use for it".to_owned()),
        Some(first) if first.len() < path[0].len() => {
            let mut path = path.to_vec();
            first.clone_into(&mut path[0]);
            let (option, variable) = (dotted(&path), variable_name(&path));
            Some(format!(
                "it is set aside; to use it, set {option} or {variable}"
            ))
        }
        Some(_) if properly_set => Some(format!("{} is set too and wins", variable_name(path))),
        Some(_) if text.is_empty() => Some("it is empty".to_owned()),
        Some(_) => None,
    }
}

fn impossible(
    place: &str,
    path: &[String],
    shown: &str,
    kind: &Kind,
    text: Option<&str>,
) -> String {
    let mut error = format!(
        "{place}: {} = {shown} is not {}",
        dotted(path),
        kind.describe()
    );
    if let (Kind::Choice(words), Some(text)) = (kind, text)
        && let Some(meant) = nearest(text, words.iter().map(|(word, _)| word.as_str()))
    {
        error.push_str("; did you mean ");
        error.push_str(meant);
        error.push('?');
    }
    error
}

/// Splits a dotted path whose segments may be quoted.
fn split(path: &str) -> Vec<String> {
    if path.is_empty() {
        return Vec::new();
    }
    match toml_edit::Key::parse(path) {
        Ok(keys) => keys.iter().map(|key| key.get().to_owned()).collect(),
        Err(_) => path.split('.').map(str::to_owned).collect(),
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()
        .iter()
        .take(offset)
        .filter(|byte| **byte == b'\n')
        .count()
        + 1
}

/// The content of a file; `None` if it does not exist.
fn read_file(path: &Path) -> Result<Option<String>, String> {
    let failed = |error: std::io::Error| format!("{}: cannot be read: {error}", path.display());
    let size = match fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    if size > MAX_FILE_BYTES {
        return Err(format!(
            "{}: is larger than {MAX_FILE_BYTES} bytes",
            path.display()
        ));
    }
    fs::read_to_string(path).map(Some).map_err(failed)
}
