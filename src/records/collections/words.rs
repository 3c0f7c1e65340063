//! The words of a piece of SQL that somebody wrote: an index, a view. The text itself never reaches
//! the database; its words are checked and written anew.

use mito_database::Dialect;

use crate::names::quote;

/// The longest statement, in bytes.
const MAX_BYTES: usize = 64 * 1024;

/// A word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// A keyword, a name or a function.
    Plain(String),
    /// A name in quotes of any kind.
    Quoted(String),
    /// Text in single quotes.
    Text(String),
    /// A number.
    Number(String),
    /// An operator or a sign.
    Sign(&'static str),
}

/// Operators and signs, longer ones first. Those that only one engine knows fail there.
const SIGNS: &[&str] = &[
    "->>", "||", "->", "<>", "<=", ">=", "!=", "==", "<<", ">>", "(", ")", ",", ".", ";", "=", "<",
    ">", "+", "-", "*", "/", "%", "&", "|", "~",
];

impl Word {
    /// Whether it is this keyword.
    pub(crate) fn is(&self, keyword: &str) -> bool {
        matches!(self, Self::Plain(word) if word.eq_ignore_ascii_case(keyword))
    }

    /// Whether it is one of these keywords.
    pub(crate) fn is_any(&self, keywords: &[&str]) -> bool {
        keywords.iter().any(|keyword| self.is(keyword))
    }

    /// Whether it is this sign.
    pub(crate) fn is_sign(&self, sign: &str) -> bool {
        matches!(self, Self::Sign(own) if *own == sign)
    }

    /// The name that it may be.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Plain(name) | Self::Quoted(name) => Some(name),
            Self::Text(_) | Self::Number(_) | Self::Sign(_) => None,
        }
    }

    fn write(&self, sql: &mut String) {
        match self {
            Self::Plain(word) | Self::Number(word) => sql.push_str(word),
            Self::Quoted(name) => sql.push_str(&quote(name)),
            Self::Text(text) => {
                sql.push('\'');
                sql.push_str(&text.replace('\'', "''"));
                sql.push('\'');
            }
            Self::Sign(sign) => sql.push_str(sign),
        }
    }
}

/// The words as one line of SQL.
pub(crate) fn write(words: &[Word]) -> String {
    let mut sql = String::new();
    for (position, word) in words.iter().enumerate() {
        let before = position.checked_sub(1).and_then(|before| words.get(before));
        let tight = word.is_sign(".")
            || word.is_sign(",")
            || word.is_sign(")")
            || before.is_some_and(|before| before.is_sign(".") || before.is_sign("("))
            // `count (*)` and `count(*)` are the same, but only names take arguments.
            || (word.is_sign("(") && before.is_some_and(|before| before.name().is_some()));
        if position > 0 && !tight {
            sql.push(' ');
        }
        word.write(&mut sql);
    }
    sql
}

/// The words of `text`; the error says what cannot be read.
pub(crate) fn split(text: &str) -> Result<Vec<Word>, String> {
    if text.len() > MAX_BYTES {
        return Err(format!("it is longer than {MAX_BYTES} bytes"));
    }
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, length) = match first {
            '\'' | '"' | '`' | '[' => quoted(rest, first)?,
            _ if rest.starts_with("--") => {
                rest = rest.split_once('\n').map_or("", |(_, after)| after);
                rest = rest.trim_start();
                continue;
            }
            _ if rest.starts_with("/*") => {
                let (_, after) = rest.split_once("*/").ok_or("a comment does not end")?;
                rest = after.trim_start();
                continue;
            }
            _ if first.is_ascii_digit() => number(rest),
            _ if first.is_alphabetic() || first == '_' => {
                let length = rest
                    .find(|character: char| !character.is_alphanumeric() && character != '_')
                    .unwrap_or(rest.len());
                (Word::Plain(rest[..length].to_owned()), length)
            }
            '?' | ':' | '@' | '$' | '#' => return Err("parameters are not allowed".to_owned()),
            _ => {
                let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
                let sign = sign.ok_or_else(|| format!("{first:?} was not expected"))?;
                (Word::Sign(sign), sign.len())
            }
        };
        // `U&"…"`, `E'…'` and `x'…'` would mean something else than what stands between the quotes.
        let after = rest[length..].chars().next();
        if matches!(word, Word::Plain(_)) && matches!(after, Some('\'' | '"' | '`' | '[' | '&')) {
            return Err(format!("{:?} was not expected", &rest[..length]));
        }
        words.push(word);
        rest = rest[length..].trim_start();
    }
    balanced(&words)?;
    Ok(words)
}

fn quoted(rest: &str, open: char) -> Result<(Word, usize), String> {
    let close = if open == '[' { ']' } else { open };
    let mut inner = String::new();
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character == '\0' {
            return Err("a zero character was not expected".to_owned());
        }
        if character != close {
            inner.push(character);
            continue;
        }
        // A doubled quote is one quote; brackets know none.
        if close != ']' && characters.peek().is_some_and(|(_, next)| *next == close) {
            characters.next();
            inner.push(close);
            continue;
        }
        let word = match open {
            '\'' => Word::Text(inner),
            _ => Word::Quoted(inner),
        };
        return Ok((word, at + close.len_utf8()));
    }
    Err("a quoted text does not end".to_owned())
}

fn number(rest: &str) -> (Word, usize) {
    let bytes = rest.as_bytes();
    let mut length = 0;
    while let Some(byte) = bytes.get(length) {
        let signed = matches!(byte, b'+' | b'-') && matches!(bytes[length - 1], b'e' | b'E');
        if !(byte.is_ascii_alphanumeric() || *byte == b'.' || signed) {
            break;
        }
        length += 1;
    }
    (Word::Number(rest[..length].to_owned()), length)
}

fn balanced(words: &[Word]) -> Result<(), String> {
    let mut depth = 0_usize;
    for word in words {
        if word.is_sign("(") {
            depth += 1;
        } else if word.is_sign(")") {
            depth = depth.checked_sub(1).ok_or("a parenthesis is missing")?;
        }
    }
    if depth == 0 {
        Ok(())
    } else {
        Err("a parenthesis is not closed".to_owned())
    }
}

/// Splits words at commas that are in no parentheses.
pub(crate) fn list(words: &[Word]) -> Vec<&[Word]> {
    let mut depth = 0_i32;
    words
        .split(|word| {
            if word.is_sign("(") {
                depth += 1;
            } else if word.is_sign(")") {
                depth -= 1;
            }
            depth == 0 && word.is_sign(",")
        })
        .collect()
}

/// The position of the `)` of the `(` at `open`.
pub(crate) fn closing(words: &[Word], open: usize) -> Option<usize> {
    let mut depth = 0_i32;
    for (position, word) in words.iter().enumerate().skip(open) {
        if word.is_sign("(") {
            depth += 1;
        } else if word.is_sign(")") {
            depth -= 1;
        }
        if depth == 0 {
            return Some(position);
        }
    }
    None
}

/// Functions that only compute: none reads a file, a setting or a table by its name.
const FUNCTIONS: &[&str] = &[
    "abs",
    "array_agg",
    "avg",
    "btrim",
    "ceil",
    "ceiling",
    "char",
    "char_length",
    "chr",
    "coalesce",
    "concat",
    "concat_ws",
    "count",
    "cume_dist",
    "date",
    "date_part",
    "date_trunc",
    "datetime",
    "degrees",
    "dense_rank",
    "exp",
    "extract",
    "first_value",
    "floor",
    "format",
    "glob",
    "greatest",
    "group_concat",
    "hex",
    "if",
    "ifnull",
    "iif",
    "instr",
    "json",
    "json_agg",
    "json_array",
    "json_array_length",
    "json_build_array",
    "json_build_object",
    "json_each",
    "json_extract",
    "json_group_array",
    "json_group_object",
    "json_insert",
    "json_object",
    "json_patch",
    "json_quote",
    "json_remove",
    "json_replace",
    "json_set",
    "json_tree",
    "json_type",
    "json_valid",
    "jsonb_agg",
    "jsonb_array_elements",
    "jsonb_array_elements_text",
    "jsonb_array_length",
    "jsonb_build_array",
    "jsonb_build_object",
    "jsonb_each",
    "jsonb_each_text",
    "jsonb_typeof",
    "julianday",
    "lag",
    "last_value",
    "lead",
    "least",
    "left",
    "length",
    "like",
    "likelihood",
    "likely",
    "ln",
    "log",
    "log10",
    "log2",
    "lower",
    "lpad",
    "ltrim",
    "max",
    "md5",
    "min",
    "mod",
    "now",
    "nth_value",
    "ntile",
    "nullif",
    "octet_length",
    "percent_rank",
    "pi",
    "position",
    "pow",
    "power",
    "printf",
    "quote",
    "radians",
    "random",
    "rank",
    "regexp_replace",
    "repeat",
    "replace",
    "reverse",
    "right",
    "round",
    "row_number",
    "rpad",
    "rtrim",
    "sign",
    "split_part",
    "sqrt",
    "starts_with",
    "strftime",
    "string_agg",
    "strpos",
    "substr",
    "substring",
    "sum",
    "time",
    "timediff",
    "to_char",
    "to_date",
    "to_json",
    "to_jsonb",
    "to_number",
    "to_timestamp",
    "total",
    "translate",
    "trim",
    "trunc",
    "typeof",
    "unicode",
    "unixepoch",
    "unlikely",
    "upper",
];

/// Words that may stand before a parenthesis without being functions.
const BEFORE_PARENTHESES: &[&str] = &[
    "all",
    "and",
    "any",
    "as",
    "between",
    "by",
    "case",
    "cast",
    "char",
    "character",
    "cross",
    "decimal",
    "distinct",
    "else",
    "except",
    "exists",
    "filter",
    "from",
    "full",
    "group",
    "having",
    "in",
    "inner",
    "intersect",
    "is",
    "join",
    "lateral",
    "left",
    "like",
    "limit",
    "materialized",
    "natural",
    "not",
    "numeric",
    "offset",
    "on",
    "or",
    "outer",
    "over",
    "partition",
    "recursive",
    "right",
    "select",
    "some",
    "then",
    "union",
    "using",
    "values",
    "varchar",
    "when",
    "where",
    "window",
    "with",
    "within",
];

/// Beginnings of names that belong to the platform and the engines.
const PRIVATE: &[&str] = &[
    "_mito_",
    "sqlite_",
    "pg_",
    "pragma_",
    "information_schema",
    "dbstat",
];

/// Refuses what is neither a column, a collection's table nor a harmless function.
pub(crate) fn harmless(words: &[Word], dialect: Dialect) -> Result<(), String> {
    for (position, word) in words.iter().enumerate() {
        let Some(name) = word.name() else { continue };
        let folded = name.to_lowercase();
        if PRIVATE.iter().any(|prefix| folded.starts_with(prefix)) {
            return Err(no_such_table(name));
        }
        if dialect == Dialect::Postgres && name.contains('\\') {
            return Err(format!("{name:?} is not a name"));
        }
        let called = words
            .get(position + 1)
            .is_some_and(|next| next.is_sign("("));
        if !called {
            continue;
        }
        let known = FUNCTIONS.contains(&folded.as_str());
        let keyword =
            matches!(word, Word::Plain(_)) && BEFORE_PARENTHESES.contains(&folded.as_str());
        // `with totals (a, b) as (…)`, `insert`-like lists and `join (…) t (a, b)` name columns.
        let named = names_columns(words, position);
        if !(known || keyword || named) {
            return Err(format!("no such function: {name}"));
        }
    }
    Ok(())
}

/// What the engine says of a table that is not there.
pub(crate) fn no_such_table(name: &str) -> String {
    format!("no such table: {name}")
}

/// Whether the parenthesis after the word at `position` holds the columns of a table that the query
/// defines: `name (…) as (`.
fn names_columns(words: &[Word], position: usize) -> bool {
    let defines = closing(words, position + 1).is_some_and(|end| {
        words.get(end + 1).is_some_and(|next| next.is("as"))
            && words
                .get(end + 2)
                .is_some_and(|next| next.is_sign("(") || next.is_any(&["materialized", "not"]))
    });
    let before = position.checked_sub(1).and_then(|before| words.get(before));
    defines
        && before.is_some_and(|before| before.is_any(&["with", "recursive"]) || before.is_sign(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&str, &str>) {
        let written = split(text).and_then(|words| {
            harmless(&words, Dialect::Sqlite)?;
            Ok(write(&words))
        });
        assert_eq!(
            written.as_deref().map_err(String::as_str),
            expected,
            "{text}"
        );
    }

    #[test]
    fn words_are_written_anew() {
        check(
            "select  a.`b`, [c d], \"e\"\"f\" from t -- the end",
            Ok("select a.\"b\", \"c d\", \"e\"\"f\" from t"),
        );
        check(
            "select count (*), 'it''s; fine', 1.5e-3 /* no */ from t where a<>b",
            Ok("select count(*), 'it''s; fine', 1.5e-3 from t where a <> b"),
        );
        check(
            "with x (a) as (select 1) select cast(a as text) from x",
            Ok("with x(a) as(select 1) select cast(a as text) from x"),
        );
    }

    #[test]
    fn what_belongs_to_others_is_refused() {
        check(
            "select id from _mito_records_sessions",
            Err("no such table: _mito_records_sessions"),
        );
        check(
            "select id from \"_MITO_records_sessions\"",
            Err("no such table: _MITO_records_sessions"),
        );
        check(
            "select 1 from sqlite_master",
            Err("no such table: sqlite_master"),
        );
        check(
            "select * from pragma_table_info('t')",
            Err("no such table: pragma_table_info"),
        );
        check(
            "select load_extension('x')",
            Err("no such function: load_extension"),
        );
        check(
            "select query_to_xml('select 1', true, true, '')",
            Err("no such function: query_to_xml"),
        );
        check(
            "select \"readfile\"('x')",
            Err("no such function: readfile"),
        );
        check("select U&\"a\"", Err("\"U\" was not expected"));
        check("select E'\\x'", Err("\"E\" was not expected"));
        check("select ?1", Err("parameters are not allowed"));
        check("select 'a", Err("a quoted text does not end"));
        check("select (1", Err("a parenthesis is not closed"));
        check("select 1)", Err("a parenthesis is missing"));
        check("select 1 /*", Err("a comment does not end"));
    }
}
