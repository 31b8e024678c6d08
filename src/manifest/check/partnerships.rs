//! Partnerships: on which side of one we can be, and what accepting it means.

use super::{World, at_field, at_key, capability, object};
use crate::manifest::code::Code;
use crate::manifest::draft::{Draft, way};
use crate::manifest::suggest::{listed, quoted};
use crate::model::account::Program;
use crate::model::cloud::Capability;
use crate::model::contact::Url;
use crate::model::estate::Declared;
use crate::model::name::Kind;
use crate::model::partnership::{Consequence, Partnership, PartnershipState, With};

pub(super) fn check(world: &World<'_>, drafts: &mut Vec<Draft>) {
    for (key, partnership) in &world.estate.partnerships {
        let object = object(Kind::Partnership, key);
        side(world, partnership, &object, drafts);
        acknowledged(partnership, &object, drafts);
        if let Some(url) = &partnership.spec.invitation_url {
            invitation(world, partnership, url, &object, drafts);
        }
        let at = || at_field(partnership, way!["spec", "with"]);
        let gap =
            capability(world, Capability::IndirectModel, "indirect providers and resellers", at);
        drafts.extend(gap.map(|draft| draft.object(object)));
    }
}

fn side(
    world: &World<'_>,
    partnership: &Declared<Partnership>,
    object: &str,
    drafts: &mut Vec<Draft>,
) {
    let Some(account) = &world.estate.account else { return };
    let program = account.spec.program;
    let help = match (program, partnership.spec.with) {
        (Program::IndirectReseller, With::IndirectProvider)
        | (Program::IndirectProvider, With::IndirectReseller) => return,
        (Program::DirectBill, _) => {
            "a direct-bill partner buys from Microsoft itself and has no partnerships"
        }
        (Program::IndirectReseller, With::IndirectReseller) => {
            "an indirect reseller's partnerships are `with: indirect-provider`"
        }
        (Program::IndirectProvider, With::IndirectProvider) => {
            "an indirect provider's partnerships are `with: indirect-reseller`"
        }
    };
    let message = format!(
        "an account of the program `{program}` has no partnership with an `{}`",
        partnership.spec.with
    );
    drafts.push(
        Draft::new(Code::P1302, at_field(partnership, way!["spec", "with"]), message)
            .help(help)
            .object(object),
    );
}

fn acknowledged(partnership: &Declared<Partnership>, object: &str, drafts: &mut Vec<Draft>) {
    let spec = &partnership.spec;
    if spec.with != With::IndirectProvider || spec.state != PartnershipState::Active {
        return;
    }
    let missing: Vec<&str> = Consequence::ALL
        .iter()
        .filter(|consequence| !spec.acknowledge.contains(consequence))
        .map(|consequence| consequence.word())
        .collect();
    if missing.is_empty() {
        return;
    }
    let named = listed(missing.iter().copied()).replace(" or ", " and ");
    let all: Vec<&str> = Consequence::ALL.iter().map(|consequence| consequence.word()).collect();
    let message = format!(
        "what accepting {} means is not acknowledged: {named}",
        quoted(spec.display_name.as_str())
    );
    drafts.push(
        Draft::new(Code::P1301, at_key(partnership, way!["spec", "acknowledge"]), message)
            .help(format!("once you have decided: `acknowledge: [{}]`", all.join(", ")))
            .object(object),
    );
}

/// Hosts that invitations lead to, those of national clouds included.
const HOSTS: [&str; 12] = [
    "admin.microsoft.com",
    "portal.office.com",
    "businessstore.microsoft.com",
    "partner.microsoft.com",
    "partnercenter.microsoft.com",
    "aka.ms",
    "admin.microsoft365.us",
    "portal.office365.us",
    "portal.apps.mil",
    "portal.partner.microsoftonline.cn",
    "admin.partner.microsoftonline.cn",
    "partner.microsoftonline.cn",
];

fn invitation(
    world: &World<'_>,
    partnership: &Declared<Partnership>,
    url: &Url,
    object: &str,
    drafts: &mut Vec<Draft>,
) {
    // An emulator's own links are on its origin.
    let emulated = world.project.is_some_and(|(project, _)| {
        project
            .contexts
            .values()
            .filter_map(|context| context.endpoints.admin.as_ref())
            .any(|admin| admin.host() == url.host())
    });
    let host = url.host();
    if url.is_https() && !url.has_user() && HOSTS.contains(&host.as_str()) || emulated {
        return;
    }
    let reason = if !url.is_https() {
        "it does not begin with `https://`".to_owned()
    } else if url.has_user() {
        format!("it names a user before the host; it would lead to {}", quoted(&host))
    } else {
        format!("it leads to {}, where Microsoft has no invitations", quoted(&host))
    };
    drafts.push(
        Draft::new(
            Code::P1303,
            at_field(partnership, way!["spec", "invitationUrl"]),
            format!("the invitation cannot be genuine: {reason}"),
        )
        .help("paste the link from the provider's mail as it is")
        .object(object),
    );
}
