//! One mistake is one finding: what cannot be read is not said to be missing as well, and nothing
//! is found twice. And the help says what helps in the place where it is given.

use std::collections::BTreeMap;

use crate::stories::{Base, Shown, is_of_a_part, loaded};

/// What is found in the documents, with the base around them.
fn found(base: Base, files: &[(&str, &str)]) -> Vec<Shown> {
    let files: BTreeMap<String, Vec<u8>> =
        files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_owned())).collect();
    // The base is a part of an estate: its role is held by nobody.
    loaded(&files, base).into_iter().filter(|shown| !is_of_a_part(shown)).collect()
}

#[track_caller]
fn only(base: Base, files: &[(&str, &str)], codes: &[&str]) {
    let found = found(base, files);
    let shown: Vec<&str> = found.iter().map(|shown| shown.code.as_str()).collect();
    let all: String = found.iter().map(ToString::to_string).collect();
    assert_eq!(shown, codes, "\n{all}");
}

#[test]
fn an_account_or_a_user_that_cannot_be_read_is_not_missing() {
    let account = "apiVersion: partnerctl/v1\nkind: Account\nmetadata: {name: fabrikam\n";
    only(Base::Without("Account"), &[("estate.yaml", account)], &["P0001"]);
    let user = "apiVersion: partnerctl/v1\nkind: Usr\nmetadata: {name: aiko-tanaka}\n";
    only(Base::Without("User"), &[("estate.yaml", user)], &["P0202"]);
}

#[test]
fn an_empty_project_is_empty_and_nothing_else() {
    let project = "apiVersion: partnerctl/v1\nkind: Project\nmetadata: {name: fabrikam}\n\
                   spec: {guards: {required: [aiko-tanaka]}}\n";
    let files = [("partnerctl.yaml", project), ("estate.yaml", "# nothing yet\n")];
    only(Base::Nothing, &files, &["P0208"]);
}

const SELECTS: &str = "apiVersion: partnerctl/v1\nkind: CustomerTable\nmetadata: {name: smb}\n\
     spec: {file: smb.csv, defaults: {labels: {segment: smb}}}\n---\n\
     apiVersion: partnerctl/v1\nkind: Role\nmetadata: {name: smb-support}\n\
     spec:\n  permissions:\n    - {allow: [view-customer], customers: {labels: {segment: smb}}}\n    \
     - {allow: [edit-customer], customers: {names: [adatum]}}\n";

#[test]
fn customers_of_a_table_that_cannot_be_read_are_not_missing() {
    let table = |csv| [("estate.yaml", SELECTS), ("smb.csv", csv)];
    let sound = "name,companyName,domain\nadatum,Adatum,adatum.onmicrosoft.com\n";
    only(Base::Rest, &table(sound), &[]);
    only(Base::Rest, &[("estate.yaml", SELECTS)], &["P0206"]);
    let no_name = "companyName,domain\nAdatum,adatum.onmicrosoft.com\n";
    only(Base::Rest, &table(no_name), &["P0404"]);
    let too_many = "name,companyName,domain\nadatum,Adatum,Inc.,adatum.onmicrosoft.com\n";
    only(Base::Rest, &table(too_many), &["P0402"]);
    let open = "name,companyName,domain\n\"adatum,Adatum,adatum.onmicrosoft.com\n";
    only(Base::Rest, &table(open), &["P0403"]);
}

#[test]
fn a_secret_in_a_table_is_a_secret() {
    let csv = "name,companyName,domain\n\
               adatum,AGE-SECRET-KEY-1EXAMPLEEXAMPLEEXAMPLE,adatum.onmicrosoft.com\n";
    only(Base::Rest, &[("estate.yaml", SELECTS), ("smb.csv", csv)], &["P0502"]);
}

#[test]
fn a_waiver_for_a_document_that_cannot_be_read_is_not_idle() {
    let documents = "apiVersion: partnerctl/v1\nkind: User\nmetadata: {name: kim-lee}\nspec:\n  \
                     displayName: Kim Lee\n  email: kim.lee@adatum.example\n  userType: geust\n  \
                     agent: none\n  admin: none\n  roles: [incentives-user]\n---\n\
                     apiVersion: partnerctl/v1\nkind: Waiver\nmetadata: {name: incentives}\n\
                     spec:\n  finding: P1006\n  on: user/kim-lee\n  owner: aiko-tanaka\n  \
                     reason: It works\n  until: 2027-06-30\n";
    only(Base::Rest, &[("estate.yaml", documents)], &["P0106"]);
}

/// The one finding about `roles` or a field of a user's, or about a project.
#[track_caller]
fn one(files: &[(&str, &str)]) -> Shown {
    let mut found = found(Base::Rest, files);
    assert_eq!(found.len(), 1, "{}", found.iter().map(ToString::to_string).collect::<String>());
    found.remove(0)
}

#[test]
fn a_marketplace_role_is_said_to_be_one() {
    let user = "apiVersion: partnerctl/v1\nkind: User\nmetadata: {name: ben-ito}\nspec:\n  \
                displayName: Ben Ito\n  email: ben.ito@fabrikam.example\n  agent: none\n  \
                admin: none\n  roles: [developer]\n";
    let shown = one(&[("estate.yaml", user)]);
    assert_eq!(shown.code, "P0303");
    assert_eq!(shown.message, "the marketplace role `developer` cannot be given from here");
}

#[test]
fn a_ledger_written_as_text_is_told_how_to_be_written() {
    let project = "apiVersion: partnerctl/v1\nkind: Project\nmetadata: {name: fabrikam}\n\
                   spec: {contexts: {production: {tenant: fabrikam.example, ledger: team.db}}}\n";
    let shown = one(&[("partnerctl.yaml", project)]);
    assert_eq!(shown.code, "P0501");
    assert!(shown.help.as_ref().is_some_and(|help| help.contains("`ledger: {sqlite: PATH}`")));
}

#[test]
fn a_former_name_is_underlined_in_its_list() {
    let roles = "apiVersion: partnerctl/v1\nkind: Role\nmetadata:\n  name: first-line\n  \
                 formerly: [helpers, tier2-support]\nspec: {description: First}\n";
    let shown = one(&[("estate.yaml", roles)]);
    assert_eq!(shown.code, "P0305");
    assert_eq!(shown.underlined.as_deref(), Some("tier2-support"));
}

#[test]
fn a_provider_is_not_told_to_name_a_provider() {
    let customer = "# in an Account with program: indirect-provider\n\
                    apiVersion: partnerctl/v1\nkind: Customer\nmetadata: {name: adatum}\n\
                    spec: {companyName: Adatum, domain: adatum.onmicrosoft.com, channel: provider}\n";
    let shown = one(&[("estate.yaml", customer)]);
    assert_eq!(shown.code, "P1405");
    assert!(shown.help.as_ref().is_some_and(|help| help.contains("own-marketing")));
}

fn customer(metadata: &str, spec: &str) -> String {
    format!(
        "apiVersion: partnerctl/v1\nkind: Customer\nmetadata: {{name: wingtip, {metadata}}}\n\
         spec: {{domain: wingtip.onmicrosoft.com, {spec}}}\n"
    )
}

fn selects(selector: &str) -> String {
    format!(
        "---\napiVersion: partnerctl/v1\nkind: Role\nmetadata: {{name: desk}}\nspec:\n  \
         permissions: [{{allow: [view-customer], customers: {selector}}}]\n"
    )
}

#[test]
fn a_misspelt_key_is_not_missing_as_well() {
    let text = customer("labels: {}", "companyNam: Wingtip");
    only(Base::Rest, &[("estate.yaml", &text)], &["P0101"]);
    let text = customer("labels: {}", "tenantId: 7");
    only(Base::Rest, &[("estate.yaml", &text)], &["P0102", "P0104"]);
}

#[test]
fn what_is_wrong_inside_a_selector_says_nothing_of_whom_it_selects() {
    for (selector, code) in [
        ("{names: [contoso, contoso]}", "P0110"),
        ("{names: contoso}", "P0103"),
        ("{labels: {segment: 1}}", "P0104"),
        ("{all: false}", "P0106"),
        ("{label: {segment: smb}}", "P0101"),
    ] {
        only(Base::Rest, &[("estate.yaml", &selects(selector))], &[code]);
    }
}

#[test]
fn a_customer_with_a_fault_still_has_its_labels() {
    let broken = customer("labels: {segment: smb}", "companyName: 12")
        + &selects("{labels: {segment: smb}}");
    only(Base::Rest, &[("estate.yaml", &broken)], &["P0104"]);
    let other = customer("labels: {segment: public}", "companyName: 12")
        + &selects("{labels: {segment: smb}}");
    only(Base::Rest, &[("estate.yaml", &other)], &["P0104", "P0311"]);
}

#[test]
fn what_defaults_say_wrongly_is_shown_there_once() {
    let table = "apiVersion: partnerctl/v1\nkind: CustomerTable\nmetadata: {name: smb}\nspec:\n  \
                 file: smb.csv\n  defaults: {partnerships: [nope]}\n";
    let rows = "name,companyName,domain\na,A,a.onmicrosoft.com\nb,B,b.onmicrosoft.com\n";
    let files = [("estate.yaml", table), ("smb.csv", rows)];
    only(Base::Rest, &files, &["P0303"]);
    let found = found(Base::Rest, &files);
    assert!(found[0].to_string().contains("estate.yaml:6:29"), "{}", found[0]);
}

#[test]
fn none_is_an_explicit_nothing() {
    let text = customer("labels: {}", "companyName: Wingtip, partnerships: none");
    only(Base::Rest, &[("estate.yaml", &text)], &[]);
    let table = "apiVersion: partnerctl/v1\nkind: CustomerTable\nmetadata: {name: smb}\nspec:\n  \
                 file: smb.csv\n  defaults: {channel: provider, partnerships: [northwind]}\n";
    let rows = "name,companyName,domain,channel,partnerships,qualification,tenantId\n\
                a,A,a.onmicrosoft.com,none,none,none,none\n";
    only(Base::Rest, &[("estate.yaml", table), ("smb.csv", rows)], &[]);
    let rows = "name,companyName,domain\na,none,a.onmicrosoft.com\n";
    only(Base::Rest, &[("estate.yaml", table), ("smb.csv", rows)], &["P0102"]);
}

#[test]
fn a_value_whose_key_says_secret_is_one() {
    let text = customer("labels: {}", "companyName: Wingtip, clientSecrt: hunter2");
    only(Base::Rest, &[("estate.yaml", &text)], &["P0101", "P0501"]);
}

#[test]
fn a_later_copy_is_what_is_reported() {
    let text = "apiVersion: partnerctl/v1\nkind: Customer\nmetadata: {name: zebra}\n\
                spec: {companyName: A, domain: a.onmicrosoft.com}\n---\n\
                apiVersion: partnerctl/v1\nkind: Customer\nmetadata: {name: aardvark}\n\
                spec: {companyName: A, domain: A.onmicrosoft.com}\n";
    let found = found(Base::Rest, &[("estate.yaml", text)]);
    assert!(found[0].to_string().contains("estate.yaml:9:"), "{}", found[0]);
}

#[test]
fn what_has_expired_is_noted_for_every_kind() {
    let text = customer("expires: 2026-01-31", "companyName: Wingtip");
    only(Base::Rest, &[("estate.yaml", &text)], &["P1008"]);
}
