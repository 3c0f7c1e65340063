//! What a filter or rule says, before anybody has looked up what its names mean.

use std::fmt;

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expression {
    /// All of them.
    All(Vec<Expression>),
    /// At least one of them.
    Any(Vec<Expression>),
    /// Two operands compared.
    Compare(Comparison),
}

/// Two operands compared.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Comparison {
    pub(crate) left: Operand,
    pub(crate) operator: Operator,
    /// Written with `?`: one of several values is enough.
    pub(crate) any: bool,
    pub(crate) right: Operand,
}

/// What is compared.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operand {
    /// A field, a path, `@request.…`, a macro, or `true`, `false` and `null`.
    Name(String),
    /// Text in quotes.
    Text(String),
    /// A number.
    Number(f64),
    /// `geoDistance(…)` or `strftime(…)`.
    Function(String, Vec<Operand>),
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
    /// All of them, for tests that want each.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 8] = [
        Self::Equal,
        Self::NotEqual,
        Self::Greater,
        Self::GreaterOrEqual,
        Self::Less,
        Self::LessOrEqual,
        Self::Like,
        Self::NotLike,
    ];

    /// As it is written.
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

impl fmt::Display for Operand {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => out.write_str(name),
            Self::Text(text) => {
                let escaped = text.replace('\\', "\\\\").replace('\'', "\\'");
                write!(out, "'{escaped}'")
            }
            Self::Number(number) => write!(out, "{number}"),
            Self::Function(name, arguments) => {
                write!(out, "{name}(")?;
                for (position, argument) in arguments.iter().enumerate() {
                    let separator = if position > 0 { ", " } else { "" };
                    write!(out, "{separator}{argument}")?;
                }
                out.write_str(")")
            }
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let any = if self.any { "?" } else { "" };
        let symbol = self.operator.symbol();
        write!(out, "{} {any}{symbol} {}", self.left, self.right)
    }
}
