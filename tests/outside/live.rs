//! `can --live` and `access --live`: what the tenant really gives, whoever gave it.

use crate::world::{ACCOUNT, Folder, PROJECT, USERS};

const MORE: &str = "\
---
apiVersion: partnerctl/v1
kind: User
metadata: {name: ben}
spec: {displayName: Ben, email: ben@fabrikam.example, agent: none, admin: none, roles: [desk]}
---
apiVersion: partnerctl/v1
kind: Role
metadata: {name: desk}
spec:
  group: Desk
  permissions: [{allow: [manage-subscriptions], customers: {labels: {tier: gold}}}]
---
apiVersion: partnerctl/v1
kind: Customer
metadata: {name: contoso, labels: {tier: gold}}
spec: {companyName: Contoso, domain: contoso.onmicrosoft.com, tenantId: 0c5c2a60-8e1f-4a5e-9b52-0d5f5c1a77e1}
---
apiVersion: partnerctl/v1
kind: Customer
metadata: {name: adatum, labels: {tier: gold}}
spec: {companyName: Adatum, domain: adatum.onmicrosoft.com, tenantId: 0c5c2a60-8e1f-4a5e-9b52-0d5f5c1a77e2}
";

/// As it became: Ben is an admin agent and in no role, Chie is disabled, Mallory is there, Adatum is
/// gone.
const BEHIND_OUR_BACK: &str = "\
---
apiVersion: partnerctl/v1
kind: User
metadata: {name: mallory}
spec: {displayName: Mallory, email: mallory@fabrikam.example, agent: admin, admin: {global: eligible}, roles: [renamed]}
---
apiVersion: partnerctl/v1
kind: User
metadata: {name: other}
spec: {displayName: Ben, email: ben@fabrikam.example, agent: admin, admin: none}
---
apiVersion: partnerctl/v1
kind: Role
metadata: {name: renamed}
spec: {group: Desk}
---
apiVersion: partnerctl/v1
kind: Customer
metadata: {name: unlabelled}
spec: {companyName: Contoso Ltd, domain: contoso.onmicrosoft.com, tenantId: 0c5c2a60-8e1f-4a5e-9b52-0d5f5c1a77e1}
---
apiVersion: partnerctl/v1
kind: Customer
metadata: {name: litware}
spec: {companyName: Litware, domain: litware.onmicrosoft.com, tenantId: 0c5c2a60-8e1f-4a5e-9b52-0d5f5c1a77e3}
";

fn changed() -> Folder {
    let disabled =
        USERS.replace("agent: none, admin: global", "agent: none, admin: global, enabled: false");
    assert_ne!(disabled, USERS);
    let folder = Folder::new()
        .with("partnerctl.yaml", PROJECT)
        .with("estate/all.yaml", format!("{ACCOUNT}---\n{USERS}{MORE}"))
        .with("tenant/all.yaml", format!("{ACCOUNT}---\n{disabled}{BEHIND_OUR_BACK}"));
    let seeded = folder.run(&["emulator", "seed", "tenant"]);
    assert_eq!(seeded.code, 0, "{}", seeded.err);
    folder
}

fn answer(folder: &Folder, args: &[&str]) -> (i32, String) {
    let ended = folder.run(&[&["can"], args].concat());
    let line = ended.out.lines().next().or(ended.err.lines().next()).unwrap_or_default();
    // When it was observed differs each time.
    let line = line.split_once(", as observed at 20").map_or(line, |(line, _)| line);
    (ended.code, line.to_owned())
}

#[test]
fn what_is_declared_and_what_the_tenant_gives_are_two_answers() {
    let folder = changed();
    for (args, declared, live) in [
        // Somebody put Ben among the admin agents.
        (&["user/ben", "view-customer", "customer/contoso"], 4, 0),
        (&["user/aiko", "view-customer", "customer/contoso"], 0, 0),
        // Whoever cannot sign in can do nothing, whatever they hold.
        (&["user/chie", "accept-partnership", "account/fabrikam"], 0, 4),
        // The relationship is over there.
        (&["user/aiko", "manage-subscriptions", "customer/adatum"], 0, 4),
        // Nobody declared Mallory, nor Litware.
        (&["user/mallory", "view-customer", "customer/contoso"], 64, 0),
        (&["user/mallory", "view-customer", "customer/litware"], 64, 0),
        // Eligible is not active.
        (&["user/mallory", "accept-partnership", "account/fabrikam"], 64, 4),
    ] {
        assert_eq!(answer(&folder, args).0, declared, "{args:?}");
        let (code, line) = answer(&folder, &[&args[..], &["--live"]].concat());
        assert_eq!(code, live, "{args:?}: {line}");
    }
    let (_, line) = answer(&folder, &["user/ben", "view-customer", "customer/contoso", "--live"]);
    assert_eq!(line, "allowed: user/ben may view-customer on customer/contoso");
    let ended = folder.run(&["can", "user/ben", "view-customer", "customer/contoso", "--live"]);
    assert!(ended.out.contains("customer/contoso, as observed at 20"), "{}", ended.out);
    let (code, line) = answer(&folder, &["user/nobody", "view-customer", "--live"]);
    assert_eq!((code, line.as_str()), (64, "error: there is no user/nobody in the tenant"));
}

#[test]
fn what_a_role_permits_and_customers_labels_are_declared_and_who_holds_it_is_not() {
    let folder = changed();
    let holds = |who: &str, live: bool| {
        let args = ["access", "--who", who, "--action", "manage-subscriptions", "--format", "csv"];
        let ended = folder.run(&[&args[..], if live { &["--live"] } else { &[] }].concat());
        assert_eq!(ended.code, 0, "{}", ended.err);
        let mut lines: Vec<String> = ended.out.lines().skip(1).map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(
        holds("role/desk", false),
        [
            "user/ben,manage-subscriptions,customer/adatum",
            "user/ben,manage-subscriptions,customer/contoso"
        ]
    );
    // The group of that name has one member there; she is an admin agent besides.
    let live = holds("role/desk", true);
    assert!(live.iter().all(|line| line.starts_with("user/mallory,")), "{live:?}");
    assert!(live.iter().any(|line| line.ends_with("customer/contoso")), "{live:?}");
    assert!(live.iter().all(|line| !line.ends_with("customer/adatum")), "{live:?}");
}

#[test]
fn the_heading_says_when_and_a_context_goes_with_live() {
    let folder = changed();
    let ended = folder.run(&["access", "--live", "--who", "user/ben"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.out.starts_with("who may do what, as observed at 20"), "{}", ended.out);
    assert!(ended.out.contains("Z\n"), "{}", ended.out);
    let declared = folder.run(&["access", "--who", "user/ben"]);
    assert!(declared.out.starts_with("who may do what, as declared on 20"), "{}", declared.out);
    let ended = folder.run(&["access", "--context", "production"]);
    assert!(ended.code == 64 && ended.err.contains("goes with `--live`"), "{}", ended.err);
    let html = folder.run(&["access", "--live", "--format", "html"]);
    assert!(html.code == 0 && html.out.contains("as observed at 20"), "{}", html.err);
    // Reading has changed nothing.
    let log = folder.run(&["emulator", "log"]).out;
    let changing: Vec<&str> = log
        .lines()
        .filter(|line| {
            !line.starts_with(' ') && (line.contains(" /v1/") || line.contains(" /v1.0/"))
        })
        .filter(|line| !line.contains(" GET ") && !line.contains("POST /v1.0/$batch"))
        .collect();
    assert_eq!(changing, [] as [&str; 0], "{log}");
}

const DELEGATED: &str = "\
---
apiVersion: partnerctl/v1
kind: DelegatedAccess
metadata: {name: gold-ops}
spec:
  customers: {labels: {tier: gold}}
  duration: P365D
  grants: [{to: desk, directoryRoles: [Helpdesk Administrator]}]
";

#[test]
fn delegated_access_counts_as_it_is_in_the_tenant() {
    // There the desk has it with Contoso alone, and more of it; Ben has left the group, and Mallory is
    // in one that nobody declared.
    let there = BEHIND_OUR_BACK.replace(
        "metadata: {name: unlabelled}",
        "metadata: {name: unlabelled, labels: {here: very}}",
    );
    let there = there.replace("roles: [renamed]", "roles: [renamed, unknown]");
    let template = |name: &str, to: &str, role: &str| {
        format!(
            "---\napiVersion: partnerctl/v1\nkind: DelegatedAccess\nmetadata: {{name: {name}}}\nspec:\n  customers: {{labels: {{here: very}}}}\n  duration: P365D\n  grants: [{{to: {to}, directoryRoles: [{role}]}}]\n"
        )
    };
    let unknown = "---\napiVersion: partnerctl/v1\nkind: Role\nmetadata: {name: unknown}\nspec: {group: Back Door}\n";
    let folder = Folder::new()
        .with("partnerctl.yaml", PROJECT)
        .with("estate/all.yaml", format!("{ACCOUNT}---\n{USERS}{MORE}{DELEGATED}"))
        .with(
            "tenant/all.yaml",
            format!(
                "{ACCOUNT}---\n{USERS}{there}{unknown}{}{}",
                template("ops", "renamed", "User Administrator"),
                template("door", "unknown", "Privileged Role Administrator")
            ),
        );
    let seeded = folder.run(&["emulator", "seed", "tenant"]);
    assert_eq!(seeded.code, 0, "{}", seeded.err);
    for (args, declared, live) in [
        (&["user/ben", "reset-password", "customer/contoso"], 0, 4),
        (&["user/ben", "reset-password", "customer/adatum"], 0, 4),
        (&["user/ben", "manage-users", "customer/contoso"], 4, 4),
        (&["user/mallory", "reset-password", "customer/contoso"], 64, 0),
        (&["user/mallory", "manage-users", "customer/contoso"], 64, 0),
        (&["user/mallory", "assign-roles", "customer/contoso"], 64, 0),
        (&["user/mallory", "manage-users", "customer/litware"], 64, 4),
        (&["role/desk", "manage-users", "customer/contoso"], 4, 0),
    ] {
        assert_eq!(answer(&folder, args).0, declared, "{args:?}");
        let (code, line) = answer(&folder, &[&args[..], &["--live"]].concat());
        assert_eq!(code, live, "{args:?}: {line}");
    }
    let why = folder.run(&["can", "user/ben", "reset-password", "customer/contoso", "--why"]);
    assert!(why.out.contains("permitted by delegated-access.gold-ops.0"), "{}", why.out);
    assert!(why.out.contains("--> estate/all.yaml:"), "{}", why.out);
    let why =
        folder.run(&["can", "user/mallory", "assign-roles", "customer/contoso", "--why", "--live"]);
    assert!(
        why.out.contains(
            "reason: role/back-door has Privileged Role Administrator in the customer's tenant, by active delegated access"
        ),
        "{}",
        why.out
    );
    assert!(why.out.contains("--> the tenant, as observed"), "{}", why.out);
    // All of it at once.
    let args = ["access", "--live", "--action", "manage-users", "--format", "csv"];
    let rows = folder.run(&args).out;
    let theirs: Vec<&str> = rows.lines().filter(|line| line.contains(",customer/")).collect();
    assert_eq!(theirs, ["user/mallory,manage-users,customer/contoso"]);
    // What a role says of tenants is what we want; what they give is another matter.
    let (wants, has) = (["user/ben", "assign-roles", "customer/contoso"], "--live");
    let estate = folder.path().join("estate/all.yaml");
    let text = std::fs::read_to_string(&estate).unwrap();
    let more = "permissions: [{allow: [assign-roles], customers: {labels: {tier: gold}}}, ";
    std::fs::write(&estate, text.replacen("permissions: [", more, 1)).unwrap();
    assert_eq!(answer(&folder, &wants).0, 0);
    assert_eq!(answer(&folder, &[&wants[..], &[has]].concat()).0, 4);
}

#[test]
fn delegated_access_outlives_the_relationship_with_the_customer() {
    let there = BEHIND_OUR_BACK.replace(
        "metadata: {name: unlabelled}",
        "metadata: {name: unlabelled, labels: {here: very}}",
    );
    let template = "---\napiVersion: partnerctl/v1\nkind: DelegatedAccess\nmetadata: {name: ops}\nspec:\n  customers: {labels: {here: very}}\n  duration: P365D\n  grants: [{to: renamed, directoryRoles: [Helpdesk Administrator]}]\n";
    let folder = Folder::new()
        .with("partnerctl.yaml", PROJECT)
        .with("estate/all.yaml", format!("{ACCOUNT}---\n{USERS}{MORE}"))
        .with("tenant/all.yaml", format!("{ACCOUNT}---\n{USERS}{there}{template}"));
    let run = |args: &[&str]| {
        let ended = folder.run(args);
        assert_eq!(ended.code, 0, "{args:?}: {}", ended.all());
        ended
    };
    run(&["emulator", "seed", "tenant"]);
    let live =
        |who: &str, action: &str| answer(&folder, &[who, action, "customer/contoso", "--live"]).0;
    let all = || {
        [
            live("user/mallory", "reset-password"),
            live("user/mallory", "manage-subscriptions"),
            live("user/aiko", "administer-on-behalf"),
        ]
    };
    assert_eq!(all(), [0, 0, 0]);
    run(&["emulator", "act", "end-relationship", "customer/contoso"]);
    // The group's access is there until somebody ends it; nobody else has any, whatever their level.
    assert_eq!(all(), [0, 4, 4]);
    let ended = run(&["access", "--live", "--action", "reset-password", "--format", "csv"]);
    assert!(ended.out.contains("user/mallory,reset-password,customer/contoso"), "{}", ended.out);
    assert!(!ended.all().contains("no customer of ours"), "{}", ended.all());
    // A customer that nobody declared is still told of.
    let estate = folder.path().join("estate/all.yaml");
    let text = std::fs::read_to_string(&estate).unwrap();
    let kept: Vec<&str> =
        text.split("---\n").filter(|document| !document.contains("{name: contoso")).collect();
    std::fs::write(&estate, kept.join("---\n")).unwrap();
    let ended = folder.run(&["can", "user/mallory", "view-own-profile", "--live"]);
    assert!(ended.err.contains("which is no customer of ours"), "{}", ended.all());
}
