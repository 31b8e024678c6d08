//! Invariants and proofs, at the door.

use snapbox::{IntoData, assert_data_eq, str};

use crate::world::{Folder, Run, TODAY, codes, program};

const POLICIES: &str = "\
apiVersion: partnerctl/v1
kind: Project
metadata: {name: fabrikam}
spec: {manifests: [estate], policies: [policies]}
";

/// An estate with these policies of its own.
fn folder(policies: &str) -> Folder {
    Folder::project().with("partnerctl.yaml", POLICIES).with("policies/own.cedar", policies)
}

fn proved(folder: &Folder) -> String {
    let run = Run::new(&["validate", "--prove", "--as-of", TODAY, "."]).within(folder.path());
    let (mut command, _home) = run.command();
    let output = command.env("CVC5", program("cvc5")).output().unwrap();
    format!(
        "exit {}\n{}{}",
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap()
    )
}

const SIGNATURES: &str = r#"
@id("own.signatures")
@never("who looks after users signs no agreement")
permit (
  principal in Role::"user-management-admin",
  action == Action::"sign-agreement",
  resource
);
"#;

const GUARDRAIL: &str = r#"
@id("own.signatures.guard")
@level("hard")
@reason("who looks after users signs no agreement")
forbid (
  principal in Role::"user-management-admin",
  action == Action::"sign-agreement",
  resource
);
"#;

#[test]
fn an_invariant_that_holds_by_chance_is_told_from_one_that_is_proved() {
    assert_data_eq!(
        proved(&folder(SIGNATURES)),
        str![[r#"
exit 0
warning[P2404]: `own.signatures` holds here, and not in every estate (who looks after users signs no agreement): elsewhere a user (in role/global-admin, in role/user-management-admin) may sign-agreement on an account: permitted by `global-admin.everything`
 --> policies/own.cedar:3:8
  |
3 | @never("who looks after users signs no agreement")
  |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = help: say it in the policies as well: a guardrail, or a condition that leaves no such case

1 warning in 3 documents (2 files)
proofs: 0 of 1 invariants hold in every estate there could be; 0 policies looked at

"#]]
        .raw()
    );
    assert_data_eq!(
        proved(&folder(&format!("{SIGNATURES}{GUARDRAIL}"))),
        str![[r#"
exit 0
checked 3 documents in 2 files: 1 account, 2 users, 1 policy file
no findings
proofs: the invariant holds in every estate there could be; 1 policy looked at

"#]]
        .raw()
    );
}

/// Somebody of this name with two hats.
const TWO_HATS: &str = "\
apiVersion: partnerctl/v1
kind: User
metadata: {name: daichi}
spec: {displayName: 佐藤 大地, email: daichi@fabrikam.example, agent: none, admin: [global, user-management]}
";

#[test]
fn an_invariant_that_does_not_hold_stops_what_needs_a_sound_estate() {
    let folder = folder(SIGNATURES).with("estate/daichi.yaml", TWO_HATS);
    assert_data_eq!(
        folder.validate(&["."]).shown(),
        str![[r#"
exit 3
--- stdout
error[P2401]: `own.signatures` does not hold (who looks after users signs no agreement): `user/daichi` may `sign-agreement` on account/fabrikam: permitted by `global-admin.everything`
 --> policies/own.cedar:3:8
  |
3 | @never("who looks after users signs no agreement")
  |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = help: narrow what permits it, forbid it with a guardrail, or correct the invariant

1 error in 4 documents (3 files)

"#]]
        .raw()
    );
    let project = ["--as-of", TODAY, "--project", "."];
    for command in [&["test"][..], &["can", "user/daichi", "sign-agreement"], &["plan"]] {
        // What is asked of an estate is asked of one that is right.
        let ended = folder.run(&[command, &project[2..]].concat());
        assert_eq!(ended.code, 3, "{command:?}: {}", ended.all());
        assert!(ended.all().contains("P2401"), "{command:?}: {}", ended.all());
    }
    // An invariant permits nothing, and forbids nothing.
    let denied = SIGNATURES.replace("@never(", "@level(\"advisory\")\n@never(");
    let folder = folder.with("policies/own.cedar", denied);
    let can = folder.run(&["can", "user/daichi", "sign-agreement", "--why"]);
    assert_data_eq!(
        can.shown(),
        str![[r#"
exit 0
--- stdout
allowed: user/daichi may sign-agreement on account/fabrikam
  permitted by global-admin.everything
    reason: a global admin has full access to every account and service of the tenant
    --> policies/global-admin.cedar:7 (built in)

"#]]
        .raw()
    );
}

#[test]
fn a_warning_beside_it_leaves_an_invariant_checked() {
    let dead = "@id(\"own.dead\")\n\
                permit (principal, action == Action::\"sign-agreement\", resource) when { false };\n";
    let folder = folder(&format!("{dead}{SIGNATURES}")).with("estate/daichi.yaml", TWO_HATS);
    let found = folder.findings();
    let mut found = codes(&found);
    found.sort_unstable();
    assert_eq!(found, ["P2008", "P2401"]);
    assert_eq!(folder.run(&["plan", "--as-of", TODAY, "--project", "."]).code, 3);
    let said = proved(&folder);
    assert!(said.starts_with("exit 3\n") && said.contains("P2401"), "{said}");
    assert!(!said.contains("P2404") && !said.contains("holds here"), "{said}");
}

#[test]
fn a_part_of_an_estate_is_held_to_what_is_never_so() {
    let always = "@id(\"own.always\") @always(\"\")\n\
                  permit (principal is User, action == Action::\"sign-agreement\", resource);\n";
    let part = |folder: &Folder, command: &[&str]| {
        folder.run(&[command, &["--as-of", TODAY, "--project", ".", "-f", "estate"]].concat())
    };
    let broken = folder(SIGNATURES).with("estate/daichi.yaml", TWO_HATS);
    for command in [&["validate"][..], &["plan"], &["can", "user/daichi", "sign-agreement"]] {
        let ended = part(&broken, command);
        assert_eq!(ended.code, 3, "{command:?}: {}", ended.all());
        assert!(ended.all().contains("P2401"), "{command:?}: {}", ended.all());
    }
    // What is always so cannot be told of a part, and that is said.
    let open = folder(always).with("estate/daichi.yaml", TWO_HATS);
    assert_data_eq!(
        part(&open, &["can", "user/daichi", "sign-agreement"]).shown(),
        str![[r#"
exit 0
--- stdout
allowed: user/daichi may sign-agreement on account/fabrikam
--- stderr
note: `own.always` was not checked: this is a part of the estate

"#]]
        .raw()
    );
    let said = part(&open, &["validate"]);
    assert_eq!(said.code, 0);
    assert!(said.all().contains("note[P2406]"), "{}", said.all());
    // Nothing of a part is proved.
    assert_data_eq!(
        part(&open, &["validate", "--prove"]).shown(),
        str![[r#"
exit 64
--- stderr
error: `--prove` is about the whole estate, and `-f` names a part of it
  leave out `-f`, or add `--complete` if it names all manifests

"#]]
        .raw()
    );
}

#[test]
fn somebody_answers_for_an_invariant_that_can_be_let_pass() {
    let overridable = SIGNATURES.replace("@never(", "@level(\"overridable\")\n@never(");
    let waiver = "\
apiVersion: partnerctl/v1
kind: Waiver
metadata: {name: daichi-signs}
spec: {finding: P2402, on: user/daichi, owner: aiko, reason: until the merger closes, until: 2027-01-31}
";
    let folder = folder(&overridable).with("estate/daichi.yaml", TWO_HATS);
    assert_eq!(codes(&folder.findings()), ["P2402"]);
    let folder = folder.with("estate/waiver.yaml", waiver);
    assert_eq!(codes(&folder.findings()), Vec::<&str>::new());
    // For one person, and for nobody else.
    let folder = folder.with("estate/emi.yaml", TWO_HATS.replace("daichi", "emi"));
    let found = folder.findings();
    assert_eq!(codes(&found), ["P2402"]);
    assert!(found[0].message.contains("`user/emi`"), "{}", found[0].message);
}

#[test]
fn whoever_asks_for_a_proof_without_a_solver_is_told() {
    let ended = folder(SIGNATURES).validate(&["--prove", "."]);
    assert_data_eq!(
        ended.shown(),
        str![[r#"
exit 1
--- stderr
error: not proved: there is no solver: install cvc5, or name it in `CVC5`

"#]]
        .raw()
    );
}

#[test]
fn the_examples_have_nothing_that_a_solver_minds() {
    for name in ["adatum", "fabrikam", "northwind-distribution"] {
        let said = proved(&Folder::example(name));
        assert!(said.contains("\nproofs: "), "{name}: {said}");
        for code in ["P2008", "P2305", "P2306", "P2307", "P2404", "P2405"] {
            assert!(!said.contains(code), "{name}: {said}");
        }
    }
}
