//! The built-in policies: what each role of Partner Center may do, and the guardrails.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use cedar_policy::{ActionConstraint, Effect, EntityUid, Policy};

use super::level::Level;
use super::sheet::{self, Written};
use super::vocabulary;
use crate::manifest::source::Lines;
use crate::model::action::Action;
use crate::model::role;
use crate::model::scalar::Scalar;

/// A file of the library.
#[derive(Debug)]
pub struct Sheet {
    /// As people see it: `policies/admin-agent.cedar`.
    pub name: &'static str,
    pub text: &'static str,
}

macro_rules! sheets {
    ($($name:literal,)*) => {
        /// All files of the library, as they are embedded.
        pub const SHEETS: &[Sheet] = &[$(Sheet {
            name: concat!("policies/", $name, ".cedar"),
            text: include_str!(concat!("../../policies/", $name, ".cedar")),
        },)*];
    };
}

sheets! {
    "account-roles",
    "admin-agent",
    "billing-admin",
    "everyone",
    "global-admin",
    "guardrails",
    "helpdesk-agent",
    "sales-agent",
    "user-management-admin",
}

/// A policy of the library.
#[derive(Debug)]
pub(crate) struct Shelved {
    pub written: Written,
    pub file: &'static str,
    pub line: u32,
}

/// All policies of the library, in the order of its files, read once.
pub(crate) fn policies() -> &'static [Shelved] {
    static POLICIES: LazyLock<Vec<Shelved>> = LazyLock::new(|| {
        SHEETS
            .iter()
            .flat_map(|file| {
                let lines = Lines::of(file.text.as_bytes());
                // What is wrong with it is a test's to find.
                let (policies, _) = sheet::read(file.text);
                policies
                    .into_iter()
                    .map(|written| {
                        let line = lines.place(written.span.start).line;
                        Shelved { written, file: file.name, line }
                    })
                    .collect::<Vec<_>>()
            })
            .collect()
    });
    &POLICIES
}

/// A policy of the library, for whoever wants to read of it.
#[derive(Debug, Clone, Copy)]
pub struct Told {
    policy: &'static Policy,
    pub id: &'static str,
    pub reason: &'static str,
    /// The document that says so.
    pub source: &'static str,
    pub permits: bool,
    pub level: Option<Level>,
    pub file: &'static str,
    pub line: u32,
}

impl Told {
    /// The actions, and groups of actions, that its scope names.
    pub fn actions(&self) -> Vec<String> {
        let word = |uid: &EntityUid| uid.id().unescaped().to_owned();
        match self.policy.action_constraint() {
            ActionConstraint::Any => vec!["anything".to_owned()],
            ActionConstraint::Eq(uid) => vec![word(&uid)],
            ActionConstraint::In(uids) => uids.iter().map(word).collect(),
        }
    }
}

/// All policies of the library, in the order of its files.
pub fn told() -> impl Iterator<Item = Told> {
    policies().iter().map(|shelved| {
        let Written { policy, level, span: _, promise: _ } = &shelved.written;
        Told {
            policy,
            id: policy.id().as_ref(),
            reason: policy.annotation("reason").unwrap_or_default(),
            source: policy.annotation("source").unwrap_or_default(),
            permits: policy.effect() == Effect::Permit,
            level: *level,
            file: shelved.file,
            line: shelved.line,
        }
    })
}

/// The permits of the library that speak of an action.
pub fn permitting(action: Action) -> impl Iterator<Item = Told> {
    let asked = action.cedar();
    told().filter(move |told| told.permits && vocabulary::admits(told.policy, &asked))
}

/// What a built-in role permits, by itself.
///
/// These are Cedar's answers, written down: most validations need them, and none should have to
/// wait for sixty policies to be read. A test asks Cedar again.
pub(crate) fn permitted(role: &str) -> &'static BTreeSet<Action> {
    static PERMITTED: LazyLock<BTreeMap<&'static str, BTreeSet<Action>>> =
        LazyLock::new(|| include_str!("permitted.txt").lines().filter_map(permissions).collect());
    static NOTHING: BTreeSet<Action> = BTreeSet::new();
    PERMITTED.get(role).unwrap_or(&NOTHING)
}

/// `role: action action ...`
fn permissions(line: &'static str) -> Option<(&'static str, BTreeSet<Action>)> {
    let (role, actions) = line.split_once(':')?;
    Some((role, actions.split_whitespace().filter_map(|word| Action::parse(word).ok()).collect()))
}

/// The built-in roles that permit an action.
pub(crate) fn roles_that_permit(action: Action) -> impl Iterator<Item = &'static str> {
    role::built_in().filter(move |role| permitted(role).contains(&action))
}

#[cfg(test)]
mod tests {
    use cedar_policy::{PolicySet, ValidationMode, Validator};

    use super::*;
    use crate::policy::judge::Judge;
    use crate::policy::rules::Rules;
    use crate::policy::vocabulary::applies;
    use crate::policy::world::World;

    #[test]
    fn every_file_of_the_library_is_embedded_and_right() {
        let mut names: Vec<String> =
            std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/policies"))
                .unwrap()
                .map(|entry| format!("policies/{}", entry.unwrap().file_name().to_string_lossy()))
                .collect();
        names.sort();
        assert_eq!(names, SHEETS.iter().map(|sheet| sheet.name).collect::<Vec<_>>());
        for file in SHEETS {
            let (_, problems) = sheet::read(file.text);
            assert!(problems.is_empty(), "{}: {problems:?}", file.name);
        }
    }

    #[test]
    fn every_policy_fits_the_vocabulary_and_says_why() {
        let mut set = PolicySet::new();
        for shelved in policies() {
            let policy = &shelved.written.policy;
            assert!(policy.annotation("reason").is_some(), "{} has no reason", policy.id());
            assert!(policy.annotation("source").is_some(), "{} has no source", policy.id());
            let guards = shelved.file == "policies/guardrails.cedar";
            assert_eq!(shelved.written.level.is_some(), guards, "{}", policy.id());
            set.add(policy.clone()).unwrap();
        }
        let result =
            Validator::new(vocabulary::schema().clone()).validate(&set, ValidationMode::Strict);
        let said: Vec<String> = result
            .validation_errors()
            .map(ToString::to_string)
            .chain(result.validation_warnings().map(ToString::to_string))
            .collect();
        assert!(said.is_empty(), "{said:#?}");
    }

    #[test]
    fn what_is_written_down_is_what_cedar_says() {
        let rules = Rules::library();
        let mut world = World::empty_handed();
        let mut page = String::new();
        for role in role::built_in() {
            let holder = world.suppose_holder(role);
            let judge = Judge::new(&rules, &world).unwrap();
            let permits = |action: &&Action| {
                let ty = applies(**action).resources[0];
                judge.decide(&holder, **action, &World::supposed(ty)).allowed
            };
            page.push_str(role);
            page.push(':');
            for action in Action::ALL.iter().filter(permits) {
                page.push(' ');
                page.push_str(action.word());
            }
            page.push('\n');
        }
        if std::env::var_os("PARTNERCTL_BLESS").is_some() {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/policy/permitted.txt");
            std::fs::write(path, page).unwrap();
        } else {
            assert_eq!(page, include_str!("permitted.txt"));
        }
    }

    #[test]
    fn the_files_are_laid_out_as_cedars_formatter_does() {
        for file in SHEETS {
            let pretty = cedar_policy_formatter::policies_str_to_pretty(
                file.text,
                &cedar_policy_formatter::Config { line_width: 100, indent_width: 2 },
            )
            .unwrap();
            // A blank line after what the file says of itself.
            let pretty = format!("{}\n", pretty.trim()).replacen("\n@id", "\n\n@id", 1);
            if std::env::var_os("PARTNERCTL_BLESS").is_some() {
                let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file.name);
                std::fs::write(path, pretty).unwrap();
            } else {
                assert!(pretty == file.text, "{}: PARTNERCTL_BLESS=1 lays it out", file.name);
            }
        }
    }
}
