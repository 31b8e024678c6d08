//! Promise 1 through the door: every command but those that are there to change the tenant leaves it
//! alone, in an estate and a tenant that give each of them something to say.

use std::path::Path;

use serde_json::Value;

use crate::approvals::make_key;
use crate::review::Repository;
use crate::world::Run;

/// They change the tenant, or play it.
const WRITERS: [&str; 4] = ["apply", "reconcile", "user", "emulator"];
/// They are about no project.
const ELSEWHERE: [&str; 7] = ["init", "login", "logout", "schema", "completions", "man", "help"];

/// What is asked of each of the others, and the code with which that ends.
const READERS: [(&[&str], i32); 29] = [
    (&["validate"], 0),
    (&["fmt", "--check"], 0),
    (&["explain", "user"], 0),
    (&["plan"], 0),
    (&["plan", "--refresh", "all", "--exit-code"], 2),
    (&["plan", "--snapshot-out", "seen.json", "--out", "plan.json", "--sign", "aiko"], 0),
    (&["show", "plan.json", "--format", "html"], 0),
    (&["approve", "plan.json", "--key", "aiko"], 0),
    (&["drift"], 0),
    (&["drift", "--exit-code"], 9),
    (&["status", "--within", "400d"], 0),
    (&["invite", "customer/contoso"], 0),
    (&["invite", "customer", "--format", "csv"], 0),
    (&["invite", "customer", "--format", "eml", "--out", "mails"], 0),
    (&["can", "user/ben-ito", "view-customer", "customer/contoso"], 0),
    (&["can", "user/ben-ito", "view-customer", "customer/contoso", "--live"], 4),
    (&["access"], 0),
    (&["access", "--live"], 0),
    (&["test"], 0),
    (&["review", "--base", "main"], 0),
    (&["review", "--base", "main", "--plan", "plan.json"], 0),
    (&["review", "--base", "main", "--snapshot", "seen.json"], 0),
    (&["import"], 0),
    (&["history"], 0),
    (&["history", "RUN"], 0),
    // The run made the first who hold something.
    (&["undo", "RUN", "--out", "undo.json"], 4),
    (&["confirm", "account/fabrikam/businessProfile"], 0),
    (&["unlock", "--reason", "nobody is there"], 0),
    (&["drift", "--adopt"], 0),
];

fn requests(folder: &Path) -> Vec<Value> {
    let log = Run::new(&["emulator", "log", "--format", "json"]).within(folder).end();
    let log: Value = serde_json::from_str(&log.out).unwrap();
    log["entries"].as_array().unwrap().clone()
}

/// Whether a request asks, signs in, or is made by the test itself.
fn reads(entry: &Value) -> bool {
    let (method, path) = (entry["method"].as_str().unwrap(), entry["path"].as_str().unwrap());
    let items = entry["items"].as_array().map_or(&[][..], Vec::as_slice);
    matches!(method, "GET" | "HEAD")
        || path.contains("/oauth2/")
        || path.starts_with("/_emulator/")
        || (path == "/v1.0/$batch" && items.iter().all(|item| item["method"] == "GET"))
}

#[test]
fn every_command_is_known_to_read_or_to_write() {
    let help = Run::new(&["--help"]).end().out;
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let (commands, _) = commands.split_once("\n\n").unwrap();
    let named = commands.lines().filter(|line| !line.starts_with("   "));
    for command in named.map(|line| line.split_whitespace().next().unwrap()) {
        let is_known = WRITERS.contains(&command)
            || ELSEWHERE.contains(&command)
            || READERS.iter().any(|(args, _)| args[0] == command);
        assert!(is_known, "`{command}` is in no list");
    }
}

#[test]
fn whoever_reads_writes_nothing() {
    let repository = Repository::example();
    let run = |args: &[&str]| Run::new(args).within(repository.path()).end();
    let providers = ["partnership/northwind", "partnership/litware"];
    let accept = |who: &str| run(&["emulator", "act", "accept", who]).code;
    assert_eq!(run(&["apply", "--yes"]).code, 0);
    assert_eq!(providers.map(accept), [0, 0]);
    make_key(repository.path(), "aiko", "");
    let others = "spec.displayName=Somebody";
    assert_eq!(run(&["emulator", "act", "edit", "user/chie-mori", others]).code, 0);
    let repository = repository.edit("estate/users.yaml", "伊藤 ベン", "伊藤 勉");
    let run = |args: &[&str]| Run::new(args).within(repository.path()).end();
    let history: Value = serde_json::from_str(&run(&["history", "--format", "json"]).out).unwrap();
    let last = history["runs"][0]["id"].as_str().unwrap_or_else(|| panic!("{history:#}"));
    let before = requests(repository.path()).len();
    for (args, code) in READERS {
        let args: Vec<&str> =
            args.iter().map(|arg| if *arg == "RUN" { last } else { arg }).collect();
        let ended = run(&args);
        assert_eq!(ended.code, code, "{args:?}: {}", ended.all());
    }
    let sent = requests(repository.path()).split_off(before);
    assert!(sent.len() > 50, "they asked the tenant: {}", sent.len());
    for entry in &sent {
        assert!(reads(entry), "{entry}");
    }
}
