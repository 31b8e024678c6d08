//! Every finding of the catalogue has a story, and every story is true: its example raises its
//! code and nothing else, its fix raises nothing.
//!
//! What an example leaves out comes from `stories/base.yaml`, a sound estate. What all examples
//! make the tool say stands in `stories.snap`: the product's messages on one page.
//! `PARTNERCTL_BLESS=1 cargo test --test outside stories` writes it anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use partnerctl::manifest::code::Code;
use partnerctl::manifest::finding::{Findings, Place};
use partnerctl::manifest::source::{Format, Source, Sources};
use partnerctl::manifest::{Load, ReadProject, Tables, TroubleKind, load, read_project};
use partnerctl::model::scalar::Scalar as _;
use partnerctl::model::time::Day;
use partnerctl::policy::check::Policies;

/// The day on which all stories are told.
const TODAY: &str = "2026-10-01";

#[test]
fn every_story_is_told_in_the_same_form() {
    for code in Code::ALL {
        let story = Story::of(*code);
        let id = code.id();
        assert_eq!(story.heading, format!("{id}: {}", code.title()), "the heading of {id}");
        for (part, text) in [("what", &story.what), ("why", &story.why)] {
            let text = text.trim();
            assert!(text.len() > 30 && text.ends_with(['.', ':', '?']), "{part} of {id}: {text:?}");
        }
        for (part, blocks) in [("example", &story.example), ("fix", &story.fix)] {
            assert!(!blocks.is_empty(), "{id} has no {part}");
        }
    }
}

#[test]
fn every_example_raises_its_code_and_every_fix_nothing() {
    let mut page = String::from(
        "Everything that partnerctl finds wrong, as the examples of the catalogue make it say so.\n\
         Written by PARTNERCTL_BLESS=1 cargo test --test outside stories\n",
    );
    let mut wrong = String::new();
    for code in Code::ALL {
        let Case { example, fix, also } = case(*code);
        let found = example.found();
        if !found.iter().any(|shown| shown.code == code.id()) {
            let _ = writeln!(wrong, "the example of {code} does not raise it");
        }
        for other in found.iter().filter(|shown| shown.code != code.id()) {
            if !also.iter().any(|(allowed, _)| allowed.id() == other.code) && !is_of_a_part(other) {
                let _ = writeln!(wrong, "the example of {code} raises {other}");
            }
        }
        for left in fix.found().iter().filter(|left| left.code == code.id() || !is_of_a_part(left))
        {
            let _ = writeln!(wrong, "the fix of {code} raises {left}");
        }
        for shown in found.iter().filter(|shown| shown.code == code.id()) {
            let _ = write!(page, "\n{shown}");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    hold(&page);
}

/// Whether it is only that a story shows a part: a role without its holders, or without what
/// carries it.
pub(crate) fn is_of_a_part(shown: &Shown) -> bool {
    ["P2101", "P2102", "P2301", "P2302"].contains(&shown.code.as_str())
}

/// Compares with what is committed, or writes it.
fn hold(page: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/outside/stories.snap");
    if std::env::var_os("PARTNERCTL_BLESS").is_some() {
        fs::write(&path, page).unwrap();
        return;
    }
    let held = fs::read_to_string(&path).unwrap_or_default();
    snapbox::assert_data_eq!(page, snapbox::Data::text(held).raw());
}

/// What a code is tried with.
struct Case {
    example: Input,
    fix: Input,
    /// What else the example raises, and why that is right.
    also: &'static [(Code, &'static str)],
}

enum Input {
    /// Files by name, and what of the base is left out.
    Files { files: BTreeMap<String, Vec<u8>>, base: Base },
    /// A folder that the binary checks.
    Folder(fn(&Path)),
    /// Files that are a part of an estate.
    Part(BTreeMap<String, Vec<u8>>),
    /// Files that the binary checks with a solver.
    Proved { files: BTreeMap<String, Vec<u8>>, solver: PathBuf },
}

/// A story that a solver has a part in.
fn proved(story: &Story, solver: &str) -> Case {
    let input = |example: &[Block], fix: &[Block]| Input::Proved {
        files: files(example, fix),
        solver: crate::world::program(solver),
    };
    Case { example: input(&[], &story.example), fix: input(&story.example, &story.fix), also: &[] }
}

/// What of the base is added.
#[derive(Clone, Copy)]
pub(crate) enum Base {
    /// What the story does not declare itself.
    Rest,
    /// The same, but no document of this kind.
    Without(&'static str),
    Nothing,
}

/// The case of a code: what its story shows, unless Markdown cannot hold it.
fn case(code: Code) -> Case {
    let story = Story::of(code);
    let told = |base| Case {
        example: Input::Files { files: files(&[], &story.example), base },
        fix: Input::Files { files: files(&story.example, &story.fix), base: Base::Rest },
        also: &[],
    };
    let bytes = |example: &[u8], fix: &[u8]| {
        let input = |bytes: &[u8]| Input::Files {
            files: [("estate.yaml".to_owned(), bytes.to_owned())].into(),
            base: Base::Rest,
        };
        Case { example: input(example), fix: input(fix), also: &[] }
    };
    let folder =
        |example, fix| Case { example: Input::Folder(example), fix: Input::Folder(fix), also: &[] };
    match code {
        Code::P0003 => bytes(&person(b"Jos\xe9 Silva"), &person("José Silva".as_bytes())),
        Code::P0004 => bytes(&person(b"Ben\x07 Ito"), &person(b"Ben Ito")),
        Code::P0005 => bytes(&noted(&"[".repeat(200)), &noted("[deep]")),
        Code::P0010 => folder(
            |root| {
                estate(root);
                let file = fs::File::create(root.join("estate/customers.yaml")).unwrap();
                file.set_len(256 * 1024 * 1024 + 1).unwrap();
            },
            estate,
        ),
        Code::P0206 => folder(|root| project(root, "manifests: [esttae]"), estate),
        Code::P0207 => folder(|root| project(root, "manifests: [estate, ../shared]"), estate),
        Code::P0209 => folder(
            |root| {
                estate(root);
                // Nobody can read a socket as a file, whoever they are.
                drop(std::os::unix::net::UnixListener::bind(root.join("estate/roles.yaml")));
            },
            estate,
        ),
        Code::P0208 => told(Base::Nothing),
        Code::P0210 => told(Base::Without("Account")),
        Code::P1502 => Case {
            also: &[(Code::P2202, "a guardrail is against Global Administrator in any case")],
            ..told(Base::Rest)
        },
        Code::P1703 => Case {
            also: &[(Code::P1006, "what the waiver no longer waives is back")],
            ..told(Base::Rest)
        },
        Code::P1901 | Code::P1902 => told(Base::Without("User")),
        Code::P2305 | Code::P2306 | Code::P2307 | Code::P2404 => proved(&story, "cvc5"),
        Code::P2406 => {
            Case { example: Input::Part(files(&[], &story.example)), ..told(Base::Rest) }
        }
        // A solver that ends without a word.
        Code::P2405 => Case {
            example: proved(&story, "true").example,
            fix: proved(&story, "cvc5").fix,
            also: &[],
        },
        _ => told(Base::Rest),
    }
}

/// A user of this name.
fn person(name: &[u8]) -> Vec<u8> {
    let text = "apiVersion: partnerctl/v1\nkind: User\nmetadata: {name: somebody}\nspec:\n  \
                email: somebody@fabrikam.example\n  agent: none\n  admin: none\n  displayName: ";
    [text.as_bytes(), name, b"\n"].concat()
}

/// A role that says no more than this.
fn noted(description: &str) -> Vec<u8> {
    let value = if description == "[deep]" { "deep" } else { description };
    format!(
        "apiVersion: partnerctl/v1\nkind: Role\nmetadata: {{name: deep}}\nspec:\n  \
         description: {value}\n"
    )
    .into_bytes()
}

/// A project of one folder, which holds the base.
fn estate(root: &Path) {
    project(root, "manifests: [estate]");
}

fn project(root: &Path, spec: &str) {
    let head = "apiVersion: partnerctl/v1\nkind: Project\nmetadata: {name: fabrikam}\nspec:";
    fs::write(root.join("partnerctl.yaml"), format!("{head}\n  {spec}\n")).unwrap();
    fs::create_dir(root.join("estate")).unwrap();
    fs::write(root.join("estate/base.yaml"), BASE).unwrap();
}

/// A story, taken apart.
struct Story {
    heading: String,
    what: String,
    why: String,
    example: Vec<Block>,
    fix: Vec<Block>,
}

/// A fenced block: its language, the name of its file, its text.
struct Block {
    language: String,
    name: Option<String>,
    text: String,
}

impl Story {
    fn of(code: Code) -> Self {
        let text = code.story();
        let (heading, rest) = text.split_once('\n').unwrap_or((text, ""));
        let heading = heading.strip_prefix("# ").unwrap_or_default().to_owned();
        let parts: Vec<&str> = rest.split("\n## ").collect();
        let [what, why, example, fix] = parts[..] else {
            panic!("{code} tells {} parts, not what, why, example and fix", parts.len());
        };
        let part = |text: &str, name: &str| {
            let body = text.strip_prefix(name).and_then(|text| text.strip_prefix('\n'));
            body.unwrap_or_else(|| panic!("{code}: `## {name}` is missing")).to_owned()
        };
        Self {
            heading,
            what: what.to_owned(),
            why: part(why, "Why"),
            example: blocks(&part(example, "Example")),
            fix: blocks(&part(fix, "Fix")),
        }
    }
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        match line.strip_prefix("```") {
            Some(info) if !open => {
                let mut words = info.split(' ');
                let language = words.next().unwrap_or_default().to_owned();
                let name = words.find_map(|word| word.strip_prefix("name=")).map(str::to_owned);
                blocks.push(Block { language, name, text: String::new() });
                open = true;
            }
            Some(_) => open = false,
            None if open => {
                let block = blocks.last_mut().unwrap();
                block.text.push_str(line);
                block.text.push('\n');
            }
            None => {}
        }
    }
    assert!(!open, "a fence is not closed:\n{text}");
    blocks
}

/// The files of a story; a block of the fix takes the place of the example's of its name.
fn files(example: &[Block], fix: &[Block]) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for Block { language, name, text } in example.iter().chain(fix) {
        let name = match (name, language.as_str()) {
            (Some(name), _) => name.clone(),
            (None, "yaml") => "estate.yaml".to_owned(),
            (None, "json") => "estate.json".to_owned(),
            (None, other) => panic!("a block of {other} needs a case of its own"),
        };
        files.insert(name, text.clone().into_bytes());
    }
    files
}

impl Input {
    /// Everything that is found in it.
    fn found(&self) -> Vec<Shown> {
        match self {
            Self::Files { files, base } => loaded(files, *base),
            Self::Part(files) => loaded_of(files, Base::Rest, false),
            Self::Folder(build) => {
                let folder = tempfile::tempdir().unwrap();
                build(folder.path());
                validated(folder.path(), None)
            }
            Self::Proved { files, solver } => {
                let folder = tempfile::tempdir().unwrap();
                fs::create_dir(folder.path().join("policies")).unwrap();
                for (name, bytes) in files {
                    fs::write(folder.path().join(name), bytes).unwrap();
                }
                fs::write(folder.path().join("base.yaml"), rest(files, Base::Rest)).unwrap();
                validated(folder.path(), Some(solver))
            }
        }
    }
}

const BASE: &str = include_str!("stories/base.yaml");

/// The documents of the base that the files do not declare themselves.
fn rest(files: &BTreeMap<String, Vec<u8>>, base: Base) -> String {
    let text = files
        .iter()
        .filter(|(name, _)| name.as_str() != "partnerctl.yaml")
        .map(|(_, bytes)| String::from_utf8_lossy(bytes).replace(['"', ',', '}'], " "))
        .collect::<String>();
    let words: Vec<&str> = text.split_whitespace().collect();
    let says = |key: &str, value: &str| {
        words.windows(2).any(|pair| pair[0].trim_start_matches('{') == key && pair[1] == value)
    };
    // What the story says of an Account that it does not show.
    let accounts: Vec<&str> = files
        .values()
        .filter_map(|bytes| std::str::from_utf8(bytes).ok())
        .flat_map(str::lines)
        .filter_map(|line| line.strip_prefix("# in an Account with "))
        .collect();
    // Who trades in another way has no provider.
    let other_program = accounts.iter().any(|says| says.starts_with("program: "));
    let mut base_text = BASE.to_owned();
    for says in accounts {
        let (key, _) = says.split_once(": ").unwrap();
        let old = BASE.lines().find(|line| line.trim().starts_with(&format!("{key}: ")));
        base_text = match old {
            Some(old) => base_text.replace(old, &format!("  {says}")),
            None => base_text.replacen("spec:", &format!("spec:\n  {says}"), 1),
        };
    }
    base_text
        .split("---\n")
        .filter(|document| {
            let kind = document.lines().find_map(|line| line.strip_prefix("kind: ")).unwrap();
            let (_, name) = document.split_once("{name: ").unwrap();
            let name = name.split([',', '}']).next().unwrap();
            let declared = says("kind:", kind) && says("name:", name);
            let foreign = kind == "Partnership" && other_program;
            let left_out = match base {
                Base::Rest => false,
                Base::Without(without) => kind == without,
                Base::Nothing => true,
            };
            !declared && !foreign && !left_out
        })
        .collect::<Vec<_>>()
        .join("---\n")
}

/// The tables of a story stand among its files.
struct Beside<'a>(&'a BTreeMap<String, Vec<u8>>);

impl Tables for Beside<'_> {
    fn open(&self, _: &str, file: &str) -> Result<(String, Vec<u8>), (TroubleKind, String)> {
        match self.0.get(file) {
            Some(bytes) => Ok((file.to_owned(), bytes.clone())),
            None => Err((TroubleKind::Missing, format!("there is no `{file}`"))),
        }
    }
}

/// What the library finds in files.
pub(crate) fn loaded(files: &BTreeMap<String, Vec<u8>>, base: Base) -> Vec<Shown> {
    loaded_of(files, base, true)
}

fn loaded_of(files: &BTreeMap<String, Vec<u8>>, base: Base, complete: bool) -> Vec<Shown> {
    let mut sources = Sources::default();
    let mut project = ReadProject::default();
    if let Some(bytes) = files.get("partnerctl.yaml") {
        let name = "partnerctl.yaml".to_owned();
        let id = sources.add(Source { name, format: Format::Yaml, bytes: bytes.clone() });
        project = read_project(&sources, id);
    }
    let rest = rest(files, base);
    if !rest.is_empty() {
        sources.add(Source {
            name: "base.yaml".to_owned(),
            format: Format::Yaml,
            bytes: rest.into(),
        });
    }
    for (name, bytes) in files {
        let format = match name.rsplit_once('.') {
            _ if name == "partnerctl.yaml" => continue,
            Some((_, "yaml")) => Format::Yaml,
            Some((_, "json")) => Format::Json,
            Some((_, "cedar")) => Format::Cedar,
            _ => continue,
        };
        sources.add(Source { name: name.clone(), format, bytes: bytes.clone() });
    }
    let loaded = load(Load {
        sources,
        project,
        project_name: "partnerctl.yaml".to_owned(),
        troubles: Vec::new(),
        tables: &Beside(files),
        examiner: &Policies,
        complete,
        today: Day::parse(TODAY).unwrap(),
    });
    let findings = &loaded.findings;
    findings
        .all
        .iter()
        .map(|finding| Shown {
            code: finding.code.id().to_owned(),
            severity: finding.severity.word().to_owned(),
            message: finding.message.clone(),
            help: finding.help.clone(),
            place: place(&finding.place),
            underlined: underlined(&finding.place, findings),
            object: finding.object.clone(),
            related: finding
                .related
                .iter()
                .map(|related| {
                    let text = underlined(&related.place, findings);
                    (related.message.clone(), place(&related.place), text)
                })
                .collect(),
        })
        .collect()
}

fn place(place: &Place) -> String {
    match place.region {
        Some(region) => format!("{}:{}:{}", place.file, region.line, region.column),
        None => place.file.clone(),
    }
}

fn underlined(place: &Place, findings: &Findings) -> Option<String> {
    let excerpt = place.region?.excerpt?;
    let bytes = &findings.sources.get(excerpt.source)?.bytes[excerpt.span.range()];
    Some(format!("{}", bytes.escape_ascii()).replace("\\n", "\n").replace("\\\"", "\""))
        .filter(|_| std::str::from_utf8(bytes).is_err())
        .or_else(|| std::str::from_utf8(bytes).ok().map(str::to_owned))
}

/// What the binary finds in a folder.
fn validated(folder: &Path, solver: Option<&Path>) -> Vec<Shown> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_partnerctl"));
    command.env_clear().args(["validate", "--format", "json", "--as-of", TODAY]).arg(folder);
    if let Some(solver) = solver {
        command.arg("--prove").env("CVC5", solver);
    }
    let output = command.output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let findings = report["findings"].as_array().unwrap();
    findings
        .iter()
        .map(|finding| {
            let file = finding["file"].as_str().unwrap();
            let place = match finding["line"].as_u64() {
                Some(line) => format!("{file}:{line}:{}", finding["column"]),
                None => file.to_owned(),
            };
            let number = |key: &str| usize::try_from(finding[key].as_u64()?).ok();
            let underlined = number("line").and_then(|line| {
                let text = fs::read_to_string(folder.join(file)).ok()?;
                let line: Vec<char> = text.lines().nth(line - 1)?.chars().collect();
                Some(line.get(number("column")? - 1..number("endColumn")? - 1)?.iter().collect())
            });
            Shown {
                code: text(&finding["code"]).unwrap(),
                severity: text(&finding["severity"]).unwrap(),
                message: text(&finding["message"]).unwrap(),
                help: text(&finding["help"]),
                place,
                underlined,
                object: text(&finding["object"]),
                related: Vec::new(),
            }
        })
        .collect()
}

/// A finding as the page shows it.
pub(crate) struct Shown {
    pub code: String,
    severity: String,
    pub message: String,
    pub help: Option<String>,
    place: String,
    pub underlined: Option<String>,
    object: Option<String>,
    /// Message, place, what is underlined there.
    related: Vec<(String, String, Option<String>)>,
}

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { code, severity, message, help, place, underlined, object, related } = self;
        writeln!(f, "{code} {severity}: {message}")?;
        let object = object.as_ref().map(|object| format!(" in {object}")).unwrap_or_default();
        writeln!(f, "  --> {place}{object}")?;
        if let Some(text) = underlined.as_ref().filter(|text| !text.is_empty()) {
            writeln!(f, "  {}", one_line(text))?;
        }
        for (message, place, text) in related {
            let text = text.as_deref().map(one_line).unwrap_or_default();
            writeln!(f, "  related: {message} --> {place}  {text}")?;
        }
        if let Some(help) = help {
            writeln!(f, "  help: {help}")?;
        }
        Ok(())
    }
}

/// Underlined text in quotes, without what could disturb the page.
fn one_line(text: &str) -> String {
    let mut shown: String = text.escape_debug().take(100).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("[{}]", shown.replace("\\\"", "\"").replace("\\'", "'"))
}
