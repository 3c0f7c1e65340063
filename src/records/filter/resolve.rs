//! Names into fields and joins.
//!
//! | module | what it holds |
//! |---|---|
//! | [`path`] | fields, relations, back-relations, modifiers |
//! | [`request`] | `@request.*` |
//! | [`function`] | `geoDistance` and `strftime` |

mod function;
mod path;
mod request;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use jiff::Timestamp;
use mito_database::Value;

use crate::{
    Collection, Error, RequestInfo,
    filter::{
        MAX_JOINS, Problem, Text,
        ast::{self, Operator},
        cache::Parsed,
        macros,
        plan::{Definition, Expression, Join, JoinId, Leaf, Node, Operand, Plan, ROOT, Source},
        values,
    },
};

/// Finds collections by id or name.
pub(crate) trait Schema {
    /// The collection with that id or name.
    fn find(&mut self, name: &str) -> Result<Option<Arc<Collection>>, Error>;
}

/// Who wrote the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Author {
    /// A rule, or the program. All fields may be compared.
    Trusted,
    /// An administrator: all fields but those that nobody is shown.
    Superuser,
    /// Anybody: hidden fields are not found, addresses must be shown, and the rows of other
    /// collections must be ones that they may list.
    Anybody,
}

/// What names mean.
pub(crate) struct Scope<'a> {
    /// `@request.*`.
    pub(crate) info: &'a RequestInfo,
    /// `@now` and its kin.
    pub(crate) now: Timestamp,
}

/// Finds out what the texts mean together for rows of `collection`. Their paths share rows.
pub(crate) fn resolve<'a>(
    texts: &[Text<'_>],
    collection: Definition<'a>,
    scope: &Scope<'_>,
    parsed: &Parsed,
    schema: &mut dyn Schema,
) -> Result<Plan<'a>, Problem> {
    let mut expressions = Vec::with_capacity(texts.len());
    for (text, author) in texts {
        expressions.push((parsed.get(text)?, *author));
    }
    let expressions: Vec<(&ast::Expression, Author)> = expressions
        .iter()
        .map(|(expression, author)| (&**expression, *author))
        .collect();
    resolve_expressions(&expressions, collection, scope, parsed, schema)
}

/// [`resolve`] for what has been parsed.
pub(crate) fn resolve_expressions<'a>(
    expressions: &[(&ast::Expression, Author)],
    collection: Definition<'a>,
    scope: &Scope<'_>,
    parsed: &Parsed,
    schema: &mut dyn Schema,
) -> Result<Plan<'a>, Problem> {
    let mut resolver = Resolver::new(collection, scope, parsed, schema);
    let mut nodes = Vec::with_capacity(expressions.len());
    for (expression, author) in expressions {
        nodes.push(resolver.node(expression, Site::of(*author))?);
    }
    nodes.append(&mut resolver.guards);
    let condition = match nodes.len() {
        1 => nodes.remove(0),
        _ => Node::All(nodes),
    };
    Ok(Plan {
        joins: resolver.joins,
        condition,
    })
}

/// Finds out what names to sort by mean. The plan's condition says which rows may be shown.
pub(crate) fn resolve_names<'a>(
    names: &[&str],
    author: Author,
    collection: Definition<'a>,
    scope: &Scope<'_>,
    parsed: &Parsed,
    schema: &mut dyn Schema,
) -> Result<(Plan<'a>, Vec<Operand>), Problem> {
    let mut resolver = Resolver::new(collection, scope, parsed, schema);
    let mut operands = Vec::with_capacity(names.len());
    for name in names {
        let found = resolver.path(ROOT, name, Site::of(author))?;
        if found.email.is_some() {
            return Err(unresolved(name));
        }
        operands.push(found.operand);
    }
    let plan = Plan {
        joins: resolver.joins,
        condition: Node::All(resolver.guards),
    };
    Ok((plan, operands))
}

/// Where a name stands.
#[derive(Clone, Copy)]
struct Site {
    /// The rows whose fields are meant.
    base: JoinId,
    author: Author,
    /// Paths share joins with paths of the same text alone.
    text: usize,
}

impl Site {
    fn of(author: Author) -> Self {
        Self {
            base: ROOT,
            author,
            text: 0,
        }
    }
}

/// What a name means.
struct Found {
    operand: Operand,
    /// The account whose address it is, if only shown ones may be compared.
    email: Option<JoinId>,
}

impl From<Operand> for Found {
    fn from(operand: Operand) -> Self {
        Self {
            operand,
            email: None,
        }
    }
}

struct Resolver<'a, 'b> {
    scope: &'b Scope<'b>,
    parsed: &'b Parsed,
    schema: &'b mut dyn Schema,
    joins: Vec<Join<'a>>,
    /// Joins by the path that leads to them.
    known: HashMap<String, JoinId>,
    /// What the rows of other collections must also fulfil.
    guards: Vec<Node>,
    checked: HashSet<JoinId>,
    texts: usize,
}

impl<'a, 'b> Resolver<'a, 'b> {
    fn new(
        collection: Definition<'a>,
        scope: &'b Scope<'b>,
        parsed: &'b Parsed,
        schema: &'b mut dyn Schema,
    ) -> Self {
        Self {
            scope,
            parsed,
            schema,
            joins: vec![Join {
                source: Source::Root,
                collection: Some(collection),
            }],
            known: HashMap::new(),
            guards: Vec::new(),
            checked: HashSet::new(),
            texts: 0,
        }
    }

    fn node(&mut self, expression: &ast::Expression, site: Site) -> Result<Node, Problem> {
        let mut each = |parts: &[ast::Expression]| {
            let parts = parts.iter().map(|part| self.node(part, site));
            parts.collect::<Result<Vec<Node>, Problem>>()
        };
        match expression {
            ast::Expression::All(parts) => each(parts).map(Node::All),
            ast::Expression::Any(parts) => each(parts).map(Node::Any),
            ast::Expression::Compare(comparison) => self.leaf(comparison, site),
        }
    }

    fn leaf(&mut self, comparison: &ast::Comparison, site: Site) -> Result<Node, Problem> {
        let left = self
            .operand(&comparison.left, site)
            .map_err(|problem| named(problem, "left", &comparison.left))?;
        let right = self
            .operand(&comparison.right, site)
            .map_err(|problem| named(problem, "right", &comparison.right))?;
        Ok(Node::Leaf(Box::new(Leaf {
            operator: comparison.operator,
            any: comparison.any,
            shown_emails: left.email.into_iter().chain(right.email).collect(),
            left: left.operand,
            right: right.operand,
        })))
    }

    fn operand(&mut self, operand: &ast::Operand, site: Site) -> Result<Found, Problem> {
        match operand {
            ast::Operand::Text(text) => Ok(Operand::value(Value::Text(text.clone())).into()),
            ast::Operand::Number(number) => Ok(Operand::value(Value::Real(*number)).into()),
            ast::Operand::Name(name) => self.name(name, site),
            ast::Operand::Function(name, arguments) => self.function(name, arguments, site),
        }
    }

    fn name(&mut self, name: &str, site: Site) -> Result<Found, Problem> {
        let literal = match name {
            _ if name.eq_ignore_ascii_case("null") => Some(Value::Null),
            _ if name.eq_ignore_ascii_case("true") => Some(Value::Integer(1)),
            _ if name.eq_ignore_ascii_case("false") => Some(Value::Integer(0)),
            _ => macros::resolve(name, self.scope.now)?,
        };
        if let Some(value) = literal {
            return Ok(Operand::value(value).into());
        }
        match name.strip_prefix("@request.") {
            Some(path) => self.request(path, name, site),
            None => self.path(site.base, name, site),
        }
    }

    /// The join that `key` leads to, made if this is the first path that takes it.
    fn join(&mut self, key: String, join: Join<'a>) -> Result<JoinId, Problem> {
        if let Some(known) = self.known.get(&key) {
            return Ok(*known);
        }
        if self.joins.len() >= MAX_JOINS {
            return Err(Problem::Invalid(format!(
                "it takes more than {MAX_JOINS} steps through relations"
            )));
        }
        let id = self.joins.len();
        self.joins.push(join);
        self.known.insert(key, id);
        Ok(id)
    }

    /// Rows of another collection that anybody asks about must be ones that they may list.
    fn guard(&mut self, join: JoinId, site: Site) -> Result<(), Problem> {
        if site.author == Author::Trusted
            || self.scope.info.is_superuser()
            || !self.checked.insert(join)
        {
            return Ok(());
        }
        let collection = self.joins[join].collection.clone();
        let collection = collection.expect("rows have a collection");
        let Some(rule) = &collection.list_rule else {
            let name = &collection.name;
            return Err(Problem::Invalid(format!("{name} may not be listed")));
        };
        if rule.trim().is_empty() {
            return Ok(());
        }
        let rule = self.parsed.get(rule)?;
        self.texts += 1;
        let inner = Site {
            base: join,
            author: Author::Trusted,
            text: self.texts,
        };
        let rule = self.node(&rule, inner)?;
        let id = collection
            .fields
            .iter()
            .position(|field| field.name == "id");
        let field = id.ok_or_else(|| Problem::Invalid("records have no id".to_owned()))?;
        let nobody = Leaf {
            left: Operand {
                expression: Expression::Column { join, field },
                chain: Vec::new(),
                exact: false,
                plain: false,
            },
            operator: Operator::Equal,
            any: true,
            right: Operand::value(Value::Text(String::new())),
            shown_emails: Vec::new(),
        };
        self.guards
            .push(Node::Any(vec![Node::Leaf(Box::new(nobody)), rule]));
        Ok(())
    }
}

fn named(problem: Problem, side: &str, operand: &ast::Operand) -> Problem {
    match problem {
        Problem::Invalid(reason) => {
            let operand = match operand {
                ast::Operand::Function(name, _) => name.clone(),
                other => other.to_string(),
            };
            Problem::Invalid(format!("invalid {side} operand \"{operand}\" - {reason}"))
        }
        failed @ Problem::Failed(_) => failed,
    }
}

fn unresolved(name: &str) -> Problem {
    Problem::Invalid(format!("failed to resolve field {name:?}"))
}

/// A text in lower case, as the engines write it: ASCII letters alone.
fn lower(value: Value) -> Value {
    match value {
        Value::Null => Value::Null,
        other => Value::Text(values::searchable(&other).to_ascii_lowercase()),
    }
}
