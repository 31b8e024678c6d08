//! The wire client against the wire examples: every body is read or sent by it, or it is said why not.
//!
//! The emulator has no part in this: a service that only shows what it is told stands in for the
//! tenant, so that a mistake that both sides share cannot hide.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use http_body_util::BodyExt;
use partnerctl::model::cloud::Cloud;
use partnerctl::model::id::{ApplicationId, RoleTemplateId, TenantId};
use partnerctl::model::project::{self, Identity};
use partnerctl::model::secret::SecretReference;
use partnerctl::partner::auth::{self, Credentials, Endpoints, SignIn, Tokens, Vault, device};
use partnerctl::partner::center::body::{
    AddressBody, EducationSegmentBody, NewBillingProfile, NewCompanyProfile, NewCustomer,
    NewQualification, NewRoleMember,
};
use partnerctl::partner::clock::Clock;
use partnerctl::partner::graph::body::{
    Action, DelegationFields, NewDelegation, NewGroup, NewUser, PasswordProfile, UserFields,
};
use partnerctl::partner::pace::Pacer;
use partnerctl::partner::read::{Progress, SearchBy};
use partnerctl::partner::request::Service;
use partnerctl::partner::retry::Patience;
use partnerctl::partner::snapshot::{
    DelegationStatus, MemberKind, ObjectId, Profile, ProfileKind, Relationship, RelationshipId,
    Scope, Side,
};
use partnerctl::partner::transport::{Inside, Transport};
use partnerctl::partner::write::{Done, Update};
use partnerctl::partner::{Connection, Error, Reader, Reason, Writer};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use uuid::Uuid;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/wire-examples");

fn example(name: &str) -> String {
    std::fs::read_to_string(format!("{FOLDER}/{name}.json")).unwrap()
}

fn parsed(name: &str) -> Value {
    serde_json::from_str(&example(name)).unwrap()
}

/// What the client asked: method and path, `If-Match`, and the body.
type Asked = (String, String, Option<Value>);

/// A tenant that gives these answers in turn, the last one for ever.
struct Stage {
    transport: Arc<dyn Transport>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// Status, headers, body.
type Shown = (u16, Vec<(&'static str, &'static str)>, String);

fn stage(answers: Vec<Shown>) -> Stage {
    let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
    let kept = Arc::clone(&asked);
    let handler = move |request: http::Request<Body>| {
        let (kept, answers) = (Arc::clone(&kept), answers.clone());
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let etag = parts.headers.get("if-match").map(|etag| etag.to_str().unwrap().to_owned());
            let line = format!("{} {}", parts.method, parts.uri.path_and_query().unwrap());
            let n = kept.lock().unwrap().len();
            kept.lock().unwrap().push((
                line,
                etag.unwrap_or_default(),
                serde_json::from_slice(&body).ok(),
            ));
            let (status, headers, body) = answers[n.min(answers.len() - 1)].clone();
            let mut response = (http::StatusCode::from_u16(status).unwrap(), body).into_response();
            for (name, value) in headers {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            response
        }
    };
    Stage { transport: Arc::new(Inside::new(Router::new().fallback(handler))), asked }
}

/// A tenant that answers with one example.
fn shows(status: u16, name: &str) -> Stage {
    stage(vec![(status, Vec::new(), example(name))])
}

impl Stage {
    fn connection(&self) -> Connection {
        let clock = Clock::counting_from("2026-01-16T00:00:00Z".parse().unwrap());
        let endpoints = Endpoints::new(Cloud::Global, &project::Endpoints::default()).unwrap();
        let credentials = Credentials::Bearer(SecretString::from("token"));
        let patience = Patience { attempts_max: 1, throttles_max: 0, ..Patience::default() };
        let tokens = self.tokens(credentials);
        Connection {
            transport: Arc::clone(&self.transport),
            endpoints,
            tokens: Arc::new(tokens),
            pacer: Pacer::new(clock),
            clock,
            patience,
        }
    }

    fn tokens(&self, credentials: Credentials) -> Tokens {
        Tokens::new(
            Arc::clone(&self.transport),
            Endpoints::new(Cloud::Global, &project::Endpoints::default()).unwrap(),
            "contoso.onmicrosoft.com",
            credentials,
            Vault::with_environment("/nonexistent", Arc::new(|name| Some(format!("the {name}")))),
            Clock::system(),
        )
    }

    fn reader(&self) -> Reader {
        Reader::new(self.connection())
    }

    fn writer(&self) -> Writer {
        Writer::new(self.connection())
    }

    fn last(&self) -> Asked {
        self.asked.lock().unwrap().last().unwrap().clone()
    }

    /// What was sent is the example, but for capitals in keys, which the service takes either way.
    fn sent(&self, line: &str, name: &str) {
        let (asked, _, body) = self.last();
        assert_eq!(asked, line, "{name}");
        assert_eq!(body.map(sorted), Some(sorted(camel(parsed(name)))), "{name}");
    }
}

fn camel(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .map(|(mut key, value)| {
                key[..1].make_ascii_lowercase();
                (key, camel(value))
            })
            .collect(),
        other => other,
    }
}

/// Roles of a relationship are a set: in which order they are sent means nothing.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> =
                members.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            members.into_iter().collect()
        }
        Value::Array(mut items) => {
            items.sort_by_key(ToString::to_string);
            Value::Array(items)
        }
        other => other,
    }
}

fn guid(text: &str) -> Uuid {
    Uuid::try_parse(text).unwrap()
}

fn tenant(text: &str) -> TenantId {
    TenantId(guid(text))
}

fn object(text: &str) -> ObjectId {
    ObjectId(guid(text))
}

fn roles(ids: &[&str]) -> BTreeSet<RoleTemplateId> {
    ids.iter().map(|id| RoleTemplateId(guid(id))).collect()
}

const RELECLOUD: &str = "b44bb1fb-c595-45b0-9e09-d657365580bf";
const ADELE: &str = "87d349ed-44d7-43e1-9a83-5f2406dee5bd";
const GROUP: &str = "869713c9-0b28-4d08-8949-ae07ae1bf528";
const USER_ADMIN: &str = "fe930be7-5e62-47db-91af-98c3a49a38b1";
const EXCHANGE: &str = "29232cdf-9323-42fd-ade2-1d097af3e4de";
const INTUNE: &str = "3a2c62db-5318-420d-8d74-23affee5d9d5";
const READER: &str = "f2ef992c-3afb-46b9-b7cf-a126ee74c451";
const HELPDESK: &str = "729827e3-9c14-49f7-bb1b-9608f156bbb8";
const DYNAMICS: &str = "44367163-eba1-44c3-98af-f5787879f96a";
const CONTOSO: &str = "4b827261-d21f-4aa9-b7db-7fa1f56fb163";
const GDAP: &str = "/v1.0/tenantRelationships/delegatedAdminRelationships";

fn relationship() -> RelationshipId {
    RelationshipId(
        "5d027261-d21f-4aa9-b7db-7fa1f56fb163-8777b240-c6f0-4469-9e98-a3205431b836".to_owned(),
    )
}

/// What the client does not meet, and why.
const NOT_MET: &[(&str, &str)] = &[
    (
        "pc-webhook-event-reseller-accepted",
        "sent by the service to a registered address; we ask instead",
    ),
    (
        "pc-sandbox-indirect-reseller-response",
        "an integration sandbox makes resellers; a tenant does not",
    ),
    (
        "access-token-claims-app-user",
        "the payload of a token: read where tokens are, in auth::tokens",
    ),
    (
        "access-token-claims-app-only",
        "the payload of a token: read where tokens are, in auth::tokens",
    ),
];

#[tokio::test(flavor = "current_thread")]
async fn every_wire_example_is_read_or_sent() {
    let mut names: Vec<String> = std::fs::read_dir(FOLDER)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".json").map(str::to_owned))
        .collect();
    names.sort();
    assert!(names.len() > 90, "the examples are gone");
    for name in &names {
        let is_met = meet_token(name).await
            || meet_center(name).await
            || meet_center_body(name).await
            || meet_error(name).await
            || meet_directory(name).await
            || meet_directory_body(name).await
            || meet_delegation(name).await;
        let is_excused = NOT_MET.iter().any(|(excused, _)| excused == name);
        assert!(is_met != is_excused, "{name}: met {is_met}, excused {is_excused}");
    }
    for (excused, _) in NOT_MET {
        assert!(names.iter().any(|name| name == excused), "{excused} is no example");
    }
}

async fn meet_token(name: &str) -> bool {
    let secret = || Some(SecretReference::Env("SECRET".into()));
    let app = Identity {
        client_id: ApplicationId(guid("23ec45a3-5127-4185-9eff-c8887839e6ab")),
        client_secret: secret(),
        certificate: None,
        refresh_token: None,
        federated: None,
    };
    let asks = |status, identity: Identity| {
        let stage = shows(status, name);
        async move {
            let tokens = stage.tokens(Credentials::Identity(identity));
            let answer = tokens.access(Service::PartnerCenter).await;
            (answer.map(drop), stage)
        }
    };
    match name {
        "token-client-credentials-response" => {
            let (answer, stage) = asks(200, app).await;
            answer.unwrap();
            assert_eq!(stage.last().0, "POST /contoso.onmicrosoft.com/oauth2/v2.0/token");
        }
        "token-refresh-v2-response" => {
            let (answer, _) = asks(200, Identity { refresh_token: secret(), ..app }).await;
            answer.unwrap();
        }
        "token-error-invalid-grant" => {
            let (answer, _) = asks(400, Identity { refresh_token: secret(), ..app }).await;
            let Err(auth::Error::SignInNeeded { why: SignIn::Expired, refusal: Some(refusal) }) =
                answer
            else {
                panic!("{answer:?}")
            };
            assert_eq!(refusal.codes, [700_082]);
            assert_eq!(refusal.trace_id.as_deref(), Some("0000aaaa-11bb-cccc-dd22-eeeeee333333"));
            assert!(!refusal.description.contains('\n'));
        }
        "token-error-invalid-scope" => {
            let (answer, _) = asks(400, app).await;
            assert!(
                matches!(answer, Err(auth::Error::Refused(refusal)) if refusal.error == "invalid_scope")
            );
        }
        "device-code-response" | "device-code-pending-error" => device_flow().await,
        _ => return false,
    }
    true
}

async fn device_flow() {
    let mut code = parsed("device-code-response");
    code["interval"] = 0.into();
    let stage = stage(vec![
        (200, Vec::new(), code.to_string()),
        (400, Vec::new(), example("device-code-pending-error")),
        (200, Vec::new(), example("token-refresh-v2-response")),
    ]);
    let endpoints = Endpoints::new(Cloud::Global, &project::Endpoints::default()).unwrap();
    let client = ApplicationId(guid("23ec45a3-5127-4185-9eff-c8887839e6ab"));
    let waiting = device::begin(&*stage.transport, &endpoints, "contoso.onmicrosoft.com", client)
        .await
        .unwrap();
    assert_eq!(waiting.user_code, "R4N5KPQ2S");
    assert_eq!(waiting.verification_uri, "https://microsoft.com/devicelogin");
    assert_eq!(waiting.expires_in, Duration::from_mins(15));
    assert!(!format!("{waiting:?}").contains("opaque"));
    let tenant = "contoso.onmicrosoft.com";
    let clock = Clock::system();
    let signed_in = device::finish(&*stage.transport, &endpoints, tenant, client, &waiting, &clock)
        .await
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::with_environment(folder.path(), Arc::new(|_| None));
    let at = SecretReference::File("refresh".into());
    signed_in.keep(&vault, &at).unwrap();
    assert_eq!(vault.read("x", &at).unwrap().expose_secret(), "0.AXcA-rotated-opaque");
    assert_eq!(stage.asked.lock().unwrap().len(), 3);
}

async fn meet_center(name: &str) -> bool {
    let stage = shows(200, name);
    let reader = stage.reader();
    let id = tenant(RELECLOUD);
    match name {
        "pc-customers-list-page1" | "pc-customers-list-last" => {
            let stage = self::stage(vec![
                (200, Vec::new(), example("pc-customers-list-page1")),
                (200, Vec::new(), example("pc-customers-list-last")),
            ]);
            let found = stage.reader().search_customers(SearchBy::Domain, "r").await.unwrap();
            let names: Vec<&str> = found.iter().map(|(_, one)| one.company_name.as_str()).collect();
            assert_eq!(names, ["Relecloud", "First Up Consultants"]);
            assert!(found.iter().all(|(_, one)| one.relationship == Relationship::Reseller));
            assert_eq!(stage.last().0, "GET /v1/customers?size=1&seekOperation=Next");
        }
        "pc-customers-list-empty" => {
            assert!(reader.search_customers(SearchBy::Domain, "x").await.unwrap().is_empty());
            assert_eq!(
                stage.last().0,
                "GET /v1/customers?size=0&filter=%7B%22Field%22%3A%22Domain%22%2C%22Value%22%3A%22x%22%2C%22Operator%22%3A%22starts_with%22%7D"
            );
        }
        "pc-customer-get" => {
            let customer = reader.customer(id).await.unwrap().unwrap();
            assert_eq!(customer.domain, "relecloud.onmicrosoft.com");
            assert_eq!(customer.details.legacy_administration, Some(true));
        }
        "pc-customer-billing-profile-get" => {
            let profile = reader.customer_billing(id).await.unwrap();
            assert_eq!(profile.text("defaultAddress.city"), Some("Redmond"));
            assert_eq!(profile.etag(), Some("5920358838484612121"));
            // The same document goes back, with the ETag in quotes.
            stage.writer().put_customer_billing(id, &profile).await.unwrap();
            stage.sent(&format!("PUT /v1/customers/{RELECLOUD}/profiles/billing"), name);
            assert_eq!(stage.last().1, "\"5920358838484612121\"");
        }
        "pc-customer-company-profile-get" => {
            let profile = reader.customer_company(id).await.unwrap();
            assert_eq!(profile.text("companyName"), Some("Relecloud"));
            assert_eq!(profile.text("email"), None);
        }
        "pc-customer-organization" => {
            let profile = reader.customer_organization(id).await.unwrap().unwrap();
            assert_eq!(profile.text("displayName"), Some("Relecloud"));
        }
        "pc-customer-customdomains" => {
            assert_eq!(reader.customer_domains(id).await.unwrap().len(), 2);
        }
        "pc-relationshiprequest-response" => {
            let link = reader.relationship_request().await.unwrap();
            assert!(
                link.ends_with("&msppId=0&DAP=false#/BillingAccounts/partner-invitation"),
                "{link}"
            );
        }
        "pc-relationships-indirect-resellers" => {
            let found = reader.partnerships(Side::IndirectReseller).await.unwrap();
            assert_eq!(found.len(), 2);
            assert_eq!(found[0].partner_id.as_deref(), Some("4847383"));
            assert!(found.iter().all(|one| one.state == "active"));
            assert_eq!(
                stage.last().0,
                "GET /v1/relationships?relationship_type=IsIndirectCloudSolutionProviderOf"
            );
        }
        "pc-relationships-indirect-providers" => {
            let found = reader.partnerships(Side::IndirectProvider).await.unwrap();
            assert_eq!(found[0].name, "Lucerne Distribution");
            assert_eq!(found[0].country.as_deref(), Some("US"));
        }
        "pc-agreementstatus" => {
            assert_eq!(reader.has_signed_agreement(id).await.unwrap(), Some(true));
        }
        "pc-roles-list" | "pc-role-members" => {
            let stage = self::stage(vec![
                (200, Vec::new(), example("pc-roles-list")),
                (200, Vec::new(), example("pc-role-members")),
            ]);
            let scope = Scope { account_roles: true, ..Scope::default() };
            let roles = stage.reader().snapshot(&scope, None).await.unwrap().account_roles;
            assert_eq!(roles[0].name, "Executive Report Viewer");
            assert_eq!(roles[0].members[0].user, object(ADELE));
            assert_eq!(
                roles[0].members[0].account.as_deref(),
                Some("3b33e682-00c3-41ee-9dd2-a548adf56438")
            );
        }
        "pc-profile-organization"
        | "pc-profile-legalbusiness"
        | "pc-profile-billing"
        | "pc-profile-support"
        | "pc-profile-mpn" => profile(name).await,
        "pc-qualifications-approved" | "pc-qualifications-inreview" => {
            let found = reader.qualifications(id).await.unwrap();
            let vetting = if name.ends_with("approved") { "Approved" } else { "InReview" };
            assert_eq!(
                (found[0].name.as_str(), found[0].vetting.as_deref()),
                ("Education", Some(vetting))
            );
        }
        "pc-validation-codes" => {
            let codes = reader.validation_codes().await.unwrap();
            assert_eq!((codes[0].code.as_str(), codes[0].remaining), ("12345", 4));
        }
        "pc-validationstatus-allowed" => {
            assert_eq!(reader.validation(id).await.unwrap().as_deref(), Some("Allowed"));
        }
        "pc-directsign-status" => assert!(reader.has_signed_directly(id).await.unwrap()),
        "pc-agreements" => {
            let found = reader.agreements(id).await.unwrap();
            assert_eq!(found[0].kind, "MicrosoftCustomerAgreement");
            assert!(found[0].agreed_at.is_some());
        }
        "pc-auditrecords" => audit().await,
        "pc-servicerequests" => {
            let found = reader.service_requests(id).await.unwrap();
            assert_eq!((found[0].status.as_str(), found[0].severity.as_str()), ("open", "unknown"));
        }
        _ => return false,
    }
    true
}

/// Profiles are read, and go back with every member.
async fn profile(name: &str) {
    let (kind, path) = match name {
        "pc-profile-organization" => (ProfileKind::Organization, Some("organization")),
        "pc-profile-legalbusiness" => (ProfileKind::Legal, Some("legalbusiness")),
        "pc-profile-billing" => (ProfileKind::Billing, Some("billing")),
        "pc-profile-support" => (ProfileKind::Support, Some("supportprofile")),
        _ => (ProfileKind::PartnerNetwork, None),
    };
    let stage = shows(200, name);
    let found: Profile = stage.reader().profile(kind).await.unwrap().unwrap();
    let answer = stage.writer().put_profile(kind, &found).await;
    match path {
        Some(path) => {
            answer.unwrap();
            stage.sent(&format!("PUT /v1/profiles/{path}"), name);
        }
        None => assert!(answer.is_err() && stage.asked.lock().unwrap().len() == 1),
    }
}

/// A record of an ended relationship takes the customer out of the next snapshot.
async fn audit() {
    let stage = stage(vec![
        (200, Vec::new(), r#"{"items":[]}"#.to_owned()),
        (200, Vec::new(), example("pc-customers-list-page1").replace("\"next\"", "\"none\"")),
        (200, Vec::new(), example("pc-auditrecords")),
    ]);
    let scope = Scope { customers: true, ..Scope::default() };
    let reader = stage.reader();
    let mut before = reader.snapshot(&scope, None).await.unwrap();
    assert_eq!(before.customers.len(), 1);
    before.marks.audit = "2026-01-15T22:00:00Z".parse().ok();
    let after = reader.snapshot(&scope, Some(&before)).await.unwrap();
    assert_eq!(stage.last().0, "GET /v1/auditrecords?startDate=2026-01-15&size=500");
    assert!(after.customers.is_empty());
}

async fn meet_center_body(name: &str) -> bool {
    let made = || {
        let created = example("pc-customer-create-response");
        stage(vec![(201, Vec::new(), created)])
    };
    let id = tenant(RELECLOUD);
    let nothing = || stage(vec![(200, Vec::new(), "{}".to_owned())]);
    let customer = |partner: Option<&str>, gdap| NewCustomer {
        enable_gdap_by_default: gdap,
        associated_partner_id: partner.map(tenant),
        company_profile: NewCompanyProfile {
            domain: "xyz.onmicrosoft.com".to_owned(),
            organization_registration_number: None,
        },
        billing_profile: NewBillingProfile {
            culture: "EN-US".to_owned(),
            email: "test@example.com".to_owned(),
            language: "en".to_owned(),
            company_name: "test company".to_owned(),
            default_address: AddressBody {
                first_name: Some("Test".to_owned()),
                last_name: Some("Test".to_owned()),
                address_line1: "One Microsoft Way".to_owned(),
                city: "Redmond".to_owned(),
                state: Some("WA".to_owned()),
                postal_code: Some("98052".to_owned()),
                country: "US".to_owned(),
                ..AddressBody::default()
            },
        },
    };
    match name {
        "pc-customer-create-request" | "pc-customer-create-indirect-request" => {
            let stage = made();
            let customer = if name.contains("indirect") {
                customer(Some("484e548c-f5f3-4528-93a9-c16c6373cb59"), None)
            } else {
                customer(None, Some(false))
            };
            stage.writer().create_customer(Uuid::from_u128(1), &customer).await.unwrap();
            stage.sent("POST /v1/customers", name);
        }
        "pc-customer-create-response" => {
            let new =
                made().writer().create_customer(Uuid::from_u128(1), &customer(None, None)).await;
            let new = new.unwrap();
            assert_eq!(new.id, tenant("dfd8cc0a-c592-468c-8461-869a38d24738"));
            let administrator = new.administrator.unwrap();
            assert_eq!(administrator.user_name, "admin");
            assert_eq!(administrator.password.expose_secret(), "<one-time password>");
        }
        "pc-customer-remove-relationship-request" => {
            let stage = nothing();
            stage.writer().end_relationship(id).await.unwrap();
            stage.sent(&format!("PATCH /v1/customers/{RELECLOUD}"), name);
        }
        "pc-customer-remove-dap-request" => {
            let stage = nothing();
            stage.writer().end_legacy_administration(id).await.unwrap();
            stage.sent(&format!("PATCH /v1/customers/{RELECLOUD}"), name);
        }
        "pc-qualification-post-education" | "pc-qualification-post-gcc" => {
            let stage = nothing();
            let qualification = if name.ends_with("gcc") {
                NewQualification::GovernmentCommunityCloud { validation_code: "123456".to_owned() }
            } else {
                NewQualification::Education {
                    education_segment: EducationSegmentBody::K12,
                    website: "contoso.edu".to_owned(),
                }
            };
            stage.writer().ask_for_qualification(id, &qualification).await.unwrap();
            stage.sent(&format!("POST /v1/customers/{RELECLOUD}/qualifications"), name);
        }
        "pc-role-add-member-request" => {
            let stage = shows(201, name);
            let member = NewRoleMember {
                id: object(ADELE),
                account_id: "3b33e682-00c3-41ee-9dd2-a548adf56438".to_owned(),
                display_name: "Adele Vance".to_owned(),
                role_id: "6c1f4f4b-3a0f-4b9d-8d1f-2f0f5ac5a1d1".to_owned(),
                user_principal_name: "adelev@contoso.onmicrosoft.com".to_owned(),
            };
            let added = stage.writer().add_account_role_member(&member).await.unwrap();
            assert_eq!(added.user, object(ADELE));
            stage.sent("POST /v1/roles/6c1f4f4b-3a0f-4b9d-8d1f-2f0f5ac5a1d1/usermembers", name);
        }
        _ => return false,
    }
    true
}

/// Refusals: status, headers, what the client makes of it, and the code it keeps.
async fn meet_error(name: &str) -> bool {
    let wait = |seconds| vec![("retry-after", seconds)];
    let (status, headers, reason, code) = match name {
        "pc-error-mpn-not-found" => (404, vec![], Reason::Missing, Some("3000")),
        "pc-error-stale-etag" => (400, vec![], Reason::Conflict, Some("2055")),
        "pc-error-app-only-not-supported" => (403, vec![], Reason::NeedsUser, Some("900329")),
        "pc-error-role-member-delete" => (400, vec![], Reason::Invalid, Some("2000")),
        "pc-error-no-commerce-relationship" => (403, vec![], Reason::Denied, Some("20002")),
        "pc-error-throttled" => (429, wait("57"), Reason::Throttled, None),
        "graph-error-404" => (404, vec![], Reason::Missing, Some("Request_ResourceNotFound")),
        "graph-error-403" => (403, vec![], Reason::Denied, Some("Authorization_RequestDenied")),
        "graph-error-401" => {
            (401, vec![], Reason::Unauthorized, Some("InvalidAuthenticationToken"))
        }
        "graph-error-412" => (412, vec![], Reason::Conflict, Some("preconditionFailed")),
        "graph-error-429" => (429, wait("2.128"), Reason::Throttled, Some("TooManyRequests")),
        "graph-error-member-exists" => (400, vec![], Reason::Invalid, Some("Request_BadRequest")),
        "graph-error-unsupported-query" => {
            (400, vec![], Reason::Invalid, Some("Request_UnsupportedQuery"))
        }
        "gdap-error-bad-relationship-id" => (400, vec![], Reason::Invalid, Some("badRequest")),
        _ => return false,
    };
    let waits = !headers.is_empty();
    let stage = stage(vec![(status, headers, example(name))]);
    let error = if name.starts_with("pc-") {
        stage.reader().relationship_request().await.unwrap_err()
    } else {
        stage.reader().user(object(ADELE)).await.unwrap_err()
    };
    let refusal = error.refusal().unwrap();
    assert_eq!((refusal.reason(), refusal.code.as_deref()), (reason, code), "{name}");
    assert_eq!(refusal.retry_after.is_some(), waits, "{name}");
    assert_eq!(refusal.request_id.is_some(), !name.starts_with("pc-"), "{name}");
    assert!(!refusal.message.is_empty(), "{name}");
    true
}

async fn meet_directory(name: &str) -> bool {
    let stage = shows(200, name);
    let reader = stage.reader();
    match name {
        "graph-users-list-page1" => {
            let stage = self::stage(vec![
                (200, Vec::new(), example(name)),
                (200, Vec::new(), r#"{"value":[]}"#.into()),
            ]);
            let found = stage.reader().user_named("adelev@contoso.onmicrosoft.com").await.unwrap();
            let (id, user) = found.unwrap();
            assert_eq!((id, user.enabled, user.is_guest), (object(ADELE), Some(true), false));
            assert_eq!(
                stage.last().0,
                "GET /v1.0/users?$select=id,displayName,userPrincipalName,accountEnabled,userType&$top=2&$count=true&$skiptoken=RFNwdAIAAQ"
            );
        }
        "graph-users-delta" => delta().await,
        "graph-deleted-users" => {
            let (_, user) = reader.deleted_users().await.unwrap().remove(0);
            assert_eq!(user.sign_in_name, "confroom@contoso.onmicrosoft.com");
            assert!(user.deleted_at.is_some());
        }
        "graph-groups-find" => {
            let found = reader.groups_named("AdminAgents").await.unwrap();
            assert_eq!(found[0].0, object(GROUP));
        }
        "graph-group-members" => {
            let body = parsed(name);
            let batch =
                serde_json::json!({"responses": [{"id": "0", "status": 200, "body": body}]});
            let stage = self::stage(vec![(200, Vec::new(), batch.to_string())]);
            let members = stage.reader().members(object(GROUP)).await.unwrap();
            assert_eq!(
                members,
                [
                    (object(ADELE), MemberKind::User),
                    (object("9d6f1a3e-2c1b-4a0e-8a5b-0f6b8a3d7c11"), MemberKind::ServicePrincipal),
                ]
            );
        }
        "graph-roleassignments-list" => {
            let held = reader.roles_of(object(ADELE)).await.unwrap();
            assert_eq!(
                (held[0].role, held[0].scope.as_str()),
                (RoleTemplateId(guid(USER_ADMIN)), "/")
            );
        }
        "graph-batch-response" => {
            // Two were asked; one answers, the other was a change, which we never send in a batch.
            let body = example(name).replace("\"id\": \"1\"", "\"id\": \"0\"");
            let stage = self::stage(vec![(200, Vec::new(), body)]);
            let group = stage.reader().group(object(GROUP)).await.unwrap();
            assert!(group.is_some());
        }
        _ => return false,
    }
    true
}

/// One user changed, one is in the bin.
async fn delta() {
    let empty = || r#"{"value":[]}"#.to_owned();
    let user = |id: &str| serde_json::json!({"id": id, "displayName": "x", "userPrincipalName": format!("{id}@contoso.example")});
    let room = "4562bcc8-c436-4f95-b7c0-4f8ce89dca5e";
    let answers = move |line: &str, body: Option<Value>| match line.split('?').next().unwrap() {
        "/v1.0/users/delta" | "/v1.0/groups/delta" => serde_json::json!({
            "value": [], "@odata.deltaLink": format!("https://graph.microsoft.com{}?$deltatoken=a", line.split('?').next().unwrap())
        }),
        "/v1.0/users" => serde_json::json!({"value": [user(ADELE), user(room)]}),
        "/v1.0/$batch" => {
            let responses: Vec<Value> = body.unwrap()["requests"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| {
                    let url = item["url"].as_str().unwrap();
                    let body = if url.starts_with("/users/delta") {
                        parsed("graph-users-delta")
                    } else if url.starts_with("/groups/delta") {
                        serde_json::json!({"value": [], "@odata.deltaLink": "https://graph.microsoft.com/v1.0/groups/delta?$deltatoken=b"})
                    } else if url.starts_with("/users/") {
                        serde_json::json!({"id": ADELE, "displayName": "Adele Vance"})
                    } else {
                        serde_json::json!({"value": []})
                    };
                    serde_json::json!({"id": item["id"], "status": 200, "body": body})
                })
                .collect();
            serde_json::json!({ "responses": responses })
        }
        _ => serde_json::from_str(&empty()).unwrap(),
    };
    let handler = move |request: http::Request<Body>| async move {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let line = parts.uri.path_and_query().unwrap().to_string();
        answers(&line, serde_json::from_slice(&body).ok()).to_string()
    };
    let stage = Stage {
        transport: Arc::new(Inside::new(Router::new().fallback(handler))),
        asked: Arc::default(),
    };
    let scope = Scope { users: true, ..Scope::default() };
    let reader = stage.reader();
    let before = reader.snapshot(&scope, None).await.unwrap();
    assert_eq!(before.users.len(), 2);
    let after = reader.snapshot(&scope, Some(&before)).await.unwrap();
    assert_eq!(after.users.keys().copied().collect::<Vec<_>>(), [object(ADELE)]);
    assert_eq!(after.users[&object(ADELE)].display_name, "Adele Vance");
    assert!(
        after
            .marks
            .users
            .unwrap()
            .contains("oEcOySpF_hWYmTIUZBOIfPzcwisr_rPe8o9M54L45qEXQGmvQC6T2dbL")
    );
}

async fn meet_directory_body(name: &str) -> bool {
    let nothing = || stage(vec![(204, Vec::new(), String::new())]);
    let password = || PasswordProfile::temporary(SecretString::from("<temporary password>"));
    let adele = NewUser {
        account_enabled: true,
        mail_nickname: "AdeleV".to_owned(),
        user_principal_name: "AdeleV@contoso.onmicrosoft.com".to_owned(),
        fields: UserFields {
            display_name: Some("Adele Vance".to_owned()),
            usage_location: Some("US".to_owned()),
            ..UserFields::default()
        },
        password_profile: password(),
    };
    match name {
        "graph-user-create-request" | "graph-user-create-response" => {
            let stage = shows(201, "graph-user-create-response");
            assert_eq!(stage.writer().create_user(&adele).await.unwrap(), object(ADELE));
            stage.sent("POST /v1.0/users", "graph-user-create-request");
        }
        "graph-user-patch-disable" => {
            let stage = nothing();
            let fields = UserFields { account_enabled: Some(false), ..UserFields::default() };
            stage.writer().update_user(object(ADELE), &fields).await.unwrap();
            stage.sent(&format!("PATCH /v1.0/users/{ADELE}"), name);
        }
        "graph-user-patch-password" => {
            let stage = nothing();
            stage.writer().set_password(object(ADELE), &password()).await.unwrap();
            stage.sent(&format!("PATCH /v1.0/users/{ADELE}"), name);
        }
        "graph-group-add-member-request" => {
            let stage = nothing();
            let added = stage.writer().add_member(object(GROUP), object(ADELE)).await;
            assert_eq!(added.unwrap(), Done::Now);
            stage.sent(&format!("POST /v1.0/groups/{GROUP}/members/$ref"), name);
        }
        "graph-group-add-members-bulk-request" => {
            let stage = nothing();
            let members = [object(ADELE), object("5bde3e51-d13b-4db1-9948-fe4b109d11a7")];
            stage.writer().add_members(object(GROUP), &members).await.unwrap();
            stage.sent(&format!("PATCH /v1.0/groups/{GROUP}"), name);
        }
        "graph-group-create-request" => {
            let stage = stage(vec![(201, Vec::new(), format!(r#"{{"id":"{GROUP}"}}"#))]);
            let description = Some("GDAP assignment container".to_owned());
            let group = NewGroup::security("GDAP Helpdesk", "gdap-helpdesk", description);
            assert_eq!(stage.writer().create_group(&group).await.unwrap(), object(GROUP));
            stage.sent("POST /v1.0/groups", name);
        }
        "graph-directoryrole-activate-request" | "graph-directoryrole-activate-response" => {
            let stage = shows(201, "graph-directoryrole-activate-response");
            let role = RoleTemplateId(guid(USER_ADMIN));
            assert_eq!(stage.writer().activate_role(role).await.unwrap(), Done::Now);
            stage.sent("POST /v1.0/directoryRoles", "graph-directoryrole-activate-request");
        }
        "graph-roleassignment-create-request" | "graph-roleassignment-create-response" => {
            let stage = shows(201, "graph-roleassignment-create-response");
            let role = RoleTemplateId(guid(USER_ADMIN));
            let made = stage.writer().assign_role(role, object(ADELE), "/").await.unwrap();
            assert_eq!(made.id, "YUb1sHQtUEyvox7IA_Eu_mm3jqnUe4lEhvatluHVi2I-1");
            stage.sent(
                "POST /v1.0/roleManagement/directory/roleAssignments",
                "graph-roleassignment-create-request",
            );
        }
        "graph-batch-request" => {
            // Its first item is one of ours; the second changes something, and no batch of ours can.
            let stage = stage(vec![(200, Vec::new(), r#"{"responses":[]}"#.to_owned())]);
            drop(stage.reader().group(object(ADELE)).await);
            let (line, _, sent) = stage.last();
            assert_eq!(line, "POST /v1.0/$batch");
            let sent = sent.unwrap();
            let (ours, theirs) = (&sent["requests"][0], &parsed(name)["requests"][0]);
            assert_eq!(ours["method"], theirs["method"]);
            assert!(
                ours["url"].as_str().unwrap().starts_with(&format!("/groups/{ADELE}?$select=id,"))
            );
            let keys =
                |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
            assert_eq!(keys(ours), keys(theirs));
        }
        _ => return false,
    }
    true
}

async fn meet_delegation(name: &str) -> bool {
    let id = relationship();
    let path = format!("{GDAP}/{}", id.0);
    let nothing = || stage(vec![(200, Vec::new(), "{}".to_owned())]);
    let stage = shows(200, name);
    match name {
        "gdap-relationship-create-request" | "gdap-relationship-create-response" => {
            let stage = shows(201, "gdap-relationship-create-response");
            let customer = (tenant(CONTOSO), Some("Contoso subsidiary Inc".to_owned()));
            let roles = roles(&[EXCHANGE, INTUNE]);
            let new = NewDelegation::new("Contoso admin relationship", customer, 730, 180, &roles);
            let (made, delegation) = stage.writer().create_delegation(&new).await.unwrap();
            assert_eq!((made, delegation.status), (relationship(), DelegationStatus::Created));
            assert_eq!((delegation.activated_at, delegation.ends_at), (None, None));
            stage.sent(&format!("POST {GDAP}"), "gdap-relationship-create-request");
        }
        "gdap-relationship-active" | "gdap-relationship-approvalpending" => {
            let found = stage.reader().delegation(&id).await.unwrap();
            assert_eq!((found.duration_days, found.auto_extend_days), (Some(730), 180));
            assert_eq!(found.customer, Some(tenant(CONTOSO)));
            assert_eq!(found.roles, roles(&[EXCHANGE, INTUNE]));
            let is_active = name.ends_with("active");
            assert_eq!(found.status == DelegationStatus::Active, is_active);
            assert_eq!(found.ends_at.is_some(), is_active);
        }
        "gdap-relationship-patch-request-created" => {
            let fields = DelegationFields::default()
                .with_name("Updated Contoso admin relationship")
                .with_duration(31)
                .with_customer(tenant("52eaad04-13a2-4a2f-9ce8-93a294fadf36"))
                .with_roles(&roles(&[EXCHANGE, INTUNE, DYNAMICS]));
            let stage = shows(200, "gdap-relationship-active");
            let update = stage.writer().update_delegation(&id, "W/\"e\"", &fields).await.unwrap();
            assert!(matches!(update, Update::Done(found) if found.duration_days == Some(730)));
            stage.sent(&format!("PATCH {path}"), name);
            assert_eq!(stage.last().1, "W/\"e\"", "as it was read, quotes and all");
        }
        "gdap-relationship-patch-request-autoextend" => {
            let stage = nothing();
            let fields = DelegationFields::auto_extend(180);
            stage.writer().update_delegation(&id, "W/\"e\"", &fields).await.unwrap();
            stage.sent(&format!("PATCH {path}"), name);
        }
        "gdap-request-lock-request"
        | "gdap-request-lock-response"
        | "gdap-request-terminate-request"
        | "gdap-request-approve-request" => {
            let (action, request) = match name {
                "gdap-request-terminate-request" => (Action::Terminate, name),
                "gdap-request-approve-request" => (Action::Approve, name),
                _ => (Action::LockForApproval, "gdap-request-lock-request"),
            };
            let stage = shows(201, "gdap-request-lock-response");
            stage.writer().request_delegation(&id, action).await.unwrap();
            stage.sent(&format!("POST {path}/requests"), request);
        }
        "gdap-assignment-create-request" | "gdap-assignment-create-response" => {
            let stage = shows(201, "gdap-assignment-create-response");
            let roles = roles(&[EXCHANGE, READER, HELPDESK, INTUNE]);
            let made = stage
                .writer()
                .create_delegated_assignment(&id, object(GROUP), &roles)
                .await
                .unwrap();
            assert_eq!((made.status.as_str(), made.group), ("pending", object(GROUP)));
            assert_eq!(made.roles, roles);
            stage.sent(&format!("POST {path}/accessAssignments"), "gdap-assignment-create-request");
        }
        "gdap-assignment-patch-request" | "gdap-assignment-patch-accepted" => {
            let at = "https://graph.microsoft.com/v1.0/tenantRelationships/delegatedAdminRelationships/r/operations/o";
            let headers = vec![("location", at), ("retry-after", "10")];
            let stage =
                self::stage(vec![(202, headers, example("gdap-assignment-patch-accepted"))]);
            let roles = roles(&[EXCHANGE, READER]);
            let update = stage
                .writer()
                .update_delegated_assignment(&id, "a", "W/\"e\"", &roles)
                .await
                .unwrap();
            assert_eq!(update, Update::Running { operation: at.to_owned() });
            stage.sent(
                &format!("PATCH {path}/accessAssignments/a"),
                "gdap-assignment-patch-request",
            );
            assert_eq!(stage.last().1, "W/\"e\"");
        }
        "gdap-operation-succeeded" => {
            let at = format!("https://graph.microsoft.com{path}/operations/o");
            assert_eq!(stage.reader().progress(&at).await.unwrap(), Progress::Succeeded);
            let elsewhere = stage.reader().progress("https://evil.example/v1.0/x").await;
            assert!(matches!(elsewhere, Err(Error::Astray { .. })));
        }
        "gdap-customers-list" => {
            let found = stage.reader().delegated_customers().await.unwrap();
            assert_eq!(found, BTreeSet::from([tenant(CONTOSO)]));
        }
        "gdap-customer-services" => {
            let found = stage.reader().delegated_services(tenant(CONTOSO)).await.unwrap();
            assert_eq!(found[0].0, "Azure Active Directory");
        }
        _ => return false,
    }
    true
}
