//! What the paths of `expand` say, and where each name in them leads.

use std::sync::Arc;

use mito_database::Tx;

use crate::{
    Collection, Error, Records, RequestInfo,
    collections::indexes::Index,
    fields::FieldKind,
    records::access::{self, Operation},
};

/// The longest `expand`, in bytes.
const MAX_LENGTH: usize = 4_000;
/// The deepest path; names after this are not looked at.
const MAX_DEPTH: usize = 6;
/// The most paths.
const MAX_PATHS: usize = 100;

/// A name in a path, and the names that follow it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) children: Vec<Node>,
}

/// Which end of a relation is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// What a field of the record names.
    Forward,
    /// What names the record in one of its fields.
    Back,
}

/// Where a name leads.
pub(super) struct Step {
    pub(super) direction: Direction,
    /// The collection of the records that are reached.
    pub(super) target: Arc<Collection>,
    /// The relation: of the records that it starts from, or of those that are reached.
    pub(super) field: String,
    /// Whether the relation holds a list.
    pub(super) is_list: bool,
    /// Whether at most one record can be reached from each.
    pub(super) is_single: bool,
}

/// Reads `a.b,c_via_d`. Paths that begin alike share their beginning.
pub(super) fn parse(expand: &str) -> Result<Vec<Node>, Error> {
    let invalid = |reason: String| Err(Error::Invalid(format!("The expand is invalid: {reason}.")));
    if expand.len() > MAX_LENGTH {
        return invalid(format!("it has more than {MAX_LENGTH} bytes"));
    }
    let mut nodes = Vec::new();
    let paths = expand.split(',').map(str::trim);
    for (position, path) in paths.filter(|path| !path.is_empty()).enumerate() {
        if position == MAX_PATHS {
            return invalid(format!("it has more than {MAX_PATHS} paths"));
        }
        let mut level = &mut nodes;
        let names = path.trim_matches('.').split('.').map(str::trim);
        for name in names.take(MAX_DEPTH) {
            level = &mut child(level, name).children;
        }
    }
    Ok(nodes)
}

fn child<'a>(level: &'a mut Vec<Node>, name: &str) -> &'a mut Node {
    let position = level.iter().position(|node| node.name == name);
    let position = position.unwrap_or_else(|| {
        level.push(Node {
            name: name.to_owned(),
            children: Vec::new(),
        });
        level.len() - 1
    });
    &mut level[position]
}

/// Where `name` leads from a collection's records; `None` if it leads nowhere for this caller.
pub(super) fn resolve(
    tx: &mut Tx<'_>,
    records: &Records,
    collection: &Collection,
    name: &str,
    info: &RequestInfo,
) -> Result<Option<Step>, Error> {
    let step = match name.rsplit_once("_via_") {
        Some((from, field)) => back(tx, records, collection, from, field, info)?,
        None => forward(tx, records, collection, name, info)?,
    };
    // Nobody but administrators may view records of a collection without a rule.
    Ok(step.filter(|step| access::rule(&step.target, Operation::View, info).is_ok()))
}

fn forward(
    tx: &mut Tx<'_>,
    records: &Records,
    collection: &Collection,
    name: &str,
    info: &RequestInfo,
) -> Result<Option<Step>, Error> {
    let relation = collection
        .field(name)
        .filter(|field| field.kind_of() == Some(FieldKind::Relation))
        .filter(|field| !field.is_hidden() || info.is_superuser());
    let Some(relation) = relation else {
        return Ok(None);
    };
    let target = found(records.shared_collection_in(tx, relation.text_option("collectionId")))?;
    Ok(target.map(|target| Step {
        direction: Direction::Forward,
        target,
        field: name.to_owned(),
        is_list: relation.max_select() > 1,
        is_single: relation.max_select() <= 1,
    }))
}

fn back(
    tx: &mut Tx<'_>,
    records: &Records,
    collection: &Collection,
    from: &str,
    field: &str,
    info: &RequestInfo,
) -> Result<Option<Step>, Error> {
    let Some(target) = found(records.shared_collection_in(tx, from))? else {
        return Ok(None);
    };
    let relation = target
        .field(field)
        .filter(|field| field.kind_of() == Some(FieldKind::Relation))
        .filter(|field| field.text_option("collectionId") == collection.id)
        .filter(|field| !field.is_hidden() || info.is_superuser());
    let Some(relation) = relation else {
        return Ok(None);
    };
    let is_list = relation.max_select() > 1;
    Ok(Some(Step {
        direction: Direction::Back,
        field: field.to_owned(),
        is_list,
        is_single: !is_list && is_unique(&target, field),
        target,
    }))
}

fn is_unique(collection: &Collection, field: &str) -> bool {
    let indexes = collection.indexes.iter();
    indexes
        .filter_map(|statement| Index::parse(statement).ok())
        .any(|index| index.unique && index.columns.len() == 1 && index.columns[0].name == field)
}

fn found<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(Error::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(nodes: &[Node]) -> String {
        let each = nodes.iter().map(|node| match node.children.as_slice() {
            [] => node.name.clone(),
            children => format!("{}({})", node.name, show(children)),
        });
        each.collect::<Vec<_>>().join(",")
    }

    #[test]
    fn paths_become_a_tree() {
        let check = |expand: &str, expected: &str| {
            assert_eq!(show(&parse(expand).unwrap()), expected, "{expand}");
        };
        check("", "");
        check(" , ,,", "");
        check("a", "a");
        check(" a , b ", "a,b");
        check("a.b,a.c,d", "a(b,c),d");
        check("a,a.b,a", "a(b)");
        check("a.", "a");
        check("a . b", "a(b)");
        check("a..b", "a((b))");
        check("1.2.3.4.5.6.7.8", "1(2(3(4(5(6)))))");
        check("x_via_y.z", "x_via_y(z)");
    }

    #[test]
    fn there_are_limits() {
        assert!(parse(&"a,".repeat(101)).is_err());
        assert!(parse(&"a".repeat(4_001)).is_err());
        assert!(parse(&".".repeat(4_000)).is_ok());
    }
}
