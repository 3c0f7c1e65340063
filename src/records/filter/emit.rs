//! An expression as a condition in SQL. Comparisons of two constants are decided here, so a
//! statement never compares parameters whose type PostgreSQL could not infer.

use mito_database::{Dialect, Value};

use crate::{
    fields::{Storage, show},
    filter::{Expression, Operand, Operator, Scope, macros},
    names::quote,
    sql::Sql,
};

const TRUE: &str = "1=1";
const FALSE: &str = "1=0";

/// Appends the condition.
pub(crate) fn expression(
    sql: &mut Sql,
    expression: &Expression,
    scope: Scope<'_>,
) -> Result<(), String> {
    match expression {
        Expression::All(parts) => joined(sql, parts, " AND ", scope),
        Expression::Any(parts) => joined(sql, parts, " OR ", scope),
        Expression::Compare(left, operator, right) => {
            let (left, right) = (resolve(left, scope)?, resolve(right, scope)?);
            compare(sql, &left, *operator, &right, scope.dialect);
            Ok(())
        }
    }
}

/// Whether the condition holds when every comparison with a column does.
pub(crate) fn could_hold(expression: &Expression, scope: Scope<'_>) -> Result<bool, String> {
    match expression {
        Expression::All(parts) => all(parts, true, scope),
        Expression::Any(parts) => all(parts, false, scope).map(|none| !none),
        Expression::Compare(left, operator, right) => {
            Ok(match (resolve(left, scope)?, resolve(right, scope)?) {
                (Term::Constant(left), Term::Constant(right)) => {
                    constants(&left, *operator, &right)
                }
                _ => true,
            })
        }
    }
}

fn all(parts: &[Expression], wanted: bool, scope: Scope<'_>) -> Result<bool, String> {
    for part in parts {
        if could_hold(part, scope)? != wanted {
            return Ok(false);
        }
    }
    Ok(true)
}

fn joined(
    sql: &mut Sql,
    parts: &[Expression],
    separator: &str,
    scope: Scope<'_>,
) -> Result<(), String> {
    sql.push("(");
    for (position, part) in parts.iter().enumerate() {
        if position > 0 {
            sql.push(separator);
        }
        expression(sql, part, scope)?;
    }
    sql.push(")");
    Ok(())
}

/// An operand whose meaning is known.
enum Term {
    Column(Column),
    Constant(Operand),
}

struct Column {
    /// The quoted column, never null.
    sql: String,
    storage: Storage,
    /// Appended with `AND`: what a row must also fulfil for its value to be compared.
    guard: Option<&'static str>,
}

impl Column {
    fn as_text(&self) -> String {
        match self.storage {
            Storage::Number | Storage::Bool => format!("CAST({} AS TEXT)", self.sql),
            Storage::Text | Storage::List | Storage::Json => self.sql.clone(),
        }
    }
}

fn resolve(operand: &Operand, scope: Scope<'_>) -> Result<Term, String> {
    let Operand::Name(name) = operand else {
        return Ok(Term::Constant(operand.clone()));
    };
    if name.starts_with('@') {
        return macros::resolve(name, scope).map(Term::Constant);
    }
    column(name, scope).map(Term::Column)
}

/// The column of a field that this caller may compare or sort by.
pub(crate) fn sortable(name: &str, scope: Scope<'_>) -> Result<String, String> {
    let column = column(name, scope)?;
    if column.guard.is_some() {
        return Err(format!("records cannot be sorted by {name:?}"));
    }
    Ok(column.sql)
}

fn column(name: &str, scope: Scope<'_>) -> Result<Column, String> {
    let field = scope
        .collection
        .field(name)
        .filter(|field| !field.is_secret() && (scope.trusted || !field.is_hidden()))
        .ok_or_else(|| format!("there is no field {name:?}"))?;
    let storage = field.storage();
    let quoted = quote(&field.name);
    let sql = match storage {
        Storage::Json => format!("COALESCE({quoted}, '')"),
        _ => quoted,
    };
    // An address that its owner hides must not be found out by filtering.
    let guarded = scope.collection.is_auth() && name == "email" && !scope.trusted;
    Ok(Column {
        sql,
        storage,
        guard: guarded.then_some("\"emailVisibility\" = 1"),
    })
}

fn compare(sql: &mut Sql, left: &Term, operator: Operator, right: &Term, dialect: Dialect) {
    let guards: Vec<&str> = [left, right]
        .into_iter()
        .filter_map(|term| match term {
            Term::Column(column) => column.guard,
            Term::Constant(_) => None,
        })
        .collect();
    if !guards.is_empty() {
        sql.push("(");
    }
    let like = matches!(operator, Operator::Like | Operator::NotLike);
    match (left, right) {
        (Term::Constant(left), Term::Constant(right)) => {
            sql.push(if constants(left, operator, right) {
                TRUE
            } else {
                FALSE
            });
        }
        (Term::Column(left), Term::Constant(right)) if like => {
            sql.push(&left.as_text())
                .push(like_keyword(operator, dialect));
            sql.bind(Value::Text(pattern(&text_of(right))))
                .push(" ESCAPE '\\'");
        }
        (left, Term::Column(right)) if like => {
            match left {
                Term::Column(left) => sql.push(&left.as_text()),
                Term::Constant(left) => sql
                    .push("CAST(")
                    .bind(Value::Text(text_of(left)))
                    .push(" AS TEXT)"),
            };
            sql.push(like_keyword(operator, dialect))
                .push(&contains(&right.as_text()));
            sql.push(" ESCAPE '\\'");
        }
        (Term::Column(left), Term::Column(right)) => {
            let same = left.storage == right.storage
                || !matches!(left.storage, Storage::Number | Storage::Bool)
                    && !matches!(right.storage, Storage::Number | Storage::Bool);
            let (left, right) = if same {
                (left.sql.clone(), right.sql.clone())
            } else {
                (left.as_text(), right.as_text())
            };
            sql.push(&left).push(symbol(operator)).push(&right);
        }
        (Term::Column(column), Term::Constant(constant)) => {
            with_constant(sql, column, operator, constant);
        }
        (Term::Constant(constant), Term::Column(column)) => {
            with_constant(sql, column, operator.flipped(), constant);
        }
    }
    for guard in &guards {
        sql.push(" AND ").push(guard);
    }
    if !guards.is_empty() {
        sql.push(")");
    }
}

/// The constant takes the type of the column. One that cannot is unequal to everything.
fn with_constant(sql: &mut Sql, column: &Column, operator: Operator, constant: &Operand) {
    let value = match column.storage {
        Storage::Text | Storage::List | Storage::Json => Some(Value::Text(text_of(constant))),
        Storage::Number => number_of(constant).map(Value::Real),
        Storage::Bool => flag_of(constant).map(|flag| Value::Integer(i64::from(flag))),
    };
    match value {
        Some(value) => {
            sql.push(&column.sql).push(symbol(operator)).bind(value);
        }
        None => {
            sql.push(if operator.is_negative() { TRUE } else { FALSE });
        }
    }
}

fn symbol(operator: Operator) -> &'static str {
    match operator {
        Operator::NotEqual => " <> ",
        Operator::Greater => " > ",
        Operator::GreaterOrEqual => " >= ",
        Operator::Less => " < ",
        Operator::LessOrEqual => " <= ",
        Operator::Equal | Operator::Like | Operator::NotLike => " = ",
    }
}

/// `~` ignores the case of letters; SQLite's `LIKE` does so for ASCII.
fn like_keyword(operator: Operator, dialect: Dialect) -> &'static str {
    match (operator == Operator::NotLike, dialect) {
        (false, Dialect::Sqlite) => " LIKE ",
        (true, Dialect::Sqlite) => " NOT LIKE ",
        (false, Dialect::Postgres) => " ILIKE ",
        (true, Dialect::Postgres) => " NOT ILIKE ",
    }
}

/// `%text%` with the wildcards of `text` escaped; a text with a `%` of its own is the pattern.
fn pattern(text: &str) -> String {
    if has_wildcard(text) {
        return text.to_owned();
    }
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let escapes = character == '\\'
            && characters
                .peek()
                .is_some_and(|next| matches!(next, '\\' | '%' | '_'));
        match character {
            '\\' if escapes => {
                pattern.push('\\');
                pattern.extend(characters.next());
            }
            '\\' | '_' | '%' => {
                pattern.push('\\');
                pattern.push(character);
            }
            _ => pattern.push(character),
        }
    }
    pattern.push('%');
    pattern
}

/// Whether there is a `%` without a backslash before it. A trailing backslash would be an error of
/// the pattern, so such a text is no pattern.
fn has_wildcard(text: &str) -> bool {
    let (mut escaped, mut found) = (false, false);
    for character in text.chars() {
        found |= character == '%' && !escaped;
        escaped = character == '\\' && !escaped;
    }
    found && !escaped
}

/// SQL of a pattern that finds the text in `column`.
fn contains(column: &str) -> String {
    format!(
        "('%' || replace(replace(replace({column}, '\\', '\\\\'), '%', '\\%'), '_', '\\_') || '%')"
    )
}

fn text_of(operand: &Operand) -> String {
    match operand {
        Operand::Text(text) | Operand::Name(text) => text.clone(),
        Operand::Number(number) => show::number(*number).to_string(),
        Operand::Bool(flag) => flag.to_string(),
        Operand::Null => String::new(),
    }
}

fn number_of(operand: &Operand) -> Option<f64> {
    match operand {
        Operand::Number(number) => Some(*number),
        Operand::Bool(flag) => Some(f64::from(u8::from(*flag))),
        Operand::Text(text) => text
            .trim()
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite()),
        Operand::Null | Operand::Name(_) => None,
    }
}

fn flag_of(operand: &Operand) -> Option<bool> {
    match text_of(operand).as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

fn constants(left: &Operand, operator: Operator, right: &Operand) -> bool {
    let (left_text, right_text) = (text_of(left), text_of(right));
    let order = match (left, right) {
        (Operand::Number(left), Operand::Number(right)) => left.partial_cmp(right),
        _ => Some(left_text.cmp(&right_text)),
    };
    let contains = || {
        left_text
            .to_lowercase()
            .contains(&right_text.to_lowercase())
    };
    match operator {
        Operator::Equal => order.is_some_and(std::cmp::Ordering::is_eq),
        Operator::NotEqual => order.is_some_and(std::cmp::Ordering::is_ne),
        Operator::Greater => order.is_some_and(std::cmp::Ordering::is_gt),
        Operator::GreaterOrEqual => order.is_some_and(std::cmp::Ordering::is_ge),
        Operator::Less => order.is_some_and(std::cmp::Ordering::is_lt),
        Operator::LessOrEqual => order.is_some_and(std::cmp::Ordering::is_le),
        Operator::Like => contains(),
        Operator::NotLike => !contains(),
    }
}
