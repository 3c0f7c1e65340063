//! HTML into a tree, stopping at pages that are made to exhaust the parser.
//!
//! An HTML parser walks its stack of open elements again and again, and opens formatting elements
//! (`<b>`, `<a>`, …) anew in every block that they reach into, so a few kilobytes of tags can cost
//! it hours or gigabytes, and whoever walks the tree later can run out of stack. What a page costs
//! cannot be told from its text without being a parser, so the limits stand in the sink that the
//! parser builds its tree through. The parser cannot be told to stop; the sink unwinds out of it.

use std::{
    any::Any,
    borrow::Cow,
    cell::{Cell, Ref},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    time::{Duration, Instant},
};

use dom_query::{Document, NodeId};
use html5ever::{
    Attribute, ParseOpts, QualName,
    interface::{ElementFlags, NodeOrText, QuirksMode, TreeSink},
    parse_document,
    tendril::{StrTendril, TendrilSink as _},
    tree_builder::TreeBuilderOpts,
};

/// The deepest nesting that is parsed; pages written for people stay far below.
const MAX_DEPTH: usize = 200;
/// The most elements that are made.
const MAX_ELEMENTS: usize = 400_000;
/// The most `template` elements, whose content starts a tree of its own.
const MAX_TEMPLATES: usize = 100;
/// How long parsing may take: what no other limit catches (a tag with a million attributes).
const TIME_LIMIT: Duration = Duration::from_secs(10);
/// How much is parsed between two looks at the time, in bytes.
const CHUNK_BYTES: usize = 4 * 1_024;

/// Why a page was not parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TooHeavy {
    /// Its elements are nested too deeply.
    Depth,
    /// It has too many elements.
    Elements,
    /// It takes too long.
    Time,
    /// The parser gave up.
    Parser,
}

/// Parses a page within the limits.
pub(crate) fn parse(html: &str) -> Result<Document, TooHeavy> {
    // Nothing that the closure touches outlives a panic in it.
    catch_unwind(AssertUnwindSafe(|| parse_in_chunks(html))).unwrap_or_else(|reason| {
        Err(Box::<dyn Any + Send>::downcast::<TooHeavy>(reason).map_or(TooHeavy::Parser, |it| *it))
    })
}

fn parse_in_chunks(html: &str) -> Result<Document, TooHeavy> {
    let options = ParseOpts {
        tree_builder: TreeBuilderOpts {
            scripting_enabled: false,
            ..TreeBuilderOpts::default()
        },
        ..ParseOpts::default()
    };
    let mut parser = parse_document(Sink::default(), options);
    let started = Instant::now();
    let mut rest = html;
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(rest.floor_char_boundary(CHUNK_BYTES));
        parser.process(StrTendril::from(chunk));
        rest = after;
        if started.elapsed() > TIME_LIMIT {
            return Err(TooHeavy::Time);
        }
    }
    Ok(parser.finish())
}

/// Builds a [`Document`] and leaves the parser when a limit is reached.
#[derive(Default)]
struct Sink {
    document: Document,
    elements: Cell<usize>,
    templates: Cell<usize>,
}

impl Sink {
    fn check_depth(&self, parent: NodeId) {
        let tree = &self.document.tree;
        if tree
            .ancestor_ids_of_it(&parent, Some(MAX_DEPTH + 1))
            .count()
            > MAX_DEPTH
        {
            leave(TooHeavy::Depth);
        }
    }
}

/// Unwinds to [`parse`] without calling the panic hook: this is no fault of the program.
fn leave(reason: TooHeavy) -> ! {
    resume_unwind(Box::new(reason))
}

impl TreeSink for Sink {
    type ElemName<'a> = Ref<'a, QualName>;
    type Handle = NodeId;
    type Output = Document;

    fn finish(self) -> Document {
        self.document
    }

    fn parse_error(&self, _message: Cow<'static, str>) {}

    fn get_document(&self) -> NodeId {
        self.document.get_document()
    }

    fn elem_name<'a>(&'a self, target: &'a NodeId) -> Ref<'a, QualName> {
        self.document.elem_name(target)
    }

    fn create_element(
        &self,
        name: QualName,
        attributes: Vec<Attribute>,
        flags: ElementFlags,
    ) -> NodeId {
        self.elements.set(self.elements.get() + 1);
        self.templates
            .set(self.templates.get() + usize::from(flags.template));
        if self.elements.get() > MAX_ELEMENTS || self.templates.get() > MAX_TEMPLATES {
            leave(TooHeavy::Elements);
        }
        self.document.create_element(name, attributes, flags)
    }

    fn create_comment(&self, text: StrTendril) -> NodeId {
        self.document.create_comment(text)
    }

    fn create_pi(&self, target: StrTendril, data: StrTendril) -> NodeId {
        self.document.create_pi(target, data)
    }

    fn append(&self, parent: &NodeId, child: NodeOrText<NodeId>) {
        self.check_depth(*parent);
        self.document.append(parent, child);
    }

    fn append_based_on_parent_node(
        &self,
        element: &NodeId,
        previous: &NodeId,
        child: NodeOrText<NodeId>,
    ) {
        self.check_depth(*element);
        self.check_depth(*previous);
        self.document
            .append_based_on_parent_node(element, previous, child);
    }

    fn append_doctype_to_document(&self, name: StrTendril, public: StrTendril, system: StrTendril) {
        self.document
            .append_doctype_to_document(name, public, system);
    }

    fn get_template_contents(&self, target: &NodeId) -> NodeId {
        self.document.get_template_contents(target)
    }

    fn same_node(&self, one: &NodeId, other: &NodeId) -> bool {
        one == other
    }

    fn set_quirks_mode(&self, mode: QuirksMode) {
        self.document.set_quirks_mode(mode);
    }

    fn append_before_sibling(&self, sibling: &NodeId, child: NodeOrText<NodeId>) {
        self.check_depth(*sibling);
        self.document.append_before_sibling(sibling, child);
    }

    fn add_attrs_if_missing(&self, target: &NodeId, attributes: Vec<Attribute>) {
        self.document.add_attrs_if_missing(target, attributes);
    }

    fn remove_from_parent(&self, target: &NodeId) {
        self.document.remove_from_parent(target);
    }

    fn reparent_children(&self, node: &NodeId, new_parent: &NodeId) {
        self.check_depth(*new_parent);
        self.document.reparent_children(node, new_parent);
    }

    fn is_mathml_annotation_xml_integration_point(&self, handle: &NodeId) -> bool {
        self.document
            .is_mathml_annotation_xml_integration_point(handle)
    }
}

#[cfg(test)]
mod tests {
    use super::{TooHeavy, parse};

    fn check(name: &str, html: &str, expected: Option<TooHeavy>) {
        assert_eq!(parse(html).err(), expected, "{name}");
    }

    #[test]
    fn ordinary_and_sloppy_pages_are_parsed() {
        check("empty", "", None);
        check("text", "no tags at all, 1 < 2", None);
        check("flat", &"<p>text</p>".repeat(10_000), None);
        check("unclosed paragraphs", &"<p>text".repeat(10_000), None);
        check("unclosed items", &"<ul><li>a<li>b</ul>".repeat(1_000), None);
        check(
            "unclosed cells",
            &"<table><tr><td>a<td>b<tr><td>c</table>".repeat(500),
            None,
        );
        check(
            "void elements",
            &"<br><img src='a>b'><hr/>".repeat(1_000),
            None,
        );
        check(
            "script",
            &format!("<script>{}</script>", "'<div>'".repeat(1_000)),
            None,
        );
        check(
            "comment",
            &format!("<!-- {} -->", "<div>".repeat(1_000)),
            None,
        );
        check("characters across chunks", &"é€😀".repeat(10_000), None);
    }

    #[test]
    fn pages_made_to_exhaust_the_parser_are_refused() {
        let depth = Some(TooHeavy::Depth);
        check("divs", &"<div>".repeat(100_000), depth);
        check(
            "spans in tables",
            &format!("<table>{}", "<span>".repeat(10_000)),
            depth,
        );
        check("lists", &"<ul><li>".repeat(10_000), depth);
        check(
            "a comment that ends early",
            &format!("<!-->{}", "<div>".repeat(300)),
            depth,
        );
        check(
            "svg",
            &format!("<svg><style>{}", "<g>".repeat(1_000)),
            depth,
        );
        let formatting: Vec<String> = (0..100).map(|n| format!("<b a={n}>")).collect();
        let bomb = format!("<p>{}{}", formatting.concat(), "<p>x".repeat(100_000));
        check(
            "formatting opened anew in every block",
            &bomb,
            Some(TooHeavy::Elements),
        );
        check(
            "templates",
            &"<template>".repeat(10_000),
            Some(TooHeavy::Elements),
        );
        check(
            "many elements",
            &"<br>".repeat(500_000),
            Some(TooHeavy::Elements),
        );
    }
}
