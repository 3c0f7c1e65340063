//! How values compare, exactly as SQLite compares them: the engine that rules are written for. Code
//! that decides without the database, and the SQL of the other engine, both follow this.

use std::cmp::Ordering;

use mito_database::Value;

use crate::filter::ast::Operator;

/// The largest integer that a float holds exactly, 2⁵³.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// What a side of a comparison turns the other side into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Affinity {
    /// A column of text.
    Text,
    /// A column of numbers.
    Number,
    /// Anything else.
    None,
}

/// One side of a comparison.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Side<'a> {
    pub(crate) value: &'a Value,
    pub(crate) affinity: Affinity,
    /// Compared as it is, empty or not: JSON.
    pub(crate) exact: bool,
    /// Null is never taken for an empty text.
    pub(crate) plain: bool,
    /// Known before any row is seen.
    pub(crate) constant: bool,
}

impl Side<'_> {
    /// Known to be null or an empty text.
    fn is_empty_constant(&self) -> bool {
        self.constant && is_empty(self.value)
    }

    fn is_full_constant(&self) -> bool {
        self.plain || self.constant && !is_empty(self.value)
    }
}

/// Null or an empty text.
pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Text(text) => text.is_empty(),
        _ => false,
    }
}

/// Whether the comparison holds; `None` where SQL says null.
pub(crate) fn holds(left: Side<'_>, operator: Operator, right: Side<'_>) -> Option<bool> {
    match operator {
        Operator::Equal => equal(left, right),
        Operator::NotEqual => Some(not_equal(left, right)),
        Operator::Like => like(left, right),
        Operator::NotLike => like(left, right).map(|found| !found),
        _ => {
            let order = order(left, right)?;
            Some(match operator {
                Operator::Greater => order.is_gt(),
                Operator::GreaterOrEqual => order.is_ge(),
                Operator::Less => order.is_lt(),
                _ => order.is_le(),
            })
        }
    }
}

fn equal(left: Side<'_>, right: Side<'_>) -> Option<bool> {
    if left.exact || right.exact {
        return Some(is_same(left, right));
    }
    if left.is_empty_constant() && right.is_empty_constant() {
        return Some(true);
    }
    if left.is_full_constant() || right.is_full_constant() {
        return order(left, right).map(Ordering::is_eq);
    }
    if left.is_empty_constant() || right.is_empty_constant() {
        let other = if left.is_empty_constant() {
            right
        } else {
            left
        };
        return Some(is_empty(other.value));
    }
    Some(coalesced(left, right))
}

fn not_equal(left: Side<'_>, right: Side<'_>) -> bool {
    if left.exact || right.exact || left.is_full_constant() || right.is_full_constant() {
        return !is_same(left, right);
    }
    equal(left, right) != Some(true)
}

/// Both null, or both the same.
fn is_same(left: Side<'_>, right: Side<'_>) -> bool {
    match (left.value, right.value) {
        (Value::Null, Value::Null) => true,
        (Value::Null, _) | (_, Value::Null) => false,
        _ => order(left, right).is_some_and(Ordering::is_eq),
    }
}

/// Null counts as an empty text, and neither side turns the other into anything.
fn coalesced(left: Side<'_>, right: Side<'_>) -> bool {
    match (left.value, right.value) {
        (Value::Null, other) | (other, Value::Null) => is_empty(other),
        (left, right) => by_kind(left, right).is_eq(),
    }
}

fn order(left: Side<'_>, right: Side<'_>) -> Option<Ordering> {
    if *left.value == Value::Null || *right.value == Value::Null {
        return None;
    }
    let first = affected(left.value, left.affinity, right.affinity);
    let second = affected(right.value, right.affinity, left.affinity);
    Some(by_kind(&first, &second))
}

/// The value after the other side's affinity has been applied to it.
pub(crate) fn affected(value: &Value, own: Affinity, other: Affinity) -> Value {
    match (own, other) {
        (Affinity::Text | Affinity::None, Affinity::Number) => match value {
            Value::Text(text) => number(text).map_or_else(|| value.clone(), Value::Real),
            _ => value.clone(),
        },
        (Affinity::None, Affinity::Text) => match value {
            Value::Integer(_) | Value::Real(_) => Value::Text(written(value)),
            _ => value.clone(),
        },
        _ => value.clone(),
    }
}

/// Numbers come before texts, whatever they are.
fn by_kind(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => left.as_bytes().cmp(right.as_bytes()),
        (Value::Text(_), _) => Ordering::Greater,
        (_, Value::Text(_)) => Ordering::Less,
        (left, right) => {
            let (left, right) = (real(left), real(right));
            left.partial_cmp(&right).unwrap_or(Ordering::Equal)
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "integers of the language are lengths and small numbers of JSON"
)]
fn real(value: &Value) -> f64 {
    match value {
        Value::Integer(integer) => *integer as f64,
        Value::Real(real) => *real,
        _ => 0.0,
    }
}

/// The number that a value is or can be read as.
pub(crate) fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(_) | Value::Real(_) => Some(real(value)),
        Value::Text(text) => number(text),
        Value::Null | Value::Blob(_) => None,
    }
}

/// A text that is a number and nothing else.
pub(crate) fn number(text: &str) -> Option<f64> {
    let text = text.trim_matches([' ', '\t', '\n', '\r', '\u{b}', '\u{c}']);
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let plain = digits.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        && digits.contains(|some: char| some.is_ascii_digit())
        && digits
            .chars()
            .all(|each| each.is_ascii_digit() || ".eE+-".contains(each));
    if plain { text.parse().ok() } else { None }
}

/// A value as SQLite writes it as text.
pub(crate) fn written(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Integer(integer) => integer.to_string(),
        Value::Real(real) => written_real(*real),
        Value::Null | Value::Blob(_) => String::new(),
    }
}

/// Fifteen significant digits, and always a point.
fn written_real(real: f64) -> String {
    if !real.is_finite() {
        return if real > 0.0 { "Inf" } else { "-Inf" }.to_owned();
    }
    let scientific = format!("{real:.14e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..15).contains(&exponent) {
        let decimals = usize::try_from(14 - exponent).unwrap_or_default();
        let text = format!("{real:.decimals$}");
        return with_point(&text);
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", with_point(mantissa), exponent.abs())
}

fn with_point(digits: &str) -> String {
    let cut = if digits.contains('.') {
        digits.trim_end_matches('0')
    } else {
        digits
    };
    if cut.ends_with('.') {
        format!("{cut}0")
    } else if cut.contains('.') {
        cut.to_owned()
    } else {
        format!("{cut}.0")
    }
}

/// A number of a column as PocketBase's columns hold it: whole ones without a point.
#[expect(
    clippy::cast_possible_truncation,
    reason = "checked to be whole and small"
)]
pub(crate) fn whole(real: f64) -> Value {
    if real.fract() == 0.0 && real.abs() < MAX_EXACT {
        return Value::Integer(real as i64);
    }
    Value::Real(real)
}

/// The text of a constant that `~` looks for or in: whole numbers have no point.
pub(crate) fn searchable(value: &Value) -> String {
    match value {
        Value::Real(real) => written(&whole(*real)),
        other => written(other),
    }
}

fn like(left: Side<'_>, right: Side<'_>) -> Option<bool> {
    if *left.value == Value::Null || *right.value == Value::Null {
        return None;
    }
    let text = if left.constant {
        searchable(left.value)
    } else {
        written(left.value)
    };
    let pattern = if right.constant {
        pattern(&searchable(right.value))
    } else {
        format!("%{}%", written(right.value))
    };
    Some(matches(&pattern, &text))
}

/// `%text%` with the wildcards of `text` escaped; a text with a `%` of its own is the pattern.
pub(crate) fn pattern(text: &str) -> String {
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

/// A character of a pattern.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Exactly(char),
    One,
    Many,
}

/// Whether `text` fits the pattern of a `LIKE … ESCAPE '\'`, which ignores the case of ASCII letters.
/// Takes time in proportion to the product of the lengths at most.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = Vec::with_capacity(pattern.len());
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        parts.push(match character {
            '%' => Part::Many,
            '_' => Part::One,
            '\\' => match characters.next() {
                Some(next) => Part::Exactly(next.to_ascii_lowercase()),
                None => return false,
            },
            other => Part::Exactly(other.to_ascii_lowercase()),
        });
    }
    let text: Vec<char> = text.chars().map(|each| each.to_ascii_lowercase()).collect();
    let (mut part, mut position) = (0, 0);
    // Where to go on when what follows the last `%` does not fit here.
    let mut retry: Option<(usize, usize)> = None;
    while position < text.len() {
        match parts.get(part) {
            Some(Part::Many) => {
                retry = Some((part + 1, position));
                part += 1;
            }
            Some(Part::One) => {
                part += 1;
                position += 1;
            }
            Some(Part::Exactly(wanted)) if *wanted == text[position] => {
                part += 1;
                position += 1;
            }
            _ => match &mut retry {
                Some((after, start)) => {
                    *start += 1;
                    (part, position) = (*after, *start);
                }
                None => return false,
            },
        }
    }
    parts[part..].iter().all(|rest| *rest == Part::Many)
}

#[cfg(test)]
mod tests;
