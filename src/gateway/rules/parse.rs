//! From tokens to an expression, by recursive descent: `||` binds weaker than `&&`, `&&` weaker
//! than `!`; operators of one kind group to the left.

use std::net::IpAddr;

use http::HeaderName;
use ipnet::IpNet;

use super::{
    Expression, HostPattern, MAX_RULE_BYTES, MAX_RULE_DEPTH, MAX_RULE_MATCHERS, Matcher, RuleError,
    pattern::Pattern,
    token::{Token, TokenKind, error, tokens},
};

/// The matchers that rules may use, with how many values each takes.
const MATCHERS: [(&str, &[usize]); 11] = [
    ("Host", &[1]),
    ("HostRegexp", &[1]),
    ("Path", &[1]),
    ("PathPrefix", &[1]),
    ("PathRegexp", &[1]),
    ("Method", &[1]),
    ("Header", &[2]),
    ("HeaderRegexp", &[2]),
    ("Query", &[1, 2]),
    ("QueryRegexp", &[1, 2]),
    ("ClientIP", &[1]),
];

/// Parses a whole rule.
pub(super) fn parse(text: &str) -> Result<Expression, RuleError> {
    if text.len() > MAX_RULE_BYTES {
        let message = format!("the rule is longer than {MAX_RULE_BYTES} bytes");
        return Err(error(MAX_RULE_BYTES, message));
    }
    let tokens = tokens(text)?;
    if tokens.is_empty() {
        return Err(error(
            0,
            "the rule is empty; write for example Host(`shop.localhost`)",
        ));
    }
    let mut parser = Parser {
        tokens,
        next: 0,
        end: text.len(),
        depth: 0,
        matchers: 0,
    };
    let expression = parser.any_of()?;
    match parser.peek() {
        None => Ok(expression),
        Some(token) => {
            let message = format!(
                "expected `&&`, `||` or the end, found {}",
                token.kind.shown()
            );
            Err(error(token.at, message))
        }
    }
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
    end: usize,
    depth: usize,
    matchers: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    fn take_if(&mut self, kind: &TokenKind) -> bool {
        let found = self.peek().is_some_and(|token| token.kind == *kind);
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, kind: &TokenKind, place: &str) -> Result<(), RuleError> {
        if self.take_if(kind) {
            return Ok(());
        }
        Err(self.unexpected(&format!("expected {} {place}", kind.shown())))
    }

    fn unexpected(&self, expected: &str) -> RuleError {
        match self.peek() {
            Some(token) => error(
                token.at,
                format!("{expected}, found {}", token.kind.shown()),
            ),
            None => error(self.end, format!("{expected}, but the rule ends")),
        }
    }

    fn any_of(&mut self) -> Result<Expression, RuleError> {
        let mut left = self.all_of()?;
        while self.take_if(&TokenKind::Or) {
            left = Expression::Or(Box::new(left), Box::new(self.all_of()?));
        }
        Ok(left)
    }

    fn all_of(&mut self) -> Result<Expression, RuleError> {
        let mut left = self.term()?;
        while self.take_if(&TokenKind::And) {
            left = Expression::And(Box::new(left), Box::new(self.term()?));
        }
        Ok(left)
    }

    fn term(&mut self) -> Result<Expression, RuleError> {
        self.depth += 1;
        if self.depth > MAX_RULE_DEPTH {
            let at = self.peek().map_or(self.end, |token| token.at);
            return Err(error(
                at,
                format!("the rule nests deeper than {MAX_RULE_DEPTH}"),
            ));
        }
        let term = if self.take_if(&TokenKind::Not) {
            Expression::Not(Box::new(self.term()?))
        } else if self.take_if(&TokenKind::Open) {
            let inner = self.any_of()?;
            self.expect(&TokenKind::Close, "after the group")?;
            inner
        } else {
            Expression::Match(self.matcher()?)
        };
        self.depth -= 1;
        Ok(term)
    }

    fn matcher(&mut self) -> Result<Matcher, RuleError> {
        let Some(Token {
            at,
            kind: TokenKind::Name(name),
        }) = self.peek().cloned()
        else {
            return Err(self.unexpected("expected a matcher such as Host(`…`)"));
        };
        self.matchers += 1;
        if self.matchers > MAX_RULE_MATCHERS {
            return Err(error(
                at,
                format!("the rule has more than {MAX_RULE_MATCHERS} matchers"),
            ));
        }
        self.next += 1;
        let Some((name, arity)) = MATCHERS.into_iter().find(|(known, _)| *known == name) else {
            return Err(error(at, unknown_matcher(&name)));
        };
        let values = self.values(name)?;
        if !arity.contains(&values.len()) {
            let count = values.len();
            let hint = if arity.contains(&2) {
                ""
            } else {
                "; combine matchers with ||"
            };
            let message = format!(
                "unexpected number of parameters for {name}; got {count}, expected one of \
                 {arity:?}{hint}"
            );
            return Err(error(at, message));
        }
        build(name, values)
    }

    /// The values in parentheses, each with the byte at which it starts.
    fn values(&mut self, name: &str) -> Result<Vec<(usize, String)>, RuleError> {
        self.expect(&TokenKind::Open, &format!("after {name}"))?;
        let mut values = Vec::new();
        if self.take_if(&TokenKind::Close) {
            return Ok(values);
        }
        loop {
            let Some(Token {
                at,
                kind: TokenKind::Text(value),
            }) = self.peek().cloned()
            else {
                return Err(self.unexpected("expected a value in backticks or double quotes"));
            };
            self.next += 1;
            values.push((at, value));
            if !self.take_if(&TokenKind::Comma) {
                break;
            }
        }
        self.expect(&TokenKind::Close, &format!("after the value of {name}"))?;
        Ok(values)
    }
}

/// Turns a name and its values, whose number is right, into a matcher.
fn build(name: &str, values: Vec<(usize, String)>) -> Result<Matcher, RuleError> {
    let mut values = values.into_iter();
    let (at, value) = values.next().unwrap_or_default();
    let second = values.next();
    match name {
        "Host" => host(at, &value).map(Matcher::Host),
        "HostRegexp" => pattern(at, &value).map(Matcher::HostRegexp),
        "Path" => path(at, value).map(Matcher::Path),
        "PathPrefix" => path(at, value).map(Matcher::PathPrefix),
        "PathRegexp" => pattern(at, &value).map(Matcher::PathRegexp),
        "Method" => method(at, &value).map(Matcher::Method),
        "ClientIP" => network(at, &value).map(Matcher::ClientIp),
        // Without a value the parameter must be there and empty, as in Traefik.
        "Query" => Ok(Matcher::Query {
            name: value,
            value: second.map(|(_, value)| value).unwrap_or_default(),
        }),
        "QueryRegexp" => {
            let (at, text) = second.unwrap_or((at, "^$".to_owned()));
            let pattern = pattern(at, &text)?;
            Ok(Matcher::QueryRegexp {
                name: value,
                value: pattern,
            })
        }
        _ => {
            let header = HeaderName::try_from(&value)
                .map_err(|_| error(at, format!("{value:?} is not a header name")))?;
            let (at, value) = second.unwrap_or_default();
            if name == "Header" {
                return Ok(Matcher::Header {
                    name: header,
                    value,
                });
            }
            let value = pattern(at, &value)?;
            Ok(Matcher::HeaderRegexp {
                name: header,
                value,
            })
        }
    }
}

fn pattern(at: usize, value: &str) -> Result<Pattern, RuleError> {
    Pattern::compile(value)
        .map_err(|reason| error(at, format!("{value:?} is no regular expression: {reason}")))
}

fn network(at: usize, value: &str) -> Result<IpNet, RuleError> {
    let address = value.parse::<IpAddr>().map(IpNet::from);
    address.or_else(|_| value.parse::<IpNet>()).map_err(|_| {
        let message = format!("{value:?} is neither an address nor a network such as 192.0.2.0/24");
        error(at, message)
    })
}

fn host(at: usize, value: &str) -> Result<HostPattern, RuleError> {
    let name = value.to_ascii_lowercase();
    let name = name.strip_suffix('.').unwrap_or(&name);
    if name == "*" {
        return Ok(HostPattern::Any);
    }
    if !name.is_ascii() {
        let message = format!("{value:?} is not ASCII; write the name in punycode (xn--…)");
        return Err(error(at, message));
    }
    let (plain, wildcard) = match name.strip_prefix("*.") {
        Some(rest) => (rest, true),
        None => (name, false),
    };
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:[]".contains(&byte);
    if plain.is_empty() || !plain.bytes().all(allowed) {
        return Err(error(at, format!("{value:?} is not a host name")));
    }
    Ok(if wildcard {
        HostPattern::OneLabel(format!(".{plain}"))
    } else {
        HostPattern::Exact(plain.to_owned())
    })
}

fn path(at: usize, value: String) -> Result<String, RuleError> {
    if value.starts_with('/') {
        return Ok(value);
    }
    Err(error(
        at,
        format!("the path {value:?} does not start with /"),
    ))
}

fn method(at: usize, value: &str) -> Result<String, RuleError> {
    http::Method::from_bytes(value.to_ascii_uppercase().as_bytes())
        .map(|method| method.as_str().to_owned())
        .map_err(|_| error(at, format!("{value:?} is not a method")))
}

fn unknown_matcher(name: &str) -> String {
    let nearest = MATCHERS
        .iter()
        .map(|(known, _)| *known)
        .max_by(|left, right| {
            let nearness =
                |known: &str| strsim::jaro_winkler(&known.to_lowercase(), &name.to_lowercase());
            nearness(left).total_cmp(&nearness(right))
        })
        .unwrap_or("Host");
    format!("there is no matcher {name}; did you mean {nearest}?")
}
