//! `Role`: a security group, its members, its permissions.

use schemars::{Schema, SchemaGenerator, json_schema};

use crate::manifest::read::collections::{List, Set, SetOfSome};
use crate::manifest::read::{At, Described, Reader, Shaped, shape};
use crate::manifest::text::arena::View;
use crate::model::action::Action;
use crate::model::id::GroupId;
use crate::model::label::Selector;
use crate::model::name::RoleKey;
use crate::model::role::{Group, MailNickname, Membership, Permission, Role};
use crate::model::text::{Remark, Title};

shape!(Role, "Role", {
    /// What the role is for.
    "description" => description: optional Remark, Live;
    /// The security group in our tenant: a name, a name with its mail nickname, or the id of one that exists.
    "group" => group: optional Group, Live;
    /// Whether undeclared members of the group are left alone (additive) or removed (exclusive).
    "membership" => membership: default Membership, Local, Membership::Additive, "additive";
    /// Roles whose permissions this one has too, custom or built in. Groups are never nested.
    "includes" => includes: default Set<RoleKey>, Local, Vec::new(), "";
    /// What its holders may do, and on which customers.
    "permissions" => permissions: default List<Permission>, Local, Vec::new(), "";
});

shape!(Permission, "a permission", {
    /// The actions, `verb-noun`.
    "allow" => allow: required SetOfSome<Action>, Local;
    /// On which customers; absent: on all, where the action is about customers. What is done to people
    /// is done to those of the customers' tenants, and to our own if no customers are said.
    "customers" => customers: optional Selector, Local;
});

struct NamedGroup {
    name: Title,
    mail_nickname: Option<MailNickname>,
}

shape!(NamedGroup, "a group", {
    /// The display name of the group.
    "name" => name: required Title, Live;
    /// Its alias, by which a group of unknown fate is found again.
    "mailNickname" => mail_nickname: optional MailNickname, CreateOnly;
});

struct ExistingGroup {
    id: GroupId,
}

shape!(ExistingGroup, "a group", {
    /// The id of a group that exists.
    "id" => id: required GroupId, Live;
});

impl Shaped for Group {
    fn read(at: At<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        match at.node()?.view() {
            View::Mapping(mut entries) => {
                if entries.any(|(key, _)| key.text() == "id") {
                    ExistingGroup::read(at, reader).map(|group| Self::Existing(group.id))
                } else {
                    NamedGroup::read(at, reader).map(|NamedGroup { name, mail_nickname }| {
                        Self::Named { name, mail_nickname }
                    })
                }
            }
            _ => Title::read(at, reader).map(|name| Self::Named { name, mail_nickname: None }),
        }
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [Title::schema(generator), NamedGroup::schema(generator), ExistingGroup::schema(generator)],
        })
    }

    fn described() -> Described {
        Described {
            fields: &NamedGroup::FIELDS,
            examples: &["Tier 2 Support"],
            ..Described::simply("a group")
        }
    }
}
