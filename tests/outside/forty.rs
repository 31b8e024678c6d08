//! Faults of every sort in ten files: one run tells all of them, each at its place.

use std::collections::BTreeSet;

use crate::world::{FORMATS, Found, Run, TODAY, places, repository};

fn folder() -> String {
    repository().join("tests/outside/forty").to_str().expect("UTF-8").to_owned()
}

fn show(format: &str) -> String {
    let folder = folder();
    let ended = Run::new(&["validate", &folder, "--as-of", TODAY, "--format", format]).end();
    assert_eq!((ended.code, ended.err.as_str()), (3, ""), "{format}");
    ended.out
}

fn all() -> Vec<Found> {
    crate::world::found(&show("json"))
}

#[test]
fn one_run_tells_all_forty() {
    let found = all();
    assert_eq!(places(&found), EXPECTED);
    let codes: BTreeSet<&str> = found.iter().map(|found| found.code.as_str()).collect();
    assert_eq!((found.len(), codes.len()), (40, 40));
    let files: BTreeSet<&str> = found.iter().map(|found| found.file.as_str()).collect();
    assert_eq!(files.iter().filter(|file| file.starts_with("estate/")).count(), 10);
    let sorted = |found: &Found| (found.file.clone(), found.line, found.column);
    assert!(found.is_sorted_by_key(sorted));
}

#[test]
fn every_format_tells_all_forty() {
    let found = all();
    for format in FORMATS {
        let shown = show(format);
        for Found { file, line, column, code, .. } in &found {
            let (line, column) = (line.expect("a line"), column.expect("a column"));
            let expected = match format {
                "text" | "junit" => {
                    vec![format!("[{code}]: "), format!("--> {file}:{line}:{column}")]
                }
                "json" => vec![format!("\"code\": \"{code}\""), format!("\"line\": {line},")],
                "sarif" => vec![
                    format!("\"ruleId\": \"{code}\""),
                    format!("\"startLine\": {line},"),
                    format!("\"uri\": \"{file}\""),
                ],
                _ => vec![format!("title={code}::"), format!("file={file},line={line},")],
            };
            for part in expected {
                assert!(
                    shown.replace("--&gt;", "-->").contains(&part),
                    "{format}: {part}\n{shown}"
                );
            }
        }
    }
    assert!(
        show("text").ends_with("\n36 errors, 3 warnings, 1 note in 25 documents (10 files)\n"),
        "{}",
        show("text")
    );
}

#[test]
fn nothing_depends_on_chance() {
    for format in FORMATS {
        let first = show(format);
        assert!((0..5).all(|_| show(format) == first), "{format}");
    }
}

/// Judged one by one when they were written, in the order of files, lines and columns.
const EXPECTED: [&str; 40] = [
    "estate/access.yaml:5:3 P1506",
    "estate/access.yaml:6:13 P1501",
    "estate/access.yaml:7:15 P1502",
    "estate/access.yaml:9:67 P1504",
    "estate/access.yaml:10:12 P1507",
    "estate/access.yaml:15:79 P1703",
    "estate/account.yaml:8:14 P0104",
    "estate/account.yaml:13:3 P0101",
    "estate/broken.yaml:3:11 P0001",
    "estate/broken.yaml:5:13 P0201",
    "estate/broken.yaml:9:1 P0102",
    "estate/broken.yaml:13:7 P0202",
    "estate/broken.yaml:16:3 P0203",
    "estate/broken.yaml:22:7 P0007",
    "estate/customers.yaml:14:1 P1408",
    "estate/customers.yaml:14:43 P1403",
    "estate/customers.yaml:14:138 P0303",
    "estate/large.csv:1:6 P0401",
    "estate/large.csv:1:21 P0405",
    "estate/more.json:2:43 P0205",
    "estate/more.json:4:24 P1701",
    "estate/partnerships.yaml:8:3 P1301",
    "estate/partnerships.yaml:15:3 P0109",
    "estate/partnerships.yaml:16:13 P0107",
    "estate/roles.yaml:4:34 P1101",
    "estate/roles.yaml:9:15 P0310",
    "estate/roles.yaml:13:18 P0302",
    "estate/smb.csv:3:29 P0308",
    "estate/smb.csv:4:1 P0402",
    "estate/users.yaml:9:34 P0307",
    "estate/users.yaml:13:18 P0301",
    "estate/users.yaml:18:37 P0305",
    "estate/users.yaml:23:10 P1002",
    "estate/users.yaml:25:11 P1007",
    "estate/users.yaml:25:34 P1005",
    "estate/users.yaml:29:36 P0313",
    "estate/users.yaml:30:74 P0111",
    "partnerctl.yaml:6:14 P0206",
    "partnerctl.yaml:6:23 P0207",
    "partnerctl.yaml:7:83 P1903",
];
