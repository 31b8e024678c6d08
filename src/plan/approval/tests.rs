//! Who counts, and who does not, over a plan in memory.

use proptest::prelude::*;
use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::{PrivateKey, SshSig};

use super::*;
use crate::plan::file::Parents;
use crate::plan::limits::Limits;

fn plan() -> Plan {
    Plan {
        format: crate::plan::file::FORMAT.to_owned(),
        digest: String::new(),
        parents: Parents {
            estate: "fabrikam".to_owned(),
            tenant: Some("6f1b0c52-0d3c-4b3e-9c6a-2a2b1f0d9a10".to_owned()),
            manifests: "00".to_owned(),
            policies: "01".to_owned(),
            commit: Some("4be01c7".to_owned()),
            ..Parents::default()
        },
        observed_at: at("2026-11-20T12:00:00Z"),
        steps: Vec::new(),
        report: Vec::new(),
        access: crate::plan::file::AccessChange::default(),
        limits: Limits::default(),
        forecast: crate::plan::file::Forecast::default(),
        refused: Vec::new(),
    }
    .sealed()
    .unwrap()
}

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

/// Everybody's key is made of a number.
fn key(number: u8) -> PrivateKey {
    let pair = Ed25519Keypair::from_seed(&[number; 32]);
    PrivateKey::new(KeypairData::from(pair), "somebody").unwrap()
}

fn public(number: u8) -> String {
    key(number).public_key().to_openssh().unwrap()
}

fn sign_in(namespace: &str, unsigned: Unsigned, number: u8) -> Approval {
    let said = unsigned.to_bytes().unwrap();
    let signature = SshSig::sign(&key(number), namespace, HashAlg::Sha512, &said).unwrap();
    unsigned.signed(&signature).unwrap()
}

fn by(plan: &Plan, role: Role, number: u8) -> Approval {
    let unsigned = Unsigned::new(plan, role, "whoever", at("2026-11-20T13:00:00Z"));
    sign_in(NAMESPACE, unsigned, number)
}

/// A world of approvals: one thing of it is changed by each test.
struct Case {
    plan: Plan,
    found: Vec<Found>,
    signers: String,
    revoked: String,
    authors: Vec<String>,
    no_approvers: Vec<String>,
    now: Timestamp,
}

impl Case {
    /// Ines (9) made it; Aiko (1) and Ben (2) approve.
    fn new() -> Self {
        let plan = plan();
        let signers = format!(
            "ines@fabrikam.example {}\naiko@fabrikam.example,aiko {}\nben@fabrikam.example {}\n",
            public(9),
            public(1),
            public(2)
        );
        let case = Self {
            found: Vec::new(),
            signers,
            revoked: String::new(),
            authors: Vec::new(),
            no_approvers: Vec::new(),
            now: at("2026-11-20T14:00:00Z"),
            plan,
        };
        case.signed(Role::Author, 9).signed(Role::Approver, 1).signed(Role::Approver, 2)
    }

    fn signed(self, role: Role, number: u8) -> Self {
        let approval = by(&self.plan, role, number);
        self.found(Ok(approval))
    }

    fn found(mut self, read: Result<Approval, NotAnApproval>) -> Self {
        let file = format!("{}.json", self.found.len());
        self.found.push(Found { file, read });
        self
    }

    fn signers(mut self, signers: String) -> Self {
        self.signers = signers;
        self
    }

    fn count(&self) -> Counted {
        count(
            Question {
                plan: &self.plan,
                signers: &Signers::read(&self.signers).unwrap(),
                revoked: &Revoked::read(&self.revoked).unwrap(),
                authors: &self.authors,
                no_approvers: &self.no_approvers,
                now: self.now,
            },
            &self.found,
        )
    }

    /// Who counts, and what of the rest is said.
    fn told(&self) -> String {
        let counted = self.count();
        let mut told = vec![format!("{} approve", counted.approvers.join(" "))];
        if !counted.is_author_known {
            told.push("author unknown".to_owned());
        }
        told.extend(counted.uncounted.into_iter().map(|one| format!("{}: {}", one.file, one.why)));
        told.join("\n")
    }
}

const BOTH: &str = "aiko@fabrikam.example ben@fabrikam.example approve";
const BEN: &str = "ben@fabrikam.example approve";

#[test]
fn who_signed_with_a_known_key_counts() {
    assert_eq!(Case::new().told(), BOTH);
}

#[test]
fn what_is_written_is_read_back_and_says_everything_that_is_signed() {
    let approval = by(&plan(), Role::Approver, 1);
    let bytes = approval.to_bytes().unwrap();
    assert_eq!(Approval::read(&bytes).unwrap(), approval);
    let said = String::from_utf8(approval.signed_bytes().unwrap()).unwrap();
    let digest = plan().digest;
    assert_eq!(
        said,
        format!(
            r#"{{"format":"partnerctl/approval/v1","name":"whoever","plan":{{"commit":"4be01c7","digest":"{digest}","estate":"fabrikam","observedAt":"2026-11-20T12:00:00Z","tenant":"6f1b0c52-0d3c-4b3e-9c6a-2a2b1f0d9a10"}},"role":"approver","signedAt":"2026-11-20T13:00:00Z"}}"#
        )
    );
}

/// Whose key it is, the approvers' file says: a name in the approval is nobody's.
#[test]
fn a_name_that_somebody_gives_themselves_is_not_theirs() {
    let case = Case::new();
    let unsigned =
        Unsigned::new(&case.plan, Role::Approver, "chie@fabrikam.example", case.plan.observed_at);
    let found = sign_in(NAMESPACE, unsigned, 2);
    let case = case.found(Ok(found.clone()));
    assert_eq!(case.told(), BOTH);
    let unknown = sign_in(
        NAMESPACE,
        Unsigned::new(&case.plan, Role::Approver, "aiko", case.plan.observed_at),
        7,
    );
    let case = case.found(Ok(unknown));
    assert_eq!(case.told(), format!("{BOTH}\n4.json: the approvers' file does not have its key"));
}

#[test]
fn who_made_the_plan_does_not_approve_of_it() {
    let case = Case::new().signed(Role::Approver, 9);
    let said = "3.json: ines@fabrikam.example made the plan, and cannot approve of it";
    assert_eq!(case.told(), format!("{BOTH}\n{said}"));
    // By another key, another name, or because it is known otherwise.
    for (line, authors) in [
        (format!("ines@fabrikam.example {}\n", public(1)), vec![]),
        (format!("INES@Fabrikam.example,aiko {}\n", public(5)), vec![]),
        (String::new(), vec!["aiko".to_owned()]),
        (String::new(), vec!["Aiko@fabrikam.example".to_owned()]),
    ] {
        let mut case = Case::new();
        case.signers.push_str(&line);
        case.authors = authors;
        assert_eq!(case.count().approvers, ["ben@fabrikam.example"], "{line}");
    }
}

#[test]
fn an_author_whom_nobody_knows_is_said() {
    let unknown = |mut case: Case| {
        case.found.remove(0);
        case
    };
    assert_eq!(unknown(Case::new()).told(), format!("{BOTH}\nauthor unknown"));
    // A key that nobody knows says nothing of who that was, nor does one that is revoked; but whoever
    // has the revoked one does not approve.
    let case = unknown(Case::new()).signed(Role::Author, 7);
    assert!(!case.count().is_author_known);
    let mut case = unknown(Case::new()).signed(Role::Author, 1);
    assert_eq!(case.count().approvers, ["ben@fabrikam.example"]);
    case.revoked = public(1);
    assert_eq!(case.count().approvers, ["ben@fabrikam.example"]);
    assert!(!case.count().is_author_known);
    // A name that nobody has may be anybody's: another address of theirs, or one letter too many.
    case.authors = vec!["aiko".to_owned(), "Somebody-Else".to_owned()];
    assert_eq!(case.count().strangers, ["Somebody-Else"]);
    case.no_approvers = vec!["somebody-else".to_owned()];
    assert!(case.count().is_author_known && case.count().strangers.is_empty());
}

#[test]
fn one_person_with_two_keys_counts_once() {
    for line in ["aiko@fabrikam.example", "AIKO", "someone,aiko"] {
        let case = Case::new().signed(Role::Approver, 5);
        let signers = format!("{}{line} {}\n", case.signers, public(5));
        assert_eq!(case.signers(signers).told(), BOTH, "{line}");
    }
    // Two names that a third line brings together.
    let case = Case::new();
    let signers = format!("{}aiko,ben@fabrikam.example {}\n", case.signers, public(6));
    assert_eq!(case.signers(signers).count().approvers.len(), 1);
}

#[test]
fn keys_count_while_they_are_valid_and_for_what_they_are() {
    let (aiko, ben, ines) = (public(1), public(2), public(9));
    for (options, why) in [
        (
            "valid-before=\"20261120\"",
            Some("the key has expired: the approvers' file says `valid-before`"),
        ),
        (
            "valid-before=\"202611201400Z\"",
            Some("the key has expired: the approvers' file says `valid-before`"),
        ),
        ("valid-before=\"20261120140001\"", None),
        (
            "valid-after=\"20261121\"",
            Some("the approvers' file says `valid-after`, and that is later"),
        ),
        ("valid-after=\"20261120\",valid-before=\"20261121\"", None),
        (
            "namespaces=\"git,file\"",
            Some("the approvers' file has the key for other `namespaces` than partnerctl-plan"),
        ),
        ("namespaces=\"git,partnerctl-plan\"", None),
        ("cert-authority", Some("the approvers' file has the key for certificates alone")),
    ] {
        let signers = format!("ines {ines}\naiko {options} {aiko}\nben@fabrikam.example {ben}\n");
        let told = Case::new().signers(signers).told();
        match why {
            None => assert_eq!(told, "aiko ben@fabrikam.example approve", "{options}"),
            Some(why) => assert_eq!(told, format!("{BEN}\n1.json: {why}"), "{options}"),
        }
    }
    // A line for git does not take away what another one gives.
    let signers = format!("ines {ines}\naiko namespaces=\"git\" {aiko}\naiko {aiko}\n");
    assert_eq!(Case::new().signers(signers).count().approvers, ["aiko"]);
    // Everybody is nobody.
    let signers = format!("ines {ines}\n*@fabrikam.example {aiko}\n");
    assert_eq!(Case::new().signers(signers).count().approvers, [] as [&str; 0]);
    let mut case = Case::new();
    case.revoked = format!("# lost in May\n{aiko}\n");
    assert_eq!(case.told(), format!("{BEN}\n1.json: its key is revoked"));
}

#[test]
fn a_file_that_could_be_misunderstood_is_refused() {
    let key = public(1);
    for (text, why) in [
        ("aiko".to_owned(), "line 1: a line is names"),
        (format!("# who\n\naiko nonsense {key}"), "line 3: an option is not known"),
        (format!("aiko valid-before=\"soon\" {key}"), "line 1: a time is"),
        (format!("aiko valid-before=\"20261320\" {key}"), "line 1: a time is"),
        (format!("\"aiko tanaka\" {key}"), "line 1: names in quotes"),
        ("aiko ssh-ed25519 AAAA".to_owned(), "line 1: the key cannot be read"),
        (format!("aiko namespaces=\"a {key}"), "line 1: a line is names"),
    ] {
        let error = Signers::read(&text).unwrap_err().to_string();
        assert!(error.starts_with(why), "{text}: {error}");
    }
    assert!(Revoked::read("SSHKRL\n").is_err());
    // Keys of other kinds are for others.
    let rsa =
        "aiko ecdsa-sha2-nistp256 AAAA\nben sk-ssh-ed25519@openssh.com AAAA\nchie ssh-rsa AAAA\n";
    assert!(Signers::read(rsa).unwrap().entries.is_empty());
}

/// Signed in another room: what git or a mail program had signed is no approval.
#[test]
fn what_was_signed_for_another_purpose_is_no_approval() {
    let plan = plan();
    let unsigned = Unsigned::new(&plan, Role::Approver, "aiko", plan.observed_at);
    let found = sign_in("git", unsigned, 1);
    assert_eq!(
        found.signer().unwrap_err().to_string(),
        "its signature is for another purpose than partnerctl-plan"
    );
}

/// An approval of a plan that says the same and was made at another time is of another plan.
#[test]
fn an_approval_is_of_one_plan() {
    let mut others = vec![plan(), plan(), plan(), plan()];
    others[0].observed_at = at("2026-11-20T12:00:01Z");
    others[1].parents.commit = None;
    others[2].parents.manifests = "02".to_owned();
    others[3].limits.removals.count = Some(100);
    for other in others {
        let mut case = Case::new();
        case.plan = other.sealed().unwrap();
        let counted = case.count();
        assert_eq!(counted.approvers, [] as [&str; 0]);
        assert!(!counted.is_author_known);
        assert_eq!(counted.uncounted.len(), 3);
        assert!(counted.uncounted.iter().all(|one| one.is_of_another), "{counted:?}");
    }
}

#[test]
fn what_is_none_says_why() {
    for (text, why) in [
        ("", "it is not JSON: EOF while parsing a value at line 1 column 0"),
        ("{}", "it does not say that its format is \"partnerctl/approval/v1\""),
        (
            r#"{"format": "partnerctl/approval/v2"}"#,
            "it does not say that its format is \"partnerctl/approval/v1\"",
        ),
        (r#"{"format": "partnerctl/approval/v1"}"#, "missing field `role`"),
    ] {
        assert_eq!(Approval::read(text.as_bytes()).unwrap_err().to_string(), why);
    }
    // What would not be signed may not be there.
    let mut value = serde_json::to_value(by(&plan(), Role::Approver, 1)).unwrap();
    value["also"] = "unsigned".into();
    assert!(Approval::read(value.to_string().as_bytes()).is_err());
    value.as_object_mut().unwrap().remove("also");
    value["plan"]["also"] = "unsigned".into();
    assert!(Approval::read(value.to_string().as_bytes()).is_err());
}

#[test]
fn the_name_of_its_file_holds_nothing_that_anybody_chose() {
    let mut own = key(1);
    own.set_comment("../../etc/passwd");
    let name = file_name(Role::Approver, own.public_key().key_data());
    assert_eq!(name, file_name(Role::Approver, key(1).public_key().key_data()));
    assert!(
        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte)),
        "{name}"
    );
    assert_eq!(name.len(), "approval-0123456789abcdef.json".len());
    assert_ne!(name, file_name(Role::Author, own.public_key().key_data()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Law: whatever one byte of an approval becomes, it does not count as another approval.
    #[test]
    fn a_changed_byte_is_no_other_approval(place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let approval = by(&plan(), Role::Approver, 1);
        let mut bytes = approval.to_bytes().unwrap();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        if let Ok(read) = Approval::read(&bytes) && read.signer().is_ok() {
            // White space around, an escape that says the same, or the armour's own slack.
            prop_assert_eq!(read.signed_bytes().unwrap(), approval.signed_bytes().unwrap());
            prop_assert_eq!(read.signer(), approval.signer());
        }
    }

    /// Law: reading an approvers' file never fails but by saying so.
    #[test]
    fn any_text_is_a_file_or_says_why_not(text in "[a-z,\"= *\n-]{0,80}(ssh-ed25519 AAAA)?") {
        drop(Signers::read(&text));
        drop(Revoked::read(&text));
    }
}
