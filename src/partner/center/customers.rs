//! Customers, and what belongs to one of them.

use std::collections::BTreeSet;

use super::super::error::{Error, Reason};
use super::super::line::ReadingLine;
use super::super::request::{Class, Reading, escaped};
use super::super::snapshot::{
    Agreement, Customer, Profile, Qualification, ServiceRequest, Subscription, ValidationCode,
};
use super::page::{self, Listed, Whole};
use super::wire::{
    AgreementWire, CustomerWire, DirectSignWire, PartnershipWire, ProfileWire, QualificationWire,
    RelationshipRequestWire, ServiceRequestWire, SubscriptionWire, ValidationCodeWire,
    ValidationStatusWire,
};
use crate::model::id::TenantId;

/// The largest that any document of this API names for a page.
const PAGE: u32 = 500;

pub(in crate::partner) async fn all(line: &ReadingLine) -> Result<Whole<CustomerWire>, Error> {
    page::all(line, Class::Customers, &format!("/v1/customers?size={PAGE}")).await
}

/// What a search goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchBy {
    CompanyName,
    Domain,
    /// A tenant id.
    IndirectReseller,
    /// A tenant id.
    IndirectProvider,
}

/// Customers whose name or domain begins like that.
pub(in crate::partner) async fn search(
    line: &ReadingLine,
    by: SearchBy,
    value: &str,
) -> Result<Vec<(TenantId, Customer)>, Error> {
    let field = match by {
        SearchBy::CompanyName => "CompanyName",
        SearchBy::Domain => "Domain",
        SearchBy::IndirectReseller => "IndirectReseller",
        SearchBy::IndirectProvider => "IndirectCloudSolutionProvider",
    };
    let filter = serde_json::json!({"Field": field, "Value": value, "Operator": "starts_with"});
    let path = format!("/v1/customers?size=0&filter={}", escaped(&filter.to_string()));
    let whole = page::all::<CustomerWire>(line, Class::Customers, &path).await?;
    Ok(whole.items.into_iter().map(CustomerWire::observed).collect())
}

fn get(id: TenantId, below: &str) -> Reading {
    Reading::get(Class::Customers, format!("/v1/customers/{id}{below}"))
}

/// One customer; nothing where there is none, or none of ours.
pub(in crate::partner) async fn one(
    line: &ReadingLine,
    id: TenantId,
) -> Result<Option<Customer>, Error> {
    match line.read::<CustomerWire>(&get(id, "")).await {
        Ok(answer) => Ok(Some(answer.body.observed().1)),
        Err(error) if is_not_ours(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Missing, or of somebody else: both mean that there is no relationship.
fn is_not_ours(error: &Error) -> bool {
    error.refusal().is_some_and(|refusal| {
        refusal.reason() == Reason::Missing || refusal.code.as_deref() == Some("20002")
    })
}

/// The link by which any customer accepts us as its reseller.
pub(in crate::partner) async fn relationship_request(line: &ReadingLine) -> Result<String, Error> {
    let reading = Reading::get(Class::Customers, "/v1/customers/relationshiprequests");
    Ok(line.read::<RelationshipRequestWire>(&reading).await?.body.url)
}

/// Whether a domain prefix is free for a new tenant.
pub(in crate::partner) async fn domain_is_taken(
    line: &ReadingLine,
    domain: &str,
) -> Result<bool, Error> {
    line.is_there(&Reading::head(Class::Account, format!("/v1/domains/{}", escaped(domain)))).await
}

pub(in crate::partner) async fn billing(
    line: &ReadingLine,
    id: TenantId,
) -> Result<Profile, Error> {
    Ok(Profile(line.read::<ProfileWire>(&get(id, "/profiles/billing")).await?.body))
}

pub(in crate::partner) async fn company(
    line: &ReadingLine,
    id: TenantId,
) -> Result<Profile, Error> {
    Ok(Profile(line.read::<ProfileWire>(&get(id, "/profiles/company")).await?.body))
}

pub(in crate::partner) async fn organization(
    line: &ReadingLine,
    id: TenantId,
) -> Result<Option<Profile>, Error> {
    let found = line.read::<Listed<ProfileWire>>(&get(id, "/organization")).await?.body.items();
    Ok(found.into_iter().next().map(Profile))
}

pub(in crate::partner) async fn domains(
    line: &ReadingLine,
    id: TenantId,
) -> Result<BTreeSet<String>, Error> {
    let found = line.read::<Listed<String>>(&get(id, "/customDomains")).await?.body.items();
    Ok(found.into_iter().map(|domain| domain.to_lowercase()).collect())
}

pub(in crate::partner) async fn qualifications(
    line: &ReadingLine,
    id: TenantId,
) -> Result<Vec<Qualification>, Error> {
    let found = line.read::<Listed<QualificationWire>>(&get(id, "/qualifications")).await?.body;
    Ok(found.items().into_iter().map(QualificationWire::observed).collect())
}

/// Whether the service has looked the customer over; `None`: it says nothing, which counts as allowed.
pub(in crate::partner) async fn validation(
    line: &ReadingLine,
    id: TenantId,
) -> Result<Option<String>, Error> {
    let reading = get(id, "/validationStatus?type=account");
    match line.read::<ValidationStatusWire>(&reading).await {
        Ok(answer) => Ok(answer.body.status),
        Err(error) if error.is(Reason::Missing) => Ok(None),
        Err(error) => Err(error),
    }
}

pub(in crate::partner) async fn subscriptions(
    line: &ReadingLine,
    id: TenantId,
) -> Result<Vec<Subscription>, Error> {
    let path = format!("/v1/customers/{id}/subscriptions");
    let whole = page::all::<SubscriptionWire>(line, Class::Customers, &path).await?;
    Ok(whole.items.into_iter().map(SubscriptionWire::observed).collect())
}

pub(in crate::partner) async fn agreements(
    line: &ReadingLine,
    id: TenantId,
) -> Result<Vec<Agreement>, Error> {
    let path = format!("/v1/customers/{id}/agreements?agreementType=MicrosoftCustomerAgreement");
    let whole = page::all::<AgreementWire>(line, Class::Customers, &path).await?;
    Ok(whole.items.into_iter().map(AgreementWire::observed).collect())
}

/// Whether the customer signed the agreement itself, at the service.
pub(in crate::partner) async fn has_signed_directly(
    line: &ReadingLine,
    id: TenantId,
) -> Result<bool, Error> {
    let reading = get(id, "/directSignedMicrosoftCustomerAgreementStatus");
    Ok(line.read::<DirectSignWire>(&reading).await?.body.is_signed)
}

/// The indirect resellers of a customer.
pub(in crate::partner) async fn resellers(
    line: &ReadingLine,
    id: TenantId,
) -> Result<BTreeSet<TenantId>, Error> {
    let path = format!("/v1/customers/{id}/relationships");
    let whole = page::all::<PartnershipWire>(line, Class::Customers, &path).await?;
    Ok(whole.items.into_iter().map(|relationship| TenantId(relationship.id)).collect())
}

/// Codes that admit customers to the Government Community Cloud.
pub(in crate::partner) async fn validation_codes(
    line: &ReadingLine,
) -> Result<Vec<ValidationCode>, Error> {
    let reading = Reading::get(Class::Customers, "/v1/customers/all/validations");
    let found = line.read::<Listed<ValidationCodeWire>>(&reading).await?.body.items();
    Ok(found.into_iter().map(ValidationCodeWire::observed).collect())
}

pub(in crate::partner) async fn service_requests(
    line: &ReadingLine,
    id: TenantId,
) -> Result<Vec<ServiceRequest>, Error> {
    let path = format!("/v1/customers/{id}/servicerequests");
    let whole = page::all::<ServiceRequestWire>(line, Class::Customers, &path).await?;
    Ok(whole.items.into_iter().map(ServiceRequestWire::observed).collect())
}
