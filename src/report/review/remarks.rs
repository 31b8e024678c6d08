//! A review as remarks on lines, for hosts that show such: what matters most first.
//!
//! A remark is an error when it stops the check, by the rules or because whoever called wants it so.

use super::words;
use crate::plan::file::Why;
use crate::review::privilege::{DirectoryGrant, RoleGrant};
use crate::review::verdict::Outcome;
use crate::review::{At, Effect, FailOn, FindingState, Noted, Rectangle, Review, RuleChange, Side};

/// How bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Error,
    Warning,
    Note,
}

impl Level {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// What sort of remark it is: the code of a finding, or one of ours.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sort {
    RuleChanged,
    PrivilegedRole,
    AccessGained,
    Standing,
    DirectoryRole,
    AccessLost,
    AccessUnknown,
    PlanRefused,
    OverLimit,
    Stopped,
    Finding(String),
}

impl Sort {
    pub(super) fn id(&self) -> &str {
        match self {
            Self::RuleChanged => "review-rule",
            Self::PrivilegedRole => "review-privileged-role",
            Self::AccessGained => "review-access-gained",
            Self::Standing => "review-standing",
            Self::DirectoryRole => "review-directory-role",
            Self::AccessLost => "review-access-lost",
            Self::AccessUnknown => "review-access-unknown",
            Self::PlanRefused => "review-plan-refused",
            Self::OverLimit => "review-over-limit",
            Self::Stopped => "review-stopped",
            Self::Finding(code) => code,
        }
    }

    pub(super) const fn title(&self) -> &'static str {
        match self {
            Self::RuleChanged => "a rule is changed",
            Self::PrivilegedRole => "a privileged role goes to a new holder",
            Self::AccessGained => "access is gained",
            Self::Standing => "somebody may be somebody else, or for longer",
            Self::DirectoryRole => "a directory role is gained in customers' tenants",
            Self::AccessLost => "access is lost",
            Self::AccessUnknown => "who gains and loses what is not known",
            Self::PlanRefused => "the plan is refused",
            Self::OverLimit => "the plan is over a limit",
            Self::Stopped => "a person has to look",
            Self::Finding(_) => "a finding",
        }
    }
}

/// One remark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Remark {
    pub(super) level: Level,
    pub(super) sort: Sort,
    /// What it is about, the same in the next review of the same change.
    pub(super) subject: String,
    pub(super) message: String,
    pub(super) help: Option<String>,
    /// Where it is at the head, if it is there.
    pub(super) at: Option<At>,
    pub(super) state: State,
}

/// Since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    New,
    Unchanged,
    Absent,
}

/// All of them.
pub(super) fn of(review: &Review) -> Vec<Remark> {
    let is_strict = review.verdict.fail_on != FailOn::None;
    let stops = |stops: bool| if stops { Level::Error } else { Level::Warning };
    let mut remarks = Vec::new();
    for change in &review.rules {
        let level = match change.effect {
            Effect::Weakens | Effect::MayWeaken => stops(is_strict),
            Effect::Neutral | Effect::Tightens => Level::Note,
        };
        remarks.push(rule(change, level));
    }
    remarks.extend(review.roles.iter().map(|grant| role(grant, stops(is_strict))));
    for rectangle in words::reaches(review) {
        let is_widened = review.verdict.fail_on == FailOn::Widened;
        let level = stops(is_strict && (rectangle.privileged || is_widened));
        remarks.push(access(review, rectangle, level, Sort::AccessGained));
    }
    for change in &review.standing {
        let is_widened = review.verdict.fail_on == FailOn::Widened;
        remarks.push(Remark {
            level: stops(is_strict && (change.privileged || is_widened)),
            sort: Sort::Standing,
            subject: format!("{} {}", change.object, change.field.path),
            message: words::standing(change),
            help: None,
            at: change.at.clone(),
            state: State::New,
        });
    }
    for grant in review.directory_roles.iter().filter(|grant| grant.gained.count > 0) {
        remarks.push(directory(grant, stops(is_strict)));
    }
    remarks.extend(review.findings.iter().map(finding));
    let refusals = review.plan.iter().flat_map(|plan| &plan.refused);
    remarks.extend(refusals.map(|refusal| {
        let sort = if refusal.why == Why::Limit { Sort::OverLimit } else { Sort::PlanRefused };
        Remark {
            help: Some(refusal.remedy.clone()),
            ..plainly(Level::Error, sort, "plan", &refusal.message)
        }
    }));
    let over = review.over_limits.iter();
    remarks.extend(over.map(|said| plainly(Level::Error, Sort::OverLimit, "plan", said)));
    if let Some(why) = &review.access_unknown {
        remarks.push(plainly(stops(is_strict), Sort::AccessUnknown, "access", why));
    }
    // Whoever looks here alone must not find it green when the command fails.
    let is_told = remarks.iter().any(|remark| remark.level == Level::Error);
    if review.verdict.outcome != Outcome::Passes && !is_told {
        let because = review.verdict.because.iter();
        remarks.extend(because.map(|why| plainly(Level::Error, Sort::Stopped, "verdict", why)));
    }
    for rectangle in &review.access.lost {
        remarks.push(access(review, rectangle, Level::Note, Sort::AccessLost));
    }
    // Stable: among equals the order of the review stays.
    remarks.sort_by_key(|remark| (remark.state == State::Absent, remark.level));
    remarks
}

/// What has no line of its own.
fn plainly(level: Level, sort: Sort, subject: &str, message: &str) -> Remark {
    Remark {
        level,
        sort,
        subject: subject.to_owned(),
        message: message.to_owned(),
        help: None,
        at: None,
        state: State::New,
    }
}

fn rule(change: &RuleChange, level: Level) -> Remark {
    let RuleChange { effect, subject, name, message, reason, .. } = change;
    let word = effect.word();
    let reason =
        reason.as_deref().map_or_else(String::new, |reason| format!(" (its reason: {reason})"));
    Remark {
        level,
        sort: Sort::RuleChanged,
        subject: format!("{} {name}", subject.word()),
        message: format!("{word}: {message}{reason}"),
        help: None,
        at: change.at.clone(),
        state: State::New,
    }
}

fn role(grant: &RoleGrant, level: Level) -> Remark {
    Remark {
        level,
        sort: Sort::PrivilegedRole,
        subject: grant.role.clone(),
        message: words::role(grant),
        help: None,
        at: grant.at.clone(),
        state: State::New,
    }
}

fn directory(grant: &DirectoryGrant, level: Level) -> Remark {
    Remark {
        level,
        sort: Sort::DirectoryRole,
        subject: format!("{} {}", grant.to, grant.directory_roles.join(",")),
        message: words::directory(grant),
        help: None,
        at: grant.at.clone(),
        state: State::New,
    }
}

/// It stands where the pull request made it so: on the line that changed, else on the policy.
fn access(review: &Review, rectangle: &Rectangle, level: Level, sort: Sort) -> Remark {
    let is_gained = sort == Sort::AccessGained;
    let mut message = words::sentence(rectangle, is_gained);
    let causes = words::causes(review, rectangle);
    if !causes.is_empty() {
        message.push_str(", because of ");
        message.push_str(&causes.join("; "));
    }
    let deciders: Vec<String> = words::deciders(review, rectangle).map(|(_, told)| told).collect();
    let help = (!deciders.is_empty()).then(|| format!("decided by {}", deciders.join(", ")));
    let changed = rectangle.causes.iter().find_map(|cause| {
        let change = review.changes.iter().find(|change| change.object == *cause)?;
        change.at.clone().filter(|at| at.side == Side::Head)
    });
    let policy = || {
        let mut own = words::deciders(review, rectangle).filter(|(one, _)| !one.built_in);
        own.next().map(|(decider, _)| decider.at.clone())
    };
    Remark {
        level,
        sort,
        subject: format!(
            "{} {}",
            rectangle.principals.names.join(","),
            rectangle.actions.join(",")
        ),
        message,
        help,
        at: changed.or_else(policy),
        state: State::New,
    }
}

fn finding(noted: &Noted) -> Remark {
    let Noted { state, code, severity, message, help, object, at, denies: _ } = noted;
    let level = match severity.as_str() {
        _ if noted.is_denied() || noted.is_invalid() => Level::Error,
        "error" => Level::Error,
        "warning" => Level::Warning,
        _ => Level::Note,
    };
    let by_the_base = if *state == FindingState::ByTheBase { "by the base's rules: " } else { "" };
    Remark {
        level,
        sort: Sort::Finding(code.clone()),
        // An object is unique in its estate and may move to another file.
        subject: object.clone().unwrap_or_else(|| at.file.clone()),
        message: format!("{by_the_base}{message}"),
        help: help.clone(),
        at: Some(at.clone()),
        state: match state {
            FindingState::ByTheBase | FindingState::New => State::New,
            FindingState::Still => State::Unchanged,
            FindingState::Fixed => State::Absent,
        },
    }
}

/// The file of a remark within the repository; the project file for what has none.
pub(super) fn file(review: &Review, remark: &Remark) -> String {
    let file = remark.at.as_ref().map(|at| at.file.as_str()).filter(|file| !file.is_empty());
    format!("{}{}", review.folder, file.unwrap_or("partnerctl.yaml"))
}

/// The lines of a remark at the head; nothing for what stood at the base.
pub(super) fn lines(remark: &Remark) -> Option<(u32, u32)> {
    let at = remark.at.as_ref().filter(|at| at.side == Side::Head)?;
    Some((at.line?, at.end_line.or(at.line)?))
}

/// Numbers remarks that say the same, so that each has a fingerprint of its own.
#[derive(Debug, Default)]
pub(super) struct Fingerprints {
    seen: std::collections::HashMap<u64, u32>,
}

impl Fingerprints {
    /// The same for the same remark after lines moved: made of what it says, not of where.
    pub(super) fn of(&mut self, remark: &Remark) -> String {
        let parts = [remark.sort.id(), remark.subject.as_str(), remark.message.as_str()];
        let hash = crate::report::sarif::fnv1a(parts);
        let twin = self.seen.entry(hash).or_default();
        *twin += 1;
        format!("{hash:016x}:{twin}")
    }
}
