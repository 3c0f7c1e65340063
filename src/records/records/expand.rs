//! `expand=author,comments_via_post.author`: the records that records point at, or that point at
//! them, each only if the caller may view it.
//!
//! Every level of a path is one look into the database for all records of the level, however many
//! these are. A path that leads nowhere (no such relation, or a collection that only administrators
//! may view) is left out without an error, as PocketBase does. Hidden relations lead nowhere for
//! anybody who may not see them; PocketBase follows those.

mod fetch;
mod path;

use std::collections::{HashMap, HashSet};

use mito_database::Tx;
use serde_json::Value;

use self::path::{Direction, Node, Step};
use crate::{Collection, Error, Record, Records, RequestInfo, RuleContext};

/// The most records that an answer may have in all of its `expand` objects. Where levels multiply,
/// a page of thousand records could become one of a thousand million.
const MAX_EXPANDED: usize = 50_000;

/// Where the expanded records stand.
const EXPAND: &str = "expand";

/// Adds what `expand` names to records of one collection.
pub(crate) fn apply(
    tx: &mut Tx<'_>,
    records: &Records,
    collection: &Collection,
    found: &mut [Record],
    expand: &str,
    info: &RequestInfo,
) -> Result<(), Error> {
    let nodes = path::parse(expand)?;
    if nodes.is_empty() || found.is_empty() {
        return Ok(());
    }
    let mut expansion = Expansion {
        records,
        info: info.with_context(RuleContext::Expand),
        left: MAX_EXPANDED,
    };
    for node in &nodes {
        expansion.follow(tx, collection, found, node)?;
    }
    Ok(())
}

struct Expansion<'a> {
    records: &'a Records,
    info: RequestInfo,
    /// How many more records the answer may have.
    left: usize,
}

/// Records that were reached, each once.
type Reached = HashMap<String, Record>;

impl Expansion<'_> {
    /// Adds to `parents` what the node leads to, with what its children lead to; false when it
    /// leads nowhere.
    fn follow(
        &mut self,
        tx: &mut Tx<'_>,
        collection: &Collection,
        parents: &mut [Record],
        node: &Node,
    ) -> Result<bool, Error> {
        let Some(step) = path::resolve(tx, self.records, collection, &node.name, &self.info)?
        else {
            return Ok(false);
        };
        let (mut reached, by_parent) = match &step.direction {
            Direction::Forward => {
                let by_parent = pointed_at(parents, &step.field);
                let wanted: HashSet<&String> = by_parent.iter().flatten().collect();
                self.afford(wanted.len())?;
                let wanted = wanted.into_iter().cloned().collect();
                let reached = fetch::by_ids(tx, self.records, &step.target, wanted, &self.info)?;
                (reached, by_parent)
            }
            Direction::Back => {
                let ids: Vec<String> = parents.iter().map(id_of).collect();
                let reached = fetch::pointing_at(tx, self.records, &step, &ids, &self.info)?;
                let by_parent = pointing_at(&ids, &reached, &step.field);
                (reached, by_parent)
            }
        };
        if !reached.is_empty() && !self.follow_children(tx, &step, &mut reached, node)? {
            return Ok(false);
        }
        self.attach(parents, &by_parent, reached, &step, &node.name)?;
        Ok(true)
    }

    /// Whether a path goes on; one that ends here does.
    fn follow_children(
        &mut self,
        tx: &mut Tx<'_>,
        step: &Step,
        reached: &mut [Record],
        node: &Node,
    ) -> Result<bool, Error> {
        let mut goes_on = node.children.is_empty();
        for child in &node.children {
            goes_on |= self.follow(tx, &step.target, reached, child)?;
        }
        Ok(goes_on)
    }

    fn attach(
        &mut self,
        parents: &mut [Record],
        by_parent: &[Vec<String>],
        reached: Vec<Record>,
        step: &Step,
        name: &str,
    ) -> Result<(), Error> {
        let weights: HashMap<String, usize> = reached
            .iter()
            .map(|record| (id_of(record), weight(record)))
            .collect();
        let reached: Reached = reached
            .into_iter()
            .map(|record| (id_of(&record), record))
            .collect();
        for (parent, ids) in parents.iter_mut().zip(by_parent) {
            let expand = parent
                .entry(EXPAND)
                .or_insert_with(|| Value::Object(Record::new()));
            let Value::Object(expand) = expand else {
                continue;
            };
            let mut children = Vec::new();
            for id in ids {
                if let Some(record) = reached.get(id) {
                    let weight = weights.get(id).copied().unwrap_or(1);
                    self.afford(weight)?;
                    self.left -= weight;
                    children.push(Value::Object(record.clone()));
                }
            }
            if children.is_empty() {
                continue;
            }
            let value = if step.is_single {
                children.swap_remove(0)
            } else {
                Value::Array(children)
            };
            expand.insert(name.to_owned(), value);
        }
        Ok(())
    }
    fn afford(&self, count: usize) -> Result<(), Error> {
        if count <= self.left {
            return Ok(());
        }
        Err(Error::Invalid(format!(
            "The records to expand are more than {MAX_EXPANDED}. Ask for fewer at once."
        )))
    }
}

/// The ids that each record has in a relation, in their order.
fn pointed_at(records: &[Record], field: &str) -> Vec<Vec<String>> {
    records
        .iter()
        .map(|record| relation(record, field))
        .collect()
}

/// The records that point at each id, in the order in which they were found.
fn pointing_at(ids: &[String], found: &[Record], field: &str) -> Vec<Vec<String>> {
    let mut by_target: HashMap<String, Vec<String>> = HashMap::new();
    for record in found {
        let targets: HashSet<String> = relation(record, field).into_iter().collect();
        for target in targets {
            by_target.entry(target).or_default().push(id_of(record));
        }
    }
    let of = |id: &String| by_target.get(id).cloned().unwrap_or_default();
    ids.iter().map(of).collect()
}

fn relation(record: &Record, field: &str) -> Vec<String> {
    match record.get(field) {
        Some(Value::String(id)) if !id.is_empty() => vec![id.clone()],
        Some(Value::Array(ids)) => ids
            .iter()
            .filter_map(|id| id.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    }
}

fn id_of(record: &Record) -> String {
    let id = record.get("id").and_then(Value::as_str);
    id.unwrap_or_default().to_owned()
}

/// How many records a record is with all that it was expanded by.
fn weight(record: &Record) -> usize {
    let Some(Value::Object(expand)) = record.get(EXPAND) else {
        return 1;
    };
    let within = expand.values().map(|value| match value {
        Value::Object(record) => weight(record),
        Value::Array(records) => records
            .iter()
            .filter_map(Value::as_object)
            .map(weight)
            .sum(),
        _ => 0,
    });
    1 + within.sum::<usize>()
}

#[cfg(test)]
mod tests;
