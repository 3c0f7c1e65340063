//! `.env` files: `NAME=value` lines as Docker Compose reads them, with quotes (a quoted value may
//! span lines), comments and `export`. Does not expand `${NAME}`.

/// One assignment.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) value: String,
    /// Counted from 1.
    pub(super) line: usize,
}

/// Reads a `.env` file; a line that cannot be read is returned by its number.
pub(super) fn parse(text: &str) -> (Vec<Variable>, Vec<usize>) {
    let mut reader = Reader {
        rest: text.trim_start_matches('\u{feff}'),
        line: 1,
    };
    let (mut variables, mut broken) = (Vec::new(), Vec::new());
    while !reader.rest.is_empty() {
        let line = reader.line;
        match reader.assignment() {
            Ok(Some((name, value))) => variables.push(Variable { name, value, line }),
            Ok(None) => {}
            Err(Broken) => broken.push(line),
        }
    }
    (variables, broken)
}

struct Broken;

struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Reader<'a> {
    /// Takes the next `length` bytes and counts the lines in them.
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        self.line += taken.matches('\n').count();
        taken
    }

    fn take_line(&mut self) -> &'a str {
        let length = self.rest.find('\n').map_or(self.rest.len(), |end| end + 1);
        self.take(length).trim_end_matches(['\n', '\r'])
    }

    fn assignment(&mut self) -> Result<Option<(String, String)>, Broken> {
        let head = self.rest.split('\n').next().unwrap_or_default();
        if head.trim().is_empty() || head.trim_start().starts_with('#') {
            self.take_line();
            return Ok(None);
        }
        let Some((name, _)) = head.split_once('=') else {
            self.take_line();
            return Err(Broken);
        };
        self.take(name.len() + 1);
        let name = name.trim();
        let name = name.strip_prefix("export ").unwrap_or(name).trim();
        let valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        if name.is_empty() || !name.chars().all(valid) {
            self.take_line();
            return Err(Broken);
        }
        let blanks = self.rest.len() - self.rest.trim_start_matches([' ', '\t']).len();
        self.take(blanks);
        let value = match self.rest.chars().next() {
            Some(quote @ ('"' | '\'')) => self.quoted(quote)?,
            _ => unquoted(self.take_line()),
        };
        Ok(Some((name.to_owned(), value)))
    }

    fn quoted(&mut self, quote: char) -> Result<String, Broken> {
        let mut value = String::new();
        let mut characters = self.rest.char_indices().skip(1);
        while let Some((at, character)) = characters.next() {
            match character {
                _ if character == quote => {
                    self.take(at + 1);
                    let tail = self.take_line().trim();
                    let ends_well = tail.is_empty() || tail.starts_with('#');
                    return if ends_well { Ok(value) } else { Err(Broken) };
                }
                '\\' if quote == '"' => match characters.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, 'r')) => value.push('\r'),
                    Some((_, 't')) => value.push('\t'),
                    Some((_, escaped @ ('"' | '\\' | '$'))) => value.push(escaped),
                    Some((_, other)) => value.extend(['\\', other]),
                    None => break,
                },
                other => value.push(other),
            }
        }
        // The quote never ends: only this line is lost, the rest is still read.
        self.take_line();
        Err(Broken)
    }
}

fn unquoted(text: &str) -> String {
    let comment = text.find(" #").or_else(|| text.find("\t#"));
    let text = if text.starts_with('#') {
        ""
    } else {
        &text[..comment.unwrap_or(text.len())]
    };
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_compose_reads_them() {
        let check = |text: &str, expected: &[(&str, &str, usize)]| {
            let (variables, broken) = parse(text);
            let got: Vec<_> = variables
                .iter()
                .map(|one| (one.name.as_str(), one.value.as_str(), one.line))
                .collect();
            assert_eq!(got, expected, "{text:?}");
            assert_eq!(broken, Vec::<usize>::new(), "{text:?}");
        };
        check(
            "A=1\nB=two words\n",
            &[("A", "1", 1), ("B", "two words", 2)],
        );
        check("# note\n\n  A = 1 # why\r\n", &[("A", "1", 3)]);
        check("A=a#b", &[("A", "a#b", 1)]);
        check("A=\nB=# nothing", &[("A", "", 1), ("B", "", 2)]);
        check("export A='$x \\n'", &[("A", "$x \\n", 1)]);
        check(
            r#"A="tab\tquote\" back\\ \x" # note"#,
            &[("A", "tab\tquote\" back\\ \\x", 1)],
        );
        check(
            "A=\"line 1\nline 2\"\nB=2",
            &[("A", "line 1\nline 2", 1), ("B", "2", 3)],
        );
        check("A=x=y", &[("A", "x=y", 1)]);
    }

    #[test]
    fn broken_lines_are_named_and_the_rest_is_read() {
        let check = |text: &str, lines: &[usize], left: usize| {
            let (variables, broken) = parse(text);
            assert_eq!(
                (broken.as_slice(), variables.len()),
                (lines, left),
                "{text:?}"
            );
        };
        check("no assignment\nA=1", &[1], 1);
        check("A=1\n=2\nB=3", &[2], 2);
        check("A=\"open\nB=2", &[1], 1);
        check("A='x' y\nB=2", &[1], 1);
        check("A B=1", &[1], 0);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_to_its_end(text in "(?s).{0,200}") {
            let (variables, broken) = parse(&text);
            let lines = text.lines().count();
            assert!(variables.len() + broken.len() <= lines, "a line is read once");
            assert!(broken.iter().all(|line| (1..=lines).contains(line)));
        }

        #[test]
        fn a_quoted_value_comes_back(value in "[^\\\\\"$]{0,60}") {
            let (variables, broken) = parse(&format!("A=\"{value}\"\nB=1"));
            assert!(broken.is_empty());
            assert_eq!(variables[0].value, value);
            assert_eq!(variables[1].name, "B");
        }
    }
}
