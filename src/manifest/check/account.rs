//! The account: where it is, and whom it names.

use super::{World, at_field, object};
use crate::manifest::code::Code;
use crate::manifest::draft::{Draft, way};
use crate::manifest::suggest::{listed, quoted};
use crate::model::name::Kind;

pub(super) fn check(world: &World<'_>, drafts: &mut Vec<Draft>) {
    let Some(account) = &world.estate.account else { return };
    let spec = &account.spec;
    let object = object(Kind::Account, &account.metadata.name);
    if spec.legal.address.country != spec.country {
        let message = format!(
            "the legal address lies in `{}`, the account in `{}`",
            spec.legal.address.country, spec.country
        );
        drafts.push(
            Draft::new(
                Code::P1201,
                at_field(account, way!["spec", "legal", "address", "country"]),
                message,
            )
            .help("an account's legal entity is registered in its own country")
            .object(object.clone()),
        );
    }
    let email = &spec.legal.primary_contact.email;
    let at = at_field(account, way!["spec", "legal", "primaryContact", "email"]);
    if email.is_webmail() {
        drafts.push(
            Draft::new(
                Code::P1203,
                at,
                format!("the primary contact's address {} is webmail", quoted(email.as_str())),
            )
            .help("Microsoft verifies the contact by an address at the company's own domain")
            .object(object),
        );
    } else if !spec.domains.iter().any(|domain| email.in_domain(domain)) {
        let domains = listed(spec.domains.iter().map(crate::model::contact::Domain::as_str));
        let message = format!(
            "the primary contact's address {} is in no domain of the account",
            quoted(email.as_str())
        );
        drafts.push(
            Draft::new(Code::P1204, at, message)
                .help(format!(
                    "take an address at {domains}, or add the domain to `domains` if it is verified"
                ))
                .object(object),
        );
    }
}
