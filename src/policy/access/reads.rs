//! What does an expression read?
//!
//! Every construct is named here. One that is not is an error, never a guess: the whole method
//! rests on knowing all that an expression can see.

use std::collections::BTreeSet;

use cedar_policy::pst::{BinaryOp, EntityUID, Expr, Literal, SmolStr, UnaryOp, Var};

use crate::policy::world::{Type, Uid};

/// What is read of entities, whoever they are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(super) struct Footprint {
    pub attributes: BTreeSet<SmolStr>,
    pub tags: BTreeSet<SmolStr>,
    /// A tag whose key is worked out could be any.
    pub all_tags: bool,
    /// Who is in whom.
    pub hierarchy: bool,
}

impl Footprint {
    pub(super) fn absorb(&mut self, other: &Self) {
        let Self { attributes, tags, all_tags, hierarchy } = other;
        self.attributes.extend(attributes.iter().cloned());
        self.tags.extend(tags.iter().cloned());
        self.all_tags |= all_tags;
        self.hierarchy |= hierarchy;
    }
}

/// All that an expression can see.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "one for each variable of the language")]
pub(super) struct Reads {
    pub principal: bool,
    pub action: bool,
    pub resource: bool,
    pub context: bool,
    pub footprint: Footprint,
    /// Entities that are named.
    pub named: BTreeSet<Uid>,
    /// Those of the named of which something is read.
    pub opened: BTreeSet<Uid>,
}

impl Reads {
    /// Of one expression, or what in it is unknown.
    pub(super) fn of(expr: &Expr) -> Result<Self, String> {
        let mut reads = Self::default();
        reads.walk(expr)?;
        Ok(reads)
    }

    pub(super) fn absorb(&mut self, other: Self) {
        let Self { principal, action, resource, context, footprint, named, opened } = other;
        self.principal |= principal;
        self.action |= action;
        self.resource |= resource;
        self.context |= context;
        self.footprint.absorb(&footprint);
        self.named.extend(named);
        self.opened.extend(opened);
    }

    fn walk(&mut self, expr: &Expr) -> Result<(), String> {
        match expr {
            Expr::Literal(Literal::EntityUID(uid)) => self.named.extend(ours(uid)),
            Expr::Literal(Literal::Bool(_) | Literal::Long(_) | Literal::String(_)) => {}
            Expr::Var(Var::Principal) => self.principal = true,
            Expr::Var(Var::Action) => self.action = true,
            Expr::Var(Var::Resource) => self.resource = true,
            Expr::Var(Var::Context) => self.context = true,
            Expr::UnaryOp { op, expr: operand } if known_unary(*op) => self.walk(operand)?,
            Expr::BinaryOp { op: BinaryOp::HasTag | BinaryOp::GetTag, left, right } => {
                self.open(left)?;
                self.walk(right)?;
                match right.as_ref() {
                    Expr::Literal(Literal::String(key)) => {
                        self.footprint.tags.insert(key.clone());
                    }
                    _ => self.footprint.all_tags = true,
                }
            }
            Expr::BinaryOp { op: BinaryOp::In, left, right } => {
                self.open(left)?;
                self.walk(right)?;
                self.footprint.hierarchy = true;
            }
            Expr::BinaryOp { op, left, right } if known_binary(*op) => {
                self.walk(left)?;
                self.walk(right)?;
            }
            Expr::GetAttr { expr: of, attr } => {
                self.open(of)?;
                self.footprint.attributes.insert(attr.clone());
            }
            Expr::HasAttr { expr: of, attrs } => {
                self.open(of)?;
                self.footprint.attributes.extend(attrs.iter().cloned());
            }
            Expr::Like { expr: text, pattern: _ } => self.walk(text)?,
            Expr::Is { expr: of, entity_type: _, in_expr: None } => self.walk(of)?,
            Expr::Is { expr: of, entity_type: _, in_expr: Some(above) } => {
                self.open(of)?;
                self.walk(above)?;
                self.footprint.hierarchy = true;
            }
            Expr::IfThenElse { cond, then_expr, else_expr } => {
                for part in [cond, then_expr, else_expr] {
                    self.walk(part)?;
                }
            }
            Expr::Set(parts) => parts.iter().try_for_each(|part| self.walk(part))?,
            Expr::Record(parts) => parts.values().try_for_each(|part| self.walk(part))?,
            unknown => return Err(unknown.to_string()),
        }
        Ok(())
    }

    /// An expression of whose value, an entity, something is read.
    fn open(&mut self, expr: &Expr) -> Result<(), String> {
        let mut inner = Self::of(expr)?;
        inner.opened.extend(inner.named.iter().cloned());
        self.absorb(inner);
        Ok(())
    }
}

/// The entity, if its type is one of ours. Of others (actions) nothing is exchanged.
fn ours(uid: &EntityUID) -> Option<Uid> {
    let ty = Type::from_word(&uid.ty.to_string())?;
    Some(Uid::new(ty, uid.eid.as_str()))
}

const fn known_unary(op: UnaryOp) -> bool {
    use UnaryOp::{
        Datetime, Decimal, Duration, Ip, IsEmpty, IsIPV6, IsIPv4, IsLoopback, IsMulticast, Neg,
        Not, ToDate, ToDays, ToHours, ToMilliseconds, ToMinutes, ToSeconds, ToTime,
    };
    matches!(
        op,
        Not | Neg
            | IsEmpty
            | Datetime
            | Decimal
            | Duration
            | Ip
            | IsIPv4
            | IsIPV6
            | IsLoopback
            | IsMulticast
            | ToDate
            | ToTime
            | ToMilliseconds
            | ToSeconds
            | ToMinutes
            | ToHours
            | ToDays
    )
}

/// But for `in`, `hasTag` and `getTag`, which read an entity.
const fn known_binary(op: BinaryOp) -> bool {
    use BinaryOp::{
        Add, And, Contains, ContainsAll, ContainsAny, DecimalGreater, DecimalGreaterEq,
        DecimalLessEq, DecimalLessThan, DurationSince, Eq, Greater, GreaterEq, IsInRange, Less,
        LessEq, Mul, NotEq, Offset, Or, Sub,
    };
    matches!(
        op,
        Eq | NotEq
            | Less
            | LessEq
            | Greater
            | GreaterEq
            | And
            | Or
            | Add
            | Sub
            | Mul
            | Contains
            | ContainsAll
            | ContainsAny
            | IsInRange
            | Offset
            | DurationSince
            | DecimalLessThan
            | DecimalLessEq
            | DecimalGreater
            | DecimalGreaterEq
    )
}
