//! Whether enough people approve of a plan, and who does not count and why.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::people::{People, Person, is_same_name};
use super::signers::Entry;
use super::{Approval, NotAnApproval, Revoked, Role, Signers, Subject};
use crate::plan::file::Plan;

/// A file that was found where approvals stand.
#[derive(Debug, Clone)]
pub struct Found {
    pub file: String,
    pub read: Result<Approval, NotAnApproval>,
}

/// What approvals are held against.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    pub plan: &'a Plan,
    pub signers: &'a Signers,
    pub revoked: &'a Revoked,
    /// Who is known otherwise to have made the plan, or what it was made from.
    pub authors: &'a [String],
    /// Who is known to be none of the approvers: as authors they need not be in the file.
    pub no_approvers: &'a [String],
    pub now: Timestamp,
}

/// Who approves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counted {
    /// Each person once, by the first of their names, in order.
    pub approvers: Vec<String>,
    /// It is known who made the plan, so that they cannot approve of it.
    pub is_author_known: bool,
    /// Authors by names that the approvers' file does not have: any of the approvers may be them.
    pub strangers: Vec<String>,
    pub uncounted: Vec<Uncounted>,
}

/// A file that does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uncounted {
    pub file: String,
    pub why: String,
    /// It is somebody's signature, of another plan.
    pub is_of_another: bool,
}

/// Who approves of a plan. Who made it does not, whoever signed does once, and what is not known for
/// certain does not count.
pub fn count(question: Question<'_>, found: &[Found]) -> Counted {
    let people = People::of(question.signers);
    let mut counted =
        Counted { is_author_known: !question.authors.is_empty(), ..Counted::default() };
    let mut authors: BTreeSet<Person> = BTreeSet::new();
    for name in question.authors {
        let theirs: Vec<Person> = people.named(name).collect();
        let is_said = || question.no_approvers.iter().any(|one| is_same_name(one, name));
        if theirs.is_empty() && !is_said() && !counted.strangers.contains(name) {
            counted.strangers.push(name.clone());
        }
        authors.extend(theirs);
    }
    let mut approvers: BTreeMap<Person, (&str, &str)> = BTreeMap::new();
    for Found { file, read } in found {
        match signed(question, &people, read, &mut authors) {
            Ok((Role::Author, ..)) => counted.is_author_known = true,
            Ok((Role::Approver, person, name)) => {
                approvers.entry(person).or_insert((file, name));
            }
            Err((why, is_of_another)) => {
                counted.uncounted.push(Uncounted { file: file.clone(), why, is_of_another });
            }
        }
    }
    for (person, (file, name)) in approvers {
        if authors.contains(&person) {
            let why = format!("{name} made the plan, and cannot approve of it");
            counted.uncounted.push(Uncounted { file: file.to_owned(), why, is_of_another: false });
        } else {
            counted.approvers.push(name.to_owned());
        }
    }
    counted.approvers.sort();
    counted
}

/// Who signed, and as what; or why that is not known. Who signed as its author is one, even with a key
/// that does not count any more.
fn signed<'a>(
    question: Question<'a>,
    people: &People<'a>,
    read: &Result<Approval, NotAnApproval>,
    authors: &mut BTreeSet<Person>,
) -> Result<(Role, Person, &'a str), (String, bool)> {
    let no = |why: &str| (why.to_owned(), false);
    let approval = read.as_ref().map_err(|error| (error.to_string(), false))?;
    let key = approval.signer().map_err(|error| (error.to_string(), false))?;
    let role = approval.role;
    let is_this = approval.plan == Subject::of(question.plan);
    let lines: Vec<_> = people.with_key(&key).collect();
    let Some(&(person, first)) = lines.first() else {
        return Err(no("the approvers' file does not have its key"));
    };
    // One line that lets it count is enough: a key may stand there for other purposes too.
    let unfit = |(_, entry): &(Person, &Entry)| entry.unfit_at(question.now);
    let is_fit = lines.iter().any(|line| unfit(line).is_none());
    if role == Role::Author && is_this {
        authors.insert(person);
    }
    if question.revoked.has(&key) {
        return Err(no("its key is revoked"));
    }
    if !is_fit {
        return Err(no(lines.iter().find_map(unfit).unwrap_or_default()));
    }
    if !is_this {
        let name = first.name();
        let why = format!("{name} signed another plan: this one was changed since, or made anew");
        return Err((why, true));
    }
    Ok((role, person, first.name()))
}
