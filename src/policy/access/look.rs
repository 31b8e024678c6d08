//! What is left of an entity when only what is read of it counts.
//!
//! Entities with equal looks can be exchanged, but for those whose name matters (`names`): they
//! keep it, and so look like nobody else.

use std::collections::BTreeSet;

use cedar_policy::{Context, EvalResult};
use indexmap::IndexSet;

use super::reads::Footprint;
use crate::model::Str;
use crate::policy::world::{Shape, ShapeId, Type, Uid, Value, World};

/// The number of a look among all that occur in either world.
pub(super) type LookId = usize;

/// One entity, or many that nobody can tell apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Look<'a> {
    pub ty: Type,
    pub name: Option<&'a Str>,
    attributes: Vec<(&'static str, &'a Value)>,
    tags: Vec<(&'a Str, &'a Str)>,
    parents: Option<&'a BTreeSet<Uid>>,
}

impl<'a> Look<'a> {
    pub(super) fn of(
        ty: Type,
        name: Option<&'a Str>,
        shape: &'a Shape,
        footprint: &Footprint,
    ) -> Self {
        let Shape { attributes, tags, parents } = shape;
        let whole = Self {
            ty,
            name,
            attributes: attributes.iter().map(|(name, value)| (*name, value)).collect(),
            tags: tags.iter().map(|(key, value)| (key, value)).collect(),
            parents: Some(parents),
        };
        whole.narrowed(footprint)
    }

    /// What is left when less is read.
    pub(super) fn narrowed(&self, footprint: &Footprint) -> Self {
        let Self { ty, name, attributes, tags, parents } = self;
        let attributes =
            attributes.iter().filter(|(name, _)| footprint.attributes.contains(*name)).copied();
        let tags = tags
            .iter()
            .filter(|(key, _)| footprint.all_tags || footprint.tags.contains(key.as_str()))
            .copied();
        Self {
            ty: *ty,
            name: *name,
            attributes: attributes.collect(),
            tags: tags.collect(),
            parents: parents.filter(|parents| footprint.hierarchy && !parents.is_empty()),
        }
    }
}

/// Those whose name matters.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Policies or contexts name them, or entities refer to them where that is read.
    pub all: BTreeSet<Uid>,
    /// Something could be read of them while a policy is asked about someone else.
    pub opened: BTreeSet<Uid>,
}

impl Names {
    /// Adds whom the context names.
    pub(super) fn mention(&mut self, context: &Context) {
        let keys = context.clone().into_iter().map(|(key, _)| key);
        let mut values: Vec<EvalResult> = keys.filter_map(|key| context.get(&key)).collect();
        while let Some(value) = values.pop() {
            match value {
                EvalResult::EntityUid(uid) => {
                    let uid = Uid::from_cedar(&uid);
                    self.all.extend(uid.clone());
                    self.opened.extend(uid);
                }
                EvalResult::Set(set) => values.extend(set.iter().cloned()),
                EvalResult::Record(record) => {
                    values.extend(record.iter().map(|(_, value)| value.clone()));
                }
                EvalResult::Bool(_)
                | EvalResult::Long(_)
                | EvalResult::String(_)
                | EvalResult::ExtensionValue(_) => {}
            }
        }
    }

    /// Adds whom entities refer to, where that is read.
    pub(super) fn refer(&mut self, world: &World, footprint: &Footprint) {
        let mut add = |uid: &Uid| {
            if !self.opened.contains(uid) {
                self.opened.insert(uid.clone());
                self.all.insert(uid.clone());
            }
        };
        for shape in
            (0..world.shapes_len()).filter_map(|at| world.shape(ShapeId(u32::try_from(at).ok()?)))
        {
            if footprint.hierarchy {
                shape.parents.iter().for_each(&mut add);
            }
            for (name, value) in &shape.attributes {
                match value {
                    Value::One(uid) if footprint.attributes.contains(*name) => add(uid),
                    Value::Set(uids) if footprint.attributes.contains(*name) => {
                        uids.iter().for_each(&mut add);
                    }
                    Value::One(_)
                    | Value::Set(_)
                    | Value::Bool(_)
                    | Value::Long(_)
                    | Value::Text(_)
                    | Value::Texts(_) => {}
                }
            }
        }
    }

    /// What could be read of others than whom a policy is asked about is the same in both worlds.
    pub(super) fn same_background(
        &self,
        worlds: [Option<&World>; 2],
        footprint: &Footprint,
    ) -> bool {
        let [Some(before), Some(after)] = worlds else { return true };
        self.opened.iter().all(|uid| {
            let [before, after] = [before, after].map(|world| {
                let shape = world.shape_of(uid).and_then(|id| world.shape(id))?;
                Some(Look::of(uid.ty, None, shape, footprint))
            });
            before == after
        })
    }
}

/// Looks of one kind, numbered as they come up.
pub(super) type Looks<'a> = IndexSet<Look<'a>>;
