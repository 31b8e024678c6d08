//! Every kind of document: its keys, in the order people should write them, with their words.
//!
//! This is the one place where the manifest language is spelled out. The reader, the published
//! schema, the order of `fmt` and the reference of `explain` all come from these tables.

mod access_test;
mod account;
mod customer;
mod delegated_access;
mod metadata;
mod partnership;
pub(crate) mod project;
mod role;
mod selector;
pub(crate) mod tables;
mod user;
mod waiver;

use schemars::{Schema, SchemaGenerator};

use super::read::{Field, Shaped};
use crate::model::access_test::AccessTest;
use crate::model::account::Account;
use crate::model::customer::Customer;
use crate::model::delegated_access::DelegatedAccess;
use crate::model::metadata::Metadata;
use crate::model::name::Kind;
use crate::model::partnership::Partnership;
use crate::model::project::Project;
use crate::model::role::Role;
use crate::model::user::User;
use crate::model::waiver::Waiver;

/// The only version of the manifest language.
pub(crate) const API_VERSION: &str = "partnerctl/v1";

/// The `spec` of a kind, as tables tell it.
#[derive(Clone, Copy)]
pub(crate) struct Spec {
    pub fields: &'static [Field],
    pub schema: fn(&mut SchemaGenerator) -> Schema,
    /// A document to begin with, for the reference and the schema.
    pub example: &'static str,
}

pub(crate) fn spec(kind: Kind) -> Spec {
    fn of<T: Shaped>(example: &'static str) -> Spec {
        Spec { fields: T::described().fields, schema: T::schema, example }
    }
    match kind {
        Kind::Account => of::<Account>(include_str!("examples/account.yaml")),
        Kind::User => of::<User>(include_str!("examples/user.yaml")),
        Kind::Role => of::<Role>(include_str!("examples/role.yaml")),
        Kind::Partnership => of::<Partnership>(include_str!("examples/partnership.yaml")),
        Kind::Customer => of::<Customer>(include_str!("examples/customer.yaml")),
        Kind::CustomerTable => {
            of::<tables::CustomerTable>(include_str!("examples/customer-table.yaml"))
        }
        Kind::Defaults => of::<tables::Defaults>(include_str!("examples/defaults.yaml")),
        Kind::DelegatedAccess => {
            of::<DelegatedAccess>(include_str!("examples/delegated-access.yaml"))
        }
        Kind::Waiver => of::<Waiver>(include_str!("examples/waiver.yaml")),
        Kind::AccessTest => of::<AccessTest>(include_str!("examples/access-test.yaml")),
        Kind::Project => of::<Project>(include_str!("examples/project.yaml")),
    }
}

pub(crate) fn metadata_fields() -> &'static [Field] {
    &Metadata::FIELDS
}

/// The keys of the mapping at a path of a kind's documents, in canonical order.
pub(crate) fn fields_at(kind: Kind, path: &[&str]) -> Option<&'static [Field]> {
    let (first, rest) = path.split_first()?;
    let mut fields = match *first {
        "metadata" => metadata_fields(),
        "spec" => spec(kind).fields,
        _ => return None,
    };
    for key in rest {
        fields = (fields.iter().find(|field| field.key == *key)?.described)().fields;
    }
    Some(fields)
}
