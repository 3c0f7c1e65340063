//! Comparisons in SQL. SQLite compares values of any kind with each other, which the language was
//! made of; for PostgreSQL the same is written out where the kinds differ.

use mito_database::{Dialect, Value};

use crate::filter::{
    ast::Operator,
    emit::{
        Aliases, FALSE, TRUE, Writer,
        term::{Class, Term, is_numeric, numeric},
    },
    plan::Leaf,
    values::{self, Affinity},
};

impl Writer<'_, '_> {
    /// The comparison of a leaf, its sides' rows called as the two maps say.
    pub(super) fn comparison(&mut self, leaf: &Leaf, left: &Aliases, right: &Aliases) -> String {
        if let Some(truth) = leaf.constant() {
            return if truth { TRUE } else { FALSE }.to_owned();
        }
        let tells_null = matches!(leaf.operator, Operator::Equal | Operator::NotEqual);
        let has_null = [&leaf.left, &leaf.right]
            .iter()
            .any(|operand| operand.constant() == Some(&Value::Null));
        if has_null && !tells_null {
            return "(NULL = 1)".to_owned();
        }
        let left = self.term(&leaf.left, left);
        let right = self.term(&leaf.right, right);
        match leaf.operator {
            Operator::Equal => self.equality(&left, &right, true),
            Operator::NotEqual => self.equality(&left, &right, false),
            Operator::Like => self.like(&left, &right, "LIKE"),
            Operator::NotLike => self.like(&left, &right, "NOT LIKE"),
            operator => {
                let (left, right) = self.written(left, right);
                self.ordered(&left, operator, &right)
            }
        }
    }

    fn equality(&mut self, left: &Term, right: &Term, equal: bool) -> String {
        if left.exact || right.exact {
            return self.same(left, right, equal);
        }
        if left.plain || right.plain {
            return self.filled(left, right, equal);
        }
        let (constant, other) = match (&left.constant, &right.constant) {
            (Some(constant), _) => (constant, right),
            (_, Some(constant)) => (constant, left),
            (None, None) => return coalesced(left, right, equal, self.dialect),
        };
        if values::is_empty(constant) {
            return emptiness(other, equal);
        }
        self.filled(left, right, equal)
    }

    /// One side is known not to be empty, so null need not be taken for an empty text.
    fn filled(&mut self, left: &Term, right: &Term, equal: bool) -> String {
        if !equal {
            return self.same(left, right, false);
        }
        let (left, right) = self.written(left.clone(), right.clone());
        self.ordered(&left, Operator::Equal, &right)
    }

    /// Both null, or both the same.
    fn same(&mut self, left: &Term, right: &Term, equal: bool) -> String {
        let null = |term: &Term| term.constant == Some(Value::Null);
        if null(left) || null(right) {
            let other = if null(left) { right } else { left };
            return is_null(other, equal);
        }
        let (left, right) = self.written(left.clone(), right.clone());
        let mixed = left.class != right.class || left.class == Class::Any;
        if self.dialect == Dialect::Postgres && mixed {
            let (first, second) = (Parts::of(&left, &right), Parts::of(&right, &left));
            let same = first.same(&second);
            return if equal { same } else { format!("NOT {same}") };
        }
        let operator = match (left.nullable || right.nullable, self.dialect, equal) {
            (false, _, true) => "=",
            (false, _, false) => "<>",
            (true, Dialect::Sqlite, true) => "IS",
            (true, Dialect::Sqlite, false) => "IS NOT",
            (true, Dialect::Postgres, true) => "IS NOT DISTINCT FROM",
            (true, Dialect::Postgres, false) => "IS DISTINCT FROM",
        };
        format!("{} {operator} {}", left.sql, right.sql)
    }

    fn ordered(&self, left: &Term, operator: Operator, right: &Term) -> String {
        let mixed = left.class != right.class || left.class == Class::Any;
        if self.dialect == Dialect::Postgres && mixed {
            let (first, second) = (Parts::of(left, right), Parts::of(right, left));
            return first.ordered(operator, &second);
        }
        let collation = match (self.dialect, left.class, operator) {
            (Dialect::Sqlite, ..) | (_, _, Operator::Equal) | (_, Class::Number, _) => "",
            _ => " COLLATE \"C\"",
        };
        format!(
            "{}{collation} {} {}",
            left.sql,
            operator.symbol(),
            right.sql
        )
    }

    /// Binds a constant as the other side's affinity makes it.
    fn written(&mut self, left: Term, right: Term) -> (Term, Term) {
        let (first, second) = (left.affinity, right.affinity);
        (self.bound(left, second), self.bound(right, first))
    }

    fn bound(&mut self, term: Term, other: Affinity) -> Term {
        let Some(constant) = &term.constant else {
            return term;
        };
        let value = values::affected(constant, Affinity::None, other);
        let class = match value {
            Value::Text(_) => Class::Text,
            _ => Class::Number,
        };
        let cast = match (self.dialect, class, &value) {
            (Dialect::Sqlite, ..) => "",
            (_, _, Value::Null) | (_, Class::Text, _) => "::text",
            _ => "::float8",
        };
        let sql = format!("{}{cast}", self.bind(value));
        let searchable = sql.clone();
        Term {
            sql,
            class,
            searchable,
            ..term
        }
    }

    fn like(&mut self, left: &Term, right: &Term, operator: &str) -> String {
        let text = match &left.constant {
            Some(Value::Null) => "NULL".to_owned(),
            Some(constant) => self.text_parameter(values::searchable(constant)),
            None => left.searchable.clone(),
        };
        let pattern = match &right.constant {
            Some(Value::Null) => "NULL".to_owned(),
            Some(constant) => {
                let pattern = values::pattern(&values::searchable(constant));
                self.text_parameter(pattern)
            }
            None => format!("('%' || {} || '%')", right.searchable),
        };
        let (text, pattern) = match self.dialect {
            // `LIKE` ignores the case of ASCII letters itself.
            Dialect::Sqlite => (text, pattern),
            Dialect::Postgres => (self.lowered(&text), self.lowered(&pattern)),
        };
        format!("{text} {operator} {pattern} ESCAPE '\\'")
    }

    fn text_parameter(&mut self, text: String) -> String {
        let parameter = self.bind(Value::Text(text));
        match self.dialect {
            Dialect::Sqlite => parameter,
            Dialect::Postgres => format!("{parameter}::text"),
        }
    }
}

fn is_null(term: &Term, equal: bool) -> String {
    let null = match &term.parts {
        Some((number, text)) => format!("({number} IS NULL AND {text} IS NULL)"),
        // A parameter that a statement has is one that it uses.
        None if !term.nullable && !term.sql.contains('$') => {
            return if equal { FALSE } else { TRUE }.to_owned();
        }
        None => format!("({} IS NULL)", term.sql),
    };
    if equal { null } else { format!("(NOT {null})") }
}

/// Null and empty texts are equal.
fn emptiness(term: &Term, empty: bool) -> String {
    let sql = &term.sql;
    match (term.class, term.nullable, empty) {
        (Class::Number, _, _) => is_null(term, empty),
        (_, false, true) => format!("{sql} = ''"),
        (_, false, false) => format!("{sql} <> ''"),
        (_, true, true) => format!("({sql} = '' OR {sql} IS NULL)"),
        (_, true, false) => format!("({sql} IS NOT NULL AND {sql} <> '')"),
    }
}

/// Two columns: null counts as empty, and a number is never a text.
fn coalesced(left: &Term, right: &Term, equal: bool, dialect: Dialect) -> String {
    let filled = |term: &Term| {
        if term.nullable {
            format!("COALESCE({}, '')", term.sql)
        } else {
            term.sql.clone()
        }
    };
    let operator = if equal { "=" } else { "<>" };
    match (left.class, right.class) {
        (Class::Number, Class::Number) => {
            let operator = match (left.nullable || right.nullable, dialect, equal) {
                (false, ..) => operator,
                (true, Dialect::Sqlite, true) => "IS",
                (true, Dialect::Sqlite, false) => "IS NOT",
                (true, Dialect::Postgres, true) => "IS NOT DISTINCT FROM",
                (true, Dialect::Postgres, false) => "IS DISTINCT FROM",
            };
            format!("{} {operator} {}", left.sql, right.sql)
        }
        (Class::Number, _) | (_, Class::Number) => {
            let numeric = left.class == Class::Number;
            let (number, text) = if numeric {
                (left, right)
            } else {
                (right, left)
            };
            let nothing = is_null(number, true);
            let both = format!("({} = '' AND {nothing})", filled(text));
            if equal { both } else { format!("NOT {both}") }
        }
        _ => format!("{} {operator} {}", filled(left), filled(right)),
    }
}

/// A value on PostgreSQL that is a number, a text or null, row by row.
struct Parts {
    number: Option<String>,
    text: Option<String>,
}

impl Parts {
    /// What `term` is when it is compared with `other`.
    fn of(term: &Term, other: &Term) -> Self {
        let (number, text) = match (&term.parts, term.class) {
            (Some((number, text)), _) => (Some(number.clone()), Some(text.clone())),
            (None, Class::Number) => (Some(term.sql.clone()), None),
            (None, _) => (None, Some(term.sql.clone())),
        };
        match (term.affinity, other.affinity) {
            (Affinity::Text | Affinity::None, Affinity::Number) => {
                let Some(text) = text else {
                    return Self { number, text: None };
                };
                let read = numeric(&text);
                let number = match number {
                    Some(number) => format!("COALESCE({number}, {read})"),
                    None => read,
                };
                let rest = format!("(CASE WHEN NOT ({}) THEN {text} END)", is_numeric(&text));
                Self {
                    number: Some(number),
                    text: Some(rest),
                }
            }
            (Affinity::None, Affinity::Text) => Self {
                number: None,
                text: Some(term.searchable.clone()),
            },
            _ => Self { number, text },
        }
    }

    fn same(&self, other: &Self) -> String {
        let pair = |own: &Option<String>, other: &Option<String>| match (own, other) {
            (Some(own), Some(other)) => format!("{own} IS NOT DISTINCT FROM {other}"),
            (Some(single), None) | (None, Some(single)) => format!("{single} IS NULL"),
            (None, None) => TRUE.to_owned(),
        };
        let numbers = pair(&self.number, &other.number);
        format!("({numbers} AND {})", pair(&self.text, &other.text))
    }

    fn is_null(&self) -> String {
        let parts = [&self.number, &self.text].into_iter().flatten();
        let parts: Vec<String> = parts.map(|part| format!("{part} IS NULL")).collect();
        format!("({})", parts.join(" AND "))
    }

    /// Numbers come before texts.
    fn ordered(&self, operator: Operator, other: &Self) -> String {
        let symbol = operator.symbol();
        let mut ways = Vec::new();
        if let (Some(own), Some(other)) = (&self.number, &other.number) {
            ways.push(format!("COALESCE({own} {symbol} {other}, FALSE)"));
        }
        if let (Some(own), Some(other)) = (&self.text, &other.text) {
            ways.push(format!(
                "COALESCE({own} {symbol} {other} COLLATE \"C\", FALSE)"
            ));
        }
        let across = match operator {
            Operator::Less | Operator::LessOrEqual => Some((&self.number, &other.text)),
            Operator::Greater | Operator::GreaterOrEqual => Some((&other.number, &self.text)),
            _ => None,
        };
        if let Some((Some(number), Some(text))) = across {
            ways.push(format!("({number} IS NOT NULL AND {text} IS NOT NULL)"));
        }
        if ways.is_empty() {
            ways.push("FALSE".to_owned());
        }
        let (own, others) = (self.is_null(), other.is_null());
        let ways = ways.join(" OR ");
        format!("(CASE WHEN NOT {own} AND NOT {others} THEN ({ways}) END)")
    }
}
