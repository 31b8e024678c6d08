//! What a solver found: replayed, and stripped of what does not matter.
//!
//! A solver's example holds every entity that any policy names, and values that nobody would
//! think of. Each thing in it is therefore put back to what is ordinary, as long as the example
//! still shows the same: what is left is what matters.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityUid, PolicySet, Request, Response,
};
use cedar_policy_symcc::Env;

use super::value::{Lit, expressions, simpler};
use super::witness::{Party, Witness, kind};
use crate::policy::expect::object;
use crate::policy::vocabulary;
use crate::policy::world::declared::{EVERYONE, GUEST};
use crate::policy::world::{Type, Uid};

/// What must be decided how for a request to show something.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim<'a> {
    pub policies: &'a PolicySet,
    pub decision: Decision,
}

/// Makes a witness of what a solver found.
pub(super) fn witness(env: &Env, claims: &[Claim<'_>]) -> Witness {
    let Some(scene) = Scene::of(env) else { return unworded(env, claims) };
    // Most policies look at nobody but those who meet; some at somebody whom they name.
    let named = named(claims);
    let around = |roots: BTreeSet<EntityUid>| {
        let mut scene = Scene { roots, ..scene.clone() };
        scene.forget();
        Some(scene).filter(|scene| scene.shows(claims))
    };
    let confirmed = around(BTreeSet::new()).or_else(|| around(named.clone()));
    let is_confirmed = confirmed.is_some();
    let scene = match confirmed {
        Some(scene) => scene.stripped(claims),
        // Nobody's word but the solver's: as it is.
        None => around_all(scene),
    };
    let (by, against) = match scene.cedar() {
        Some((request, entities)) => deciding(&request, &entities, claims),
        None => deciding(&env.request, &env.entities, claims),
    };
    scene.told(is_confirmed, by, against, named)
}

fn around_all(mut scene: Scene) -> Scene {
    scene.forget();
    scene
}

/// Whom the policies name.
fn named(claims: &[Claim<'_>]) -> BTreeSet<EntityUid> {
    claims
        .iter()
        .flat_map(|claim| claim.policies.policies())
        .flat_map(cedar_policy::Policy::entity_literals)
        .collect()
}

fn shows(request: &Request, entities: &Entities, claims: &[Claim<'_>]) -> bool {
    claims.iter().all(|Claim { policies, decision }| {
        Authorizer::new().is_authorized(request, policies, entities).decision() == *decision
    })
}

/// Which policies decide: those of the first side that permits, those of a side that does not.
pub(super) fn deciding(
    request: &Request,
    entities: &Entities,
    claims: &[Claim<'_>],
) -> (Vec<String>, Vec<String>) {
    let asked = |wanted: Decision| {
        let claim = claims.iter().find(|claim| claim.decision == wanted);
        let response =
            claim.map(|claim| Authorizer::new().is_authorized(request, claim.policies, entities));
        response.as_ref().map(reasons).unwrap_or_default()
    };
    (asked(Decision::Allow), asked(Decision::Deny))
}

fn reasons(response: &Response) -> Vec<String> {
    let mut ids: Vec<String> = response.diagnostics().reason().map(ToString::to_string).collect();
    ids.sort_unstable();
    ids
}

/// What holds something that the vocabulary has not: only who it is about.
fn unworded(env: &Env, claims: &[Claim<'_>]) -> Witness {
    let confirmed = shows(&env.request, &env.entities, claims);
    let party = |uid: Option<&EntityUid>| Party {
        ty: uid.and_then(Uid::from_cedar).map_or(Type::Account, |uid| uid.ty),
        name: None,
        facts: Vec::new(),
        is_self: false,
    };
    let (by, against) = deciding(&env.request, &env.entities, claims);
    Witness {
        principal: party(env.request.principal()),
        action: env.request.action().map_or("", |uid| uid.id().unescaped()).into(),
        resource: party(env.request.resource()),
        context: Vec::new(),
        others: Vec::new(),
        confirmed,
        real: false,
        by,
        against,
    }
}

/// What an entity is like.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Body {
    attributes: BTreeMap<String, Lit>,
    tags: BTreeMap<String, Lit>,
    parents: BTreeSet<EntityUid>,
}

/// A request, and all entities that matter to it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Scene {
    principal: EntityUid,
    action: EntityUid,
    resource: EntityUid,
    context: BTreeMap<String, Lit>,
    entities: BTreeMap<EntityUid, Body>,
    /// Who else is kept.
    roots: BTreeSet<EntityUid>,
}

impl Scene {
    /// What a solver said; nothing if it holds values that the vocabulary has not.
    fn of(env: &Env) -> Option<Self> {
        let mut context = BTreeMap::new();
        if let Some(said) = env.request.context() {
            for (key, _) in said.clone() {
                let value = Lit::of(&said.get(&key)?)?;
                context.insert(key, value);
            }
        }
        let mut entities = BTreeMap::new();
        for entity in env.entities.iter() {
            let uid = entity.uid();
            if Uid::from_cedar(&uid).is_none() {
                continue;
            }
            let mut body = Body::default();
            let (_, attributes, _) = entity.clone().into_inner();
            for name in attributes.keys() {
                body.attributes.insert(name.clone(), Lit::of(&entity.attr(name)?.ok()?)?);
            }
            for (key, value) in entity.tags() {
                body.tags.insert(key.to_owned(), Lit::of(&value.ok()?)?);
            }
            body.parents = env.entities.ancestors(&uid)?.cloned().collect();
            entities.insert(uid, body);
        }
        Some(Self {
            principal: env.request.principal()?.clone(),
            action: env.request.action()?.clone(),
            resource: env.request.resource()?.clone(),
            context,
            entities,
            roots: BTreeSet::new(),
        })
    }

    /// Leaves out whom nothing leads to.
    fn forget(&mut self) {
        let mut due: Vec<EntityUid> = vec![self.principal.clone(), self.resource.clone()];
        due.extend(self.context.values().flat_map(Lit::entities).cloned());
        due.extend(self.roots.iter().cloned());
        let mut reached = BTreeSet::new();
        while let Some(uid) = due.pop() {
            if !reached.insert(uid.clone()) {
                continue;
            }
            if let Some(Body { attributes, tags: _, parents }) = self.entities.get(&uid) {
                due.extend(attributes.values().flat_map(Lit::entities).cloned());
                due.extend(parents.iter().cloned());
            }
        }
        self.entities.retain(|uid, _| reached.contains(uid));
    }

    /// As Cedar has it, held against the vocabulary.
    fn cedar(&self) -> Option<(Request, Entities)> {
        let schema = vocabulary::schema();
        let mut entities = Vec::new();
        for (uid, Body { attributes, tags, parents }) in &self.entities {
            let attributes: HashMap<_, _> = expressions(attributes)?.into_iter().collect();
            let tags = expressions(tags)?;
            let parents: HashSet<_> = parents.iter().cloned().collect();
            entities.push(Entity::new_with_tags(uid.clone(), attributes, parents, tags).ok()?);
        }
        // With the vocabulary come the actions and their groups.
        let entities = Entities::from_entities(entities, Some(schema)).ok()?;
        let context = Context::from_pairs(expressions(&self.context)?).ok()?;
        let request = Request::new(
            self.principal.clone(),
            self.action.clone(),
            self.resource.clone(),
            context,
            Some(schema),
        );
        Some((request.ok()?, entities))
    }

    fn shows(&self, claims: &[Claim<'_>]) -> bool {
        self.cedar().is_some_and(|(request, entities)| shows(&request, &entities, claims))
    }

    /// The same with as much as possible put back to what is ordinary.
    fn stripped(mut self, claims: &[Claim<'_>]) -> Self {
        // Each round tries everything once; what one edit makes superfluous goes in the next.
        for _ in 0..ROUNDS_MAX {
            let mut changed = false;
            while let Some(simpler) = simpler(&self.context)
                .into_iter()
                .map(|context| Self { context, ..self.clone() })
                .find(|scene| scene.shows(claims))
            {
                self = simpler;
                changed = true;
            }
            for uid in self.entities.keys().cloned().collect::<Vec<_>>() {
                for edit in self.edits(&uid) {
                    let mut next = self.clone();
                    next.entities.insert(uid.clone(), edit);
                    if next.shows(claims) {
                        self = next;
                        changed = true;
                        break;
                    }
                }
            }
            self.forget();
            if !changed {
                break;
            }
        }
        self
    }

    /// What an entity could be like instead, each a little more ordinary, the most ordinary first.
    fn edits(&self, uid: &EntityUid) -> Vec<Body> {
        let (Some(body), Some(Uid { ty, .. })) = (self.entities.get(uid), Uid::from_cedar(uid))
        else {
            return Vec::new();
        };
        let mut found = Vec::new();
        let with = |change: &dyn Fn(&mut Body)| {
            let mut next = body.clone();
            change(&mut next);
            next
        };
        found.push(with(&|next| {
            let parents = next.parents.iter().filter(|parent| is_usual(ty, parent));
            let parents = parents.cloned().collect();
            let attributes = std::mem::take(&mut next.attributes);
            *next = Body { attributes, tags: BTreeMap::new(), parents };
            for (name, value) in &mut next.attributes {
                *value = Lit::ordinary(ty, name).unwrap_or_else(|| value.clone());
            }
        }));
        found.push(with(&|next| next.tags.clear()));
        for parent in &body.parents {
            found.push(with(&|next| {
                next.parents.remove(parent);
            }));
        }
        for key in body.tags.keys() {
            found.push(with(&|next| drop(next.tags.remove(key))));
        }
        for (name, value) in &body.attributes {
            match Lit::ordinary(ty, name) {
                Some(ordinary) => found.push(with(&|next| {
                    next.attributes.insert(name.clone(), ordinary.clone());
                })),
                None => found.push(with(&|next| drop(next.attributes.remove(name)))),
            }
            if let Lit::Set(_) = value {
                for simpler in value.simpler() {
                    found.push(with(&|next| {
                        next.attributes.insert(name.clone(), simpler.clone());
                    }));
                }
            }
        }
        found.retain(|next| next != body);
        found
    }

    fn told(
        &self,
        confirmed: bool,
        by: Vec<String>,
        against: Vec<String>,
        named: BTreeSet<EntityUid>,
    ) -> Witness {
        let tongue = Tongue { scene: self, named };
        let mut resource = tongue.party(&self.resource);
        resource.is_self = self.resource == self.principal;
        let ends = [&self.principal, &self.resource];
        let others = self.entities.keys().filter(|uid| !ends.contains(uid));
        let others = others.map(|uid| tongue.party(uid)).filter(|party| !party.facts.is_empty());
        let mut context = Vec::new();
        for (key, value) in &self.context {
            tongue.spell(key, value, &mut context);
        }
        context.retain(|fact| !FILLING.contains(&fact.as_str()));
        if context.is_empty() && !self.context.is_empty() {
            context.push("a change under way".to_owned());
        }
        Witness {
            principal: tongue.party(&self.principal),
            action: self.action.id().unescaped().into(),
            resource,
            context,
            others: others.collect(),
            confirmed,
            real: false,
            by,
            against,
        }
    }
}

/// Whether everybody is in it.
fn is_usual(ty: Type, parent: &EntityUid) -> bool {
    ty == Type::User && is_role(parent, EVERYONE)
}

fn is_role(uid: &EntityUid, name: &str) -> bool {
    Uid::from_cedar(uid).is_some_and(|uid| uid.ty == Type::Role && uid.name.as_str() == name)
}

/// What a change cannot do without, and what it is when it does not matter.
const FILLING: [&str; 2] = ["change.irreversible: false", "change.verb: \"update\""];

/// So often everything is tried once more.
const ROUNDS_MAX: usize = 24;

/// Puts a scene into words.
struct Tongue<'s> {
    scene: &'s Scene,
    /// Whom a policy names: all other names are the solver's.
    named: BTreeSet<EntityUid>,
}

impl Tongue<'_> {
    fn party(&self, uid: &EntityUid) -> Party {
        let ty = Uid::from_cedar(uid).map_or(Type::Account, |uid| uid.ty);
        let name = self.named.contains(uid).then(|| uid.id().unescaped().into());
        let mut facts = Vec::new();
        if let Some(Body { attributes, tags, parents }) = self.scene.entities.get(uid) {
            // Nobody is told what is so of everybody, nor that guests are guests.
            let guest = attributes.get("guest") == Some(&Lit::Bool(true));
            let told = parents.iter().filter(|parent| {
                let is_guests = guest && ty == Type::User && is_role(parent, GUEST);
                !is_usual(ty, parent) && !is_guests
            });
            facts.extend(told.map(|parent| format!("in {}", self.name(parent))));
            for (key, value) in attributes {
                // A role's family and privilege are of no interest if the role is named.
                let ordinary = Lit::ordinary(ty, key);
                if ordinary.as_ref() != Some(value) && !(ty == Type::Role && name.is_some()) {
                    self.spell(key, value, &mut facts);
                }
            }
            for (key, value) in tags {
                self.spell(&format!("label {key:?}"), value, &mut facts);
            }
        }
        Party { ty, name, facts, is_self: false }
    }

    fn name(&self, uid: &EntityUid) -> String {
        match Uid::from_cedar(uid) {
            Some(known) if self.named.contains(uid) => object(&known),
            Some(known) => format!("some {}", kind(known.ty)),
            None => uid.to_string(),
        }
    }

    fn spell(&self, key: &str, value: &Lit, facts: &mut Vec<String>) {
        match value {
            Lit::Record(record) => {
                for (inner, value) in record {
                    self.spell(&format!("{key}.{inner}"), value, facts);
                }
            }
            // Empty is how it is unless something is said.
            Lit::Set(set) if set.is_empty() => {}
            other => facts.push(format!("{key}: {}", self.value(other))),
        }
    }

    fn value(&self, value: &Lit) -> String {
        match value {
            Lit::Bool(value) => value.to_string(),
            Lit::Long(value) => value.to_string(),
            Lit::Text(value) => format!("{value:?}"),
            Lit::One(uid) => self.name(uid),
            Lit::Set(set) => {
                let items: Vec<String> = set.iter().map(|item| self.value(item)).collect();
                items.join(" and ")
            }
            Lit::Record(record) => {
                let items = record.iter().map(|(key, item)| format!("{key}: {}", self.value(item)));
                format!("{{{}}}", items.collect::<Vec<_>>().join(", "))
            }
        }
    }
}
