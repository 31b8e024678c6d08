//! A policy, taken apart.
//!
//! A policy is satisfied when all its conjuncts (scope, `when`, `unless`) are true; one that is
//! false or errs is enough for it not to be. So conjuncts can be judged one by one, and what is
//! known of the principal alone decides already whether the policy can matter for it.
//!
//! Most forbids forbid even where they err. One errs where the first of its conjuncts that is not true
//! does, so of these the order is kept ([`Order`]).

use std::collections::BTreeSet;
use std::sync::Arc;

use cedar_policy::pst::{
    self, ActionConstraint, BinaryOp, Clause, Effect, EntityOrSlot, EntityUID, Expr, Literal,
    PrincipalConstraint, ResourceConstraint, Template, UnaryOp, Var,
};
use cedar_policy::{Context, Entities, PolicyId};
use fixedbitset::FixedBitSet;
use indexmap::IndexSet;

use super::order::{End, Order, Turn};
use super::reads::{Footprint, Reads};
use super::{Refused, ask};
use crate::model::action::Action;
use crate::policy::judge::Failing;

/// What must hold for a policy to be satisfied, for actions for which that is the same.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    policy: PolicyId,
    effect: Effect,
    /// It forbids, even where it errs.
    is_closed: bool,
    pub actions: BTreeSet<Action>,
    /// The action, if the conjuncts still speak of it.
    only: Option<Action>,
    asked: Asked,
}

impl Draft {
    /// Satisfied alike, by the same triples of the actions that both are for.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        let Self { policy, effect, is_closed, actions: _, only, asked } = self;
        *policy == other.policy
            && *effect == other.effect
            && *is_closed == other.is_closed
            && *only == other.only
            && *asked == other.asked
    }
}

/// Conjuncts that are still to be asked, in order, and what those get to for whom all are true.
#[derive(Debug, Clone, PartialEq)]
struct Asked {
    conjuncts: Vec<Arc<Expr>>,
    end: End,
}

/// A policy as it was read.
#[derive(Debug)]
pub(super) struct Parsed {
    id: PolicyId,
    effect: Effect,
    is_closed: bool,
    conjuncts: Vec<Arc<Expr>>,
    pub reads: Reads,
}

impl Parsed {
    pub(super) fn of(policy: &cedar_policy::Policy, failing: Failing<'_>) -> Result<Self, Refused> {
        let is_closed = failing.forbids(policy);
        let id = policy.id().clone();
        let unknown = |what: String| Refused::Unknown { policy: id.clone(), what };
        let parsed = match policy.to_pst().map_err(|error| unknown(error.to_string()))? {
            pst::Policy::Static(parsed) if policy.template_id().is_none() => parsed,
            pst::Policy::Static(_) | pst::Policy::Linked(_) => {
                return Err(Refused::Linked { policy: id });
            }
        };
        let body = parsed.body();
        let conjuncts = conjuncts(body).map_err(unknown)?;
        let mut reads = Reads::default();
        for conjunct in &conjuncts {
            reads.absorb(Reads::of(conjunct).map_err(unknown)?);
        }
        Ok(Self { id: id.clone(), effect: body.effect, is_closed, conjuncts, reads })
    }

    /// What is left of it to ask once context and action are known. `background` holds whom
    /// policies name.
    pub(super) fn drafts(
        &self,
        actions: &BTreeSet<Action>,
        context: &Context,
        background: &Entities,
    ) -> Result<Vec<Draft>, Refused> {
        let mut drafts: Vec<Draft> = Vec::new();
        for &action in actions {
            let known = Known { action, context, background };
            let asked = known.remaining(&self.conjuncts)?;
            let can_matter = match asked.end {
                End::True => true,
                End::Error => self.is_closed,
                // One before that may err.
                End::False => self.is_closed && !asked.conjuncts.is_empty(),
            };
            if !can_matter {
                continue;
            }
            let speaks = asked.conjuncts.iter().any(|conjunct| reads(conjunct).action);
            let only = speaks.then_some(action);
            let found = drafts.iter_mut().find(|draft| draft.only == only && draft.asked == asked);
            if let Some(draft) = found {
                draft.actions.insert(action);
            } else {
                let (policy, effect, is_closed) = (self.id.clone(), self.effect, self.is_closed);
                let actions = BTreeSet::from([action]);
                drafts.push(Draft { policy, effect, is_closed, actions, only, asked });
            }
        }
        Ok(drafts)
    }
}

/// The conditions that must all be true, as written.
fn conjuncts(body: &Template) -> Result<Vec<Arc<Expr>>, String> {
    let clauses = body.clauses().iter().map(|clause| match clause {
        Clause::When(expr) => Arc::clone(expr),
        Clause::Unless(expr) => not(expr),
    });
    let resource = match body.resource.clone() {
        ResourceConstraint::Any => PrincipalConstraint::Any,
        ResourceConstraint::Eq(who) => PrincipalConstraint::Eq(who),
        ResourceConstraint::In(who) => PrincipalConstraint::In(who),
        ResourceConstraint::Is(ty) => PrincipalConstraint::Is(ty),
        ResourceConstraint::IsIn(ty, who) => PrincipalConstraint::IsIn(ty, who),
    };
    let action = match &body.action {
        ActionConstraint::Any => None,
        ActionConstraint::Eq(uid) => Some(binary(BinaryOp::Eq, Var::Action, literal(uid.clone()))),
        ActionConstraint::In(uids) => {
            let uids = uids.iter().cloned().map(|uid| Arc::new(literal(uid))).collect();
            Some(binary(BinaryOp::In, Var::Action, Expr::Set(uids)))
        }
    };
    // The action first: it is what most often settles it.
    let scope = [action, scope(Var::Principal, &body.principal)?, scope(Var::Resource, &resource)?];
    Ok(scope.into_iter().flatten().map(Arc::new).chain(clauses).collect())
}

fn scope(var: Var, constraint: &PrincipalConstraint) -> Result<Option<Expr>, String> {
    let whom = |who: &EntityOrSlot| match who {
        EntityOrSlot::Entity(uid) => Ok(literal(uid.clone())),
        EntityOrSlot::Slot(slot) => Err(slot.to_string()),
    };
    let is = |var, ty: &pst::EntityType, in_expr| Expr::Is {
        expr: Arc::new(Expr::Var(var)),
        entity_type: ty.clone(),
        in_expr,
    };
    Ok(match constraint {
        PrincipalConstraint::Any => None,
        PrincipalConstraint::Eq(who) => Some(binary(BinaryOp::Eq, var, whom(who)?)),
        PrincipalConstraint::In(who) => Some(binary(BinaryOp::In, var, whom(who)?)),
        PrincipalConstraint::Is(ty) => Some(is(var, ty, None)),
        PrincipalConstraint::IsIn(ty, who) => Some(is(var, ty, Some(Arc::new(whom(who)?)))),
    })
}

fn literal(uid: EntityUID) -> Expr {
    Expr::Literal(Literal::EntityUID(uid))
}

fn binary(op: BinaryOp, var: Var, right: Expr) -> Expr {
    Expr::BinaryOp { op, left: Arc::new(Expr::Var(var)), right: Arc::new(right) }
}

fn not(expr: &Arc<Expr>) -> Arc<Expr> {
    Arc::new(match truth(expr) {
        Some(value) => Expr::Literal(Literal::Bool(!value)),
        None => Expr::UnaryOp { op: UnaryOp::Not, expr: Arc::clone(expr) },
    })
}

const fn truth(expr: &Expr) -> Option<bool> {
    match expr {
        Expr::Literal(Literal::Bool(value)) => Some(*value),
        _ => None,
    }
}

/// What an expression of a policy reads that was walked already, so all in it is known.
fn reads(expr: &Expr) -> Reads {
    Reads::of(expr).unwrap_or_default()
}

/// What is known before anybody is asked about.
struct Known<'k> {
    action: Action,
    context: &'k Context,
    background: &'k Entities,
}

impl Known<'_> {
    /// The conjuncts that are still to be asked, up to the first that is not true for anybody.
    fn remaining(&self, conjuncts: &[Arc<Expr>]) -> Result<Asked, Refused> {
        let mut remaining = Vec::new();
        for conjunct in conjuncts {
            split(&self.fold(conjunct)?, &mut remaining);
            remaining.retain(|conjunct| truth(conjunct) != Some(true));
            let is_settled = |conjunct: &Arc<Expr>| {
                let reads = reads(conjunct);
                !reads.principal && !reads.resource
            };
            // What is settled and was not true is false or an error.
            if let Some(at) = remaining.iter().position(is_settled) {
                let end = remaining.get(at).and_then(|conjunct| truth(conjunct));
                remaining.truncate(at);
                let end = if end.is_some() { End::False } else { End::Error };
                return Ok(Asked { conjuncts: remaining, end });
            }
        }
        Ok(Asked { conjuncts: remaining, end: End::True })
    }

    /// The expression, with what needs neither principal nor resource decided.
    fn fold(&self, expr: &Arc<Expr>) -> Result<Arc<Expr>, Refused> {
        let reads = reads(expr);
        if !reads.principal && !reads.resource {
            return Ok(self.decide(expr)?.map_or_else(
                || Arc::clone(expr),
                |value| Arc::new(Expr::Literal(Literal::Bool(value))),
            ));
        }
        Ok(match expr.as_ref() {
            Expr::BinaryOp { op: op @ (BinaryOp::And | BinaryOp::Or), left, right } => {
                let left = self.fold(left)?;
                match truth(&left) {
                    Some(value) if value == (*op == BinaryOp::And) => self.fold(right)?,
                    Some(_) => left,
                    None => {
                        let right = self.fold(right)?;
                        Arc::new(Expr::BinaryOp { op: *op, left, right })
                    }
                }
            }
            Expr::UnaryOp { op: UnaryOp::Not, expr } => not(&self.fold(expr)?),
            Expr::IfThenElse { cond, then_expr, else_expr } => {
                let cond = self.fold(cond)?;
                match truth(&cond) {
                    Some(true) => self.fold(then_expr)?,
                    Some(false) => self.fold(else_expr)?,
                    None => Arc::new(Expr::IfThenElse {
                        cond,
                        then_expr: self.fold(then_expr)?,
                        else_expr: self.fold(else_expr)?,
                    }),
                }
            }
            _ => Arc::clone(expr),
        })
    }

    /// True, false, or an error.
    fn decide(&self, expr: &Arc<Expr>) -> Result<Option<bool>, Refused> {
        let request = ask::request(ask::nobody(), Some(self.action), ask::nobody(), self.context)?;
        let outcome = ask::Probes::new([(0, expr)])?.ask(&request, self.background);
        Ok(outcome.err.is_empty().then_some(!outcome.hold.is_empty()))
    }
}

/// Into conjuncts, each true if and only if the whole is.
fn split(expr: &Arc<Expr>, into: &mut Vec<Arc<Expr>>) {
    match expr.as_ref() {
        Expr::BinaryOp { op: BinaryOp::And, left, right } => {
            split(left, into);
            split(right, into);
        }
        Expr::UnaryOp { op: UnaryOp::Not, expr: inner } => match inner.as_ref() {
            Expr::BinaryOp { op: BinaryOp::Or, left, right } => {
                split(&not(left), into);
                split(&not(right), into);
            }
            _ => into.push(Arc::clone(expr)),
        },
        _ => into.push(Arc::clone(expr)),
    }
}

/// The operands of `&& || ! if`, at any depth.
fn leaves<'e>(expr: &'e Arc<Expr>, into: &mut Vec<&'e Arc<Expr>>) {
    match expr.as_ref() {
        Expr::BinaryOp { op: BinaryOp::And | BinaryOp::Or, left, right } => {
            leaves(left, into);
            leaves(right, into);
        }
        Expr::UnaryOp { op: UnaryOp::Not, expr } => leaves(expr, into),
        Expr::IfThenElse { cond, then_expr, else_expr } => {
            for part in [cond, then_expr, else_expr] {
                leaves(part, into);
            }
        }
        _ => into.push(expr),
    }
}

/// The side of a request that an expression reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Role {
    Principal,
    Resource,
}

pub(super) type AtomId = usize;
pub(super) type ViewId = usize;

/// Something to ask of one entity.
#[derive(Debug, Clone)]
pub(super) struct Atom {
    pub role: Role,
    pub expr: Arc<Expr>,
    pub view: ViewId,
}

/// What is read of entities by atoms that are asked together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct View {
    pub footprint: Footprint,
    pub action: Option<Action>,
}

/// What one role of a request is asked, for one policy.
#[derive(Debug, Clone, Default)]
pub(super) struct Part {
    /// All must hold.
    pub guards: BTreeSet<AtomId>,
    /// Leaves of mixed conjuncts: the outcome counts, whichever it is.
    pub leaves: BTreeSet<AtomId>,
}

/// What must hold for a policy to be satisfied, before and after.
#[derive(Debug)]
pub(super) struct Column {
    /// The actions that it applies to, before and after.
    pub actions: [BTreeSet<Action>; 2],
    pub principal: Part,
    pub resource: Part,
    /// What is read of both by the leaves that compare them.
    pub views: BTreeSet<ViewId>,
    /// Of a forbid that forbids even where it errs: what is asked one after the other.
    pub order: Option<Order>,
}

impl Column {
    /// Classes can say of it only what its leaves are, or where it is stopped, not whether it is satisfied.
    /// `errs` are the atoms that err for anybody.
    pub(super) fn is_mixed(&self, errs: &FixedBitSet) -> bool {
        !self.views.is_empty()
            || !self.principal.leaves.is_empty()
            || !self.resource.leaves.is_empty()
            || self.order.as_ref().is_some_and(|order| order.can_err(errs))
    }
}

fn part<'p>(role: Role, principal: &'p mut Part, resource: &'p mut Part) -> &'p mut Part {
    match role {
        Role::Principal => principal,
        Role::Resource => resource,
    }
}

/// Whether it only compares who is asked about: that never errs.
fn is_plain(leaf: &Expr) -> bool {
    let is_somebody = |expr: &Expr| {
        matches!(
            expr,
            Expr::Var(Var::Principal | Var::Resource) | Expr::Literal(Literal::EntityUID(_))
        )
    };
    match leaf {
        Expr::BinaryOp { op: BinaryOp::Eq | BinaryOp::NotEq | BinaryOp::In, left, right } => {
            is_somebody(left) && is_somebody(right)
        }
        _ => false,
    }
}

/// What a leaf of a mixed conjunct reads.
enum Leaf {
    One(Role, AtomId),
    Compares(ViewId),
    /// Neither: it is the same for everyone.
    ForEveryone,
}

/// All policies of both sides.
#[derive(Debug, Default)]
pub(super) struct Columns {
    pub all: Vec<Column>,
    pub atoms: Vec<Atom>,
    known: IndexSet<(Role, Option<Action>, String)>,
    pub views: IndexSet<View>,
}

impl Columns {
    /// Adds a policy as it is on these sides.
    pub(super) fn add(&mut self, draft: &Draft, actions: [BTreeSet<Action>; 2]) {
        let (mut principal, mut resource) = (Part::default(), Part::default());
        let (mut views, mut turns) = (BTreeSet::new(), Vec::new());
        for conjunct in &draft.asked.conjuncts {
            let reads = reads(conjunct);
            let role = match (reads.principal, reads.resource) {
                (true, false) => Role::Principal,
                (false, true) => Role::Resource,
                _ => {
                    let (mut parts, mut both) = (Vec::new(), BTreeSet::new());
                    leaves(conjunct, &mut parts);
                    let mut others = false;
                    for leaf in parts {
                        match self.leaf(leaf, draft.only) {
                            Leaf::One(role, atom) => {
                                let part = part(role, &mut principal, &mut resource);
                                part.leaves.insert(atom);
                                both.insert(atom);
                            }
                            Leaf::Compares(view) => {
                                views.insert(view);
                                others |= !is_plain(leaf);
                            }
                            Leaf::ForEveryone => others |= truth(leaf).is_none(),
                        }
                    }
                    turns.push(Turn::Both(both, others));
                    continue;
                }
            };
            let atom = self.atom(role, draft.only, conjunct);
            part(role, &mut principal, &mut resource).guards.insert(atom);
            turns.push(Turn::One(role, atom));
        }
        let order = draft.is_closed.then_some(Order { turns, end: draft.asked.end });
        self.all.push(Column { actions, principal, resource, views, order });
    }

    fn leaf(&mut self, leaf: &Arc<Expr>, only: Option<Action>) -> Leaf {
        let reads = reads(leaf);
        match (reads.principal, reads.resource) {
            (true, false) => Leaf::One(Role::Principal, self.atom(Role::Principal, only, leaf)),
            (false, true) => Leaf::One(Role::Resource, self.atom(Role::Resource, only, leaf)),
            (true, true) => Leaf::Compares(self.view(reads.footprint, None)),
            (false, false) => Leaf::ForEveryone,
        }
    }

    fn atom(&mut self, role: Role, only: Option<Action>, expr: &Arc<Expr>) -> AtomId {
        let reads = reads(expr);
        let action = only.filter(|_| reads.action);
        let (id, new) = self.known.insert_full((role, action, format!("{expr:?}")));
        if new {
            let view = self.view(reads.footprint, action);
            self.atoms.push(Atom { role, expr: Arc::clone(expr), view });
        }
        id
    }

    fn view(&mut self, footprint: Footprint, action: Option<Action>) -> ViewId {
        self.views.insert_full(View { footprint, action }).0
    }

    /// The views by which this draft compares principal and resource.
    pub(super) fn compares(draft: &Draft) -> impl Iterator<Item = Footprint> {
        let mut footprints = Vec::new();
        for conjunct in &draft.asked.conjuncts {
            let mut parts = Vec::new();
            leaves(conjunct, &mut parts);
            let both = parts.into_iter().map(|leaf| reads(leaf));
            footprints.extend(
                both.filter(|reads| reads.principal && reads.resource).map(|reads| reads.footprint),
            );
        }
        footprints.into_iter()
    }
}
