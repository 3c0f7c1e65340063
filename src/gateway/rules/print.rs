//! A rule as text, with the fewest parentheses that parse back to the same expression.

use std::fmt::{self, Display, Formatter, Write as _};

use super::{Expression, HostPattern, Matcher, Rule};

impl Display for Rule {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl Display for Expression {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Match(matcher) => matcher.fmt(out),
            Self::Not(inner) => {
                out.write_char('!')?;
                grouped(out, inner, matches!(**inner, Self::And(..) | Self::Or(..)))
            }
            Self::And(left, right) => {
                grouped(out, left, matches!(**left, Self::Or(..)))?;
                out.write_str(" && ")?;
                grouped(out, right, matches!(**right, Self::And(..) | Self::Or(..)))
            }
            Self::Or(left, right) => {
                left.fmt(out)?;
                out.write_str(" || ")?;
                grouped(out, right, matches!(**right, Self::Or(..)))
            }
        }
    }
}

fn grouped(out: &mut Formatter<'_>, inner: &Expression, parentheses: bool) -> fmt::Result {
    if parentheses {
        write!(out, "({inner})")
    } else {
        inner.fmt(out)
    }
}

impl Display for Matcher {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(HostPattern::Any) => write!(out, "Host({})", Quoted("*")),
            Self::Host(HostPattern::Exact(name)) => write!(out, "Host({})", Quoted(name)),
            Self::Host(HostPattern::OneLabel(suffix)) => {
                write!(out, "Host({})", Quoted(&format!("*{suffix}")))
            }
            Self::HostRegexp(pattern) => {
                write!(out, "HostRegexp({})", Quoted(pattern.as_str()))
            }
            Self::Path(path) => write!(out, "Path({})", Quoted(path)),
            Self::PathPrefix(prefix) => write!(out, "PathPrefix({})", Quoted(prefix)),
            Self::PathRegexp(pattern) => {
                write!(out, "PathRegexp({})", Quoted(pattern.as_str()))
            }
            Self::Method(method) => write!(out, "Method({})", Quoted(method)),
            Self::Header { name, value } => {
                write!(out, "Header({}, {})", Quoted(name.as_str()), Quoted(value))
            }
            Self::HeaderRegexp { name, value } => {
                let (name, value) = (Quoted(name.as_str()), Quoted(value.as_str()));
                write!(out, "HeaderRegexp({name}, {value})")
            }
            Self::Query { name, value } => {
                write!(out, "Query({}, {})", Quoted(name), Quoted(value))
            }
            Self::QueryRegexp { name, value } => {
                let (name, value) = (Quoted(name), Quoted(value.as_str()));
                write!(out, "QueryRegexp({name}, {value})")
            }
            Self::ClientIp(network) => write!(out, "ClientIP({})", Quoted(&network.to_string())),
        }
    }
}

/// A value in backticks, or in double quotes where it holds a backtick.
struct Quoted<'a>(&'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        if !self.0.contains('`') {
            return write!(out, "`{}`", self.0);
        }
        out.write_char('"')?;
        for character in self.0.chars() {
            match character {
                '"' => out.write_str("\\\"")?,
                '\\' => out.write_str("\\\\")?,
                '\n' => out.write_str("\\n")?,
                '\r' => out.write_str("\\r")?,
                '\t' => out.write_str("\\t")?,
                plain => out.write_char(plain)?,
            }
        }
        out.write_char('"')
    }
}
