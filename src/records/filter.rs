//! The filter and rule language: `title ~ 'rust' && (views > 10 || author = @request.auth.id)`.
//!
//! Text becomes words ([`lexer`]), words an [`Expression`] ([`parser`]), and an expression a
//! condition in SQL ([`emit`]) whose every value is a bound parameter and whose every identifier is a
//! field of the collection. What PocketBase's language has beyond that (paths through relations,
//! back-relations, `@collection`, modifiers, functions) is refused by name.

pub(crate) mod emit;
pub(crate) mod lexer;
pub(crate) mod macros;
pub(crate) mod parser;

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use mito_database::Dialect;

use crate::{Collection, RequestInfo, sql::Sql};

/// The longest filter or rule, in characters.
pub(crate) const MAX_LENGTH: usize = 3_500;
/// The most comparisons in one.
pub(crate) const MAX_EXPRESSIONS: usize = 200;
/// The deepest nesting of parentheses.
pub(crate) const MAX_DEPTH: usize = 32;

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expression {
    /// All of them.
    All(Vec<Expression>),
    /// At least one of them.
    Any(Vec<Expression>),
    /// Two operands compared.
    Compare(Operand, Operator, Operand),
}

/// What is compared.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operand {
    /// A field, `@request.…` or a macro.
    Name(String),
    /// Text in quotes.
    Text(String),
    /// A number.
    Number(f64),
    /// `true` or `false`.
    Bool(bool),
    /// `null`.
    Null,
}

/// How it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Like,
    NotLike,
}

impl Operator {
    /// The operator that says the same with its operands exchanged. `~` has none.
    pub(crate) fn flipped(self) -> Self {
        match self {
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            same => same,
        }
    }

    /// Whether the operator is true of things that cannot be compared.
    pub(crate) fn is_negative(self) -> bool {
        matches!(self, Self::NotEqual | Self::NotLike)
    }

    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Like => "~",
            Self::NotLike => "!~",
        }
    }
}

/// What names mean.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope<'a> {
    /// Whose fields are meant.
    pub(crate) collection: &'a Collection,
    /// `@request.*`.
    pub(crate) info: &'a RequestInfo,
    /// `@now` and its kin.
    pub(crate) now: Timestamp,
    /// How the condition is written.
    pub(crate) dialect: Dialect,
    /// Rules, workers and administrators may compare hidden fields and everybody's address;
    /// other people's filters may not.
    pub(crate) trusted: bool,
}

/// Appends the condition of a filter or rule. The error is a reason in words.
pub(crate) fn compile(sql: &mut Sql, text: &str, scope: Scope<'_>) -> Result<(), String> {
    let expression = parser::parse(text)?;
    emit::expression(sql, &expression, scope)
}

/// Whether a record could fulfil the rule, whatever its fields are. The language has no negation, so
/// a condition that fails with every field taken as fitting fails with all of them.
pub(crate) fn could_hold(rule: &str, scope: Scope<'_>) -> Result<bool, String> {
    emit::could_hold(&parser::parse(rule)?, scope)
}

/// Whether a rule can be compiled for the collection.
pub(crate) fn check_rule(collection: &Collection, rule: &str) -> Result<(), String> {
    if rule.trim().is_empty() {
        return Ok(());
    }
    let info = RequestInfo::default();
    let scope = Scope {
        collection,
        info: &info,
        now: Timestamp::UNIX_EPOCH,
        dialect: Dialect::Sqlite,
        trusted: true,
    };
    compile(&mut Sql::default(), rule, scope)
}
