//! What reading a tenant costs the client: calls, and CPU time of this process alone. The tenant is
//! served by the program in a process of its own and read over loopback, as a real one would be:
//! all of it, and again after ten changes.
//!
//! `cargo bench --bench snapshot`; another number of customers than 10 000 stands after `--`.
//! Figures are of this machine.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark prints, and stops when it cannot go on"
)]

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use partnerctl::model::cloud::Cloud;
use partnerctl::model::contact::Url;
use partnerctl::model::id::ApplicationId;
use partnerctl::model::project::{Endpoints as Bases, Identity};
use partnerctl::model::scalar::Scalar;
use partnerctl::model::secret::SecretReference;
use partnerctl::partner::auth::{Credentials, Endpoints, Tokens, Vault};
use partnerctl::partner::clock::Clock;
use partnerctl::partner::graph::body::{NewUser, PasswordProfile, UserFields};
use partnerctl::partner::pace::Pacer;
use partnerctl::partner::retry::Patience;
use partnerctl::partner::snapshot::{GroupRef, Scope, Snapshot};
use partnerctl::partner::transport::{Network, Transport};
use partnerctl::partner::{Connection, Reader, Writer};
use secrecy::SecretString;
use serde_json::Value;

const CUSTOMERS: usize = 10_000;
const USERS: usize = 500;
const GROUPS: usize = 40;
const RUNS: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    // Only `cargo bench` says so; there is nothing to test here.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let customers = arguments.iter().find_map(|argument| argument.parse().ok());
    let customers = customers.unwrap_or(CUSTOMERS);
    let folder = tempfile::tempdir().expect("a folder");
    estate(folder.path(), customers);
    let (served, tenant) = Served::start(folder.path());
    println!(
        "{customers} customers, {USERS} users, {GROUPS} groups; seeded with {:.2} s of CPU in the server",
        served.cpu().as_secs_f64()
    );
    println!(
        "{:<28} {:>6} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "", "calls", "min ms", "median", "max", "peak MiB", "server ms"
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(measure(&served, &tenant, folder.path(), customers));
}

async fn measure(served: &Served, tenant: &Value, folder: &Path, customers: usize) {
    let connection = connection(tenant, folder);
    let scope = Scope {
        groups: (0..GROUPS).map(|n| GroupRef::Name(format!("Group {n}"))).collect(),
        ..Scope::everything()
    };
    let first = row(served, "all", &connection, &scope, None).await;
    assert!(first.customers.len() == customers && first.users.len() >= USERS);
    change(&connection, &first).await;
    let second = row(served, "after ten changes", &connection, &scope, Some(&first)).await;
    assert_eq!(second.customers.len(), customers - 3);
    row(served, "after none", &connection, &scope, Some(&second)).await;
}

/// Reads several times, and tells what that cost.
async fn row(
    served: &Served,
    name: &str,
    connection: &Connection,
    scope: &Scope,
    previous: Option<&Snapshot>,
) -> Snapshot {
    let mut costs = Vec::new();
    let mut calls = 0;
    let mut seen = None;
    let mut server = Duration::ZERO;
    // The first one is to get warm: a token, a connection.
    for run in 0..=RUNS {
        // What was seen before goes first: one snapshot is held, as in earnest.
        drop(seen.take());
        let reader = Reader::new(connection.clone());
        let (before, theirs) = (cpu(), served.cpu());
        seen = Some(reader.snapshot(scope, previous).await.expect("a snapshot"));
        let cost = cpu().saturating_sub(before);
        calls = reader.calls();
        if run > 0 {
            costs.push(cost.as_secs_f64() * 1e3);
            server = served.cpu().saturating_sub(theirs);
        }
    }
    costs.sort_by(f64::total_cmp);
    println!(
        "{name:<28} {calls:>6} {:>9.1} {:>9.1} {:>9.1} {:>9} {:>9}",
        costs[0],
        costs[RUNS / 2],
        costs[RUNS - 1],
        peak(),
        server.as_millis()
    );
    seen.expect("a snapshot")
}

/// Ten changes, of all kinds.
async fn change(connection: &Connection, seen: &Snapshot) {
    let writer = Writer::new(connection.clone());
    for id in seen.customers.keys().take(3) {
        writer.end_relationship(*id).await.expect("an end");
    }
    let users: Vec<_> =
        seen.users.iter().filter(|(_, user)| user.sign_in_name.starts_with('u')).collect();
    let group = seen.groups.iter().find(|(_, group)| group.name == "Group 1").expect("a group");
    let members = group.1.members.as_ref().expect("its members");
    let outside = users.iter().filter(|(id, _)| !members.contains_key(id));
    for (user, _) in outside.take(2) {
        writer.add_member(*group.0, **user).await.expect("a member");
    }
    let disabled = UserFields { account_enabled: Some(false), ..UserFields::default() };
    for (user, _) in users.iter().take(3) {
        writer.update_user(**user, &disabled).await.expect("a change");
    }
    writer.delete_user(*users[9].0).await.expect("a deletion");
    let new = NewUser {
        account_enabled: true,
        mail_nickname: "new".to_owned(),
        user_principal_name: "new@fabrikam.example".to_owned(),
        fields: UserFields { display_name: Some("New".to_owned()), ..UserFields::default() },
        password_profile: PasswordProfile::temporary(SecretString::from("Passing-1234!")),
    };
    writer.create_user(&new).await.expect("a user");
}

/// A client as a run has it, over real sockets.
fn connection(tenant: &Value, folder: &Path) -> Connection {
    let text = |name: &str| tenant[name].as_str().expect("a text").to_owned();
    fs::write(folder.join("secret"), text("clientSecret")).expect("a file");
    fs::write(folder.join("refresh"), text("refreshToken")).expect("a file");
    let base = Url::parse(&text("url")).ok();
    let bases =
        Bases { login: base.clone(), graph: base.clone(), partner_center: base, admin: None };
    let endpoints = Endpoints::new(Cloud::Global, &bases).expect("endpoints");
    let transport: Arc<dyn Transport> = Arc::new(Network::new().expect("a client"));
    let clock = Clock::system();
    let identity = Identity {
        client_id: ApplicationId::parse(&text("clientId")).expect("an id"),
        client_secret: Some(SecretReference::File("secret".into())),
        certificate: None,
        refresh_token: Some(SecretReference::File("refresh".into())),
        federated: None,
    };
    let tokens = Tokens::new(
        Arc::clone(&transport),
        endpoints.clone(),
        text("tenant"),
        Credentials::Identity(identity),
        Vault::with_environment(folder, Arc::new(|_| None)),
        clock,
    );
    Connection {
        transport,
        endpoints,
        tokens: Arc::new(tokens),
        pacer: Pacer::new(clock),
        clock,
        patience: Patience::default(),
    }
}

/// A tenant in a process of its own, which ends with this one.
struct Served(Child);

impl Served {
    fn start(estate: &Path) -> (Self, Value) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_partnerctl"))
            .args(["emulator", "serve", "--listen", "127.0.0.1:0", "--format", "json", "--seed"])
            .arg(estate)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        let out = child.stdout.take().expect("a pipe");
        BufReader::new(out).read_line(&mut line).expect("a line");
        (Self(child), serde_json::from_str(&line).expect("JSON"))
    }

    fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id())).unwrap_or_default();
        // Behind the name, which may hold anything; in ticks of 10 ms.
        let fields = stat.rsplit_once(") ").map_or("", |(_, rest)| rest).split(' ');
        let ticks: u64 = fields.skip(11).take(2).filter_map(|text| text.parse::<u64>().ok()).sum();
        Duration::from_millis(10 * ticks)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// CPU time of all threads of this process.
fn cpu() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("it is known");
    let sum = |time: nix::sys::time::TimeVal| {
        Duration::from_secs(time.tv_sec().unsigned_abs())
            + Duration::from_micros(time.tv_usec().unsigned_abs())
    };
    sum(usage.user_time()) + sum(usage.system_time())
}

/// Memory of this process at the highest, in MiB.
fn peak() -> i64 {
    getrusage(UsageWho::RUSAGE_SELF).expect("it is known").max_rss() / 1024
}

fn estate(folder: &Path, customers: usize) {
    let mut text = format!("{ACCOUNT}---\n{TABLE}");
    for n in 0..GROUPS {
        write!(text, "---\napiVersion: partnerctl/v1\nkind: Role\nmetadata: {{name: r-{n}}}\nspec:\n  group: {{name: Group {n}, mailNickname: group-{n}}}\n").expect("text");
    }
    for n in 0..USERS {
        let role = n % GROUPS;
        let (agent, admin) = if n < 2 { ("admin", "global") } else { ("helpdesk", "none") };
        write!(text, "---\napiVersion: partnerctl/v1\nkind: User\nmetadata: {{name: u-{n}}}\nspec: {{displayName: User {n}, email: u{n}@fabrikam.example, agent: {agent}, admin: {admin}, roles: [r-{role}]}}\n").expect("text");
    }
    fs::write(folder.join("all.yaml"), text).expect("a file");
    let mut rows = "name,companyName,domain,tenantId\n".to_owned();
    for n in 0..customers {
        writeln!(rows, "c-{n},Customer {n},c{n}.onmicrosoft.com,00000000-0d3c-4b3e-9c6a-{n:012x}")
            .expect("text");
    }
    fs::write(folder.join("smb.csv"), rows).expect("a file");
}

const ACCOUNT: &str = "\
apiVersion: partnerctl/v1
kind: Account
metadata: {name: fabrikam}
spec:
  program: direct-bill
  country: JP
  domains: [fabrikam.example]
  partnerId: \"4567890\"
  legal:
    companyName: Fabrikam K.K.
    address: {line1: 1-2-3 Marunouchi, city: Tokyo, postalCode: 100-0005, country: JP}
    primaryContact: {firstName: Aiko, lastName: Tanaka, email: aiko@fabrikam.example, phone: \"+81 3 1234 5678\"}
";

const TABLE: &str = "\
apiVersion: partnerctl/v1
kind: CustomerTable
metadata: {name: smb}
spec:
  file: smb.csv
  defaults: {relationship: reseller, origin: existing}
";
