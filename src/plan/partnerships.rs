//! Partnerships: made and ended by people alone, so what is planned is whom to wait for.

use super::draft::{Errand, Subject, report};
use super::gather::Gather;
use super::step::State;
use crate::model::estate::Declared;
use crate::model::name::Kind;
use crate::model::partnership::{Partnership, PartnershipState, With};
use crate::model::tenant::{self, Side};

fn side_of(with: With) -> Side {
    match with {
        With::IndirectProvider => Side::IndirectProvider,
        With::IndirectReseller => Side::IndirectReseller,
    }
}

/// The living tie that a document means.
pub(super) fn found<'s>(
    snapshot: &'s tenant::Snapshot,
    partnership: &Partnership,
) -> Option<&'s tenant::Partnership> {
    let side = side_of(partnership.with);
    snapshot.partnerships.iter().find(|found| {
        found.tenant == partnership.tenant_id && found.side == side && found.state == "active"
    })
}

pub(super) fn plan(gather: &mut Gather<'_>) {
    let estate = gather.input.estate;
    for declared in estate.partnerships.values() {
        let subject = Subject::declared(gather.input, Kind::Partnership, declared);
        let wanted = declared.spec.state == PartnershipState::Active
            && !declared.metadata.has_expired(gather.input.today);
        match (wanted, found(gather.input.snapshot, &declared.spec)) {
            (true, None) => begin(gather, &subject, declared),
            (true, Some(found)) => look(gather, &subject, declared, found),
            (false, Some(_)) => end(gather, &subject, &declared.spec),
            (false, None) => {}
        }
    }
    let declared = |one: &tenant::Partnership| {
        estate.partnerships.values().any(|partnership| {
            partnership.spec.tenant_id == one.tenant && side_of(partnership.spec.with) == one.side
        })
    };
    let others: Vec<String> = gather
        .input
        .snapshot
        .partnerships
        .iter()
        .filter(|one| one.state == "active" && !declared(one))
        .map(|one| format!("{} ({})", one.name, one.tenant))
        .collect();
    gather.unmanaged(
        ["partnership that no manifest declares", "partnerships that no manifest declares"],
        &others,
    );
}

fn begin(gather: &mut Gather<'_>, subject: &Subject<'_>, declared: &Declared<Partnership>) {
    let partnership = &declared.spec;
    let was_there = subject.memory.recorded().is_some();
    if was_there && !gather.input.revive.contains(&subject.key) {
        let message = format!(
            "the partnership is no longer there; it is asked for anew with `--revive {}`",
            subject.key
        );
        return gather.drafts.say(&subject.key, State::Gone, message);
    }
    let name = &partnership.display_name;
    let link = partnership.invitation_url.as_ref().map(|url| url.as_str().to_owned());
    let (awaiting, instructions) = match partnership.with {
        With::IndirectProvider => (
            "a global admin of ours".to_owned(),
            match link {
                Some(_) => format!(
                    "Open the link as a global admin of our tenant, read what {name} may do then, and press Authorize indirect provider."
                ),
                None => format!(
                    "Ask {name} for its invitation and put the link into `invitationUrl` exactly as it came."
                ),
            },
        ),
        With::IndirectReseller => (
            format!("a global admin of {name}"),
            match link {
                Some(_) => format!("Send the link to {name} (`partnerctl invite {}` writes the mail); a global admin there accepts it.", subject.key),
                None => "In Partner Center, under Indirect resellers, Invite new resellers: copy the link into `invitationUrl` and send it.".to_owned(),
            },
        ),
    };
    let errand = Errand {
        confirms: None,
        object: &subject.key,
        step: format!("{}/accept", subject.key),
        message: format!("the partnership with {name} waits to be accepted"),
        awaiting,
        link,
        instructions,
    };
    let report = errand.report(gather.input);
    gather.drafts.report.push(report);
}

fn look(
    gather: &mut Gather<'_>,
    subject: &Subject<'_>,
    declared: &Declared<Partnership>,
    found: &tenant::Partnership,
) {
    let partnership = &declared.spec;
    if let (Some(wanted), Some(id)) = (&partnership.partner_id, &found.partner_id)
        && wanted.as_str() != id
    {
        let message =
            format!("the service knows it by the partner id {id}, declared is {}", wanted.as_str());
        gather.drafts.say(&subject.key, State::Foreign, message);
    }
    if found.has_signed_agreement == Some(false) {
        let errand = Errand {
            confirms: None,
            object: &subject.key,
            step: format!("{}/agreement", subject.key),
            message: format!(
                "{} has not signed the Microsoft Partner Agreement",
                partnership.display_name
            ),
            awaiting: format!("a global admin of {}", partnership.display_name),
            link: Some("https://aka.ms/accountexp/agreements".to_owned()),
            instructions: "Until it is signed, nothing can be ordered for its customers."
                .to_owned(),
        };
        let mut told = errand.report(gather.input);
        // It is the other partner's step: nobody here could confirm it.
        told.step = None;
        gather.drafts.report.push(told);
    }
}

fn end(gather: &mut Gather<'_>, subject: &Subject<'_>, partnership: &Partnership) {
    let (awaiting, instructions) = match partnership.with {
        With::IndirectProvider => (
            format!("{}", partnership.display_name),
            "Only the provider can remove a partnership: ask it to, in Partner Center under Indirect resellers, Remove partnership. Customers and delegated access stay as they are.",
        ),
        With::IndirectReseller => (
            "an admin agent of ours".to_owned(),
            "In Partner Center, under Indirect resellers, Remove partnership. Customers and delegated access stay as they are.",
        ),
    };
    let errand = Errand {
        confirms: None,
        object: &subject.key,
        step: format!("{}/end", subject.key),
        message: format!("the partnership with {} is to end", partnership.display_name),
        awaiting,
        link: None,
        instructions: instructions.to_owned(),
    };
    let report = errand.report(gather.input);
    gather.drafts.report.push(report);
}

impl Gather<'_> {
    /// What nobody declares, as one line with a count.
    pub(super) fn unmanaged(&mut self, [one, several]: [&str; 2], names: &[String]) {
        if names.is_empty() {
            return;
        }
        let Some(account) = &self.input.estate.account else { return };
        let object =
            crate::model::record::ObjectKey::new(Kind::Account, account.metadata.name.as_str());
        let what = if names.len() == 1 { one } else { several };
        let message = format!("{} {what}: {}", names.len(), super::roles::few(names));
        let mut told = report(&object, State::Unmanaged, message);
        told.count = Some(names.len() as u64);
        self.drafts.report.push(told);
    }
}
