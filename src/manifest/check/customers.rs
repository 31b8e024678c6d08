//! Customers: who may create them, through whom they buy, and who is selected.

use super::references::find;
use super::{World, at_field, at_key, capability, object};
use crate::manifest::code::Code;
use crate::manifest::draft::{Draft, Step, Where, way};
use crate::manifest::suggest::quoted;
use crate::model::account::{Account, Program};
use crate::model::cloud::Capability;
use crate::model::customer::{Channel, Customer, Origin, Qualification, Relationship};
use crate::model::estate::Declared;
use crate::model::label::{LabelKey, LabelValue, Selector};
use crate::model::name::{CustomerKey, Kind, PartnershipKey};
use crate::model::partnership::{PartnershipState, With};

pub(super) fn check(world: &World<'_>, drafts: &mut Vec<Draft>) {
    let account = world.estate.account.as_ref().map(|account| &*account.spec);
    for (key, customer) in &world.estate.customers {
        let subject = Subject { world, key, customer, account };
        subject.partnerships(drafts);
        subject.reseller(drafts);
        subject.origin(drafts);
        subject.market(drafts);
        subject.qualification(drafts);
    }
}

/// A customer under examination.
struct Subject<'a> {
    world: &'a World<'a>,
    key: &'a CustomerKey,
    customer: &'a Declared<Customer>,
    account: Option<&'a Account>,
}

impl Subject<'_> {
    fn object(&self) -> String {
        object(Kind::Customer, self.key)
    }

    fn push(&self, drafts: &mut Vec<Draft>, code: Code, at: Where, message: String, help: &str) {
        drafts.push(Draft::new(code, at, message).help(help).object(self.object()));
    }

    fn at(&self, path: Vec<Step>) -> Where {
        at_field(self.customer, path)
    }

    /// A reseller's providers.
    fn partnerships(&self, drafts: &mut Vec<Draft>) {
        let spec = &self.customer.spec;
        let named = spec.partnerships.as_deref().unwrap_or_default();
        if spec.channel == Some(Channel::Provider) && named.is_empty() {
            let help = match self.account.map(|account| account.program) {
                Some(Program::IndirectProvider | Program::DirectBill) => {
                    "this account has no providers: say `own-marketing` or `microsoft-referral`"
                }
                Some(Program::IndirectReseller) | None => "name the provider under `partnerships`",
            };
            self.push(
                drafts,
                Code::P1405,
                self.at(way!["spec", "channel"]),
                "a provider brought this customer, and no provider is named".to_owned(),
                help,
            );
        }
        if let Some(account) = self.account
            && account.program != Program::IndirectReseller
            && !named.is_empty()
        {
            let help = match account.program {
                Program::IndirectProvider => {
                    "on a provider's side a customer names its reseller: `reseller: NAME`"
                }
                _ => "a direct-bill partner orders by itself",
            };
            let message = format!(
                "an account of the program `{}` orders through no provider",
                account.program
            );
            self.push(
                drafts,
                Code::P1407,
                at_key(self.customer, way!["spec", "partnerships"]),
                message,
                help,
            );
            return;
        }
        for (index, name) in named.iter().enumerate() {
            let path = || way!["spec", "partnerships", index];
            self.partner(name, With::IndirectProvider, path, drafts);
        }
    }

    /// A provider's reseller.
    fn reseller(&self, drafts: &mut Vec<Draft>) {
        let Some(name) = &self.customer.spec.reseller else { return };
        if let Some(account) = self.account
            && account.program != Program::IndirectProvider
        {
            let message =
                format!("an account of the program `{}` has no resellers", account.program);
            let help = "`reseller` is for an indirect provider's customers; a reseller names its providers under `partnerships`";
            self.push(
                drafts,
                Code::P1407,
                at_key(self.customer, way!["spec", "reseller"]),
                message,
                help,
            );
            return;
        }
        self.partner(name, With::IndirectReseller, || way!["spec", "reseller"], drafts);
    }

    fn partner(
        &self,
        name: &PartnershipKey,
        with: With,
        path: impl FnOnce() -> Vec<Step>,
        drafts: &mut Vec<Draft>,
    ) {
        let all = &self.world.estate.partnerships;
        let at = || self.at(path());
        if let Some(partnership) = all.get(name) {
            let spec = &partnership.spec;
            let code = if with == With::IndirectProvider { Code::P1401 } else { Code::P1406 };
            let wrong = if spec.with != with {
                let message = format!(
                    "`{name}` is a partnership with an `{}`, not with an `{with}`",
                    spec.with
                );
                Some((message, "with"))
            } else if spec.state != PartnershipState::Active {
                Some((format!("the partnership `{name}` is declared as ended"), "state"))
            } else {
                None
            };
            if let Some((message, field)) = wrong {
                drafts.push(
                    Draft::new(code, at(), message)
                        .help("name a partnership that is active, or none")
                        .object(self.object())
                        .related("the partnership", at_field(partnership, way!["spec", field])),
                );
            }
            return;
        }
        find(self.world, Kind::Partnership, all, name.as_str(), at, || self.object(), drafts);
    }

    fn origin(&self, drafts: &mut Vec<Draft>) {
        let spec = &self.customer.spec;
        if spec.origin == Origin::Existing {
            // With a tenant id the relationship may hold already.
            if spec.relationship == Relationship::Reseller && spec.tenant_id.is_none() {
                let at = || at_key(self.customer, way!["spec", "origin"]);
                let what = "relationships with customers that exist already";
                let gap = capability(self.world, Capability::InviteExistingCustomer, what, at);
                drafts.extend(gap.map(|draft| draft.object(self.object())));
            }
            return;
        }
        if self.account.is_some_and(|account| account.program == Program::IndirectReseller) {
            let help = "an indirect reseller invites customers (`origin: existing`), or its provider creates them";
            self.push(
                drafts,
                Code::P1402,
                self.at(way!["spec", "origin"]),
                "an indirect reseller cannot create a customer's tenant".to_owned(),
                help,
            );
            return;
        }
        if !spec.domain.is_initial() {
            let message = format!(
                "a new tenant begins at `onmicrosoft.com`, not at {}",
                quoted(spec.domain.as_str())
            );
            self.push(
                drafts,
                Code::P1403,
                self.at(way!["spec", "domain"]),
                message,
                "take a domain such as `contoso.onmicrosoft.com`; the customer's own are added afterwards",
            );
        }
        if spec.contact.is_none() {
            let help = "add `contact: {email: ...}`: the new tenant's first mail goes there";
            self.push(
                drafts,
                Code::P1408,
                at_key(self.customer, way!["spec", "contact"]),
                "a new customer needs a contact".to_owned(),
                help,
            );
        }
        if spec.billing.as_ref().is_none_or(|billing| billing.address.is_none()) {
            let help = "add `billing: {address: ...}`: a tenant cannot be created without it";
            self.push(
                drafts,
                Code::P1408,
                at_key(self.customer, way!["spec", "billing", "address"]),
                "a new customer needs a billing address".to_owned(),
                help,
            );
        }
    }

    fn market(&self, drafts: &mut Vec<Draft>) {
        let Some(account) = self.account else { return };
        let address =
            self.customer.spec.billing.as_ref().and_then(|billing| billing.address.as_ref());
        let Some(address) = address else { return };
        let (ours, theirs) = (account.country.market(), address.country.market());
        if ours != theirs {
            let message = format!(
                "a customer in `{}` is outside the account's market, {ours}",
                address.country
            );
            let at = self.at(way!["spec", "billing", "address", "country"]);
            self.push(
                drafts,
                Code::P1404,
                at,
                message,
                "leave it to a partner of that market; the EU, EFTA and the United Kingdom are one",
            );
        }
    }

    fn qualification(&self, drafts: &mut Vec<Draft>) {
        let spec = &self.customer.spec;
        let qualification = spec.qualification.unwrap_or(Qualification::None);
        if qualification == Qualification::None {
            return;
        }
        let at = || self.at(way!["spec", "qualification"]);
        let gap = capability(self.world, Capability::CustomerQualification, "qualifications", at);
        drafts.extend(gap.map(|draft| draft.object(self.object())));
        let details = spec.qualification_details.as_ref();
        let missing = match qualification {
            Qualification::Education => details.is_none_or(|details| details.education_segment.is_none() || details.website.is_none()).then_some(
                "say what sort of school it is, and its website: `qualificationDetails: {educationSegment: k12, website: ...}`",
            ),
            Qualification::GovernmentCommunityCloud => {
                details.is_none_or(|details| details.validation_code.is_none()).then_some("give the code that Microsoft gave: `qualificationDetails: {validationCode: \"...\"}`")
            }
            Qualification::StateOwnedEntity | Qualification::None => None,
        };
        if let Some(help) = missing {
            self.push(
                drafts,
                Code::P1409,
                at(),
                format!("`{qualification}` cannot be asked for without its details"),
                help,
            );
        }
    }
}

/// Checks a selector: its names, and that it selects somebody.
pub(super) fn selector<T>(
    world: &World<'_>,
    declared: &Declared<T>,
    selector: &Selector,
    path: Vec<Step>,
    object: &str,
    drafts: &mut Vec<Draft>,
) {
    let customers = &world.estate.customers;
    let mut complete = true;
    for (field, names) in [("names", &selector.names), ("except", &selector.except)] {
        for (index, name) in names.iter().enumerate() {
            let at =
                || at_field(declared, path.iter().cloned().chain(way![field, index]).collect());
            let found = find(
                world,
                Kind::Customer,
                customers,
                name.as_str(),
                at,
                || object.to_owned(),
                drafts,
            );
            complete &= found.is_some();
            if field == "names"
                && let Some(customer) = found
                && customer.spec.relationship == Relationship::None
            {
                complete = false;
                drafts.push(
                    Draft::new(
                        Code::P0312,
                        at(),
                        format!("the relationship with `{name}` is declared as ended"),
                    )
                    .help("leave it out here, or declare the relationship")
                    .object(object)
                    .related("the customer", at_field(customer, way!["spec", "relationship"])),
                );
            }
        }
    }
    if complete
        && world.complete_enough()
        && !world.customers.selects_any(selector)
        && !may_select_unknown(world, selector)
    {
        drafts.push(
            Draft::new(Code::P0311, at_key(declared, path), "this selects no declared customer")
                .help("look at the customers' labels: all conditions must hold, and `relationship: none` is never selected")
                .object(object),
        );
    }
}

/// Whether a selector may be about customers that could not be read, or not wholly.
fn may_select_unknown(world: &World<'_>, selector: &Selector) -> bool {
    if world.labels_unknown || world.broken_labels.iter().any(|labels| selector.matches(labels)) {
        return true;
    }
    if !world.lost.may_declare(Kind::Customer) {
        return false;
    }
    let equal = selector.labels.values().chain(selector.any_of.values().flatten());
    let mut words = equal
        .map(LabelValue::as_str)
        .chain(selector.exists.iter().map(LabelKey::as_str))
        .peekable();
    words.peek().is_none() || words.any(|word| world.lost.may_hold(word))
}
