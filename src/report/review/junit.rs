//! JUnit XML, for the test pages of CI systems: a suite for each sort of remark; what stops is a test
//! that fails, everything else one that passes and says something.

use std::collections::BTreeMap;
use std::io::{self, Write};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::remarks::{self, Level, Remark, State};
use super::words;
use crate::report::plan::value::shown;
use crate::review::Review;

/// Characters of a message.
const CHARS_MAX: usize = 1_500;

pub fn junit(review: &Review, to: &mut dyn Write) -> io::Result<()> {
    let all = remarks::of(review);
    let mut sorts: BTreeMap<&str, Vec<&Remark>> = BTreeMap::new();
    for remark in all.iter().filter(|remark| remark.state != State::Absent) {
        sorts.entry(remark.sort.id()).or_default().push(remark);
    }
    let mut report = Report::new("partnerctl review");
    if sorts.is_empty() {
        let mut suite = TestSuite::new("review");
        let mut case = TestCase::new(words::NO_CHANGE, TestCaseStatus::success());
        case.set_classname("review");
        suite.add_test_case(case);
        report.add_test_suite(suite);
    }
    for (sort, remarks) in sorts {
        let mut suite = TestSuite::new(sort);
        suite.add_test_cases(remarks.into_iter().map(tested));
        report.add_test_suite(suite);
    }
    let xml = report.to_string().map_err(io::Error::other)?;
    to.write_all(xml.as_bytes())
}

fn tested(remark: &Remark) -> TestCase {
    let message = shown(&remark.message, CHARS_MAX);
    let mut lines = vec![message.clone()];
    lines.extend(remark.at.as_ref().map(|at| format!("--> {}", words::place(at))));
    lines.extend(remark.help.as_deref().map(|help| shown(help, CHARS_MAX)));
    let name = format!("{}: {}", shown(&remark.subject, 140), shown(&remark.message, 200));
    let status = if remark.level == Level::Error {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_message(message).set_type(remark.sort.id()).set_description(lines.join("\n"));
        status
    } else {
        TestCaseStatus::success()
    };
    let mut case = TestCase::new(name, status);
    case.set_classname(remark.sort.id());
    if remark.level != Level::Error {
        case.set_system_out(lines.join("\n"));
    }
    case
}
