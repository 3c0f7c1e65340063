//! Words that say nothing of a text's subject, by language: `data/stopwords/<language>.txt`.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

/// The lists that ship with the program.
const LISTS: [(&str, &str); 12] = [
    ("cs", include_str!("../../../data/stopwords/cs.txt")),
    ("da", include_str!("../../../data/stopwords/da.txt")),
    ("de", include_str!("../../../data/stopwords/de.txt")),
    ("en", include_str!("../../../data/stopwords/en.txt")),
    ("es", include_str!("../../../data/stopwords/es.txt")),
    ("fr", include_str!("../../../data/stopwords/fr.txt")),
    ("it", include_str!("../../../data/stopwords/it.txt")),
    ("nl", include_str!("../../../data/stopwords/nl.txt")),
    ("pl", include_str!("../../../data/stopwords/pl.txt")),
    ("pt", include_str!("../../../data/stopwords/pt.txt")),
    ("ru", include_str!("../../../data/stopwords/ru.txt")),
    ("sv", include_str!("../../../data/stopwords/sv.txt")),
];

static BY_LANGUAGE: LazyLock<HashMap<&str, HashSet<&str>>> = LazyLock::new(|| {
    LISTS
        .into_iter()
        .map(|(language, list)| (language, list.split_whitespace().collect()))
        .collect()
});
static NONE: LazyLock<HashSet<&str>> = LazyLock::new(HashSet::new);

/// The stop words of a language; none for a language without a list.
pub(crate) fn of(language: &str) -> &'static HashSet<&'static str> {
    BY_LANGUAGE.get(language).unwrap_or(&NONE)
}

#[cfg(test)]
mod tests {
    use super::{BY_LANGUAGE, of};

    #[test]
    fn every_list_holds_lower_case_words() {
        for (language, words) in BY_LANGUAGE.iter() {
            assert!(words.len() >= 60, "{language} has {} words", words.len());
            for word in words {
                assert_eq!(*word, word.to_lowercase(), "{language}");
            }
        }
        assert!(of("en").contains("the") && of("xx").is_empty());
    }
}
