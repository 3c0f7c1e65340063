//! Text to a document. What is wrong is told with its line and, where it can be, the way to put it
//! right.

use std::fmt;

use super::{Document, places::Places};

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Yaml,
    Toml,
}

/// Why a text is no document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// From 1, where it is known.
    pub(crate) line: Option<usize>,
    pub(crate) message: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(out, "line {line}: {}", self.message),
            None => out.write_str(&self.message),
        }
    }
}

impl Wrong {
    /// A reason that begins with its place in the file of that name.
    pub(crate) fn of(file: &str, reason: &str) -> Option<Self> {
        let rest = reason.strip_prefix(file)?;
        if let Some(message) = rest.strip_prefix(": ") {
            return Some(Self {
                line: None,
                message: message.to_owned(),
            });
        }
        let (line, message) = rest.strip_prefix(" line ")?.split_once(": ")?;
        Some(Self {
            line: line.parse().ok(),
            message: message.to_owned(),
        })
    }
}

impl Format {
    /// By the end of a file's name.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let (stem, end) = name.rsplit_once('.')?;
        match end {
            "yml" | "yaml" if !stem.is_empty() => Some(Self::Yaml),
            "toml" if !stem.is_empty() => Some(Self::Toml),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Yaml => "yaml",
            Self::Toml => "toml",
        }
    }
}

/// Reads a document.
pub(crate) fn document(text: &str, format: Format) -> Result<Document, Wrong> {
    if let Some(at) = text.find("{{") {
        return Err(Wrong {
            line: Some(line_at(text, at)),
            message: "templates ({{ … }}) are not supported: write the value itself".to_owned(),
        });
    }
    let document: Document = match format {
        Format::Yaml => yaml(text)?,
        Format::Toml => toml::from_str(text).map_err(|error| Wrong {
            line: error.span().map(|span| line_at(text, span.start)),
            message: error.message().to_owned(),
        })?,
    };
    match document.unsupported() {
        Some(message) => Err(Wrong {
            line: Places::of(text, format).beginning(&message),
            message,
        }),
        None => Ok(document),
    }
}

fn yaml(text: &str) -> Result<Document, Wrong> {
    // A file of comments alone says nothing, which is allowed.
    let nothing = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    if text.lines().all(nothing) {
        return Ok(Document::default());
    }
    serde_yaml_ng::from_str(text).map_err(|error| {
        let message = error.to_string();
        let line = error.location().map(|location| location.line());
        let line = line.or_else(|| Places::of(text, Format::Yaml).beginning(&message));
        // The place is told beside the message.
        let message = match message.rsplit_once(" at line ") {
            Some((message, _)) => message.to_owned(),
            None => message,
        };
        Wrong { line, message }
    })
}

/// The line of a byte.
pub(super) fn line_at(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or(text).split('\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, format: Format, line: Option<usize>, words: &str) {
        let wrong = document(text, format).expect_err(text);
        assert_eq!(wrong.line, line, "{wrong}");
        assert!(wrong.message.contains(words), "{wrong}");
    }

    #[test]
    fn both_formats_say_the_same() {
        let yaml_text = "http:\n  routers:\n    shop:\n      rule: Host(`a`)\n      service: shop\n      \
                    entryPoints: [web]\n      tls: {}\n  services:\n    shop:\n      loadBalancer:\n        \
                    servers:\n          - url: http://127.0.0.1:1\n            weight: 3\n        \
                    healthCheck:\n          path: /up\n          interval: 2s\n";
        let toml = "[http.routers.shop]\nrule = 'Host(`a`)'\nservice = 'shop'\nentryPoints = ['web']\n\
                    [http.routers.shop.tls]\n[http.services.shop.loadBalancer.healthCheck]\npath = '/up'\n\
                    interval = '2s'\n[[http.services.shop.loadBalancer.servers]]\nurl = 'http://127.0.0.1:1'\n\
                    weight = 3\n";
        let yaml = document(yaml_text, Format::Yaml).unwrap();
        let of_toml = document(toml, Format::Toml).unwrap();
        assert_eq!(of_toml, yaml);
        let line = |text, format| Places::of(text, format).object("services", "shop");
        assert_eq!(line(toml, Format::Toml), Some(6));
        assert_eq!(line(yaml_text, Format::Yaml), Some(9));
        assert!(
            yaml.http.services["shop"]
                .load_balancer
                .as_ref()
                .unwrap()
                .pass_host_header
        );
        let nothing = document("# nothing yet\n", Format::Yaml).unwrap();
        assert_eq!(nothing, Document::default());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        check(
            "http:\n  routers:\n    a:\n      rul: x\n",
            Format::Yaml,
            Some(4),
            "rul",
        );
        check("http: [\n", Format::Yaml, Some(1), "http");
        check(
            "[http.routers.a]\nrul = 'x'\n",
            Format::Toml,
            Some(2),
            "rul",
        );
        check(
            "a: 1\nb: {{ env \"X\" }}\n",
            Format::Yaml,
            Some(2),
            "templates",
        );
        check("tcp:\n  routers: {}\n", Format::Yaml, Some(1), "tcp");
        let flow = "http: {routers: {a: {service: b},\n  c: {rul: x}}}\n";
        check(flow, Format::Yaml, Some(2), "rul");
        let flow = "http: {services: {a: {loadBalancer: {}},\n  b: {failover: {service: a}}}}\n";
        check(flow, Format::Yaml, Some(2), "http.services.b.failover");
        let store = "tls:\n  stores:\n    other: {}\n";
        check(store, Format::Yaml, Some(3), "tls.stores.other");
        let mirrored = "http:\n  services:\n    a:\n      mirroring:\n        service: b\n";
        check(mirrored, Format::Yaml, Some(4), "http.services.a.mirroring");
        let interval = "http:\n  services:\n    a:\n      loadBalancer:\n        healthCheck:\n          interval: soon\n";
        check(interval, Format::Yaml, Some(6), "not a duration");
    }

    #[test]
    fn files_are_told_by_their_names() {
        assert_eq!(Format::of("shop.yml"), Some(Format::Yaml));
        assert_eq!(Format::of("shop.yaml"), Some(Format::Yaml));
        assert_eq!(Format::of("shop.toml"), Some(Format::Toml));
        for other in ["shop.yml~", ".yml", "shop", "shop.json"] {
            assert_eq!(Format::of(other), None, "{other}");
        }
    }
}
