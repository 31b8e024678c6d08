//! Estates with policies of their own, examined as `validate` does it.

use crate::manifest::source::{Format, Source, Sources};
use crate::manifest::{Load, Loaded, ReadProject, Tables, TroubleKind, load};
use crate::policy::tests::today;

use super::Policies;

struct NoTables;

impl Tables for NoTables {
    fn open(&self, _: &str, file: &str) -> Result<(String, Vec<u8>), (TroubleKind, String)> {
        Err((TroubleKind::Missing, file.to_owned()))
    }
}

/// A sound estate, these documents and these policies; all there is, or a part.
fn examined(documents: &str, policies: &str, complete: bool) -> Loaded {
    let mut sources = Sources::default();
    let base = include_str!("../../../tests/outside/stories/base.yaml");
    let files = [
        ("base.yaml", Format::Yaml, base),
        ("estate.yaml", Format::Yaml, documents),
        ("own.cedar", Format::Cedar, policies),
    ];
    for (name, format, text) in files {
        let (name, bytes) = (name.to_owned(), text.as_bytes().to_vec());
        sources.add(Source { name, format, bytes });
    }
    load(Load {
        sources,
        project: ReadProject::default(),
        project_name: "partnerctl.yaml".to_owned(),
        troubles: Vec::new(),
        tables: &NoTables,
        examiner: &Policies,
        complete,
        today: today(),
    })
}

/// The codes that are found of policies and access.
fn codes(loaded: &Loaded) -> Vec<&'static str> {
    let all = loaded.findings.all.iter().map(|finding| finding.code.id());
    let mut codes: Vec<&str> = all.filter(|code| code.starts_with("P2")).collect();
    codes.sort_unstable();
    codes
}

const FUMIKO: &str = "\
apiVersion: partnerctl/v1
kind: User
metadata: {name: fumiko-kato, labels: {contract: external}}
spec: {displayName: 加藤 文子, email: fumiko.kato@fabrikam.example, agent: admin, admin: none}
";

/// Broken by Fumiko.
const ORDERS: &str = r#"
@id("own.external-orders")
@never("external staff does not order")
permit (principal is User, action == Action::"order-on-behalf", resource is Customer)
when { principal.hasTag("contract") && principal.getTag("contract") == "external" };
"#;

/// A policy that Cedar warns of.
const DEAD: &str = r#"
@id("own.dead")
permit (principal, action == Action::"order-on-behalf", resource) when { false };
"#;

#[test]
fn what_only_warns_leaves_invariants_to_be_checked() {
    assert_eq!(codes(&examined(FUMIKO, ORDERS, true)), ["P2401"]);
    let loaded = examined(FUMIKO, &format!("{DEAD}{ORDERS}"), true);
    assert_eq!(codes(&loaded), ["P2008", "P2401"]);
    assert!(loaded.has_errors());
    // A name that stands for nobody is an error: it comes first.
    let nobody = ORDERS.replace("principal is User", "principal == User::\"nobody\"");
    assert_eq!(codes(&examined(FUMIKO, &format!("{nobody}{DEAD}"), true)), ["P2006", "P2008"]);
}

/// Nobody but a global admin has it.
const ALWAYS: &str = r#"
@id("own.billing")
@always("whoever is here manages billing")
permit (principal is User, action == Action::"manage-billing", resource);
"#;

#[test]
fn a_part_of_an_estate_breaks_what_is_never_so_and_says_what_was_not_checked() {
    assert_eq!(codes(&examined(FUMIKO, ORDERS, false)), ["P2401"]);
    let overridable = ORDERS.replace("@never", "@level(\"overridable\") @never");
    assert_eq!(codes(&examined(FUMIKO, &overridable, false)), ["P2402"]);
    assert_eq!(codes(&examined(FUMIKO, ALWAYS, true)), ["P2401"]);
    let loaded = examined(FUMIKO, &format!("{ALWAYS}{DEAD}"), false);
    assert_eq!(codes(&loaded), ["P2008", "P2406"]);
    assert!(!loaded.has_errors());
}

#[test]
fn an_invariant_is_about_what_people_do_and_about_nothing_else() {
    let of = |scope: &str| {
        let text = format!("@id(\"own.x\") @never(\"\")\npermit ({scope}) when {{ 1 == 2 }};");
        let loaded = examined(FUMIKO, &text, true);
        let told = loaded.findings.all.iter().find(|finding| finding.code.id() == "P2010");
        told.map(|finding| finding.message.clone())
    };
    assert_eq!(of("principal, action, resource"), None);
    assert_eq!(of("principal is User, action == Action::\"sign-agreement\", resource"), None);
    assert_eq!(of("principal is User, action in Action::\"billing\", resource"), None);
    let nothing = Some("`own.x` is about nothing that people do".to_owned());
    assert_eq!(of("principal is User, action, resource is Role"), nothing);
    assert_eq!(of("principal is Role, action, resource"), nothing);
    assert_eq!(of("principal, action == Action::\"hold-role\", resource"), nothing);
    let both = "principal, action in [Action::\"hold-role\", Action::\"sign-agreement\"], resource";
    let also = "`own.x` is also about `hold-role`, which is nothing that people do";
    assert_eq!(of(both), Some(also.to_owned()));
}

/// What the third desk may do it may by the second one's permissions.
const DESKS: &str = "\
apiVersion: partnerctl/v1
kind: Role
metadata: {name: desk2}
spec:
  group: Desk 2
  permissions: [{allow: [reset-password], customers: {names: [contoso]}}]
---
apiVersion: partnerctl/v1
kind: Role
metadata: {name: desk3}
spec: {group: Desk 3, includes: [desk2]}
---
apiVersion: partnerctl/v1
kind: DelegatedAccess
metadata: {name: desks}
spec:
  customers: {names: [contoso]}
  duration: P180D
  grants:
    - {to: desk2, directoryRoles: [Helpdesk Administrator]}
    - {to: desk3, directoryRoles: [Directory Readers]}
---
apiVersion: partnerctl/v1
kind: User
metadata: {name: emi-kondo}
spec: {displayName: 近藤 絵美, email: emi.kondo@fabrikam.example, agent: none, admin: none, roles: [desk3]}
---
apiVersion: partnerctl/v1
kind: User
metadata: {name: ken-abe}
spec: {displayName: 阿部 健, email: ken.abe@fabrikam.example, agent: none, admin: none, roles: [desk2]}
";

#[test]
fn what_a_role_inherits_has_to_be_carried_by_its_own_group() {
    let told = |documents: &str| {
        let loaded = examined(documents, "", true);
        let all = loaded.findings.all.iter().filter(|finding| finding.code.id() == "P2101");
        all.filter(|finding| finding.object.as_deref() != Some("role/tier2-support"))
            .map(|finding| finding.message.clone())
            .collect::<Vec<_>>()
    };
    let bare = "nothing carries `reset-password` for `contoso`, which `desk2` may do: groups are never nested";
    let found = told(DESKS);
    assert_eq!(found, [bare]);
    // Over two steps as well; by a group of its own; by being in the other group too.
    let middle = "---\napiVersion: partnerctl/v1\nkind: Role\nmetadata: {name: middle}\nspec: {includes: [desk2]}\n";
    let deeper = DESKS.replace("includes: [desk2]", "includes: [middle]") + middle;
    assert!(told(&deeper).contains(&bare.to_owned()), "{:?}", told(&deeper));
    let granted = DESKS.replace("[Directory Readers]", "[Helpdesk Administrator]");
    assert_eq!(told(&granted), [] as [&str; 0]);
    assert_eq!(told(&DESKS.replace("[desk3]}", "[desk3, desk2]}")), [] as [&str; 0]);
    // What levels give in Partner Center is inherited just as little.
    let level = DESKS.replace("allow: [reset-password]", "allow: [order-on-behalf]");
    assert!(
        told(&level).contains(
            &"nothing carries `order-on-behalf`, which `desk2` may do: `emi-kondo` has no built-in role that gives it"
                .to_owned()
        ),
        "{:?}",
        told(&level)
    );
}
