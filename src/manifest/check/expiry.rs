//! What has expired: it counts as not held, and the next plan takes it away.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::{World, at_field, object};
use crate::manifest::code::Code;
use crate::manifest::draft::{Draft, way};
use crate::model::estate::Declared;
use crate::model::name::Kind;

pub(super) fn check(world: &World<'_>, drafts: &mut Vec<Draft>) {
    let estate = world.estate;
    expired(world, Kind::User, &estate.users, drafts);
    expired(world, Kind::Role, &estate.roles, drafts);
    expired(world, Kind::Partnership, &estate.partnerships, drafts);
    expired(world, Kind::Customer, &estate.customers, drafts);
    expired(world, Kind::DelegatedAccess, &estate.delegated_access, drafts);
}

fn expired<K: Display, T>(
    world: &World<'_>,
    kind: Kind,
    all: &BTreeMap<K, Declared<T>>,
    drafts: &mut Vec<Draft>,
) {
    for (name, declared) in all {
        if !declared.metadata.has_expired(world.today) {
            continue;
        }
        let Some(expires) = declared.metadata.expires else { continue };
        let message = match kind {
            Kind::User => format!("what `{name}` holds expired on {expires}"),
            _ => format!("`{name}` expired on {expires}"),
        };
        let at = at_field(declared, way!["metadata", "expires"]);
        let help = "it counts as not held, and the next plan takes it away; remove the document or move the day";
        drafts.push(Draft::new(Code::P1008, at, message).help(help).object(object(kind, name)));
    }
}
