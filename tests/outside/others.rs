//! Clients that are not ours, against a tenant served by the program: what Microsoft publishes for
//! Python, as `tests/others/clients.py` uses it.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::served::Served;
use crate::world::{Folder, repository};

/// What the script saw there, having trusted its certificate and nothing else.
fn seen_by_others(served: &Served) -> Value {
    let python = repository().join("target/others/bin/python");
    let mut script = Command::new(&python)
        .arg(repository().join("tests/others/clients.py"))
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}: tests/run makes it", python.display()));
    write!(script.stdin.take().unwrap(), "{}", served.line()).unwrap();
    let ended = script.wait_with_output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    serde_json::from_slice(&ended.stdout).unwrap()
}

#[test]
fn microsofts_own_clients_sign_in_read_pages_and_change_users() {
    let served = Served::start(&Folder::example("fabrikam"), &["--tls", "--seed", "."]);
    let seen = seen_by_others(&served);
    let admin = "embedded-admin@fabrikam.onmicrosoft.com";
    assert_eq!(
        seen["msal"],
        json!({"application": "Bearer", "person": admin, "accounts": [admin], "wrong": [7_000_215]})
    );
    let mut users: Vec<&str> = vec![admin];
    users.extend(["haruka.nakamura_lucernepublishing.example#ext#@fabrikam.onmicrosoft.com"]);
    let named =
        "aiko.tanaka ben.ito chie.mori daichi.sato fumiko.kato goro.suzuki hiroshi.kobayashi";
    let named: Vec<String> =
        named.split(' ').map(|name| format!("{name}@fabrikam.example")).collect();
    users.extend(named.iter().map(String::as_str));
    users.sort_unstable();
    assert_eq!(seen["users"], json!({"first": 4, "pages": 3, "names": users}));
    let groups = [
        "AdminAgents",
        "Escalation Leads",
        "HelpdeskAgents",
        "Public Sector Desk",
        "Tier 2 Support",
    ];
    assert_eq!(seen["groups"], json!(groups));
    assert_eq!(
        seen["changed"],
        json!({
            "same": true, "name": "Adele Vance", "moved": ["Adele Vance"],
            "refused": [404, "Request_ResourceNotFound"],
        })
    );
}
