//! SARIF 2.1.0, for code scanning: findings with what became of them, and remarks on the lines that
//! made a difference. Files are relative to the repository.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::remarks::{self, Fingerprints, Remark, Sort, State};
use crate::manifest::code::Code;
use crate::report::json::write_value;
use crate::report::plan::json::without_secrets;
use crate::report::sarif::{ROOT, SCHEMA, rule, to_uri};
use crate::review::{Review, Side};

pub fn sarif(review: &Review, to: &mut dyn Write) -> io::Result<()> {
    let all = remarks::of(review);
    let sorts: BTreeSet<&Sort> = all.iter().map(|remark| &remark.sort).collect();
    let indexes: BTreeMap<&str, usize> =
        sorts.iter().enumerate().map(|(index, sort)| (sort.id(), index)).collect();
    let mut fingerprints = Fingerprints::default();
    let results: Vec<Value> = all
        .iter()
        .map(|remark| {
            let index = indexes.get(remark.sort.id()).copied();
            result(review, remark, index, &fingerprints.of(remark))
        })
        .collect();
    let version = env!("CARGO_PKG_VERSION");
    write_value(
        &without_secrets(json!({
            "$schema": SCHEMA,
            "version": "2.1.0",
            "runs": [{
                "tool": {"driver": {
                    "name": "partnerctl",
                    "version": version,
                    "semanticVersion": version,
                    "rules": sorts.iter().map(|sort| described(sort)).collect::<Vec<_>>(),
                }},
                "automationDetails": {"id": format!("partnerctl-review/{}", review.folder)},
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {ROOT: {"description": {"text": "the repository's top"}}},
                "results": results,
            }],
        })),
        to,
    )
}

fn described(sort: &Sort) -> Value {
    match sort {
        Sort::Finding(code) => match code.parse::<Code>() {
            Ok(code) => rule(code),
            Err(_) => json!({"id": code}),
        },
        own => json!({
            "id": own.id(),
            "shortDescription": {"text": own.title()},
            "fullDescription": {"text": own.title()},
            "help": {"text": "`partnerctl review` compares a pull request with what it would be merged into: see its --help."},
            "defaultConfiguration": {"level": "warning"},
        }),
    }
}

fn result(review: &Review, remark: &Remark, index: Option<usize>, fingerprint: &str) -> Value {
    let text = match &remark.help {
        Some(help) => format!("{}\nhelp: {help}", remark.message),
        None => remark.message.clone(),
    };
    let state = match remark.state {
        State::New => "new",
        State::Unchanged => "unchanged",
        State::Absent => "absent",
    };
    let file = remarks::file(review, remark);
    let mut physical = Map::new();
    physical
        .insert("artifactLocation".to_owned(), json!({"uri": to_uri(&file), "uriBaseId": ROOT}));
    if let Some(at) = remark.at.as_ref().filter(|at| at.side == Side::Head)
        && let Some(line) = at.line
    {
        let mut region = Map::new();
        region.insert("startLine".to_owned(), line.into());
        for (name, value) in
            [("startColumn", at.column), ("endLine", at.end_line), ("endColumn", at.end_column)]
        {
            if let Some(value) = value {
                region.insert(name.to_owned(), value.into());
            }
        }
        physical.insert("region".to_owned(), region.into());
    }
    json!({
        "ruleId": remark.sort.id(),
        "ruleIndex": index,
        "level": remark.level.word(),
        "message": {"text": text},
        "baselineState": state,
        "locations": [{
            "physicalLocation": physical,
            "logicalLocations": [{"fullyQualifiedName": remark.subject}],
        }],
        "partialFingerprints": {"partnerctl/v1": fingerprint},
    })
}
