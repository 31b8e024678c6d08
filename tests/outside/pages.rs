//! The pages for people, used in a browser against a tenant served by the program: after each
//! answer the tenant is asked what has become of it.

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::served::Served;
use crate::world::Folder;

const RELATIONSHIPS: &str = "/v1.0/tenantRelationships/delegatedAdminRelationships";
const CONTOSO: &str = "0c5c2a60-8e1f-4a5e-9b52-0d5f5c1a77e1";
const DOMAIN: &str = "Your organization's domain";
const NAME: &str = "Your organization's name, if it is new here";
const INVITED: &str = "Fabrikam K.K. wants to be your reseller";
const ASKED: &str = "Fabrikam K.K. asks for administrator roles";

fn fabrikam() -> Served {
    Served::start(&Folder::example("fabrikam"), &["--seed", "."])
}

/// The customers' domains and names.
async fn customers(served: &Served) -> Vec<(String, String)> {
    let list = served.get("/v1/customers?size=0").await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let profiles = list["items"].as_array().unwrap().iter().map(|one| &one["companyProfile"]);
    profiles.map(|one| (text(&one["domain"]), text(&one["companyName"]))).collect()
}

/// Asks for access to a customer's tenant, or to that of whoever opens the link; returns its id.
async fn request(served: &Served, name: &str, customer: Option<&str>) -> String {
    let mut body = json!({
        "displayName": name, "duration": "P730D", "autoExtendDuration": "P180D",
        "accessDetails": {"unifiedRoles": [
            {"roleDefinitionId": "f2ef992c-3afb-46b9-b7cf-a126ee74c451"},
            {"roleDefinitionId": "f023fd81-a637-4b56-95fd-791ac0226033"},
        ]},
    });
    if let Some(customer) = customer {
        body["customer"] = json!({"tenantId": customer});
    }
    let made = served.post(RELATIONSHIPS, &body).await;
    let id = made["id"].as_str().unwrap().to_owned();
    let lock = json!({"action": "lockForApproval"});
    served.post(&format!("{RELATIONSHIPS}/{id}/requests"), &lock).await;
    id
}

async fn relationship(served: &Served, id: &str) -> Value {
    served.get(&format!("{RELATIONSHIPS}/{id}")).await
}

#[tokio::test]
async fn an_invitation_is_opened_accepted_and_declined() {
    let served = fabrikam();
    let before = customers(&served).await;
    let invitation = served.get("/v1/customers/relationshiprequests").await;
    let link = invitation["url"].as_str().unwrap();
    let mut browser = Browser::start();

    browser.open(link);
    browser.reads(INVITED);
    browser.picture("invitation");
    // Nothing is sent while a field that must be filled in is empty: the browser leads there.
    browser.presses("Accept");
    browser.until("document.activeElement.id === 'domain'");
    browser.types(DOMAIN, "graphicdesign.example");
    browser.types(NAME, "Graphic <b>Design</b> Institute");
    browser.presses("Accept");
    browser.reads("Accepted");
    browser.picture("accepted");
    let told = browser.text();
    assert!(told.contains("graphicdesign.example accepted the relationship"), "{told}");
    let mut after = customers(&served).await;
    after.retain(|customer| !before.contains(customer));
    let new = ("graphicdesign.example".to_owned(), "Graphic <b>Design</b> Institute".to_owned());
    assert_eq!(after, [new]);

    browser.open(link);
    browser.reads(INVITED);
    browser.types(DOMAIN, "blueyonder.example");
    browser.presses("Decline");
    browser.reads("Declined");
    assert!(browser.text().contains("blueyonder.example declined"), "{}", browser.text());

    browser.open(link);
    browser.reads(INVITED);
    browser.types(DOMAIN, "not a domain");
    browser.presses("Accept");
    // What was filled in is still there, beside what is wrong with it.
    browser.shows("“not a domain” is not a domain.");
    browser.picture("refused");
    let kept = browser.evaluate("document.getElementById('domain').value");
    assert_eq!(kept, json!("not a domain"));
    assert_eq!(customers(&served).await.len(), before.len() + 1);
}

#[tokio::test]
async fn delegated_access_is_approved_by_its_link_and_from_the_console() {
    let served = fabrikam();
    let bound = request(&served, "sentinel-0a1b2c-1", Some(CONTOSO)).await;
    let open = request(&served, "sentinel-3d4e5f-1", None).await;
    let refused = request(&served, "sentinel-5f6a7b-1", Some(CONTOSO)).await;
    let mut browser = Browser::start();

    // As it is sent: the request stands where browsers keep it to themselves.
    let link = |id: &str| {
        served
            .url(&format!("/AdminPortal/Home#/partners/invitation/granularAdminRelationships/{id}"))
    };
    browser.open(&link(&bound));
    browser.reads(ASKED);
    browser.picture("access");
    let asked = browser.text();
    for part in ["sentinel-0a1b2c-1", "730 days", "Contoso", "Global Reader"] {
        assert!(asked.contains(part), "{part}: {asked}");
    }
    browser.presses("Approve all");
    browser.reads("Accepted");
    let approved = relationship(&served, &bound).await;
    assert_eq!(
        (&approved["status"], &approved["customer"]["tenantId"]),
        (&json!("active"), &json!(CONTOSO))
    );

    // Who opens a link twice is told that nothing is left to answer.
    browser.open(&link(&bound));
    browser.reads("There is nothing to answer");
    browser.picture("gone");

    // The console lists what waits, and what was answered no more.
    browser.open(&served.url("/"));
    browser.reads("Fabrikam K.K.");
    browser.picture("console");
    assert!(!browser.text().contains("sentinel-0a1b2c-1"), "{}", browser.text());
    browser.presses("Review sentinel-3d4e5f-1");
    browser.reads(ASKED);
    browser.picture("access-unbound");
    browser.types(DOMAIN, "woodgrovebank.example");
    browser.presses("Approve all");
    browser.reads("Accepted");
    let approved = relationship(&served, &open).await;
    assert_eq!(approved["status"], json!("active"));
    assert_eq!(approved["customer"]["tenantId"], json!("2f9f2006-9e7c-4d69-97ec-72e84e194683"));

    browser.presses("What is waiting");
    browser.reads("Fabrikam K.K.");
    browser.presses("Review sentinel-5f6a7b-1");
    browser.reads(ASKED);
    browser.presses("Decline");
    browser.reads("Declined");
    assert_eq!(relationship(&served, &refused).await["status"], json!("terminated"));
    browser.presses("What is waiting");
    browser.reads("Fabrikam K.K.");
    assert!(!browser.text().contains("sentinel-"), "{}", browser.text());
}

#[tokio::test]
async fn a_device_is_signed_in_from_its_page() {
    let served = fabrikam();
    let fields = [
        ("client_id", served.text("clientId")),
        ("scope", "https://graph.microsoft.com/User.Read.All offline_access"),
    ];
    let url = served.url("/organizations/oauth2/v2.0/devicecode");
    let begun = served.client().post(url).form(&fields).send().await.unwrap();
    let begun: Value = begun.json().await.unwrap();
    let mut browser = Browser::start();

    browser.open(begun["verification_uri"].as_str().unwrap());
    browser.reads("Sign in on another device");
    browser.types("The code that the device shows", "XXXX-0000");
    browser.presses("Sign in");
    browser.shows("No device waits with this code.");
    browser.picture("device");
    browser.types("The code that the device shows", begun["user_code"].as_str().unwrap());
    browser.types("Sign in as", "aiko.tanaka@fabrikam.example");
    browser.presses("Sign in");
    browser.reads("Accepted");

    let fields = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("client_id", served.text("clientId")),
        ("device_code", begun["device_code"].as_str().unwrap()),
    ];
    let url = served.url("/organizations/oauth2/v2.0/token");
    let answer = served.client().post(url).form(&fields).send().await.unwrap();
    let answer: Value = answer.json().await.unwrap();
    assert!(answer["access_token"].is_string(), "{answer}");
}

#[tokio::test]
async fn an_offered_partnership_is_authorized_from_the_console() {
    let served = fabrikam();
    let offered = json!({
        "id": "0f27ad3b-6b0e-4ef5-bd39-4c0b6e6b7a21", "name": "Proseware Distribution",
        "mpnId": "3456712", "location": "JP", "side": "provider", "isActive": false,
        "hasSigned": true, "invitation": "https://partner.microsoft.com/offer/7",
    });
    let url = served.url("/_emulator/objects/partner");
    let put = served.client().put(url).json(&offered).send().await.unwrap();
    assert!(put.status().is_success(), "{}", put.text().await.unwrap());
    let list = "/v1/relationships?relationship_type=IsIndirectResellerOf";
    let before = served.get(list).await["totalCount"].as_u64().unwrap();
    let mut browser = Browser::start();
    browser.open(&served.url("/"));
    browser.reads("Fabrikam K.K.");
    browser.presses("Review Proseware Distribution");
    browser.reads("Partnership with Proseware Distribution");
    browser.picture("partnership");
    browser.presses("Authorize");
    browser.reads("Accepted");
    let active = served.get(list).await;
    assert_eq!(active["totalCount"].as_u64().unwrap(), before + 1, "{active}");
}
