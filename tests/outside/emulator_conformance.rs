//! Every body of `tests/wire-examples/` that is Partner Center's or the token service's is produced
//! or accepted by the emulator, but for ids and times.

use serde_json::{Value, json};

use crate::emulator_bench::{Answer, As, Bench, CENTER, example, masked};

const PARTNER: &str = "3b33e682-00c3-41ee-9dd2-a548adf56438";
const RELECLOUD: &str = "b44bb1fb-c595-45b0-9e09-d657365580bf";
const SCHOOL: &str = "7d1f6f0a-5a3c-4d2e-9b1f-0a1b2c3d4e5f";
const USER: &str = "87d349ed-44d7-43e1-9a83-5f2406dee5bd";
const ROLE: &str = "6c1f4f4b-3a0f-4b9d-8d1f-2f0f5ac5a1d1";

/// The tenant that the examples were taken from, as far as they tell.
async fn world() -> Bench {
    let bench = Bench::with_tenant(json!({
        "id": PARTNER,
        "companyName": "Contoso",
        "domains": ["contoso.onmicrosoft.com"],
        "program": "indirect-provider",
        "country": "US",
        "mpnId": "4847383",
    }))
    .await;
    bench.command("PUT", "/_emulator/objects/customer", relecloud()).await;
    let mut school = customer(SCHOOL, "Zum Turm", "turm.onmicrosoft.com");
    school["billing"] = stored(&example("pc-customer-billing-profile-get"));
    bench.command("PUT", "/_emulator/objects/customer", school).await;
    for (id, name, mpn, location, side) in [
        (
            "484e548c-f5f3-4528-93a9-c16c6373cb59",
            "First Up Consultants",
            "4847383",
            "US",
            "reseller",
        ),
        ("b01b1487-b36e-4e6d-9b5e-0b58974c4b28", "ReleCloud", "4847433", "BR", "reseller"),
        (
            "0e195b37-4574-4539-bc42-0e539b9684c0",
            "Lucerne Distribution",
            "6363276",
            "US",
            "provider",
        ),
    ] {
        let partner = json!({
            "id": id, "name": name, "mpnId": mpn, "location": location, "side": side,
            "isActive": true, "hasSigned": true,
        });
        bench.command("PUT", "/_emulator/objects/partner", partner).await;
    }
    let user = json!({
        "id": USER, "userPrincipalName": "adelev@contoso.onmicrosoft.com",
        "displayName": "Adele Vance", "accountEnabled": true, "userType": "Member",
    });
    bench.command("PUT", "/_emulator/objects/user", user).await;
    let mut request = example("pc-servicerequests")["items"][0].clone();
    let request = request.as_object_mut().unwrap();
    let id = request.remove("id").unwrap();
    request.remove("attributes");
    let request =
        json!({"id": id, "customer": RELECLOUD, "sort": "service-request", "body": request});
    bench.command("PUT", "/_emulator/objects/belonging", request).await;
    let code = json!({
        "validationId": "12345", "organizationName": "Contoso, Inc.",
        "maxCreates": 5, "remainingCreates": 4,
    });
    bench.command("PUT", "/_emulator/objects/validation-code", code).await;
    let code = json!({
        "validationId": "123456", "organizationName": "Contoso, Inc.",
        "maxCreates": 5, "remainingCreates": 5,
    });
    bench.command("PUT", "/_emulator/objects/validation-code", code).await;
    bench
}

/// A body without what is only written.
fn stored(body: &Value) -> Value {
    let mut members = body.as_object().unwrap().clone();
    members.remove("links");
    members.remove("attributes");
    Value::Object(members)
}

fn customer(id: &str, name: &str, domain: &str) -> Value {
    json!({
        "id": id, "commerceId": "99e6a635-48e7-424d-9059-c9db944e3c54",
        "companyName": name, "domain": domain, "customDomains": [domain],
        "relationship": "reseller", "hasDap": false, "address": {}, "billing": {},
    })
}

/// The customer of most examples, with legacy administration.
fn relecloud() -> Value {
    let whole = example("pc-customer-get");
    let mut made = customer(RELECLOUD, "Relecloud", "relecloud.onmicrosoft.com");
    made["hasDap"] = json!(true);
    made["email"] = whole["companyProfile"]["email"].clone();
    made["address"] = whole["companyProfile"]["address"].clone();
    made["billing"] = stored(&whole["billingProfile"]);
    made["validation"] = json!({"status": "Allowed", "lastUpdateDateTime": "2021-07-14T18:02:00"});
    made["signedDirectly"] = json!(true);
    made["agreements"] = json!([{
        "primaryContact": example("pc-agreements")["items"][0]["primaryContact"],
        "templateId": "998b88de-aa99-4388-a42c-1b3517d49490",
        "dateAgreed": "2018-08-09T00:00:00",
        "type": "MicrosoftCustomerAgreement",
        "agreementLink": "https://docs.microsoft.com/partner-center/csp-customer-agreement",
    }]);
    made
}

fn assert_like(answer: &Answer, status: u16, name: &str) {
    assert_eq!(answer.status, status, "{name}: {}", answer.text);
    assert_eq!(masked(&answer.body), masked(&example(name)), "{name}: {}", answer.text);
}

/// What is asked, and the example that the answer is like.
#[tokio::test]
async fn every_answer_of_partner_center_is_like_its_example() {
    let bench = world().await;
    let of = |path: &str| format!("/v1/customers/{RELECLOUD}/{path}");
    let agreements = "agreements?agreementType=MicrosoftCustomerAgreement";
    let rows: Vec<(&str, As, u16, String)> = vec![
        ("pc-customer-get", As::App, 200, format!("/v1/customers/{RELECLOUD}")),
        (
            "pc-customer-billing-profile-get",
            As::App,
            200,
            format!("/v1/customers/{SCHOOL}/profiles/billing"),
        ),
        (
            "pc-relationshiprequest-response",
            As::User,
            200,
            "/v1/customers/relationshiprequests".to_owned(),
        ),
        (
            "pc-relationships-indirect-resellers",
            As::User,
            200,
            "/v1/relationships?relationship_type=IsIndirectCloudSolutionProviderOf".to_owned(),
        ),
        (
            "pc-relationships-indirect-providers",
            As::User,
            200,
            "/v1/relationships?relationship_type=is_indirect_reseller_of".to_owned(),
        ),
        (
            "pc-agreementstatus",
            As::User,
            200,
            "/v1/compliance/csp/agreementstatus?mpnId=4847383".to_owned(),
        ),
        ("pc-error-mpn-not-found", As::User, 404, "/v1/profiles/mpn?mpnId=9999999".to_owned()),
        ("pc-error-app-only-not-supported", As::App, 403, "/v1/roles".to_owned()),
        (
            "pc-error-no-commerce-relationship",
            As::User,
            403,
            "/v1/customers/0a0a0a0a-0000-4000-8000-000000000000/orders".to_owned(),
        ),
        ("pc-profile-mpn", As::User, 200, "/v1/profiles/mpn".to_owned()),
        ("pc-validationstatus-allowed", As::User, 200, of("validationStatus?type=account")),
        ("pc-directsign-status", As::User, 200, of("directSignedMicrosoftCustomerAgreementStatus")),
        ("pc-agreements", As::User, 200, of(agreements)),
        ("pc-servicerequests", As::User, 200, of("servicerequests")),
    ];
    for (name, who, status, path) in rows {
        let answer = bench.send(who, "GET", &path, &[], None).await;
        assert_like(&answer, status, name);
    }
    let codes = bench.get("/v1/customers/all/validations").await;
    assert_eq!(masked(&codes.body)[0], masked(&example("pc-validation-codes"))[0]);
}

#[tokio::test]
async fn lists_of_customers_go_page_by_page() {
    let bench = Bench::with_tenant(json!({"id": PARTNER})).await;
    let empty = bench.get("/v1/customers?size=40").await;
    assert_like(&empty, 200, "pc-customers-list-empty");
    let last = "45c44870-ef77-4fdd-b6fe-3dacb075cff2";
    for (first, second) in [
        // Lists go by name: each example is first or last among its neighbours.
        (
            customer(RELECLOUD, "Relecloud", "relecloud.onmicrosoft.com"),
            customer(last, "Zum Turm", "turm.onmicrosoft.com"),
        ),
        (
            customer(RELECLOUD, "Abacus", "abacus.onmicrosoft.com"),
            customer(last, "First Up Consultants", "firstup.onmicrosoft.com"),
        ),
    ] {
        let is_first_round = first["companyName"] == json!("Relecloud");
        bench.command("PUT", "/_emulator/objects/customer", first).await;
        bench.command("PUT", "/_emulator/objects/customer", second).await;
        let page = bench.get("/v1/customers?size=1").await;
        let next = &page.body["links"]["next"];
        if is_first_round {
            assert_like(&page, 200, "pc-customers-list-page1");
        }
        let header = (
            next["headers"][0]["key"].as_str().unwrap(),
            next["headers"][0]["value"].as_str().unwrap(),
        );
        let path = format!("/v1{}", next["uri"].as_str().unwrap());
        let page = bench.send(As::User, "GET", &path, &[header], None).await;
        if !is_first_round {
            let mut body = page.body.clone();
            // Asked for by the address of the next page, it calls itself by the plain one.
            assert_eq!(body["links"]["self"]["uri"], json!("/customers?size=1"));
            body["links"]["self"]["uri"] = json!("/customers?size=1");
            assert_eq!(masked(&body), masked(&example("pc-customers-list-last")));
        }
        let previous = &page.body["links"]["previous"];
        let header = (
            previous["headers"][0]["key"].as_str().unwrap(),
            previous["headers"][0]["value"].as_str().unwrap(),
        );
        let path = format!("/v1{}", previous["uri"].as_str().unwrap());
        let back = bench.send(As::User, "GET", &path, &[header], None).await;
        assert_eq!(back.body["totalCount"], json!(1));
        assert!(back.body["links"]["next"].is_object());
        assert!(back.body["links"]["previous"].is_null());
    }
    let bad = bench
        .send(As::User, "GET", "/v1/customers?size=1", &[("MS-ContinuationToken", "x")], None)
        .await;
    assert_eq!((bad.status, &bad.body["code"]), (400, &json!("800002")));
}

#[tokio::test]
async fn profiles_are_accepted_as_they_are_written() {
    let bench = world().await;
    for (name, path) in [
        ("pc-profile-organization", "/v1/profiles/organization"),
        ("pc-profile-billing", "/v1/profiles/billing"),
        ("pc-profile-support", "/v1/profiles/support"),
        ("pc-profile-legalbusiness", "/v1/profiles/legalbusiness"),
    ] {
        let mut wanted = example(name);
        let now = bench.get(path).await.body;
        if !now["attributes"]["etag"].is_null() {
            let stale = bench.send(As::User, "PUT", path, &[], Some(wanted.clone())).await;
            assert_like(&stale, 400, "pc-error-stale-etag");
            wanted["attributes"]["etag"] = now["attributes"]["etag"].clone();
        }
        let put = bench.send(As::User, "PUT", path, &[], Some(wanted)).await;
        assert_eq!(put.status, 200, "{name}: {}", put.text);
        let read = bench.get(path).await;
        assert_like(&read, 200, name);
    }
}

#[tokio::test]
async fn a_customer_is_created_once_for_each_request_id() {
    let bench = world().await;
    let id = [
        ("MS-RequestId", "1f0c9b2e-5d0a-4f43-9d1c-0b7a3c5f6e21"),
        ("MS-CorrelationId", "1f0c9b2e-5d0a-4f43-9d1c-0b7a3c5f6e22"),
    ];
    let body = example("pc-customer-create-request");
    let first = bench.send(As::User, "POST", "/v1/customers", &id, Some(body.clone())).await;
    assert_like(&first, 201, "pc-customer-create-response");
    assert_eq!(first.headers["ms-requestid"], id[0].1);
    let again = bench.send(As::User, "POST", "/v1/customers", &id, Some(body.clone())).await;
    assert_eq!(first.body, again.body);
    let other = [("MS-RequestId", "1f0c9b2e-5d0a-4f43-9d1c-0b7a3c5f6e23")];
    let taken = bench.send(As::User, "POST", "/v1/customers", &other, Some(body)).await;
    assert_eq!(taken.status, 409, "{}", taken.text);
    let path = format!("/v1/customers/{}", first.body["id"].as_str().unwrap());
    assert_eq!(bench.get(&path).await.body["relationshipToPartner"], json!("reseller"));
    let mut indirect = example("pc-customer-create-indirect-request");
    indirect["CompanyProfile"]["Domain"] = json!("xyzindirect.onmicrosoft.com");
    let made = bench.send(As::User, "POST", "/v1/customers", &[], Some(indirect)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let path = format!("/v1/customers/{}/relationships", made.body["id"].as_str().unwrap());
    let resellers = bench.get(&path).await;
    assert_eq!(
        resellers.body["items"][0],
        example("pc-relationships-indirect-resellers")["items"][0]
    );
}

#[tokio::test]
async fn relationships_end_and_are_recorded() {
    let bench = world().await;
    let path = format!("/v1/customers/{RELECLOUD}");
    let subscription = json!({
        "id": "s-1", "customer": RELECLOUD, "sort": "subscription",
        "body": {"offerName": "Microsoft 365", "status": "active"},
    });
    bench.command("PUT", "/_emulator/objects/belonging", subscription.clone()).await;
    let company = bench.get(&format!("{path}/profiles/company")).await;
    assert!(company.body["address"].is_object());
    let dap = example("pc-customer-remove-dap-request");
    assert_eq!(bench.send(As::User, "PATCH", &path, &[], Some(dap)).await.status, 200);
    let company = bench.get(&format!("{path}/profiles/company")).await;
    assert_like(&company, 200, "pc-customer-company-profile-get");
    let none = example("pc-customer-remove-relationship-request");
    let refused = bench.send(As::User, "PATCH", &path, &[], Some(none.clone())).await;
    assert_eq!(refused.status, 400);
    assert!(refused.text.contains("Microsoft 365"), "{}", refused.text);
    let mut over = subscription;
    over["body"]["status"] = json!("suspended");
    bench.command("PUT", "/_emulator/objects/belonging", over).await;
    let ended = bench.send(As::User, "PATCH", &path, &[], Some(none)).await;
    assert_eq!(ended.body["relationshipToPartner"], json!("none"));
    assert_eq!(bench.get(&path).await.status, 404);
    let today = bench.send(As::Nobody, "GET", "/_emulator/clock", &[], None).await.body["now"]
        .as_str()
        .unwrap()[..10]
        .to_owned();
    let filter = "%7B%22Field%22:%22ResourceType%22,%22Value%22:%22partner_customer_relationship%22,%22Operator%22:%22equals%22%7D";
    let records = bench.get(&format!("/v1/auditrecords?startDate={today}&filter={filter}")).await;
    let mut record = masked(&records.body["items"][0]);
    let mut expected = masked(&example("pc-auditrecords")["items"][0]);
    // Whose name and application it is differs.
    for one in [&mut record, &mut expected] {
        one["applicationId"] = json!("<application>");
        one["userPrincipalName"] = json!("<user>");
    }
    assert_eq!(record, expected);
    for (path, status) in [("2020-01-01", 400), ("2026-11-324", 400)] {
        assert_eq!(bench.get(&format!("/v1/auditrecords?startDate={path}")).await.status, status);
    }
}

#[tokio::test]
async fn roles_have_members() {
    let bench = world().await;
    let listed = bench.get("/v1/roles").await;
    let expected = example("pc-roles-list");
    for role in expected["items"].as_array().unwrap() {
        assert!(listed.body["items"].as_array().unwrap().contains(role), "{role}");
    }
    let path = format!("/v1/roles/{ROLE}/usermembers");
    let body = example("pc-role-add-member-request");
    let added = bench.send(As::User, "POST", &path, &[], Some(body)).await;
    assert_eq!(added.status, 201, "{}", added.text);
    assert_like(&bench.get(&path).await, 200, "pc-role-members");
    bench.command("PUT", "/_emulator/quirks", json!({"roleMemberDeleteFails": true})).await;
    let member = format!("{path}/{USER}");
    let failed = bench.send(As::User, "DELETE", &member, &[], None).await;
    assert_like(&failed, 400, "pc-error-role-member-delete");
    bench.command("PUT", "/_emulator/quirks", json!({})).await;
    assert_eq!(bench.send(As::User, "DELETE", &member, &[], None).await.status, 204);
    assert_eq!(bench.get(&path).await.body["items"], json!([]));
}

#[tokio::test]
async fn qualifications_are_vetted_in_their_time() {
    let bench = world().await;
    bench.command("PUT", "/_emulator/quirks", json!({"stepSeconds": 3600})).await;
    let path = format!("/v1/customers/{SCHOOL}/qualifications");
    let none = bench.get(&path).await;
    assert_eq!(none.body, json!([{"qualification": "None"}]));
    let school = example("pc-qualification-post-education");
    assert_eq!(bench.send(As::User, "POST", &path, &[], Some(school)).await.status, 201);
    assert_like(&bench.get(&path).await, 200, "pc-qualifications-inreview");
    bench.command("POST", "/_emulator/clock", json!({"bySeconds": 3600})).await;
    assert_like(&bench.get(&path).await, 200, "pc-qualifications-approved");
    let code = example("pc-qualification-post-gcc");
    assert_eq!(bench.send(As::User, "POST", &path, &[], Some(code)).await.status, 201);
    let older = bench.get(&format!("/v1/customers/{SCHOOL}/qualification")).await;
    assert_eq!(older.text, "\"Education\"");
}

#[tokio::test]
async fn what_is_seen_of_a_customers_tenant() {
    let bench = world().await;
    let mut made = relecloud();
    made["customDomains"] = example("pc-customer-customdomains");
    made["address"] = json!({
        "country": "US", "state": "WA", "city": "Redmond", "addressLine1": "1 ms way", "postalCode": "98052",
    });
    bench.command("PUT", "/_emulator/objects/customer", made).await;
    let of = |path: &str| format!("/v1/customers/{RELECLOUD}/{path}");
    assert_like(&bench.get(&of("customDomains")).await, 200, "pc-customer-customdomains");
    assert_like(&bench.get(&of("organization")).await, 200, "pc-customer-organization");
}

#[tokio::test]
async fn a_sandbox_makes_resellers() {
    let bench = world().await;
    bench.command("PUT", "/_emulator/quirks", json!({"sandbox": true})).await;
    let body = json!({
        "mpnId": "6363276",
        "tenant": {
            "domainPrefix": "TipIRIntTest705", "displayName": "Test reseller", "country": "US",
            "adminUserName": "admin", "adminFirstName": "Test",
        },
    });
    let made = bench.send(As::User, "POST", "//v1//sandboxIndirectReseller", &[], Some(body)).await;
    let mut answer = masked(&made.body);
    let mut expected = masked(&example("pc-sandbox-indirect-reseller-response"));
    // Whose they are differs.
    for one in [&mut answer, &mut expected] {
        one["agreementSignature"]["signedByUserPrincipalName"] = json!("<user>");
        one["partnerRelationship"]["name"] = json!("<name>");
    }
    assert_eq!(answer, expected, "{}", made.text);
    let path = format!("/v1/sandboxIndirectReseller/{}", made.body["accountId"].as_str().unwrap());
    assert_eq!(bench.send(As::User, "DELETE", &path, &[], None).await.status, 204);
}

#[tokio::test]
async fn throttling_is_the_gateways() {
    let bench = world().await;
    let rules = json!({"rules": [{"path": "/v1/customers", "rate": 1, "fault": "throttle", "retryAfter": 57}]});
    bench.command("PUT", "/_emulator/faults", rules).await;
    let throttled = bench.get("/v1/customers").await;
    assert_eq!(throttled.headers["retry-after"], "57");
    assert_like(&throttled, 429, "pc-error-throttled");
}

#[tokio::test]
async fn tokens_are_like_their_examples() {
    let bench = world().await;
    let app = bench.token_answer(As::App, &format!("{CENTER}/.default")).await;
    assert_like(&app, 200, "token-client-credentials-response");
    let claims = claims(&app);
    let expected = example("access-token-claims-app-only");
    assert_eq!(masked(&claims), masked(&expected));
    let scope = format!("{CENTER}/user_impersonation openid offline_access");
    let mut user = bench.token_answer(As::User, &scope).await;
    let claims = self::claims(&user);
    // What libraries cannot do without, and the example does not show.
    assert!(user.body.as_object_mut().unwrap().remove("client_info").is_some());
    assert_like(&user, 200, "token-refresh-v2-response");
    let mut claims = masked(&claims);
    let mut expected = masked(&example("access-token-claims-app-user"));
    for one in [&mut claims, &mut expected] {
        for name in ["family_name", "given_name", "name", "unique_name", "upn", "appidacr"] {
            assert!(one[name].is_string(), "{name}");
            one[name] = json!("<name>");
        }
    }
    assert_eq!(claims, expected);
    let wrong = bench.token_answer(As::App, "nothing").await;
    assert_like(&wrong, 400, "token-error-invalid-scope");
    bench.command("POST", "/_emulator/clock", json!({"bySeconds": 91 * 86_400})).await;
    let late = bench.token_answer(As::User, &scope).await;
    assert_like(&late, 400, "token-error-invalid-grant");
}

fn claims(answer: &Answer) -> Value {
    use base64::Engine;
    let token = answer.body["access_token"].as_str().unwrap();
    let payload = token.split('.').nth(1).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[tokio::test]
async fn device_codes_are_like_their_examples() {
    let bench = world().await;
    let client = bench.credentials.client_id.clone();
    let path = format!("/{PARTNER}/oauth2/v2.0/devicecode");
    let begun = bench.form(&path, &[("client_id", &client), ("scope", "User.Read openid")]).await;
    let mut answer = masked(&begun.body);
    let mut expected = masked(&example("device-code-response"));
    for one in [&mut answer, &mut expected] {
        one["verification_uri"] = json!("<page>");
    }
    assert_eq!(answer, expected);
    let code = begun.body["device_code"].as_str().unwrap();
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    let fields = [("grant_type", grant), ("client_id", client.as_str()), ("device_code", code)];
    let pending = bench.form(&format!("/{PARTNER}/oauth2/v2.0/token"), &fields).await;
    assert_like(&pending, 400, "device-code-pending-error");
}

/// Who may call what, as the documentation's tables have it.
#[tokio::test]
async fn applications_alone_are_refused_where_a_user_is_needed() {
    let bench = world().await;
    let id = RELECLOUD;
    for (path, app_may) in [
        ("/v1/customers".to_owned(), true),
        (format!("/v1/customers/{id}"), true),
        (format!("/v1/customers/{id}/profiles/billing"), true),
        (format!("/v1/customers/{id}/profiles/company"), false),
        (format!("/v1/customers/{id}/organization"), true),
        (format!("/v1/customers/{id}/qualifications"), true),
        (format!("/v1/customers/{id}/validationstatus?type=account"), false),
        (format!("/v1/customers/{id}/subscriptions"), true),
        (format!("/v1/customers/{id}/orders"), true),
        (format!("/v1/customers/{id}/servicerequests"), false),
        (format!("/v1/customers/{id}/agreements"), false),
        (format!("/v1/customers/{id}/relationships"), false),
        (format!("/v1/customers/{id}/users"), false),
        ("/v1/customers/relationshiprequests".to_owned(), false),
        ("/v1/customers/all/validations".to_owned(), true),
        ("/v1/relationships?relationship_type=IsIndirectResellerOf".to_owned(), false),
        ("/v1/profiles/legalbusiness".to_owned(), true),
        ("/v1/profiles/organization".to_owned(), false),
        ("/v1/profiles/billing".to_owned(), false),
        ("/v1/roles".to_owned(), false),
        ("/v1/auditrecords".to_owned(), true),
    ] {
        let app = bench.send(As::App, "GET", &path, &[], None).await;
        let user = bench.send(As::User, "GET", &path, &[], None).await;
        assert_eq!(user.status, 200, "{path}: {}", user.text);
        if app_may {
            assert_eq!(app.status, 200, "{path}: {}", app.text);
        } else {
            assert_eq!((app.status, &app.body["code"]), (403, &json!("900329")), "{path}");
        }
    }
    for method in ["POST", "DELETE", "PUT"] {
        let answer = bench.send(As::User, method, "/v1/relationships", &[], Some(json!({}))).await;
        assert_eq!(answer.status, 405);
    }
}

#[tokio::test]
async fn whoever_cannot_do_it_is_told_so() {
    let bench = world().await;
    let none = bench.send(As::Nobody, "GET", "/v1/customers", &[], None).await;
    assert_eq!((none.status, &none.body["code"]), (401, &json!("800001")));
    let rubbish = [("authorization", "Bearer x.y.z")];
    let denied = bench.send(As::Nobody, "GET", "/v1/customers", &rubbish, None).await;
    assert_eq!((denied.status, &denied.body["code"]), (401, &json!("400")));
    bench.command("PUT", "/_emulator/quirks", json!({"bom": true, "codes": "numbers"})).await;
    let marked = bench.get(&format!("/v1/customers/{RELECLOUD}")).await;
    assert!(marked.text.starts_with("\u{feff}{"));
    let denied = bench.send(As::Nobody, "GET", "/v1/customers", &rubbish, None).await;
    assert_eq!(denied.body["code"], json!(400));
}

/// No example is forgotten. Webhooks are not sent by the emulator; Graph's are Graph's.
#[test]
fn every_example_is_held() {
    let folder = format!("{}/tests/wire-examples", env!("CARGO_MANIFEST_DIR"));
    let held = include_str!("emulator_conformance.rs");
    let forgotten: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| Some(name.strip_suffix(".json")?.to_owned()))
        .filter(|name| !name.starts_with("graph-") && !name.starts_with("gdap-"))
        .filter(|name| !name.starts_with("pc-webhook-"))
        .filter(|name| !held.contains(&format!("\"{name}\"")))
        .collect();
    assert!(forgotten.is_empty(), "{forgotten:?}");
}
