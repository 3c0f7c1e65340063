//! Variables of Compose files: `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`,
//! `${NAME:?error}`, `${NAME:+instead}`, and `$$` for a dollar.

/// How deep defaults may hold variables.
const MAX_DEPTH: usize = 10;

/// The text with its variables replaced; the error names one that must be set.
pub(super) fn substitute(
    text: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<String, String> {
    within(text, variable, 0)
}

fn within(
    text: &str,
    variable: &dyn Fn(&str) -> Option<String>,
    depth: usize,
) -> Result<String, String> {
    if depth > MAX_DEPTH {
        return Err(format!("variables nest deeper than {MAX_DEPTH}: {text:?}"));
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some(after) = rest.strip_prefix('{') {
            let end = closing(after).ok_or_else(|| format!("{text:?}: a brace is never closed"))?;
            out.push_str(&braced(&after[..end], variable, depth)?);
            rest = &after[end + 1..];
        } else {
            let end = name_end(rest);
            match end {
                0 => out.push('$'),
                _ => out.push_str(&variable(&rest[..end]).unwrap_or_default()),
            }
            rest = &rest[end..];
        }
    }
    out.push_str(rest);
    Ok(out)
}

fn name_end(text: &str) -> usize {
    let belongs = |character: char| character.is_ascii_alphanumeric() || character == '_';
    text.find(|character| !belongs(character))
        .unwrap_or(text.len())
}

fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => return Some(at),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn braced(
    inner: &str,
    variable: &dyn Fn(&str) -> Option<String>,
    depth: usize,
) -> Result<String, String> {
    let end = name_end(inner);
    let (name, rest) = inner.split_at(end);
    if name.is_empty() {
        return Err(format!("${{{inner}}}: the variable has no name"));
    }
    let value = variable(name);
    // With a colon an empty variable counts as one that is not set.
    let (operator, given) = match rest.strip_prefix(':') {
        Some(rest) => (rest, value.clone().filter(|value| !value.is_empty())),
        None => (rest, value.clone()),
    };
    if rest.is_empty() {
        return Ok(value.unwrap_or_default());
    }
    let mut characters = operator.chars();
    let kind = characters.next();
    let word = characters.as_str();
    match (kind, given) {
        (Some('-' | '?'), Some(value)) => Ok(value),
        (Some('-'), None) | (Some('+'), Some(_)) => within(word, variable, depth + 1),
        (Some('+'), None) => Ok(String::new()),
        (Some('?'), None) => Err(format!("the variable {name} must be set: {word}")),
        _ => Err(format!("${{{inner}}} cannot be read")),
    }
}

#[cfg(test)]
mod tests {
    use super::substitute;

    #[test]
    fn variables_are_replaced_as_compose_does() {
        let known = |name: &str| match name {
            "DOMAIN" => Some("example.com".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        let check = |text: &str, expected: &str| {
            assert_eq!(substitute(text, &known).as_deref(), Ok(expected), "{text}");
        };
        check("Host(`a.${DOMAIN:-localhost}`)", "Host(`a.example.com`)");
        check("Host(`a.${NOWHERE:-localhost}`)", "Host(`a.localhost`)");
        check("$DOMAIN/$NOWHERE.", "example.com/.");
        check("${EMPTY:-x}${EMPTY-x}", "x");
        check("${DOMAIN:+set}${NOWHERE+set}", "set");
        check("${NOWHERE:-${DOMAIN}:${OTHER:-1}}", "example.com:1");
        check("$$apr1$$x $ 5", "$apr1$x $ 5");
        for wrong in ["${DOMAIN", "${}", "${DOMAIN!x}"] {
            assert!(substitute(wrong, &known).is_err(), "{wrong}");
        }
        let missing = substitute("${SECRET:?is needed}", &known).unwrap_err();
        assert!(
            missing.contains("SECRET must be set: is needed"),
            "{missing}"
        );
    }
}
