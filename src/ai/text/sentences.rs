//! A text into sentences and words.

use unicode_segmentation::UnicodeSegmentation as _;

/// The most sentences that are looked at: comparing them all with each other costs the square.
pub(crate) const MAX_SENTENCES: usize = 400;
/// Shorter sentences are no summary of anything, in characters.
const MIN_CHARS: usize = 12;
/// Longer ones are not sentences but lists and tables, in characters.
const MAX_CHARS: usize = 600;

/// Abbreviations after which a full stop ends no sentence, in the languages that we have stop words
/// for.
const ABBREVIATIONS: [&str; 34] = [
    "mr", "mrs", "ms", "dr", "prof", "st", "vs", "etc", "e.g", "i.e", "jr", "sr", "no", "vol",
    "fig", "cf", "ca", "bzw", "z.b", "d.h", "usw", "u.a", "nr", "m", "mme", "mlle", "p.ex",
    "c.-à-d", "sig", "dott", "sra", "ud", "dhr", "mevr",
];

/// The sentences of `text` in order; block ends end sentences, and headings (blocks without a final
/// mark that are short) are left out.
pub(crate) fn split(text: &str) -> Vec<String> {
    let mut sentences: Vec<String> = Vec::new();
    for block in text.split("\n\n") {
        let mut pending = String::new();
        let of_this_block = sentences.len();
        for piece in block.split_sentence_bounds() {
            // A quotation mark that follows the full stop after a space, as French sets it.
            if pending.is_empty()
                && !piece.chars().any(char::is_alphanumeric)
                && let Some(last) = sentences.get_mut(of_this_block..).and_then(<[_]>::last_mut)
            {
                if !piece.trim().is_empty() {
                    last.push(' ');
                    last.push_str(piece.trim());
                }
                continue;
            }
            pending.push_str(piece);
            if ends_with_abbreviation(&pending) {
                continue;
            }
            keep(&mut sentences, &pending);
            pending.clear();
        }
        keep(&mut sentences, &pending);
        if sentences.len() >= MAX_SENTENCES {
            sentences.truncate(MAX_SENTENCES);
            break;
        }
    }
    sentences
}

fn keep(sentences: &mut Vec<String>, sentence: &str) {
    let sentence = sentence.trim();
    let chars = sentence.chars().count();
    let is_ended = sentence
        .trim_end_matches(['"', '\'', '”', '’', '»', '“', ')', ']'])
        .ends_with(['.', '!', '?', '…', '。', '！', '？', '।', '؟', ':', ';']);
    let is_long_enough = chars >= MIN_CHARS || (chars >= MIN_CHARS / 3 && !sentence.is_ascii());
    if is_long_enough && chars <= MAX_CHARS && is_ended {
        sentences.push(sentence.to_owned());
    }
}

fn ends_with_abbreviation(text: &str) -> bool {
    let Some(before) = text.trim_end().strip_suffix('.') else {
        return false;
    };
    let word = before
        .rsplit(char::is_whitespace)
        .next()
        .unwrap_or_default()
        .to_lowercase();
    let word = word.trim_start_matches(['(', '[', '"', '«', '“']);
    // One letter before a stop is an initial, and several are initials as well (H.M.S.).
    let is_initial = |part: &str| {
        let mut letters = part.chars();
        letters.next().is_some_and(char::is_alphabetic) && letters.next().is_none()
    };
    ABBREVIATIONS.contains(&word) || word.split('.').all(is_initial)
}

/// The words of a text in lower case.
pub(crate) fn words(text: &str) -> impl Iterator<Item = String> {
    text.unicode_words().map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::{MAX_SENTENCES, split};

    fn check(text: &str, expected: &[&str]) {
        assert_eq!(split(text), expected, "{text}");
    }

    #[test]
    fn texts_are_split_at_sentences_and_blocks() {
        check(
            "The first one ends. The second one too!",
            &["The first one ends.", "The second one too!"],
        );
        check(
            "A heading\n\nThen a whole sentence.",
            &["Then a whole sentence."],
        );
        check(
            "We met Dr. Watson in London.",
            &["We met Dr. Watson in London."],
        );
        check(
            "It was J. S. Mill who wrote it.",
            &["It was J. S. Mill who wrote it."],
        );
        check(
            "On board H.M.S. ‘Beagle,’ as naturalist, I was struck.",
            &["On board H.M.S. ‘Beagle,’ as naturalist, I was struck."],
        );
        check(
            "It was the end of it... Then it began anew.",
            &["It was the end of it...", "Then it began anew."],
        );
        check(
            "Er kam z.B. gestern zu uns.",
            &["Er kam z.B. gestern zu uns."],
        );
        check("Too short. This is long enough.", &["This is long enough."]);
        check(
            "学而时习之，不亦说乎？有朋自远方来，不亦乐乎？",
            &["学而时习之，不亦说乎？", "有朋自远方来，不亦乐乎？"],
        );
        check(
            "« Je pense, donc je suis. »",
            &["« Je pense, donc je suis. »"],
        );
        check("", &[]);
        check(&"word ".repeat(500), &[]);
    }

    #[test]
    fn the_number_of_sentences_is_bounded() {
        assert_eq!(
            split(&"Another sentence stands here. ".repeat(5_000)).len(),
            MAX_SENTENCES
        );
    }
}
