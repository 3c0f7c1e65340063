//! Texts made up for a pattern: `autogeneratePattern` of text fields, `field:autogenerate` in bodies.

use mito_core::Random;
use regex_syntax::hir::{Class, Hir, HirKind};

/// The longest text that is made, in characters.
const MAX_LENGTH: usize = 5_000;
/// How often a part with an open end (`*`, `+`) is repeated at most.
const MAX_OPEN_REPEATS: u32 = 6;
/// How deep patterns are looked into.
const MAX_DEPTH: u32 = 50;

/// A text that matches the pattern; `None` when the pattern cannot be read or nothing matches it.
pub(crate) fn generate(random: &Random, pattern: &str) -> Option<String> {
    // The patterns of ids and token keys are most of what is asked for.
    if let Some(length) = of_default_id(pattern) {
        return Some(random.id(length));
    }
    let parsed = regex_syntax::ParserBuilder::new()
        .nest_limit(MAX_DEPTH)
        .build()
        .parse(pattern)
        .ok()?;
    let mut text = String::new();
    write(random, &parsed, &mut text)?;
    Some(text)
}

fn of_default_id(pattern: &str) -> Option<usize> {
    let length = pattern
        .strip_prefix("[a-z0-9]{")?
        .strip_suffix('}')?
        .parse::<usize>()
        .ok()?;
    (length <= MAX_LENGTH).then_some(length)
}

fn write(random: &Random, part: &Hir, text: &mut String) -> Option<()> {
    if text.len() > MAX_LENGTH {
        return None;
    }
    match part.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.push_str(std::str::from_utf8(&literal.0).ok()?),
        HirKind::Class(class) => text.push(member(random, class)?),
        HirKind::Repetition(repetition) => {
            let most = repetition
                .max
                .unwrap_or_else(|| repetition.min.saturating_add(MAX_OPEN_REPEATS));
            let times = repetition.min + below(random, most.checked_sub(repetition.min)? + 1);
            for _ in 0..times {
                write(random, &repetition.sub, text)?;
            }
        }
        HirKind::Capture(capture) => write(random, &capture.sub, text)?,
        HirKind::Concat(parts) => {
            for part in parts {
                write(random, part, text)?;
            }
        }
        HirKind::Alternation(parts) => {
            let chosen = below(random, u32::try_from(parts.len()).ok()?);
            write(random, parts.get(usize::try_from(chosen).ok()?)?, text)?;
        }
    }
    Some(())
}

/// Any character of a class; of large ones (`.`, `[^a]`) one that can be read.
fn member(random: &Random, class: &Class) -> Option<char> {
    let ranges: Vec<(u32, u32)> = match class {
        Class::Unicode(class) => class
            .iter()
            .map(|range| (u32::from(range.start()), u32::from(range.end())))
            .collect(),
        Class::Bytes(class) => class
            .iter()
            .map(|range| (u32::from(range.start()), u32::from(range.end())))
            .collect(),
    };
    let readable: Vec<(u32, u32)> = ranges
        .iter()
        .map(|(start, end)| ((*start).max(0x21), (*end).min(0x7e)))
        .filter(|(start, end)| start <= end)
        .collect();
    let ranges = if readable.is_empty() {
        ranges
    } else {
        readable
    };
    let size = |range: &(u32, u32)| range.1 - range.0 + 1;
    let total: u32 = ranges.iter().map(size).sum();
    let mut chosen = below(random, total);
    for range in &ranges {
        if chosen < size(range) {
            return char::from_u32(range.0 + chosen);
        }
        chosen -= size(range);
    }
    None
}

/// A number below `bound`, without bias that matters: 64 bits for at most 21.
fn below(random: &Random, bound: u32) -> u32 {
    let drawn = u64::from_le_bytes(random.bytes::<8>());
    u32::try_from(drawn % u64::from(bound.max(1))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;

    #[test]
    fn what_is_made_matches() {
        let random = Random::seeded(1);
        for pattern in [
            "[a-z0-9]{15}",
            "[a-zA-Z0-9]{50}",
            "user[0-9]{3,6}",
            "(ab|cd)+-[^a-z]{4}",
            "^[A-C]$",
            "",
            ".{3}",
            "\\d\\w\\s?",
            "é{2}",
        ] {
            let expression = Regex::new(&format!("^(?:{pattern})$")).unwrap();
            for _ in 0..20 {
                let made = generate(&random, pattern).unwrap();
                assert!(expression.is_match(&made), "{pattern}: {made:?}");
            }
        }
    }

    #[test]
    fn what_cannot_be_made_is_nothing() {
        let random = Random::seeded(1);
        for pattern in [
            "[",
            "a{100000}",
            "(a{1000}){1000}",
            "[a&&b]",
            &"(".repeat(9_999),
        ] {
            assert_eq!(generate(&random, pattern), None, "{pattern}");
        }
    }
}
