//! Rules decided in process, for a change that many may be told of: the rows that paths lead to are
//! read once for the change and not for each who asks. Tests prove it equal to the SQL.
//!
//! What would have to look at a whole collection, or at very many rows, is left to the database.

mod rows;

use std::sync::Arc;

use mito_database::{Tx, Value, geo};
use serde_json::Value as Json;

use crate::{
    Collection, Records, RequestInfo,
    fields::Storage,
    filter::{
        self, Known, Problem, Text,
        arrange::{self, Step},
        moments,
        plan::{Definition, Expression, JoinId, Leaf, Operand, Plan, ROOT, Source},
        resolve::{self, Scope},
        values::{self, Side, holds},
    },
};
use rows::{Row, Rows};

/// The most combinations of rows that are looked at for one verdict.
const MAX_COMBINATIONS: usize = 10_000;

/// The most values of one side that are told.
const MAX_VALUES: usize = 20;

/// What a condition says about a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It holds.
    Yes,
    /// It does not hold.
    No,
    /// The database must be asked.
    NeedsSql,
}

/// Why there is no verdict.
enum Stop {
    NeedsSql,
    Failed(crate::Error),
}

impl From<crate::Error> for Stop {
    fn from(error: crate::Error) -> Self {
        Self::Failed(error)
    }
}

/// Decides conditions about one record.
pub(crate) struct Evaluator<'a> {
    records: &'a Records,
    collection: Arc<Collection>,
    row: Row,
    rows: Rows,
}

/// The row or value of each join.
type Bindings = Vec<Bound>;

#[derive(Clone)]
enum Bound {
    Missing,
    Row(Row),
    Text(String),
}

impl<'a> Evaluator<'a> {
    /// An evaluator for a record with these columns, in the order of the collection's fields.
    pub(crate) fn new(
        records: &'a Records,
        collection: Arc<Collection>,
        columns: &[Value],
    ) -> Self {
        Self {
            records,
            collection,
            row: columns.into(),
            rows: Rows::default(),
        }
    }

    /// Reads the accounts of these ids at once, for rules that speak of the fields of whoever asks.
    pub(crate) fn expect_accounts(
        &mut self,
        tx: &mut Tx<'_>,
        collection: &str,
        ids: &[String],
    ) -> Result<(), crate::Error> {
        match self.records.inner.definitions.find(tx, collection)? {
            Some(collection) => self.rows.preload(tx, &collection, ids),
            None => Ok(()),
        }
    }

    /// Whether the record fulfils all texts for whoever asks.
    pub(crate) fn evaluate(
        &mut self,
        tx: &mut Tx<'_>,
        texts: &[Text<'_>],
        info: &RequestInfo,
    ) -> Result<Verdict, Problem> {
        let scope = Scope {
            info,
            now: filter::now(tx),
        };
        let parsed = &self.records.inner.filters;
        let definition = Definition::Shared(Arc::clone(&self.collection));
        let mut schema = Known {
            records: self.records,
            tx,
        };
        let plan = resolve::resolve(texts, definition, &scope, parsed, &mut schema)?;
        let step = arrange::arrange(&plan);
        let mut bindings = vec![Bound::Missing; plan.joins.len()];
        bindings[ROOT] = Bound::Row(self.row.clone());
        let mut work = Work {
            plan: &plan,
            tx,
            rows: &mut self.rows,
            combinations: 0,
        };
        match work.step(&step, &mut bindings) {
            Ok(true) => Ok(Verdict::Yes),
            Ok(false) => Ok(Verdict::No),
            Err(Stop::NeedsSql) => Ok(Verdict::NeedsSql),
            Err(Stop::Failed(error)) => Err(error.into()),
        }
    }
}

impl Evaluator<'_> {
    /// Some of the values of one side of a comparison; none where the database would have to be asked.
    pub(crate) fn values(
        &mut self,
        tx: &mut Tx<'_>,
        plan: &Plan<'_>,
        operand: &Operand,
    ) -> Result<Vec<Value>, crate::Error> {
        let mut bindings = vec![Bound::Missing; plan.joins.len()];
        bindings[ROOT] = Bound::Row(self.row.clone());
        let mut joins = 0;
        operand
            .expression
            .joins(&mut |join| joins |= arrange::with_parents(plan, join));
        let joins: Vec<JoinId> = arrange::members(joins)
            .into_iter()
            .filter(|join| *join != ROOT)
            .collect();
        let mut work = Work {
            plan,
            tx,
            rows: &mut self.rows,
            combinations: 0,
        };
        let mut values = Vec::new();
        let found = work.some(&joins, &mut bindings, &mut |work, bindings| {
            let value = work.value(&operand.expression, bindings)?;
            if !values.contains(&value) {
                values.push(value);
            }
            Ok(values.len() >= MAX_VALUES)
        });
        match found {
            Err(Stop::Failed(error)) => Err(error),
            Err(Stop::NeedsSql) | Ok(_) => Ok(values),
        }
    }
}

struct Work<'w, 't, 'p> {
    plan: &'p Plan<'p>,
    tx: &'w mut Tx<'t>,
    rows: &'w mut Rows,
    combinations: usize,
}

impl Work<'_, '_, '_> {
    fn step(&mut self, step: &Step<'_>, bindings: &mut Bindings) -> Result<bool, Stop> {
        match step {
            Step::All(parts) => {
                for part in parts {
                    if !self.step(part, bindings)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Step::Any(parts) => {
                for part in parts {
                    if self.step(part, bindings)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Step::Leaf(leaf) => self.leaf(leaf, bindings),
            Step::Exists { joins, body } => self.some(joins, bindings, &mut |work, bindings| {
                work.step(body, bindings)
            }),
        }
    }

    /// Whether some combination of the rows of the joins is one of those that are looked for.
    fn some(
        &mut self,
        joins: &[JoinId],
        bindings: &mut Bindings,
        wanted: &mut dyn FnMut(&mut Self, &mut Bindings) -> Result<bool, Stop>,
    ) -> Result<bool, Stop> {
        let Some((join, rest)) = joins.split_first() else {
            self.combinations += 1;
            if self.combinations > MAX_COMBINATIONS {
                return Err(Stop::NeedsSql);
            }
            return wanted(self, bindings);
        };
        let found = self.bound(*join, bindings)?;
        let before = bindings[*join].clone();
        for bound in found {
            bindings[*join] = bound;
            if self.some(rest, bindings, wanted)? {
                bindings[*join] = before;
                return Ok(true);
            }
        }
        bindings[*join] = before;
        Ok(false)
    }

    /// The rows or values of a join, or that there are none.
    fn bound(&mut self, join: JoinId, bindings: &Bindings) -> Result<Vec<Bound>, Stop> {
        let collection = || {
            let collection = self.plan.joins[join].collection.as_deref();
            collection.expect("rows have a collection")
        };
        let mut found: Vec<Bound> = match &self.plan.joins[join].source {
            Source::Root => vec![bindings[ROOT].clone()],
            Source::All => return Err(Stop::NeedsSql),
            Source::Given { values } => values.iter().cloned().map(Bound::Text).collect(),
            Source::Related { parent, field } => match column(&bindings[*parent], *field) {
                Value::Text(id) => self.by_id(join, &id)?.into_iter().collect(),
                _ => Vec::new(),
            },
            Source::OfElement { parent } => match &bindings[*parent] {
                Bound::Text(id) => self.by_id(join, &id.clone())?.into_iter().collect(),
                _ => Vec::new(),
            },
            Source::Picked { ids } => {
                let mut found = Vec::with_capacity(ids.len());
                let mut distinct: Vec<&String> = ids.iter().collect();
                distinct.sort();
                distinct.dedup();
                for id in distinct {
                    found.extend(self.by_id(join, id)?);
                }
                found
            }
            Source::Elements { parent, field } => {
                let list = self.plan.joins[*parent].field(*field).storage() == Storage::List;
                elements(&column(&bindings[*parent], *field), list)
            }
            Source::Back { parent, field } => match &bindings[*parent] {
                Bound::Row(row) => {
                    let id = id_of(self.plan, *parent, row);
                    let rows = self.rows.back(self.tx, collection(), *field, &id)?;
                    let rows = rows.ok_or(Stop::NeedsSql)?;
                    rows.iter().cloned().map(Bound::Row).collect()
                }
                _ => Vec::new(),
            },
        };
        if found.is_empty() {
            found.push(Bound::Missing);
        }
        Ok(found)
    }

    fn by_id(&mut self, join: JoinId, id: &str) -> Result<Option<Bound>, Stop> {
        let collection = self.plan.joins[join].collection.as_deref();
        let collection = collection.expect("rows have a collection");
        let row = self.rows.by_id(self.tx, collection, id)?;
        Ok(row.map(Bound::Row))
    }

    fn leaf(&mut self, leaf: &Leaf, bindings: &mut Bindings) -> Result<bool, Stop> {
        for account in &leaf.shown_emails {
            let collection = self.plan.joins[*account].collection.as_deref();
            let fields = &collection.expect("rows have a collection").fields;
            let shown = fields
                .iter()
                .position(|field| field.name == "emailVisibility");
            let shown = shown.map(|field| column(&bindings[*account], field));
            if shown != Some(Value::Integer(1)) {
                return Ok(false);
            }
        }
        if self.compare(leaf, bindings, bindings)? != Some(true) {
            return Ok(false);
        }
        let (left, right) = (&leaf.left.chain, &leaf.right.chain);
        if leaf.any || (left.is_empty() && right.is_empty()) {
            return Ok(true);
        }
        // All must match: none of them may fail.
        let (mut lefts, mut rights) = (bindings.clone(), bindings.clone());
        let failed = self.some(left, &mut lefts, &mut |work, lefts| {
            work.some(right, &mut rights, &mut |work, rights| {
                Ok(work.compare(leaf, lefts, rights)? == Some(false))
            })
        })?;
        Ok(!failed)
    }

    fn compare(
        &self,
        leaf: &Leaf,
        lefts: &Bindings,
        rights: &Bindings,
    ) -> Result<Option<bool>, Stop> {
        let left = self.value(&leaf.left.expression, lefts)?;
        let right = self.value(&leaf.right.expression, rights)?;
        let side = |operand: &Operand, value| Side {
            value,
            affinity: operand.expression.affinity(&self.plan.joins),
            exact: operand.exact,
            plain: operand.plain,
            constant: operand.constant().is_some(),
        };
        // The borrows end with the comparison.
        Ok(holds(
            side(&leaf.left, &left),
            leaf.operator,
            side(&leaf.right, &right),
        ))
    }

    fn value(&self, expression: &Expression, bindings: &Bindings) -> Result<Value, Stop> {
        Ok(match expression {
            Expression::Value(value) => value.clone(),
            Expression::Column { join, field } => {
                let stored = column(&bindings[*join], *field);
                match (self.plan.joins[*join].field(*field).storage(), stored) {
                    (Storage::Number, Value::Real(real)) => values::whole(real),
                    (_, stored) => stored,
                }
            }
            Expression::Element { join } => match &bindings[*join] {
                Bound::Text(text) => Value::Text(text.clone()),
                _ => Value::Null,
            },
            Expression::Json { join, field, path } => {
                inside(&column(&bindings[*join], *field), path)
            }
            Expression::Length { join, field } => {
                let list = self.plan.joins[*join].field(*field).storage() == Storage::List;
                length(&column(&bindings[*join], *field), list)
            }
            Expression::Lower(inner) => match self.value(inner, bindings)? {
                Value::Null => Value::Null,
                other => Value::Text(values::written(&other).to_ascii_lowercase()),
            },
            Expression::Distance(points) => {
                let mut degrees = [0.0; 4];
                for (degree, point) in degrees.iter_mut().zip(points.iter()) {
                    match values::as_number(&self.value(point, bindings)?) {
                        Some(number) => *degree = number,
                        None => return Ok(Value::Null),
                    }
                }
                let [lon_a, lat_a, lon_b, lat_b] = degrees;
                let point = |longitude, latitude| geo::Point {
                    longitude,
                    latitude,
                };
                Value::Real(geo::distance_km(point(lon_a, lat_a), point(lon_b, lat_b)))
            }
            Expression::Time {
                format,
                at,
                modifiers,
            } => {
                let at = self.value(at, bindings)?;
                moments::strftime(format, &at, modifiers).map_err(|_| Stop::NeedsSql)?
            }
            Expression::Holds(leaf) => {
                let truth = self.compare(leaf, bindings, bindings)?;
                Value::Integer(i64::from(truth == Some(true)))
            }
        })
    }
}

fn column(bound: &Bound, field: usize) -> Value {
    match bound {
        Bound::Row(row) => row.get(field).cloned().unwrap_or(Value::Null),
        Bound::Missing | Bound::Text(_) => Value::Null,
    }
}

fn id_of(plan: &Plan<'_>, join: JoinId, row: &Row) -> String {
    let collection = plan.joins[join].collection.as_deref();
    let fields = &collection.expect("rows have a collection").fields;
    let position = fields.iter().position(|field| field.name == "id");
    match position.and_then(|position| row.get(position)) {
        Some(Value::Text(id)) => id.clone(),
        _ => String::new(),
    }
}

/// The values of a list, or the one value of a field that holds no list.
fn elements(stored: &Value, list: bool) -> Vec<Bound> {
    let Value::Text(text) = stored else {
        return Vec::new();
    };
    if !list {
        return vec![Bound::Text(text.clone())];
    }
    match serde_json::from_str(text) {
        Ok(Json::Array(values)) => values
            .iter()
            .map(|value| match value {
                Json::String(text) => Bound::Text(text.clone()),
                other => Bound::Text(other.to_string()),
            })
            .collect(),
        _ => vec![Bound::Text(text.clone())],
    }
}

fn length(stored: &Value, list: bool) -> Value {
    let count = match stored {
        Value::Text(text) if list => match serde_json::from_str(text) {
            Ok(Json::Array(values)) => values.len(),
            _ => usize::from(!text.is_empty()),
        },
        Value::Text(text) => usize::from(!text.is_empty()),
        _ => 0,
    };
    Value::Integer(i64::try_from(count).unwrap_or(i64::MAX))
}

/// A part of a JSON value. What is no JSON is its own text.
fn inside(stored: &Value, path: &[String]) -> Value {
    let Value::Text(text) = stored else {
        return Value::Null;
    };
    let Ok(whole) = serde_json::from_str::<Json>(text) else {
        return if path.is_empty() {
            stored.clone()
        } else {
            Value::Null
        };
    };
    let mut found = Some(&whole);
    for step in path {
        let is_position = step.bytes().all(|byte| byte.is_ascii_digit());
        found = match found {
            Some(Json::Array(list)) if is_position => {
                step.parse::<usize>().ok().and_then(|at| list.get(at))
            }
            Some(Json::Object(object)) if !is_position => object.get(step),
            _ => None,
        };
    }
    match found {
        None | Some(Json::Null) => Value::Null,
        Some(Json::Bool(flag)) => Value::Integer(i64::from(*flag)),
        Some(Json::Number(number)) => match number.as_i64() {
            Some(integer) => Value::Integer(integer),
            None => number.as_f64().map_or(Value::Null, Value::Real),
        },
        Some(Json::String(text)) => Value::Text(text.clone()),
        Some(other) => Value::Text(other.to_string()),
    }
}

#[cfg(test)]
mod tests;
