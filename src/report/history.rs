//! Which runs there were, and what each did.

use std::io::{self, Write};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::json;
use super::plan::{shown_field, shown_json, shown_text};

/// Which format this is.
pub const FORMAT: &str = "partnerctl/history/v1";

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// For programs: partnerctl/history/v1
    Json,
}

/// The runs of a ledger, the latest first.
#[derive(Debug, Clone, PartialEq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct History {
    pub format: String,
    pub chain: Chain,
    pub runs: Vec<Run>,
    /// Leases that were taken away from the dead, the latest first.
    pub unlocks: Vec<Unlock>,
}

/// Whether the past is as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Chain {
    /// How many entries were verified; a run has one for its beginning and one for its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entries: Option<i64>,
    /// The hash of the last: whoever keeps it elsewhere notices a past that was written anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
    /// What of it was changed, if anything was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken: Option<String>,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    pub id: String,
    #[schemars(with = "String")]
    pub started_at: Timestamp,
    /// Absent while it goes on, or if it died.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub ended_at: Option<Timestamp>,
    pub estate: String,
    /// In whose token changes were made.
    pub actor: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    pub plan_digest: String,
    /// Which limits somebody let pass, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<String>,
    /// Who approved of the plan, where approvals were required.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub approved_by: Vec<String>,
    pub outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counts>,
    /// The run that it took back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undoes: Option<String>,
    /// The runs that took it back, or tried to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub undone_by: Vec<String>,
    /// In the order in which they began; only where one run was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<Vec<Step>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Applied,
    Partly,
    Failed,
    Interrupted,
    /// It died, and another run took up what it left.
    Abandoned,
    /// It goes on, or it died and nobody has taken up what it left.
    Unfinished,
}

impl Outcome {
    const fn words(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Partly => "partly applied",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::Abandoned => "died, and was cleared up by a later run",
            Self::Unfinished => "goes on, or died",
        }
    }
}

/// How many steps ended how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    pub done: u32,
    pub failed: u32,
    pub skipped: u32,
    pub stale: u32,
    pub unknown: u32,
    pub waiting: u32,
}

impl Counts {
    fn words(self) -> String {
        let Self { done, failed, skipped, stale, unknown, waiting } = self;
        let mut words = vec![format!("{done} done")];
        for (count, word) in [
            (failed, "failed"),
            (stale, "stale"),
            (unknown, "of unknown outcome"),
            (skipped, "skipped"),
            (waiting, "waiting for people"),
        ] {
            if count > 0 {
                words.push(format!("{count} {word}"));
            }
        }
        words.join(", ")
    }
}

/// A step, as the journal has it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    pub id: String,
    /// `kind/name`.
    pub object: String,
    pub verb: String,
    pub summary: String,
    /// From 1.
    pub attempt: u32,
    /// done, failed, skipped, stale, unknown; open while nobody knows.
    pub outcome: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    #[schemars(with = "String")]
    pub at: Timestamp,
    pub fields: Vec<Field>,
}

/// What became of a field.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    pub path: String,
    pub before: Value,
    pub after: Value,
}

/// The lease of a dead run was taken away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Unlock {
    #[schemars(with = "String")]
    pub at: Timestamp,
    pub by: String,
    pub reason: String,
    /// Whose it was.
    pub holder: String,
}

pub fn write(history: &History, format: Format, to: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Json => json::write_value(&shown_json(serde_json::to_value(history)?), to),
        Format::Text => text(history, to),
    }
}

/// The JSON Schema of the format.
pub fn schema() -> Value {
    let mut schema = json::schema_of::<History>();
    if let Some(members) = schema.as_object_mut() {
        members.insert("title".to_owned(), "partnerctl history, version 1".into());
    }
    schema
}

fn text(history: &History, to: &mut dyn Write) -> io::Result<()> {
    for run in &history.runs {
        match &run.steps {
            None => in_short(run, to)?,
            Some(steps) => in_full(run, steps, to)?,
        }
    }
    if !history.unlocks.is_empty() {
        writeln!(to, "leases that were taken away ({})", history.unlocks.len())?;
        for Unlock { at, by, reason, holder } in &history.unlocks {
            let (by, reason) = (shown_text(by), shown_text(reason));
            writeln!(to, "  {}  by {by}: {reason}", moment(*at))?;
            writeln!(to, "    it was held by {}", shown_text(holder))?;
        }
    }
    match &history.chain {
        Chain { broken: Some(broken), .. } => {
            writeln!(to, "THE HISTORY WAS CHANGED: {}", shown_text(broken))
        }
        Chain { entries: Some(entries), .. } => {
            writeln!(to, "the history is whole: {entries} entries")
        }
        Chain { .. } => writeln!(to, "there is no history yet"),
    }
}

fn in_short(run: &Run, to: &mut dyn Write) -> io::Result<()> {
    let took = took(run).map(|took| format!(", {took}")).unwrap_or_default();
    let (id, who) = (shown_text(&run.id), shown_text(&run.actor));
    writeln!(to, "{id}  {}{took}, {who}", moment(run.started_at))?;
    let mut told = vec![outcome(run)];
    if let Some(commit) = &run.commit {
        told.push(format!("commit {}", short(commit)));
    }
    told.push(format!("plan {}", short(&run.plan_digest)));
    writeln!(to, "  {}", told.join("; "))?;
    ties(run, |name, run| writeln!(to, "  {name} {run}"))
}

fn in_full(run: &Run, steps: &[Step], to: &mut dyn Write) -> io::Result<()> {
    let ended = run.ended_at.map(|at| match took(run) {
        Some(took) => format!("{} ({took})", moment(at)),
        None => moment(at),
    });
    let mut line = |name: &str, value: &str| writeln!(to, "{name:<9} {}", shown_text(value));
    line("run", &run.id)?;
    line("began", &moment(run.started_at))?;
    line("ended", ended.as_deref().unwrap_or("not yet"))?;
    line("by", &run.actor)?;
    line("estate", &run.estate)?;
    if let Some(commit) = &run.commit {
        line("commit", commit)?;
    }
    line("plan", &run.plan_digest)?;
    if let Some(allowed) = &run.allowed {
        line("allowed", allowed)?;
    }
    if !run.approved_by.is_empty() {
        line("approved", &format!("by {}", run.approved_by.join(", ")))?;
    }
    line("outcome", &outcome(run))?;
    ties(run, |name, run| line(name, run))?;
    for step in steps {
        writeln!(to, "{:<9} {}", shown_text(&step.outcome), shown_text(&step.summary))?;
        if let Some(why) = &step.why {
            writeln!(to, "          {}", shown_text(why))?;
        }
        for Field { path, before, after } in &step.fields {
            let (before, after) = (shown_field(path, before), shown_field(path, after));
            writeln!(to, "          {}: {before} → {after}", shown_text(path))?;
        }
    }
    Ok(())
}

/// Which runs belong to it.
fn ties(run: &Run, mut line: impl FnMut(&str, &str) -> io::Result<()>) -> io::Result<()> {
    if let Some(undone) = &run.undoes {
        line("undoes", &shown_text(undone))?;
    }
    run.undone_by.iter().try_for_each(|other| line("undone by", &shown_text(other)))
}

fn outcome(run: &Run) -> String {
    let words = run.outcome.words();
    run.counts.map_or_else(|| words.to_owned(), |counts| format!("{words}: {}", counts.words()))
}

fn short(digest: &str) -> String {
    shown_text(digest).chars().take(12).collect()
}

fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn took(run: &Run) -> Option<String> {
    let seconds = run.ended_at?.duration_since(run.started_at).as_secs();
    Some(match (seconds / 3600, seconds / 60, seconds) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, _) => format!("{minutes} min {} s", seconds % 60),
        (hours, ..) => format!("{hours} h {} min", seconds % 3600 / 60),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use snapbox::IntoData as _;

    use super::*;

    fn history() -> History {
        let run = Run {
            id: "20261120T120000Z-5f70bf18-00ff".to_owned(),
            started_at: "2026-11-20T12:00:00Z".parse().unwrap(),
            ended_at: Some("2026-11-20T12:01:04Z".parse().unwrap()),
            estate: "fabrikam".to_owned(),
            actor: "aiko@fabrikam.example".to_owned(),
            commit: Some("4be01c7d21b2a80d8b9c4f6f8cde1b4f0a5d7e93".to_owned()),
            allowed: None,
            approved_by: Vec::new(),
            plan_digest: "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
                .to_owned(),
            outcome: Outcome::Partly,
            counts: Some(Counts { done: 1, failed: 1, ..Counts::default() }),
            undoes: None,
            undone_by: vec!["20261121T080000Z-00000000-0001".to_owned()],
            steps: None,
        };
        let dead = Run {
            id: "20261119T120000Z-aaaaaaaa-0000".to_owned(),
            ended_at: None,
            commit: None,
            allowed: None,
            approved_by: Vec::new(),
            outcome: Outcome::Unfinished,
            counts: None,
            undone_by: Vec::new(),
            ..run.clone()
        };
        History {
            format: FORMAT.to_owned(),
            chain: Chain { entries: Some(3), head: Some("00".to_owned()), broken: None },
            runs: vec![run, dead],
            unlocks: vec![Unlock {
                at: "2026-11-20T11:00:00Z".parse().unwrap(),
                by: "chie on desk".to_owned(),
                reason: "the runner is gone\u{1b}[2J".to_owned(),
                holder: "aiko on runner (process 7)".to_owned(),
            }],
        }
    }

    fn shown(history: &History) -> String {
        let mut out = Vec::new();
        write(history, Format::Text, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn runs_are_listed_with_who_and_what_came_of_them() {
        snapbox::assert_data_eq!(
            shown(&history()),
            snapbox::str![[r"
20261120T120000Z-5f70bf18-00ff  2026-11-20 12:00:00 UTC, 1 min 4 s, aiko@fabrikam.example
  partly applied: 1 done, 1 failed; commit 4be01c7d21b2; plan 5f70bf18a086
  undone by 20261121T080000Z-00000000-0001
20261119T120000Z-aaaaaaaa-0000  2026-11-20 12:00:00 UTC, aiko@fabrikam.example
  goes on, or died; plan 5f70bf18a086
leases that were taken away (1)
  2026-11-20 11:00:00 UTC  by chie on desk: the runner is gone\u{1b}[2J
    it was held by aiko on runner (process 7)
the history is whole: 3 entries

"]]
            .raw()
        );
    }

    /// What a service or a manifest said acts on no terminal, and what looks like a secret is hidden.
    #[test]
    fn one_run_is_told_step_by_step() {
        let mut history = history();
        history.runs.truncate(1);
        history.unlocks.clear();
        let step = |outcome: &str, why: Option<&str>, fields| Step {
            id: "user/ben/update".to_owned(),
            object: "user/ben".to_owned(),
            verb: "update".to_owned(),
            summary: "set jobTitle of user/ben".to_owned(),
            attempt: 1,
            outcome: outcome.to_owned(),
            why: why.map(str::to_owned),
            at: "2026-11-20T12:00:00Z".parse().unwrap(),
            fields,
        };
        let field = Field {
            path: "spec.jobTitle".to_owned(),
            before: Value::Null,
            after: json!("Clerk\u{1b}[31m"),
        };
        history.runs[0].steps = Some(vec![
            step("done", None, vec![field]),
            step("failed", Some("429: too many\nrequests"), Vec::new()),
        ]);
        history.chain.broken = Some("entry 2 is not as it was written".to_owned());
        snapbox::assert_data_eq!(
            shown(&history),
            snapbox::str![[r"
run       20261120T120000Z-5f70bf18-00ff
began     2026-11-20 12:00:00 UTC
ended     2026-11-20 12:01:04 UTC (1 min 4 s)
by        aiko@fabrikam.example
estate    fabrikam
commit    4be01c7d21b2a80d8b9c4f6f8cde1b4f0a5d7e93
plan      5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef
outcome   partly applied: 1 done, 1 failed
undone by 20261121T080000Z-00000000-0001
done      set jobTitle of user/ben
          spec.jobTitle: nothing → Clerk\u{1b}[31m
failed    set jobTitle of user/ben
          429: too many\nrequests
THE HISTORY WAS CHANGED: entry 2 is not as it was written

"]]
            .raw()
        );
    }

    #[test]
    fn the_format_is_as_its_schema_says() {
        let schema = jsonschema::validator_for(&schema()).unwrap();
        let value = serde_json::to_value(history()).unwrap();
        assert!(schema.is_valid(&value), "{value}");
        assert!(!schema.is_valid(&json!({"format": FORMAT})));
    }
}
