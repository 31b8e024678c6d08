//! What was proved of two sides of policies: for people, as a part of a comment, for programs.
//!
//! These are pieces: whoever writes a report of a pull request puts them in its place. They never
//! say *safe*: they say what is proved, in which estates, and what is not.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use schemars::JsonSchema;
use serde::Serialize;

use super::comment::{capital, code, fitting};
use super::plan::value::shown;
use super::{Cited, clean};
use crate::policy::prove::{Answer, Environment, Judged, Party, Proof, Today, Verdict, Witness};

/// A proof as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proved {
    pub verdict: Verdict,
    /// How many environments there are, and how many have each verdict.
    pub environments: usize,
    pub counts: BTreeMap<Verdict, usize>,
    /// In how many it is not known whether more is permitted.
    pub maybe_gained: usize,
    /// Guardrails that a Waiver lets pass differ: what is proved is proved of whoever has one.
    pub guarded: bool,
    /// What is permitted that was not: each example once, for all actions that it shows.
    pub gained: Vec<Example>,
    pub lost: Vec<Example>,
    /// What passes that a guardrail was against.
    pub eased: Vec<Example>,
    pub unproved: Vec<Unknown>,
}

/// Somebody who may do something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    pub principal: String,
    pub actions: Vec<String>,
    pub resource: String,
    pub context: Vec<String>,
    pub others: Vec<String>,
    pub confirmed: bool,
    pub real: bool,
    /// Who gains today, over these actions together.
    pub today: Today,
    /// The policies that permit it, on the side that does.
    pub by: Vec<Cited>,
    /// Those that forbid it, on the other side.
    pub against: Vec<Cited>,
}

/// What could not be proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    pub why: String,
    /// `User view-customer Customer`.
    pub environments: Vec<String>,
}

/// Which side a policy is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Old,
    New,
}

impl Proved {
    /// `cite`: where a policy of a side stands, by its id.
    pub fn of(proof: &Proof, cite: impl Fn(Side, &str) -> Option<Cited>) -> Self {
        let mut proved = Self {
            verdict: proof.verdict(),
            environments: proof.environments.len(),
            maybe_gained: proof
                .environments
                .iter()
                .filter(|judged| judged.gained.unproved().is_some())
                .count(),
            guarded: proof.environments.iter().any(|judged| judged.guarded),
            counts: Verdict::ALL.map(|verdict| (verdict, proof.count(verdict))).into(),
            gained: Vec::new(),
            lost: Vec::new(),
            eased: Vec::new(),
            unproved: Vec::new(),
        };
        let sided = |witness: &Witness, permits: Side, refuses: Side| {
            let cited = |side: Side, ids: &[String]| {
                ids.iter().filter_map(|id| cite(side, id)).collect::<Vec<_>>()
            };
            (cited(permits, &witness.by), cited(refuses, &witness.against))
        };
        for Judged { environment, gained, lost, eased, guarded: _, today } in &proof.environments {
            if let Some(witness) = gained.witness() {
                let cited = sided(witness, Side::New, Side::Old);
                add(&mut proved.gained, witness, *today, cited);
            }
            if let Some(witness) = lost.witness() {
                let cited = sided(witness, Side::Old, Side::New);
                add(&mut proved.lost, witness, Today::Unknown, cited);
            }
            if let Some(witness) = eased.as_ref().and_then(Answer::witness) {
                let cited = sided(witness, Side::New, Side::Old);
                add(&mut proved.eased, witness, Today::Unknown, cited);
            }
            let answers = [Some(gained), Some(lost), eased.as_ref()];
            // What is wrong with one question is wrong with the next.
            if let Some(why) = answers.into_iter().flatten().find_map(Answer::unproved) {
                unknown(&mut proved.unproved, environment, why.to_string());
            }
        }
        proved
    }

    /// The outcome in a sentence.
    pub fn sentence(&self) -> String {
        let all = self.environments;
        let count = |verdict| self.counts.get(&verdict).copied().unwrap_or_default();
        let wider = count(Verdict::Widened) + count(Verdict::Both);
        // Access as it is today counts these guardrails: the two are not to contradict each other.
        let proved = if self.guarded { "proved, Waivers granted" } else { "proved" };
        let mut text = match self.verdict {
            Verdict::Unchanged => format!(
                "{proved}: the policies permit exactly what they did, in every estate there could be ({all} kinds of requests)"
            ),
            Verdict::Narrowed => format!(
                "{proved}: the policies permit nothing that they did not, in any estate there could be, and less in {} of {all} kinds of requests",
                count(Verdict::Narrowed)
            ),
            Verdict::Widened | Verdict::Both => format!(
                "widened: the policies permit what they did not, in {wider} of {all} kinds of requests"
            ),
            Verdict::NotProved if self.maybe_gained == 0 => format!(
                "{proved}: the policies permit nothing that they did not, in any estate there could be; whether they permit less is not known for {} of {all} kinds of requests",
                count(Verdict::NotProved)
            ),
            Verdict::NotProved => format!(
                "not proved: whether the policies permit more is not known for {} of {all} kinds of requests",
                self.maybe_gained
            ),
        };
        if !self.eased.is_empty() {
            text.push_str("; some of it needed a Waiver, and needs none now");
        }
        if wider > 0 {
            let less = count(Verdict::Narrowed) + count(Verdict::Both);
            if less > 0 {
                let _ = write!(text, ", and less in {less}");
            }
            let unproved = count(Verdict::NotProved);
            if unproved > 0 {
                let _ = write!(text, "; {unproved} are not proved");
            }
            let nobody = |example: &Example| example.today == Today::Nobody;
            if !self.gained.is_empty() && self.gained.iter().all(nobody) {
                text.push_str("; nobody gains today");
            }
        }
        text
    }
}

/// Adds an example, or an action to the one that shows the same.
fn add(
    examples: &mut Vec<Example>,
    witness: &Witness,
    today: Today,
    (by, against): (Vec<Cited>, Vec<Cited>),
) {
    let Witness { principal, action, resource, context, others, confirmed, real, .. } = witness;
    let new = Example {
        principal: principal.to_string(),
        actions: vec![action.to_string()],
        resource: resource.to_string(),
        context: context.clone(),
        others: others.iter().map(Party::to_string).collect(),
        confirmed: *confirmed,
        real: *real,
        today,
        by,
        against,
    };
    let same = examples.iter_mut().find(|old| {
        let alike = Example { actions: new.actions.clone(), today, ..(*old).clone() };
        // Who gains nothing today is not told together with who does.
        alike == new
            && (old.today == today
                || matches!((old.today, today), (Today::Pairs(_), Today::Pairs(_))))
    });
    match same {
        Some(old) => {
            old.actions.extend(new.actions);
            if let (Today::Pairs(sum), Today::Pairs(more)) = (old.today, today) {
                old.today = Today::Pairs(sum.saturating_add(more));
            }
        }
        None => examples.push(new),
    }
}

fn unknown(all: &mut Vec<Unknown>, environment: &Environment, why: String) {
    let name = environment.to_string();
    match all.iter_mut().find(|unknown| unknown.why == why) {
        Some(unknown) => unknown.environments.push(name),
        None => all.push(Unknown { why, environments: vec![name] }),
    }
}

impl Example {
    /// `a user (in role/x) may view-customer and 3 more on a customer`.
    fn sentence(&self) -> String {
        let actions = match self.actions.as_slice() {
            [] => String::new(),
            [one] => one.clone(),
            [one, other] => format!("{one} and {other}"),
            [first, second, rest @ ..] => format!("{first}, {second} and {} more", rest.len()),
        };
        let mut text = format!("{} may {actions} on {}", self.principal, self.resource);
        if !self.context.is_empty() {
            let _ = write!(text, ", with {}", self.context.join(", "));
        }
        for other in &self.others {
            let _ = write!(text, ", where there is {other}");
        }
        text
    }

    /// What a reader has to know of it.
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if !self.confirmed {
            notes.push("not confirmed by the authorizer: the solver's word alone".to_owned());
        }
        match self.today {
            Today::Unknown => {}
            Today::Nobody => {
                notes.push(
                    "widened in theory, and nobody gains today by the policies alone".to_owned(),
                );
            }
            Today::Pairs(1) => notes.push("gained today, once".to_owned()),
            Today::Pairs(count) => notes.push(format!("gained today, {count} times")),
        }
        notes
    }
}

/// What examples are about.
fn parts(proved: &Proved) -> [(&'static str, &'static str, &[Example]); 3] {
    [
        ("newly permitted", "permitted by", &proved.gained),
        ("no longer permitted", "was permitted by", &proved.lost),
        ("possible before with a Waiver, and now without one", "permitted by", &proved.eased),
    ]
}

/// Refusals on the other side, in words.
fn refused(title: &str) -> &'static str {
    if title == "no longer permitted" { "forbidden by" } else { "was forbidden by" }
}

/// For people.
pub fn text(proved: &Proved, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", proved.sentence())?;
    for (title, permitted, examples) in parts(proved) {
        if examples.is_empty() {
            continue;
        }
        writeln!(out, "{title}, for instance:")?;
        for example in examples {
            writeln!(out, "  {}", clean::line(&example.sentence()))?;
            for (verb, policies) in [(permitted, &example.by), (refused(title), &example.against)] {
                for policy in policies {
                    writeln!(out, "    {verb} {}", cited(policy, usize::MAX))?;
                }
            }
            for note in example.notes() {
                writeln!(out, "    note: {note}")?;
            }
        }
    }
    for Unknown { why, environments } in &proved.unproved {
        writeln!(out, "not proved: {}", clean::line(why))?;
        writeln!(out, "  {}", clean::line(&some(environments)))?;
    }
    Ok(())
}

/// The first few, and how many more.
fn some(environments: &[String]) -> String {
    let shown: Vec<&str> = environments.iter().take(3).map(String::as_str).collect();
    let more = environments.len().saturating_sub(shown.len());
    let rest = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{rest}", shown.join(", "))
}

/// A policy with so much of each of its texts.
fn cited(policy: &Cited, bytes_max: usize) -> String {
    let some = |text: &str| within(text, bytes_max, |text| text);
    let reason = policy.reason.as_deref().map(|reason| format!(": {}", some(reason)));
    format!("{}{} ({})", some(&policy.id), reason.unwrap_or_default(), some(&place(policy)))
}

fn place(policy: &Cited) -> String {
    let line = policy.line.map_or_else(String::new, |line| format!(":{line}"));
    let built_in = if policy.built_in { ", built in" } else { "" };
    format!("{}{line}{built_in}", clean::name(&policy.file))
}

/// What examples of each kind may take of a comment, in bytes, in the order of [`parts`], and what is
/// not proved: 4 400 together, on which `review::markdown` counts.
const EXAMPLES_BYTES: [usize; 3] = [1_600, 1_000, 1_000];
const UNPROVED_BYTES: usize = 800;
/// Bytes of an example, of a policy, and of its id, its reason and its place: one example, with a policy
/// for and one against it, fits always.
const EXAMPLE_BYTES: usize = 240;
const POLICY_BYTES: usize = 260;
const WORDS_BYTES: usize = 80;
/// Policies of an example.
const POLICIES_MAX: usize = 4;

/// As much of a text as fits when it is told so.
fn within(text: &str, bytes_max: usize, tell: impl Fn(String) -> String) -> String {
    let mut chars = bytes_max;
    loop {
        let told = tell(shown(text, chars));
        if told.len() <= bytes_max || chars < 4 {
            return told;
        }
        chars = chars / 4 * 3;
    }
}

fn code_within(text: &str, bytes_max: usize) -> String {
    within(text, bytes_max, |text| code(&text))
}

/// A part of a comment, without a heading. What comes from policies stands as code: nothing in it
/// means anything. With so many examples of a kind at most, and of a size that leaves room for the
/// rest of the comment, however long reasons are.
pub fn markdown(proved: &Proved, examples_max: usize) -> String {
    let mut text = format!("{}.\n", capital(&proved.sentence()));
    for ((title, permitted, examples), bytes_max) in parts(proved).into_iter().zip(EXAMPLES_BYTES) {
        if examples.is_empty() {
            continue;
        }
        let told = examples.iter().take(examples_max).map(|one| item(one, title, permitted));
        let (list, skipped) = fitting(told, bytes_max);
        let _ = write!(text, "\n{}, for instance:\n\n{list}", capital(title));
        let more = examples.len().saturating_sub(examples_max) + skipped;
        if more > 0 {
            let _ = writeln!(text, "- and {more} more");
        }
    }
    let unproved = proved.unproved.iter().take(examples_max);
    let unproved = unproved.map(|Unknown { why, environments }| {
        let environments = code_within(&some(environments), EXAMPLE_BYTES);
        format!("\nNot proved for {environments}: {}\n", code_within(why, EXAMPLE_BYTES))
    });
    let (list, _) = fitting(unproved, UNPROVED_BYTES);
    text.push_str(&list);
    text
}

/// An example, with the policies that decide.
fn item(example: &Example, title: &str, permitted: &str) -> String {
    let mut text = format!("- {}\n", code_within(&example.sentence(), EXAMPLE_BYTES));
    for (verb, policies) in [(permitted, &example.by), (refused(title), &example.against)] {
        for policy in policies.iter().take(POLICIES_MAX) {
            let _ = writeln!(
                text,
                "  - {verb} {}",
                code_within(&cited(policy, WORDS_BYTES), POLICY_BYTES)
            );
        }
        if policies.len() > POLICIES_MAX {
            let _ = writeln!(text, "  - and {} more", policies.len() - POLICIES_MAX);
        }
    }
    for note in example.notes() {
        let _ = writeln!(text, "  - {note}");
    }
    text
}

/// What was proved of two sides of policies.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Proof")]
pub struct ProofRecord<'a> {
    verdict: VerdictRecord,
    /// The outcome in a sentence.
    summary: String,
    /// How many kinds of requests there are: a type of principals, an action, a type of resources.
    environments: usize,
    unchanged: usize,
    narrowed: usize,
    widened: usize,
    both: usize,
    not_proved: usize,
    /// What is permitted that was not.
    gained: Vec<ExampleRecord<'a>>,
    /// What is not permitted that was.
    lost: Vec<ExampleRecord<'a>>,
    /// What was possible before if somebody answered for it, and now without.
    eased: Vec<ExampleRecord<'a>>,
    unproved: Vec<UnknownRecord<'a>>,
}

/// What a proof came to.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Verdict")]
enum VerdictRecord {
    Unchanged,
    Narrowed,
    Widened,
    Both,
    NotProved,
}

/// Somebody who may do something.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Example")]
struct ExampleRecord<'a> {
    principal: &'a str,
    actions: &'a [String],
    resource: &'a str,
    /// What has to be so in the context.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    context: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    others: &'a [String],
    /// Whether the authorizer says so too.
    confirmed: bool,
    /// Whether they are in the estate.
    real: bool,
    /// In how many cases it is gained today; nothing where that was not looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    today: Option<u64>,
    by: Vec<PolicyRecord<'a>>,
    against: Vec<PolicyRecord<'a>>,
}

/// A policy.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ProofPolicy")]
struct PolicyRecord<'a> {
    id: &'a str,
    reason: Option<&'a str>,
    file: &'a str,
    line: Option<u32>,
}

/// What could not be proved.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Unproved")]
struct UnknownRecord<'a> {
    why: &'a str,
    environments: &'a [String],
}

/// For programs: an object for a report to hold.
pub fn record(proved: &Proved) -> ProofRecord<'_> {
    let count = |verdict| proved.counts.get(&verdict).copied().unwrap_or_default();
    ProofRecord {
        verdict: match proved.verdict {
            Verdict::Unchanged => VerdictRecord::Unchanged,
            Verdict::Narrowed => VerdictRecord::Narrowed,
            Verdict::Widened => VerdictRecord::Widened,
            Verdict::Both => VerdictRecord::Both,
            Verdict::NotProved => VerdictRecord::NotProved,
        },
        summary: proved.sentence(),
        environments: proved.environments,
        unchanged: count(Verdict::Unchanged),
        narrowed: count(Verdict::Narrowed),
        widened: count(Verdict::Widened),
        both: count(Verdict::Both),
        not_proved: count(Verdict::NotProved),
        gained: proved.gained.iter().map(example).collect(),
        lost: proved.lost.iter().map(example).collect(),
        eased: proved.eased.iter().map(example).collect(),
        unproved: proved
            .unproved
            .iter()
            .map(|Unknown { why, environments }| UnknownRecord { why, environments })
            .collect(),
    }
}

fn example(example: &Example) -> ExampleRecord<'_> {
    let Example { principal, actions, resource, context, others, confirmed, real, today, .. } =
        example;
    ExampleRecord {
        principal,
        actions,
        resource,
        context,
        others,
        confirmed: *confirmed,
        real: *real,
        today: match today {
            Today::Unknown => None,
            Today::Nobody => Some(0),
            Today::Pairs(count) => Some(*count),
        },
        by: example.by.iter().map(policy).collect(),
        against: example.against.iter().map(policy).collect(),
    }
}

fn policy(policy: &Cited) -> PolicyRecord<'_> {
    let Cited { id, reason, file, line, permits: _, built_in: _ } = policy;
    PolicyRecord { id, reason: reason.as_deref(), file, line: *line }
}

/// A proof with texts of outside wherever they can stand.
#[cfg(test)]
pub(in crate::report) fn of_texts(count: usize, next: &mut dyn FnMut() -> String) -> Proved {
    let cited = |next: &mut dyn FnMut() -> String| Cited {
        id: next(),
        reason: Some(next()),
        permits: true,
        file: next(),
        line: Some(7),
        built_in: false,
    };
    let examples = |next: &mut dyn FnMut() -> String| -> Vec<Example> {
        let mut one = || Example {
            principal: next(),
            actions: vec![next()],
            resource: next(),
            context: vec![next()],
            others: vec![next()],
            confirmed: true,
            real: false,
            today: Today::Nobody,
            by: (0..count.min(9)).map(|_| cited(next)).collect(),
            against: vec![cited(next)],
        };
        (0..count).map(|_| one()).collect()
    };
    Proved {
        verdict: Verdict::Widened,
        guarded: true,
        environments: count,
        counts: Verdict::ALL.map(|verdict| (verdict, count)).into(),
        maybe_gained: count,
        gained: examples(next),
        lost: examples(next),
        eased: examples(next),
        unproved: (0..count).map(|_| Unknown { why: next(), environments: vec![next()] }).collect(),
    }
}

#[cfg(test)]
#[allow(clippy::needless_raw_string_hashes, reason = "snapshots are written by a tool")]
mod tests {
    use snapbox::{IntoData, assert_data_eq, str};

    use super::*;
    use crate::model::Str;
    use crate::policy::prove::Unproved;
    use crate::policy::world::Type;

    fn judged(action: &str, gained: Answer, lost: Answer, today: Today) -> Judged {
        let environment =
            Environment { action: action.into(), principal: Type::User, resource: Type::Customer };
        Judged { environment, gained, lost, eased: None, guarded: false, today }
    }

    fn witness(action: &str, label: &str) -> Answer {
        let party = |ty, name: Option<&str>, facts: &[&str]| Party {
            ty,
            name: name.map(Str::from),
            facts: facts.iter().map(|fact| (*fact).to_owned()).collect(),
            is_self: false,
        };
        Answer::Something(Box::new(Witness {
            principal: party(Type::User, None, &["in role/tier2-support"]),
            action: action.into(),
            resource: party(Type::Customer, None, &[&format!("label \"segment\": {label:?}")]),
            context: Vec::new(),
            others: Vec::new(),
            confirmed: label != "`odd`",
            real: false,
            by: vec!["own.region".to_owned()],
            against: Vec::new(),
        }))
    }

    fn proof() -> Proof {
        let nothing = || Answer::Nothing;
        let unproved = || Answer::NotProved(Unproved::Unknown);
        Proof {
            environments: vec![
                judged("edit-customer", witness("edit-customer", "smb"), nothing(), Today::Nobody),
                judged("view-customer", witness("view-customer", "smb"), nothing(), Today::Nobody),
                judged(
                    "manage-devices",
                    witness("manage-devices", "`odd`"),
                    witness("manage-devices", "x"),
                    Today::Pairs(3),
                ),
                judged("end-relationship", unproved(), unproved(), Today::Unknown),
                judged("view-service-health", nothing(), nothing(), Today::Unknown),
            ],
        }
    }

    fn proved(proof: &Proof) -> Proved {
        Proved::of(proof, |side, id| {
            Some(Cited {
                id: id.to_owned(),
                reason: Some("support works in its region".to_owned()),
                permits: true,
                file: "policies/own.cedar".to_owned(),
                line: Some(if side == Side::Old { 3 } else { 7 }),
                built_in: false,
            })
        })
    }

    #[test]
    fn a_proof_for_people() {
        let mut out = Vec::new();
        text(&proved(&proof()), &mut out).unwrap();
        assert_data_eq!(
            String::from_utf8(out).unwrap(),
            str![[r#"
widened: the policies permit what they did not, in 3 of 5 kinds of requests, and less in 1; 1 are not proved
newly permitted, for instance:
  a user (in role/tier2-support) may edit-customer and view-customer on a customer (label "segment": "smb")
    permitted by own.region: support works in its region (policies/own.cedar:7)
    note: widened in theory, and nobody gains today by the policies alone
  a user (in role/tier2-support) may manage-devices on a customer (label "segment": "`odd`")
    permitted by own.region: support works in its region (policies/own.cedar:7)
    note: not confirmed by the authorizer: the solver's word alone
    note: gained today, 3 times
no longer permitted, for instance:
  a user (in role/tier2-support) may manage-devices on a customer (label "segment": "x")
    was permitted by own.region: support works in its region (policies/own.cedar:3)
not proved: the solver does not know
  User end-relationship Customer

"#]]
            .raw()
        );
    }

    #[test]
    fn a_proof_within_a_comment() {
        assert_data_eq!(
            markdown(&proved(&proof()), 1),
            str![[r#"
Widened: the policies permit what they did not, in 3 of 5 kinds of requests, and less in 1; 1 are not proved.

Newly permitted, for instance:

- `a user (in role/tier2-support) may edit-customer and view-customer on a customer (label "segment": "smb")`
  - permitted by `own.region: support works in its region (policies/own.cedar:7)`
  - widened in theory, and nobody gains today by the policies alone
- and 1 more

No longer permitted, for instance:

- `a user (in role/tier2-support) may manage-devices on a customer (label "segment": "x")`
  - was permitted by `own.region: support works in its region (policies/own.cedar:3)`

Not proved for `User end-relationship Customer`: `the solver does not know`

"#]]
            .raw()
        );
    }

    #[test]
    fn a_proof_for_programs() {
        let proof = Proof { environments: proof().environments.split_off(2) };
        let json = serde_json::to_string_pretty(&record(&proved(&proof))).unwrap();
        assert_data_eq!(
            json,
            str![[r#"
{
  "verdict": "both",
  "summary": "widened: the policies permit what they did not, in 1 of 3 kinds of requests, and less in 1; 1 are not proved",
  "environments": 3,
  "unchanged": 1,
  "narrowed": 0,
  "widened": 0,
  "both": 1,
  "notProved": 1,
  "gained": [
    {
      "principal": "a user (in role/tier2-support)",
      "actions": [
        "manage-devices"
      ],
      "resource": "a customer (label \"segment\": \"`odd`\")",
      "confirmed": false,
      "real": false,
      "today": 3,
      "by": [
        {
          "id": "own.region",
          "reason": "support works in its region",
          "file": "policies/own.cedar",
          "line": 7
        }
      ],
      "against": []
    }
  ],
  "lost": [
    {
      "principal": "a user (in role/tier2-support)",
      "actions": [
        "manage-devices"
      ],
      "resource": "a customer (label \"segment\": \"x\")",
      "confirmed": true,
      "real": false,
      "by": [
        {
          "id": "own.region",
          "reason": "support works in its region",
          "file": "policies/own.cedar",
          "line": 3
        }
      ],
      "against": []
    }
  ],
  "eased": [],
  "unproved": [
    {
      "why": "the solver does not know",
      "environments": [
        "User end-relationship Customer"
      ]
    }
  ]
}
"#]]
            .raw()
        );
    }

    #[test]
    fn what_is_not_proved_is_never_said_to_be_safe() {
        let of = |judged: Vec<Judged>| proved(&Proof { environments: judged }).sentence();
        let unproved = || Answer::NotProved(Unproved::NoSolver("there is no solver".to_owned()));
        let nothing = || Answer::Nothing;
        assert_data_eq!(
            [
                of(vec![judged("a", nothing(), nothing(), Today::Unknown)]),
                of(vec![judged("a", nothing(), witness("a", "x"), Today::Unknown)]),
                // A guardrail is new that a Waiver lets pass; one is gone.
                of(vec![Judged { guarded: true, ..judged("a", nothing(), nothing(), Today::Unknown) }]),
                of(vec![Judged {
                    guarded: true,
                    eased: Some(witness("a", "x")),
                    ..judged("a", nothing(), nothing(), Today::Unknown)
                }]),
                of(vec![judged("a", nothing(), unproved(), Today::Unknown)]),
                of(vec![judged("a", unproved(), nothing(), Today::Unknown)]),
                of(vec![judged("a", witness("a", "x"), unproved(), Today::Nobody)]),
            ]
            .join("\n"),
            str![[r#"
proved: the policies permit exactly what they did, in every estate there could be (1 kinds of requests)
proved: the policies permit nothing that they did not, in any estate there could be, and less in 1 of 1 kinds of requests
proved, Waivers granted: the policies permit exactly what they did, in every estate there could be (1 kinds of requests)
proved, Waivers granted: the policies permit exactly what they did, in every estate there could be (1 kinds of requests); some of it needed a Waiver, and needs none now
proved: the policies permit nothing that they did not, in any estate there could be; whether they permit less is not known for 1 of 1 kinds of requests
not proved: whether the policies permit more is not known for 1 of 1 kinds of requests
widened: the policies permit what they did not, in 1 of 1 kinds of requests; nobody gains today
"#]]
            .raw()
        );
    }
}
