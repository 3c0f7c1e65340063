//! A plan as a condition in SQL. Every value is a parameter, every identifier a checked name that is
//! quoted; rows of other tables are asked for in sub-queries of their own, so the condition fits
//! behind any `WHERE` on the collection's table.

mod compare;
mod term;
mod time;

use mito_database::{Dialect, Value};

use crate::{
    CollectionKind,
    fields::Storage,
    filter::{
        arrange::{self, Joins, Step, bit},
        plan::{Join, JoinId, Leaf, Operand, Plan, ROOT, Source},
    },
    names::quote,
    sql::Sql,
};

pub(crate) const TRUE: &str = "1=1";
pub(crate) const FALSE: &str = "1=0";

/// Appends the condition of a plan for rows of the table that is called `table` in the statement.
pub(crate) fn condition(sql: &mut Sql, plan: &Plan<'_>, table: &str, dialect: Dialect) {
    let step = arrange::arrange(plan);
    let mut writer = Writer::new(sql, plan, table, dialect);
    let aliases = writer.aliases.clone();
    let text = writer.step(&step, &aliases);
    sql.push(&text);
}

/// What to sort by for an operand, in turn: the smallest of its values, or the largest.
pub(crate) fn sortable(
    sql: &mut Sql,
    plan: &Plan<'_>,
    operand: &Operand,
    table: &str,
    dialect: Dialect,
    descending: bool,
) -> Vec<String> {
    let mut writer = Writer::new(sql, plan, table, dialect);
    let mut aliases = writer.aliases.clone();
    let mut joins: Joins = 0;
    operand
        .expression
        .joins(&mut |join| joins |= arrange::with_parents(plan, join));
    let joins = arrange::members(joins & !bit(ROOT));
    if joins.is_empty() {
        return writer.term(operand, &aliases).sortable(dialect);
    }
    let from = writer.from(&joins, 0, &mut aliases);
    let extreme = if descending { "MAX" } else { "MIN" };
    let values = writer.term(operand, &aliases).sortable(dialect);
    values
        .iter()
        .map(|value| format!("(SELECT {extreme}({value}) FROM {})", from.text))
        .collect()
}

/// How the rows of a join are called where a term stands, and whether they may be missing there.
#[derive(Clone)]
struct Aliases {
    names: Vec<String>,
    optional: Joins,
}

struct Writer<'s, 'p> {
    sql: &'s mut Sql,
    plan: &'p Plan<'p>,
    dialect: Dialect,
    aliases: Aliases,
    given: usize,
}

/// What stands behind a `FROM`.
struct From {
    text: String,
    /// What must also stand behind the `WHERE`.
    conditions: Vec<String>,
}

impl<'s, 'p> Writer<'s, 'p> {
    fn new(sql: &'s mut Sql, plan: &'p Plan<'p>, table: &str, dialect: Dialect) -> Self {
        let mut names = vec![String::new(); plan.joins.len()];
        names[ROOT] = quote(table);
        Self {
            sql,
            plan,
            dialect,
            aliases: Aliases { names, optional: 0 },
            given: 0,
        }
    }

    /// A name that no collection can have.
    fn alias(&mut self) -> String {
        self.given += 1;
        format!("_mito_{}", self.given)
    }

    fn bind(&mut self, value: Value) -> String {
        self.sql.parameter(value)
    }

    fn step(&mut self, step: &Step<'_>, aliases: &Aliases) -> String {
        match step {
            Step::All(parts) => self.joined(parts, " AND ", TRUE, aliases),
            Step::Any(parts) => self.joined(parts, " OR ", FALSE, aliases),
            Step::Leaf(leaf) => self.leaf(leaf, aliases),
            Step::Exists { joins, body } => {
                let required = arrange::required(self.plan, joins, body);
                let mut inner = aliases.clone();
                let from = self.from(joins, required, &mut inner);
                let body = self.step(body, &inner);
                exists(&from, &body)
            }
        }
    }

    fn joined(
        &mut self,
        parts: &[Step<'_>],
        separator: &str,
        none: &str,
        aliases: &Aliases,
    ) -> String {
        let parts: Vec<String> = parts.iter().map(|part| self.step(part, aliases)).collect();
        match &parts[..] {
            [] => none.to_owned(),
            [single] => single.clone(),
            several => format!("({})", several.join(separator)),
        }
    }

    /// A comparison, and unless one of several values is enough the same for all of them.
    fn leaf(&mut self, leaf: &Leaf, aliases: &Aliases) -> String {
        let mut text = self.comparison(leaf, aliases, aliases);
        let many = !leaf.left.chain.is_empty() || !leaf.right.chain.is_empty();
        if many && !leaf.any {
            let (mut left, mut right) = (aliases.clone(), aliases.clone());
            let required = arrange::required_to_fail(self.plan, leaf, true);
            let mut from = self.from(&leaf.left.chain, required, &mut left);
            if !leaf.right.chain.is_empty() {
                let required = arrange::required_to_fail(self.plan, leaf, false);
                let others = self.from(&leaf.right.chain, required, &mut right);
                from.cross(others);
            }
            let fails = format!("NOT ({})", self.comparison(leaf, &left, &right));
            text = format!("({text} AND NOT {})", exists(&from, &fails));
        }
        for account in &leaf.shown_emails {
            let shown = format!("{}.\"emailVisibility\" = 1", aliases.names[*account]);
            text = format!("({text} AND {shown})");
        }
        text
    }

    /// The rows of the joins, parents first; those that are not required may be missing.
    fn from(&mut self, joins: &[JoinId], required: Joins, aliases: &mut Aliases) -> From {
        let mut from = From {
            text: String::new(),
            conditions: Vec::new(),
        };
        let is_required = |join: &&JoinId| required & bit(**join) != 0;
        for join in joins.iter().filter(is_required) {
            let (rows, on) = self.source(*join, aliases);
            aliases.optional &= !bit(*join);
            if from.text.is_empty() {
                from.text = rows;
                from.conditions.push(on);
            } else {
                from.text = format!("{} JOIN {rows} ON {on}", from.text);
            }
        }
        for join in joins.iter().filter(|join| !is_required(join)) {
            if from.text.is_empty() {
                from.text = format!("(SELECT 1 AS one) AS {}", self.alias());
            }
            let (rows, on) = self.source(*join, aliases);
            aliases.optional |= bit(*join);
            from.text = format!("{} LEFT JOIN {rows} ON {on}", from.text);
        }
        if from.text.is_empty() {
            from.text = format!("(SELECT 1 AS one) AS {}", self.alias());
        }
        from
    }

    /// The rows of a join with their name, and the condition that ties them to their parent.
    fn source(&mut self, id: JoinId, aliases: &mut Aliases) -> (String, String) {
        let alias = self.alias();
        aliases.names[id].clone_from(&alias);
        let join = &self.plan.joins[id];
        let table = |join: &Join<'_>| {
            let collection = join.collection.as_deref();
            let name = &collection.expect("rows have a collection").name;
            format!("{} AS {alias}", quote(name))
        };
        match &join.source {
            Source::Root | Source::All => (table(join), TRUE.to_owned()),
            Source::Related { parent, field } => {
                let column = self.column(*parent, *field, aliases);
                (table(join), format!("{alias}.id = {column}"))
            }
            Source::OfElement { parent } => {
                let value = format!("{}.value", aliases.names[*parent]);
                (table(join), format!("{alias}.id = {value}"))
            }
            Source::Back { parent, field } => {
                let own = self.column(id, *field, aliases);
                let to = format!("{}.id", aliases.names[*parent]);
                if self.plan.joins[id].field(*field).storage() != Storage::List {
                    return (table(join), format!("{own} = {to}"));
                }
                let element = self.alias();
                let values = self.elements(&own, &element);
                let on = format!("EXISTS (SELECT 1 FROM {values} WHERE {element}.value = {to})");
                (table(join), on)
            }
            Source::Picked { ids } => {
                let ids: Vec<String> = ids
                    .iter()
                    .map(|id| self.bind(Value::Text(id.clone())))
                    .collect();
                (table(join), format!("{alias}.id IN ({})", ids.join(", ")))
            }
            Source::Elements { parent, field } => {
                let column = self.column(*parent, *field, aliases);
                let list = self.plan.joins[*parent].field(*field).storage() == Storage::List;
                let rows = if list {
                    self.elements(&column, &alias)
                } else {
                    self.single(&column, &alias)
                };
                (rows, TRUE.to_owned())
            }
            Source::Given { values } => {
                let list = serde_json::Value::from(values.clone()).to_string();
                let list = self.bind(Value::Text(list));
                let rows = match self.dialect {
                    Dialect::Sqlite => format!("json_each({list}) AS {alias}"),
                    Dialect::Postgres => {
                        format!("json_array_elements_text({list}::json) AS {alias}(value)")
                    }
                };
                (rows, TRUE.to_owned())
            }
        }
    }

    /// The values of a list.
    fn elements(&self, column: &str, alias: &str) -> String {
        match self.dialect {
            Dialect::Sqlite => format!(
                "json_each(CASE WHEN json_valid({column}) THEN {column} \
                 ELSE json_array({column}) END) AS {alias}"
            ),
            Dialect::Postgres => {
                format!(
                    "LATERAL json_array_elements_text(NULLIF({column}, '')::json) AS {alias}(value)"
                )
            }
        }
    }

    /// One value as if it were a list.
    fn single(&self, column: &str, alias: &str) -> String {
        match self.dialect {
            Dialect::Sqlite => format!("json_each(json_array({column})) AS {alias}"),
            Dialect::Postgres => format!("LATERAL (SELECT {column} AS value) AS {alias}"),
        }
    }

    fn column(&self, join: JoinId, field: usize, aliases: &Aliases) -> String {
        let name = quote(&self.plan.joins[join].field(field).name);
        format!("{}.{name}", aliases.names[join])
    }

    /// Whether a column can be null where its row is not missing.
    fn has_nulls(&self, join: JoinId, field: usize) -> bool {
        let join = &self.plan.joins[join];
        let view = join
            .collection
            .as_deref()
            .is_some_and(|collection| collection.kind == CollectionKind::View);
        view || join.field(field).storage() == Storage::Json
    }
}

impl From {
    /// All combinations with the rows of another.
    fn cross(&mut self, other: Self) {
        // Joins bind to the left, so what follows the other's first rows belongs to it alone.
        self.text = format!("{} CROSS JOIN {}", self.text, other.text);
        self.conditions.extend(other.conditions);
    }
}

fn exists(from: &From, body: &str) -> String {
    let mut conditions: Vec<&str> = from
        .conditions
        .iter()
        .map(String::as_str)
        .filter(|condition| *condition != TRUE)
        .collect();
    conditions.push(body);
    let conditions = conditions.join(" AND ");
    format!("EXISTS (SELECT 1 FROM {} WHERE {conditions})", from.text)
}
