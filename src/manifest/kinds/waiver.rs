//! `Waiver`: a finding that an owner answers for, until a day.

use crate::manifest::read::shape;
use crate::model::name::{Reference, UserKey};
use crate::model::text::Remark;
use crate::model::time::Day;
use crate::model::waiver::{FindingCode, Waiver};

shape!(Waiver, "Waiver", {
    /// The code of the finding.
    "finding" => finding: required FindingCode, Local;
    /// The document it is about.
    "on" => on: required Reference, Local;
    /// The user who answers for it.
    "owner" => owner: required UserKey, Local;
    /// Why it is right that way for now.
    "reason" => reason: required Remark, Local;
    /// The last day on which it holds; afterwards its finding is back.
    "until" => until: required Day, Local;
});
