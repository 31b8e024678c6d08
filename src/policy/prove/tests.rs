//! Proofs with a solver: there must be a cvc5 on the machine.

use super::*;
use crate::cli::prover::Cvc5;
use crate::manifest::source::{Format, Source, Sources};
use crate::model::estate::Estate;
use crate::model::scalar::Scalar;
use crate::model::time::Day;

/// The library and these policies.
fn rules(text: &str) -> Rules {
    let mut sources = Sources::default();
    let bytes = text.as_bytes().to_vec();
    sources.add(Source { name: "policies/own.cedar".to_owned(), format: Format::Cedar, bytes });
    let (rules, problems) =
        Rules::of(&Estate::default(), &sources, Day::parse("2026-10-01").unwrap());
    assert!(problems.is_empty(), "{problems:?}");
    rules
}

fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn proof(old: &Rules, new: &Rules) -> Proof {
    let mut solvers = Cvc5::found();
    assert_eq!(solvers.missing(), None, "these tests need cvc5");
    wait(prove(&Question { old, new, world: None }, &mut solvers))
}

/// A line for each environment that is not unchanged.
fn shown(proof: &Proof) -> String {
    let mut page = String::new();
    for judged in &proof.environments {
        if judged.verdict() == Verdict::Unchanged && judged.eased == Some(Answer::Nothing) {
            continue;
        }
        page.push_str(&format!("{}: {}\n", judged.environment, judged.verdict().word()));
        let answers =
            [("+", Some(&judged.gained)), ("-", Some(&judged.lost)), ("~", judged.eased.as_ref())];
        for (sign, answer) in answers {
            match answer {
                Some(Answer::Something(w)) => page.push_str(&format!(
                    "  {sign} {} [confirmed {}] by {:?} against {:?}\n",
                    w.sentence(),
                    w.confirmed,
                    w.by,
                    w.against
                )),
                Some(Answer::NotProved(why)) => {
                    page.push_str(&format!("  {sign} not proved: {why}\n"))
                }
                Some(Answer::Nothing) | None => {}
            }
        }
    }
    page
}

const NARROW: &str = r#"
@id("own.region")
permit (principal in Role::"sales-agent", action == Action::"administer-on-behalf", resource is Customer)
when { resource.hasTag("region") && resource.getTag("region") == "kanto" && !principal.guest };
"#;

#[test]
fn scratch() {
    let wide = NARROW.replace("\"kanto\" && ", "\"kanto\" || ");
    let t = std::time::Instant::now();
    let p = proof(&rules(NARROW), &rules(&wide));
    println!("{} {:?}", p.environments.len(), t.elapsed());
    println!("{}", shown(&p));
    let t = std::time::Instant::now();
    let p = proof(&rules(NARROW), &rules(&wide.replace("sales-agent", "helpdesk-agent")));
    println!("{:?} {}", t.elapsed(), shown(&p));
    let t = std::time::Instant::now();
    let p = proof(
        &rules(NARROW),
        &rules(&format!(
            "{NARROW} @id(\"x\") permit(principal, action, resource) when {{ context has change }};"
        )),
    );
    println!("{:?} {}", t.elapsed(), &shown(&p)[..500]);
    let t = std::time::Instant::now();
    let p = proof(
        &rules(NARROW),
        &rules(&format!(
            "{NARROW} @id(\"x\") permit(principal is User, action, resource) when {{ context has change && !principal.expired && !principal.enabled }};"
        )),
    );
    println!("{:?} {}", t.elapsed(), &shown(&p));
    let mut proofs = 0;
    for level in ["hard", "overridable", "advisory"] {
        for other in ["hard", "overridable", "advisory"] {
            let text = |l: &str| {
                format!(
                    "@id(\"g\") @level(\"{l}\") forbid(principal, action == Action::\"sign-agreement\", resource) when {{ principal in Role::\"sales-agent\" }};"
                )
            };
            let p = proof(&rules(&text(level)), &rules(&text(other)));
            println!("{level} {other} {}", shown(&p));
        }
    }
}
