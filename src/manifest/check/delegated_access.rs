//! Delegated access: what a relationship can be, before anybody asks a customer for it.

use std::collections::HashSet;

use super::customers::selector;
use super::references::find;
use super::{World, at_field, at_key, capability, object};
use crate::manifest::code::Code;
use crate::manifest::draft::{Draft, way};
use crate::manifest::suggest::quoted;
use crate::model::cloud::Capability;
use crate::model::delegated_access::{AutoExtend, DURATION_MAX, DelegatedAccess};
use crate::model::directory_role::GLOBAL_ADMINISTRATOR;
use crate::model::estate::{CustomerIndex, Declared};
use crate::model::name::Kind;
use crate::model::role::is_built_in;

pub(super) fn check(world: &World<'_>, drafts: &mut Vec<Draft>) {
    let without_tenant = CustomerIndex::of(world.estate, |customer| customer.tenant_id.is_none());
    for (key, access) in &world.estate.delegated_access {
        let object = object(Kind::DelegatedAccess, key);
        durations(access, &object, drafts);
        grants(world, access, &object, drafts);
        selector(world, access, &access.spec.customers, way!["spec", "customers"], &object, drafts);
        waiting(world, &without_tenant, access, &object, drafts);
        let at = || at_field(access, way!["kind"]);
        let gap = capability(world, Capability::DelegatedAccess, "delegated access (GDAP)", at);
        drafts.extend(gap.map(|draft| draft.object(object)));
    }
}

fn durations(access: &Declared<DelegatedAccess>, object: &str, drafts: &mut Vec<Draft>) {
    let spec = &access.spec;
    if spec.duration.0 == 0 || spec.duration > DURATION_MAX {
        let message = format!("delegated access cannot last {} days", spec.duration.0);
        drafts.push(
            Draft::new(Code::P1501, at_field(access, way!["spec", "duration"]), message)
                .help("choose from `P1D` to `P730D`, which is two years")
                .object(object),
        );
    } else if spec.renew_before >= spec.duration {
        let message = format!(
            "renewal would begin {} days before the end of access that lasts {}",
            spec.renew_before.0, spec.duration.0
        );
        drafts.push(
            Draft::new(Code::P1503, at_key(access, way!["spec", "renewBefore"]), message)
                .help("make `renewBefore` shorter than `duration`; unless given, it is `P60D`")
                .object(object),
        );
    }
    let global = spec.grants.iter().enumerate().find_map(|(index, grant)| {
        let at = grant.directory_roles.iter().position(|role| *role == GLOBAL_ADMINISTRATOR)?;
        Some((index, at))
    });
    if let Some((grant, role)) = global
        && spec.auto_extend == AutoExtend::HalfYear
    {
        drafts.push(
            Draft::new(
                Code::P1502,
                at_field(access, way!["spec", "autoExtend"]),
                "a relationship with Global Administrator cannot be extended by itself",
            )
            .help("grant the roles that the work needs, or say `autoExtend: none`")
            .object(object)
            .related(
                "Global Administrator is granted here",
                at_field(access, way!["spec", "grants", grant, "directoryRoles", role]),
            ),
        );
    }
}

fn grants(
    world: &World<'_>,
    access: &Declared<DelegatedAccess>,
    object: &str,
    drafts: &mut Vec<Draft>,
) {
    let mut granted = HashSet::new();
    for (index, grant) in access.spec.grants.iter().enumerate() {
        let at = || at_field(access, way!["spec", "grants", index, "to"]);
        if !granted.insert(grant.to.as_str()) {
            drafts.push(
                Draft::new(Code::P1507, at(), format!("there is another grant to `{}`", grant.to))
                    .help(
                        "a relationship has one assignment per group: put all roles into one grant",
                    )
                    .object(object),
            );
        }
        let mut roles = HashSet::new();
        for (at, role) in grant.directory_roles.iter().enumerate() {
            let path = || way!["spec", "grants", index, "directoryRoles", at];
            if role.name().is_none() {
                drafts.push(
                    Draft::new(
                        Code::P1504,
                        at_field(access, path()),
                        format!(
                            "no built-in role {} is known here",
                            quoted(&role.to_string())
                        ),
                    )
                    .help("check that the role is one of Microsoft's: a tenant's own cannot be delegated")
                    .object(object),
                );
            }
            if !roles.insert(role) {
                drafts.push(
                    Draft::new(
                        Code::P0110,
                        at_field(access, path()),
                        format!("`directoryRoles` names {role} twice"),
                    )
                    .help("keep one of the two")
                    .object(object),
                );
            }
        }
        // The agent groups carry the agent levels.
        if matches!(grant.to.as_str(), "admin-agent" | "helpdesk-agent" | "sales-agent") {
            continue;
        }
        if is_built_in(grant.to.as_str()) {
            drafts.push(
                Draft::new(Code::P1505, at(), format!("`{}` is no group in our tenant", grant.to))
                    .help(
                        "grant to a Role with a group, or to an agent level such as `admin-agent`",
                    )
                    .object(object),
            );
            continue;
        }
        let role = find(
            world,
            Kind::Role,
            &world.estate.roles,
            grant.to.as_str(),
            at,
            || object.to_owned(),
            drafts,
        );
        if let Some(role) = role
            && role.spec.group.is_none()
            && !world.faulty.contains(&super::object(Kind::Role, &grant.to))
        {
            drafts.push(
                Draft::new(Code::P1505, at(), format!("the role `{}` has no group", grant.to))
                    .help("delegated access is given to a group: give the role one, `group: {name: ...}`")
                    .object(object)
                    .related("the role", at_key(role, way!["spec", "group"])),
            );
        }
    }
}

/// A relationship that names no tenant could be accepted by anyone, so none is made.
fn waiting(
    world: &World<'_>,
    without_tenant: &CustomerIndex<'_>,
    access: &Declared<DelegatedAccess>,
    object: &str,
    drafts: &mut Vec<Draft>,
) {
    if without_tenant.is_empty() {
        return;
    }
    let without: Vec<&str> = without_tenant
        .selected(&access.spec.customers)
        .into_iter()
        .map(|(name, _)| name.as_str())
        .filter(|name| !world.faulty.contains(&super::object(Kind::Customer, name)))
        .collect();
    let Some(first) = without.first() else { return };
    let message = match without.len() {
        1 => format!("`{first}` has no tenant id yet"),
        many => format!("`{first}` and {} more have no tenant id yet", many - 1),
    };
    drafts.push(
        Draft::new(Code::P1506, at_key(access, way!["spec", "customers"]), message)
            .help("add `tenantId` if it is known; else this waits until the customer has accepted our invitation")
            .object(object),
    );
}
