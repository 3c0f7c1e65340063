//! `@request.*`: what is known of the request, and the rows that it points at.

use mito_database::Value;
use serde_json::Value as Json;

use crate::{
    Record,
    fields::{FieldKind, Storage},
    filter::{
        Problem,
        ast::Operator,
        plan::{Definition, Expression, Join, Leaf, Operand, Source, is_list_kind},
        resolve::{Author, Found, Resolver, Site, lower, path::Walk, unresolved},
    },
};

impl Resolver<'_, '_> {
    /// The meaning of `@request.{path}`, which `name` says in full.
    pub(super) fn request(&mut self, path: &str, name: &str, site: Site) -> Result<Found, Problem> {
        let info = self.scope.info;
        match path.split_once('.') {
            None if path == "context" => Ok(text(info.context.name())),
            None if path == "method" => Ok(text(&info.method)),
            Some(("auth", path)) => self.account(path, site),
            Some(("body", path)) => self.body(path, name, site),
            Some(("query", path)) => submitted(&info.query, path, name),
            Some(("headers", path)) => submitted(&info.headers, path, name),
            _ => Err(unresolved(name)),
        }
    }

    /// Nobody's fields are all empty, and so are fields that accounts do not have.
    fn account(&mut self, path: &str, site: Site) -> Result<Found, Problem> {
        let Some(identity) = &self.scope.info.identity else {
            return Ok(text(""));
        };
        match path {
            "id" => return Ok(text(&identity.id)),
            "collectionId" => return Ok(text(&identity.collection_id)),
            "collectionName" => return Ok(text(&identity.collection)),
            "email" => return Ok(text(&identity.email)),
            _ => {}
        }
        let Some(collection) = self.schema.find(&identity.collection)? else {
            return Ok(text(""));
        };
        let join = Join {
            source: Source::Picked {
                ids: vec![identity.id.clone()],
            },
            collection: Some(Definition::Shared(collection)),
        };
        let at = self.join("account".to_owned(), join)?;
        let walk = Walk {
            at,
            chain: vec![at],
            many: false,
        };
        let trusted = Site {
            author: Author::Trusted,
            ..site
        };
        match self.follow(walk, path, path, trusted) {
            Err(Problem::Invalid(_)) => Ok(text("")),
            other => other,
        }
    }

    fn body(&mut self, path: &str, name: &str, site: Site) -> Result<Found, Problem> {
        let (whole, modifier) = match path.rsplit_once(':') {
            Some((whole, modifier)) => (whole, Some(modifier)),
            None => (path, None),
        };
        let (first, rest) = match whole.split_once('.') {
            Some((first, rest)) => (first, Some(rest)),
            None => (whole, None),
        };
        let collection = self.definition(site.base);
        let position = collection
            .fields
            .iter()
            .position(|field| field.name == first);
        let body = &self.scope.info.body;
        let given = body.get(first);
        if let (Some(position), Some(rest)) = (position, rest)
            && collection.fields[position].kind_of() == Some(FieldKind::Relation)
        {
            let rest = modifier.map_or_else(|| rest.to_owned(), |with| format!("{rest}:{with}"));
            return self.related_to_body(position, texts(given), &rest, name, site);
        }
        match (modifier, position) {
            (Some("isset"), _) if rest.is_none() => Ok(flag(given.is_some())),
            (Some("changed"), Some(field)) if rest.is_none() => Ok(changed(given, field, site)),
            (Some("changed"), _) => Err(Problem::Invalid(format!(
                "invalid modifier sequence {first}:changed"
            ))),
            (Some(modifier @ ("each" | "length")), Some(field)) if rest.is_none() => {
                let definition = &collection.fields[field];
                if !is_list_kind(definition) {
                    return Err(Problem::Invalid(format!(
                        "field {first:?} doesn't support multivalue operations"
                    )));
                }
                let values = texts(given);
                if modifier == "length" {
                    return Ok(Operand::value(Value::Real(length(&values))).into());
                }
                let many = definition.storage() == Storage::List;
                self.each_of_body(first, values, many)
            }
            _ => submitted(body, path, name),
        }
    }

    fn related_to_body(
        &mut self,
        field: usize,
        ids: Vec<String>,
        rest: &str,
        name: &str,
        site: Site,
    ) -> Result<Found, Problem> {
        if ids.is_empty() {
            return Ok(text(""));
        }
        let collection = self.definition(site.base);
        let definition = &collection.fields[field];
        let target = self.schema.find(definition.text_option("collectionId"))?;
        let target = target.ok_or_else(|| unresolved(name))?;
        let many = definition.storage() == Storage::List;
        let join = Join {
            source: Source::Picked { ids },
            collection: Some(Definition::Shared(target)),
        };
        let at = self.join(format!("body.{}", definition.name), join)?;
        let walk = Walk {
            at,
            chain: vec![at],
            many,
        };
        self.follow(walk, rest, name, site)
    }

    fn each_of_body(
        &mut self,
        field: &str,
        values: Vec<String>,
        many: bool,
    ) -> Result<Found, Problem> {
        let join = Join {
            source: Source::Given { values },
            collection: None,
        };
        let join = self.join(format!("each.{field}"), join)?;
        let operand = Operand {
            expression: Expression::Element { join },
            chain: if many { vec![join] } else { Vec::new() },
            exact: false,
            plain: true,
        };
        Ok(operand.into())
    }
}

/// A value of the query, the headers or the body, and what is inside it.
fn submitted(values: &Record, path: &str, name: &str) -> Result<Found, Problem> {
    let (path, modifier) = match path.rsplit_once(':') {
        Some((path, modifier)) => (path, Some(modifier)),
        None => (path, None),
    };
    let mut steps = path.split('.');
    let mut found = steps.next().and_then(|first| values.get(first));
    for step in steps {
        found = match found {
            Some(Json::Object(object)) => object.get(step),
            Some(Json::Array(list)) => step.parse::<usize>().ok().and_then(|at| list.get(at)),
            _ => None,
        };
    }
    let value = found.map_or_else(|| Value::Text(String::new()), constant);
    match modifier {
        None => Ok(Operand::value(value).into()),
        Some("lower") => Ok(Operand::value(lower(value)).into()),
        Some("isset") => Ok(flag(found.is_some())),
        Some(_) => Err(unresolved(name)),
    }
}

/// `@request.body.title:changed`: it was sent, and is not what the record has.
fn changed(given: Option<&Json>, field: usize, site: Site) -> Found {
    let Some(given) = given else {
        return flag(false);
    };
    let leaf = Leaf {
        left: Operand::value(constant(given)),
        operator: Operator::NotEqual,
        any: true,
        right: Operand {
            expression: Expression::Column {
                join: site.base,
                field,
            },
            chain: Vec::new(),
            exact: false,
            plain: false,
        },
        shown_emails: Vec::new(),
    };
    let operand = Operand {
        expression: Expression::Holds(Box::new(leaf)),
        chain: Vec::new(),
        exact: true,
        plain: false,
    };
    operand.into()
}

fn text(text: &str) -> Found {
    Operand::value(Value::Text(text.to_owned())).into()
}

fn flag(flag: bool) -> Found {
    Operand::value(Value::Integer(i64::from(flag))).into()
}

/// JSON as a value of the language: lists and objects are their text.
fn constant(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Integer(i64::from(*flag)),
        Json::Number(number) => number.as_f64().map_or(Value::Null, Value::Real),
        Json::String(text) => Value::Text(text.clone()),
        list_or_object => Value::Text(list_or_object.to_string()),
    }
}

/// The texts of a list, or of a single value that is not empty.
fn texts(given: Option<&Json>) -> Vec<String> {
    let one = |json: &Json| match json {
        Json::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Json::Null => None,
        other => Some(other.to_string()),
    };
    match given {
        Some(Json::Array(list)) => list.iter().filter_map(one).collect(),
        Some(single) => one(single).into_iter().collect(),
        None => Vec::new(),
    }
}

fn length(values: &[String]) -> f64 {
    f64::from(u32::try_from(values.len()).unwrap_or(u32::MAX))
}
