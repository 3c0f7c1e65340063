//! The options that exist, read from the JSON schema of the configuration type: tables, maps whose
//! keys the user chooses, and leaves with the kind of value they take.

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value;

/// How deep references are followed: a type that contains itself ends as [`Kind::Any`].
const MAX_DEPTH: usize = 16;
/// How a user-chosen key is written where no user has chosen one.
pub(super) const PLACEHOLDER: &str = "<name>";

/// An option or a table of options.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) node: Node,
    /// The doc comment.
    pub(super) doc: String,
    /// Never shown.
    pub(super) secret: bool,
}

#[derive(Debug)]
pub(super) enum Node {
    /// Keys that are known, in the order of the type.
    Table(Vec<(String, Entry)>),
    /// Keys that the user chooses; all values are alike.
    Map(Box<Entry>),
    Leaf(Kind),
}

/// What a leaf takes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Text,
    Integer {
        min: i128,
        max: i128,
    },
    Number,
    Flag,
    /// One of these words, each with its doc comment.
    Choice(Vec<(String, String)>),
    List(Box<Kind>),
    /// Left to the type's own `Deserialize`.
    Any,
}

/// Where a path leads.
pub(super) enum Found<'a> {
    /// To a leaf or a table, under its exact name.
    Entry(Vec<String>, &'a Entry),
    /// Nowhere.
    Unknown,
}

/// The options of `T`.
pub(super) fn of<T: JsonSchema>() -> Entry {
    let root = SchemaGenerator::default()
        .into_root_schema_for::<T>()
        .to_value();
    Reader { root: &root }.entry(&root, "", 0)
}

impl Entry {
    /// Follows `path`. With `fold_case` upper and lower case are equal, as in the names of
    /// environment variables, and keys of maps become lower case.
    pub(super) fn find(&self, path: &[String], fold_case: bool) -> Found<'_> {
        let mut entry = self;
        let mut exact = Vec::with_capacity(path.len());
        for segment in path {
            match &entry.node {
                Node::Table(entries) => {
                    let same = |name: &str| {
                        if fold_case {
                            name.eq_ignore_ascii_case(segment)
                        } else {
                            name == segment
                        }
                    };
                    let Some((name, child)) = entries.iter().find(|(name, _)| same(name)) else {
                        return Found::Unknown;
                    };
                    exact.push(name.clone());
                    entry = child;
                }
                Node::Map(child) if !segment.is_empty() => {
                    exact.push(if fold_case {
                        segment.to_lowercase()
                    } else {
                        segment.clone()
                    });
                    entry = child;
                }
                Node::Map(_) | Node::Leaf(_) => return Found::Unknown,
            }
        }
        Found::Entry(exact, entry)
    }

    /// Every path below, tables included, with [`PLACEHOLDER`] for the keys of maps.
    pub(super) fn paths(&self) -> Vec<Vec<String>> {
        let mut paths = Vec::new();
        self.collect_paths(&mut Vec::new(), &mut paths);
        paths
    }

    fn collect_paths(&self, at: &mut Vec<String>, paths: &mut Vec<Vec<String>>) {
        if !at.is_empty() {
            paths.push(at.clone());
        }
        match &self.node {
            Node::Table(entries) => {
                for (name, child) in entries {
                    at.push(name.clone());
                    child.collect_paths(at, paths);
                    at.pop();
                }
            }
            Node::Map(child) => {
                at.push(PLACEHOLDER.to_owned());
                child.collect_paths(at, paths);
                at.pop();
            }
            Node::Leaf(_) => {}
        }
    }
}

impl Kind {
    /// The kind in words: `… is not {this}`.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Text => "text".to_owned(),
            Self::Integer { min, max } => format!("an integer from {min} to {max}"),
            Self::Number => "a number".to_owned(),
            Self::Flag => "true or false".to_owned(),
            Self::Choice(words) => {
                let words: Vec<_> = words.iter().map(|(word, _)| word.as_str()).collect();
                format!("one of {}", words.join(", "))
            }
            Self::List(of) => format!("a list, each {}", of.describe()),
            Self::Any => "a value".to_owned(),
        }
    }

    /// Whether a value of this kind can carry a secret; a number of tokens cannot.
    fn can_be_secret(&self) -> bool {
        match self {
            Self::Text | Self::Any => true,
            Self::List(of) => of.can_be_secret(),
            Self::Integer { .. } | Self::Number | Self::Flag | Self::Choice(_) => false,
        }
    }
}

struct Reader<'a> {
    root: &'a Value,
}

impl Reader<'_> {
    fn entry(&self, schema: &Value, name: &str, depth: usize) -> Entry {
        let chain = self.chain(schema);
        let doc = chain
            .iter()
            .find_map(|schema| schema["description"].as_str());
        let node = match chain.last() {
            Some(last) if depth < MAX_DEPTH => self.node(last, depth),
            _ => Node::Leaf(Kind::Any),
        };
        let marked = chain
            .iter()
            .any(|schema| schema["secret"] == Value::Bool(true));
        let secret = match &node {
            Node::Leaf(kind) => marked || (kind.can_be_secret() && is_secret_name(name)),
            Node::Map(_) | Node::Table(_) => marked,
        };
        let mut entry = Entry {
            node,
            doc: doc.unwrap_or_default().to_owned(),
            secret,
        };
        if secret {
            spread_secrecy(&mut entry);
        }
        entry
    }

    /// A schema and what it refers to, to the end: `$ref`, and the one alternative that is not
    /// null of an `Option`.
    fn chain<'s>(&'s self, schema: &'s Value) -> Vec<&'s Value> {
        let mut chain = vec![schema];
        let mut schema = schema;
        while let Some(next) = self.target(schema)
            && chain.len() < MAX_DEPTH
        {
            chain.push(next);
            schema = next;
        }
        chain
    }

    fn target<'s>(&'s self, schema: &'s Value) -> Option<&'s Value> {
        if let Some(reference) = schema["$ref"].as_str() {
            return self.root.pointer(reference.strip_prefix('#')?);
        }
        for word in ["anyOf", "oneOf", "allOf"] {
            let Some(alternatives) = schema[word].as_array() else {
                continue;
            };
            let mut solid = alternatives.iter().filter(|one| one["type"] != "null");
            if let (Some(only), None) = (solid.next(), solid.next())
                && only.get("const").is_none()
            {
                return Some(only);
            }
        }
        None
    }

    fn node(&self, schema: &Value, depth: usize) -> Node {
        if let Some(properties) = schema["properties"].as_object() {
            let entries = properties
                .iter()
                .map(|(name, schema)| (name.clone(), self.entry(schema, name, depth + 1)))
                .collect();
            return Node::Table(entries);
        }
        if schema["additionalProperties"].is_object() {
            let of = self.entry(&schema["additionalProperties"], "", depth + 1);
            return Node::Map(Box::new(of));
        }
        Node::Leaf(self.kind(schema, depth))
    }

    fn kind(&self, schema: &Value, depth: usize) -> Kind {
        if let Some(words) = choice(schema) {
            return Kind::Choice(words);
        }
        match type_name(schema) {
            Some("string") => Kind::Text,
            Some("integer") => integer(schema),
            Some("number") => Kind::Number,
            Some("boolean") => Kind::Flag,
            Some("array") if depth < MAX_DEPTH => {
                match self.entry(&schema["items"], "", depth + 1).node {
                    Node::Leaf(kind) => Kind::List(Box::new(kind)),
                    Node::Table(_) | Node::Map(_) => Kind::List(Box::new(Kind::Any)),
                }
            }
            _ => Kind::Any,
        }
    }
}

/// What stands inside a secret is secret too.
fn spread_secrecy(entry: &mut Entry) {
    entry.secret = true;
    match &mut entry.node {
        Node::Table(entries) => entries
            .iter_mut()
            .for_each(|(_, child)| spread_secrecy(child)),
        Node::Map(child) => spread_secrecy(child),
        Node::Leaf(_) => {}
    }
}

/// Names that are secret without being marked: `password`, `jwt_secret`, `api_key`, `tokens`.
pub(super) fn is_secret_name(name: &str) -> bool {
    let name = name.to_lowercase();
    let name = name.strip_suffix('s').unwrap_or(&name);
    ["password", "secret", "token", "key"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

fn type_name(schema: &Value) -> Option<&str> {
    match &schema["type"] {
        Value::String(name) => Some(name),
        Value::Array(names) => names
            .iter()
            .filter_map(Value::as_str)
            .find(|name| *name != "null"),
        _ => None,
    }
}

/// The words of an enum of unit variants: one `enum`, or a `oneOf` of `const`s with docs.
fn choice(schema: &Value) -> Option<Vec<(String, String)>> {
    let doc = |schema: &Value| {
        schema["description"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    if let Some(words) = schema["enum"].as_array() {
        let words = words.iter().filter(|word| !word.is_null());
        return words
            .map(|word| Some((word.as_str()?.to_owned(), String::new())))
            .collect();
    }
    let mut words = Vec::new();
    for alternative in schema["oneOf"].as_array()? {
        match alternative["const"].as_str() {
            Some(word) => words.push((word.to_owned(), doc(alternative))),
            None => words.extend(choice(alternative)?),
        }
    }
    Some(words)
}

fn integer(schema: &Value) -> Kind {
    let (min, max) = match schema["format"].as_str() {
        Some("uint8") => (0, i128::from(u8::MAX)),
        Some("uint16") => (0, i128::from(u16::MAX)),
        Some("uint32") => (0, i128::from(u32::MAX)),
        Some("uint" | "uint64") => (0, i128::from(u64::MAX)),
        Some("int8") => (i128::from(i8::MIN), i128::from(i8::MAX)),
        Some("int16") => (i128::from(i16::MIN), i128::from(i16::MAX)),
        Some("int32") => (i128::from(i32::MIN), i128::from(i32::MAX)),
        _ => (i128::from(i64::MIN), i128::from(i64::MAX)),
    };
    let bound = |name: &str| {
        let value = &schema[name];
        value
            .as_i64()
            .map(i128::from)
            .or_else(|| value.as_u64().map(i128::from))
    };
    let (lowest, highest) = (bound("minimum"), bound("maximum"));
    Kind::Integer {
        min: lowest.map_or(min, |low| low.max(min)),
        max: highest.map_or(max, |high| high.min(max)),
    }
}
