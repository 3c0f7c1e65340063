//! The tokens of a rule.

use super::RuleError;

/// A token and the byte at which it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) at: usize,
    pub(super) kind: TokenKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    And,
    Or,
    Not,
    Open,
    Close,
    Comma,
    Name(String),
    Text(String),
}

impl TokenKind {
    /// How an error message shows the token.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::And => "`&&`".to_owned(),
            Self::Or => "`||`".to_owned(),
            Self::Not => "`!`".to_owned(),
            Self::Open => "`(`".to_owned(),
            Self::Close => "`)`".to_owned(),
            Self::Comma => "`,`".to_owned(),
            Self::Name(name) => format!("the name {name}"),
            Self::Text(_) => "a quoted value".to_owned(),
        }
    }
}

/// An error at byte `at`.
pub(super) fn error(at: usize, message: impl Into<String>) -> RuleError {
    RuleError {
        column: at + 1,
        message: message.into(),
    }
}

/// Splits a rule into tokens.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, RuleError> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let (kind, length) = match byte {
            b' ' | b'\t' | b'\n' | b'\r' => {
                at += 1;
                continue;
            }
            b'(' => (TokenKind::Open, 1),
            b')' => (TokenKind::Close, 1),
            b',' => (TokenKind::Comma, 1),
            b'!' => (TokenKind::Not, 1),
            b'&' => (doubled(bytes, at, TokenKind::And)?, 2),
            b'|' => (doubled(bytes, at, TokenKind::Or)?, 2),
            b'`' => raw_text(text, at)?,
            b'"' => quoted_text(text, at)?,
            b'\'' => {
                return Err(error(
                    at,
                    "a value stands in backticks or double quotes, not in ''",
                ));
            }
            byte if byte.is_ascii_alphabetic() => {
                let length = bytes[at..]
                    .iter()
                    .take_while(|byte| byte.is_ascii_alphanumeric())
                    .count();
                (TokenKind::Name(text[at..at + length].to_owned()), length)
            }
            _ => {
                let shown = text[at..].chars().next().unwrap_or('?');
                return Err(error(at, format!("{shown:?} does not belong here")));
            }
        };
        found.push(Token { at, kind });
        at += length;
    }
    Ok(found)
}

/// `&&` and `||`, whose halves mean nothing.
fn doubled(bytes: &[u8], at: usize, kind: TokenKind) -> Result<TokenKind, RuleError> {
    if bytes.get(at + 1) == Some(&bytes[at]) {
        return Ok(kind);
    }
    let half = char::from(bytes[at]);
    Err(error(at, format!("write {half}{half}, not {half}")))
}

/// A raw string: everything up to the next backtick, as in Go.
fn raw_text(text: &str, at: usize) -> Result<(TokenKind, usize), RuleError> {
    let Some(length) = text[at + 1..].find('`') else {
        return Err(error(at, "the backtick is never closed"));
    };
    Ok((
        TokenKind::Text(text[at + 1..at + 1 + length].to_owned()),
        length + 2,
    ))
}

/// An interpreted string with the escapes of Go that a rule can need.
fn quoted_text(text: &str, at: usize) -> Result<(TokenKind, usize), RuleError> {
    let mut value = String::new();
    let mut characters = text[at + 1..].char_indices();
    while let Some((offset, character)) = characters.next() {
        match character {
            '"' => return Ok((TokenKind::Text(value), offset + 2)),
            '\n' => return Err(error(at + 1 + offset, "a quoted value may not span lines")),
            '\\' => match characters.next() {
                Some((_, plain @ ('"' | '\\'))) => value.push(plain),
                Some((_, 'n')) => value.push('\n'),
                Some((_, 'r')) => value.push('\r'),
                Some((_, 't')) => value.push('\t'),
                _ => {
                    let place = at + 1 + offset;
                    return Err(error(
                        place,
                        r#"only \" \\ \n \r \t may follow a backslash"#,
                    ));
                }
            },
            plain => value.push(plain),
        }
    }
    Err(error(at, "the double quote is never closed"))
}
