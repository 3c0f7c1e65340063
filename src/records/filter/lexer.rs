//! Filter text into words.

use crate::filter::{MAX_LENGTH, ast::Operator};

/// A word of the language.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Word {
    Name(String),
    /// A name with a parenthesis right behind it, which the word includes.
    Function(String),
    Text(String),
    Number(f64),
    /// With whether it was written with `?`.
    Operator(Operator, bool),
    And,
    Or,
    Open,
    Close,
    Comma,
}

/// Splits `text` into words.
pub(crate) fn words(text: &str) -> Result<Vec<Word>, String> {
    if text.chars().count() > MAX_LENGTH {
        return Err(format!("max filter length of {MAX_LENGTH} is exceeded"));
    }
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, length) = match first {
            '/' if rest.starts_with("//") => {
                let after = rest.split_once('\n').map_or("", |(_, after)| after);
                rest = after.trim_start();
                continue;
            }
            '\'' | '"' => quoted(rest, first)?,
            '(' => (Word::Open, 1),
            ')' => (Word::Close, 1),
            ',' => (Word::Comma, 1),
            '&' if rest.starts_with("&&") => (Word::And, 2),
            '|' if rest.starts_with("||") => (Word::Or, 2),
            '-' | '0'..='9' => number(rest)?,
            _ if first.is_ascii_alphabetic() || "_@#".contains(first) => name(rest)?,
            _ => operator(rest)?,
        };
        words.push(word);
        rest = rest[length..].trim_start();
    }
    Ok(words)
}

/// `\t`, `\n`, `\r`, `\\` and escaped quotes stand for one character; any other backslash stands for
/// itself, so that `'50\%'` reaches `~` with its backslash.
fn quoted(rest: &str, quote: char) -> Result<(Word, usize), String> {
    let mut text = String::new();
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((position, character)) = characters.next() {
        if character == quote {
            return Ok((Word::Text(text), position + 1));
        }
        if character == '\0' {
            return Err("a text contains a null character".to_owned());
        }
        let meant = match characters.peek() {
            Some((_, next)) if character == '\\' => escaped(*next),
            _ => None,
        };
        if meant.is_some() {
            characters.next();
        }
        text.push(meant.unwrap_or(character));
    }
    Err(format!("invalid quoted text {rest:.20}"))
}

fn escaped(next: char) -> Option<char> {
    match next {
        't' => Some('\t'),
        'n' => Some('\n'),
        'r' => Some('\r'),
        '\\' | '\'' | '"' => Some(next),
        _ => None,
    }
}

/// Digits with at most one point between them, and perhaps a minus before them.
fn number(rest: &str) -> Result<(Word, usize), String> {
    let belongs = |character: char| character.is_ascii_digit() || character == '.';
    let length = rest[1..]
        .find(|next| !belongs(next))
        .map_or(rest.len(), |end| end + 1);
    let text = &rest[..length];
    let is_whole = |part: &str| part.starts_with(|first: char| first.is_ascii_digit());
    let digits = text.strip_prefix('-').unwrap_or(text);
    let number = match digits.split_once('.') {
        Some((whole, fraction)) if is_whole(whole) && is_whole(fraction) => text.parse::<f64>(),
        None if is_whole(digits) => text.parse::<f64>(),
        _ => return Err(format!("invalid number {text:?}")),
    };
    number
        .ok()
        .filter(|number| number.is_finite())
        .map(|number| (Word::Number(number), length))
        .ok_or_else(|| format!("invalid number {text:?}"))
}

fn name(rest: &str) -> Result<(Word, usize), String> {
    let belongs =
        |character: char| character.is_ascii_alphanumeric() || "_.:@#".contains(character);
    let length = rest
        .find(|character| !belongs(character))
        .unwrap_or(rest.len());
    let name = &rest[..length];
    if name.ends_with(['.', ':', '@', '#']) {
        return Err(format!("invalid identifier {name:?}"));
    }
    if rest[length..].starts_with('(') {
        return Ok((Word::Function(name.to_owned()), length + 1));
    }
    Ok((Word::Name(name.to_owned()), length))
}

fn operator(rest: &str) -> Result<(Word, usize), String> {
    let any = rest.starts_with('?');
    let offset = usize::from(any);
    let (operator, length) = match &rest.as_bytes()[offset..] {
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
            return Err(format!("unexpected character {found:?}"));
        }
    };
    Ok((Word::Operator(operator, any), offset + length))
}
