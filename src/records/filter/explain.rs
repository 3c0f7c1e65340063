//! Why a rule holds for a record, or does not: the same for each of its parts, with the values that
//! were compared.

use mito_database::{Tx, Value};
use serde::Serialize;
use serde_json::Value as Json;
use ts_rs::TS;

use crate::{
    Collection, Error, FieldError, Record, Records, RequestInfo, Submitted,
    fields::show,
    filter::{
        self, Known, Problem,
        ast::Expression,
        emit,
        evaluate::Evaluator,
        plan::{Definition, Node},
        resolve::{self, Author, Scope},
    },
    names::quote,
    records::{
        access,
        draft::Draft,
        plan,
        read::{self, Viewer},
    },
    sql::Sql,
};

/// A part of a rule and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct Explanation {
    /// How the parts belong together.
    pub kind: ExplanationKind,
    /// The part as it can be written.
    pub text: String,
    /// Whether it holds. Without a record: whether it could.
    pub holds: bool,
    /// What its left side is: several values where a path leads to several records.
    #[ts(type = "unknown[]")]
    pub left: Vec<Json>,
    /// What its right side is.
    #[ts(type = "unknown[]")]
    pub right: Vec<Json>,
    /// The parts of the part.
    pub parts: Vec<Explanation>,
}

/// How the parts of a rule belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "lowercase")]
#[ts(export)]
pub enum ExplanationKind {
    /// All must hold.
    All,
    /// One must hold.
    Any,
    /// Two sides are compared.
    Compare,
}

/// An explanation, and the record that it is about where that does not exist.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct Explained {
    /// The whole rule.
    #[serde(flatten)]
    pub explanation: Explanation,
    /// The record as it would be when the rule is asked.
    #[ts(type = "Record<string, unknown> | null")]
    pub draft: Option<Record>,
}

/// What a rule is asked about.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// Any record: which parts could hold at all.
    Any,
    /// The stored record with that id.
    Stored(String),
    /// A record that would be made of these values.
    WouldBe(Record),
}

impl Records {
    /// Says why a rule holds for a record and a request, or does not. The rule need not be one of
    /// the collection's.
    pub async fn explain_rule(
        &self,
        collection: &str,
        rule: &str,
        subject: Subject,
        info: &RequestInfo,
    ) -> Result<Explained, Error> {
        let (records, info) = (self.clone(), info.clone());
        let (collection, rule) = (collection.to_owned(), rule.to_owned());
        let explain = move |tx: &mut Tx<'_>| {
            let collection = records.shared_collection_in(tx, &collection)?;
            let expression = records.inner.filters.get(&rule).map_err(invalid)?;
            let mut info = info.clone();
            let target = match &subject {
                Subject::Any => None,
                Subject::Stored(id) => {
                    let row = read::row(tx, &collection, id)?.ok_or(Error::NotFound)?;
                    Some((Some(id.as_str()), row.values().to_vec()))
                }
                Subject::WouldBe(values) => {
                    let submitted = Submitted::from(values.clone());
                    let mut draft = Draft::new(&collection);
                    let random = &records.inner.random;
                    let body = draft.load(&submitted, info.is_superuser(), random);
                    draft.fill_id(None, random);
                    info = plan::with_body(&info, body);
                    Some((None, plan::as_judged(&collection, &draft.columns)))
                }
            };
            let draft = target
                .as_ref()
                .filter(|(id, _)| id.is_none())
                .map(|(_, columns)| read::shown(&collection, columns, &Viewer::Superuser));
            let question = Question {
                records: &records,
                collection: &collection,
                target: target.as_ref().map(|(id, columns)| (*id, &columns[..])),
                info: &info,
            };
            Ok(Explained {
                explanation: question.explain(tx, &expression)?,
                draft,
            })
        };
        self.inner.database.read(explain).await
    }
}

struct Question<'a> {
    records: &'a Records,
    collection: &'a std::sync::Arc<Collection>,
    /// The id of a stored record, and the columns of a record that is stored or would be.
    target: Option<(Option<&'a str>, &'a [Value])>,
    info: &'a RequestInfo,
}

impl Question<'_> {
    fn explain(&self, tx: &mut Tx<'_>, expression: &Expression) -> Result<Explanation, Error> {
        let (kind, parts) = match expression {
            Expression::All(parts) => (ExplanationKind::All, &parts[..]),
            Expression::Any(parts) => (ExplanationKind::Any, &parts[..]),
            Expression::Compare(_) => (ExplanationKind::Compare, &[][..]),
        };
        let parts: Result<Vec<Explanation>, Error> =
            parts.iter().map(|part| self.explain(tx, part)).collect();
        let parts = parts?;
        let (holds, left, right) = self.ask(tx, expression)?;
        Ok(Explanation {
            kind,
            text: written(expression),
            holds,
            left,
            right,
            parts,
        })
    }

    fn ask(
        &self,
        tx: &mut Tx<'_>,
        expression: &Expression,
    ) -> Result<(bool, Vec<Json>, Vec<Json>), Error> {
        let scope = Scope {
            info: self.info,
            now: filter::now(tx),
        };
        let dialect = tx.dialect();
        let parsed = &self.records.inner.filters;
        let mut schema = Known {
            records: self.records,
            tx,
        };
        let definition = Definition::Borrowed(self.collection);
        let expressions = [(expression, Author::Trusted)];
        let plan =
            resolve::resolve_expressions(&expressions, definition, &scope, parsed, &mut schema)
                .map_err(|problem| match problem {
                    Problem::Failed(error) => error,
                    Problem::Invalid(reason) => invalid(reason),
                })?;
        let holds = match self.target {
            None => plan.condition.could_hold(),
            Some((Some(id), _)) => {
                let table = quote(&self.collection.name);
                let mut sql = Sql::new(format!("SELECT 1 AS fulfilled FROM {table} WHERE id = "));
                sql.bind(Value::Text(id.to_owned()));
                sql.push(" AND ");
                emit::condition(&mut sql, &plan, &self.collection.name, dialect);
                sql.query_one(tx)?.is_some()
            }
            Some((None, columns)) => {
                let mut sql = access::would_be(self.collection, columns, dialect);
                sql.push(" AND ");
                emit::condition(&mut sql, &plan, access::WOULD_BE, dialect);
                sql.query_one(tx)?.is_some()
            }
        };
        let Node::Leaf(leaf) = &plan.condition else {
            return Ok((holds, Vec::new(), Vec::new()));
        };
        let columns = self.target.map(|(_, columns)| columns);
        let collection = std::sync::Arc::clone(self.collection);
        let mut evaluator = Evaluator::new(self.records, collection, columns.unwrap_or_default());
        let mut side = |operand| {
            let values = evaluator.values(tx, &plan, operand)?;
            Ok::<_, Error>(values.iter().map(shown).collect())
        };
        Ok((holds, side(&leaf.left)?, side(&leaf.right)?))
    }
}

fn invalid(reason: String) -> Error {
    let message = format!("Invalid rule. Raw error: {reason}.");
    Error::field("rule", FieldError::new("validation_invalid_rule", message))
}

fn shown(value: &Value) -> Json {
    match value {
        Value::Null | Value::Blob(_) => Json::Null,
        Value::Integer(integer) => Json::from(*integer),
        Value::Real(real) => show::number(*real),
        Value::Text(text) => Json::String(text.clone()),
    }
}

fn written(expression: &Expression) -> String {
    let joined = |parts: &[Expression], by: &str| {
        let each = |part: &Expression| match part {
            Expression::Compare(comparison) => comparison.to_string(),
            several => format!("({})", written(several)),
        };
        parts.iter().map(each).collect::<Vec<String>>().join(by)
    };
    match expression {
        Expression::All(parts) => joined(parts, " && "),
        Expression::Any(parts) => joined(parts, " || "),
        Expression::Compare(comparison) => comparison.to_string(),
    }
}

#[cfg(test)]
mod tests;
