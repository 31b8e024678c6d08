//! Whole messages, to be read as pages, and what must hold for any of them.
//!
//! `SNAPSHOTS=overwrite cargo test report::invitation` writes the files under `snapshots/` anew.

use std::fmt::Write as _;
use std::path::Path;

use proptest::prelude::*;
use snapbox::data::DataFormat;
use snapbox::{Assert, Data};

use super::*;
use crate::manifest::Loaded;
use crate::model::country;
use crate::model::record::ObjectKey;
use crate::model::scalar::Scalar;
use crate::plan::step::Asks;
use crate::plan::{Report, State};

fn golden(name: &str, shown: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/invitation/snapshots");
    let expected = Data::read_from(&folder.join(name), Some(DataFormat::Text)).raw();
    Assert::new().action_env("SNAPSHOTS").eq(shown, expected);
}

const LINK: &str = "https://admin.microsoft.com/Adminportal/Home?invType=IndirectResellerRelationship&partnerId=0b4ad4a1-4bd5-4be5-8c9e-5a3ad7d0bb11&msppId=4567890&DAP=false&indirectCSPId=7f1b0c52-0d3c-4b3e-9c6a-2a2b1f0d9a10#/BillingAccounts/partner-invitation";

fn occasions() -> Vec<(&'static str, Occasion)> {
    let roles = vec!["Directory Readers".to_owned(), "Service Support Administrator".to_owned()];
    let provider = || "Northwind Distribution".to_owned();
    vec![
        ("reseller", Occasion::Reseller),
        ("together", Occasion::Together { provider: provider(), is_addition: false }),
        ("addition", Occasion::Together { provider: provider(), is_addition: true }),
        ("our-provider", Occasion::OurProvider { provider: provider() }),
        ("as-provider", Occasion::AsProvider),
        (
            "delegated-access",
            Occasion::DelegatedAccess { roles: roles.clone(), days: 730, extends: true },
        ),
        ("delegated-access-once", Occasion::DelegatedAccess { roles, days: 90, extends: false }),
    ]
}

fn letter(occasion: Occasion, language: Language) -> Letter {
    let (first, last, name, company) = match language {
        Language::En => ("Aiko", "Tanaka", "Oliver Grant", "Humongous Insurance"),
        Language::Ja => ("愛子", "田中", "佐藤 健", "Contoso株式会社"),
        Language::Fr => ("Camille", "Durand", "Margaux Fontaine", "Margie’s Travel"),
        Language::ZhTw => ("小明", "王", "陳怡君", "康托索股份有限公司"),
    };
    let name = (!matches!(occasion, Occasion::AsProvider)).then(|| name.to_owned());
    let until = match &occasion {
        Occasion::DelegatedAccess { extends: true, .. } => Some(jiff::civil::date(2027, 2, 1)),
        _ => None,
    };
    Letter {
        object: "customer/contoso".to_owned(),
        step: "customer/contoso/invite/northwind".to_owned(),
        estate: "fabrikam".to_owned(),
        occasion,
        from: Sender {
            company: "Fabrikam K.K.".to_owned(),
            first_name: first.to_owned(),
            last_name: last.to_owned(),
            email: "support@fabrikam.example".to_owned(),
            phone: Some("+81 3 1234 5679".to_owned()),
            website: Some("https://support.fabrikam.example".to_owned()),
        },
        to: Recipient {
            company: company.to_owned(),
            domain: Some("contoso.onmicrosoft.com".to_owned()),
            people: vec![Person { name, email: "contact@contoso.example".to_owned() }],
        },
        link: LINK.to_owned(),
        until,
    }
}

fn read_as(message: &Message) -> String {
    let mut text = Vec::new();
    message.text(&mut text).unwrap();
    String::from_utf8(text).unwrap()
}

/// All texts, to be read as pages.
#[test]
fn every_occasion_in_every_language() {
    for language in Language::ALL {
        let all: Vec<String> = occasions()
            .into_iter()
            .map(|(name, occasion)| {
                let message = letter(occasion, language).write(language).unwrap();
                format!("######## {name}\n\n{}", read_as(&message))
            })
            .collect();
        golden(&format!("{}.txt", language.tag()), &all.join("\n"));
    }
}

#[test]
fn the_link_stands_alone_on_its_line_and_nothing_is_left_open() {
    for language in Language::ALL {
        for (name, occasion) in occasions() {
            let message = letter(occasion, language).write(language).unwrap();
            let lines: Vec<&str> = message.body.lines().filter(|line| *line == LINK).collect();
            assert_eq!(lines.len(), 1, "{name} in {}", language.tag());
            assert!(!message.subject.is_empty() && !message.body.contains("{{"), "{name}");
            assert!(message.body.contains("support@fabrikam.example"), "{name}");
            assert!(!message.body.contains("\n\n\n") && !message.body.starts_with('\n'));
        }
    }
}

/// French sets a space that does not break before what stands high.
#[test]
fn french_spaces_do_not_break() {
    for (name, occasion) in occasions() {
        let message = letter(occasion, Language::Fr).write(Language::Fr).unwrap();
        for line in std::iter::once(message.subject.as_str()).chain(message.body.lines()) {
            if line == LINK {
                continue;
            }
            for mark in [" :", " ;", " !", " ?", " »", "« ", "'"] {
                assert!(!line.contains(mark), "{name}: {mark:?} in {line}");
            }
            let marks = line.replace("https://", "");
            for (at, mark) in marks.match_indices([';', '!', '?', ':']) {
                let before = marks.split_at(at).0.chars().next_back();
                let wanted = if mark == ":" { '\u{a0}' } else { '\u{202f}' };
                assert_eq!(before, Some(wanted), "{name}: {mark} in {line}");
            }
        }
    }
}

#[test]
fn a_recipient_is_written_to_in_what_they_read() {
    let of = |tag: &str| Language::of(&country::Language::parse(tag).unwrap());
    assert_eq!(of("en-GB"), Some(Language::En));
    assert_eq!(of("fr-CA"), Some(Language::Fr));
    assert_eq!(of("ja"), Some(Language::Ja));
    for traditional in ["zh-TW", "zh-HK", "zh-Hant", "zh-Hant-TW"] {
        assert_eq!(of(traditional), Some(Language::ZhTw));
    }
    for other in ["zh", "zh-CN", "zh-Hans", "de", "ko"] {
        assert_eq!(of(other), None, "{other}");
    }
}

/// What a plan reports of a template: an entry for each customer.
fn waits(object: &str, step: &str, link: Option<&str>) -> Report {
    Report {
        object: ObjectKey::parse(object).unwrap(),
        state: State::Waiting,
        message: "a global admin of the customer has to approve it".to_owned(),
        link: link.map(str::to_owned),
        since: None,
        until: Some("2027-02-18T09:00:00Z".parse().unwrap()),
        step: Some(step.to_owned()),
        confirms: None,
        instructions: None,
        awaiting: None,
        asks: Some(Asks {
            roles: vec!["Helpdesk Administrator".to_owned(), "Directory Readers".to_owned()],
            days: Some(730),
            extends: true,
        }),
        count: None,
    }
}

const ESTATE: &str = "\
---
apiVersion: partnerctl/v1
kind: Role
metadata: {name: desk}
spec: {group: Desk}
---
apiVersion: partnerctl/v1
kind: DelegatedAccess
metadata: {name: ops}
spec:
  customers: {all: true}
  duration: P730D
  autoExtend: P180D
  grants: [{to: desk, directoryRoles: [Helpdesk Administrator, Directory Readers]}]
";

fn with_customers(number: usize) -> Loaded {
    let mut text = include_str!("../../../tests/role-table/estate/estate.yaml").to_owned();
    text.push_str(ESTATE);
    for at in 0..number {
        let language = ["ja", "en", "fr", "zh-TW", "de"][at % 5];
        let _ = write!(
            text,
            "---\napiVersion: partnerctl/v1\nkind: Customer\nmetadata: {{name: c-{at}}}\nspec:\n  companyName: Company {at}\n  domain: c{at}.onmicrosoft.com\n  contact: {{name: Contact {at}, email: it@c{at}.example, language: {language}}}\n"
        );
    }
    crate::policy::tests::estate(&[("all.yaml", &text)])
}

#[test]
fn each_customer_of_a_template_has_a_message_of_its_own() {
    let loaded = with_customers(300);
    let mut reports: Vec<Report> = (0..300)
        .map(|at| {
            let object = format!("delegated-access/ops/c-{at}");
            let link = format!("{LINK}/{at}");
            let link = (at != 7).then_some(link.as_str());
            waits(&object, &format!("{object}/approve"), link)
        })
        .collect();
    reports.push(waits(
        "delegated-access/ops-two/c-1",
        "delegated-access/ops-two/c-1/approve",
        Some(LINK),
    ));
    reports.push(waits("customer/c-1", "customer/c-1/invite", Some(LINK)));
    assert!(reports.iter().all(is_invitation));
    let asked = |what: &str| reports.iter().filter(|report| is_asked(report, what)).count();
    assert_eq!(asked("delegated-access/ops"), 300);
    assert_eq!(asked("delegated-access/ops/c-1"), 1);
    assert_eq!(asked("delegated-access/ops/c-1/approve"), 1);
    assert_eq!(asked("delegated-access"), 301);
    assert_eq!(asked("customer"), 1);
    assert_eq!(asked("customer/c"), 0);
    let waiting: Vec<Waiting> = reports
        .iter()
        .filter(|report| is_asked(report, "delegated-access/ops"))
        .filter_map(|report| of(report, &loaded.estate))
        .collect();
    assert_eq!(waiting.len(), 299, "without a link there is no message");
    let messages: Vec<Message> = waiting
        .iter()
        .map(|one| one.letter.write(one.language().unwrap_or_default()).unwrap())
        .collect();
    let names: std::collections::BTreeSet<String> =
        messages.iter().map(Message::file_name).collect();
    assert_eq!(names.len(), messages.len());
    assert!(names.contains("delegated-access.ops.c-1.approve.eml"));
    assert_eq!(messages[0].language, Language::Ja);
    assert_eq!(messages[1].link, format!("{LINK}/1"));
    assert_eq!(messages[1].until.as_deref(), Some("2027-02-18"));
    assert_eq!(messages[1].company, "Company 1");
    assert!(messages[1].body.contains("Directory Readers"), "{}", messages[1].body);
    assert!(messages[1].body.contains("730 days"), "{}", messages[1].body);
}

#[test]
fn no_two_customers_of_templates_have_a_file_of_one_name() {
    let of = |step: &str| {
        let one = Letter { step: step.to_owned(), ..letter(Occasion::Reseller, Language::En) };
        one.write(Language::En).unwrap()
    };
    let (one, other) = (of("delegated-access/a-b/c/approve"), of("delegated-access/a/b-c/approve"));
    assert_ne!(one.file_name(), other.file_name());
    // Of these two the names are one, and the longer ones are not.
    let (one, other) = (of("customer/a/invite/b-invite"), of("customer/a-invite-b/invite"));
    assert_eq!(one.file_name(), other.file_name());
    assert_ne!(one.longer_file_name(), other.longer_file_name());
    // Nothing leads out of the folder.
    assert_eq!(of("delegated-access/../../x").file_name(), "delegated-access.--.--.x.eml");
}

#[test]
fn the_same_invitation_has_the_same_id_and_another_link_another() {
    let one = letter(Occasion::Reseller, Language::Ja);
    let id = |letter: &Letter, language| letter.write(language).unwrap().message_id;
    assert_eq!(id(&one, Language::Ja), id(&one, Language::Fr));
    let other = Letter { link: format!("{LINK}2"), ..one.clone() };
    assert_ne!(id(&one, Language::Ja), id(&other, Language::Ja));
    assert!(id(&one, Language::En).ends_with("@fabrikam.example"));
}

#[test]
fn a_link_that_would_not_survive_is_refused() {
    for link in [
        "",
        "https://a.example/ b",
        "https://a.example/\r\nBcc: x@y.example",
        "https://a.example/\u{202e}",
    ] {
        let one = Letter { link: link.to_owned(), ..letter(Occasion::Reseller, Language::En) };
        assert_eq!(one.write(Language::En), Err(Unwritten::Link), "{link:?}");
    }
    let mut one = letter(Occasion::Reseller, Language::En);
    one.from.email = "a@b.example\r\nBcc: x@y.example".to_owned();
    assert_eq!(one.write(Language::En), Err(Unwritten::Address));
}

/// A header's names, and the body as it was before it was encoded, read by rules as plain as can be.
fn split(eml: &[u8]) -> (Vec<String>, String) {
    let text = std::str::from_utf8(eml).unwrap();
    assert!(text.is_ascii());
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut names = Vec::new();
    for line in head.split("\r\n") {
        assert!(line.len() <= 998 && !line.contains(['\r', '\n']), "{line:?}");
        if !line.starts_with([' ', '\t']) {
            names.push(line.split_once(':').unwrap().0.to_owned());
        }
    }
    names.sort();
    (names, body.to_owned())
}

const HEADERS: [&str; 10] = [
    "Content-Language",
    "Content-Transfer-Encoding",
    "Content-Type",
    "Date",
    "From",
    "MIME-Version",
    "Message-ID",
    "Subject",
    "To",
    "X-Unsent",
];

proptest! {
    /// Whatever the texts are: the headers that it always has, one body, and the link on its line.
    #[test]
    fn texts_stay_texts(
        company in any::<String>(),
        provider in ".*",
        name in prop::option::of("[ -~\r\n\t\u{2028}\u{202e}田é<>\"]{0,40}"),
        us in "[ -~\r\n:,@]{0,60}",
        first in any::<String>(),
        tail in "[!-~]{0,300}",
        kind in 0..7usize,
        language in 0..4usize,
    ) {
        let language = Language::ALL[language];
        let mut occasion = occasions().swap_remove(kind).1;
        match &mut occasion {
            Occasion::Together { provider: of, .. } | Occasion::OurProvider { provider: of } => {
                of.clone_from(&provider);
            }
            Occasion::DelegatedAccess { roles, .. } => roles.push(provider.clone()),
            Occasion::Reseller | Occasion::AsProvider => {}
        }
        let mut one = letter(occasion, language);
        one.link = format!("https://partner.example/{tail}");
        one.to.company.clone_from(&company);
        one.to.people[0].name = name;
        one.from.company = us;
        one.from.first_name = first;
        let message = one.write(language).unwrap();
        prop_assert!(!message.subject.contains(['\r', '\n']));
        prop_assert_eq!(message.body.lines().filter(|line| *line == one.link).count(), 1);
        prop_assert!(message.body.chars().all(|c| c == '\n' || !c.is_control()));
        let eml = message.eml("2026-11-20T08:00:00Z".parse().unwrap()).unwrap();
        let (names, body) = split(&eml);
        prop_assert_eq!(names, HEADERS);
        prop_assert!(!body.is_empty());
        let again = message.eml("2026-11-20T08:00:00Z".parse().unwrap()).unwrap();
        prop_assert!(eml == again, "two files of one message differ");
    }
}
