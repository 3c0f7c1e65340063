//! Key phrases after the idea of RAKE: runs of words between stop words and punctuation, scored by
//! how much company their words keep and how often the phrase is used.
//!
//! It needs words that are parted by spaces and a list of stop words; for other languages it says
//! nothing rather than nonsense.

use std::collections::HashMap;

use unicode_segmentation::UnicodeSegmentation as _;

use super::stopwords;

/// How much of a text is looked at, in bytes.
const MAX_BYTES: usize = 256 * 1_024;
/// Longer runs are clauses rather than phrases.
const MAX_WORDS: usize = 3;
/// The shortest word of a phrase, in characters.
const MIN_WORD_CHARS: usize = 3;

#[derive(Default)]
struct Phrase {
    uses: usize,
    /// Stands alone somewhere, between stop words.
    is_run: bool,
    words: Vec<String>,
    /// How it is written, with counts: the most used spelling is shown.
    spellings: HashMap<String, usize>,
    first: usize,
}

/// The key phrases of `text`, at most `limit`, the most telling first.
pub(crate) fn extract(text: &str, language: &str, limit: usize) -> Vec<String> {
    let stopwords = stopwords::of(language);
    if stopwords.is_empty() || limit == 0 {
        return Vec::new();
    }
    let text = &text[..text.floor_char_boundary(MAX_BYTES)];
    let mut phrases: HashMap<String, Phrase> = HashMap::new();
    let mut run: Vec<&str> = Vec::new();
    let mut position = 0;
    for piece in text.split_word_bounds() {
        let is_word = piece.chars().any(char::is_alphabetic);
        let is_space = !is_word && piece.chars().all(char::is_whitespace) && !piece.contains('\n');
        if is_space {
            continue;
        }
        let ends_run = !is_word
            || stopwords.contains(piece.to_lowercase().replace('’', "'").as_str())
            || piece.chars().count() < MIN_WORD_CHARS;
        if ends_run {
            note(&mut phrases, &run, position);
            position += run.len();
            run.clear();
        } else {
            run.push(piece);
        }
    }
    note(&mut phrases, &run, position);
    best(phrases, limit)
}

/// Notes every phrase within a run: what is a whole run here may be part of one elsewhere.
fn note(phrases: &mut HashMap<String, Phrase>, run: &[&str], position: usize) {
    for length in 1..=run.len().min(MAX_WORDS) {
        for (offset, words) in run.windows(length).enumerate() {
            let written = words.join(" ");
            let phrase = phrases.entry(written.to_lowercase()).or_default();
            if phrase.uses == 0 {
                phrase.first = position + offset;
                phrase.words = words.iter().map(|word| word.to_lowercase()).collect();
            }
            phrase.uses += 1;
            phrase.is_run |= length == run.len();
            *phrase.spellings.entry(written).or_default() += 1;
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts within one text")]
fn best(phrases: HashMap<String, Phrase>, limit: usize) -> Vec<String> {
    let uses = |word: &String| phrases.get(word).map_or(1, |phrase| phrase.uses);
    let mut company: HashMap<&str, usize> = HashMap::new();
    for phrase in phrases.values() {
        for word in &phrase.words {
            *company.entry(word).or_default() += phrase.uses * (phrase.words.len() - 1);
        }
    }
    let mut scored: Vec<(f64, &Phrase)> = phrases
        .values()
        .filter(|phrase| phrase.is_run || phrase.uses > 1)
        .map(|phrase| {
            // The word score of RAKE favours rare long runs; weighing by how often the words are
            // used at all brings the text's themes to the top.
            let words: f64 = phrase
                .words
                .iter()
                .map(|word| 1.0 + company[word.as_str()] as f64 / uses(word) as f64)
                .sum();
            let themes: usize = phrase.words.iter().map(|word| uses(word) - 1).sum();
            (
                words.sqrt() * (1.0 + themes as f64) * phrase.uses as f64,
                phrase,
            )
        })
        .collect();
    scored.sort_by(|one, other| {
        other
            .0
            .total_cmp(&one.0)
            .then_with(|| one.1.first.cmp(&other.1.first))
    });
    let mut chosen: Vec<&Phrase> = Vec::new();
    for (_, phrase) in scored {
        // "sea" adds nothing beside "deep sea", nor the other way round.
        let is_new = !chosen.iter().any(|other| {
            phrase.words.iter().all(|word| other.words.contains(word))
                || other.words.iter().all(|word| phrase.words.contains(word))
        });
        if is_new {
            chosen.push(phrase);
        }
        if chosen.len() >= limit {
            break;
        }
    }
    chosen.into_iter().map(spelling).collect()
}

fn spelling(phrase: &Phrase) -> String {
    let best = phrase
        .spellings
        .iter()
        .max_by(|(one, uses), (other, other_uses)| {
            // On a tie lower case wins: a capital may only open a sentence.
            uses.cmp(other_uses).then_with(|| one.cmp(other))
        });
    best.map(|(spelling, _)| spelling.clone())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::extract;

    fn check(text: &str, language: &str, limit: usize, expected: &[&str]) {
        assert_eq!(extract(text, language, limit), expected, "{text}");
    }

    #[test]
    fn telling_phrases_come_first() {
        check(
            "The natural selection of species is slow. Natural selection acts on each species by \
             small steps. Of the weather nothing is said.",
            "en",
            2,
            &["natural selection", "species"],
        );
        check(
            "La vertu est la santé de l'âme. La vertu est aimable et la santé de l'âme est rare.",
            "fr",
            1,
            &["vertu"],
        );
    }

    #[test]
    fn odd_texts_give_what_they_have() {
        check("", "en", 5, &[]);
        check("the of and", "en", 5, &[]);
        check("学而时习之，不亦说乎？", "zh", 5, &[]);
        check("words in an unknown language", "xx", 5, &[]);
        check("Paris, Paris and Rome", "en", 5, &["Paris", "Rome"]);
        check("1234 5678", "en", 5, &[]);
        check(
            "many words follow one another without any pause",
            "en",
            0,
            &[],
        );
    }
}
