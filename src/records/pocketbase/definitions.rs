//! Collections in: all that can be taken, in one transaction. What a definition says that cannot be
//! taken here is left out by the piece, and the import of the definitions begins anew without it.

use mito_database::Tx;
use serde_json::Value;

use super::{TAKEN_OF_SYSTEM, report::Reporter};
use crate::{
    Collection, Error, Record, Records,
    collections::{import::Rest, store},
    error::FieldErrors,
};

/// How often the import of definitions begins anew, at the most.
const MAX_ATTEMPTS: usize = 2_000;
/// What is locked when it cannot be taken.
const RULES: [&str; 7] = [
    "listRule",
    "viewRule",
    "createRule",
    "updateRule",
    "deleteRule",
    "authRule",
    "manageRule",
];
/// What no collection can do without.
const INDISPENSABLE: [&str; 5] = ["id", "name", "type", "fields", "viewQuery"];

/// How an attempt ended without its changes.
enum Undone {
    Failed(Error),
    Rehearsed(Vec<Collection>),
}

impl From<mito_database::Error> for Undone {
    fn from(error: mito_database::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl Records {
    /// Takes over the definitions; returns the collections as they are now, and those of the
    /// platform whose records are taken too.
    pub(super) async fn take_definitions(
        &self,
        mut given: Vec<Record>,
        reporter: &mut Reporter<'_>,
    ) -> Result<Vec<Collection>, Error> {
        let mut postponed = Vec::new();
        let was_empty = given.is_empty();
        for _ in 0..MAX_ATTEMPTS {
            let attempt = self.try_definitions(given.clone(), reporter.is_dry_run());
            match attempt.await {
                Ok(collections) => return Ok(collections),
                Err(Error::Fields(errors)) => {
                    for (id, errors) in by_collection(errors) {
                        leave_out(&mut given, &id, errors, &mut postponed, reporter)?;
                    }
                    if given.is_empty() && !was_empty {
                        return Err(Error::Invalid(format!(
                            "none of the collections can be taken; the last of them: {}",
                            reporter.last_reason()
                        )));
                    }
                }
                Err(error) => return Err(error),
            }
        }
        let message = "too much of the collections cannot be taken; see the problems of a dry run";
        Err(Error::Invalid(message.to_owned()))
    }

    async fn try_definitions(
        &self,
        given: Vec<Record>,
        dry_run: bool,
    ) -> Result<Vec<Collection>, Error> {
        let records = self.clone();
        let take = move |tx: &mut Tx<'_>| {
            let (collections, ended) =
                records.definitions_in(tx, &given).map_err(Undone::Failed)?;
            if dry_run {
                return Err(Undone::Rehearsed(collections));
            }
            Ok((collections, ended))
        };
        match self.inner.database.exclusive(take).await {
            Ok((collections, ended)) => {
                self.mark_all_ended(&ended);
                Ok(collections)
            }
            Err(Undone::Rehearsed(collections)) => Ok(collections),
            Err(Undone::Failed(error)) => Err(error),
        }
    }

    fn definitions_in(
        &self,
        tx: &mut Tx<'_>,
        given: &[Record],
    ) -> Result<(Vec<Collection>, Vec<String>), Error> {
        let ended = self.import_in(tx, given, Rest::GivesWay)?;
        let mut collections = Vec::with_capacity(given.len() + 1);
        for definition in given {
            collections.extend(store::find_by_id(tx, id(definition))?);
        }
        collections.extend(store::find(tx, TAKEN_OF_SYSTEM)?);
        Ok((collections, ended))
    }
}

/// The errors of each collection, by its id.
fn by_collection(errors: FieldErrors) -> Vec<(String, Vec<(String, String)>)> {
    let mut found: Vec<(String, Vec<(String, String)>)> = Vec::new();
    for (path, error) in errors {
        let (id, path) = path.rsplit_once(':').unwrap_or(("", &path));
        let wrong = (path.to_owned(), error.message);
        match found.iter_mut().find(|(known, _)| known == id) {
            Some((_, errors)) => errors.push(wrong),
            None => found.push((id.to_owned(), vec![wrong])),
        }
    }
    found
}

/// Takes out of a definition what is wrong with it, or the definition out of the import.
fn leave_out(
    given: &mut Vec<Record>,
    collection: &str,
    mut errors: Vec<(String, String)>,
    postponed: &mut Vec<String>,
    reporter: &mut Reporter<'_>,
) -> Result<(), Error> {
    let Some(position) = given
        .iter()
        .position(|definition| id(definition) == collection)
    else {
        // Not about one of them, so nothing can be left out.
        return Err(Error::Invalid(sentence(&errors)));
    };
    let name = given[position]
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let is_whole = errors.iter().all(|(path, _)| {
        let first = first_of(path);
        !first.is_empty() && !INDISPENSABLE.contains(&first)
    });
    if !is_whole {
        let definition = given.remove(position);
        // A view may speak of one that comes after it.
        let first_time = !postponed.iter().any(|id| id == collection);
        if first_time && errors.iter().any(|(path, _)| path == "viewQuery") {
            postponed.push(collection.to_owned());
            given.push(definition);
            return Ok(());
        }
        let reason = format!("the collection is left out: {}", sentence(&errors));
        reporter.problem(name, reason);
        return Ok(());
    }
    // From the last to the first, so that the places of indexes hold until they are gone.
    errors.sort_by_key(|(path, _)| std::cmp::Reverse(number_of(path)));
    for (path, message) in &errors {
        let what = drop_piece(&mut given[position], path);
        reporter.problem(&name, format!("{what}: {message}"));
    }
    Ok(())
}

/// Takes one piece out of a definition; returns what became of it.
fn drop_piece(definition: &mut Record, path: &str) -> String {
    let first = first_of(path);
    let number = number_of(path);
    if RULES.contains(&first) {
        let rule = definition.insert(first.to_owned(), Value::Null);
        let rule = rule.as_ref().and_then(Value::as_str).unwrap_or_default();
        return format!("{first} is locked to administrators instead of {rule:?}");
    }
    let list = match first {
        "indexes" => definition.get_mut("indexes"),
        "oauth2" => definition
            .get_mut("oauth2")
            .and_then(|oauth2| oauth2.get_mut("providers")),
        _ => None,
    };
    if let (Some(Value::Array(items)), Some(number)) = (list, number)
        && number < items.len()
    {
        let item = items.remove(number);
        let shown = item.as_str().or_else(|| item["name"].as_str());
        return format!("{first}: {} is left out", shown.unwrap_or("an entry"));
    }
    definition.shift_remove(first);
    format!("{first} is as it is by default")
}

/// The place in a list that a path speaks of.
fn number_of(path: &str) -> Option<usize> {
    path.split('.').find_map(|part| part.parse().ok())
}

fn first_of(path: &str) -> &str {
    path.split('.').next().unwrap_or_default()
}

fn id(definition: &Record) -> &str {
    let id = definition.get("id").and_then(Value::as_str);
    id.unwrap_or_default()
}

fn sentence(errors: &[(String, String)]) -> String {
    let errors: Vec<String> = errors
        .iter()
        .map(|(path, message)| match path.as_str() {
            "" => message.clone(),
            path => format!("{path}: {message}"),
        })
        .collect();
    errors.join(" ")
}
