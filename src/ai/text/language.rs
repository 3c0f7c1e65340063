//! Which language a text is in.

/// How much of a text is looked at, in characters: more changes nothing.
const SAMPLE_CHARS: usize = 8_000;

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Language {
    /// ISO 639-1 where the language has such a code, else ISO 639-3; `und` when nothing was found.
    pub(crate) code: &'static str,
    /// Whether the finding can be relied on.
    pub(crate) is_reliable: bool,
    /// 0 to 1.
    pub(crate) confidence: f64,
}

/// Detects the language of `text`.
pub(crate) fn detect(text: &str) -> Language {
    let end = text
        .char_indices()
        .nth(SAMPLE_CHARS)
        .map_or(text.len(), |(at, _)| at);
    let Some(info) = whatlang::detect(&text[..end]) else {
        return Language {
            code: "und",
            is_reliable: false,
            confidence: 0.0,
        };
    };
    Language {
        code: short_code(info.lang().code()),
        is_reliable: info.is_reliable(),
        confidence: info.confidence(),
    }
}

/// The two-letter code of a three-letter one, as HTML's `lang` wants it.
fn short_code(code: &'static str) -> &'static str {
    match code {
        "ara" => "ar",
        "ben" => "bn",
        "bul" => "bg",
        "cat" => "ca",
        "ces" => "cs",
        "cmn" => "zh",
        "dan" => "da",
        "deu" => "de",
        "ell" => "el",
        "eng" => "en",
        "epo" => "eo",
        "est" => "et",
        "fin" => "fi",
        "fra" => "fr",
        "heb" => "he",
        "hin" => "hi",
        "hrv" => "hr",
        "hun" => "hu",
        "ind" => "id",
        "ita" => "it",
        "jpn" => "ja",
        "kor" => "ko",
        "lat" => "la",
        "lav" => "lv",
        "lit" => "lt",
        "nld" => "nl",
        "nob" => "nb",
        "pes" => "fa",
        "pol" => "pl",
        "por" => "pt",
        "ron" => "ro",
        "rus" => "ru",
        "slk" => "sk",
        "slv" => "sl",
        "spa" => "es",
        "srp" => "sr",
        "swe" => "sv",
        "tam" => "ta",
        "tha" => "th",
        "tur" => "tr",
        "ukr" => "uk",
        "urd" => "ur",
        "vie" => "vi",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::detect;

    fn check(text: &str, code: &str, is_reliable: bool) {
        let found = detect(text);
        assert_eq!(
            (found.code, found.is_reliable),
            (code, is_reliable),
            "{text}: {found:?}"
        );
    }

    #[test]
    fn languages_are_detected_with_their_reliability() {
        check(
            "It is a truth universally acknowledged, that a single man in possession of a good \
             fortune, must be in want of a wife.",
            "en",
            true,
        );
        check(
            "Longtemps, je me suis couché de bonne heure. Parfois, à peine ma bougie éteinte, mes \
             yeux se fermaient si vite que je n'avais pas le temps de me dire: Je m'endors.",
            "fr",
            true,
        );
        check(
            "Als Gregor Samsa eines Morgens aus unruhigen Träumen erwachte, fand er sich in seinem \
             Bett zu einem ungeheueren Ungeziefer verwandelt.",
            "de",
            true,
        );
        check("道可道，非常道。名可名，非常名。", "zh", true);
        check("", "und", false);
        check("12345 !!!", "und", false);
    }
}
