//! What planning gathers while it goes through an estate.

use serde_json::Value;

use super::change::{Change, Target};
use super::compare::{Memory, Verdict};
use super::file::{Refusal, Why};
use super::input::Input;
use super::step::{
    Authorisation, Cause, Cost, FieldChange, Guard, Report, Source, State, Step, Verb,
};
use crate::model::estate::Declared;
use crate::model::metadata::Metadata;
use crate::model::name::Kind;
use crate::model::record::{ObjectKey, Recorded};

/// Steps, reports and refusals, in the order in which they were met.
#[derive(Debug, Default)]
pub(super) struct Drafts {
    pub(super) steps: Vec<Step>,
    pub(super) report: Vec<Report>,
    pub(super) refused: Vec<Refusal>,
}

impl Drafts {
    pub(super) fn say(&mut self, object: &ObjectKey, state: State, message: impl Into<String>) {
        self.report.push(report(object, state, message));
    }

    pub(super) fn refuse(&mut self, why: Why, message: String, remedy: impl Into<String>) {
        self.refused.push(Refusal { why, step: None, message, remedy: remedy.into() });
    }

    /// Sorts a verdict: a change is handed back, the rest is told.
    pub(super) fn heed(
        &mut self,
        object: &ObjectKey,
        path: &str,
        verdict: Verdict,
    ) -> Option<FieldChange> {
        match verdict {
            Verdict::Nothing => None,
            Verdict::Change(change) => Some(*change),
            Verdict::Ignored => {
                self.say(object, State::Ignored, format!("{path} differs, and is left to others"));
                None
            }
            Verdict::Settling => {
                let message = format!("{path} was written a moment ago and is not seen yet");
                self.say(object, State::Settling, message);
                None
            }
        }
    }
}

/// A report with nothing but a message.
pub(super) fn report(object: &ObjectKey, state: State, message: impl Into<String>) -> Report {
    Report {
        object: object.clone(),
        state,
        message: message.into(),
        link: None,
        since: None,
        until: None,
        step: None,
        confirms: None,
        instructions: None,
        awaiting: None,
        asks: None,
        count: None,
    }
}

/// Something that a person has to do.
pub(super) struct Errand<'a> {
    pub(super) object: &'a ObjectKey,
    /// What `confirm` takes.
    pub(super) step: String,
    pub(super) message: String,
    pub(super) awaiting: String,
    pub(super) link: Option<String>,
    pub(super) instructions: String,
    /// What a confirmation of it is about, where nobody sees that it is done.
    pub(super) confirms: Option<String>,
}

impl Errand<'_> {
    /// The report of it; since when, if that is remembered.
    pub(super) fn report(self, input: &Input<'_>) -> Report {
        let since = input.record.waiting(self.object, &self.step).filter(|known| {
            // Another link is another invitation.
            known.waiting.link == self.link
        });
        Report {
            object: self.object.clone(),
            state: State::Waiting,
            message: self.message,
            link: self.link,
            since: since.map(|since| since.since),
            until: since.and_then(|since| since.waiting.until),
            step: Some(self.step),
            confirms: self.confirms,
            instructions: Some(self.instructions),
            awaiting: Some(self.awaiting),
            asks: None,
            count: None,
        }
    }
}

/// An object that is declared, with what is remembered of it.
pub(super) struct Subject<'a> {
    pub(super) key: ObjectKey,
    pub(super) source: Option<Source>,
    pub(super) memory: Memory<'a>,
}

impl<'a> Subject<'a> {
    pub(super) fn declared<T>(input: &Input<'a>, kind: Kind, declared: &'a Declared<T>) -> Self {
        let metadata: &'a Metadata = &declared.metadata;
        let recorded = input.record.known(kind, metadata);
        Self {
            key: ObjectKey::new(kind, metadata.name.as_str()),
            source: (input.source_of)(declared.origin),
            memory: Memory::new(recorded, Some(metadata), input.now, input.lags),
        }
    }

    /// One whose document is gone.
    pub(super) fn gone(input: &Input<'a>, key: &ObjectKey, recorded: &'a Recorded) -> Self {
        Self {
            key: key.clone(),
            source: None,
            memory: Memory::new(Some(recorded), None, input.now, input.lags),
        }
    }

    /// A step on it.
    pub(super) fn step(
        &self,
        what: &str,
        verb: Verb,
        summary: String,
        fields: Vec<FieldChange>,
        change: Change,
    ) -> Step {
        Step {
            id: format!("{}/{what}", self.key),
            object: self.key.clone(),
            verb,
            summary,
            fields,
            depends_on: Vec::new(),
            guard: Guard::default(),
            irreversible: None,
            source: self.source.clone(),
            authorisation: Authorisation::default(),
            cost: Cost::default(),
            change,
            held_by: None,
        }
    }
}

/// A field that comes into being with its object, or goes with it.
pub(super) fn whole(path: &str, before: Value, after: Value, cause: Cause) -> FieldChange {
    FieldChange { path: path.to_owned(), before, after, cause, applied: None }
}

/// The step that makes what a target stands for, if one does.
pub(super) fn maker(target: &Target) -> Option<String> {
    match target {
        Target::Id(_) => None,
        Target::MadeFor(key) => Some(format!("{key}/create")),
    }
}
