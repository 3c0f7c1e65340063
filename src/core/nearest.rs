//! "Did you mean …?": the candidate that is closest to what somebody wrote.

/// The candidate with the smallest edit distance to `wanted`, upper and lower case being equal;
/// `None` without candidates. The first of equally near ones wins.
pub fn nearest<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = wanted.to_lowercase();
    candidates
        .into_iter()
        .min_by_key(|candidate| strsim::damerau_levenshtein(&wanted, &candidate.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_candidate_is_found() {
        let check = |wanted, expected| {
            assert_eq!(
                nearest(wanted, ["traefik", "api", "minio"]),
                expected,
                "{wanted}"
            );
        };
        check("trafik", Some("traefik"));
        check("API", Some("api"));
        check("moni", Some("minio"));
        assert_eq!(nearest("x", []), None);
    }
}
