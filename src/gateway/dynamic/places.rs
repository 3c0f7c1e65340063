//! Where in a file its objects stand, in whatever style they are written: what reads a document tells
//! places of what it cannot read alone, and most mistakes are seen later.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser};
use toml::de::{DeTable, DeValue};

use super::read::{Format, line_at};

/// How many keys deep places are kept: `http.services.shop.loadBalancer`.
const MAX_DEPTH: usize = 4;

/// The lines of keys, from 1, by the keys that lead to them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Places(BTreeMap<Vec<String>, usize>);

impl Places {
    /// Those of a text that is a document. What cannot be read has no places.
    pub(crate) fn of(text: &str, format: Format) -> Self {
        let mut places = Self::default();
        match format {
            Format::Yaml => places.read_yaml(text),
            Format::Toml => {
                if let Ok(table) = DeTable::parse(text) {
                    places.read_table(text, table.get_ref(), &mut Vec::new());
                }
            }
        }
        places
    }

    /// The line of an object of a section of `http` or `tls`.
    pub(crate) fn object(&self, section: &str, name: &str) -> Option<usize> {
        let part = match section {
            "certificates" | "options" | "stores" => "tls",
            _ => "http",
        };
        let path = [part, section, name].map(str::to_owned);
        self.0.get(&path[..]).copied()
    }

    /// The line of what a message begins with: keys with dots between them.
    pub(crate) fn beginning(&self, message: &str) -> Option<usize> {
        let fits = |path: &[String]| {
            let rest = message.strip_prefix(&path.join("."))?;
            (!rest.starts_with(|next: char| next.is_alphanumeric())).then_some(path.len())
        };
        let found = self.0.iter();
        let found = found.filter_map(|(path, line)| Some((fits(path)?, *line)));
        found.max_by_key(|(depth, _)| *depth).map(|(_, line)| line)
    }

    fn read_yaml(&mut self, text: &str) {
        let mut path: Vec<String> = Vec::new();
        let mut open: Vec<Inside> = Vec::new();
        for event in Parser::new_from_str(text) {
            let Ok((event, span)) = event else {
                return;
            };
            match event {
                Event::MappingStart(..) => open.push(Inside::Mapping { has_key: false }),
                Event::SequenceStart(..) => open.push(Inside::Sequence),
                Event::MappingEnd | Event::SequenceEnd => {
                    open.pop();
                    end_of_value(&mut open, &mut path);
                }
                Event::Scalar(text, ..) => match open.last_mut() {
                    Some(Inside::Mapping { has_key }) if !*has_key => {
                        *has_key = true;
                        path.push(text.into_owned());
                        // What stands in lists has no names.
                        if open.iter().all(|it| matches!(it, Inside::Mapping { .. })) {
                            self.note(&path, span.start.line());
                        }
                    }
                    _ => end_of_value(&mut open, &mut path),
                },
                Event::Alias(..) => end_of_value(&mut open, &mut path),
                _ => {}
            }
        }
    }

    fn read_table(&mut self, text: &str, table: &DeTable<'_>, path: &mut Vec<String>) {
        for (key, value) in table {
            path.push(key.get_ref().to_string());
            self.note(path, line_at(text, key.span().start));
            if let DeValue::Table(table) = value.get_ref()
                && path.len() < MAX_DEPTH
            {
                self.read_table(text, table, path);
            }
            path.pop();
        }
    }

    fn note(&mut self, path: &[String], line: usize) {
        if path.len() <= MAX_DEPTH {
            self.0.entry(path.to_vec()).or_insert(line);
        }
    }
}

/// What the parser is inside of.
enum Inside {
    Mapping { has_key: bool },
    Sequence,
}

/// Goes on behind the value of a key.
fn end_of_value(open: &mut [Inside], path: &mut Vec<String>) {
    let Some(Inside::Mapping { has_key }) = open.last_mut() else {
        return;
    };
    if *has_key {
        path.pop();
    } else {
        // A key that is no text has nothing to be called by.
        path.push(String::new());
    }
    *has_key = !*has_key;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, format: Format, expected: &[(&str, &str, usize)]) {
        let places = Places::of(text, format);
        for (section, name, line) in expected {
            let found = places.object(section, name);
            assert_eq!(found, Some(*line), "{section} {name} in {places:?}");
        }
    }

    #[test]
    fn objects_are_found_in_every_style() {
        let block = "# one\nhttp:\n  routers:\n    shop:\n      tls:\n        options: x\n      \
                     entryPoints: [web, other]\n    'b': {}\n  services:\n    shop:\n      loadBalancer:\n        \
                     servers:\n          - url: x\n          - url: y\ntls:\n  options:\n    x: {}\n";
        check(
            block,
            Format::Yaml,
            &[
                ("routers", "shop", 4),
                ("routers", "b", 8),
                ("services", "shop", 10),
                ("options", "x", 17),
            ],
        );
        let flow = "http: {routers: {a: {rule: \"x: {y\",\n  entryPoints: [web]},\n  b: {}},\n middlewares:\n \
                    {c: {chain: {middlewares: [a, b]}}}}\n";
        check(
            flow,
            Format::Yaml,
            &[
                ("routers", "a", 1),
                ("routers", "b", 3),
                ("middlewares", "c", 5),
            ],
        );
        let toml = "[http]\nrouters = { a = { rule = 'x' }, b = {} }\n[http.services.\"c.d\".loadBalancer]\n\
                    servers = []\n[tls.options]\ne.minVersion = 'x'\n";
        check(
            toml,
            Format::Toml,
            &[
                ("routers", "a", 2),
                ("routers", "b", 2),
                ("services", "c.d", 3),
                ("options", "e", 6),
            ],
        );
    }

    #[test]
    fn messages_begin_with_places() {
        let text =
            "http:\n  services: {a: {mirroring: {service: b}},\n    ab: {failover: {}}}\ntcp: {}\n";
        let places = Places::of(text, Format::Yaml);
        assert_eq!(
            places.beginning("http.services.a.mirroring is not"),
            Some(2)
        );
        assert_eq!(
            places.beginning("http.services.ab.failover is not"),
            Some(3)
        );
        assert_eq!(places.beginning("tcp is not"), Some(4));
        assert_eq!(places.beginning("udp is not"), None);
    }

    #[test]
    fn what_is_no_document_has_no_places() {
        for text in [
            "{",
            "a: [",
            "- b",
            "",
            "? {a: b}\n: c\n",
            "&a [*a]",
            "!!x y",
        ] {
            let _places = Places::of(text, Format::Yaml);
        }
        assert_eq!(Places::of("a = ", Format::Toml), Places::default());
    }
}
