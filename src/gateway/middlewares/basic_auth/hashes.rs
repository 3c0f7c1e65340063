//! Hashes of passwords as htpasswd writes them: bcrypt (`-B`), the MD5 of Apache (`-m`) and of
//! crypt, and SHA-1 (`-s`). All are compared in constant time.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use md5::Md5;
use sha1::{Digest as _, Sha1};
use subtle::ConstantTimeEq as _;

/// The highest cost of bcrypt that is taken: one check with it takes a few seconds.
const MAX_BCRYPT_COST: u32 = 16;
/// The alphabet of crypt, whose order is its own.
const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// The longest salt of MD5 that counts, in bytes.
const MAX_SALT_BYTES: usize = 8;

/// What the hash of a password is made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    /// `$2y$05$…`.
    Bcrypt(String),
    /// `$apr1$salt$…` and `$1$salt$…`.
    Md5 {
        /// With its dollar signs.
        magic: &'static str,
        salt: String,
        digest: String,
    },
    /// `{SHA}…`.
    Sha1(Vec<u8>),
}

impl Hash {
    /// Reads a hash. The error does not show it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if let Some(digest) = text.strip_prefix("{SHA}") {
            let digest = STANDARD.decode(digest).ok();
            return digest
                .filter(|digest| digest.len() == <Sha1 as sha1::Digest>::output_size())
                .map(Self::Sha1)
                .ok_or_else(|| "the hash after {SHA} is damaged".to_owned());
        }
        for magic in ["$apr1$", "$1$"] {
            if let Some(rest) = text.strip_prefix(magic) {
                let (salt, digest) = rest
                    .split_once('$')
                    .filter(|(_, digest)| digest.len() == 22)
                    .ok_or_else(|| format!("the hash after {magic} is damaged"))?;
                return Ok(Self::Md5 {
                    magic,
                    salt: salt.to_owned(),
                    digest: digest.to_owned(),
                });
            }
        }
        if ["$2a$", "$2b$", "$2x$", "$2y$"]
            .iter()
            .any(|it| text.starts_with(it))
        {
            let parts: bcrypt::HashParts = text
                .parse()
                .map_err(|_| "the bcrypt hash is damaged".to_owned())?;
            if parts.get_cost() > MAX_BCRYPT_COST {
                return Err(format!(
                    "the cost of its hash is {}, and {MAX_BCRYPT_COST} is the most",
                    parts.get_cost()
                ));
            }
            return Ok(Self::Bcrypt(text.to_owned()));
        }
        Err(
            "its hash is none of bcrypt, MD5 or SHA; write what `htpasswd -nB name` prints \
             (in a compose file with $$ for each $)"
                .to_owned(),
        )
    }

    /// Whether it is that of `password`. Slow.
    pub(super) fn fits(&self, password: &str) -> bool {
        let password = password.as_bytes();
        match self {
            Self::Bcrypt(hash) => bcrypt::verify(password, hash).unwrap_or(false),
            Self::Sha1(digest) => Sha1::digest(password).ct_eq(digest).into(),
            Self::Md5 {
                magic,
                salt,
                digest,
            } => {
                let made = md5_crypt(password, salt.as_bytes(), magic.as_bytes());
                made.as_bytes().ct_eq(digest.as_bytes()).into()
            }
        }
    }
}

/// The MD5 of FreeBSD's crypt, which Apache uses with another magic.
fn md5_crypt(password: &[u8], salt: &[u8], magic: &[u8]) -> String {
    let salt = &salt[..salt.len().min(MAX_SALT_BYTES)];
    let md5 = |parts: &[&[u8]]| {
        let mut md5 = Md5::new();
        for part in parts {
            md5.update(part);
        }
        <[u8; 16]>::from(md5.finalize())
    };
    let twice = md5(&[password, salt, password]);
    let mut first = Md5::new();
    for part in [password, magic, salt] {
        first.update(part);
    }
    for chunk in password.chunks(twice.len()) {
        first.update(&twice[..chunk.len()]);
    }
    let mut bits = password.len();
    while bits > 0 {
        // One bit puts a NUL, the other the first letter: a mistake of 1994 that became the way.
        let letter: &[u8] = if bits & 1 == 1 { &[0] } else { &password[..1] };
        first.update(letter);
        bits >>= 1;
    }
    let mut digest = <[u8; 16]>::from(first.finalize());
    for round in 0..1_000 {
        let odd = round % 2 == 1;
        digest = md5(&[
            if odd { password } else { &digest },
            if round % 3 == 0 { &[] } else { salt },
            if round % 7 == 0 { &[] } else { password },
            if odd { &digest } else { password },
        ]);
    }
    encoded(digest)
}

/// Crypt's base 64 of a digest, whose bytes it takes in an order of its own.
fn encoded(digest: [u8; 16]) -> String {
    const GROUPS: [[usize; 3]; 5] = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]];
    let mut out = String::with_capacity(22);
    let mut put = |mut value: u32, letters: usize| {
        for _ in 0..letters {
            out.push(char::from(ALPHABET[(value & 0x3f) as usize]));
            value >>= 6;
        }
    };
    for [a, b, c] in GROUPS {
        put(u32::from_be_bytes([0, digest[a], digest[b], digest[c]]), 4);
    }
    put(u32::from(digest[11]), 2);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(hash: &str, password: &str, fits: bool) {
        let hash = Hash::parse(hash).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(hash.fits(password), fits, "{hash:?} {password}");
    }

    #[test]
    fn hashes_of_htpasswd_and_openssl_fit_their_passwords() {
        // From Traefik's documentation.
        check("$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/", "test", true);
        check("$apr1$d9hr9HBB$4HxwgUir3HP4EsggP/QNo0", "test2", true);
        check("$apr1$d9hr9HBB$4HxwgUir3HP4EsggP/QNo0", "test", false);
        // printf pass | openssl passwd -1 -salt saltsalt -stdin, and so on.
        for (password, hash) in MD5_OF_OPENSSL {
            check(hash, password, true);
        }
        check("{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "password", true);
        check("{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "Password", false);
        let hash = bcrypt::hash("pässword", 4).expect("a hash");
        check(&hash, "pässword", true);
        check(&hash, "password", false);
        check(&hash.replacen("$2b$", "$2y$", 1), "pässword", true);
    }

    #[test]
    fn what_is_no_hash_is_refused_without_being_shown() {
        for wrong in [
            "secret",
            "",
            "{SHA}x",
            "{SHA}AAAA",
            "$apr1$salt",
            "$1$salt$short",
            "$2y$05$short",
            "$2y$31$abcdefghijklmnopqrstuu5s3Mr7tEC2G5iT8dzdWs/fRlg.R0yWe",
        ] {
            let error = Hash::parse(wrong).expect_err(wrong);
            assert!(!error.contains("secret"), "{error}");
        }
    }

    const MD5_OF_OPENSSL: [(&str, &str); 4] = [
        ("pass", "$1$saltsalt$hZR.9zfJXcVTsa9iTxnQR1"),
        ("a", "$apr1$x$16j9.5e7KiXmuYFAYpPJM/"),
        (
            "a longer password of forty letters ......",
            "$apr1$12345678$kt9JxNUCDGZkwFskoxuMz.",
        ),
        ("pässword", "$1$a.b/c$yOzXQjcrrGQpnB8OoPiU01"),
    ];
}
