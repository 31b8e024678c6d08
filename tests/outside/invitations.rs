//! Invitations through the door: who is written to, in which language, and that a reader of mail which
//! is not ours finds the link as it was.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::world::{Folder, Run};

const PARTNERS: &str = "\
apiVersion: partnerctl/v1
kind: Partnership
metadata: {name: northwind}
spec:
  with: indirect-provider
  displayName: Northwind Distribution
  tenantId: 7f1b0c52-0d3c-4b3e-9c6a-2a2b1f0d9a10
  invitationUrl: https://partner.microsoft.com/invite?id=7f1b0c52&x=%E7%94%B0#/accept
  acknowledge: [orders-on-behalf-of-customers, administrator-access-to-our-tenant]
";

/// A customer of each language, and one whose language nobody writes.
fn customers() -> String {
    let each = [
        ("contoso", "Contoso株式会社", "佐藤 健", "ja"),
        ("wingtip", "Wingtip \\\"Toys\\\", Inc.", "Oliver Grant", "en"),
        ("margies", "Margie’s Travel", "Margaux Fontaine", "fr"),
        ("lucerne", "琉森出版股份有限公司", "陳怡君", "zh-TW"),
        ("adatum", "Adatum GmbH", "Jonas Weber", "de"),
    ];
    let documents = each.map(|(name, company, contact, language)| {
        format!("apiVersion: partnerctl/v1\nkind: Customer\nmetadata: {{name: {name}}}\nspec:\n  companyName: \"{company}\"\n  domain: {name}.onmicrosoft.com\n  contact: {{name: {contact}, email: contact@{name}.example, language: {language}}}\n")
    });
    documents.join("---\n")
}

fn estate() -> Folder {
    Folder::project()
        .with("estate/partners.yaml", PARTNERS)
        .with("estate/customers.yaml", customers())
}

fn json(folder: &Folder, args: &[&str]) -> Value {
    let ended = folder.run(&[args, &["--format", "json"]].concat());
    serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{}", ended.all()))
}

/// Reads a file of mail as Python does, and says what it found.
fn opened_by_python(eml: &[u8]) -> Value {
    const SCRIPT: &str = "\
import email, email.policy, json, sys
m = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
people = lambda h: [[a.display_name, a.addr_spec] for a in m[h].addresses]
print(json.dumps({
    'subject': m['Subject'], 'from': people('From'), 'to': people('To'), 'id': m['Message-ID'],
    'date': m['Date'].datetime.timestamp(), 'type': m.get_content_type(),
    'charset': m.get_content_charset(), 'body': m.get_content(),
    'defects': [str(d) for d in m.defects] + [str(d) for k in m.keys() for d in m[k].defects],
    'parts': m.is_multipart(), 'language': m['Content-Language'],
}))
";
    let mut python = Command::new("python3")
        .args(["-I", "-c", SCRIPT])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python3 is there: tests/run installs it");
    python.stdin.take().unwrap().write_all(eml).unwrap();
    let ended = python.wait_with_output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    serde_json::from_slice(&ended.stdout).unwrap()
}

#[test]
fn a_mail_parser_of_others_finds_the_link_in_four_languages() {
    let folder = estate();
    let status = json(&folder, &["status"]);
    let link_of = |object: &str| -> String {
        let items = status["items"].as_array().unwrap();
        let item = items.iter().find(|item| item["object"] == object).unwrap();
        item["link"].as_str().unwrap().to_owned()
    };
    for (name, language, address) in [
        ("customer/contoso", "ja", "contact@contoso.example"),
        ("customer/wingtip", "en", "contact@wingtip.example"),
        ("customer/margies", "fr", "contact@margies.example"),
        ("customer/lucerne", "zh-TW", "contact@lucerne.example"),
    ] {
        let said = json(&folder, &["invite", name]);
        let message = &said["invitations"][0];
        assert_eq!(message["link"], link_of(name).as_str());
        let out = folder.path().join("one.eml");
        let ended =
            folder.run(&["invite", name, "--format", "eml", "--out", out.to_str().unwrap()]);
        assert_eq!(ended.code, 0, "{}", ended.all());
        let found = opened_by_python(&fs::read(out).unwrap());
        assert_eq!(found["defects"], Value::Array(Vec::new()), "{found}");
        assert_eq!(found["subject"], message["subject"]);
        let body = found["body"].as_str().unwrap().replace("\r\n", "\n");
        assert_eq!(body, message["body"].as_str().unwrap());
        assert_eq!(found["language"], language);
        assert_eq!(found["type"], "text/plain");
        assert_eq!(found["charset"], "utf-8");
        assert_eq!(found["parts"], false);
        assert_eq!(found["to"][0][1], address);
        assert_eq!(found["to"][0][0], message["to"][0]["name"]);
        assert_eq!(found["from"], serde_json::json!([["Fabrikam K.K.", "aiko@fabrikam.example"]]));
        assert_eq!(found["id"], format!("<{}>", message["messageId"].as_str().unwrap()));
        let link = link_of(name);
        assert_eq!(body.lines().filter(|line| *line == link).count(), 1, "{body}");
        assert!(link.len() > 100, "{link}");
    }
}

#[test]
fn a_provider_is_authorized_by_our_own_global_admins() {
    let folder = estate();
    let said = json(&folder, &["invite", "partnership/northwind", "--language", "fr"]);
    let message = &said["invitations"][0];
    assert_eq!(message["occasion"], "our-provider");
    assert_eq!(
        message["link"],
        "https://partner.microsoft.com/invite?id=7f1b0c52&x=%E7%94%B0#/accept"
    );
    let to: Vec<&str> = message["to"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["address"].as_str().unwrap())
        .collect();
    assert_eq!(to, ["aiko@fabrikam.example", "chie@fabrikam.example"]);
    let ended = folder.run(&["invite", "partnership/northwind", "--format", "eml"]);
    assert_eq!(ended.code, 0, "{}", ended.all());
    assert!(ended.err.contains("no language is declared, so it is in English"), "{}", ended.err);
    let found = opened_by_python(ended.out.as_bytes());
    assert_eq!(found["to"].as_array().unwrap().len(), 2);
    assert_eq!(found["to"][0], serde_json::json!(["田中 愛子", "aiko@fabrikam.example"]));
}

#[test]
fn each_provider_has_a_message_of_its_own() {
    let folder = estate();
    let second = PARTNERS.replace("northwind", "litware").replace("Northwind", "Litware");
    let second = second.replace("7f1b0c52-0d3c", "8a1b0c52-0d3c");
    let text = fs::read_to_string(folder.path().join("estate/customers.yaml")).unwrap();
    let text = text.replacen("  contact:", "  partnerships: [northwind, litware]\n  contact:", 1);
    let folder = folder.with("estate/second.yaml", second).with("estate/customers.yaml", text);
    for object in ["partnership/northwind", "partnership/litware"] {
        let ended = folder.run(&["emulator", "act", "accept", object]);
        assert_eq!(ended.code, 0, "{}", ended.all());
    }
    // Two on one stream would be no mail.
    let ended = folder.run(&["invite", "customer/contoso", "--format", "eml"]);
    assert_eq!(ended.code, 64, "{}", ended.all());
    assert!(ended.err.contains("customer/contoso/invite/litware"), "{}", ended.err);
    let ended = folder.run(&["invite", "customer/contoso", "--format", "eml", "--out", "mail/"]);
    assert_eq!(ended.code, 0, "{}", ended.all());
    for (file, provider) in [
        ("customer-contoso-invite-litware.eml", "Litware Distribution"),
        ("customer-contoso-invite-northwind.eml", "Northwind Distribution"),
    ] {
        let eml = fs::read(folder.path().join("mail").join(file)).unwrap();
        let found = opened_by_python(&eml);
        assert!(found["subject"].as_str().unwrap().contains(provider), "{found}");
        assert!(found["body"].as_str().unwrap().contains("indirectCSPId="), "{found}");
    }
    let one = folder.run(&["invite", "customer/contoso/invite/litware", "--format", "eml"]);
    assert_eq!(one.code, 0, "{}", one.all());
    let both = folder.run(&["invite", "customer/contoso"]);
    assert_eq!(both.out.matches("Subject: ").count(), 2, "{}", both.out);
}

#[test]
fn who_cannot_be_invited_is_said_with_who_can() {
    let folder = estate();
    for what in ["customer/nobody", "user/aiko", "account/fabrikam"] {
        let ended = folder.run(&["invite", what]);
        assert_eq!(ended.code, 64, "{what}: {}", ended.all());
        assert!(ended.err.contains("customer/contoso"), "{}", ended.err);
    }
    // A language that there is no text in.
    let ended = folder.run(&["invite", "customer/adatum"]);
    assert_eq!(ended.code, 0, "{}", ended.all());
    assert!(ended.err.contains("there is no text in `de`"), "{}", ended.err);
    assert!(ended.out.contains("Dear Jonas Weber,"), "{}", ended.out);
    // A provider's link is its own to give.
    let folder = folder.edit(
        "estate/partners.yaml",
        "  invitationUrl: https://partner.microsoft.com/invite?id=7f1b0c52&x=%E7%94%B0#/accept\n",
        "",
    );
    let ended = folder.run(&["invite", "partnership/northwind"]);
    assert_eq!(ended.code, 64, "{}", ended.all());
    assert!(ended.err.contains("invitationUrl"), "{}", ended.err);
    // Nothing is sent, and nothing is remembered of it.
    assert_eq!(Run::new(&["invite"]).within(folder.path()).end().code, 64);
}

/// Reads a table as Python does, a list for each line.
fn table_by_python(csv: &[u8]) -> Vec<Vec<String>> {
    const SCRIPT: &str = "\
import csv, io, json, sys
text = sys.stdin.buffer.read().decode('utf-8')
print(json.dumps(list(csv.reader(io.StringIO(text, newline=''), strict=True))))
";
    let mut python = Command::new("python3")
        .args(["-I", "-c", SCRIPT])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is there: tests/run installs it");
    python.stdin.take().unwrap().write_all(csv).unwrap();
    let ended = python.wait_with_output().unwrap();
    assert!(ended.status.success());
    serde_json::from_slice(&ended.stdout).unwrap()
}

#[test]
fn all_customers_at_once_each_in_its_language() {
    let folder = estate();
    let out = folder.run(&["invite", "customer", "--format", "eml", "--out", "mail"]);
    assert_eq!(out.code, 0, "{}", out.all());
    let mut files: Vec<String> = fs::read_dir(folder.path().join("mail"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    files.sort();
    assert_eq!(
        files,
        ["adatum", "contoso", "lucerne", "margies", "wingtip"]
            .map(|name| format!("customer-{name}-invite.eml"))
    );
    let mut languages = Vec::new();
    for file in &files {
        let found = opened_by_python(&fs::read(folder.path().join("mail").join(file)).unwrap());
        assert_eq!(found["defects"], Value::Array(Vec::new()), "{found}");
        languages.push(found["language"].as_str().unwrap().to_owned());
    }
    assert_eq!(languages, ["en", "ja", "zh-TW", "fr", "en"]);
    assert!(out.err.contains("customer/adatum/invite: there is no text in `de`"), "{}", out.err);
    // The same again, byte for byte; and who has accepted since is said to be left over.
    let before = fs::read(folder.path().join("mail/customer-contoso-invite.eml")).unwrap();
    let accepted = folder.run(&["emulator", "act", "accept", "customer/wingtip"]);
    assert_eq!(accepted.code, 0, "{}", accepted.all());
    let again = folder.run(&["invite", "customer", "--format", "eml", "--out", "mail"]);
    assert_eq!(again.code, 0, "{}", again.all());
    assert!(again.err.contains("1 messages in mail are of an earlier run"), "{}", again.err);
    let after = fs::read(folder.path().join("mail/customer-contoso-invite.eml")).unwrap();
    let undated = |eml: &[u8]| {
        let text = String::from_utf8(eml.to_vec()).unwrap();
        text.lines().filter(|line| !line.starts_with("Date: ")).collect::<String>()
    };
    assert_eq!(undated(&before), undated(&after));
    // A template that nobody waits for.
    let none = folder.run(&["invite", "delegated-access/enterprise-ops"]);
    assert_eq!(none.code, 64, "{}", none.all());
}

#[test]
fn a_mail_merge_reads_one_line_for_each_recipient() {
    let folder = estate();
    let text = fs::read_to_string(folder.path().join("estate/customers.yaml")).unwrap();
    let text = text.replace(
        "companyName: \"Adatum GmbH\"",
        "companyName: \"=cmd|'/C calc'!A1, \\\"Adatum\\\"\"",
    );
    let folder = folder.with("estate/customers.yaml", text);
    let said = json(&folder, &["invite", "customer"]);
    let ended = folder.run(&["invite", "customer", "--format", "csv"]);
    assert_eq!(ended.code, 0, "{}", ended.all());
    assert!(ended.out.contains("\r\n") && !ended.out.replace("\r\n", "").contains('\n'));
    let rows = table_by_python(ended.out.as_bytes());
    assert_eq!(
        rows[0],
        ["name", "company", "email", "language", "link", "until", "subject", "step"]
    );
    assert_eq!(rows.len(), 6, "{rows:?}");
    for (row, message) in rows[1..].iter().zip(said["invitations"].as_array().unwrap()) {
        assert_eq!(row[2], message["to"][0]["address"].as_str().unwrap());
        assert_eq!(row[3], message["language"].as_str().unwrap());
        assert_eq!(row[4], message["link"].as_str().unwrap());
        assert_eq!(row[6], message["subject"].as_str().unwrap());
        assert_eq!(row[7], message["step"].as_str().unwrap());
    }
    // A company that calls itself a formula stays a name.
    assert_eq!(rows[1][1], "'=cmd|'/C calc'!A1, \"Adatum\"");
    assert_eq!(rows[2][..2], ["佐藤 健", "Contoso株式会社"]);
}

#[test]
fn each_customer_of_a_template_is_asked_in_its_language() {
    const TEMPLATE: &str = "\
apiVersion: partnerctl/v1
kind: Role
metadata: {name: desk}
spec: {group: {name: Service Desk, mailNickname: desk}}
---
apiVersion: partnerctl/v1
kind: DelegatedAccess
metadata: {name: ops}
spec:
  customers: {names: [contoso, wingtip]}
  duration: P365D
  grants: [{to: desk, directoryRoles: [Service Support Administrator]}]
";
    let tenants = ["0c5c2a60-8e1f-4a5e-9b52-0d5f5c1a77e1", "0c5c2a60-8e1f-4a5e-9b52-0d5f5c1a77e2"];
    let mut text = customers();
    for (name, tenant) in ["contoso", "wingtip"].iter().zip(tenants) {
        let domain = format!("domain: {name}.onmicrosoft.com\n");
        text = text.replace(&domain, &format!("{domain}  tenantId: {tenant}\n"));
    }
    let folder = Folder::project().with("estate/customers.yaml", text);
    for name in ["customer/contoso", "customer/wingtip"] {
        let ended = folder.run(&["emulator", "act", "accept", name]);
        assert_eq!(ended.code, 0, "{}", ended.all());
    }
    let folder = folder.with("estate/access.yaml", TEMPLATE);
    let applied = folder.run(&["apply", "--yes", "."]);
    assert_eq!(applied.code, 0, "{}", applied.all());
    let what = "delegated-access/ops";
    let ended = folder.run(&["invite", what, "--format", "eml", "--out", "mail"]);
    assert_eq!(ended.code, 0, "{}", ended.all());
    let status = json(&folder, &["status"]);
    let link_of = |name: &str| {
        let object = format!("{what}/{name}");
        let items = status["items"].as_array().unwrap();
        let item = items.iter().find(|item| item["object"] == object).unwrap();
        item["link"].as_str().unwrap().to_owned()
    };
    for (name, language) in [("contoso", "ja"), ("wingtip", "en")] {
        let link = link_of(name);
        let file = format!("mail/delegated-access.ops.{name}.approve.eml");
        let found = opened_by_python(&fs::read(folder.path().join(file)).unwrap());
        assert_eq!(found["language"], language);
        assert_eq!(found["to"][0][1], format!("contact@{name}.example"));
        let body = found["body"].as_str().unwrap().replace("\r\n", "\n");
        assert!(body.lines().any(|line| line == link), "{body}");
    }
    // Of those who have approved nothing is asked any more.
    let approved = folder.run(&["emulator", "act", "accept", &link_of("wingtip")]);
    assert_eq!(approved.code, 0, "{}", approved.all());
    let csv = folder.run(&["invite", what, "--format", "csv"]);
    let rows = table_by_python(csv.out.as_bytes());
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert_eq!(rows[1][7], "delegated-access/ops/contoso/approve");
}
