//! A saved plan, shown far from its project.

use partnerctl::plan::Plan;

use crate::world::{Ended, Folder, repository};

/// The plan of the fixture, as it was written.
pub(crate) fn saved() -> String {
    std::fs::read_to_string(repository().join("tests/fixtures/plan.json")).unwrap()
}

fn show(text: &str, args: &[&str]) -> Ended {
    let folder = Folder::new().with("saved.json", text);
    folder.run(&[&["show", "saved.json"], args].concat())
}

#[test]
fn a_plan_is_shown_without_its_project() {
    let ended = show(&saved(), &[]);
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
    assert!(ended.out.contains("\n! customer/litware "), "{}", ended.out);
    let last = ended.out.lines().last().unwrap();
    assert!(
        last.starts_with("plan ") && last.contains("; 2 refused; over the limits of "),
        "{last}"
    );
    assert!(!ended.out.contains('\u{1b}'), "no colours where nobody sees them");

    let markdown = show(&saved(), &["--format", "markdown"]);
    assert_eq!(markdown.code, 0);
    assert!(markdown.out.starts_with("## Plan "), "{}", markdown.out);
}

#[test]
fn shown_as_json_it_is_the_same_plan() {
    let ended = show(&saved(), &["--format", "json"]);
    assert_eq!(ended.code, 0);
    let shown = Plan::read(ended.out.as_bytes()).unwrap();
    assert_eq!(shown, Plan::read(saved().as_bytes()).unwrap());
    assert_eq!(show(&ended.out, &["--format", "json"]).out, ended.out, "it can be shown again");
}

#[test]
fn what_is_no_plan_is_refused() {
    let saved = saved();
    let tampered = saved.replace("user/dai-abe", "user/emi-abe");
    let newer = saved.replace("partnerctl/plan/v1", "partnerctl/plan/v2");
    let foreign = r#"{"format": "partnerctl/findings/v1", "findings": []}"#;
    let extended = saved.replace("\"digest\":", "\"approved\":true,\"digest\":");
    for (text, because) in [
        (tampered.as_str(), "its digest is not that of its content: it was changed"),
        (
            &newer,
            "its format is \"partnerctl/plan/v2\", and this partnerctl knows \"partnerctl/plan/v1\"",
        ),
        (foreign, "its format is \"partnerctl/findings/v1\""),
        ("{}", "it does not say that its format is \"partnerctl/plan/v1\""),
        (&extended, "unknown field `approved`"),
        ("# a plan\n", "it is not JSON"),
        ("", "it is not JSON"),
        (&saved[..saved.len() / 2], "it is not JSON"),
    ] {
        assert_ne!(text, saved, "{because}");
        for format in ["text", "json", "markdown"] {
            let ended = show(text, &["--format", format]);
            assert_eq!((ended.code, ended.out.as_str()), (6, ""), "{because}: {}", ended.err);
            assert!(
                ended.err.starts_with("error: saved.json is no plan that can be used\n"),
                "{}",
                ended.err
            );
            assert!(ended.err.contains(because), "{because}: {}", ended.err);
        }
    }
}

#[test]
fn observed_later_it_is_the_same_plan() {
    let later = saved().replace("2026-11-20T09:15:00Z", "2026-11-20T10:45:00Z");
    let ended = show(&later, &[]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.out.contains("2026-11-20 10:45 UTC"));
}

#[test]
fn a_file_that_is_not_there_is_a_failure() {
    let folder = Folder::new().with_folder("saved.json");
    for (args, because) in [
        (["show", "other.json"], "error: reading other.json: No such file"),
        (["show", "saved.json"], "error: reading saved.json: Is a directory"),
    ] {
        let ended = folder.run(&args);
        assert_eq!(ended.code, 1);
        assert!(ended.err.starts_with(because), "{}", ended.err);
    }
    assert_eq!(folder.run(&["show"]).code, 64);
}
