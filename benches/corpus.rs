//! An estate of any size, made of all kinds, as people would write it.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

/// Documents to a file.
const PER_FILE: usize = 500;

/// Writes an estate of about so many documents into a folder; returns how many bytes that is.
pub(crate) fn write(folder: &Path, documents: usize) -> io::Result<usize> {
    fs::create_dir_all(folder.join("estate"))?;
    fs::write(
        folder.join("partnerctl.yaml"),
        "apiVersion: partnerctl/v1\nkind: Project\nmetadata: {name: fabrikam}\nspec:\n  manifests: [estate]\n  guards: {globalAdmins: {min: 2}, required: [user-0]}\n  contexts: {local: {tenant: embedded}}\n",
    )?;
    let mut all = vec![ACCOUNT.to_owned(), DEFAULTS.to_owned()];
    // Of a hundred documents: fifty customers, thirty users, eight roles, two templates, six
    // access tests, three waivers, one partnership.
    let hundreds = documents / 100;
    for at in 0..hundreds {
        partnership(&mut all, at);
        (0..8).for_each(|n| role(&mut all, at * 8 + n, hundreds * 2));
        (0..30).for_each(|n| user(&mut all, at * 30 + n, hundreds * 8));
        (0..50).for_each(|n| customer(&mut all, at * 50 + n, hundreds));
        (0..2).for_each(|n| delegated_access(&mut all, at * 2 + n, hundreds * 8));
        (0..6).for_each(|n| access_test(&mut all, at * 6 + n, hundreds));
        (0..3).for_each(|n| waiver(&mut all, at * 3 + n));
    }
    let mut bytes = 0;
    for (at, chunk) in all.chunks(PER_FILE).enumerate() {
        let text = chunk.join("---\n");
        bytes += text.len();
        fs::write(folder.join(format!("estate/{at:05}.yaml")), text)?;
    }
    Ok(bytes)
}

fn guid(kind: u32, at: usize) -> String {
    format!("{kind:08x}-0d3c-4b3e-9c6a-{at:012x}")
}

fn push(
    all: &mut Vec<String>,
    kind: &str,
    name: &str,
    labels: &str,
    spec: std::fmt::Arguments<'_>,
) {
    let mut text = format!("apiVersion: partnerctl/v1\nkind: {kind}\nmetadata:\n  name: {name}\n");
    if !labels.is_empty() {
        let _ = writeln!(text, "  labels: {{{labels}}}");
    }
    let _ = write!(text, "spec:\n{spec}");
    all.push(text);
}

const ACCOUNT: &str = "apiVersion: partnerctl/v1
kind: Account
metadata:
  name: fabrikam
spec:
  program: indirect-reseller
  country: JP
  domains: [fabrikam.example]
  partnerId: \"4567890\"
  legal:
    companyName: Fabrikam K.K.
    address: {line1: 1-2-3 Marunouchi, city: Tokyo, postalCode: 100-0005, country: JP}
    primaryContact: {firstName: Aiko, lastName: Tanaka, email: aiko.tanaka@fabrikam.example, phone: \"+81 3 1234 5678\"}
";

const DEFAULTS: &str = "apiVersion: partnerctl/v1
kind: Defaults
metadata:
  name: users
spec:
  kind: User
  values: {spec: {usageLocation: JP, enabled: true}}
";

fn partnership(all: &mut Vec<String>, at: usize) {
    let tenant = guid(1, at);
    push(
        all,
        "Partnership",
        &format!("provider-{at}"),
        "",
        format_args!(
            "  with: indirect-provider
  displayName: Northwind Distribution {at}
  tenantId: {tenant}
  partnerId: \"1234567\"
  state: active
  acknowledge: [orders-on-behalf-of-customers, administrator-access-to-our-tenant]
"
        ),
    );
}

fn role(all: &mut Vec<String>, at: usize, templates: usize) {
    let segment = at % 97;
    // Delegated access carries it for as many roles as there are templates.
    let administer = if at < templates { "administer-on-behalf, " } else { "" };
    push(
        all,
        "Role",
        &format!("role-{at}"),
        "",
        format_args!(
            "  description: Second-line support for the customers of segment {segment}
  group:
    name: Support Group {at}
    mailNickname: support-group-{at}
  includes: [helpdesk-agent]
  permissions:
    - allow: [{administer}manage-subscriptions]
      customers:
        labels: {{segment: segment-{segment}}}
"
        ),
    );
}

fn user(all: &mut Vec<String>, at: usize, roles: usize) {
    let role = at % roles;
    let (agent, admin) = if at % 50 < 2 { ("admin", "global") } else { ("helpdesk", "none") };
    push(
        all,
        "User",
        &format!("user-{at}"),
        "team: operations, office: tokyo",
        format_args!(
            "  displayName: 田中 愛子 {at}
  givenName: 愛子
  surname: 田中
  email: user.{at}@fabrikam.example
  agent: {agent}
  admin: {admin}
  roles: [role-{role}, {{role: referrals-admin, locations: [JP-13]}}]
  jobTitle: Support engineer
  mobilePhone: \"+81 90 1234 {:04}\"
",
            at % 10_000
        ),
    );
}

fn customer(all: &mut Vec<String>, at: usize, partnerships: usize) {
    let (segment, partnership, tenant) = (at % 97, at % partnerships, guid(2, at));
    push(
        all,
        "Customer",
        &format!("customer-{at}"),
        &format!("segment: segment-{segment}, region: kansai"),
        format_args!(
            "  companyName: Contoso株式会社 {at}
  domain: contoso{at}.onmicrosoft.com
  tenantId: {tenant}
  relationship: reseller
  origin: existing
  partnerships: [provider-{partnership}]
  channel: provider
  contact: {{name: 佐藤 健, email: ken.sato@contoso{at}.example, language: ja}}
  billing:
    address: {{line1: 4-5-6 Umeda, city: Osaka, postalCode: 530-0001, country: JP}}
"
        ),
    );
}

fn delegated_access(all: &mut Vec<String>, at: usize, roles: usize) {
    let (segment, role) = (at % 97, at % roles);
    push(
        all,
        "DelegatedAccess",
        &format!("access-{at}"),
        "",
        format_args!(
            "  customers:
    labels: {{segment: segment-{segment}}}
  duration: P730D
  autoExtend: P180D
  renewBefore: P60D
  replace: at-renewal
  grants:
    - to: role-{role}
      directoryRoles: [Service Support Administrator, Directory Readers]
"
        ),
    );
}

fn access_test(all: &mut Vec<String>, at: usize, hundreds: usize) {
    let (user, customer) = (at % (hundreds * 30), at % (hundreds * 50));
    push(
        all,
        "AccessTest",
        &format!("limits-{at}"),
        "",
        format_args!(
            "  - {{who: user/user-{user}, may: [view-customer, manage-subscriptions], on: customer/customer-{customer}}}
  - {{who: role/helpdesk-agent, mayNot: [view-partner-profile, request-relationship, manage-leads]}}
"
        ),
    );
}

/// Something to waive for each waiver: a role that the reference does not know.
fn waiver(all: &mut Vec<String>, at: usize) {
    push(
        all,
        "User",
        &format!("waived-{at}"),
        "",
        format_args!(
            "  displayName: 森 千恵 {at}
  email: waived.{at}@fabrikam.example
  agent: none
  admin: none
  roles: [{{role: brand-new-admin}}]
"
        ),
    );
    push(
        all,
        "Waiver",
        &format!("new-role-{at}"),
        "",
        format_args!(
            "  finding: P1005
  on: user/waived-{at}
  owner: user-0
  reason: Microsoft added the role last week
  until: 2099-12-31
"
        ),
    );
}
