//! Rules that can never have a turn because another one takes all of their requests before. Only what
//! is certain is found: rules that are matchers joined by `&&`.

use super::{Expression, HostPattern, Matcher, Rule};

impl Rule {
    /// Whether every request that `other` matches is matched by this rule, as far as that can be
    /// told from their texts.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let (Some(mine), Some(theirs)) = (self.0.conjuncts(), other.0.conjuncts()) else {
            return self == other;
        };
        mine.iter()
            .all(|wider| theirs.iter().any(|narrower| implies(narrower, wider)))
    }
}

impl Expression {
    /// The parts that all must hold; `None` for expressions of another form.
    fn conjuncts(&self) -> Option<Vec<&Self>> {
        match self {
            Self::And(left, right) => {
                let mut parts = left.conjuncts()?;
                parts.extend(right.conjuncts()?);
                Some(parts)
            }
            Self::Or(..) => None,
            Self::Match(_) | Self::Not(_) => Some(vec![self]),
        }
    }
}

/// Whether `wider` holds wherever `narrower` does.
fn implies(narrower: &Expression, wider: &Expression) -> bool {
    if narrower == wider {
        return true;
    }
    let (Expression::Match(narrower), Expression::Match(wider)) = (narrower, wider) else {
        return matches!(wider, Expression::Match(Matcher::Host(HostPattern::Any)));
    };
    match (narrower, wider) {
        (_, Matcher::Host(HostPattern::Any)) => true,
        (Matcher::Host(HostPattern::Exact(host)), Matcher::Host(pattern)) => pattern.matches(host),
        (Matcher::Host(HostPattern::Exact(host)), Matcher::HostRegexp(pattern)) => {
            pattern.is_match(host)
        }
        (Matcher::Path(path), Matcher::PathRegexp(pattern)) => pattern.is_match(path),
        (Matcher::Path(path) | Matcher::PathPrefix(path), Matcher::PathPrefix(prefix)) => {
            path.starts_with(prefix.as_str())
        }
        (
            Matcher::Header { name, value },
            Matcher::HeaderRegexp {
                name: other,
                value: pattern,
            },
        ) => name == other && pattern.is_match(value),
        (Matcher::ClientIp(network), Matcher::ClientIp(larger)) => larger.contains(network),
        (Matcher::Path(_) | Matcher::PathPrefix(_), _) => false,
        _ => matches!(wider, Matcher::PathPrefix(prefix) if prefix == "/"),
    }
}
