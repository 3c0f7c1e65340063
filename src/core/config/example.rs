//! The example `mito.toml`: every option with its doc comment and default, all commented out.
//! `#key = value` (no blank after `#`) is an option, `# text` an explanation.

use std::fmt::Write as _;

use serde_json::Value;

use super::{
    schema::{Entry, Kind, Node, PLACEHOLDER},
    value::{key_to_toml, to_toml},
};

/// Where explanations are wrapped, in columns.
const WIDTH: usize = 98;

/// Writes the options of a table and of those below it.
pub(super) fn write(options: &Entry, defaults: &Value) -> String {
    let mut text = String::new();
    table(&mut text, options, defaults, &mut Vec::new(), true);
    text
}

/// `real` is false below a key that the user would choose: such tables are only explained.
fn table(text: &mut String, entry: &Entry, defaults: &Value, at: &mut Vec<String>, real: bool) {
    let Node::Table(entries) = &entry.node else {
        return;
    };
    let mark = if real { "#" } else { "# " };
    for (name, child) in entries {
        let Node::Leaf(kind) = &child.node else {
            continue;
        };
        explain(text, &child.doc);
        explain_words(text, kind);
        let default = &defaults[name.as_str()];
        let key = key_to_toml(name);
        let _ = match default {
            Value::Null => writeln!(text, "# {key} has no default: {}", kind.describe()),
            _ if child.secret => writeln!(text, "{mark}{key} = \"\""),
            _ => writeln!(text, "{mark}{key} = {}", to_toml(default)),
        };
        text.push('\n');
    }
    for (name, child) in entries {
        at.push(key_to_toml(name));
        nested(text, child, &defaults[name.as_str()], at, real);
        at.pop();
    }
}

fn nested(text: &mut String, entry: &Entry, defaults: &Value, at: &mut Vec<String>, real: bool) {
    match &entry.node {
        Node::Leaf(_) => {}
        Node::Table(_) => {
            explain(text, &entry.doc);
            let _ = writeln!(
                text,
                "{}[{}]\n",
                if real { "#" } else { "# " },
                at.join(".")
            );
            table(text, entry, defaults, at, real);
        }
        Node::Map(of) => {
            explain(text, &entry.doc);
            let mark = if real { "#" } else { "# " };
            match &of.node {
                Node::Leaf(kind) => {
                    let _ = writeln!(text, "{mark}[{}]", at.join("."));
                    let _ = writeln!(text, "# {PLACEHOLDER} = {}", kind.describe());
                    for (key, value) in defaults.as_object().into_iter().flatten() {
                        let _ = writeln!(text, "{mark}{} = {}", key_to_toml(key), to_toml(value));
                    }
                    text.push('\n');
                }
                Node::Table(_) | Node::Map(_) => {
                    at.push(PLACEHOLDER.to_owned());
                    nested(text, of, &Value::Null, at, false);
                    at.pop();
                    for (key, value) in defaults.as_object().into_iter().flatten() {
                        at.push(key_to_toml(key));
                        nested(text, of, value, at, real);
                        at.pop();
                    }
                }
            }
        }
    }
}

fn explain_words(text: &mut String, kind: &Kind) {
    let Kind::Choice(words) = kind else { return };
    for (word, doc) in words {
        explain(
            text,
            &format!("- {}: {doc}", to_toml(&word.as_str().into())),
        );
    }
}

/// Writes a doc comment as `# ` lines, one paragraph after another.
fn explain(text: &mut String, doc: &str) {
    for paragraph in doc
        .split("\n\n")
        .filter(|paragraph| !paragraph.trim().is_empty())
    {
        let mut column = 0;
        for word in paragraph.split_whitespace() {
            if column == 0 || column + 1 + word.chars().count() > WIDTH {
                text.push_str(if column == 0 { "#" } else { "\n#" });
                column = 1;
            }
            text.push(' ');
            text.push_str(word);
            column += 1 + word.chars().count();
        }
        text.push('\n');
    }
}
