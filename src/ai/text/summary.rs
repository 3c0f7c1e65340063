//! An extractive summary: the sentences that say most of what the others say.
//!
//! Sentences are the nodes of a graph, joined by how many telling words they share; a random walk
//! over it (TextRank) ranks them. Early sentences get a little more, a sentence that repeats a
//! chosen one is passed over, and the chosen ones stand in the order of the source.

use std::collections::HashSet;

use super::{sentences, stopwords};

/// How much of a sentence's rank flows along the graph.
const DAMPING: f64 = 0.85;
/// Ranks have settled long before.
const ITERATIONS: usize = 30;
/// How much more the first sentence weighs than the last.
const POSITION_WEIGHT: f64 = 0.5;
/// Sentences that share this part of their words say the same.
const SAME: f64 = 0.6;

/// How long a summary may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The most sentences.
    pub(crate) sentences: usize,
    /// The most characters; the first chosen sentence stands whatever its length.
    pub(crate) chars: usize,
}

/// Summarises `text` in its own sentences; empty when it has none.
pub(crate) fn summarize(text: &str, language: &str, limits: Limits) -> String {
    let sentences = sentences::split(text);
    let stopwords = stopwords::of(language);
    let words: Vec<HashSet<String>> = sentences
        .iter()
        .map(|sentence| {
            sentences::words(sentence)
                .filter(|word| !stopwords.contains(word.as_str()))
                .collect()
        })
        .collect();
    let ranks = rank(&words);
    let mut order: Vec<usize> = (0..sentences.len()).collect();
    order.sort_by(|one, other| ranks[*other].total_cmp(&ranks[*one]).then(one.cmp(other)));
    let mut chosen = choose(&order, &sentences, &words, limits);
    chosen.sort_unstable();
    let chosen: Vec<&str> = chosen
        .into_iter()
        .map(|index| sentences[index].as_str())
        .collect();
    chosen.join(" ")
}

fn choose(
    order: &[usize],
    sentences: &[String],
    words: &[HashSet<String>],
    limits: Limits,
) -> Vec<usize> {
    let mut chosen: Vec<usize> = Vec::new();
    let mut chars = 0;
    for index in order.iter().copied() {
        let length = sentences[index].chars().count() + 1;
        let fits = chosen.is_empty() || chars + length <= limits.chars;
        let repeats = chosen
            .iter()
            .any(|other| share(&words[index], &words[*other]) > SAME);
        if fits && !repeats {
            chars += length;
            chosen.push(index);
        }
        if chosen.len() >= limits.sentences {
            break;
        }
    }
    chosen
}

/// The part of the shorter sentence's words that both have.
#[expect(clippy::cast_precision_loss, reason = "sentences have few words")]
fn share(one: &HashSet<String>, other: &HashSet<String>) -> f64 {
    let shorter = one.len().min(other.len()).max(1);
    one.intersection(other).count() as f64 / shorter as f64
}

#[expect(
    clippy::cast_precision_loss,
    reason = "at most 400 sentences of few words"
)]
fn rank(words: &[HashSet<String>]) -> Vec<f64> {
    let count = words.len();
    let mut weights = vec![0.0_f64; count * count];
    for one in 0..count {
        for other in one + 1..count {
            let shared = words[one].intersection(&words[other]).count() as f64;
            let size =
                (1.0 + words[one].len() as f64).ln() + (1.0 + words[other].len() as f64).ln();
            let weight = if size > 0.0 { shared / size } else { 0.0 };
            weights[one * count + other] = weight;
            weights[other * count + one] = weight;
        }
    }
    let sums: Vec<f64> = weights
        .chunks(count.max(1))
        .map(|row| row.iter().sum())
        .collect();
    let mut ranks = vec![1.0_f64; count];
    for _ in 0..ITERATIONS {
        ranks = (0..count)
            .map(|node| {
                let inflow: f64 = (0..count)
                    .filter(|from| sums[*from] > 0.0)
                    .map(|from| ranks[from] * weights[from * count + node] / sums[from])
                    .sum();
                (1.0 - DAMPING) + DAMPING * inflow
            })
            .collect();
    }
    for (position, rank) in ranks.iter_mut().enumerate() {
        *rank *= 1.0 + POSITION_WEIGHT * (1.0 - position as f64 / count as f64);
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::{Limits, summarize};

    const LIMITS: Limits = Limits {
        sentences: 2,
        chars: 300,
    };
    const TEXT: &str = "The harbour of the town is old. Ships come to the harbour from every sea, \
        and the town lives by its harbour and its ships. My aunt kept a parrot. In the evening the \
        ships light their lamps and the whole town walks to the harbour. Somebody whistled.";

    #[test]
    fn telling_sentences_are_copied_in_the_order_of_the_source() {
        let summary = summarize(TEXT, "en", LIMITS);
        assert_eq!(
            summary,
            "Ships come to the harbour from every sea, and the town lives by its harbour and its \
             ships. In the evening the ships light their lamps and the whole town walks to the \
             harbour."
        );
    }

    #[test]
    fn limits_hold() {
        for (text, limits, expected) in [
            ("", LIMITS, ""),
            ("no sentence", LIMITS, ""),
            ("Only one sentence here.", LIMITS, "Only one sentence here."),
            (
                "A sentence that is said twice. A sentence that is said twice.",
                LIMITS,
                "A sentence that is said twice.",
            ),
            (
                "The first sentence is long. The second sentence is also long.",
                Limits {
                    sentences: 2,
                    chars: 30,
                },
                "The first sentence is long.",
            ),
        ] {
            assert_eq!(summarize(text, "en", limits), expected, "{text}");
        }
        assert_eq!(
            summarize(
                TEXT,
                "en",
                Limits {
                    sentences: 1,
                    chars: 1
                }
            )
            .matches('.')
            .count(),
            1
        );
    }

    #[test]
    fn a_language_without_stop_words_works_too() {
        let text = "学而时习之，不亦说乎？有朋自远方来，不亦乐乎？人不知而不愠，不亦君子乎？";
        let summary = summarize(
            text,
            "zh",
            Limits {
                sentences: 1,
                chars: 100,
            },
        );
        assert!(text.contains(&summary) && !summary.is_empty(), "{summary}");
    }
}
