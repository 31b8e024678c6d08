//! What hangs on a customer.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::header::IF_MATCH;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Body;
use super::access::{self, Need, check};
use super::customers::{billing_profile, company_profile, created, insert, related};
use super::documents::{Belonging, Customer, Sort};
use super::wire::{check_etag, collection, etag, member, ok, stored, text};
use crate::emulator::audit::{By, Deed, record};
use crate::emulator::caller::Caller;
use crate::emulator::error::{CenterError, Code, Shape};
use crate::emulator::world::World;

fn customer_for(
    world: &World,
    caller: &Caller,
    need: Need,
    id: &str,
) -> Result<Customer, CenterError> {
    world.store().read(|tx| {
        check(tx, caller, need)?;
        related(tx, id)
    })
}

/// `GET /customers/{id}/profiles/company`
pub(super) async fn company(
    State(world): State<World>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, CenterError> {
    let quirks = world.quirks();
    let customer = customer_for(&world, &caller, access::SEE_CUSTOMERS_AS_USER, &id)?;
    Ok(ok(&company_profile(&customer, &quirks), &quirks))
}

/// `GET /customers/{id}/profiles/billing`
pub(super) async fn billing(
    State(world): State<World>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, CenterError> {
    let quirks = world.quirks();
    let customer = customer_for(&world, &caller, access::SEE_CUSTOMERS, &id)?;
    Ok(ok(&billing_profile(&customer, &quirks), &quirks))
}

/// `PUT /customers/{id}/profiles/billing`, over what was read last.
pub(super) async fn put_billing(
    State(world): State<World>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<Response, CenterError> {
    let quirks = world.quirks();
    let given = headers.get(IF_MATCH).and_then(|value| value.to_str().ok());
    let given =
        given.ok_or_else(|| CenterError::invalid("The If-Match header is missing."))?.to_owned();
    let customer = world.store().write(|tx| {
        check(tx, &caller, access::CHANGE_CUSTOMER)?;
        let mut customer = related(tx, &id)?;
        check_etag(&given, &etag(&customer.billing))?;
        let mut billing = stored(&body);
        // The id is the service's own.
        if let Some(own) = customer.billing.get("id") {
            billing.insert("id".to_owned(), own.clone());
        }
        let before = Value::Object(std::mem::replace(&mut customer.billing, billing));
        tx.put(&customer)?;
        record(
            tx,
            By::Caller(&caller),
            &Deed {
                operation: "update_customer_billing_profile",
                resource: "customer",
                customer: Some((&customer.id, &customer.company_name)),
                before: Some(before),
                after: Some(Value::Object(customer.billing.clone())),
            },
        )?;
        Ok::<_, CenterError>(customer)
    })?;
    Ok(ok(&billing_profile(&customer, &quirks), &quirks))
}

/// `GET /customers/{id}/organization`: what is seen of it through delegated access.
pub(super) async fn organization(
    State(world): State<World>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, CenterError> {
    let customer = customer_for(&world, &caller, access::SEE_CUSTOMERS, &id)?;
    let part = |name: &str| customer.address.get(name).cloned().unwrap_or(Value::Null);
    let mut organization = json!({});
    for (name, value) in [
        ("street", part("addressLine1")),
        ("countryLetterCode", part("country")),
        ("postalCode", part("postalCode")),
        ("city", part("city")),
        ("state", if part("state").is_null() { part("region") } else { part("state") }),
        ("displayName", json!(customer.company_name)),
        ("technicalNotificationMails", json!(customer.email.iter().collect::<Vec<_>>())),
    ] {
        if !value.is_null() {
            insert(&mut organization, name, value);
        }
    }
    Ok(ok(&json!([organization]), &world.quirks()))
}

/// `GET /customers/{id}/customdomains`
pub(super) async fn custom_domains(
    State(world): State<World>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, CenterError> {
    let customer = customer_for(&world, &caller, access::SEE_CUSTOMERS, &id)?;
    Ok(ok(&json!(customer.custom_domains), &world.quirks()))
}

fn belongings(
    world: &World,
    caller: &Caller,
    need: Need,
    id: &str,
    sort: Sort,
    kept: impl Fn(&Belonging) -> bool,
) -> Result<Response, CenterError> {
    let found = world.store().read(|tx| {
        check(tx, caller, need)?;
        let customer = related(tx, id).map_err(|error| of_commerce(error, sort))?;
        let all = tx.with::<Belonging>("of", &Belonging::key(&customer.id, sort))?;
        Ok::<_, CenterError>(all)
    })?;
    let all = found.into_iter().map(|found| found.document);
    let items: Vec<Value> = all.filter(kept).map(written).collect();
    Ok(ok(&collection(&items), &world.quirks()))
}

/// Where things are bought, an unrelated customer is refused in other words.
fn of_commerce(error: CenterError, sort: Sort) -> CenterError {
    let is_commerce = matches!(sort, Sort::Subscription | Sort::Order);
    if !is_commerce || error.status != StatusCode::NOT_FOUND {
        return error;
    }
    let message = "No relationship between partner and customer.";
    CenterError::commerce(StatusCode::FORBIDDEN, Code::Text(20002), message)
}

fn written(belonging: Belonging) -> Value {
    let object_type = match belonging.sort {
        Sort::Subscription => "Subscription",
        Sort::Order => "Order",
        Sort::ServiceRequest => "ServiceRequest",
        Sort::ManagedService => "ManagedService",
        Sort::User | Sort::DeletedUser => "CustomerUser",
    };
    let has_etag = matches!(belonging.sort, Sort::Subscription | Sort::Order);
    let mut attributes = json!({"objectType": object_type});
    if has_etag {
        insert(&mut attributes, "etag", json!(etag(&belonging.body)));
    }
    let mut body = belonging.body;
    body.insert("id".to_owned(), belonging.id.into());
    body.insert("attributes".to_owned(), attributes);
    Value::Object(body)
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct OfOrder {
    order_id: Option<String>,
    mpn_id: Option<String>,
}

/// `GET /customers/{id}/subscriptions`
pub(super) async fn subscriptions(
    State(world): State<World>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<OfOrder>,
) -> Result<Response, CenterError> {
    belongings(&world, &caller, access::SEE_CUSTOMERS, &id, Sort::Subscription, |subscription| {
        let is = |name: &str, wanted: &Option<String>| {
            wanted.as_deref().is_none_or(|wanted| {
                subscription.body.get(name).and_then(Value::as_str) == Some(wanted)
            })
        };
        is("orderId", &query.order_id) && is("partnerId", &query.mpn_id)
    })
}

/// `GET /customers/{id}/orders`
pub(super) async fn orders(
    State(world): State<World>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, CenterError> {
    belongings(&world, &caller, access::SEE_CUSTOMERS, &id, Sort::Order, |_| true)
}

/// `GET /customers/{id}/servicerequests`
pub(super) async fn service_requests(
    State(world): State<World>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, CenterError> {
    belongings(&world, &caller, access::SUPPORT_CUSTOMERS, &id, Sort::ServiceRequest, |_| true)
}

/// `GET /customers/{id}/managedservices`
pub(super) async fn managed_services(
    State(world): State<World>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, CenterError> {
    belongings(&world, &caller, access::SEE_CUSTOMERS_AS_USER, &id, Sort::ManagedService, |_| true)
}

/// `GET /servicerequests/{id}`
pub(super) async fn service_request(
    State(world): State<World>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, CenterError> {
    let found = world.store().read(|tx| {
        check(tx, &caller, access::SUPPORT_CUSTOMERS)?;
        Ok::<_, CenterError>(tx.get::<Belonging>(&id)?)
    })?;
    let request = found.filter(|found| found.sort == Sort::ServiceRequest);
    let request = request
        .ok_or_else(|| CenterError::not_found(format!("Service request {id} was not found.")))?;
    Ok(ok(&written(request.document), &world.quirks()))
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct OfType {
    #[serde(rename = "agreementType")]
    agreement_type: Option<String>,
}

const OLDER_AGREEMENT: &str = "MicrosoftCloudAgreement";
const AGREEMENTS: [(&str, &str); 2] = [
    ("MicrosoftCustomerAgreement", "998b88de-aa99-4388-a42c-1b3517d49490"),
    (OLDER_AGREEMENT, "1f0c9b2e-5d0a-4f43-9d1c-0b7a3c5f6e21"),
];
const AGREEMENT_LINK: &str = "https://docs.microsoft.com/partner-center/csp-customer-agreement";

impl OfType {
    /// The types that are asked for; one refuses what it does not know.
    fn names(&self) -> Result<Vec<&'static str>, CenterError> {
        let wanted = self.agreement_type.as_deref().unwrap_or(OLDER_AGREEMENT);
        let names: Vec<_> = AGREEMENTS
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| wanted == "*" || name.eq_ignore_ascii_case(wanted))
            .collect();
        if names.is_empty() {
            return Err(CenterError::invalid("The agreement type is not known."));
        }
        Ok(names)
    }
}

/// `GET /agreements`
pub(super) async fn agreement_texts(
    State(world): State<World>,
    caller: Caller,
    Query(query): Query<OfType>,
) -> Result<Response, CenterError> {
    world.store().read(|tx| check(tx, &caller, access::SEE_CUSTOMERS_AS_USER))?;
    let names = query.names()?;
    let items: Vec<Value> = AGREEMENTS
        .iter()
        .filter(|(name, _)| names.contains(name))
        .map(|(name, template)| {
            json!({
                "templateId": template,
                "agreementType": name,
                "agreementLink": AGREEMENT_LINK,
                "versionRank": 0,
            })
        })
        .collect();
    Ok(ok(&collection(&items), &world.quirks()))
}

/// `GET /customers/{id}/agreements`
pub(super) async fn agreements(
    State(world): State<World>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<OfType>,
) -> Result<Response, CenterError> {
    let customer = customer_for(&world, &caller, access::SEE_CUSTOMERS_AS_USER, &id)?;
    let names = query.names()?;
    let items: Vec<Value> = customer
        .agreements
        .into_iter()
        .filter(|agreement| text(agreement, "type").is_some_and(|name| names.contains(&name)))
        .collect();
    Ok(ok(&collection(&items), &world.quirks()))
}

/// `POST /customers/{id}/agreements`: the partner confirms that the customer agreed, once.
pub(super) async fn agree(
    State(world): State<World>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body,
) -> Result<Response, CenterError> {
    let quirks = world.quirks();
    let agreement = world.store().write(|tx| {
        check(tx, &caller, access::CHANGE_CUSTOMER_AS_USER)?;
        let mut customer = related(tx, &id)?;
        let wanted = OfType { agreement_type: text(&body, "type").map(str::to_owned) };
        let name = *wanted
            .names()?
            .first()
            .ok_or_else(|| CenterError::invalid("The agreement type is not known."))?;
        if member(&body, "primaryContact").is_none() || text(&body, "dateAgreed").is_none() {
            return Err(CenterError::invalid("The agreement has no primary contact or date."));
        }
        if customer.agreements.iter().any(|agreement| text(agreement, "type") == Some(name)) {
            let message = "The agreement was confirmed already.".to_owned();
            return Err(CenterError {
                status: StatusCode::CONFLICT,
                shape: Shape::Commerce {
                    code: 600_061,
                    message,
                    name: "PartnerConfirmedAgreementAlreadyExists",
                },
                retry_after: None,
            });
        }
        let mut agreement = Value::Object(stored(&body));
        insert(&mut agreement, "type", name.into());
        insert(&mut agreement, "agreementLink", AGREEMENT_LINK.into());
        customer.agreements.push(agreement.clone());
        tx.put(&customer)?;
        Ok::<_, CenterError>(agreement)
    })?;
    Ok(created(&agreement, &quirks))
}

/// `GET /customers/{id}/directsignedmicrosoftcustomeragreementstatus`
pub(super) async fn signed(
    State(world): State<World>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, CenterError> {
    let customer = customer_for(&world, &caller, access::SEE_CUSTOMERS_AS_USER, &id)?;
    Ok(ok(&json!({"isSigned": customer.signed_directly}), &world.quirks()))
}
