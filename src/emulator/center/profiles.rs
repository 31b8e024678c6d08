//! Our own profiles.

use axum::extract::{Query, State};
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Body;
use super::access::{self, Need, check};
use super::customers::insert;
use super::documents::{Partner, Profile};
use super::wire::{check_etag, etag, member, ok, self_link, stored, text};
use crate::emulator::audit::{By, Deed, record};
use crate::emulator::caller::Caller;
use crate::emulator::error::{CenterError, Code};
use crate::emulator::store::{Read, StoreError, Write};
use crate::emulator::tenant::{Quirks, Tenant};
use crate::emulator::world::World;

/// How one of the profiles is kept and written.
#[derive(Debug, Clone, Copy)]
struct Sort {
    /// Its id, and the last part of its path.
    id: &'static str,
    profile_type: &'static str,
    has_etag: bool,
    see: Need,
    /// Without these a profile is no profile.
    required: &'static [&'static str],
    /// What only the service sets.
    fixed: &'static [&'static str],
}

const ORGANIZATION: Sort = Sort {
    id: "organization",
    profile_type: "OrganizationProfile",
    has_etag: true,
    see: access::SEE_PROFILES,
    required: &["companyName", "defaultAddress"],
    fixed: &["id", "tenantId", "domain"],
};
const LEGAL: Sort = Sort {
    id: "legalbusiness",
    profile_type: "LegalBusinessProfile",
    has_etag: false,
    see: access::SEE_LEGAL_PROFILE,
    required: &["companyName", "address", "primaryContact"],
    fixed: &["vettingStatus", "vettingSubStatus"],
};
const BILLING: Sort = Sort {
    id: "billing",
    profile_type: "BillingProfile",
    has_etag: true,
    see: access::SEE_PROFILES,
    required: &["companyName", "address", "primaryContact"],
    fixed: &[],
};
const SUPPORT: Sort = Sort {
    id: "support",
    profile_type: "SupportProfile",
    has_etag: false,
    see: access::SEE_PROFILES,
    required: &[],
    fixed: &[],
};

/// What a tenant's profiles say before anybody wrote them.
pub(crate) fn begin(tx: &Write<'_>, tenant: &Tenant) -> Result<(), StoreError> {
    let name = &tenant.company_name;
    let address = json!({
        "country": tenant.country,
        "city": "Redmond",
        "state": "WA",
        "addressLine1": "One Way",
        "addressLine2": "",
        "postalCode": "98052",
        "firstName": "Embedded",
        "lastName": "Administrator",
        "phoneNumber": "4255550100",
    });
    let contact = json!({
        "firstName": "Embedded",
        "lastName": "Administrator",
        "email": format!("contact@{}", tenant.domain()),
        "phoneNumber": "4255550100",
    });
    for (sort, body) in [
        (
            ORGANIZATION,
            json!({
                "id": tenant.id,
                "companyName": name,
                "defaultAddress": address,
                "tenantId": tenant.id,
                "domain": tenant.domain(),
                "email": format!("partner@{}", tenant.domain()),
                "language": "en",
                "culture": "en-US",
            }),
        ),
        (
            LEGAL,
            json!({
                "companyName": name,
                "address": address,
                "primaryContact": contact,
                "companyApproverAddress": address,
                "companyApproverEmail": format!("contact@{}", tenant.domain()),
                "vettingStatus": "authorized",
                "vettingSubStatus": "none",
            }),
        ),
        (
            BILLING,
            json!({
                "companyName": name,
                "address": address,
                "primaryContact": contact,
                "purchaseOrderNumber": "",
                "taxId": "",
                "billingCurrency": "USD",
            }),
        ),
        (SUPPORT, json!({"email": "", "telephone": "", "website": ""})),
    ] {
        put(tx, sort.id, stored(&body))?;
    }
    Ok(())
}

/// Keeps a profile as if it had been vetted long ago.
pub(crate) fn put(tx: &Write<'_>, id: &str, body: Map<String, Value>) -> Result<(), StoreError> {
    let changed_at = Timestamp::UNIX_EPOCH;
    tx.put(&Profile { id: id.to_owned(), body, finalized: None, changed_at })?;
    Ok(())
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Version {
    #[serde(rename = "vettingVersion")]
    vetting_version: Option<String>,
}

pub(super) async fn organization(
    State(world): State<World>,
    caller: Caller,
) -> Result<Response, CenterError> {
    read(&world, &caller, &ORGANIZATION, false)
}

pub(super) async fn legal(
    State(world): State<World>,
    caller: Caller,
    Query(query): Query<Version>,
) -> Result<Response, CenterError> {
    let is_final = match query.vetting_version.as_deref() {
        None => false,
        Some(version) if version.eq_ignore_ascii_case("current") => false,
        Some(version) if version.eq_ignore_ascii_case("lastfinalized") => true,
        Some(_) => return Err(CenterError::invalid("The vetting version is not valid.")),
    };
    read(&world, &caller, &LEGAL, is_final)
}

pub(super) async fn billing(
    State(world): State<World>,
    caller: Caller,
) -> Result<Response, CenterError> {
    read(&world, &caller, &BILLING, false)
}

pub(super) async fn support(
    State(world): State<World>,
    caller: Caller,
) -> Result<Response, CenterError> {
    read(&world, &caller, &SUPPORT, false)
}

pub(super) async fn put_organization(
    State(world): State<World>,
    caller: Caller,
    Body(body): Body,
) -> Result<Response, CenterError> {
    write(&world, &caller, &ORGANIZATION, &body)
}

pub(super) async fn put_legal(
    State(world): State<World>,
    caller: Caller,
    Body(body): Body,
) -> Result<Response, CenterError> {
    write(&world, &caller, &LEGAL, &body)
}

pub(super) async fn put_billing(
    State(world): State<World>,
    caller: Caller,
    Body(body): Body,
) -> Result<Response, CenterError> {
    write(&world, &caller, &BILLING, &body)
}

pub(super) async fn put_support(
    State(world): State<World>,
    caller: Caller,
    Body(body): Body,
) -> Result<Response, CenterError> {
    write(&world, &caller, &SUPPORT, &body)
}

fn read(
    world: &World,
    caller: &Caller,
    sort: &Sort,
    is_final: bool,
) -> Result<Response, CenterError> {
    let quirks = world.quirks();
    let (profile, now) = world.store().read(|tx| {
        check(tx, caller, sort.see)?;
        Ok::<_, CenterError>((kept(tx, sort)?, tx.now()))
    })?;
    Ok(ok(&written(sort, &profile, now, is_final, &quirks), &quirks))
}

/// A profile with what only the tenant knows.
fn kept(tx: &Read<'_>, sort: &Sort) -> Result<Profile, StoreError> {
    let found = tx.get::<Profile>(sort.id)?.ok_or(StoreError::Missing("profile"))?;
    let mut profile = found.document;
    if sort.id == ORGANIZATION.id {
        let tenant = Tenant::of(tx)?;
        let domain = tenant.domain().to_owned();
        for (name, value) in [("id", &tenant.id), ("tenantId", &tenant.id), ("domain", &domain)] {
            profile.body.insert(name.to_owned(), value.as_str().into());
        }
    }
    Ok(profile)
}

fn write(
    world: &World,
    caller: &Caller,
    sort: &Sort,
    body: &Value,
) -> Result<Response, CenterError> {
    let quirks = world.quirks();
    let (profile, now) = world.store().write(|tx| {
        check(tx, caller, access::CHANGE_PROFILES)?;
        let mut profile = kept(tx, sort)?;
        let given = member(body, "attributes").and_then(|attributes| text(attributes, "etag"));
        if let Some(given) = given.filter(|_| sort.has_etag) {
            check_etag(given, &etag(&profile.body))?;
        }
        for name in sort.required {
            if member(body, name).is_none() {
                let message = format!("The profile has no {name}.");
                let status = StatusCode::BAD_REQUEST;
                return Err(CenterError::new(status, Code::Number(3000), message));
            }
        }
        let mut next = stored(body);
        for name in sort.fixed {
            match profile.body.get(*name) {
                Some(value) => next.insert((*name).to_owned(), value.clone()),
                None => next.remove(*name),
            };
        }
        if next != profile.body {
            let before = std::mem::replace(&mut profile.body, next);
            if sort.id == LEGAL.id {
                profile.finalized.get_or_insert(before.clone());
            }
            profile.changed_at = tx.now();
            tx.put(&profile)?;
            record(
                tx,
                By::Caller(caller),
                &Deed {
                    operation: "update_company_info",
                    resource: "partner_user",
                    customer: None,
                    before: Some(Value::Object(before)),
                    after: Some(Value::Object(profile.body.clone())),
                },
            )?;
        }
        Ok::<_, CenterError>((profile, tx.now()))
    })?;
    Ok(ok(&written(sort, &profile, now, false, &quirks), &quirks))
}

fn written(
    sort: &Sort,
    profile: &Profile,
    now: Timestamp,
    is_final: bool,
    quirks: &Quirks,
) -> Value {
    let wait = quirks.step();
    let is_vetted = now.duration_since(profile.changed_at) >= wait;
    let older = profile.finalized.as_ref().filter(|_| is_final && !is_vetted);
    let mut written = Value::Object(older.unwrap_or(&profile.body).clone());
    if sort.id == LEGAL.id && !is_vetted && !is_final {
        insert(&mut written, "vettingStatus", "pending".into());
        insert(&mut written, "vettingSubStatus", "business_verification".into());
    }
    insert(&mut written, "profileType", sort.profile_type.into());
    // This one was always seen with the version.
    let path = format!("/profiles/{}", sort.id);
    let links = if sort.id == SUPPORT.id && !quirks.links_with_version {
        self_link(quirks, &format!("/v1{path}"))
    } else {
        self_link(quirks, &path)
    };
    insert(&mut written, "links", links);
    let mut attributes = json!({});
    if sort.has_etag {
        insert(&mut attributes, "etag", json!(etag(&profile.body)));
    }
    insert(&mut attributes, "objectType", sort.profile_type.into());
    insert(&mut written, "attributes", attributes);
    written
}

#[derive(Debug, Deserialize)]
pub(super) struct MpnQuery {
    #[serde(rename = "mpnId")]
    mpn_id: Option<String>,
}

/// `GET /profiles/mpn`: ours, or another partner's by its id.
pub(super) async fn mpn(
    State(world): State<World>,
    caller: Caller,
    Query(query): Query<MpnQuery>,
) -> Result<Response, CenterError> {
    let quirks = world.quirks();
    let (id, name) = world.store().read(|tx| {
        check(tx, &caller, access::SEE_PROFILES)?;
        let tenant = Tenant::of(tx)?;
        let Some(wanted) = &query.mpn_id else {
            return Ok::<_, CenterError>((tenant.mpn_id, None));
        };
        if *wanted == tenant.mpn_id {
            return Ok((tenant.mpn_id, Some(tenant.company_name)));
        }
        let partner = tx.find::<Partner>("mpn-id", wanted)?.ok_or_else(|| {
            let message = format!("Organization partner for MPN Id {wanted} was not found.");
            CenterError::new(StatusCode::NOT_FOUND, Code::Number(3000), message)
        })?;
        Ok::<_, CenterError>((wanted.clone(), Some(partner.document.name)))
    })?;
    let mut written = json!({"mpnId": id});
    if let Some(name) = name {
        insert(&mut written, "partnerName", name.into());
    }
    insert(&mut written, "profileType", "MpnProfile".into());
    insert(&mut written, "links", self_link(&quirks, "/profiles/mpn"));
    insert(&mut written, "attributes", json!({"objectType": "MpnProfile"}));
    Ok(ok(&written, &quirks))
}
