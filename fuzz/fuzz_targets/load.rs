//! Whatever the files hold, a load ends with an estate and findings that every report can show.

#![no_main]

use libfuzzer_sys::fuzz_target;
use partnerctl::manifest::source::{Format, Source, Sources};
use partnerctl::manifest::{Load, Tables, TroubleKind, load, read_project};
use partnerctl::model::scalar::Scalar;
use partnerctl::model::time::Day;
use partnerctl::report::{self, Style};

/// Every table that is asked for is the rest of the input.
struct Rest(Vec<u8>);

impl Tables for Rest {
    fn open(&self, _: &str, file: &str) -> Result<(String, Vec<u8>), (TroubleKind, String)> {
        Ok((file.to_owned(), self.0.clone()))
    }
}

fuzz_target!(|input: &[u8]| {
    // Up to the first NUL a manifest, up to the second a table, then a project file.
    let mut parts = input.splitn(3, |byte| *byte == 0);
    let mut part = || parts.next().unwrap_or_default().to_vec();
    let (manifest, table, project) = (part(), part(), part());
    let mut sources = Sources::default();
    let source = |name: &str, bytes| Source { name: name.to_owned(), format: Format::Yaml, bytes };
    let id = sources.add(source("partnerctl.yaml", project));
    let project = read_project(&sources, id);
    sources.add(source("estate.yaml", manifest));
    let loaded = load(Load {
        sources,
        project,
        project_name: "partnerctl.yaml".to_owned(),
        troubles: Vec::new(),
        tables: &Rest(table),
        examiner: &partnerctl::policy::check::Policies,
        complete: true,
        today: Day::parse("2026-11-20").expect("a day"),
    });
    let findings = &loaded.findings;
    for finding in &findings.all {
        let Some(region) = finding.place.region else { continue };
        assert!((region.line, region.column) <= (region.end_line, region.end_column), "{finding:?}");
        if let Some(excerpt) = region.excerpt {
            let source = findings.sources.get(excerpt.source).expect("the source is there");
            assert!(source.bytes.get(excerpt.span.range()).is_some(), "{finding:?}");
        }
    }
    for format in [report::Format::Text, report::Format::Json, report::Format::Github] {
        let mut out = Vec::new();
        report::findings(format, findings, Style { color: false, width: 80 }, &mut out).expect("memory holds it");
        let text = String::from_utf8(out).expect("reports are UTF-8");
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text}");
    }
});
