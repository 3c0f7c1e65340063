//! Words into an expression. `&&` binds tighter than `||`.

use crate::filter::{
    MAX_ARGUMENTS, MAX_DEPTH, MAX_EXPRESSIONS,
    ast::{Comparison, Expression, Operand},
    lexer::{self, Word},
};

/// Parses a filter or rule.
pub(crate) fn parse(text: &str) -> Result<Expression, String> {
    let words = lexer::words(text)?;
    let mut parser = Parser {
        words: words.into_iter().peekable(),
        comparisons: 0,
    };
    let expression = parser.any(0)?;
    match parser.words.next() {
        None => Ok(expression),
        Some(word) => Err(format!("{} was not expected", describe(Some(&word)))),
    }
}

struct Parser {
    words: std::iter::Peekable<std::vec::IntoIter<Word>>,
    comparisons: usize,
}

impl Parser {
    fn any(&mut self, depth: usize) -> Result<Expression, String> {
        let mut parts = vec![self.all(depth)?];
        while self.words.next_if_eq(&Word::Or).is_some() {
            parts.push(self.all(depth)?);
        }
        Ok(single_or(parts, Expression::Any))
    }

    fn all(&mut self, depth: usize) -> Result<Expression, String> {
        let mut parts = vec![self.part(depth)?];
        while self.words.next_if_eq(&Word::And).is_some() {
            parts.push(self.part(depth)?);
        }
        Ok(single_or(parts, Expression::All))
    }

    fn part(&mut self, depth: usize) -> Result<Expression, String> {
        if self.words.next_if_eq(&Word::Open).is_some() {
            if depth >= MAX_DEPTH {
                return Err(format!("it is nested deeper than {MAX_DEPTH} parentheses"));
            }
            let inner = self.any(depth + 1)?;
            let Some(Word::Close) = self.words.next() else {
                return Err("a parenthesis is not closed".to_owned());
            };
            return Ok(inner);
        }
        self.comparisons += 1;
        if self.comparisons > MAX_EXPRESSIONS {
            return Err(format!(
                "max expressions limit of {MAX_EXPRESSIONS} reached"
            ));
        }
        let left = self.operand()?;
        let (operator, any) = match self.words.next() {
            Some(Word::Operator(operator, any)) => (operator, any),
            other => {
                let found = describe(other.as_ref());
                return Err(format!("expected an operator, found {found}"));
            }
        };
        let right = self.operand()?;
        Ok(Expression::Compare(Comparison {
            left,
            operator,
            any,
            right,
        }))
    }

    fn operand(&mut self) -> Result<Operand, String> {
        match self.words.next() {
            Some(Word::Function(name)) => {
                let arguments = self.arguments()?;
                Ok(Operand::Function(name, arguments))
            }
            other => plain(other),
        }
    }

    /// What is left of a call, the closing parenthesis included. Calls cannot be nested.
    fn arguments(&mut self) -> Result<Vec<Operand>, String> {
        let mut arguments = Vec::new();
        while self.words.next_if_eq(&Word::Close).is_none() {
            if arguments.len() == MAX_ARGUMENTS {
                return Err(format!(
                    "a function takes at most {MAX_ARGUMENTS} arguments"
                ));
            }
            arguments.push(plain(self.words.next())?);
            if self.words.next_if_eq(&Word::Comma).is_none()
                && self.words.peek() != Some(&Word::Close)
            {
                return Err("a parenthesis is not closed".to_owned());
            }
        }
        Ok(arguments)
    }
}

fn plain(word: Option<Word>) -> Result<Operand, String> {
    match word {
        Some(Word::Text(text)) => Ok(Operand::Text(text)),
        Some(Word::Number(number)) => Ok(Operand::Number(number)),
        Some(Word::Name(name)) => Ok(Operand::Name(name)),
        other => {
            let found = describe(other.as_ref());
            Err(format!("expected a field or a value, found {found}"))
        }
    }
}

fn single_or(mut parts: Vec<Expression>, many: fn(Vec<Expression>) -> Expression) -> Expression {
    match parts.len() {
        1 => parts.remove(0),
        _ => many(parts),
    }
}

fn describe(word: Option<&Word>) -> String {
    match word {
        None => "the end".to_owned(),
        Some(Word::Name(name)) => format!("{name:?}"),
        Some(Word::Function(name)) => format!("a call of {name:?}"),
        Some(Word::Text(text)) => format!("the text {text:?}"),
        Some(Word::Number(number)) => format!("the number {number}"),
        Some(Word::Operator(operator, _)) => format!("{:?}", operator.symbol()),
        Some(Word::And) => "\"&&\"".to_owned(),
        Some(Word::Or) => "\"||\"".to_owned(),
        Some(Word::Open) => "\"(\"".to_owned(),
        Some(Word::Close) => "\")\"".to_owned(),
        Some(Word::Comma) => "\",\"".to_owned(),
    }
}
