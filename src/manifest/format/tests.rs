//! What comes out, by example; what holds for every text is in `laws`.

mod laws;

use super::*;
use snapbox::{IntoData as _, assert_data_eq, str};

/// A few of the orders that the schema will give.
struct Sample;

impl KeyOrder for Sample {
    fn order(&self, kind: &str, path: &[&str]) -> Option<&[&str]> {
        Some(match (kind, path) {
            ("", _) => return None,
            (_, []) => &["apiVersion", "kind", "metadata", "spec", "items"],
            (_, ["metadata"]) => {
                &["name", "labels", "annotations", "formerly", "protect", "ignore", "expires"]
            }
            ("Account", ["spec"]) => &[
                "program",
                "cloud",
                "country",
                "domains",
                "partnerId",
                "legal",
                "support",
                "billing",
                "taxExemptions",
                "businessProfile",
                "catalog",
            ],
            ("Account", ["spec", "legal"]) => &["companyName", "address", "primaryContact"],
            ("User", ["spec"]) => &[
                "displayName",
                "email",
                "signInName",
                "agent",
                "admin",
                "roles",
                "enabled",
                "usageLocation",
            ],
            ("User", ["spec", "roles"]) => &["role", "locations"],
            ("Role", ["spec"]) => {
                &["description", "group", "membership", "includes", "permissions"]
            }
            ("Role", ["spec", "group"]) => &["name", "mailNickname", "id"],
            ("Role", ["spec", "permissions"]) => &["allow", "customers"],
            ("Customer", ["spec"]) => &[
                "companyName",
                "domain",
                "tenantId",
                "relationship",
                "origin",
                "partnerships",
                "reseller",
                "channel",
                "contact",
                "billing",
                "qualification",
            ],
            ("DelegatedAccess", ["spec"]) => {
                &["customers", "duration", "autoExtend", "renewBefore", "replace", "grants"]
            }
            ("DelegatedAccess", ["spec", "grants"]) => &["to", "directoryRoles"],
            _ => return None,
        })
    }
}

fn format(text: &str) -> Formatted {
    format_yaml(text, &Sample)
}

/// Formats what is not refused, twice.
#[track_caller]
fn formatted(text: &str) -> String {
    let once = format(text);
    assert_eq!(once.refused, [], "{text}");
    assert_eq!(format(&once.text).text, once.text, "formatting twice");
    once.text
}

/// Asserts that a text stays as it is, for this reason.
#[track_caller]
fn refused(text: &str, reason: &str) {
    let after = format(text);
    assert_eq!(after.text, text);
    let reasons: Vec<_> = after.refused.iter().map(|refused| refused.reason).collect();
    assert_eq!(reasons, [reason], "{text}");
    assert_eq!(after.refused[0].span.range(), 0..text.len());
}

#[test]
fn what_is_canonical_stays_as_it_is() {
    for text in [
        "",
        "# only a comment\n",
        "a: 1\n",
        "---\n",
        "---\na: 1\n---\nb: 2\n",
        "a: 1\n...\n---\nb: 2\n",
        "apiVersion: partnerctl/v1\nkind: User\nmetadata: {name: aiko-tanaka}\nspec:\n  roles:\n    - a # first\n    - b\n",
    ] {
        assert_eq!(formatted(text), text);
    }
}

#[test]
fn keys_take_their_order_and_comments_travel_with_them() {
    let text = r#"# yaml-language-server: $schema=https://schemas.fabrikam.example/account.json
# What the company is to Microsoft.

spec:
    # the law first
    legal:

        primaryContact: {phone: "+81 3 1234 5678",  lastName: Tanaka,firstName: Aiko }
        # as registered
        companyName: Fabrikam K.K.   # kabushiki gaisha
        address: {
          line1: 1-2-3 Marunouchi, city: Tokyo,
          "country": JP }
        # a fax number is no longer needed


    # four letters of trouble
    taxExemptions: []
    colour: blue
    country:    JP
    domains:    # verified domains
    - fabrikam.example         # the main one
    # - old.fabrikam.example   # gone
    cloud: global                    # global | us-government
    program: indirect-reseller       # direct-bill | indirect-provider
                                     # | indirect-reseller

# a name of its own
metadata: {name: fabrikam}   	
kind: Account
# the version
apiVersion: partnerctl/v1
# the end
---    # people
kind: User
metadata:
  name: aiko-tanaka
  labels: {team: operations, after: hours}
apiVersion: partnerctl/v1
spec:
  roles: [  tier2-support,{locations: [JP-13] , role: referrals-admin}]
  agent: 'admin'
  displayName: "田中
    愛子"
  note: |-
     First line
       deeper

     last line
  email: aiko.tanaka@fabrikam.example
---
spec:
  - { who : user/ben-ito, "may":[view-customer] }
  -   # who else
    who: role/helpdesk-agent
    # may not
    mayNot:
    - manage-leads

    -   view-partner-profile
kind: AccessTest
"#;
    assert_data_eq!(
        formatted(text),
        str![[r#"
# yaml-language-server: $schema=https://schemas.fabrikam.example/account.json
# What the company is to Microsoft.

# the version
apiVersion: partnerctl/v1
kind: Account

# a name of its own
metadata: {name: fabrikam}
spec:
  program: indirect-reseller # direct-bill | indirect-provider
                             # | indirect-reseller
  cloud: global              # global | us-government
  country: JP
  domains: # verified domains
    - fabrikam.example # the main one
    # - old.fabrikam.example   # gone
  # the law first
  legal:
    # as registered
    companyName: Fabrikam K.K. # kabushiki gaisha
    address:
      line1: 1-2-3 Marunouchi
      city: Tokyo
      "country": JP
    primaryContact: {phone: "+81 3 1234 5678", lastName: Tanaka, firstName: Aiko}
    # a fax number is no longer needed

  # four letters of trouble
  taxExemptions: []
  colour: blue
# the end
--- # people
apiVersion: partnerctl/v1
kind: User
metadata:
  name: aiko-tanaka
  labels: {team: operations, after: hours}
spec:
  displayName: "田中
    愛子"
  email: aiko.tanaka@fabrikam.example
  agent: 'admin'
  roles: [tier2-support, {role: referrals-admin, locations: [JP-13]}]
  note: |-
    First line
      deeper

    last line
---
kind: AccessTest
spec:
  - {who: user/ben-ito, "may": [view-customer]}
  - # who else
    who: role/helpdesk-agent
    # may not
    mayNot:
      - manage-leads

      - view-partner-profile

"#]]
        .raw()
    );
}

#[test]
fn comments_on_top_stay_there_unless_they_speak_of_a_key() {
    assert_eq!(
        formatted("# Fabrikam\nkind: User\napiVersion: partnerctl/v1\n"),
        "# Fabrikam\napiVersion: partnerctl/v1\nkind: User\n"
    );
    assert_eq!(
        formatted("# yaml-language-server: $schema=x\n# what\nspec: {}\nkind: User\n"),
        "# yaml-language-server: $schema=x\nkind: User\n# what\nspec: {}\n"
    );
    assert_eq!(
        formatted("# Fabrikam\n\n# what\nspec: {}\nkind: User\n"),
        "# Fabrikam\n\nkind: User\n# what\nspec: {}\n"
    );
}

#[test]
fn scalars_keep_their_bytes() {
    let text = "a:   'it''s'
b: no
c:
   plain over
     lines

     of text
d: \"quoted \\
     over \\
     lines\"
e: >+
    folded


f:
- |2
    two more
   one more

- >-   # with a comment
      text
       # no comment
g: ~
h:
i: |

   after a blank line
";
    assert_data_eq!(
        formatted(text),
        str![[r#"
a: 'it''s'
b: no
c: plain over
  lines

  of text
d: "quoted \
  over \
  lines"
e: >+
  folded


f:
  - |2
      two more
     one more

  - >- # with a comment
    text
     # no comment
g: ~
h:
i: |

  after a blank line

"#]]
        .raw()
    );
}

#[test]
fn flow_over_several_lines_becomes_a_block() {
    let text = "a: [
  1, {x: 1,
      \"y\": [z, {}]},
  [
  ],
] # why
b: {
  q: 'two
    lines' }
";
    assert_data_eq!(
        formatted(text),
        str![[r#"
a: # why
  - 1
  - x: 1
    "y": [z, {}]
  - []
b:
  q: 'two
    lines'

"#]]
        .raw()
    );
}

#[test]
fn items_of_a_list_are_documents() {
    let text = "items:
- spec: {email: ben@fabrikam.example, displayName: Ben}
  kind: User
- {kind: Role, spec: {includes: [], description: d}, apiVersion: partnerctl/v1}
kind: List
apiVersion: v1
";
    assert_data_eq!(
        formatted(text),
        str![[r"
apiVersion: v1
kind: List
items:
  - kind: User
    spec: {displayName: Ben, email: ben@fabrikam.example}
  - {apiVersion: partnerctl/v1, kind: Role, spec: {description: d, includes: []}}

"]]
        .raw()
    );
}

#[test]
fn comments_of_a_first_key_in_a_list_stand_above_the_dash() {
    let text = "kind: DelegatedAccess
spec:
  grants:
  # ours

  - directoryRoles: [Directory Readers]

    # the group
    to: tier2-support
  -
    # theirs
    to: tier1-support
";
    assert_data_eq!(
        formatted(text),
        str![[r"
kind: DelegatedAccess
spec:
  grants:
    # ours

    # the group
    - to: tier2-support
      directoryRoles: [Directory Readers]
    # theirs
    - to: tier1-support

"]]
        .raw()
    );
}

#[test]
fn anchors_stay_in_front_of_their_aliases() {
    let text = "kind: User
spec:
    labels:   &labels   # for both
      team: a
    other: *labels
    one: &one 1
    list: [ &two 2,*two,*one ]
apiVersion: partnerctl/v1
";
    assert_data_eq!(
        formatted(text),
        str![[r"
apiVersion: partnerctl/v1
kind: User
spec:
  labels: &labels # for both
    team: a
  other: *labels
  one: &one 1
  list: [&two 2, *two, *one]

"]]
        .raw()
    );
    refused(
        "spec: &a {one: 1}\nmetadata: *a\nkind: User\n",
        "its keys in order would put an alias in front of its anchor",
    );
}

#[test]
fn line_breaks_marks_and_ends() {
    assert_eq!(
        formatted("\u{feff}a:  1\r\n# c \r\n\r\n\r\nb: |\r\n   x\r\n   y\r\n\r\n"),
        "a: 1\r\n# c\r\n\r\nb: |\r\n  x\r\n  y\r\n"
    );
    assert_eq!(formatted("\n\n# c\n\n\n\na:  1 \n\n\n# d\n\n\n"), "# c\n\na: 1\n\n# d\n");
    assert_eq!(formatted("a: 1"), "a: 1\n");
    assert_eq!(
        formatted("# top\n---  # one\n\na:  1\n\n---\n...   # end\n"),
        "# top\n--- # one\na: 1\n---\n... # end\n"
    );
    assert_eq!(formatted("--- {b: 1}\n--- x # y\n"), "---\n{b: 1}\n---\nx # y\n");
}

#[test]
fn what_has_no_exact_place_stays() {
    refused("a:   !!str 1\n", "tags have no place in manifests");
    refused("? a\n:   b\n", "one of its keys is not a plain word");
    refused("[a]:   b\n", "one of its keys is not a plain word");
    refused("a: &a   b\n*a : c\n", "one of its keys is not a plain word");
    refused("a:   [b: c]\n", "a list holds a pair without braces");
    refused("a:   [b,\n # why\n c]\n", "a comment stands within a flow collection");
    refused("a:\n  # why\n    b\n", "a comment stands between a key and its value");
    refused("a: # one\n    b # two\n", "two comments would meet on one line");
    refused("{\n\"a\":   1\n}\n", "it is written like JSON, over several lines");
    refused("a:   |\n  text", "a block scalar ends without a line break");
    refused("a:   1\rb: 2\n", "a carriage return stands in it without a line feed");
    refused("a:   &b.c 1\n", "an anchor's name holds more than letters, digits, `-` and `_`");
    refused("&a\na:   1\n", "an anchor stands on the document itself");
    refused("a:   'one\u{2028}two'\n", "it holds characters that some readers take for breaks");
}

#[test]
fn one_document_does_not_stop_the_others() {
    let text = "a:   1\n---\nb:   [\n---\nc:   !x 1\n---\nd:   1\n";
    let after = format(text);
    assert_eq!(after.text, "a: 1\n---\nb:   [\n---\nc:   !x 1\n---\nd: 1\n");
    let spans: Vec<_> = after.refused.iter().map(|refused| &text[refused.span.range()]).collect();
    assert_eq!(spans, ["---\nc:   !x 1\n"]);
}

#[test]
fn hostile_texts_are_refused_in_time() {
    let deep = |depth: usize| format!("a:   {}{}\n", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(format(&deep(127)).refused, []);
    refused(&deep(128), "it is nested deeper than 128");
    for text in [
        deep(200_000),
        "[".repeat(200_000),
        "{a: ".repeat(100_000),
        "- ".repeat(100_000),
        "? ".repeat(100_000),
        (0..2_000).fold(String::new(), |text, depth| text + &" ".repeat(depth) + "a:\n"),
        "---\n".repeat(20_000),
        "# c\n".repeat(50_000),
        format!("a: 1\n{}", "  # c\n".repeat(50_000)),
        format!("{}a: 1\n", "\n".repeat(100_000)),
        format!("a: |\n{}b: 1\n", "\n".repeat(100_000)),
        format!("a: [{}]\n", "x, ".repeat(50_000)),
        (0..20_000).fold(String::new(), |text, key| text + &format!("k{key}: &a {{}} # c\n")),
        format!("a: &a 1\nb: [{}]\n", "*a, ".repeat(20_000)),
        format!("a: \"{}\"\n", "\n".repeat(100_000)),
        "\"".repeat(100_000),
        "'a\n".repeat(100_000),
        format!("{}[\n{}]{}\n", "[".repeat(120), "x,".repeat(50_000), "]".repeat(120)),
        format!("a: {}[\n{}]{}\n", "[".repeat(120), "x,".repeat(50_000), "]".repeat(120)),
    ] {
        assert!(format(&text).text.len() <= 17 * text.len());
    }
}

#[test]
fn differences_are_shown_as_a_unified_diff() {
    let before = "kind: User\napiVersion: partnerctl/v1\nmetadata: {name: x}\nspec: {}\n";
    assert_eq!(diff("users.yaml", before, before), "");
    assert_data_eq!(
        diff("users.yaml", before, &formatted(before)),
        str![[r"
--- a/users.yaml
+++ b/users.yaml
@@ -1,4 +1,4 @@
+apiVersion: partnerctl/v1
 kind: User
-apiVersion: partnerctl/v1
 metadata: {name: x}
 spec: {}

"]]
        .raw()
    );
}
