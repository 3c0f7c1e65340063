//! Patterns of keys and channels: `*`, `?`, `[a-z]`, `[^a]` and `\`, byte by byte as Redis reads
//! them.

/// Whether `text` matches `pattern`. Takes time in proportion to the product of both lengths at
/// most: of several stars only the last is tried again.
pub(crate) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut place) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        if let Some(b'*') = pattern.get(at) {
            at += 1;
            star = Some((at, place));
            continue;
        }
        let step = match text.get(place) {
            None if at >= pattern.len() => return true,
            None => None,
            Some(byte) => one(&pattern[at.min(pattern.len())..], *byte),
        };
        if let Some(used) = step {
            at += used;
            place += 1;
        } else {
            match &mut star {
                Some((after, tried)) if *tried < text.len() => {
                    *tried += 1;
                    (at, place) = (*after, *tried);
                }
                _ => return false,
            }
        }
    }
}

/// How much of `pattern` stands for `byte`; `None` if it does not match.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern {
        [] => None,
        [b'?', ..] => Some(1),
        [b'[', class @ ..] => {
            let (matched, used) = in_class(class, byte);
            matched.then_some(used + 1)
        }
        [b'\\', escaped, ..] => (*escaped == byte).then_some(2),
        [literal, ..] => (*literal == byte).then_some(1),
    }
}

fn in_class(class: &[u8], byte: u8) -> (bool, usize) {
    let inverted = class.first() == Some(&b'^');
    let mut at = usize::from(inverted);
    let mut matched = false;
    loop {
        match &class[at.min(class.len())..] {
            // A class that is not closed ends with the pattern.
            [] => return (matched != inverted, class.len()),
            [b']', ..] => return (matched != inverted, at + 1),
            [b'\\', escaped, ..] => {
                matched |= *escaped == byte;
                at += 2;
            }
            [from, b'-', to, ..] => {
                let (low, high) = (from.min(to), from.max(to));
                matched |= (*low..=*high).contains(&byte);
                at += 3;
            }
            [literal, ..] => {
                matched |= *literal == byte;
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_as_in_redis() {
        let cases = [
            ("*", "", true),
            ("*", "abc", true),
            ("a*c", "abbc", true),
            ("a*c", "abbd", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("h[ae]llo", "hallo", true),
            ("h[^e]llo", "hello", false),
            ("h[a-c]llo", "hbllo", true),
            ("h[c-a]llo", "hbllo", true),
            ("h\\*llo", "h*llo", true),
            ("h\\*llo", "hello", false),
            ("[a", "a", true),
            ("a**b", "ab", true),
            ("*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", false),
            ("", "", true),
            ("", "a", false),
            ("a", "", false),
            ("user:*:name", "user:1:name", true),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(
                matches(pattern.as_bytes(), text.as_bytes()),
                expected,
                "{pattern} {text}"
            );
        }
    }
}
