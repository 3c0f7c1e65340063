//! One side of a comparison in SQL.

use mito_database::{Dialect, Value};

use crate::{
    fields::Storage,
    filter::{
        arrange::bit,
        emit::{Aliases, Writer},
        plan::{Expression, JoinId, Operand},
        values::Affinity,
    },
};

const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";

/// What kind of values an expression has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Text,
    Number,
    /// Either, row by row: what is in JSON.
    Any,
}

/// An expression in SQL.
#[derive(Clone, Debug)]
pub(super) struct Term {
    pub(super) sql: String,
    pub(super) class: Class,
    pub(super) affinity: Affinity,
    pub(super) nullable: bool,
    pub(super) exact: bool,
    pub(super) plain: bool,
    pub(super) constant: Option<Value>,
    /// The value as text, as `~` and `:lower` see it.
    pub(super) searchable: String,
    /// PostgreSQL has no values of either kind: the number that it is, and the text that it is.
    pub(super) parts: Option<(String, String)>,
}

impl Term {
    /// What to sort by, in turn.
    pub(super) fn sortable(&self, dialect: Dialect) -> Vec<String> {
        match (dialect, &self.parts) {
            (Dialect::Postgres, Some((number, text))) => {
                vec![format!("({text}) COLLATE \"C\""), number.clone()]
            }
            (Dialect::Postgres, None) if self.class == Class::Text => {
                vec![format!("({}) COLLATE \"C\"", self.sql)]
            }
            _ => vec![self.sql.clone()],
        }
    }

    fn plain(sql: String, class: Class, dialect: Dialect) -> Self {
        let searchable = match (class, dialect) {
            (Class::Number, _) => format!("CAST({sql} AS TEXT)"),
            _ => sql.clone(),
        };
        Self {
            sql,
            class,
            affinity: Affinity::None,
            nullable: true,
            exact: false,
            plain: false,
            constant: None,
            searchable,
            parts: None,
        }
    }
}

impl Writer<'_, '_> {
    pub(super) fn term(&mut self, operand: &Operand, aliases: &Aliases) -> Term {
        let mut term = self.expression(&operand.expression, aliases);
        term.exact = operand.exact;
        term.plain = operand.plain;
        term
    }

    fn expression(&mut self, expression: &Expression, aliases: &Aliases) -> Term {
        let dialect = self.dialect;
        match expression {
            Expression::Value(value) => Term {
                constant: Some(value.clone()),
                nullable: *value == Value::Null,
                ..Term::plain(String::new(), Class::Any, dialect)
            },
            Expression::Column { join, field } => self.column_term(*join, *field, aliases),
            Expression::Element { join } => Term {
                nullable: aliases.optional & bit(*join) != 0,
                ..Term::plain(
                    format!("{}.value", aliases.names[*join]),
                    Class::Text,
                    dialect,
                )
            },
            Expression::Json { join, field, path } => {
                let column = self.column(*join, *field, aliases);
                self.json(&column, path)
            }
            Expression::Length { join, field } => {
                let column = self.column(*join, *field, aliases);
                Term {
                    nullable: false,
                    ..Term::plain(self.length(&column, *join, *field), Class::Number, dialect)
                }
            }
            Expression::Lower(inner) => {
                let inner = self.expression(inner, aliases);
                let lowered = self.lowered(&inner.searchable);
                Term {
                    nullable: inner.nullable,
                    ..Term::plain(lowered, Class::Text, dialect)
                }
            }
            Expression::Distance(points) => {
                let points: Vec<String> = points
                    .iter()
                    .map(|point| {
                        let term = self.expression(point, aliases);
                        self.as_number(&term)
                    })
                    .collect();
                Term::plain(self.distance(&points), Class::Number, dialect)
            }
            Expression::Time {
                format,
                at,
                modifiers,
            } => {
                let at = self.expression(at, aliases);
                let text = self.time(format, &at, modifiers);
                Term::plain(text, Class::Text, dialect)
            }
            Expression::Holds(leaf) => {
                let holds = self.leaf(leaf, aliases);
                let sql = format!("(CASE WHEN {holds} THEN 1 ELSE 0 END)");
                Term {
                    nullable: false,
                    ..Term::plain(sql, Class::Number, dialect)
                }
            }
        }
    }

    fn column_term(&self, join: JoinId, field: usize, aliases: &Aliases) -> Term {
        let sql = self.column(join, field, aliases);
        let nullable = aliases.optional & bit(join) != 0 || self.has_nulls(join, field);
        let storage = self.plan.joins[join].field(field).storage();
        let (class, affinity) = match storage {
            Storage::Number | Storage::Bool => (Class::Number, Affinity::Number),
            Storage::Text | Storage::List | Storage::Json => (Class::Text, Affinity::Text),
        };
        let mut term = Term::plain(sql, class, self.dialect);
        if storage == Storage::Number && self.dialect == Dialect::Sqlite {
            // A whole number is text without a point, as in PocketBase's columns.
            let sql = &term.sql;
            term.searchable = format!(
                "CASE WHEN {sql} = CAST({sql} AS INTEGER) \
                 THEN CAST(CAST({sql} AS INTEGER) AS TEXT) ELSE CAST({sql} AS TEXT) END"
            );
        }
        Term {
            affinity,
            nullable,
            ..term
        }
    }

    fn json(&mut self, column: &str, path: &[String]) -> Term {
        if self.dialect == Dialect::Sqlite {
            let step = |part: &String| {
                if part.bytes().all(|byte| byte.is_ascii_digit()) {
                    format!("[{part}]")
                } else {
                    format!(".{part}")
                }
            };
            let steps: Vec<String> = path.iter().map(step).collect();
            let steps = format!("${}", steps.concat());
            // What is no JSON is its own text.
            let otherwise = if path.is_empty() { column } else { "NULL" };
            let steps = self.bind(Value::Text(steps));
            let sql = format!(
                "(CASE WHEN json_valid({column}) THEN json_extract({column}, {steps}) \
                 ELSE {otherwise} END)"
            );
            return Term::plain(sql, Class::Any, self.dialect);
        }
        let steps = self.bind(Value::Text(format!("{{{}}}", path.join(","))));
        let whole = format!("NULLIF({column}, '')::json");
        let kind = format!("json_typeof({whole} #> {steps}::text[])");
        let raw = format!("({whole} #>> {steps}::text[])");
        let flag = |yes: &str, no: &str| format!("CASE {raw} WHEN 'true' THEN {yes} ELSE {no} END");
        let number = format!(
            "(CASE {kind} WHEN 'number' THEN {raw}::float8 WHEN 'boolean' THEN {} END)",
            flag("1", "0")
        );
        let text = format!("(CASE WHEN {kind} IN ('string', 'object', 'array') THEN {raw} END)");
        let searchable = format!(
            "(CASE {kind} WHEN 'boolean' THEN {} WHEN 'null' THEN NULL ELSE {raw} END)",
            flag("'1'", "'0'")
        );
        Term {
            searchable,
            parts: Some((number, text)),
            ..Term::plain(raw, Class::Any, self.dialect)
        }
    }

    fn length(&self, column: &str, join: JoinId, field: usize) -> String {
        if self.plan.joins[join].field(field).storage() != Storage::List {
            return format!("(CASE WHEN COALESCE({column}, '') = '' THEN 0 ELSE 1 END)");
        }
        match self.dialect {
            Dialect::Sqlite => format!(
                "(CASE WHEN json_valid({column}) THEN json_array_length({column}) \
                 WHEN COALESCE({column}, '') = '' THEN 0 ELSE 1 END)"
            ),
            Dialect::Postgres => {
                format!("COALESCE(json_array_length(NULLIF({column}, '')::json), 0)")
            }
        }
    }

    /// Lower case for ASCII letters alone, on both engines.
    pub(super) fn lowered(&self, text: &str) -> String {
        match self.dialect {
            Dialect::Sqlite => format!("LOWER({text})"),
            Dialect::Postgres => format!("translate({text}, '{UPPER}', '{LOWER}')"),
        }
    }

    fn as_number(&mut self, term: &Term) -> String {
        if let Some(constant) = term.constant.clone() {
            return match self.dialect {
                Dialect::Sqlite => self.bind(constant),
                Dialect::Postgres => match crate::filter::values::as_number(&constant) {
                    Some(number) => format!("{}::float8", self.bind(Value::Real(number))),
                    None => "NULL::float8".to_owned(),
                },
            };
        }
        match (self.dialect, &term.parts, term.class) {
            (Dialect::Postgres, Some((number, text)), _) => {
                format!("COALESCE({number}, {})", numeric(text))
            }
            (Dialect::Postgres, None, Class::Text) => numeric(&term.sql),
            _ => term.sql.clone(),
        }
    }

    /// Kilometres between two points, as PocketBase computes them.
    fn distance(&self, points: &[String]) -> String {
        let [lon_a, lat_a, lon_b, lat_b] = points else {
            return "NULL".to_owned();
        };
        match self.dialect {
            Dialect::Sqlite => format!("mito_distance({lon_a}, {lat_a}, {lon_b}, {lat_b})"),
            Dialect::Postgres => {
                let cosine = format!(
                    "cos(radians({lat_a})) * cos(radians({lat_b})) \
                     * cos(radians({lon_b}) - radians({lon_a})) \
                     + sin(radians({lat_a})) * sin(radians({lat_b}))"
                );
                // `LEAST` leaves nulls out, so the sum is asked first.
                format!(
                    "(CASE WHEN ({cosine}) IS NOT NULL \
                     THEN 6371 * acos(LEAST(1, GREATEST(-1, {cosine}))) END)"
                )
            }
        }
    }
}

/// The number that a text is, on PostgreSQL.
pub(super) fn numeric(text: &str) -> String {
    format!(
        "(CASE WHEN {} THEN btrim({text}, {BLANK})::float8 END)",
        is_numeric(text)
    )
}

/// Whether a text is a number, on PostgreSQL.
pub(super) fn is_numeric(text: &str) -> String {
    format!("btrim({text}, {BLANK}) ~ '{NUMBER}'")
}

const BLANK: &str = "E' \\t\\n\\r'";
const NUMBER: &str = "^[-+]?([0-9]{1,200}\\.?[0-9]{0,200}|\\.[0-9]{1,200})([eE][-+]?[0-9]{1,2})?$";
