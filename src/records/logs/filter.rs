//! Filters and sorts over the log's columns and the members of `data`.

use mito_database::Value as Stored;

use crate::{
    filter::{Expression, Operand, Operator, parser},
    sql::Sql,
};

/// The most fields to sort by.
const MAX_SORT_FIELDS: usize = 8;
/// The longest path into `data`, in characters.
const MAX_PATH: usize = 200;

/// Appends the condition of a filter; an empty one always holds.
pub(super) fn compile(sql: &mut Sql, text: &str) -> Result<(), String> {
    if text.trim().is_empty() {
        sql.push("1=1");
        return Ok(());
    }
    expression(sql, &parser::parse(text)?)
}

/// What to order by, newest last where nothing is said.
pub(super) fn order(sort: &str) -> Result<String, String> {
    let mut terms = Vec::new();
    for field in sort
        .split(',')
        .map(str::trim)
        .filter(|field| !field.is_empty())
    {
        if terms.len() == MAX_SORT_FIELDS {
            return Err(format!(
                "no more than {MAX_SORT_FIELDS} fields can be sorted by"
            ));
        }
        let (name, direction) = match field.strip_prefix('-') {
            Some(name) => (name, "DESC"),
            None => (field.strip_prefix('+').unwrap_or(field), "ASC"),
        };
        terms.push(match name {
            "@random" => "RANDOM()".to_owned(),
            "@rowid" => format!("sequence {direction}"),
            name => format!("{} {direction}", column(name)?),
        });
    }
    terms.push("sequence ASC".to_owned());
    Ok(terms.join(", "))
}

/// The column of a name. A path into `data` holds nothing but letters, digits, dots and underscores,
/// so it can stand in the text.
fn column(name: &str) -> Result<String, String> {
    match name {
        "id" | "created" | "level" | "message" | "data" => return Ok(name.to_owned()),
        _ => {}
    }
    let path = name.strip_prefix("data.").filter(|path| {
        path.len() <= MAX_PATH
            && path.split('.').all(|part| {
                !part.is_empty()
                    && part
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            })
    });
    let path = path.ok_or_else(|| format!("there is no field {name:?}"))?;
    let steps: Vec<String> = path
        .split('.')
        .map(|part| match part.parse::<u32>() {
            Ok(index) => format!("[{index}]"),
            Err(_) => format!(".{part}"),
        })
        .collect();
    Ok(format!("json_extract(data, '${}')", steps.concat()))
}

fn expression(sql: &mut Sql, expression: &Expression) -> Result<(), String> {
    match expression {
        Expression::All(parts) => joined(sql, parts, " AND "),
        Expression::Any(parts) => joined(sql, parts, " OR "),
        Expression::Compare(left, operator, right) => compare(sql, left, *operator, right),
    }
}

fn joined(sql: &mut Sql, parts: &[Expression], separator: &str) -> Result<(), String> {
    sql.push("(");
    for (position, part) in parts.iter().enumerate() {
        if position > 0 {
            sql.push(separator);
        }
        expression(sql, part)?;
    }
    sql.push(")");
    Ok(())
}

fn compare(
    sql: &mut Sql,
    left: &Operand,
    operator: Operator,
    right: &Operand,
) -> Result<(), String> {
    let like = matches!(operator, Operator::Like | Operator::NotLike);
    let symbol = match operator {
        // A member that is not there equals nothing and differs from everything.
        Operator::Equal => " IS ",
        Operator::NotEqual => " IS NOT ",
        Operator::Like => " LIKE ",
        Operator::NotLike => " NOT LIKE ",
        Operator::Greater => " > ",
        Operator::GreaterOrEqual => " >= ",
        Operator::Less => " < ",
        Operator::LessOrEqual => " <= ",
    };
    // Nothing and the empty text are the same, as in records.
    let empty = |operand: &Operand| match operand {
        Operand::Null => true,
        Operand::Text(text) => text.is_empty(),
        _ => false,
    };
    let blank = empty(left) || empty(right);
    sql.push("(");
    operand(sql, left, blank, false)?;
    sql.push(symbol);
    operand(sql, right, blank, like)?;
    if like {
        sql.push(" ESCAPE '\\'");
    }
    sql.push(")");
    Ok(())
}

fn operand(sql: &mut Sql, operand: &Operand, blank: bool, pattern: bool) -> Result<(), String> {
    match operand {
        Operand::Name(name) => {
            let column = column(name)?;
            if blank {
                sql.push(&format!("COALESCE({column}, '')"))
            } else {
                sql.push(&column)
            }
        }
        Operand::Text(text) if pattern => sql.bind(Stored::Text(like_pattern(text))),
        Operand::Text(text) => sql.bind(Stored::Text(text.clone())),
        Operand::Number(number) if pattern => {
            sql.bind(Stored::Text(like_pattern(&number.to_string())))
        }
        Operand::Number(number) => sql.bind(Stored::Real(*number)),
        Operand::Bool(flag) => sql.bind(Stored::Integer(i64::from(*flag))),
        Operand::Null => sql.bind(Stored::Text(String::new())),
    };
    Ok(())
}

/// A text that is looked for anywhere, unless it says itself where by `%`.
fn like_pattern(text: &str) -> String {
    if text.contains('%') {
        return text.to_owned();
    }
    let escaped = text.replace('\\', "\\\\").replace('_', "\\_");
    format!("%{escaped}%")
}
