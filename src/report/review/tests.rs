//! What must hold for any review, however large and whatever its texts are.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Format, hide, schema, write};
use crate::plan::Plan;
use crate::plan::file::{Refusal, Why};
use crate::report::Style;
use crate::report::comment::reading::{checked, texts};
use crate::report::plan::fixture as plan_fixture;
use crate::report::proof;
use crate::report::tests::sarif_validator;
use crate::review::access::{AccessChange, Decider, Meet, Names, Rectangle};
use crate::review::estate::FieldChange;
use crate::review::privilege::{DirectoryGrant, Held, RoleGrant};
use crate::review::verdict::{self, Outcome, Verdict};
use crate::review::{
    At, Became, Commit, Effect, FailOn, FindingState, Noted, ObjectChange, Review, RuleChange,
    Side, Standing, StandingChange, Subject,
};

const PLAIN: Style = Style { color: false, width: 100 };
const ALL: [Format; 9] = [
    Format::Text,
    Format::Markdown,
    Format::Html,
    Format::Json,
    Format::Sarif,
    Format::Junit,
    Format::Github,
    Format::Gitlab,
    Format::Azure,
];

/// What a file may be called, and hosts take for something else.
const FILE: &str = "estate/a b,c:d;e]%0A`é.yaml";

/// A comment that hosts take, with room to spare.
const COMMENT_MAX: usize = 60_000;

fn show(review: &Review, format: Format) -> String {
    let mut out = Vec::new();
    write(review, format, PLAIN, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// So many of everything, with these texts wherever one of outside can stand.
fn of(count: usize, next: &mut dyn FnMut() -> String) -> Review {
    let at = |side, line, file: String| At {
        side,
        file,
        line: Some(line),
        column: Some(1),
        end_line: Some(line),
        end_column: Some(9),
    };
    let names = |kind: &str, many: u64, next: &mut dyn FnMut() -> String| Names {
        count: many,
        kinds: BTreeMap::from([(kind.to_owned(), many)]),
        names: (0..many.min(9)).map(|_| format!("{kind}/{}", next())).collect(),
    };
    let mut review = Review {
        base: Commit {
            rev: Some(next()),
            commit: Some("d6e790ad4771480650dcd204611b5c6b2906169e".into()),
        },
        folder: "infra/".to_owned(),
        as_of: "2026-11-20".to_owned(),
        notes: vec![next()],
        ..Review::default()
    };
    let effects = [Effect::Weakens, Effect::MayWeaken, Effect::Neutral, Effect::Tightens];
    for index in 0..count {
        let line = u32::try_from(index + 1).unwrap();
        review.rules.push(RuleChange {
            effect: effects[index % 4],
            subject: Subject::Policy,
            name: next(),
            message: next(),
            reason: Some(next()),
            before: Some(format!("{}\n{}", next(), next())),
            after: Some(next()),
            at: Some(at(
                if index % 2 == 0 { Side::Head } else { Side::Base },
                line,
                FILE.to_owned(),
            )),
        });
        review.roles.push(RoleGrant {
            role: next(),
            held: Held::Eligible,
            who: names("user", 7, next),
            at: Some(at(Side::Head, line, FILE.to_owned())),
        });
        review.directory_roles.push(DirectoryGrant {
            to: format!("role/{}", next()),
            directory_roles: vec![next()],
            gained: names("customer", 12_000, next),
            lost: Names::default(),
            at: None,
        });
        let states =
            [FindingState::ByTheBase, FindingState::New, FindingState::Still, FindingState::Fixed];
        review.findings.push(Noted {
            state: states[index % 4],
            code: "P1203".to_owned(),
            severity: ["error", "warning", "note"][index % 3].to_owned(),
            message: next(),
            help: Some(next()),
            object: Some(format!("user/{}", next())),
            at: at(Side::Head, line, FILE.to_owned()),
            denies: index % 4 == 0,
        });
        let became = [Became::Changed, Became::Added, Became::Removed, Became::Renamed][index % 4];
        let object = format!("customer/{}", next());
        review.changes.push(ObjectChange {
            object: object.clone(),
            became,
            formerly: (became == Became::Renamed).then(&mut *next),
            fields: vec![FieldChange {
                path: "spec.displayName".into(),
                before: json!(next()),
                after: json!([next()]),
            }],
            gains: 3,
            at: Some(at(Side::Head, line, FILE.to_owned())),
        });
        review.standing.push(StandingChange {
            object: format!("user/{}", next()),
            standing: Standing::Identity,
            field: FieldChange {
                path: "spec.email".into(),
                before: json!(next()),
                after: json!(next()),
            },
            privileged: index % 2 == 0,
            at: Some(at(Side::Head, line, FILE.to_owned())),
        });
        let id = format!("own.{index:05}");
        review.policies.push(Decider {
            id: id.clone(),
            reason: Some(next()),
            permits: true,
            built_in: false,
            at: at(Side::Head, line, FILE.to_owned()),
        });
        let rectangle = Rectangle {
            principals: names("user", 10_000, next),
            actions: vec!["administer-on-behalf".to_owned()],
            resources: names("customer", 3, next),
            meet: [Meet::All, Meet::Others, Meet::Same][index % 3],
            count: 30_000,
            policies: vec![id],
            causes: vec![object, next()],
            privileged: index % 2 == 0,
            new_principals: 1,
            new_resources: if index % 5 == 1 { 3 } else { 0 },
        };
        review.access.gained.push(rectangle.clone());
        review.access.lost.push(rectangle);
    }
    if count > 0 {
        review.proof.comment = proof::markdown(&proof::of_texts(count, next), 5);
    }
    review.by_policies = Some(AccessChange { ..review.access.clone() });
    review.verdict = verdict::verdict(&review, FailOn::Widened);
    review
}

fn filled(count: usize, texts: &[String]) -> Review {
    let mut at = 0;
    of(count, &mut || {
        at += 1;
        format!("{} n{at}", texts[at % texts.len()])
    })
}

fn plain() -> Vec<String> {
    vec!["word".to_owned()]
}

#[test]
fn a_comment_fits_at_any_size() {
    for count in [0, 1, 10, 100, 5_000] {
        let shown = show(&filled(count, &plain()), Format::Markdown);
        assert!(shown.len() <= COMMENT_MAX, "{count}: {}", shown.len());
        checked(&shown);
        if count > 50 {
            assert!(shown.len() > 25_000, "{count}: what fits is shown: {}", shown.len());
            assert!(shown.contains("see `partnerctl review --format html`"));
        }
    }
    let long = vec!["長い`|@".repeat(4_000)];
    let shown = show(&filled(200, &long), Format::Markdown);
    assert!(shown.len() <= COMMENT_MAX, "{}", shown.len());
    checked(&shown);
}

#[test]
fn what_matters_comes_first() {
    let shown = show(&filled(300, &plain()), Format::Markdown);
    let place = |text: &str| shown.find(text).unwrap_or_else(|| panic!("{text}:\n{shown}"));
    let order = [
        "<!-- partnerctl-review:",
        "## Review: ",
        "[!CAUTION]",
        "### What it changes about the rules",
        "### What keeps it from being merged",
        "### Privileged roles",
        "### Who gains what",
        "### Inside customers' tenants",
        "### Who loses what",
        "By the policies alone",
        "### In every estate there could be",
        "New findings: ",
        "What differs in the estate: ",
    ];
    assert!(order.is_sorted_by_key(|text| place(text)));
}

/// However long policies are, and their reasons: that a guard is lowered stands in the comment.
#[test]
fn no_policy_pushes_a_guard_out_of_the_comment() {
    let mut review = filled(1, &plain());
    let rule = |subject, name: &str, text: &str| RuleChange {
        effect: Effect::Weakens,
        subject,
        name: name.to_owned(),
        message: format!("the {} is changed", subject.word()),
        reason: Some(text.to_owned()),
        before: None,
        after: Some(text.to_owned()),
        at: None,
    };
    let long = format!("{}\n", "長い理由".repeat(200)).repeat(9);
    let policies = (0..200).map(|at| rule(Subject::Policy, &format!("own.{at}"), &long));
    review.rules = policies.chain([rule(Subject::Guard, "globalAdmins", "1")]).collect();
    let shown = show(&review, Format::Markdown);
    assert!(shown.contains("the guard is changed"), "one that is too long takes no other with it");
    assert!(shown.len() <= COMMENT_MAX);
}

/// Whoever looks at annotations or test reports alone does not find green what ends with a failure.
#[test]
fn whatever_ends_the_run_is_an_error_for_machines() {
    let refused = |why| Plan {
        refused: vec![Refusal {
            why,
            step: None,
            message: "no".to_owned(),
            remedy: "do otherwise".to_owned(),
        }],
        ..plan_fixture::empty()
    };
    let whole = || filled(1, &plain());
    let standing = StandingChange { privileged: true, ..whole().standing.remove(0) };
    for (fail_on, outcome, review) in [
        (
            FailOn::Privileged,
            Outcome::Stopped,
            Review { standing: vec![standing], ..Review::default() },
        ),
        (
            FailOn::None,
            Outcome::OverLimit,
            Review { plan: Some(refused(Why::Limit)), ..Review::default() },
        ),
        (
            FailOn::None,
            Outcome::Denied,
            Review { plan: Some(refused(Why::Guard)), ..Review::default() },
        ),
        (
            FailOn::None,
            Outcome::Invalid,
            Review { plan: Some(refused(Why::Manifest)), ..Review::default() },
        ),
        (
            FailOn::None,
            Outcome::OverLimit,
            Review { over_limits: vec!["too much".to_owned()], ..Review::default() },
        ),
        (
            FailOn::Privileged,
            Outcome::Stopped,
            Review { access_unknown: Some("it is".to_owned()), ..Review::default() },
        ),
        // What nobody has thought of.
        (
            FailOn::None,
            Outcome::Stopped,
            Review {
                verdict: Verdict {
                    outcome: Outcome::Stopped,
                    because: vec!["it is new".to_owned()],
                    ..Verdict::default()
                },
                ..Review::default()
            },
        ),
    ] {
        let mut review = review;
        if review.verdict.because.is_empty() {
            review.verdict = verdict::verdict(&review, fail_on);
        }
        assert_eq!(review.verdict.outcome, outcome);
        for (format, words) in [
            (Format::Junit, "<failure "),
            (Format::Github, "::error "),
            (Format::Azure, "type=error"),
            (Format::Sarif, "\"level\": \"error\""),
            (Format::Gitlab, "\"severity\": \"critical\""),
        ] {
            let shown = show(&review, format);
            assert!(shown.contains(words), "{words} for {:?}:\n{shown}", review.verdict);
        }
    }
}

/// The next comment takes the place of this one: the marker knows the project and nothing else.
#[test]
fn the_marker_is_the_projects() {
    let marker =
        |review: &Review| show(review, Format::Markdown).lines().next().unwrap().to_owned();
    let mut other = filled(1, &plain());
    assert_eq!(marker(&other), marker(&filled(30, &plain())));
    other.folder = "elsewhere/".to_owned();
    assert_ne!(marker(&other), marker(&filled(30, &plain())));
}

#[test]
fn json_is_what_its_schema_says() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    for review in [Review::default(), filled(8, &plain())] {
        let json: Value = serde_json::from_str(&show(&review, Format::Json)).unwrap();
        let errors: Vec<String> = validator.iter_errors(&json).map(|one| one.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
        assert_eq!(json["format"], "partnerctl/review/v1");
        assert_eq!(json["proof"]["verdict"], "not-proved");
    }
    assert!(!validator.is_valid(&json!({"format": "partnerctl/review/v2"})));
}

#[test]
fn sarif_is_valid_and_on_the_lines_of_the_head() {
    let validator = sarif_validator();
    for review in [Review::default(), filled(12, &plain())] {
        let sarif: Value = serde_json::from_str(&show(&review, Format::Sarif)).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(&sarif).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert_eq!(errors, Vec::<String>::new());
    }
    let sarif: Value = serde_json::from_str(&show(&filled(12, &plain()), Format::Sarif)).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let mut prints: Vec<&str> = results
        .iter()
        .map(|one| one["partialFingerprints"]["partnerctl/v1"].as_str().unwrap())
        .collect();
    prints.sort_unstable();
    prints.dedup();
    assert_eq!(prints.len(), results.len(), "each has a fingerprint of its own");
    let rules = results.iter().filter(|one| one["ruleId"] == "review-rule");
    let with_lines =
        rules.filter(|one| !one["locations"][0]["physicalLocation"]["region"].is_null());
    assert_eq!(with_lines.count(), 6, "what stood at the base has no line at the head");
}

#[test]
fn what_stops_is_an_error_and_what_does_not_is_none() {
    let review = filled(4, &plain());
    let count = |review: &Review, format, words: &str| show(review, format).matches(words).count();
    assert!(count(&review, Format::Junit, "<failure") > 4);
    let lenient = Review {
        findings: Vec::new(),
        verdict: Verdict { fail_on: FailOn::None, ..Verdict::default() },
        ..review
    };
    assert_eq!(count(&lenient, Format::Junit, "<failure"), 0);
    assert_eq!(count(&lenient, Format::Github, "::error "), 0);
    assert!(count(&lenient, Format::Github, "::warning ") > 4);
    let nothing = show(&Review::default(), Format::Junit);
    assert!(nothing.contains("no change in access"), "{nothing}");
}

#[test]
fn no_secret_is_in_any_format() {
    let token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJub2JvZHkifQ.c2lnbmF0dXJlMTIz";
    let identity = "AGE-SECRET-KEY-1QQPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L";
    let secrets: Vec<String> =
        [token, identity].into_iter().map(|one| format!("before {one} after")).collect();
    let mut review = filled(6, &secrets);
    hide(&mut review, &[]);
    for format in ALL {
        let shown = show(&review, format);
        for canary in ["eyJhbGci", "c2lnbmF0", "AGE-SECRET", "1QQPZRY9"] {
            assert!(!shown.contains(canary), "{canary} in {format:?}:\n{shown}");
        }
    }
}

#[test]
fn the_same_review_is_the_same_bytes() {
    for format in ALL {
        assert_eq!(show(&filled(5, &plain()), format), show(&filled(5, &plain()), format));
    }
}

#[test]
fn nothing_comes_into_the_page_from_elsewhere() {
    let rendered = show(&filled(3, &plain()), Format::Html);
    for outside in ["://", "src=", "@import", "url(", "fetch(", "<link", "<img", "<iframe"] {
        assert!(!rendered.contains(outside), "{outside}");
    }
    for markup in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
        assert!(!rendered.contains(markup), "{markup}");
    }
    assert!(rendered.contains("default-src 'none'"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever the texts are, the document has the parts that it has with harmless ones.
    #[test]
    fn texts_are_no_markdown(texts in texts()) {
        let shown = |texts: &[String]| checked(&show(&filled(1, texts), Format::Markdown));
        prop_assert_eq!(shown(&texts), shown(&plain()));
    }

    #[test]
    fn texts_do_nothing_to_a_terminal_or_a_log(texts in texts()) {
        let review = filled(4, &texts);
        for format in [Format::Text, Format::Github, Format::Azure] {
            let shown = show(&review, format);
            let harmless = show(&filled(4, &plain()), format);
            for line in shown.lines() {
                prop_assert!(!line.chars().any(char::is_control), "{line:?}");
            }
            let commands = |text: &str| {
                text.lines().filter(|line| line.trim_start().starts_with("::")).count()
                    + text.matches("##vso[").count()
                    + text.matches("##[").count()
            };
            prop_assert_eq!(commands(&shown), commands(&harmless));
            prop_assert!(!shown.contains('\u{202e}'), "reordered");
        }
    }

    #[test]
    fn texts_end_no_data(texts in texts()) {
        let review = filled(4, &texts);
        let (page, harmless) = (show(&review, Format::Html), show(&filled(4, &plain()), Format::Html));
        for count in ["<script", "</script", "<!--", "\u{2028}", "\u{202e}", "\u{1b}"] {
            prop_assert_eq!(page.matches(count).count(), harmless.matches(count).count(), "{}", count);
        }
        for format in [Format::Json, Format::Sarif, Format::Gitlab] {
            prop_assert!(serde_json::from_str::<Value>(&show(&review, format)).is_ok());
        }
    }
}
