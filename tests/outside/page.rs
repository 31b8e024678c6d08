//! The page of access, opened in a browser: what it shows is made there, so only there is it seen.
//!
//! Chromium runs without a window, prints the document that it made of the page, and is ended when
//! it takes too long.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use partnerctl::report::access::{Action, Cell, Page, Policy, Rectangle, Role, html};
use tempfile::TempDir;

/// What the search is asked, as a person would type it, after the page has been drawn.
const TYPES_A_NAME: &str = "<script>addEventListener('load', () => {
  const field = document.getElementById('search');
  field.focus();
  field.value = 'SER-77';
  field.dispatchEvent(new Event('input'));
});</script>";

/// Compares what the page makes of the rectangles with what they say one by one.
const COMPARES: &str = "<script>
const told = [];
const expect = (holds, text) => { if (!holds) told.push(text); };
for (const [side, other, all] of [['p', 'r', people], ['r', 'p', things]]) {
  const naive = all.map((_, i) => data.rectangles.filter((one) => one[side].includes(i))
    .flatMap((one) => one[other].flatMap((o) => one.a.map((a) => `${a}/${o}`))).sort().join());
  const groups = equals(side, other), seen = new Set();
  for (const { members, rectangles } of groups) {
    const made = blocks(rectangles, other)
      .flatMap(({ others, rows }) => others.flatMap((o) => rows.flatMap((row) => row.actions.map((a) => `${a}/${o}`))));
    for (const i of members) expect(naive[i] === made.sort().join(), `${all[i]} in its group`);
    expect(!seen.has(naive[members[0]]), `${all[members[0]]} is equal to another group`);
    seen.add(naive[members[0]]);
  }
  expect(groups.flatMap(({ members }) => members).length === all.length, `each ${side} once`);
  told.push(`${groups.length} groups of ${all.length}`);
}
document.body.append(el('pre', { id: 'compared' }, told.join('; ')));
</script>";

const WAIT_MAX: Duration = Duration::from_mins(1);
const WAIT: Duration = Duration::from_millis(50);

/// The document that a browser makes of a page of access at an address.
fn opened(page: &Page, fragment: &str, also: &str) -> String {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("access.html");
    let mut bytes = Vec::new();
    html(page, &mut bytes).unwrap();
    bytes.extend_from_slice(also.as_bytes());
    fs::write(&file, bytes).unwrap();
    dumped(folder.path(), &format!("file://{}{fragment}", file.display()))
}

pub(crate) fn dumped(folder: &Path, address: &str) -> String {
    let document = folder.join("document.html");
    let mut browser = Command::new("chromium")
        // The page is ours, and whoever runs tests as root has no sandbox.
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
        .args(["--no-first-run", "--disable-extensions", "--virtual-time-budget=10000"])
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .args(["--dump-dom", address])
        .stdin(Stdio::null())
        .stdout(File::create(&document).unwrap())
        .stderr(Stdio::null())
        .spawn()
        .expect("chromium is there (Debian's package of that name)");
    let mut waited = Duration::ZERO;
    while browser.try_wait().unwrap().is_none() {
        if waited >= WAIT_MAX {
            browser.kill().unwrap();
            browser.wait().unwrap();
            panic!("chromium took longer than {WAIT_MAX:?}");
        }
        thread::sleep(WAIT);
        waited += WAIT;
    }
    let document = fs::read_to_string(&document).unwrap();
    assert!(document.contains("data-rendered="), "the page's script came to its end:\n{document}");
    document
}

/// The text between a mark and another, tags left out.
pub(crate) fn text<'a>(document: &'a str, from: &str, to: &str) -> String {
    let part = |text: &'a str| text.split_once(from)?.1.split_once(to).map(|(part, _)| part);
    let part = part(document).unwrap_or_else(|| panic!("`{from}` ... `{to}`:\n{document}"));
    // The first piece is the rest of the tag that `from` begins.
    let pieces = part.split('<').filter_map(|piece| piece.split_once('>')).map(|(_, text)| text);
    pieces.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("|")
}

fn view(document: &str) -> String {
    text(document, "<article id=\"view\"", "</article>")
}

fn action(index: usize) -> Action {
    Action {
        name: format!("action-{index}"),
        meaning: format!("Does thing {index}."),
        group: format!("group-{}", index / 5),
    }
}

/// Ben and Chie may do the same to two customers, Dai nothing; the provider orders for Contoso.
fn small() -> Page {
    let named = |kind: &str, names: &[&str]| -> Vec<String> {
        names.iter().map(|name| format!("{kind}/{name}")).collect()
    };
    let policy = |id: &str| Policy {
        id: id.into(),
        reason: format!("because of <b>{id}</b>"),
        place: format!("policies/{id}.cedar:7"),
    };
    let hostile = "<img src=x onerror=alert(1)>";
    Page {
        title: "Who may do what in fabrikam".into(),
        heading: "as declared on 2026-11-20".into(),
        people: [
            named("user", &["ben-ito", "chie-mori", "dai-abe"]),
            named("partnership", &["northwind"]),
        ]
        .concat(),
        things: named("customer", &["contoso", "adatum", "litware"]),
        labels: BTreeMap::from([(
            "customer/contoso".into(),
            BTreeMap::from([("segment".into(), hostile.into())]),
        )]),
        actions: vec![action(0), action(1)],
        roles: vec![Role {
            name: "helpdesk-agent".into(),
            built_in: true,
            holders: vec![0, 1],
            cells: BTreeMap::from([
                (0, Cell { allowed: 2, of: 3 }),
                (1, Cell { allowed: 3, of: 3 }),
            ]),
        }],
        rectangles: vec![
            // The same for both, told in two ways.
            Rectangle { people: vec![0], actions: vec![0], things: vec![0, 1], by: vec![0] },
            Rectangle { people: vec![1], actions: vec![0], things: vec![0], by: vec![0] },
            Rectangle { people: vec![1], actions: vec![0], things: vec![1], by: vec![1] },
            Rectangle { people: vec![3], actions: vec![1], things: vec![0], by: vec![1] },
        ],
        policies: vec![policy("helpdesk"), policy("orders")],
    }
}

/// Twenty kinds of people, each with more actions on more of the customers than the one before.
fn large() -> Page {
    let kind = |person: usize| (person + 7) % 20;
    Page {
        title: "Who may do what in fabrikam".into(),
        heading: "as declared on 2026-11-20".into(),
        people: (0..1_000).map(|person| format!("user/user-{person}")).collect(),
        things: (0..5_000).map(|customer| format!("customer/customer-{customer}")).collect(),
        labels: BTreeMap::new(),
        actions: (0..40).map(action).collect(),
        roles: (0..20)
            .map(|role| Role {
                name: format!("role-{role}"),
                built_in: role < 10,
                holders: (0..1_000).filter(|person| kind(*person) == role).collect(),
                cells: (0..=2 * role)
                    .map(|at| (at, Cell { allowed: 250 * role, of: 5_000 }))
                    .collect(),
            })
            .collect(),
        rectangles: (0..20)
            .map(|role| Rectangle {
                people: (0..1_000).filter(|person| kind(*person) == role).collect(),
                actions: (0..=2 * role).collect(),
                things: (0..5_000).filter(|customer| customer % 20 <= role).collect(),
                by: vec![role],
            })
            .collect(),
        policies: (0..20)
            .map(|role| Policy {
                id: format!("role-{role}.all"),
                reason: format!("role {role} has its reasons"),
                place: format!("policies/role-{role}.cedar:1"),
            })
            .collect(),
    }
}

#[test]
fn a_small_estate_shows_its_grid_and_its_groups() {
    let document = opened(&small(), "", "");
    let counts = text(&document, "<p id=\"counts\"", "</header>");
    assert!(
        counts.starts_with("3 people, 1 partnership, 2 actions, and 3 customers. 5 comb"),
        "{counts}"
    );

    let grid = text(&document, "<caption>", "</table>");
    assert!(grid.ends_with("helpdesk-agent|2|2|●"), "some of the one, all of the other: {grid}");

    let people = text(&document, "<section id=\"people\"", "</section>");
    assert!(people.contains("2 people with the same access"), "{people}");
    assert!(people.contains("user/dai-abe| may do nothing here"), "{people}");

    let customers = text(&document, "<section id=\"customers\"", "</section>");
    assert!(customers.contains("partnership/northwind may"), "{customers}");
    assert!(customers.contains("customer/litware| nobody may do anything here"), "{customers}");
}

#[test]
fn names_and_reasons_stay_text() {
    let document = opened(&small(), "#customer/contoso", "");
    let view = view(&document);
    assert!(view.contains("segment: &lt;img src=x onerror=alert(1)&gt;"), "{view}");
    assert!(view.contains("because of &lt;b&gt;helpdesk&lt;/b&gt;"), "{view}");
}

#[test]
fn an_address_leads_to_a_person_among_a_thousand() {
    let document = opened(&large(), "#user/user-500", "");
    let counts = text(&document, "<p id=\"counts\"", "</header>");
    assert!(counts.starts_with("1,000 people, 40 actions, and 5,000 customers."), "{counts}");
    let view = view(&document);
    // The seventh kind: fifteen actions on eight of each twenty customers.
    assert!(view.starts_with("‹ Everything|user/|user-500|Roles|role-7|"), "{view}");
    assert!(view.contains("On 2,000 customers"), "{view}");
    assert!(view.contains("action-14"), "{view}");
    assert!(!view.contains("action-15"), "{view}");
    assert!(view.contains("role 7 has its reasons|role-7.all · policies/role-7.cedar:1"), "{view}");
}

#[test]
fn a_search_finds_a_person_among_a_thousand() {
    let document = opened(&large(), "", TYPES_A_NAME);
    let panel = text(&document, "<p id=\"found\"", "</ul>");
    assert!(panel.starts_with("11 found"), "{panel}");
    assert!(panel.contains("user/|user-77|"), "{panel}");
    assert!(panel.ends_with("user/|user-779"), "{panel}");
    assert!(document.contains("<a href=\"#user/user-77\">"), "it leads to the person");
}

/// Rectangles that cut the same access in different ways: cell by cell, in the order of a
/// multiplication that visits each once, so that neighbours rarely stand together.
fn shuffled() -> Page {
    let (people, actions, things) = (24, 6, 20);
    let allowed = |person: usize, action: usize, thing: usize| {
        // The last two roles may do one thing each, one the other's mirror image.
        match (person % 7, action, thing % 4) {
            (5, action, segment) => (action, segment) == (1, 0),
            (6, action, segment) => (action, segment) == (0, 1),
            (role, action, segment) => {
                !(role * 3 + action).is_multiple_of(4)
                    && !(segment + action * role).is_multiple_of(3)
            }
        }
    };
    let mut rectangles: Vec<Rectangle> = Vec::new();
    for at in 0..people * actions * things {
        let at = at * 1_009 % (people * actions * things);
        let (person, action, thing) = (at % people, at / people % actions, at / people / actions);
        if !allowed(person, action, thing) {
            continue;
        }
        // Some are joined to an earlier one of the same person, some stand alone.
        let joined = rectangles.iter_mut().find(|one| {
            at % 3 > 0 && one.people == [person] && one.actions == [action] && one.by == [at % 2]
        });
        match joined {
            Some(one) => one.things.push(thing),
            None => rectangles.push(Rectangle {
                people: vec![person],
                actions: vec![action],
                things: vec![thing],
                by: vec![at % 2],
            }),
        }
    }
    let small = small();
    Page {
        people: (0..people).map(|person| format!("user/user-{person}")).collect(),
        things: (0..things).map(|thing| format!("customer/customer-{thing}")).collect(),
        labels: BTreeMap::new(),
        actions: (0..actions).map(action).collect(),
        roles: Vec::new(),
        rectangles,
        ..small
    }
}

#[test]
fn groups_say_what_the_rectangles_say_however_they_are_cut() {
    let document = opened(&shuffled(), "", COMPARES);
    let compared = text(&document, "<pre id=\"compared\"", "</pre>");
    assert_eq!(compared, "7 groups of 24; 4 groups of 20");
}
