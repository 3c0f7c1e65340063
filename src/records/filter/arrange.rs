//! Which rows a part of a condition speaks of. A row fulfils a condition when some combination of the
//! rows that its paths lead to does; each part gets the smallest combination that its comparisons
//! share, so the number of combinations does not multiply with every path.

use mito_database::Value;

use crate::filter::{
    ast::Operator,
    plan::{Expression, JoinId, Leaf, Node, Plan, ROOT},
    values::{Affinity, Side, holds},
};

/// A set of joins; there are at most 64.
pub(crate) type Joins = u64;

/// A condition with the rows that its parts speak of.
#[derive(Debug)]
pub(crate) enum Step<'p> {
    All(Vec<Step<'p>>),
    Any(Vec<Step<'p>>),
    Leaf(&'p Leaf),
    /// Some combination of the rows of these joins fulfils the inner condition.
    Exists {
        joins: Vec<JoinId>,
        body: Box<Step<'p>>,
    },
}

/// Arranges the condition of a plan.
pub(crate) fn arrange<'p>(plan: &'p Plan<'_>) -> Step<'p> {
    part(plan, &plan.condition, bit(ROOT))
}

/// The set that holds one join.
pub(crate) fn bit(join: JoinId) -> Joins {
    1 << join
}

/// The joins of a set, parents first.
pub(crate) fn members(joins: Joins) -> Vec<JoinId> {
    (0..64).filter(|join| joins & bit(*join) != 0).collect()
}

/// The join and all whose values it depends on.
pub(crate) fn with_parents(plan: &Plan<'_>, join: JoinId) -> Joins {
    let mut all = bit(join);
    let mut next = plan.joins[join].parent();
    while let Some(parent) = next {
        all |= bit(parent);
        next = plan.joins[parent].parent();
    }
    all
}

/// The join and all that depend on its values.
fn with_children(plan: &Plan<'_>, join: JoinId) -> Joins {
    let ids = 0..plan.joins.len();
    ids.filter(|other| with_parents(plan, *other) & bit(join) != 0)
        .fold(0, |all, other| all | bit(other))
}

fn needs(plan: &Plan<'_>, node: &Node) -> Joins {
    match node {
        Node::All(parts) | Node::Any(parts) => {
            parts.iter().fold(0, |all, part| all | needs(plan, part))
        }
        Node::Leaf(leaf) => {
            let mut all = 0;
            leaf.joins(&mut |join| all |= with_parents(plan, join));
            all
        }
    }
}

fn part<'p>(plan: &Plan<'_>, node: &'p Node, bound: Joins) -> Step<'p> {
    match node {
        Node::All(parts) => Step::All(parts_of(plan, parts, bound, Step::All)),
        Node::Any(parts) => Step::Any(parts_of(plan, parts, bound, Step::Any)),
        Node::Leaf(leaf) => {
            let free = needs(plan, node) & !bound;
            if free == 0 {
                return Step::Leaf(leaf);
            }
            Step::Exists {
                joins: members(free),
                body: Box::new(Step::Leaf(leaf)),
            }
        }
    }
}

/// Parts that share rows are brought together under one choice of those rows.
fn parts_of<'p>(
    plan: &Plan<'_>,
    parts: &'p [Node],
    bound: Joins,
    together: fn(Vec<Step<'p>>) -> Step<'p>,
) -> Vec<Step<'p>> {
    let free: Vec<Joins> = parts
        .iter()
        .map(|node| needs(plan, node) & !bound)
        .collect();
    let mut done = vec![false; parts.len()];
    let mut steps = Vec::new();
    for first in 0..parts.len() {
        if done[first] {
            continue;
        }
        let mut group = vec![first];
        let mut all = free[first];
        done[first] = true;
        while let Some(next) =
            (first + 1..parts.len()).find(|next| !done[*next] && free[*next] & all != 0)
        {
            done[next] = true;
            all |= free[next];
            group.push(next);
        }
        if let [single] = group[..] {
            steps.push(part(plan, &parts[single], bound));
            continue;
        }
        let shared = shared(group.iter().map(|member| free[*member]));
        let body = group
            .iter()
            .map(|member| part(plan, &parts[*member], bound | shared))
            .collect();
        steps.push(Step::Exists {
            joins: members(shared),
            body: Box::new(together(body)),
        });
    }
    steps
}

/// What is in more than one of the sets.
fn shared(sets: impl Iterator<Item = Joins>) -> Joins {
    let (mut once, mut more) = (0, 0);
    for set in sets {
        more |= once & set;
        once |= set;
    }
    more
}

/// The joins without a row of which the condition cannot hold.
pub(crate) fn required(plan: &Plan<'_>, joins: &[JoinId], body: &Step<'_>) -> Joins {
    joins
        .iter()
        .filter(|join| !could_hold(body, with_children(plan, **join)))
        .fold(0, |all, join| all | bit(*join))
}

fn could_hold(step: &Step<'_>, missing: Joins) -> bool {
    match step {
        Step::All(parts) => parts.iter().all(|part| could_hold(part, missing)),
        Step::Any(parts) => parts.iter().any(|part| could_hold(part, missing)),
        Step::Exists { body, .. } => could_hold(body, missing),
        Step::Leaf(leaf) => {
            let guarded = leaf
                .shown_emails
                .iter()
                .any(|account| missing & bit(*account) != 0);
            !guarded && outcomes(leaf, missing, missing).0
        }
    }
}

/// The joins of a side's chain without a row of which the comparison cannot fail.
pub(crate) fn required_to_fail(plan: &Plan<'_>, leaf: &Leaf, left: bool) -> Joins {
    let side = if left { &leaf.left } else { &leaf.right };
    side.chain
        .iter()
        .filter(|join| {
            let missing = with_children(plan, **join);
            let (left, right) = if left { (missing, 0) } else { (0, missing) };
            !outcomes(leaf, left, right).1
        })
        .fold(0, |all, join| all | bit(*join))
}

/// Whether the comparison can be true, and whether it can be false, when rows are missing on its
/// sides.
fn outcomes(leaf: &Leaf, left_missing: Joins, right_missing: Joins) -> (bool, bool) {
    let left = known(&leaf.left.expression, left_missing);
    let right = known(&leaf.right.expression, right_missing);
    match (left, right) {
        (Some(left), Some(right)) => {
            let side = |value, operand: &crate::filter::plan::Operand| Side {
                value,
                affinity: Affinity::None,
                exact: operand.exact,
                plain: operand.plain,
                constant: operand.constant().is_some(),
            };
            let (first, second) = (side(&left, &leaf.left), side(&right, &leaf.right));
            let only_nulls = [&leaf.left, &leaf.right]
                .iter()
                .zip([&left, &right])
                .all(|(operand, value)| operand.constant().is_some() || *value == Value::Null);
            match holds(first, leaf.operator, second) {
                // Without their affinities numbers and texts are not told apart rightly.
                Some(_) if !only_nulls => (true, true),
                Some(truth) => (truth, !truth),
                None => (false, false),
            }
        }
        (Some(Value::Null), None) | (None, Some(Value::Null)) => {
            let tells = matches!(leaf.operator, Operator::Equal | Operator::NotEqual);
            (tells, tells)
        }
        _ => (true, true),
    }
}

/// The value of an expression, if it is known when those rows are missing.
fn known(expression: &Expression, missing: Joins) -> Option<Value> {
    match expression {
        Expression::Value(value) => Some(value.clone()),
        Expression::Column { join, .. }
        | Expression::Element { join }
        | Expression::Json { join, .. } => (missing & bit(*join) != 0).then_some(Value::Null),
        Expression::Lower(inner) => known(inner, missing).filter(|value| *value == Value::Null),
        Expression::Distance(points) => points
            .iter()
            .find_map(|point| known(point, missing).filter(|value| *value == Value::Null)),
        Expression::Time { at, .. } => known(at, missing).filter(|value| *value == Value::Null),
        Expression::Length { .. } | Expression::Holds(_) => None,
    }
}
