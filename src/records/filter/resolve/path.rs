//! Paths: `title`, `author.org.name`, `comments_via_post.author`, `meta.tags.0`,
//! `@collection.members:mine.room`, each perhaps with a modifier.

use crate::{
    collections::indexes::Index,
    fields::{FieldKind, Storage},
    filter::{
        MAX_RELATIONS, Problem,
        plan::{Definition, Expression, Join, JoinId, Operand, Source, is_list_kind},
        resolve::{Author, Found, Resolver, Site, unresolved},
    },
};

/// A path that is being followed.
pub(super) struct Walk {
    /// Where it has got to.
    pub(super) at: JoinId,
    /// The joins that it went through.
    pub(super) chain: Vec<JoinId>,
    /// Whether it has split.
    pub(super) many: bool,
}

impl<'a> Resolver<'a, '_> {
    /// The meaning of a name that begins at the rows of `base` or with `@collection.`.
    pub(super) fn path(&mut self, base: JoinId, name: &str, site: Site) -> Result<Found, Problem> {
        let Some(rest) = name.strip_prefix("@collection.") else {
            if name.starts_with('@') {
                return Err(unresolved(name));
            }
            let walk = Walk {
                at: base,
                chain: Vec::new(),
                many: false,
            };
            return self.follow(walk, name, name, site);
        };
        let (start, rest) = rest.split_once('.').ok_or_else(|| unresolved(name))?;
        let (collection, alias) = start.split_once(':').unwrap_or((start, ""));
        let found = self.schema.find(collection)?.ok_or_else(|| {
            invalid(format!(
                "failed to load collection {collection:?} from field path {name:?}"
            ))
        })?;
        let key = format!("{}@{}:{alias}", site.text, found.id);
        let join = Join {
            source: Source::All,
            collection: Some(Definition::Shared(found)),
        };
        let at = self.join(key, join)?;
        self.guard(at, site)?;
        let walk = Walk {
            at,
            chain: vec![at],
            many: true,
        };
        self.follow(walk, rest, name, site)
    }

    /// Follows the dotted `path`; `name` is what it belongs to.
    pub(super) fn follow(
        &mut self,
        mut walk: Walk,
        path: &str,
        name: &str,
        site: Site,
    ) -> Result<Found, Problem> {
        let steps: Vec<&str> = path.split('.').collect();
        let (last, before) = steps.split_last().ok_or_else(|| unresolved(name))?;
        let mut relations = 0;
        for (position, step) in before.iter().enumerate() {
            let collection = self.definition(walk.at);
            let field = collection
                .fields
                .iter()
                .position(|field| field.name == *step);
            let Some(field) = field else {
                relations += 1;
                self.back(&mut walk, step, relations, site)?;
                continue;
            };
            let definition = &collection.fields[field];
            if definition.is_hidden() && site.author == Author::Anybody {
                return Err(unresolved(name));
            }
            match definition.kind_of() {
                Some(FieldKind::Json | FieldKind::GeoPoint) => {
                    return json(walk, field, &steps[position + 1..], name);
                }
                Some(FieldKind::Relation)
                    if steps[position + 1..] == ["id"] && definition.storage() == Storage::Text =>
                {
                    return Ok(finish(
                        walk,
                        |join| Expression::Column { join, field },
                        false,
                    ));
                }
                Some(FieldKind::Relation) => {
                    relations += 1;
                    self.related(&mut walk, field, relations, name, site)?;
                }
                _ => return Err(invalid(format!("field {step:?} is not a valid relation"))),
            }
        }
        self.field(walk, last, site)
    }

    pub(super) fn definition(&self, join: JoinId) -> Definition<'a> {
        let collection = self.joins[join].collection.clone();
        collection.expect("paths lead through rows")
    }

    fn related(
        &mut self,
        walk: &mut Walk,
        field: usize,
        relations: usize,
        name: &str,
        site: Site,
    ) -> Result<(), Problem> {
        let collection = self.definition(walk.at);
        let definition = &collection.fields[field];
        within_limit(relations, &definition.name)?;
        let target = self.schema.find(definition.text_option("collectionId"))?;
        let target = Definition::Shared(target.ok_or_else(|| unresolved(name))?);
        let parent = walk.at;
        let source = if definition.storage() == Storage::List {
            let parent = self.elements(walk, field, site)?;
            Source::OfElement { parent }
        } else {
            Source::Related { parent, field }
        };
        let key = format!("{}>{parent}.{}", site.text, definition.name);
        let join = Join {
            source,
            collection: Some(target),
        };
        walk.at = self.join(key, join)?;
        walk.chain.push(walk.at);
        self.guard(walk.at, site)
    }

    /// The join to the values of a list; leaves `walk.at` where it is.
    fn elements(&mut self, walk: &mut Walk, field: usize, site: Site) -> Result<JoinId, Problem> {
        let parent = walk.at;
        let collection = self.definition(parent);
        let definition = &collection.fields[field];
        let key = format!("{}[{parent}.{}", site.text, definition.name);
        let join = Join {
            source: Source::Elements { parent, field },
            collection: None,
        };
        let id = self.join(key, join)?;
        walk.chain.push(id);
        walk.many |= definition.storage() == Storage::List;
        Ok(id)
    }

    /// `comments_via_post`: the comments whose field `post` points here.
    fn back(
        &mut self,
        walk: &mut Walk,
        step: &str,
        relations: usize,
        site: Site,
    ) -> Result<(), Problem> {
        let (collection, via) = step.split_once("_via_").ok_or_else(|| unresolved(step))?;
        within_limit(relations, step)?;
        let here = self.definition(walk.at);
        let target = self.schema.find(collection)?.ok_or_else(|| {
            invalid(format!(
                "failed to load back relation field {step:?} collection"
            ))
        })?;
        let missing = || invalid(format!("missing back relation field {via:?}"));
        let field = target.fields.iter().position(|field| field.name == via);
        let field = field.ok_or_else(missing)?;
        let definition = &target.fields[field];
        if definition.is_hidden() && site.author == Author::Anybody {
            return Err(missing());
        }
        if definition.kind_of() != Some(FieldKind::Relation)
            || definition.text_option("collectionId") != here.id
        {
            return Err(invalid(format!(
                "invalid collection reference of a back relation field {via:?}"
            )));
        }
        let parent = walk.at;
        let at_most_one = definition.storage() == Storage::Text
            && target
                .indexes
                .iter()
                .any(|statement| is_unique(statement, via));
        let key = format!("{}<{parent}.{}.{via}", site.text, target.id);
        let join = Join {
            source: Source::Back { parent, field },
            collection: Some(Definition::Shared(target)),
        };
        walk.at = self.join(key, join)?;
        walk.chain.push(walk.at);
        walk.many |= !at_most_one;
        self.guard(walk.at, site)
    }

    /// The last step: a field, perhaps with a modifier.
    fn field(&mut self, mut walk: Walk, step: &str, site: Site) -> Result<Found, Problem> {
        let (step, modifier) = match step.split_once(':') {
            Some((step, modifier)) => (step, Some(modifier)),
            None => (step, None),
        };
        let collection = self.definition(walk.at);
        let field = collection
            .fields
            .iter()
            .position(|field| field.name == step)
            .ok_or_else(|| invalid(format!("unknown field {step:?}")))?;
        let definition = &collection.fields[field];
        let is_refused = match site.author {
            Author::Trusted => false,
            Author::Superuser => definition.is_secret(),
            Author::Anybody => definition.is_hidden() || definition.is_secret(),
        };
        if is_refused {
            return Err(invalid(format!("unknown field {step:?}")));
        }
        let hidden_email =
            site.author == Author::Anybody && collection.is_auth() && definition.name == "email";
        let email = hidden_email.then_some(walk.at);
        let is_json = definition.kind_of() == Some(FieldKind::Json);
        let plain = |join| {
            if is_json {
                let path = Vec::new();
                Expression::Json { join, field, path }
            } else {
                Expression::Column { join, field }
            }
        };
        let mut found = match modifier {
            Some("length") if is_list_kind(definition) => {
                finish(walk, |join| Expression::Length { join, field }, false)
            }
            Some("each") if is_list_kind(definition) => {
                walk.at = self.elements(&mut walk, field, site)?;
                finish(walk, |join| Expression::Element { join }, false)
            }
            Some("lower") => {
                let lowered = |join| Expression::Lower(Box::new(plain(join)));
                finish(walk, lowered, is_json)
            }
            None | Some("length" | "each" | "isset" | "changed") => finish(walk, plain, is_json),
            Some(modifier) => {
                let what = format!("{step}:{modifier}");
                return Err(invalid(format!("unknown modifier in {what:?}")));
            }
        };
        found.email = email;
        Ok(found)
    }
}

fn invalid(reason: String) -> Problem {
    Problem::Invalid(reason)
}

fn within_limit(relations: usize, field: &str) -> Result<(), Problem> {
    if relations <= MAX_RELATIONS {
        return Ok(());
    }
    Err(invalid(format!(
        "max nested relations reached for field {field:?}"
    )))
}

fn finish(walk: Walk, expression: impl FnOnce(JoinId) -> Expression, exact: bool) -> Found {
    let operand = Operand {
        expression: expression(walk.at),
        chain: if walk.many { walk.chain } else { Vec::new() },
        exact,
        plain: false,
    };
    operand.into()
}

/// What is inside a JSON value. The names of its parts have no modifiers.
fn json(walk: Walk, field: usize, rest: &[&str], name: &str) -> Result<Found, Problem> {
    let mut path = Vec::with_capacity(rest.len());
    for part in rest {
        let part = part.replace(':', "");
        let plain = |each: char| each.is_ascii_alphanumeric() || each == '_';
        if part.is_empty() || !part.chars().all(plain) {
            return Err(unresolved(name));
        }
        path.push(part);
    }
    Ok(finish(
        walk,
        |join| Expression::Json { join, field, path },
        true,
    ))
}

/// Whether the index lets every value of the column occur once.
fn is_unique(statement: &str, column: &str) -> bool {
    Index::parse(statement).is_ok_and(|index| {
        index.unique && index.columns.len() == 1 && index.columns[0].name == column
    })
}
