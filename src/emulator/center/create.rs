//! New customers, with new tenants.

use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};

use super::Body;
use super::access;
use super::customers::{billing_attributes, created, insert};
use super::documents::{Customer, Partner, Side};
use super::replay::once;
use super::wire::{camel, member, stored, text};
use crate::emulator::audit::{By, Deed, record};
use crate::emulator::caller::Caller;
use crate::emulator::error::{CenterError, Code};
use crate::emulator::store::{Range, Read, Write};
use crate::emulator::tenant::{Program, Tenant};
use crate::emulator::world::World;

/// What a sandbox holds at most.
const SANDBOX_CUSTOMERS_MAX: u64 = 75;

/// `POST /customers`, once for each request id.
pub(super) async fn create(
    State(world): State<World>,
    caller: Caller,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<Response, CenterError> {
    let quirks = world.quirks();
    let is_sandbox = quirks.sandbox;
    let answer = world.store().write(|tx| {
        let need = if member(&body, "associatedPartnerId").is_some() {
            access::CHANGE_CUSTOMER_AS_USER
        } else {
            access::CREATE_CUSTOMER
        };
        access::check(tx, &caller, need)?;
        once(tx, &caller, &headers, "customers", || {
            let tenant = Tenant::of(tx)?;
            if tenant.program == Program::IndirectReseller {
                let message = "An indirect reseller does not create customers.";
                return Err(CenterError::new(StatusCode::FORBIDDEN, Code::Text(2030), message));
            }
            if is_sandbox && tx.count::<Customer>("listed", &Range::All)? >= SANDBOX_CUSTOMERS_MAX {
                let message = "The limit of the sandbox is reached.";
                return Err(CenterError::new(
                    StatusCode::BAD_REQUEST,
                    Code::Text(800_018),
                    message,
                ));
            }
            let customer = read(tx, &tenant, &body)?;
            make(tx, &caller, &customer, &body)
        })
    })?;
    Ok(created(&answer, &quirks))
}

fn read(tx: &Write<'_>, tenant: &Tenant, body: &Value) -> Result<Customer, CenterError> {
    let null = Value::Null;
    let company = member(body, "companyProfile").unwrap_or(&null);
    let billing = member(body, "billingProfile").unwrap_or(&null);
    let domain = text(company, "domain")
        .ok_or_else(|| CenterError::invalid("The company profile has no domain."))?
        .to_lowercase();
    let prefix = domain.strip_suffix(".onmicrosoft.com").unwrap_or_default();
    let is_label = !prefix.is_empty()
        && prefix.len() <= 27
        && prefix.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_label {
        return Err(CenterError::invalid("The domain is not one of onmicrosoft.com."));
    }
    if is_taken(tx, tenant, &domain)? {
        let message = format!("The domain {domain} is taken.");
        return Err(CenterError::new(StatusCode::CONFLICT, Code::Text(1003), message));
    }
    for name in ["email", "culture", "language", "companyName", "defaultAddress"] {
        if member(billing, name).is_none() {
            let message = format!("The billing profile has no {name}.");
            return Err(CenterError::new(StatusCode::BAD_REQUEST, Code::Number(3000), message));
        }
    }
    let name = text(billing, "companyName").unwrap_or(prefix);
    let id = tx.new_id()?.to_string();
    let mut customer = Customer::new(&id, &tx.new_id()?.to_string(), name, &domain);
    customer.billing = billing_of(tx, billing)?;
    customer.email = text(billing, "email").map(str::to_owned);
    if let Some(Value::Object(address)) = customer.billing.get("defaultAddress") {
        customer.address = address.clone();
    }
    customer.organization_registration_number =
        text(company, "organizationRegistrationNumber").map(str::to_owned);
    customer.reseller = reseller(tx, tenant, body)?;
    Ok(customer)
}

/// Whether a domain belongs to anybody we know of.
fn is_taken(tx: &Read<'_>, tenant: &Tenant, domain: &str) -> Result<bool, CenterError> {
    Ok(tenant.is_called(domain) || tx.find::<Customer>("domain", domain)?.is_some())
}

fn billing_of(tx: &Write<'_>, billing: &Value) -> Result<Map<String, Value>, CenterError> {
    let mut kept = Map::new();
    kept.insert("id".to_owned(), tx.new_id()?.to_string().into());
    kept.extend(stored(billing));
    // The service writes a culture its own way.
    if let Some(culture) = text(billing, "culture")
        && let Some((language, country)) = culture.split_once('-')
    {
        let culture = format!("{}-{}", language.to_lowercase(), country.to_uppercase());
        kept.insert("culture".to_owned(), culture.into());
    }
    if let Some(Value::Object(address)) = kept.get_mut("defaultAddress") {
        address.entry("phoneNumber").or_insert_with(|| "".into());
    }
    Ok(kept)
}

/// The reseller whose customer it will be, if the body names one.
fn reseller(tx: &Read<'_>, tenant: &Tenant, body: &Value) -> Result<Option<String>, CenterError> {
    let Some(id) = text(body, "associatedPartnerId") else { return Ok(None) };
    if tenant.program != Program::IndirectProvider {
        return Err(CenterError::invalid("Only an indirect provider names a reseller."));
    }
    let partner = tx.get::<Partner>(&id.to_lowercase())?;
    let partner = partner.filter(|partner| partner.side == Side::Reseller && partner.is_active);
    let Some(partner) = partner else {
        let message = "The partner is not a valid indirect reseller.";
        return Err(CenterError::new(StatusCode::BAD_REQUEST, Code::Text(800_016), message));
    };
    if !partner.has_signed {
        let message = "The indirect reseller has not accepted the partner agreement.";
        return Err(CenterError::new(StatusCode::FORBIDDEN, Code::Text(900_123), message));
    }
    Ok(Some(partner.document.id))
}

fn make(
    tx: &Write<'_>,
    caller: &Caller,
    customer: &Customer,
    body: &Value,
) -> Result<Value, CenterError> {
    tx.put(customer)?;
    record(
        tx,
        By::Caller(caller),
        &Deed {
            operation: "add_customer",
            resource: "customer",
            customer: Some((&customer.id, &customer.company_name)),
            before: None,
            after: Some(json!({"id": customer.id, "relationshipToPartner": "reseller"})),
        },
    )?;
    let mut billing = Value::Object(customer.billing.clone());
    insert(&mut billing, "attributes", billing_attributes(&customer.billing));
    let by_default = member(body, "enableGDAPByDefault").is_none_or(|value| value != false);
    if by_default {
        crate::emulator::delegated::begin_by_default(tx, customer)?;
    }
    let mut written = json!({
        "id": customer.id,
        "commerceId": customer.commerce_id,
        "companyProfile": {
            "tenantId": customer.id,
            "domain": customer.domain,
            "attributes": {"objectType": "CustomerCompanyProfile"},
        },
        "billingProfile": billing,
        "enableGDAPByDefault": by_default,
        // So it says, until it is read again.
        "relationshipToPartner": "none",
        "userCredentials": {"userName": "admin", "password": tx.new_secret(16)?},
        "attributes": {"objectType": "Customer"},
    });
    if let Some(reseller) = &customer.reseller {
        insert(&mut written, "associatedPartnerId", json!(reseller));
    }
    Ok(written)
}

/// `HEAD /domains/{domain}`: 200 when it is taken, 404 when it is free.
pub(super) async fn domain(
    State(world): State<World>,
    caller: Caller,
    Path(domain): Path<String>,
) -> Result<StatusCode, CenterError> {
    world.store().read(|tx| {
        access::check(tx, &caller, access::LOOK_UP)?;
        let taken = is_taken(tx, &Tenant::of(tx)?, &domain.to_lowercase())?;
        Ok(if taken { StatusCode::OK } else { StatusCode::NOT_FOUND })
    })
}

/// `POST /validations/address`
pub(super) async fn address(
    State(world): State<World>,
    caller: Caller,
    Body(body): Body,
) -> Result<Response, CenterError> {
    world.store().read(|tx| access::check(tx, &caller, access::LOOK_UP))?;
    let has = |name| text(&body, name).is_some();
    let status = if has("addressLine1") && has("city") && has("country") && has("postalCode") {
        "VerifiedShippable"
    } else if has("addressLine1") && has("country") {
        "InteractionRequired"
    } else {
        "NotValidated"
    };
    let answer =
        json!({"originalAddress": camel(&body), "suggestedAddresses": [], "status": status});
    Ok(super::wire::ok(&answer, &world.quirks()))
}
