//! `retryExpression`: when a request is sent again, in the language of Traefik's library for it, a
//! part of Go: `IsNetworkError() && Attempts() <= 2`.

use http::{Method, StatusCode};

/// Parentheses within parentheses.
const MAX_DEPTH: usize = 32;

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expression {
    And(Vec<Self>),
    Or(Vec<Self>),
    /// The service did not answer: 502 or 504.
    IsNetworkError,
    Number(Number, Comparison, u32),
    /// The method is this, or it is not.
    RequestMethod(String, bool),
}

/// A number of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    Attempts,
    ResponseCode,
}

/// How a number is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

const COMPARISONS: [(&str, Comparison); 6] = [
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("<=", Comparison::LessOrEqual),
    (">=", Comparison::GreaterOrEqual),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
];

/// How an attempt has ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt<'a> {
    pub(super) method: &'a Method,
    /// From 1.
    pub(super) number: u32,
    pub(super) status: StatusCode,
}

impl Expression {
    /// Reads an expression; the error says what is expected where.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut reading = Reading { text, at: 0 };
        let expression = reading.alternatives(0)?;
        if reading.rest().is_empty() {
            return Ok(expression);
        }
        Err(reading.expected("&& or ||"))
    }

    /// Whether it holds.
    pub(super) fn holds(&self, attempt: Attempt<'_>) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.holds(attempt)),
            Self::Or(parts) => parts.iter().any(|part| part.holds(attempt)),
            Self::IsNetworkError => matches!(
                attempt.status,
                StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT
            ),
            Self::Number(number, comparison, other) => {
                let number = match number {
                    Number::Attempts => attempt.number,
                    Number::ResponseCode => attempt.status.as_u16().into(),
                };
                comparison.holds(number, *other)
            }
            Self::RequestMethod(method, same) => (attempt.method.as_str() == method) == *same,
        }
    }
}

impl Comparison {
    fn holds(self, left: u32, right: u32) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
        }
    }
}

/// A text that is read from left to right.
struct Reading<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reading<'a> {
    /// What is left, without the white space before it.
    fn rest(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let plain = rest.trim_start();
        self.at += rest.len() - plain.len();
        plain
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn expected(&self, what: &str) -> String {
        format!("{what} is expected at character {}", self.at + 1)
    }

    fn alternatives(&mut self, depth: usize) -> Result<Expression, String> {
        let mut parts = vec![self.conjunction(depth)?];
        while self.take("||") {
            parts.push(self.conjunction(depth)?);
        }
        Ok(one_or(parts, Expression::Or))
    }

    fn conjunction(&mut self, depth: usize) -> Result<Expression, String> {
        let mut parts = vec![self.part(depth)?];
        while self.take("&&") {
            parts.push(self.part(depth)?);
        }
        Ok(one_or(parts, Expression::And))
    }

    fn part(&mut self, depth: usize) -> Result<Expression, String> {
        if self.take("(") {
            if depth >= MAX_DEPTH {
                return Err(format!(
                    "there are more than {MAX_DEPTH} parentheses in one another"
                ));
            }
            let inner = self.alternatives(depth + 1)?;
            if self.take(")") {
                return Ok(inner);
            }
            return Err(self.expected(")"));
        }
        if self.take("IsNetworkError()") {
            return Ok(Expression::IsNetworkError);
        }
        if self.take("RequestMethod()") {
            let same = match self.comparison()? {
                Comparison::Equal => true,
                Comparison::NotEqual => false,
                _ => return Err(self.expected("== or != before this, for a method,")),
            };
            return Ok(Expression::RequestMethod(self.string()?, same));
        }
        let number = if self.take("Attempts()") {
            Number::Attempts
        } else if self.take("ResponseCode()") {
            Number::ResponseCode
        } else {
            return Err(self.expected(
                "one of IsNetworkError(), Attempts(), ResponseCode() and RequestMethod()",
            ));
        };
        Ok(Expression::Number(
            number,
            self.comparison()?,
            self.number()?,
        ))
    }

    fn comparison(&mut self) -> Result<Comparison, String> {
        let found = COMPARISONS.iter().find(|(token, _)| self.take(token));
        let found = found.map(|(_, comparison)| *comparison);
        found.ok_or_else(|| self.expected("one of ==, !=, <, <=, > and >="))
    }

    fn number(&mut self) -> Result<u32, String> {
        let rest = self.rest();
        let digits = rest
            .find(|it: char| !it.is_ascii_digit())
            .unwrap_or(rest.len());
        let number = rest[..digits]
            .parse()
            .map_err(|_| self.expected("a number"))?;
        self.at += digits;
        Ok(number)
    }

    fn string(&mut self) -> Result<String, String> {
        let rest = self.rest();
        for quote in ['"', '`'] {
            let inside = rest
                .strip_prefix(quote)
                .and_then(|rest| rest.split_once(quote));
            if let Some((inside, _)) = inside {
                self.at += inside.len() + 2;
                return Ok(inside.to_owned());
            }
        }
        Err(self.expected("a method such as \"GET\""))
    }
}

fn one_or(mut parts: Vec<Expression>, of: fn(Vec<Expression>) -> Expression) -> Expression {
    match parts.len() {
        1 => parts.remove(0),
        _ => of(parts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, number: u32, status: u16, holds: bool) {
        let expression = Expression::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let attempt = Attempt {
            method: &Method::POST,
            number,
            status: StatusCode::from_u16(status).expect("a status"),
        };
        assert_eq!(expression.holds(attempt), holds, "{text} {number} {status}");
    }

    #[test]
    fn expressions_hold_or_do_not() {
        check("IsNetworkError() && Attempts() <= 2", 2, 502, true);
        check("IsNetworkError() && Attempts() <= 2", 3, 502, false);
        check("IsNetworkError()&&Attempts()<=2", 1, 503, false);
        check("ResponseCode() == 503 || IsNetworkError()", 1, 504, true);
        check("ResponseCode() != 503", 1, 503, false);
        check(
            "ResponseCode() >= 500 && ResponseCode() < 600",
            1,
            599,
            true,
        );
        check("RequestMethod() == \"POST\"", 1, 200, true);
        check("RequestMethod() != `POST`", 1, 200, false);
        // && binds more closely than ||.
        let text = "Attempts() > 5 && Attempts() > 6 || ResponseCode() == 500";
        check(text, 1, 500, true);
        check(
            "Attempts() > 5 && (Attempts() > 6 || ResponseCode() == 500)",
            1,
            500,
            false,
        );
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let check = |text: &str, expected: &str| {
            let error = Expression::parse(text).expect_err(text);
            assert!(error.contains(expected), "{text}: {error}");
        };
        check(
            "",
            "ResponseCode() and RequestMethod() is expected at character 1",
        );
        check("Attempts()", ">= is expected at character 11");
        check("Attempts() < x", "a number is expected at character 14");
        check("Attempts() < 99999999999", "a number is expected");
        check("RequestMethod() < \"A\"", "== or !=");
        check("RequestMethod() == \"A", "a method such as");
        check("(IsNetworkError()", ") is expected");
        check(
            "IsNetworkError() Attempts()",
            "&& or || is expected at character 18",
        );
        check("!IsNetworkError()", "is expected at character 1");
        check(&"(".repeat(1_000), "more than 32 parentheses");
    }
}
