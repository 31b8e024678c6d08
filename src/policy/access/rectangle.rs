//! Answers: who may do what, as rectangles whose members are listed when asked for.

use std::sync::Arc;

use cedar_policy::PolicyId;

use super::classes::{ClassId, Classes};
use crate::model::action::Action;
use crate::policy::world::{Type, Uid};

/// Which of a rectangle's principals meet which of its resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pairing {
    /// Each principal, on each resource.
    All,
    /// Each principal, on each resource but itself: what `principal != resource` permits.
    Others,
    /// Each on itself alone: what `principal == resource` permits. Principals and resources are
    /// the same.
    Same,
}

/// These people, these actions, these resources.
#[derive(Debug, Clone)]
pub struct Rectangle {
    pub actions: Vec<Action>,
    pub pairing: Pairing,
    /// How many principals and resources there are.
    pub principals: u64,
    pub resources: u64,
    /// How many triples of a principal, an action and a resource.
    pub count: u64,
    /// The policies that decided, each for some of the triples at least, by id: for access that is
    /// there or was gained, as it is after; for access that was lost, as it was before.
    pub policies: Vec<PolicyId>,
    /// Which of the contexts that were asked about, from 0.
    pub context: usize,
    pub(super) principal_classes: Arc<[ClassId]>,
    pub(super) resource_classes: Arc<[ClassId]>,
}

/// Access: every allowed triple is in exactly one rectangle.
#[derive(Debug)]
pub struct Access<'a> {
    pub(super) rectangles: Vec<Rectangle>,
    /// By context.
    pub(super) classes: Arc<Vec<Classes<'a>>>,
}

impl Access<'_> {
    /// In a fixed order: by context, actions, and who comes first.
    pub fn rectangles(&self) -> &[Rectangle] {
        &self.rectangles
    }

    /// How many triples of a principal, an action and a resource, in all contexts.
    pub fn count(&self) -> u64 {
        self.rectangles.iter().map(|rectangle| rectangle.count).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.rectangles.is_empty()
    }

    /// The principals of one of these rectangles, by type and name.
    pub fn principals_of(&self, rectangle: &Rectangle) -> impl Iterator<Item = Uid> {
        self.members(rectangle.context, &rectangle.principal_classes)
    }

    /// The resources of one of these rectangles, by type and name.
    pub fn resources_of(&self, rectangle: &Rectangle) -> impl Iterator<Item = Uid> {
        self.members(rectangle.context, &rectangle.resource_classes)
    }

    /// The pairs of principal and resource of one of these rectangles; each may do all of its
    /// actions.
    pub fn pairs_of(&self, rectangle: &Rectangle) -> impl Iterator<Item = (Uid, Uid)> {
        let pairing = rectangle.pairing;
        let resources: Vec<Uid> = match pairing {
            Pairing::All | Pairing::Others => self.resources_of(rectangle).collect(),
            Pairing::Same => Vec::new(),
        };
        self.principals_of(rectangle).flat_map(move |principal| {
            let with = match pairing {
                Pairing::All => resources.clone(),
                Pairing::Others => {
                    resources.iter().filter(|resource| **resource != principal).cloned().collect()
                }
                Pairing::Same => vec![principal.clone()],
            };
            with.into_iter().map(move |resource| (principal.clone(), resource))
        })
    }

    /// How many of the principals of one of these rectangles have this type.
    pub fn principals_of_type(&self, rectangle: &Rectangle, ty: Type) -> u64 {
        self.count_of(rectangle.context, &rectangle.principal_classes, ty)
    }

    /// How many of the resources of one of these rectangles have this type.
    pub fn resources_of_type(&self, rectangle: &Rectangle, ty: Type) -> u64 {
        self.count_of(rectangle.context, &rectangle.resource_classes, ty)
    }

    fn count_of(&self, context: usize, ids: &[ClassId], ty: Type) -> u64 {
        self.classes.get(context).map_or(0, |classes| classes.len_of(ids, ty))
    }

    fn members(&self, context: usize, ids: &[ClassId]) -> impl Iterator<Item = Uid> {
        self.classes.get(context).into_iter().flat_map(|classes| classes.members(ids))
    }
}

/// What one side has that the other has not.
#[derive(Debug)]
pub struct Difference<'a> {
    pub gained: Access<'a>,
    pub lost: Access<'a>,
}
