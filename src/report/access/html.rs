//! Access as one page that needs nothing else: no network, no library, no server.
//!
//! The page is a template with two gaps, its title and its data. What is shown is made in the
//! browser from the data, so that a thousand people by five thousand customers stay a few
//! megabytes; names become text nodes there and nowhere markup. It does not decide anything: who
//! may do what, and which policies say so, arrives in [`Page`].

use std::collections::BTreeMap;
use std::io::{self, Write};

use askama::Template;
use serde::Serialize;

use crate::report::clean;
use crate::report::page::harmless;

/// What the page shows. Numbers in it are positions in its lists, because the same few thousand
/// names stand in hundreds of rectangles.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    /// What stands on top and in the browser's tab. Not part of the data.
    #[serde(skip)]
    pub title: String,
    /// `as declared on 2026-11-20`.
    pub heading: String,
    /// Who was asked about, those without any access too, as `kind/name`.
    pub people: Vec<String>,
    /// What was asked about, likewise.
    pub things: Vec<String>,
    /// The labels of people and things that have some.
    pub labels: BTreeMap<String, BTreeMap<String, String>>,
    pub actions: Vec<Action>,
    pub roles: Vec<Role>,
    /// Every combination that is allowed is in exactly one of them.
    pub rectangles: Vec<Rectangle>,
    pub policies: Vec<Policy>,
}

/// Something that may be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Action {
    pub name: String,
    /// One sentence.
    pub meaning: String,
    /// The key of its group, as in `customer-data`.
    pub group: String,
}

/// A role, and what it alone gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Role {
    pub name: String,
    pub built_in: bool,
    /// Positions in `people`.
    pub holders: Vec<usize>,
    /// By position in `actions`; actions that it does not give at all may be left out.
    pub cells: BTreeMap<usize, Cell>,
}

/// On how many of the things that an action is about a holder of a role alone is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Cell {
    pub allowed: usize,
    pub of: usize,
}

/// Each of these people may do each of these actions to each of these things.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rectangle {
    /// Positions in `people`, each once.
    #[serde(rename = "p")]
    pub people: Vec<usize>,
    /// Positions in `actions`, each once.
    #[serde(rename = "a")]
    pub actions: Vec<usize>,
    /// Positions in `things`, each once.
    #[serde(rename = "r")]
    pub things: Vec<usize>,
    /// Positions in `policies`: those that decided, each for some combinations at least.
    pub by: Vec<usize>,
}

/// A policy that decided something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Policy {
    pub id: String,
    /// May be empty.
    pub reason: String,
    /// `policies/admin-agent.cedar:7`; may be empty.
    pub place: String,
}

/// The name and version of the data. The page refuses another.
const FORMAT: &str = "partnerctl/access-page/v1";

/// For everybody: one page, to be opened from wherever it is saved.
pub fn html(page: &Page, out: &mut dyn Write) -> io::Result<()> {
    let data = harmless(&serde_json::to_string(&Data { format: FORMAT, page })?);
    let title = clean::line(&page.title);
    let document = Document { title: &title, data: &data };
    document.write_into(out)
}

#[derive(Debug, Serialize)]
struct Data<'a> {
    format: &'static str,
    #[serde(flatten)]
    page: &'a Page,
}

#[derive(Template)]
#[template(path = "report/access/page.html")]
struct Document<'a> {
    title: &'a str,
    /// JSON that went through [`harmless`].
    data: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page of one person who may do one thing to one customer.
    fn page() -> Page {
        Page {
            title: "Who may do what in fabrikam".into(),
            heading: "as declared on 2026-11-20".into(),
            people: vec!["user/aiko-tanaka".into()],
            things: vec!["customer/contoso".into()],
            labels: BTreeMap::from([(
                "customer/contoso".into(),
                BTreeMap::from([("segment".into(), "enterprise".into())]),
            )]),
            actions: vec![Action {
                name: "view-customer".into(),
                meaning: "Search for customers and see them.".into(),
                group: "customer-data".into(),
            }],
            roles: vec![Role {
                name: "admin-agent".into(),
                built_in: true,
                holders: vec![0],
                cells: BTreeMap::from([(0, Cell { allowed: 1, of: 1 })]),
            }],
            rectangles: vec![Rectangle {
                people: vec![0],
                actions: vec![0],
                things: vec![0],
                by: vec![0],
            }],
            policies: vec![Policy {
                id: "admin-agent.customers".into(),
                reason: "an admin agent manages customers".into(),
                place: "policies/admin-agent.cedar:7".into(),
            }],
        }
    }

    fn rendered(page: &Page) -> String {
        let mut out = Vec::new();
        html(page, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// What stands between the tags of the data.
    fn data(rendered: &str) -> &str {
        let (_, after) = rendered.split_once(r#"id="data">"#).unwrap();
        after.split_once("</script>").unwrap().0
    }

    #[test]
    fn the_data_is_as_the_page_reads_it() {
        assert_eq!(
            data(&rendered(&page())),
            concat!(
                r#"{"format":"partnerctl/access-page/v1","heading":"as declared on 2026-11-20","#,
                r#""people":["user/aiko-tanaka"],"things":["customer/contoso"],"#,
                r#""labels":{"customer/contoso":{"segment":"enterprise"}},"#,
                r#""actions":[{"name":"view-customer","meaning":"Search for customers and see them.","#,
                r#""group":"customer-data"}],"#,
                r#""roles":[{"name":"admin-agent","builtIn":true,"holders":[0],"#,
                r#""cells":{"0":{"allowed":1,"of":1}}}],"#,
                r#""rectangles":[{"p":[0],"a":[0],"r":[0],"by":[0]}],"#,
                r#""policies":[{"id":"admin-agent.customers","reason":"an admin agent manages customers","#,
                r#""place":"policies/admin-agent.cedar:7"}]}"#,
            )
        );
    }

    #[test]
    fn no_name_ends_the_data_or_becomes_markup() {
        let hostile = "user/</script><script>alert(1)</script><!--\u{2028}\u{2029}&amp;\"\\";
        let harmless = rendered(&page());
        let mut page = page();
        page.people.push(hostile.into());
        page.labels.insert(hostile.into(), BTreeMap::from([(hostile.into(), hostile.into())]));
        page.title = hostile.into();
        let rendered = rendered(&page);

        for count in ["<script", "</script", "<!--", "\u{2028}", "\u{2029}"] {
            assert_eq!(rendered.matches(count).count(), harmless.matches(count).count(), "{count}");
        }
        let read: serde_json::Value = serde_json::from_str(data(&rendered)).unwrap();
        assert_eq!(read["people"][1], hostile, "the text is what it was");
        assert_eq!(read["labels"][hostile][hostile], hostile);
    }

    #[test]
    fn what_hides_or_reorders_is_seen() {
        let mut page = page();
        page.policies[0].reason = "may not\u{202e}yap\u{200b} 髙\u{e0100}".into();
        let read: serde_json::Value = serde_json::from_str(data(&rendered(&page))).unwrap();
        assert_eq!(read["policies"][0]["reason"], r"may not\u{202e}yap\u{200b} 髙󠄀");
    }

    #[test]
    fn nothing_comes_from_elsewhere() {
        let rendered = rendered(&page());
        for outside in ["://", "src=", "@import", "url(", "fetch(", "<link", "<img", "<iframe"] {
            assert!(!rendered.contains(outside), "{outside}");
        }
        assert!(rendered.contains("default-src 'none'"));
        // Names reach the document as text alone.
        for markup in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
            assert!(!rendered.contains(markup), "{markup}");
        }
    }

    #[test]
    fn the_same_page_is_the_same_bytes() {
        assert_eq!(rendered(&page()), rendered(&page()));
    }
}
