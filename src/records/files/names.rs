//! What a file is called after it was uploaded: a slug of the name that it came with, a random part
//! that makes it unique and hard to guess, and its extension. Only ASCII letters, digits and
//! `_ . - + * = #` come out, so that the name is safe as a part of a path, of a key and of an address.

use mito_core::Random;

/// Characters of the random part.
const RANDOM_LENGTH: usize = 10;
/// A slug that is shorter gets a random part more.
const MIN_SLUG: usize = 3;
/// The longest slug, in characters.
const MAX_SLUG: usize = 100;
/// The longest extension, in characters without its dot.
const MAX_EXTENSION: usize = 20;

/// The name for an upload that was called `original`; `detected` is the extension that its bytes
/// suggest, with its dot, for names that have none.
pub(crate) fn file_name(random: &Random, original: &str, detected: &str) -> String {
    let original = base(original);
    let given = extension(original);
    let stem = original.strip_suffix(given).unwrap_or(original);
    let mut slug = slug(stem);
    if slug.len() < MIN_SLUG {
        slug.push_str(&random.id(RANDOM_LENGTH));
    }
    slug.truncate(MAX_SLUG);
    let extension = match clean_extension(given) {
        Some(clean) => clean,
        None => detected.to_owned(),
    };
    format!("{slug}_{}{extension}", random.id(RANDOM_LENGTH))
}

/// The last part of a path: some clients send whole ones.
pub(crate) fn base(original: &str) -> &str {
    let trimmed = original.trim_end_matches('/');
    trimmed.rsplit('/').next().unwrap_or(trimmed)
}

/// The extension with its dot, or the last two: `.tar.gz`.
fn extension(name: &str) -> &str {
    let Some(last) = name.rfind('.') else {
        return "";
    };
    let start = name[..last].rfind('.').unwrap_or(last);
    &name[start..]
}

fn clean_extension(given: &str) -> Option<String> {
    let allowed = |character: &char| {
        character.is_ascii_alphanumeric()
            || matches!(character, '_' | '.' | '*' | '-' | '+' | '=' | '#')
    };
    let clean: String = given.chars().filter(allowed).collect();
    let cut = clean.len().saturating_sub(MAX_EXTENSION);
    let clean = if clean.len() > MAX_EXTENSION {
        &clean[cut..]
    } else {
        &clean
    };
    let clean = clean.trim_matches('.');
    (!clean.is_empty()).then(|| format!(".{clean}"))
}

/// Lower-case words with `_` between them. A capital begins a word unless it follows a capital.
fn slug(stem: &str) -> String {
    let mut slug = String::with_capacity(stem.len());
    let words = stem.split(|character: char| !character.is_ascii_alphanumeric());
    for word in words.filter(|word| !word.is_empty()) {
        if !slug.is_empty() {
            slug.push('_');
        }
        let mut before = None;
        for character in word.chars() {
            let begins = character.is_ascii_uppercase()
                && before.is_some_and(|before: char| !before.is_ascii_uppercase());
            if begins {
                slug.push('_');
            }
            slug.push(character.to_ascii_lowercase());
            before = Some(character);
        }
    }
    slug
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `?` stands for a random part.
    #[test]
    fn names_are_those_of_pocketbase() {
        let check = |original: &str, expected: &str| {
            let name = file_name(&Random::seeded(1), original, ".txt");
            let parts: Vec<&str> = expected.split('?').collect();
            let randoms = parts.len() - 1;
            let fixed: usize = parts.iter().map(|part| part.len()).sum();
            assert_eq!(
                name.len(),
                fixed + randoms * RANDOM_LENGTH,
                "{original}: {name}"
            );
            assert!(name.starts_with(parts[0]), "{original}: {name}");
            assert!(name.ends_with(parts[randoms]), "{original}: {name}");
        };
        check("hello.txt", "hello_?.txt");
        check("Hello World.TXT", "hello_world_?.TXT");
        check("a.txt", "a?_?.txt");
        check(".bashrc", "?_?.bashrc");
        check("noext", "noext_?.txt");
        check("", "?_?.txt");
        check("archive.tar.gz", "archive_?.tar.gz");
        check("a.b.c.d.e", "a_b_c_?.d.e");
        check("HelloWorldABC.png", "hello_world_abc_?.png");
        check("myHTTPServer", "my_httpserver_?.txt");
        check("0Ab", "0_ab_?.txt");
        check("ünïcödé näme.txt", "n_c_d_n_me_?.txt");
        check("日本語.txt", "?_?.txt");
        check("été2Été", "t_2_t_?.txt");
        check("../../etc/passwd", "passwd_?.txt");
        check("..\\..\\win.ini", "?_?.win.ini");
        check("%2e%2e%2fx.txt", "2e_2e_2fx_?.txt");
        check("a/b/c.txt", "c?_?.txt");
        check("x/", "x?_?.txt");
        check("abc/..", "?_?.txt");
        check("name..txt", "name_?.txt");
        check("name...txt", "name_?.txt");
        check("a..b..c", "a_b_?.c");
        check("aaa.b..", "aaa_b_?.txt");
        check("trailing.", "trailing_?.txt");
        check("space .t xt", "space_?.txt");
        check("file.ünï", "file_?.n");
        check("a+b=c#d.t+x", "a_b_c_d_?.t+x");
        check("abc.#.*", "abc_?.#.*");
        check("abc.-", "abc_?.-");
        check("_x_y_.zip", "x_y_?.zip");
        check("fooBar2Baz.x", "foo_bar2_baz_?.x");
        check(
            "x.verylongextensionthatislongerthantwenty",
            "x?_?.atislongerthantwenty",
        );
        check("abc.xyz.0123456789abcdefghi", "abc_?.0123456789abcdefghi");
        check("abc.xyz.0123456789abcdefgh", "abc_?.z.0123456789abcdefgh");
        check("nul\0l.txt", "nul_l_?.txt");
        check(
            &format!("{}.txt", "a".repeat(300)),
            &format!("{}_?.txt", "a".repeat(100)),
        );
    }
}
