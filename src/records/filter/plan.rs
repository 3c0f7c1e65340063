//! What a filter or rule means for one collection and one request: fields instead of names, and the
//! rows that paths lead to as joins. The SQL of both engines and the evaluator are made of this.

use std::{ops::Deref, sync::Arc};

use mito_database::Value;

use crate::{
    Collection, Field,
    fields::{FieldKind, Storage},
    filter::{
        ast::Operator,
        values::{Affinity, Side, holds},
    },
};

/// A place in [`Plan::joins`]; the row that is asked about is at 0.
pub(crate) type JoinId = usize;

/// The row that is asked about.
pub(crate) const ROOT: JoinId = 0;

/// A condition and the rows that it speaks of.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    pub(crate) joins: Vec<Join<'a>>,
    pub(crate) condition: Node,
}

/// A definition, borrowed where the caller holds it anyway.
#[derive(Clone, Debug)]
pub(crate) enum Definition<'a> {
    Borrowed(&'a Collection),
    Shared(Arc<Collection>),
}

impl Deref for Definition<'_> {
    type Target = Collection;

    fn deref(&self) -> &Collection {
        match self {
            Self::Borrowed(collection) => collection,
            Self::Shared(collection) => collection,
        }
    }
}

/// Rows or values that a path leads to. Where there are none, a row of nulls stands in for them.
#[derive(Debug)]
pub(crate) struct Join<'a> {
    pub(crate) source: Source,
    /// Whose collection the rows are of; values have none.
    pub(crate) collection: Option<Definition<'a>>,
}

/// Where the rows or values of a join come from.
#[derive(Debug)]
pub(crate) enum Source {
    /// The row that is asked about.
    Root,
    /// The row whose id is in a field of the parent.
    Related { parent: JoinId, field: usize },
    /// The values of a list of the parent.
    Elements { parent: JoinId, field: usize },
    /// The row whose id is the value.
    OfElement { parent: JoinId },
    /// The rows whose field points at the parent.
    Back { parent: JoinId, field: usize },
    /// Every row of the collection.
    All,
    /// The rows with these ids.
    Picked { ids: Vec<String> },
    /// Values that came with the request.
    Given { values: Vec<String> },
}

impl Join<'_> {
    /// The join whose values this one depends on.
    pub(crate) fn parent(&self) -> Option<JoinId> {
        match self.source {
            Source::Related { parent, .. }
            | Source::Elements { parent, .. }
            | Source::OfElement { parent }
            | Source::Back { parent, .. } => Some(parent),
            Source::Root | Source::All | Source::Picked { .. } | Source::Given { .. } => None,
        }
    }

    /// A field of the collection whose rows these are.
    pub(crate) fn field(&self, field: usize) -> &Field {
        let collection = self.collection.as_deref();
        &collection.expect("rows have a collection").fields[field]
    }
}

/// A condition.
#[derive(Debug)]
pub(crate) enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Leaf(Box<Leaf>),
}

/// Two operands compared.
#[derive(Debug)]
pub(crate) struct Leaf {
    pub(crate) left: Operand,
    pub(crate) operator: Operator,
    /// One of several values is enough.
    pub(crate) any: bool,
    pub(crate) right: Operand,
    /// Accounts whose address is compared for somebody who may only see shown ones.
    pub(crate) shown_emails: Vec<JoinId>,
}

/// One side of a comparison.
#[derive(Debug)]
pub(crate) struct Operand {
    pub(crate) expression: Expression,
    /// The joins that lead to several values, outermost first; empty when there is one value.
    pub(crate) chain: Vec<JoinId>,
    /// Compared as it is, empty or not.
    pub(crate) exact: bool,
    /// Null is never taken for an empty text: values that came with the request.
    pub(crate) plain: bool,
}

/// A value, or how it is found.
#[derive(Debug)]
pub(crate) enum Expression {
    Value(Value),
    Column {
        join: JoinId,
        field: usize,
    },
    /// A value of a list.
    Element {
        join: JoinId,
    },
    Json {
        join: JoinId,
        field: usize,
        path: Vec<String>,
    },
    /// How many values a field holds.
    Length {
        join: JoinId,
        field: usize,
    },
    Lower(Box<Expression>),
    /// Kilometres between two points: longitude and latitude of both.
    Distance(Box<[Expression; 4]>),
    Time {
        format: String,
        at: Box<Expression>,
        modifiers: Vec<String>,
    },
    /// 1 when the comparison holds, 0 otherwise.
    Holds(Box<Leaf>),
}

impl Operand {
    /// A value that is known.
    pub(crate) fn value(value: Value) -> Self {
        Self {
            expression: Expression::Value(value),
            chain: Vec::new(),
            exact: false,
            plain: false,
        }
    }

    /// The value, when it is known before any row is seen.
    pub(crate) fn constant(&self) -> Option<&Value> {
        match &self.expression {
            Expression::Value(value) => Some(value),
            _ => None,
        }
    }
}

impl Expression {
    /// Calls `each` with every join that the expression reads.
    pub(crate) fn joins(&self, each: &mut dyn FnMut(JoinId)) {
        match self {
            Self::Value(_) => {}
            Self::Column { join, .. }
            | Self::Element { join }
            | Self::Json { join, .. }
            | Self::Length { join, .. } => each(*join),
            Self::Lower(inner) => inner.joins(each),
            Self::Distance(points) => points.iter().for_each(|point| point.joins(each)),
            Self::Time { at, .. } => at.joins(each),
            Self::Holds(leaf) => leaf.joins(each),
        }
    }

    /// What the expression turns the other side of a comparison into.
    pub(crate) fn affinity(&self, joins: &[Join<'_>]) -> Affinity {
        match self {
            Self::Column { join, field } => match joins[*join].field(*field).storage() {
                Storage::Number | Storage::Bool => Affinity::Number,
                Storage::Text | Storage::List | Storage::Json => Affinity::Text,
            },
            _ => Affinity::None,
        }
    }
}

impl Node {
    /// Whether the condition holds when every comparison with a field does.
    pub(crate) fn could_hold(&self) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(Self::could_hold),
            Self::Any(parts) => parts.iter().any(Self::could_hold),
            Self::Leaf(leaf) => leaf.constant() != Some(false),
        }
    }
}

impl Leaf {
    /// Whether the comparison holds, if that is known before any row is seen.
    pub(crate) fn constant(&self) -> Option<bool> {
        let (left, right) = (self.left.constant()?, self.right.constant()?);
        let side = |value, exact| Side {
            value,
            affinity: Affinity::None,
            exact,
            plain: false,
            constant: true,
        };
        let truth = holds(
            side(left, self.left.exact),
            self.operator,
            side(right, self.right.exact),
        );
        Some(truth == Some(true))
    }

    /// Calls `each` with every join that the comparison reads.
    pub(crate) fn joins(&self, each: &mut dyn FnMut(JoinId)) {
        self.left.expression.joins(each);
        self.right.expression.joins(each);
        self.shown_emails.iter().copied().for_each(each);
    }
}

/// Whether the field can hold several values, if its options say so.
pub(crate) fn is_list_kind(field: &Field) -> bool {
    matches!(
        field.kind_of(),
        Some(FieldKind::Select | FieldKind::File | FieldKind::Relation)
    )
}
