//! The other side of the table: customers, partners and people at their devices, by link, by page
//! and by command.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::emulator_bench::{As, Bench};
use crate::served::Served;
use crate::world::Folder;

async fn act(bench: &Bench, act: Value) -> Value {
    bench.command("POST", "/_emulator/act", act).await.body["done"].clone()
}

async fn customers(bench: &Bench) -> Vec<String> {
    let list = bench.get("/v1/customers?size=0").await.body;
    let items = list["items"].as_array().unwrap();
    items.iter().map(|one| one["companyProfile"]["domain"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_customer_comes_into_being_by_opening_the_link() {
    let bench = Bench::new();
    let link = bench.get("/v1/customers/relationshiprequests").await.body["url"].clone();
    let done = act(&bench, json!({"do": "decline", "link": link, "as": "contoso.example"})).await;
    assert_eq!(done, json!(["contoso.example declined"]));
    assert!(customers(&bench).await.is_empty());
    let done = act(&bench, json!({"do": "accept", "link": link, "as": "contoso.example"})).await;
    assert_eq!(done, json!(["contoso.example accepted the relationship"]));
    assert_eq!(customers(&bench).await, ["contoso.example"]);
    let again = act(&bench, json!({"do": "accept", "link": link, "as": "contoso.example"})).await;
    assert_eq!(again, json!(["nothing waits for that"]));
    let path = "/_emulator/act";
    let unbound = bench
        .send(As::Nobody, "POST", path, &[], Some(json!({"do": "accept", "link": link})))
        .await;
    assert_eq!(unbound.status, 409);
    assert!(unbound.text.contains("--as"), "{}", unbound.text);
    let other = link
        .as_str()
        .unwrap()
        .replace(&bench.credentials.tenant, "0e195b37-4574-4539-bc42-0e539b9684c0");
    let other = json!({"do": "accept", "link": other, "as": "contoso.example"});
    assert_eq!(bench.send(As::Nobody, "POST", path, &[], Some(other)).await.status, 409);
}

#[tokio::test]
async fn pages_are_read_and_answered() {
    let bench = Bench::new();
    let link = bench.get("/v1/customers/relationshiprequests").await.body["url"].clone();
    let path = link.as_str().unwrap().strip_prefix("https://admin.microsoft.com").unwrap();
    let path = path.split('#').next().unwrap();
    let page = bench.send(As::Nobody, "GET", path, &[], None).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("<label for=\"domain\">"), "{}", page.text);
    let fields = [
        ("link", link.as_str().unwrap()),
        ("domain", "northwind.example"),
        ("company", "Northwind <Traders>"),
        ("answer", "accept"),
    ];
    let done = bench.form("/adminportal/invitation", &fields).await;
    assert!(done.text.contains("northwind.example accepted"), "{}", done.text);
    assert_eq!(customers(&bench).await, ["northwind.example"]);
    let wrong = [("link", link.as_str().unwrap()), ("domain", "<script>"), ("answer", "accept")];
    let refused = bench.form("/adminportal/invitation", &wrong).await;
    assert_eq!(refused.status, 422);
    assert!(!refused.text.contains("<script>"), "{}", refused.text);
    let index = bench.send(As::Nobody, "GET", "/", &[], None).await;
    assert!(index.text.contains("1 have a reseller relationship"), "{}", index.text);
}

#[tokio::test]
async fn a_person_signs_a_device_in() {
    let bench = Bench::new();
    let client = bench.credentials.client_id.clone();
    let scope = "https://graph.microsoft.com/User.Read.All offline_access";
    let begun = bench
        .form("/organizations/oauth2/v2.0/devicecode", &[("client_id", &client), ("scope", scope)])
        .await;
    let code = begun.body["user_code"].as_str().unwrap();
    let user = "embedded-admin@fabrikam.onmicrosoft.com";
    let nobody = [("code", code), ("user", "nobody@fabrikam.example"), ("answer", "accept")];
    let page = bench.form("/devicelogin", &nobody).await;
    assert!(page.text.contains("role=\"alert\""), "{}", page.text);
    let fields = [("code", code), ("user", user), ("mfa", "yes"), ("answer", "accept")];
    let page = bench.form("/devicelogin", &fields).await;
    assert!(page.text.contains("Accepted"), "{}", page.text);
    let device = begun.body["device_code"].as_str().unwrap();
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    let fields = [("grant_type", grant), ("client_id", client.as_str()), ("device_code", device)];
    let answer = bench.form("/organizations/oauth2/v2.0/token", &fields).await;
    assert!(answer.body["access_token"].is_string(), "{}", answer.text);
}

#[tokio::test]
async fn without_a_second_factor_partner_center_says_so() {
    let bench = Bench::new();
    let client = bench.credentials.client_id.clone();
    let scope = "https://api.partnercenter.microsoft.com/user_impersonation";
    let begun = bench
        .form("/organizations/oauth2/v2.0/devicecode", &[("client_id", &client), ("scope", scope)])
        .await;
    let code = begun.body["user_code"].as_str().unwrap();
    let fields =
        [("code", code), ("user", "embedded-admin@fabrikam.onmicrosoft.com"), ("answer", "accept")];
    bench.form("/devicelogin", &fields).await;
    let device = begun.body["device_code"].as_str().unwrap();
    let fields =
        [("grant_type", "device_code"), ("client_id", client.as_str()), ("device_code", device)];
    let answer = bench.form("/organizations/oauth2/v2.0/token", &fields).await;
    let bearer = format!("Bearer {}", answer.body["access_token"].as_str().unwrap());
    let headers = [("authorization", bearer.as_str())];
    let refused = bench.send(As::Nobody, "GET", "/v1/customers", &headers, None).await;
    assert_eq!((refused.status, refused.text.as_str()), (401, ""));
    assert_eq!(refused.headers["www-authenticate"], "Bearer error=\"invalid_token\"");
}

#[tokio::test]
async fn partnerships_begin_and_end_by_their_people() {
    let bench = Bench::new();
    let provider = json!({
        "tenantId": "7f1b0c52-0d3c-4b3e-9c6a-2a2b1f0d9a10", "displayName": "Northwind Distribution",
        "isProvider": true, "invitationUrl": "https://partner.microsoft.com/offer/7",
    });
    let link = "http://127.0.0.1:1/offer/7";
    let done = act(&bench, json!({"do": "accept", "link": link, "partnerships": [provider]})).await;
    assert_eq!(done, json!(["the partnership with Northwind Distribution is active"]));
    let list = "/v1/relationships?relationship_type=IsIndirectResellerOf";
    assert_eq!(bench.get(list).await.body["totalCount"], json!(1));
    // A customer that accepts with the provider belongs to both.
    let customer = json!({
        "domain": "contoso.example", "providers": ["7f1b0c52-0d3c-4b3e-9c6a-2a2b1f0d9a10"],
    });
    act(&bench, json!({"do": "accept", "customers": [customer]})).await;
    let filter = "%7B%22field%22:%22IndirectCloudSolutionProvider%22,%22value%22:%227f1b0c52-0d3c-4b3e-9c6a-2a2b1f0d9a10%22,%22operator%22:%22StartsWith%22%7D";
    let found = bench.get(&format!("/v1/customers?size=0&filter={filter}")).await;
    assert_eq!(found.body["totalCount"], json!(1), "{}", found.text);
    act(&bench, json!({"do": "end-relationship", "partnerships": [provider]})).await;
    assert_eq!(bench.get(list).await.body["totalCount"], json!(0));
    assert_eq!(customers(&bench).await, ["contoso.example"]);
}

#[test]
fn the_embedded_tenant_is_kept_beside_the_project() {
    let folder = Folder::example("fabrikam");
    let seeded = folder.run(&["emulator", "seed", "."]);
    assert_eq!(seeded.code, 0, "{}", seeded.all());
    assert!(folder.path().join(".partnerctl/tenant.db").exists());
    let before = folder.run(&["emulator", "clock"]).out;
    let after = folder.run(&["emulator", "clock", "+90d"]).out;
    let days = |text: &str| text.trim().parse::<jiff::Timestamp>().unwrap();
    assert!(days(&after).duration_since(days(&before)).as_hours() >= 90 * 24);
    assert_eq!(folder.run(&["emulator", "log"]).out, "");
    let wrong = folder.run(&["emulator", "clock", "soon"]);
    assert_eq!(wrong.code, 64, "{}", wrong.all());
    let unknown = folder.run(&["emulator", "act", "accept", "customer/nobody"]);
    assert_eq!(unknown.code, 64, "{}", unknown.all());
    let edited = folder.run(&[
        "emulator",
        "act",
        "edit",
        "account/fabrikam",
        "spec.support.website=https://x.example",
    ]);
    assert_eq!(edited.out, "account: support.website is https://x.example\n", "{}", edited.all());
}

#[tokio::test]
async fn a_new_customer_begins_with_access_unless_told_otherwise() {
    let bench = Bench::with_tenant(json!({
        "id": "3b33e682-00c3-41ee-9dd2-a548adf56438", "program": "direct-bill",
    }))
    .await;
    let mut body = crate::emulator_bench::example("pc-customer-create-request");
    let path = "/v1/customers";
    assert_eq!(bench.send(As::User, "POST", path, &[], Some(body.clone())).await.status, 201);
    let relationships = "/v1.0/tenantRelationships/delegatedAdminRelationships";
    assert_eq!(bench.get(relationships).await.body["value"], json!([]));
    body.as_object_mut().unwrap().remove("enableGDAPByDefault");
    body["CompanyProfile"]["Domain"] = json!("xyz2.onmicrosoft.com");
    let made = bench.send(As::User, "POST", path, &[], Some(body)).await;
    let found = bench.get(relationships).await;
    let one = &found.body["value"][0];
    assert_eq!(one["status"], json!("active"), "{}", found.text);
    assert_eq!(one["customer"]["tenantId"], made.body["id"]);
    assert_eq!(one["accessDetails"]["unifiedRoles"].as_array().unwrap().len(), 11);
}

#[tokio::test]
async fn access_is_asked_for_reviewed_and_approved() {
    let bench = Bench::new();
    let relationships = "/v1.0/tenantRelationships/delegatedAdminRelationships";
    let body = json!({
        "displayName": "enterprise-ops-0a1b2c-1", "duration": "P730D",
        "accessDetails": {"unifiedRoles": [{"roleDefinitionId": "f2ef992c-3afb-46b9-b7cf-a126ee74c451"}]},
    });
    let mut ids = Vec::new();
    for name in ["enterprise-ops-0a1b2c-1", "enterprise-ops-3d4e5f-1"] {
        let mut body = body.clone();
        body["displayName"] = json!(name);
        let made = bench.send(As::User, "POST", relationships, &[], Some(body)).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let id = made.body["id"].as_str().unwrap().to_owned();
        let lock = Some(json!({"action": "lockForApproval"}));
        let path = format!("{relationships}/{id}/requests");
        let locked = bench.send(As::User, "POST", &path, &[], lock).await;
        assert_eq!(locked.status, 201, "{}", locked.text);
        ids.push(id);
    }
    let index = bench.send(As::Nobody, "GET", "/", &[], None).await;
    assert!(index.text.contains("Review enterprise-ops-0a1b2c-1"), "{}", index.text);
    let page = format!("/adminportal/access/{}", ids[0]);
    let review = bench.send(As::Nobody, "GET", &page, &[], None).await;
    assert!(review.text.contains("<li>Global Reader</li>"), "{}", review.text);
    let done = bench.form(&page, &[("domain", "contoso.example"), ("answer", "accept")]).await;
    assert!(done.text.contains("was approved"), "{}", done.text);
    let link = format!(
        "https://admin.microsoft.com/AdminPortal/Home#/partners/invitation/granularAdminRelationships/{}",
        ids[1]
    );
    let unbound = json!({"do": "accept", "link": link});
    let refused = bench.send(As::Nobody, "POST", "/_emulator/act", &[], Some(unbound)).await;
    assert_eq!(refused.status, 409);
    act(&bench, json!({"do": "accept", "link": link, "as": "contoso.example"})).await;
    let status = |id: String| {
        let bench = &bench;
        async move { bench.get(&format!("{relationships}/{id}")).await.body["status"].clone() }
    };
    assert_eq!(status(ids[0].clone()).await, json!("active"));
    assert_eq!(status(ids[1].clone()).await, json!("active"));
    let ended =
        json!({"do": "terminate-access", "templates": ["enterprise-ops"], "as": "contoso.example"});
    assert_eq!(act(&bench, ended).await.as_array().unwrap().len(), 2);
    assert_eq!(status(ids[0].clone()).await, json!("terminated"));
}

#[tokio::test]
async fn a_served_tenant_speaks_tls_and_is_commanded_from_here() {
    let folder = Folder::example("fabrikam");
    let served = Served::start(&folder, &["--tls"]);
    let url = served.text("url");
    let client = served.client();
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", served.text("clientId")),
        ("client_secret", served.text("clientSecret")),
        ("scope", "https://api.partnercenter.microsoft.com/.default"),
    ];
    let seeded = folder.run(&["emulator", "seed", ".", "--url", url]);
    assert_eq!(seeded.code, 0, "{}", seeded.all());
    // Whoever could sign in before still can.
    let token_url = format!("{url}/{}/oauth2/v2.0/token", served.text("tenant"));
    let token: Value =
        client.post(&token_url).form(&fields).send().await.unwrap().json().await.unwrap();
    let bearer = token["access_token"].as_str().unwrap();
    let list = client.get(format!("{url}/v1/customers?size=0")).bearer_auth(bearer);
    let list: Value = list.send().await.unwrap().json().await.unwrap();
    assert!(list["totalCount"].as_u64().unwrap() > 1, "{list}");
    let log = folder.run(&["emulator", "log", "--url", url]);
    assert!(log.out.contains(" 200 GET /v1/customers?size=0 "), "{}", log.all());
    std::fs::write(
        folder.path().join("faults.txt"),
        "seed: 3\nrules:\n  - {method: GET, path: /v1/customers, rate: 1, fault: drop-before}\n",
    )
    .unwrap();
    let struck = folder.run(&["emulator", "faults", "faults.txt", "--url", url]);
    assert_eq!(struck.code, 0, "{}", struck.all());
    let lost = client.get(format!("{url}/v1/customers")).bearer_auth(bearer).send().await;
    assert!(lost.is_err());
    let off = folder.run(&["emulator", "faults", "off", "--url", url]);
    assert_eq!(off.code, 0, "{}", off.all());
    let found = client.get(format!("{url}/v1/customers")).bearer_auth(bearer).send().await;
    assert_eq!(found.unwrap().status(), 200);
}

#[test]
fn the_printed_context_validates() {
    let folder = Folder::project();
    let mut child = Command::new(env!("CARGO_BIN_EXE_partnerctl"))
        .args(["emulator", "serve", "--listen", "127.0.0.1:0"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut printed = Vec::new();
    for line in lines.by_ref() {
        let line = line.unwrap();
        let is_last = line.contains("PARTNERCTL_REFRESH_TOKEN=");
        printed.push(line);
        if is_last {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let context: String = printed
        .iter()
        .filter(|line| !line.starts_with('#'))
        .map(|line| format!("  {line}\n"))
        .collect();
    let project = format!(
        "apiVersion: partnerctl/v1\nkind: Project\nmetadata: {{name: fabrikam}}\nspec:\n  manifests: [estate]\n{context}"
    );
    std::fs::write(folder.path().join("partnerctl.yaml"), project).unwrap();
    let checked = folder.run(&["validate"]);
    assert_eq!(checked.code, 0, "{}", checked.all());
}
