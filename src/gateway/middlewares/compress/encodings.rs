//! Which encoding a client likes best (RFC 9110 §12.5.3). Between those that it likes equally the
//! order of the configuration decides.

use http::{HeaderMap, header};

/// An encoding of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Gzip,
    Brotli,
    Zstd,
}

impl Encoding {
    /// All, in the order of Traefik.
    pub(super) const ALL: [Self; 3] = [Self::Gzip, Self::Brotli, Self::Zstd];

    /// As it is written in headers and options.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }

    /// Reads one.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|encoding| encoding.name() == name)
    }

    /// Reads a list; `option` is its name in the error. All, if it is empty.
    pub(super) fn read_all(option: &str, names: &[String]) -> Result<Vec<Self>, String> {
        if names.is_empty() {
            return Ok(Self::ALL.to_vec());
        }
        let read = |(at, name): (usize, &String)| {
            Self::parse(name)
                .ok_or_else(|| format!("{option}[{at}]: {name:?} is none of gzip, br and zstd"))
        };
        names.iter().enumerate().map(read).collect()
    }
}

/// The best of `ours` for a client; none if it prefers what is not encoded.
pub(super) fn preferred(headers: &HeaderMap, ours: &[Encoding]) -> Option<Encoding> {
    let accepted = Accepted::read(headers);
    let identity = accepted.named("identity").unwrap_or(0);
    let mut best = None;
    for encoding in ours {
        let quality = accepted.quality(encoding.name());
        let better = best.is_none_or(|(_, best)| quality > best);
        if quality > 0 && quality >= identity && better {
            best = Some((*encoding, quality));
        }
    }
    best.map(|(encoding, _)| encoding)
}

/// Names with their quality in thousandths.
struct Accepted<'a>(Vec<(&'a str, u16)>);

impl<'a> Accepted<'a> {
    fn read(headers: &'a HeaderMap) -> Self {
        let all = headers
            .get_all(header::ACCEPT_ENCODING)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(|item| {
                let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
                (name.trim(), quality(parameters))
            })
            .collect();
        Self(all)
    }

    fn named(&self, name: &str) -> Option<u16> {
        let found = self.0.iter().find(|(it, _)| it.eq_ignore_ascii_case(name));
        found.map(|(_, quality)| *quality)
    }

    fn quality(&self, name: &str) -> u16 {
        self.named(name).or_else(|| self.named("*")).unwrap_or(0)
    }
}

/// `q=0.5` in thousandths; 0 for what cannot be read.
fn quality(parameters: &str) -> u16 {
    let mut parameters = parameters.split(';').filter_map(|it| it.split_once('='));
    let Some((_, value)) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("q"))
    else {
        return 1_000;
    };
    let (whole, decimals) = value.trim().split_once('.').unwrap_or((value.trim(), ""));
    if decimals.len() > 3 {
        return 0;
    }
    let digits = format!("{whole}{decimals:0<3}");
    digits.parse().ok().filter(|it| *it <= 1_000).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_chooses_and_then_the_order() {
        let check = |accept: &'static str, ours: &[Encoding], expected: Option<&str>| {
            let mut headers = HeaderMap::new();
            let accept = http::HeaderValue::from_static(accept);
            headers.insert(header::ACCEPT_ENCODING, accept.clone());
            let found = preferred(&headers, ours).map(Encoding::name);
            assert_eq!(found, expected, "{accept:?}");
        };
        let all = &Encoding::ALL;
        let zstd_first = &[Encoding::Zstd, Encoding::Brotli];
        check("gzip, deflate, br, zstd", all, Some("gzip"));
        check("gzip, deflate, br, zstd", zstd_first, Some("zstd"));
        check("gzip;q=0.5, br", all, Some("br"));
        check("GZIP ; Q=0.5 , br;q=0.25", all, Some("gzip"));
        check("br;q=0", all, None);
        check("*", all, Some("gzip"));
        check("*, gzip;q=0", all, Some("br"));
        check("identity, gzip;q=0.5", all, None);
        check("identity;q=0.5, gzip", all, Some("gzip"));
        check("identity", all, None);
        check("", all, None);
        check("gzip;q=2, br;q=0.1", all, Some("br"));
        check("gzip;q=x", all, None);
        check("gzip;q=0.1234", all, None);
        check("gzip", zstd_first, None);
    }
}
