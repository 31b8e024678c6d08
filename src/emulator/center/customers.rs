//! Customers: listed, read, ended.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Body;
use super::access;
use super::documents::{Belonging, Customer, Relationship, Sort};
use super::wire::{self, Filter, Paging, answer, member, ok, self_link, text};
use crate::emulator::audit::{By, Deed, record};
use crate::emulator::caller::Caller;
use crate::emulator::error::{CenterError, Code};
use crate::emulator::store::{Read, Scan};
use crate::emulator::tenant::Quirks;
use crate::emulator::world::World;

#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    size: Option<String>,
    filter: Option<String>,
}

/// `GET /customers`
pub(super) async fn list(
    State(world): State<World>,
    caller: Caller,
    headers: HeaderMap,
    Query(query): Query<ListQuery>,
) -> Result<Response, CenterError> {
    let quirks = world.quirks();
    let paging = Paging::of(query.size.as_deref(), &headers)?;
    let filter = query.filter.as_deref().map(Filter::parse).transpose()?;
    let body = world.store().read(|tx| {
        let by_reseller = filter.as_ref().is_some_and(|filter| filter.field == "indirectreseller");
        let need = if by_reseller { access::SEE_CUSTOMERS_AS_USER } else { access::SEE_CUSTOMERS };
        access::check(tx, &caller, need)?;
        let value = filter.as_ref().map(|filter| filter.value.to_lowercase());
        let scan = scan_of(filter.as_ref(), value.as_deref())?;
        let page = paging.page::<Customer>(tx, scan)?;
        let size = paging.size().map(|size| format!("size={size}"));
        let filter = query.filter.as_ref().map(|filter| format!("filter={}", escape(filter)));
        let path = wire::with_query("/customers", [size, filter]);
        Ok::<_, CenterError>(page.write(&quirks, &path, |customer| in_list(customer, &quirks)))
    })?;
    Ok(ok(&body, &quirks))
}

/// Which list a filter means.
fn scan_of<'a>(filter: Option<&Filter>, value: Option<&'a str>) -> Result<Scan<'a>, CenterError> {
    let (Some(filter), Some(value)) = (filter, value) else { return Ok(Scan::all("listed")) };
    if filter.operator != "startswith" {
        return Err(CenterError::invalid("The operator is not supported for customers."));
    }
    Ok(match filter.field.as_str() {
        "companyname" => Scan::prefix("listed", value),
        "domain" => Scan::prefix("listed-by-domain", value),
        "indirectreseller" => Scan::prefix("listed-by-reseller", value),
        "indirectcloudsolutionprovider" => Scan::prefix("listed-by-provider", value),
        _ => return Err(CenterError::invalid("The field cannot be searched by.")),
    })
}

pub(super) fn escape(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// `GET /customers/{id}`
pub(super) async fn get(
    State(world): State<World>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, CenterError> {
    let quirks = world.quirks();
    let customer = world.store().read(|tx| {
        access::check(tx, &caller, access::SEE_CUSTOMERS)?;
        related(tx, &id)
    })?;
    Ok(ok(&whole(&customer, &quirks), &quirks))
}

/// A customer that we have a relationship with.
pub(super) fn related(tx: &Read<'_>, id: &str) -> Result<Customer, CenterError> {
    if id.parse::<uuid::Uuid>().is_err() {
        return Err(CenterError::invalid("The customer id is not a GUID."));
    }
    let customer = tx.get::<Customer>(&id.to_lowercase())?.map(|found| found.document);
    customer
        .filter(|customer| customer.relationship != Relationship::None)
        .ok_or_else(|| CenterError::not_found(format!("Customer {id} was not found.")))
}

/// `PATCH /customers/{id}`: ends the relationship, or legacy administration. Both are one-way.
pub(super) async fn patch(
    State(world): State<World>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body,
) -> Result<Response, CenterError> {
    let quirks = world.quirks();
    let changed = world.store().write(|tx| {
        access::check(tx, &caller, access::CHANGE_CUSTOMER_AS_USER)?;
        let mut customer = related(tx, &id)?;
        let mut changed = json!({"id": customer.id, "attributes": {"objectType": "Customer"}});
        if let Some(wanted) = text(&body, "relationshipToPartner") {
            if !wanted.eq_ignore_ascii_case("none") {
                let message = "The relationship can only be set to none.";
                return Err(CenterError::invalid(message));
            }
            refuse_while_active(tx, &customer)?;
            end(tx, By::Caller(&caller), &mut customer)?;
            insert(&mut changed, "relationshipToPartner", "none".into());
        }
        if let Some(wanted) = member(&body, "allowDelegatedAccess") {
            if wanted != &Value::Bool(false) {
                let message = "Delegated access can only be removed.";
                return Err(CenterError::invalid(message));
            }
            customer.has_dap = false;
            tx.put(&customer)?;
            record(
                tx,
                By::Caller(&caller),
                &Deed {
                    operation: "dap_admin_relationship_terminated",
                    resource: "partner_customer_dap",
                    customer: Some((&customer.id, &customer.company_name)),
                    before: None,
                    after: None,
                },
            )?;
            insert(&mut changed, "allowDelegatedAccess", false.into());
        }
        Ok::<_, CenterError>(changed)
    })?;
    Ok(ok(&changed, &quirks))
}

fn refuse_while_active(tx: &Read<'_>, customer: &Customer) -> Result<(), CenterError> {
    let key = Belonging::key(&customer.id, Sort::Subscription);
    let active = tx.with::<Belonging>("of", &key)?.into_iter().find(|subscription| {
        subscription.body.get("status").and_then(Value::as_str) == Some("active")
    });
    match active {
        None => Ok(()),
        Some(subscription) => {
            let name = subscription.body.get("offerName").and_then(Value::as_str);
            let message = format!(
                "The relationship cannot be removed while subscription {} ({}) is active.",
                subscription.id,
                name.unwrap_or("unnamed"),
            );
            Err(CenterError::invalid(message))
        }
    }
}

/// Ends a relationship, whoever does it. Delegated access is another matter and stays.
pub(crate) fn end(
    tx: &crate::emulator::store::Write<'_>,
    by: By<'_>,
    customer: &mut Customer,
) -> Result<(), crate::emulator::store::StoreError> {
    customer.relationship = Relationship::None;
    customer.has_dap = false;
    tx.put(customer)?;
    record(
        tx,
        by,
        &Deed {
            operation: "remove_partner_customer_relationship",
            resource: "partner_customer_relationship",
            customer: Some((&customer.id, &customer.company_name)),
            before: None,
            after: Some(json!({"id": customer.id, "relationshipToPartner": "none"})),
        },
    )
}

/// `DELETE /customers/{id}`: in a sandbox alone.
pub(super) async fn delete(
    State(world): State<World>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, CenterError> {
    let is_sandbox = world.quirks().sandbox;
    world.store().write(|tx| {
        access::check(tx, &caller, access::CHANGE_CUSTOMER)?;
        let customer = related(tx, &id)?;
        if !is_sandbox {
            let message = "The operation is not supported in this environment.";
            return Err(CenterError::new(StatusCode::BAD_REQUEST, Code::Text(900_127), message));
        }
        tx.purge::<Customer>(&customer.id)?;
        record(
            tx,
            By::Caller(&caller),
            &Deed {
                operation: "delete_tip_customer",
                resource: "customer",
                customer: Some((&customer.id, &customer.company_name)),
                before: None,
                after: None,
            },
        )?;
        Ok::<_, CenterError>(StatusCode::NO_CONTENT)
    })
}

/// A customer among others.
fn in_list(customer: &Customer, quirks: &Quirks) -> Value {
    let mut written = json!({"id": customer.id});
    insert(&mut written, "companyProfile", company_profile(customer, quirks));
    insert(&mut written, "relationshipToPartner", customer.relationship.word().into());
    let path = format!("/customers/{}", customer.id);
    insert(&mut written, "links", self_link(quirks, &path));
    insert(&mut written, "attributes", json!({"objectType": "Customer"}));
    written
}

/// A customer on its own.
fn whole(customer: &Customer, quirks: &Quirks) -> Value {
    let mut written = json!({"id": customer.id, "commerceId": customer.commerce_id});
    insert(&mut written, "companyProfile", company_profile(customer, quirks));
    insert(&mut written, "billingProfile", billing_profile(customer, quirks));
    insert(&mut written, "relationshipToPartner", customer.relationship.word().into());
    insert(&mut written, "allowDelegatedAccess", customer.has_dap.into());
    if customer.has_dap {
        insert(&mut written, "customDomains", json!(customer.custom_domains));
    }
    if let Some(reseller) = &customer.reseller {
        insert(&mut written, "associatedPartnerId", json!(reseller));
    }
    let path = format!("/customers/{}", customer.id);
    insert(&mut written, "links", self_link(quirks, &path));
    insert(&mut written, "attributes", json!({"objectType": "Customer"}));
    written
}

/// Address and e-mail are withheld without legacy administration.
pub(super) fn company_profile(customer: &Customer, quirks: &Quirks) -> Value {
    let mut written = json!({
        "tenantId": customer.id,
        "domain": customer.domain,
        "companyName": customer.company_name,
    });
    if customer.has_dap {
        insert(&mut written, "address", Value::Object(customer.address.clone()));
        if let Some(email) = &customer.email {
            insert(&mut written, "email", json!(email));
        }
    }
    if let Some(number) = &customer.organization_registration_number {
        insert(&mut written, "organizationRegistrationNumber", json!(number));
    }
    let path = format!("/customers/{}/profiles/company", customer.id);
    insert(&mut written, "links", self_link(quirks, &path));
    insert(&mut written, "attributes", json!({"objectType": "CustomerCompanyProfile"}));
    written
}

pub(super) fn billing_profile(customer: &Customer, quirks: &Quirks) -> Value {
    let mut written = Value::Object(customer.billing.clone());
    let path = format!("/customers/{}/profiles/billing", customer.id);
    insert(&mut written, "links", self_link(quirks, &path));
    insert(&mut written, "attributes", billing_attributes(&customer.billing));
    written
}

pub(super) fn billing_attributes(billing: &Map<String, Value>) -> Value {
    json!({"etag": wire::etag(billing), "objectType": "CustomerBillingProfile"})
}

pub(super) fn insert(written: &mut Value, name: &str, value: Value) {
    if let Some(written) = written.as_object_mut() {
        written.insert(name.to_owned(), value);
    }
}

/// An answer of 201.
pub(super) fn created(body: &Value, quirks: &Quirks) -> Response {
    answer(StatusCode::CREATED, body, quirks)
}
