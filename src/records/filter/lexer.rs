//! Filter text into words.

use crate::filter::{MAX_LENGTH, Operator};

/// A word of the language.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Word {
    Name(String),
    Text(String),
    Number(f64),
    Operator(Operator),
    And,
    Or,
    Open,
    Close,
}

/// Splits `text` into words.
pub(crate) fn words(text: &str) -> Result<Vec<Word>, String> {
    if text.chars().count() > MAX_LENGTH {
        return Err(format!("it is longer than {MAX_LENGTH} characters"));
    }
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, length) = match first {
            '/' if rest.starts_with("//") => {
                rest = rest
                    .split_once('\n')
                    .map_or("", |(_, after)| after)
                    .trim_start();
                continue;
            }
            '\'' | '"' => quoted(rest, first)?,
            '(' => (Word::Open, 1),
            ')' => (Word::Close, 1),
            '&' if rest.starts_with("&&") => (Word::And, 2),
            '|' if rest.starts_with("||") => (Word::Or, 2),
            '-' | '0'..='9' => number(rest)?,
            _ if first.is_ascii_alphabetic() || "_@#".contains(first) => name(rest),
            _ => operator(rest)?,
        };
        words.push(word);
        rest = rest[length..].trim_start();
    }
    Ok(words)
}

/// A backslash takes the next character as it is when that is the quote or a backslash, and stands
/// for itself otherwise, so that `'50\%'` reaches `~` with its backslash.
fn quoted(rest: &str, quote: char) -> Result<(Word, usize), String> {
    let mut text = String::new();
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((position, character)) = characters.next() {
        match character {
            '\\' => match characters.next_if(|(_, next)| *next == quote || *next == '\\') {
                Some((_, next)) => text.push(next),
                None => text.push('\\'),
            },
            _ if character == quote => return Ok((Word::Text(text), position + 1)),
            '\0' => return Err("a text contains a null character".to_owned()),
            _ => text.push(character),
        }
    }
    Err("a text in quotes does not end".to_owned())
}

fn number(rest: &str) -> Result<(Word, usize), String> {
    let digits = |character: char| character.is_ascii_digit() || character == '.';
    let length = rest[1..]
        .find(|next| !digits(next))
        .map_or(rest.len(), |end| end + 1);
    let number = rest[..length]
        .parse::<f64>()
        .ok()
        .filter(|number| number.is_finite());
    number
        .map(|number| (Word::Number(number), length))
        .ok_or_else(|| format!("{:?} is not a number", &rest[..length]))
}

fn name(rest: &str) -> (Word, usize) {
    let belongs =
        |character: char| character.is_ascii_alphanumeric() || "_.:@#".contains(character);
    let length = rest
        .find(|character| !belongs(character))
        .unwrap_or(rest.len());
    (Word::Name(rest[..length].to_owned()), length)
}

fn operator(rest: &str) -> Result<(Word, usize), String> {
    // `?=` and the like mean "any of them" over several values, which single values do not change.
    let any = usize::from(rest.starts_with('?'));
    let (operator, length) = match &rest.as_bytes()[any..] {
        [b'!', b'=', ..] => (Operator::NotEqual, 2),
        [b'!', b'~', ..] => (Operator::NotLike, 2),
        [b'>', b'=', ..] => (Operator::GreaterOrEqual, 2),
        [b'<', b'=', ..] => (Operator::LessOrEqual, 2),
        [b'=', ..] => (Operator::Equal, 1),
        [b'>', ..] => (Operator::Greater, 1),
        [b'<', ..] => (Operator::Less, 1),
        [b'~', ..] => (Operator::Like, 1),
        _ => {
            let found = rest.chars().next().unwrap_or_default();
            return Err(format!("{found:?} was not expected"));
        }
    };
    Ok((Word::Operator(operator), any + length))
}
