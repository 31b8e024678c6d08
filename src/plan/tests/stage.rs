//! A small estate, a tenant that is as it declares, what is remembered of it; and hands that change
//! each of the three.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::super::holdings::template_of;
use super::super::step::Source as Declared;
use super::super::{Actor, Deed, Input, Planned, Record, applied, plan, undo};
use crate::manifest::source::{Format, Source, Sources};
use crate::manifest::{self, Load, Loaded, ReadProject, Tables, TroubleKind};
use crate::model::contact::{Address, Phone};
use crate::model::country::{CountryCode, Language};
use crate::model::estate::{Estate, Origin};
use crate::model::id::TenantId;
use crate::model::name::Kind;
use crate::model::project::{Guards, Limit, Limits};
use crate::model::record::{
    Confirmation, ConfirmedAt, Managed, ObjectKey, Origin as How, Recorded, Spent, WaitingSince,
};
use crate::model::role::Group as DeclaredGroup;
use crate::model::scalar::Scalar;
use crate::model::tenant::{
    AccountRole, AccountRoleMember, Customer, CustomerDetails, Group, GroupKind, Holding, Marks,
    MemberKind, ObjectId, Partnership, Profile, ProfileKind, Relationship, RoleAssignment, Side,
    Snapshot, User,
};
use crate::model::text::{Remark, Title};
use crate::model::time::Day;
use crate::model::user::{self, AgentLevel, RoleGrant};
use crate::policy::rules::Rules;

pub(crate) const BASE: &str = include_str!("base.yaml");
pub(super) const NOW: &str = "2026-11-20T12:00:00Z";
pub(super) const LINK: &str = "https://admin.microsoft.com/Adminportal/Home?invType=ResellerRelationship&partnerId=00000000-0000-0000-0000-000000000001&msppId=0&DAP=false#/BillingAccounts/partner-invitation";

static LIBRARY: LazyLock<Rules> = LazyLock::new(Rules::library);

struct NoTables;

impl Tables for NoTables {
    fn open(&self, _: &str, file: &str) -> Result<(String, Vec<u8>), (TroubleKind, String)> {
        Err((TroubleKind::Missing, file.to_owned()))
    }
}

pub(super) fn load(text: &str, today: Day) -> Loaded {
    let mut sources = Sources::default();
    sources.add(Source {
        name: "estate.yaml".to_owned(),
        format: Format::Yaml,
        bytes: text.as_bytes().to_vec(),
    });
    let loaded = manifest::load(Load {
        sources,
        project: ReadProject::default(),
        project_name: "partnerctl.yaml".to_owned(),
        troubles: Vec::new(),
        tables: &NoTables,
        examiner: &manifest::NothingMore,
        complete: false,
        today,
    });
    assert!(!loaded.has_errors(), "{:#?}", loaded.findings.all);
    loaded
}

/// Ids that a name always has.
pub(super) fn id_of(name: &str) -> Uuid {
    let number = name.bytes().fold(0xcbf2_9ce4_8422_2325_u128, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0100_0000_01b3_0000_0000_0000_013b)
    });
    uuid::Builder::from_u128(number).into_uuid()
}

pub(crate) fn object_id(name: &str) -> ObjectId {
    ObjectId(id_of(name))
}

pub(super) const OUR_TENANT: TenantId = TenantId(Uuid::from_u128(1));

pub(crate) struct Stage {
    text: String,
    pub(crate) snapshot: Snapshot,
    objects: BTreeMap<ObjectKey, Recorded>,
    confirmed: Vec<ConfirmedAt>,
    pub(crate) waiting: Vec<WaitingSince>,
    pub(super) spent: Spent,
    pub(super) limits: Limits,
    pub(super) guards: Guards,
    pub(super) actor: Option<Actor>,
    pub(super) is_complete: bool,
    pub(super) lags: bool,
    pub(super) hands_over: bool,
    targets: BTreeSet<ObjectKey>,
    revive: BTreeSet<ObjectKey>,
    /// Policies of its own, in Cedar.
    policies: String,
    pub(crate) now: Timestamp,
}

impl Stage {
    /// Everything is in place, and nothing is remembered.
    pub(crate) fn fresh(text: &str) -> Self {
        let now: Timestamp = NOW.parse().unwrap();
        let loaded = load(text, day(now));
        Self {
            text: text.to_owned(),
            snapshot: tenant(&loaded.estate, now),
            objects: BTreeMap::new(),
            confirmed: Vec::new(),
            waiting: Vec::new(),
            spent: Spent::default(),
            limits: Limits::default(),
            guards: Guards::default(),
            actor: Some(Actor::User(object_id("aiko@fabrikam.example"))),
            is_complete: true,
            lags: false,
            hands_over: true,
            targets: BTreeSet::new(),
            revive: BTreeSet::new(),
            policies: String::new(),
            now,
        }
    }

    /// Everything is in place, and was applied by us, two hours ago.
    pub(crate) fn base() -> Self {
        Self::fresh(BASE).applied(How::Made)
    }

    /// There is a tenant, with nothing of what is declared but aiko.
    pub(super) fn empty() -> Self {
        Self::fresh(BASE).live(|tenant| {
            let aiko = object_id("aiko@fabrikam.example");
            tenant.users.retain(|id, _| *id == aiko);
            tenant.groups.retain(|_, group| group.name.ends_with("Agents"));
            for group in tenant.groups.values_mut() {
                group.members.as_mut().unwrap().retain(|id, _| *id == aiko);
            }
            tenant.assignments.retain(|held| held.principal == aiko);
            tenant.customers.clear();
            tenant.partnerships.clear();
            tenant.account_roles.iter_mut().for_each(|role| role.members.clear());
        })
    }

    /// What is live now is what we applied.
    pub(super) fn applied(mut self, how: How) -> Self {
        let loaded = load(&self.text, day(self.now));
        let at = self.now - SignedDuration::from_hours(2);
        for (key, remote_id) in objects(&loaded.estate, &self.snapshot) {
            let mut what = applied(&loaded.estate, &key, None).unwrap();
            if how == How::Made {
                what.granted = what
                    .fields
                    .iter()
                    .filter_map(|(path, value)| Some((path, value.as_array()?)))
                    .flat_map(|(path, values)| {
                        values.iter().map(move |value| {
                            let word = value.as_str().map_or_else(
                                || {
                                    let role = value["role"].as_str().unwrap_or_default();
                                    let place = value["locations"][0].as_str().unwrap_or_default();
                                    format!("{role}@{place}")
                                },
                                str::to_owned,
                            );
                            format!("{path}:{word}")
                        })
                    })
                    .collect();
            }
            let managed = Managed {
                key: key.clone(),
                estate: "fabrikam".into(),
                remote_id: remote_id.map(Into::into),
                origin: how,
                spec: what.to_json().unwrap(),
                exchanges: BTreeMap::new(),
                is_protected: is_protected(&loaded.estate, &key),
                formerly: Vec::new(),
                run: Some("run-1".into()),
            };
            self.objects.insert(key, Recorded { managed, at });
        }
        self
    }

    /// What a run leaves: all that is declared is managed, and nothing else is.
    pub(super) fn settled(self) -> Self {
        let mut settled = self.applied(How::Made);
        let estate = load(&settled.text, day(settled.now)).estate;
        settled.objects.retain(|key, _| applied(&estate, key, None).is_some());
        settled
    }

    /// Somebody takes a document away.
    pub(super) fn leave_out(&mut self, name: &str) {
        let text = std::mem::take(&mut self.text);
        let marker = format!("metadata: {{name: {name}");
        let kept: Vec<&str> =
            text.split("---\n").filter(|document| !document.contains(&marker)).collect();
        self.text = kept.join("---\n");
    }

    pub(super) fn object(&self, key: &ObjectKey) -> Option<&Recorded> {
        self.objects.get(key)
    }

    /// Something more is remembered.
    pub(super) fn keep(&mut self, known: Recorded) {
        self.objects.insert(known.managed.key.clone(), known);
    }

    /// What is remembered, changed.
    pub(super) fn remember(&mut self, key: &str, change: impl FnOnce(&mut Recorded)) {
        change(self.objects.get_mut(&ObjectKey::parse(key).unwrap()).unwrap());
    }

    /// Somebody writes the manifests anew.
    pub(crate) fn rewrite(&mut self, text: String) {
        self.text = text;
    }

    pub(crate) fn text(&self) -> String {
        self.text.clone()
    }

    pub(crate) fn estate(&self) -> Estate {
        load(&self.text, day(self.now)).estate
    }

    /// All that is remembered.
    pub(crate) fn remember_all(&mut self, all: Vec<Recorded>) {
        self.objects = all.into_iter().map(|one| (one.managed.key.clone(), one)).collect();
    }

    pub(crate) fn revive_all(&mut self, all: Vec<ObjectKey>) {
        self.revive = all.into_iter().collect();
    }

    /// Somebody edits the manifests.
    pub(super) fn edit(mut self, from: &str, to: &str) -> Self {
        assert!(self.text.contains(from), "the manifests hold no {from:?}");
        self.text = self.text.replacen(from, to, 1);
        self
    }

    /// Somebody adds a document.
    pub(super) fn add(mut self, document: &str) -> Self {
        self.text.push_str("---\napiVersion: partnerctl/v1\n");
        self.text.push_str(document);
        self
    }

    /// Somebody takes a document away.
    pub(super) fn without(mut self, name: &str) -> Self {
        let marker = format!("metadata: {{name: {name}");
        assert!(self.text.contains(&marker), "no {name}");
        self.leave_out(name);
        self
    }

    /// Others' hands.
    pub(super) fn live(mut self, change: impl FnOnce(&mut Snapshot)) -> Self {
        change(&mut self.snapshot);
        self
    }

    /// What is remembered, changed.
    pub(super) fn remembered(mut self, key: &str, change: impl FnOnce(&mut Recorded)) -> Self {
        self.remember(key, change);
        self
    }

    pub(super) fn revive(mut self, key: &str) -> Self {
        self.revive.insert(ObjectKey::parse(key).unwrap());
        self
    }

    pub(super) fn target(mut self, key: &str) -> Self {
        self.targets.insert(ObjectKey::parse(key).unwrap());
        self
    }

    pub(super) fn confirm(mut self, object: &str, step: &str, what: &str) -> Self {
        let confirmation = Confirmation {
            object: ObjectKey::parse(object).unwrap(),
            step: step.to_owned(),
            what: what.to_owned(),
            who: "aiko".to_owned(),
        };
        self.confirmed.push(ConfirmedAt { confirmation, at: self.now });
        self
    }

    /// Somebody writes policies.
    pub(super) fn policies(mut self, text: &str) -> Self {
        self.policies.push_str(text);
        self
    }

    pub(super) fn guards(mut self, global: u32, agents: u32) -> Self {
        self.guards.global_admins_min = global;
        self.guards.admin_agents_min = agents;
        self
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub(super) fn percent_of_removals(mut self, percent: u32) -> Self {
        self.limits.removals = Some(Limit { count: None, percent: Some(percent) });
        self
    }

    pub(crate) fn plan(&self) -> Planned {
        self.with_input(plan)
    }

    /// The way back from what a run did.
    pub(super) fn undo(&self, deeds: &[Deed]) -> Planned {
        self.with_input(|input| undo(input, deeds))
    }

    fn with_input<T>(&self, plan: impl FnOnce(&Input<'_>) -> T) -> T {
        let loaded = load(&self.text, day(self.now));
        let today = day(self.now);
        // The roles of these estates permit nothing of their own.
        let own;
        let rules = if self.policies.is_empty() {
            &*LIBRARY
        } else {
            let mut sources = Sources::default();
            let bytes = self.policies.clone().into_bytes();
            sources.add(Source { name: "own.cedar".to_owned(), format: Format::Cedar, bytes });
            own = Rules::declared(&loaded.estate, &sources, today);
            &own
        };
        let record = Record::of(
            "fabrikam",
            self.objects.values().cloned().collect(),
            self.waiting.clone(),
            self.confirmed.clone(),
            self.spent,
        );
        let source_of = |origin: Origin| {
            loaded.line_of(origin).map(|(file, line)| Declared { file, line: Some(line) })
        };
        plan(&Input {
            estate: &loaded.estate,
            snapshot: &self.snapshot,
            record: &record,
            limits: &self.limits,
            guards: &self.guards,
            rules,
            actor: self.actor.clone(),
            admin: "https://admin.microsoft.com",
            invitation: Some(LINK),
            is_complete: self.is_complete,
            hands_over: self.hands_over,
            lags: self.lags,
            now: self.now,
            today,
            targets: &self.targets,
            revive: &self.revive,
            source_of: &source_of,
        })
    }
}

fn day(now: Timestamp) -> Day {
    Day(now.to_zoned(jiff::tz::TimeZone::UTC).date())
}

fn is_protected(estate: &Estate, key: &ObjectKey) -> bool {
    match key.kind {
        Kind::User => estate.users[key.name.as_str()].metadata.protect,
        Kind::Role => estate.roles[key.name.as_str()].metadata.protect,
        _ => false,
    }
}

/// What is declared and live, with its id.
fn objects(estate: &Estate, snapshot: &Snapshot) -> Vec<(ObjectKey, Option<String>)> {
    let mut all = Vec::new();
    let account = estate.account.as_ref().unwrap();
    all.push((ObjectKey::new(Kind::Account, account.metadata.name.as_str()), None));
    for (key, user) in &estate.users {
        let id = object_id(&super::super::bind::sign_in_name(&user.spec));
        if snapshot.users.contains_key(&id) {
            all.push((ObjectKey::new(Kind::User, key.as_str()), Some(id.to_string())));
        }
    }
    for (key, role) in &estate.roles {
        let Some(DeclaredGroup::Named { name, .. }) = &role.spec.group else { continue };
        let id = object_id(name.as_str());
        if snapshot.groups.contains_key(&id) {
            all.push((ObjectKey::new(Kind::Role, key.as_str()), Some(id.to_string())));
        }
    }
    for (key, partnership) in &estate.partnerships {
        let tenant = partnership.spec.tenant_id;
        if snapshot.partnerships.iter().any(|found| found.tenant == tenant) {
            all.push((ObjectKey::new(Kind::Partnership, key.as_str()), Some(tenant.to_string())));
        }
    }
    for (key, customer) in &estate.customers {
        let id = tenant_of(customer.spec.tenant_id, customer.spec.domain.as_str());
        if snapshot.customers.contains_key(&id) {
            all.push((ObjectKey::new(Kind::Customer, key.as_str()), Some(id.to_string())));
        }
    }
    all
}

pub(super) fn tenant_of(declared: Option<TenantId>, domain: &str) -> TenantId {
    declared.unwrap_or_else(|| TenantId(id_of(domain)))
}

fn text(value: Option<&str>) -> Option<String> {
    value.map(str::to_owned)
}

pub(super) fn person(declared: &user::User) -> User {
    User {
        display_name: declared.display_name.as_str().to_owned(),
        sign_in_name: super::super::bind::sign_in_name(declared),
        email: Some(declared.email.as_str().to_owned()),
        enabled: Some(declared.enabled),
        is_guest: declared.is_guest(),
        is_synced: false,
        mail_nickname: None,
        given_name: text(declared.given_name.as_ref().map(Title::as_str)),
        surname: text(declared.surname.as_ref().map(Title::as_str)),
        job_title: text(declared.job_title.as_ref().map(Title::as_str)),
        department: text(declared.department.as_ref().map(Title::as_str)),
        mobile_phone: text(declared.mobile_phone.as_ref().map(Phone::as_str)),
        preferred_language: text(declared.preferred_language.as_ref().map(Language::as_str)),
        usage_location: text(declared.usage_location.as_ref().map(CountryCode::as_str)),
        created_at: None,
    }
}

pub(crate) fn group(name: &str, alias: &str) -> Group {
    Group {
        name: name.to_owned(),
        description: None,
        mail_nickname: Some(alias.to_owned()),
        kind: GroupKind::Security,
        is_synced: false,
        is_role_assignable: false,
        members: Some(BTreeMap::new()),
        owners: Some(BTreeMap::new()),
    }
}

/// The tenant that an estate declares.
fn tenant(estate: &Estate, now: Timestamp) -> Snapshot {
    let mut snapshot = Snapshot {
        observed_at: now,
        tenant: Some(OUR_TENANT),
        domains: BTreeSet::from(["fabrikam.example".into(), "fabrikam.onmicrosoft.com".into()]),
        users: BTreeMap::new(),
        groups: BTreeMap::new(),
        assignments: Vec::new(),
        deleted_users: BTreeMap::new(),
        customers: BTreeMap::new(),
        partnerships: Vec::new(),
        profiles: profiles(estate),
        account_roles: vec![AccountRole {
            id: "referrals".to_owned(),
            name: "Referrals Admin".to_owned(),
            category: None,
            members: Vec::new(),
        }],
        delegated: BTreeMap::new(),
        blind: Vec::new(),
        marks: Marks::default(),
    };
    for name in ["AdminAgents", "HelpdeskAgents", "SalesAgents"] {
        snapshot.groups.insert(object_id(name), group(name, name));
    }
    for (key, role) in &estate.roles {
        if let Some(DeclaredGroup::Named { name, mail_nickname }) = &role.spec.group {
            let alias = mail_nickname.as_ref().map_or(key.as_str(), |alias| alias.as_str());
            let mut made = group(name.as_str(), alias);
            made.description = text(role.spec.description.as_ref().map(Remark::as_str));
            snapshot.groups.insert(object_id(name.as_str()), made);
        }
    }
    for declared in estate.users.values() {
        hire(&mut snapshot, estate, &declared.spec);
    }
    for declared in estate.partnerships.values() {
        snapshot.partnerships.push(Partnership {
            tenant: declared.spec.tenant_id,
            name: declared.spec.display_name.as_str().to_owned(),
            side: Side::IndirectProvider,
            state: "active".to_owned(),
            partner_id: None,
            country: None,
            has_signed_agreement: None,
        });
    }
    for declared in estate.customers.values() {
        let id = tenant_of(declared.spec.tenant_id, declared.spec.domain.as_str());
        let place = declared.spec.billing.as_ref().and_then(|billing| billing.address.as_ref());
        snapshot.customers.insert(
            id,
            Customer {
                company_name: declared.spec.company_name.as_str().to_owned(),
                domain: declared.spec.domain.as_str().to_owned(),
                relationship: Relationship::Reseller,
                details: CustomerDetails {
                    billing: place.map(|place| {
                        let Value::Object(body) = json!({"defaultAddress": address(place)}) else {
                            panic!("an object")
                        };
                        Profile(body)
                    }),
                    qualifications: Some(Vec::new()),
                    subscriptions: Some(Vec::new()),
                    ..CustomerDetails::default()
                },
            },
        );
    }
    snapshot
}

fn hire(snapshot: &mut Snapshot, estate: &Estate, declared: &user::User) {
    let id = object_id(&super::super::bind::sign_in_name(declared));
    snapshot.users.insert(id, person(declared));
    for level in &declared.agent {
        let name = match level {
            AgentLevel::Admin => "AdminAgents",
            AgentLevel::Helpdesk => "HelpdeskAgents",
            AgentLevel::Sales => "SalesAgents",
        };
        join(snapshot, name, id);
    }
    for (level, holding) in &declared.admin {
        let holding = match holding {
            user::Holding::Active => Holding::Active,
            user::Holding::Eligible => Holding::Eligible,
        };
        snapshot.assignments.push(RoleAssignment {
            id: format!("{level}-{id}"),
            role: template_of(*level).unwrap(),
            principal: id,
            scope: "/".to_owned(),
            holding,
        });
    }
    for grant in declared.roles.iter().flatten() {
        match grant {
            RoleGrant::Custom(role) => {
                let Some(DeclaredGroup::Named { name, .. }) = &estate.roles[role].spec.group else {
                    continue;
                };
                join(snapshot, name.as_str(), id);
            }
            RoleGrant::Account { locations, .. } => {
                let places: Vec<String> = if locations.is_empty() {
                    vec![OUR_TENANT.to_string()]
                } else {
                    locations.iter().map(|place| place.as_str().to_owned()).collect()
                };
                for place in places {
                    snapshot.account_roles[0].members.push(AccountRoleMember {
                        user: id,
                        account: Some(place),
                        display_name: String::new(),
                        sign_in_name: String::new(),
                    });
                }
            }
            RoleGrant::Unrecognised { .. } => {}
        }
    }
}

/// Somebody becomes a member of a group.
pub(super) fn join(snapshot: &mut Snapshot, group: &str, id: ObjectId) {
    let group = snapshot.groups.get_mut(&object_id(group)).unwrap();
    group.members.as_mut().unwrap().insert(id, MemberKind::User);
}

/// Somebody leaves a group.
pub(super) fn leave(snapshot: &mut Snapshot, group: &str, id: ObjectId) {
    let group = snapshot.groups.get_mut(&object_id(group)).unwrap();
    group.members.as_mut().unwrap().remove(&id);
}

fn address(place: &Address) -> Value {
    let members = super::super::account::address("", "", place);
    let members = members.into_iter().map(|(_, wire, value)| (wire[1..].to_owned(), value));
    Value::Object(members.collect())
}

fn profiles(estate: &Estate) -> BTreeMap<ProfileKind, Profile> {
    let account = &estate.account.as_ref().unwrap().spec;
    let contact = &account.legal.primary_contact;
    let object = |value: Value| match value {
        Value::Object(members) => Profile(members),
        _ => Profile(Map::new()),
    };
    let legal = object(json!({
        "companyName": account.legal.company_name.as_str(),
        "address": address(&account.legal.address),
        "primaryContact": {
            "firstName": contact.first_name.as_str(),
            "lastName": contact.last_name.as_str(),
            "email": contact.email.as_str(),
            "phoneNumber": contact.phone.as_ref().map(Phone::as_str),
        },
        "vettingStatus": "authorized",
    }));
    let support = account.support.as_ref();
    let support = object(json!({
        "email": support.and_then(|one| Some(one.email.as_ref()?.as_str())),
        "telephone": support.and_then(|one| Some(one.phone.as_ref()?.as_str())),
        "website": support.and_then(|one| Some(one.website.as_ref()?.as_str())),
    }));
    let network = object(json!({"mpnId": account.partner_id.as_str()}));
    BTreeMap::from([
        (ProfileKind::Legal, legal),
        (ProfileKind::Support, support),
        (ProfileKind::PartnerNetwork, network),
    ])
}

/// Somebody of ours, by the part before the `@`.
pub(super) fn user<'s>(snapshot: &'s mut Snapshot, name: &str) -> &'s mut User {
    snapshot.users.get_mut(&object_id(&format!("{name}@fabrikam.example"))).unwrap()
}

/// Names that stand for what they were parsed from.
pub(super) fn parse<T: Scalar>(text: &str) -> T {
    T::parse(text).unwrap()
}
