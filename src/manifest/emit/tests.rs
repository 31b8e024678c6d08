use proptest::prelude::*;

use super::*;
use crate::manifest::source::{Format, Source, Sources};
use crate::manifest::{Load, Loaded, ReadProject, Tables, Trouble, TroubleKind, load};
use crate::model::estate::Estate;
use crate::model::scalar::Scalar;
use crate::model::time::Day;

struct NoTables;

impl Tables for NoTables {
    fn open(&self, _: &str, _: &str) -> Result<(String, Vec<u8>), (TroubleKind, String)> {
        Err((TroubleKind::Missing, "there are no tables".to_owned()))
    }
}

fn read(texts: Vec<String>) -> Loaded {
    let mut sources = Sources::default();
    for (at, text) in texts.into_iter().enumerate() {
        let name = format!("{at}.yaml");
        sources.add(Source { name, format: Format::Yaml, bytes: text.into_bytes() });
    }
    load(Load {
        sources,
        project: ReadProject::default(),
        project_name: "partnerctl.yaml".to_owned(),
        troubles: Vec::<Trouble>::new(),
        tables: &NoTables,
        examiner: &crate::policy::check::Policies,
        complete: false,
        today: Day::parse("2026-11-20").unwrap(),
    })
}

/// Everything in an estate that can be written, as files.
fn written(estate: &Estate) -> String {
    let mut documents: Vec<Document> = Vec::new();
    let account_document = estate
        .account
        .iter()
        .map(|one| Document::new(Kind::Account, &one.metadata, account(&one.spec)));
    documents.extend(account_document);
    documents.extend(
        estate.users.values().map(|one| Document::new(Kind::User, &one.metadata, user(&one.spec))),
    );
    documents.extend(
        estate.roles.values().map(|one| Document::new(Kind::Role, &one.metadata, role(&one.spec))),
    );
    documents.extend(
        estate
            .partnerships
            .values()
            .map(|one| Document::new(Kind::Partnership, &one.metadata, partnership(&one.spec))),
    );
    documents.extend(
        estate
            .customers
            .values()
            .map(|one| Document::new(Kind::Customer, &one.metadata, customer(&one.spec))),
    );
    documents.extend(estate.delegated_access.values().map(|one| {
        Document::new(Kind::DelegatedAccess, &one.metadata, delegated_access(&one.spec))
    }));
    file(&documents)
}

fn is_laid_out(text: &str) -> bool {
    let formatted = format_yaml(text, &CanonicalOrder::default());
    formatted.text == text && formatted.refused.is_empty() && formatted.unreadable == 0
}

/// But for where things stand.
fn assert_same(left: &Estate, right: &Estate) {
    macro_rules! same {
        ($($field:ident)*) => {$(
            assert_eq!(left.$field.len(), right.$field.len());
            for ((key, left), (other, right)) in left.$field.iter().zip(&right.$field) {
                assert_eq!((key, &left.metadata, &left.spec), (other, &right.metadata, &right.spec));
            }
        )*};
    }
    same!(users roles partnerships customers delegated_access);
    let account =
        |estate: &Estate| estate.account.clone().map(|account| (account.metadata, account.spec));
    assert_eq!(account(left), account(right));
}

#[test]
fn every_example_is_read_back_as_it_was() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut seen = 0;
    for example in std::fs::read_dir(root).unwrap() {
        let estate = example.unwrap().path().join("estate");
        // Recipes have none.
        if !estate.is_dir() {
            continue;
        }
        let files = walk(&estate);
        let loaded = read(files);
        let again = written(&loaded.estate);
        assert!(is_laid_out(&again), "{again}");
        assert_same(&loaded.estate, &read(vec![again]).estate);
        seen += loaded.estate.users.len();
    }
    assert!(seen > 10, "{seen}");
}

fn walk(folder: &std::path::Path) -> Vec<String> {
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            texts.extend(walk(&path));
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            texts.push(std::fs::read_to_string(path).unwrap());
        }
    }
    texts
}

/// What YAML could take for something else, and what a person could call a company.
fn title() -> impl Strategy<Value = String> {
    let odd = [
        "no",
        "null",
        "~",
        "1",
        "0x1F",
        "1e3",
        "2026-11-20",
        "yes",
        "true",
        "- a",
        "a: b",
        "# a",
        "a #b",
        "'",
        "\"",
        "\\",
        "{a}",
        "[a]",
        "*a",
        "&a",
        "!a",
        "%a",
        "@a",
        "`a",
        "|",
        ">",
        "=",
        "田中 愛子",
        "a\u{2028}b",
        "a\u{feff}b",
        "a\u{a0}",
        "🙂",
        "---",
        "...",
        "? a",
        ": a",
        "a:",
    ];
    prop_oneof![
        prop::sample::select(odd.to_vec()).prop_map(str::to_owned),
        "\\PC{1,30}",
        "[ -~]{1,90}",
    ]
    .prop_filter("a name", |text| {
        crate::model::text::Title::parse(text).is_ok()
            && crate::model::secret::look_for(text).is_empty()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn whatever_somebody_is_called_is_read_back(name in title(), company in title(), remark in title()) {
        let specs = [
            (Kind::User, json!({"displayName": name, "email": "a@b.example", "agent": "none", "admin": "none", "jobTitle": company})),
            (Kind::Role, json!({"description": remark, "group": name})),
            (Kind::Customer, json!({"companyName": company, "domain": "c.onmicrosoft.com"})),
        ];
        let documents: Vec<Document> = specs
            .into_iter()
            .map(|(kind, spec)| Document::named(kind, "x", spec).remark(remark.clone()))
            .collect();
        let text = file(&documents);
        let estate = read(vec![text.clone()]).estate;
        let user = &estate.users["x"].spec;
        prop_assert_eq!(user.display_name.as_str(), name.as_str(), "{}", text);
        prop_assert_eq!(user.job_title.as_ref().unwrap().as_str(), company.as_str(), "{}", text);
        let role = &estate.roles["x"].spec;
        prop_assert_eq!(role.description.as_ref().unwrap().as_str(), remark.as_str(), "{}", text);
        prop_assert_eq!(estate.customers["x"].spec.company_name.as_str(), company.as_str(), "{}", text);
        // Some characters keep a document from being laid out at all, and then it stays as it is.
        prop_assert_eq!(format_yaml(&text, &CanonicalOrder::default()).text, text);
    }
}

#[test]
fn a_remark_stays_one() {
    let document = Document::named(Kind::Role, "x", json!({"group": "X"}))
        .remark("a\nkind: User\u{2028}metadata: {name: evil}\u{85}x\u{202e}");
    let text = file(&[document]);
    assert_eq!(
        text,
        "# a\u{fffd}kind: User\u{fffd}metadata: {name: evil}\u{fffd}x\u{fffd}\napiVersion: partnerctl/v1\nkind: Role\nmetadata: {name: x}\nspec:\n  group: X\n"
    );
}
