//! JSON text as Lua values; as lenient about numbers as lua-cjson is.

use mlua::{Lua, LuaString, Table, Value};

use super::Settings;
use crate::script::raise;

/// Nesting that is never exceeded, whatever a script sets.
const DEPTH: i64 = 1000;

enum Token {
    ObjectBegin,
    ObjectEnd,
    ArrayBegin,
    ArrayEnd,
    Text(Vec<u8>),
    Number(f64),
    Boolean(bool),
    Null,
    Colon,
    Comma,
    End,
    Wrong(&'static str),
}

impl Token {
    fn name(&self) -> &'static str {
        match self {
            Self::ObjectBegin => "T_OBJ_BEGIN",
            Self::ObjectEnd => "T_OBJ_END",
            Self::ArrayBegin => "T_ARR_BEGIN",
            Self::ArrayEnd => "T_ARR_END",
            Self::Text(_) => "T_STRING",
            Self::Number(_) => "T_NUMBER",
            Self::Boolean(_) => "T_BOOLEAN",
            Self::Null => "T_NULL",
            Self::Colon => "T_COLON",
            Self::Comma => "T_COMMA",
            Self::End => "T_END",
            Self::Wrong(message) => message,
        }
    }
}

/// Where the next value of an open table goes.
enum Slot {
    Index(i64),
    Key(LuaString),
}

struct Reader<'a> {
    lua: &'a Lua,
    settings: &'a Settings,
    text: &'a [u8],
    at: usize,
    /// Where the last token, or what is wrong with it, begins.
    token_at: usize,
}

pub(super) fn decode(lua: &Lua, settings: &Settings, text: &[u8]) -> mlua::Result<Value> {
    if text.len() >= 2 && (text[0] == 0 || text[1] == 0) {
        return Err(raise::text(
            lua,
            "JSON parser does not support UTF-16 or UTF-32",
        ));
    }
    let mut reader = Reader {
        lua,
        settings,
        text,
        at: 0,
        token_at: 0,
    };
    let value = reader.value()?;
    match reader.token() {
        Token::End => Ok(value),
        other => Err(reader.unexpected("the end", &other)),
    }
}

impl Reader<'_> {
    fn unexpected(&self, expected: &str, found: &Token) -> mlua::Error {
        let (found, at) = (found.name(), self.token_at + 1);
        raise::text(
            self.lua,
            format_args!("Expected {expected} but found {found} at character {at}"),
        )
    }

    /// One value with all that is in it. The open tables are kept in a list: recursion would need
    /// more stack than threads have.
    fn value(&mut self) -> mlua::Result<Value> {
        let mut open: Vec<(Table, Slot)> = Vec::new();
        let mut token = self.token();
        loop {
            let mut value = match token {
                Token::Text(text) => Value::String(self.lua.create_string(text)?),
                Token::Number(number) => Value::Number(number),
                Token::Boolean(value) => Value::Boolean(value),
                Token::Null => Value::NULL,
                Token::ObjectBegin => match self.object(open.len())? {
                    (table, Some(key)) => {
                        open.push((table, Slot::Key(key)));
                        token = self.token();
                        continue;
                    }
                    (table, None) => Value::Table(table),
                },
                Token::ArrayBegin => {
                    let table = self.table(open.len())?;
                    token = self.token();
                    if !matches!(token, Token::ArrayEnd) {
                        open.push((table, Slot::Index(1)));
                        continue;
                    }
                    Value::Table(table)
                }
                other => return Err(self.unexpected("value", &other)),
            };
            // The value ends here, and perhaps the tables around it.
            loop {
                let Some((table, slot)) = open.last_mut() else {
                    return Ok(value);
                };
                let (end, more) = Self::put(self, table, slot, value)?;
                if more {
                    break;
                }
                open.pop();
                value = Value::Table(end);
            }
            token = self.token();
        }
    }

    /// Puts a value into its table, and reads on to where the next one begins or the table ends.
    fn put(&mut self, table: &Table, slot: &mut Slot, value: Value) -> mlua::Result<(Table, bool)> {
        let more = match slot {
            Slot::Index(index) => {
                table.raw_set(*index, value)?;
                *index += 1;
                match self.token() {
                    Token::ArrayEnd => false,
                    Token::Comma => true,
                    other => return Err(self.unexpected("comma or array end", &other)),
                }
            }
            Slot::Key(key) => {
                table.raw_set(&*key, value)?;
                match self.token() {
                    Token::ObjectEnd => false,
                    Token::Comma => {
                        let token = self.token();
                        *key = self.key(token)?;
                        true
                    }
                    other => return Err(self.unexpected("comma or object end", &other)),
                }
            }
        };
        Ok((table.clone(), more))
    }

    fn table(&self, open: usize) -> mlua::Result<Table> {
        let depth = i64::try_from(open).unwrap_or(DEPTH) + 1;
        if depth <= self.settings.decode_depth.min(DEPTH) {
            return self.lua.create_table();
        }
        let at = self.at;
        let message = format!("Found too many nested data structures ({depth}) at character {at}");
        Err(raise::text(self.lua, message))
    }

    /// A new table and its first key, if it has one.
    fn object(&mut self, open: usize) -> mlua::Result<(Table, Option<LuaString>)> {
        let table = self.table(open)?;
        match self.token() {
            Token::ObjectEnd => Ok((table, None)),
            other => Ok((table, Some(self.key(other)?))),
        }
    }

    /// A key and the colon after it.
    fn key(&mut self, token: Token) -> mlua::Result<LuaString> {
        let key = match token {
            Token::Text(key) => self.lua.create_string(key)?,
            other => return Err(self.unexpected("object key string", &other)),
        };
        match self.token() {
            Token::Colon => Ok(key),
            other => Err(self.unexpected("colon", &other)),
        }
    }

    fn token(&mut self) -> Token {
        while matches!(self.text.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        self.token_at = self.at;
        let single = match self.text.get(self.at) {
            // Like a C string, the text ends at a NUL.
            None | Some(0) => return Token::End,
            Some(b'{') => Token::ObjectBegin,
            Some(b'}') => Token::ObjectEnd,
            Some(b'[') => Token::ArrayBegin,
            Some(b']') => Token::ArrayEnd,
            Some(b':') => Token::Colon,
            Some(b',') => Token::Comma,
            Some(b'"') => return self.string(),
            Some(b'-' | b'+' | b'0'..=b'9') => return self.number(),
            Some(_) => return self.word(),
        };
        self.at += 1;
        single
    }

    fn word(&mut self) -> Token {
        let rest = &self.text[self.at..];
        for (word, token) in [
            ("true", Token::Boolean(true)),
            ("false", Token::Boolean(false)),
            ("null", Token::Null),
        ] {
            if rest.starts_with(word.as_bytes()) {
                self.at += word.len();
                return token;
            }
        }
        let starts = |word: &str| {
            rest.get(..word.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
        };
        if self.settings.decode_invalid && (starts("nan") || starts("inf")) {
            return self.number();
        }
        Token::Wrong("invalid token")
    }

    fn number(&mut self) -> Token {
        let rest = &self.text[self.at..];
        let signed = usize::from(matches!(rest[0], b'-' | b'+'));
        let digits = &rest[signed..];
        let odd = match digits {
            [b'0', b'x' | b'X' | b'0'..=b'9', ..] | [b'i' | b'I' | b'n' | b'N', ..] => true,
            _ => rest[0] == b'+',
        };
        if odd && !self.settings.decode_invalid {
            return Token::Wrong("invalid number");
        }
        let Some((number, length)) = longest_number(digits) else {
            return Token::Wrong("invalid number");
        };
        self.at += signed + length;
        Token::Number(if rest[0] == b'-' { -number } else { number })
    }

    fn string(&mut self) -> Token {
        let mut out = Vec::new();
        self.at += 1;
        loop {
            let Some(&byte) = self.text.get(self.at).filter(|byte| **byte != 0) else {
                self.token_at = self.at;
                return Token::Wrong("unexpected end of string");
            };
            match byte {
                b'"' => {
                    self.at += 1;
                    return Token::Text(out);
                }
                b'\\' => {
                    if let Err(message) = self.escape(&mut out) {
                        self.token_at = self.at;
                        return Token::Wrong(message);
                    }
                }
                _ => {
                    out.push(byte);
                    self.at += 1;
                }
            }
        }
    }

    fn escape(&mut self, out: &mut Vec<u8>) -> Result<(), &'static str> {
        let byte = match self.text.get(self.at + 1) {
            Some(byte @ (b'"' | b'\\' | b'/')) => *byte,
            Some(b'b') => 8,
            Some(b't') => b'\t',
            Some(b'n') => b'\n',
            Some(b'f') => 12,
            Some(b'r') => b'\r',
            Some(b'u') => return self.unicode(out).ok_or("invalid unicode escape code"),
            _ => return Err("invalid escape code"),
        };
        out.push(byte);
        self.at += 2;
        Ok(())
    }

    fn unicode(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let mut code = self.unit(self.at)?;
        let mut length = 6;
        if (0xd800..0xdc00).contains(&code) {
            let low = self.unit(self.at + 6)?;
            if !(0xdc00..0xe000).contains(&low) {
                return None;
            }
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            length = 12;
        }
        let character = char::from_u32(code)?;
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        self.at += length;
        Some(())
    }

    fn unit(&self, at: usize) -> Option<u32> {
        let digits = self.text.get(at..at + 6)?.strip_prefix(b"\\u")?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    }
}

/// What `strtod` would read, and how much of the text that is.
fn longest_number(text: &[u8]) -> Option<(f64, usize)> {
    for (word, value) in [
        ("infinity", f64::INFINITY),
        ("inf", f64::INFINITY),
        ("nan", f64::NAN),
    ] {
        if text
            .get(..word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
        {
            return Some((value, word.len()));
        }
    }
    if let [b'0', b'x' | b'X', digits @ ..] = text {
        let length = digits
            .iter()
            .take_while(|byte| byte.is_ascii_hexdigit())
            .count();
        let value = digits[..length].iter().fold(0.0, |value, byte| {
            value * 16.0 + f64::from(char::from(*byte).to_digit(16).unwrap_or(0))
        });
        return Some(if length == 0 {
            (0.0, 1)
        } else {
            (value, length + 2)
        });
    }
    let digits = |from: usize| {
        text[from..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count()
    };
    let mut length = digits(0);
    let mut any = length > 0;
    if text.get(length) == Some(&b'.') {
        let fraction = digits(length + 1);
        any |= fraction > 0;
        length += 1 + fraction;
    }
    if !any {
        return None;
    }
    if matches!(text.get(length), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(length + 1), Some(b'+' | b'-')));
        let exponent = if length + 1 + sign < text.len() {
            digits(length + 1 + sign)
        } else {
            0
        };
        if exponent > 0 {
            length += 1 + sign + exponent;
        }
    }
    let value = std::str::from_utf8(&text[..length]).ok()?.parse().ok()?;
    Some((value, length))
}
