//! Passwords that are tried first by whoever guesses: common words in the usual disguises, runs of
//! keys, and repetitions (OWASP ASVS 5.0, 6.2.4). Words and disguises say in a small file what a
//! list of passwords would say in a large one.
//!
//! Only administrators' passwords are held to it. For accounts of the API what counts is that
//! clients written for PocketBase go on working, and PocketBase refuses no word.

use std::{collections::HashSet, sync::LazyLock};

/// Words that are too common.
static WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    let words = include_str!("../../../data/passwords/common.txt").lines();
    words.filter(|word| !word.starts_with('#')).collect()
});

/// Keys that lie or count in a row.
const ROWS: [&str; 8] = [
    "01234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "qwertzuiop",
    "azertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
];
/// The most characters that repeat.
const MAX_UNIT: usize = 4;
/// The most common words in a row that do not yet make a good password.
const MAX_WORDS: usize = 2;
/// The longest password that is looked at, in characters; longer ones are not guessed this way.
const MAX_LENGTH: usize = 40;

/// Whether the password would be among the first that somebody tries.
pub(crate) fn is_common(password: &str) -> bool {
    let folded: Vec<char> = password.to_lowercase().chars().collect();
    if folded.is_empty() || folded.len() > MAX_LENGTH {
        return false;
    }
    repeats(&folded) || is_run(&folded) || disguises(&folded).iter().any(|text| is_words(text))
}

fn repeats(text: &[char]) -> bool {
    (1..=MAX_UNIT.min(text.len() / 2)).any(|unit| {
        let (first, rest) = text.split_at(unit);
        rest.iter().zip(first.iter().cycle()).all(|(a, b)| a == b)
    })
}

/// Forwards, backwards, or several short runs of three or more one after the other (`abc123456`).
fn is_run(text: &[char]) -> bool {
    let mut rest: String = text.iter().collect();
    while !rest.is_empty() {
        let longest = ROWS.iter().map(|row| {
            let reversed: String = row.chars().rev().collect();
            common_run(&rest, row).max(common_run(&rest, &reversed))
        });
        match longest.max() {
            Some(length) if length >= 3 => rest.drain(..length),
            _ => return false,
        };
    }
    true
}

/// How long a beginning of `text` stands somewhere in `row`, which is ASCII.
fn common_run(text: &str, row: &str) -> usize {
    let ascii = text.bytes().take_while(u8::is_ascii).count();
    let fits = |length: &usize| row.contains(&text[..*length]);
    (1..=ascii).take_while(fits).last().unwrap_or(0)
}

/// The text without what people put around a word, as it is and with the usual replacements of
/// letters undone (`1` stands for `i` or `l`).
fn disguises(text: &[char]) -> [Vec<char>; 4] {
    let undone = |one: char| {
        let letter = |character: &char| match character {
            '0' => 'o',
            '1' | '!' | '|' => one,
            '3' | '€' => 'e',
            '4' | '@' => 'a',
            '5' | '$' => 's',
            '7' | '+' => 't',
            '8' => 'b',
            '9' => 'g',
            other => *other,
        };
        text.iter().map(letter).collect::<Vec<char>>()
    };
    let plain = |text: &[char]| -> Vec<char> {
        let letters = text.iter().filter(|character| character.is_alphabetic());
        letters.copied().collect()
    };
    // Digits at the ends are no letters in disguise: `password1`.
    let inner = trimmed(text);
    let offset = text.len() - text.iter().skip_while(|c| !c.is_alphabetic()).count();
    let inside = |one: char| plain(&undone(one)[offset..offset + inner.len()]);
    [plain(text), inside('i'), inside('l'), plain(&undone('i'))]
}

fn trimmed(text: &[char]) -> &[char] {
    let begin = text.iter().position(|character| character.is_alphabetic());
    let end = text.iter().rposition(|character| character.is_alphabetic());
    match (begin, end) {
        (Some(begin), Some(end)) => &text[begin..=end],
        _ => &[],
    }
}

/// Whether the letters are one or a few common words and nothing else.
fn is_words(letters: &[char]) -> bool {
    fn made_of(text: &str, words: usize) -> bool {
        let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
        let mut ends = ends.skip(1);
        words > 0
            && ends.any(|end| {
                WORDS.contains(&text[..end])
                    && (end == text.len() || made_of(&text[end..], words - 1))
            })
    }
    let text: String = letters.iter().collect();
    made_of(&text, MAX_WORDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_tried_first_is_common() {
        for password in [
            "password",
            "Password1",
            "P@ssw0rd!",
            "passw0rd2024",
            "12345678",
            "987654321",
            "1234567890",
            "123123123",
            "11111111",
            "abcd1234",
            "abcabcabc",
            "qwertyui",
            "qwertz123",
            "1qaz2wsx",
            "iloveyou",
            "1l0v3y0u",
            "Welcome123!",
            "letmein!!",
            "admin123",
            "adminadmin",
            "Summer2024",
            "mito-admin",
            "!!dragon!!",
            "football99",
            "michelle1",
            "changeme",
            "trustno1",
        ] {
            assert!(is_common(password), "{password}");
        }
    }

    #[test]
    fn what_has_something_of_its_own_is_not() {
        for password in [
            "correct horse battery",
            "correct horse battery staple",
            "a-secret-for-tests",
            "tr0ub4dor&3",
            "xkQ9-vvT2-mmA7",
            "grüne Häuser am Fluss",
            "пароль от дома на горе",
            "",
            "🦀🐢🦑🐙🦀🐳🦈🐠",
            "abcd efgh ijkl 9182 wörter",
        ] {
            assert!(!is_common(password), "{password}");
        }
    }

    #[test]
    fn the_words_are_sorted_and_in_lower_case() {
        let file = include_str!("../../../data/passwords/common.txt");
        let words: Vec<&str> = file.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(words.is_sorted());
        let plain = |word: &&str| word.chars().all(char::is_alphabetic);
        assert!(words.iter().all(|word| *word == word.to_lowercase()));
        assert!(words.len() > 900 && words.iter().all(plain));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_looked_at(text in "(?s).{0,60}") {
            let _ = is_common(&text);
        }
    }
}
