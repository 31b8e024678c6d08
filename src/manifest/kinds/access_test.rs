//! `AccessTest`: what people and roles may and may not do.

use schemars::{Schema, SchemaGenerator, json_schema};

use crate::manifest::code::Code;
use crate::manifest::read::collections::{SetOfSome, Several};
use crate::manifest::read::fields::object_schema;
use crate::manifest::read::{At, Described, Field, Reader, Shaped, shape};
use crate::manifest::text::arena::View;
use crate::model::access_test::{AccessTest, Check, Target};
use crate::model::action::Action;
use crate::model::label::Selector;
use crate::model::name::{Reference, UserKey};
use crate::model::text::Title;

struct WhoCheck {
    who: Reference,
    may: Vec<Action>,
    may_not: Vec<Action>,
    on: Option<Target>,
    by: Option<Title>,
}

shape!(WhoCheck, "a check", {
    /// A user, a role (whoever holds it and nothing else), a partnership, or an application.
    "who" => who: required Reference, Local;
    /// Actions that must be allowed.
    "may" => may: default SetOfSome<Action>, Local, Vec::new(), "";
    /// Actions that must be denied; without `on`, everywhere.
    "mayNot" => may_not: default SetOfSome<Action>, Local, Vec::new(), "";
    /// On what: a document, or a selector of customers (each of them).
    "on" => on: optional Target, Local;
    /// The policy that must be among those that decide.
    "by" => by: optional Title, Local;
});

struct ExactlyCheck {
    action: Action,
    exactly: Vec<UserKey>,
    on: Option<Target>,
}

shape!(ExactlyCheck, "a check", {
    /// The action.
    "action" => action: required Action, Local;
    /// The users who may do it: these and nobody else.
    "exactly" => exactly: required crate::manifest::read::collections::Set<UserKey>, Local;
    /// On what: a document, or a selector of customers (each of them).
    "on" => on: optional Target, Local;
});

/// All keys of both forms, for the reference and for `fmt`.
const FIELDS: [Field; 7] = {
    let [who, may, may_not, on, by] = WhoCheck::FIELDS;
    let [action, exactly, _] = ExactlyCheck::FIELDS;
    [who, action, may, may_not, exactly, on, by]
};

impl Shaped for AccessTest {
    fn read(at: At<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        Several::<Check>::read(at, reader).map(|checks| Self { checks: checks.0 })
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        Several::<Check>::schema(generator)
    }

    fn described() -> Described {
        Check::described()
    }
}

impl Shaped for Check {
    fn read(at: At<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let node = at.node()?;
        let is_exactly = node.entry("action").or_else(|| node.entry("exactly")).is_some();
        if is_exactly {
            let ExactlyCheck { action, exactly, on } = ExactlyCheck::read(at, reader)?;
            return Some(Self::Exactly { action, users: exactly, on });
        }
        if matches!(node.view(), View::Mapping(_))
            && node.entry("may").or_else(|| node.entry("mayNot")).is_none()
        {
            let help = Some("say `may` or `mayNot`, with actions".to_owned());
            reader.report(Code::P0102, at.holder(), "a check that checks nothing", help);
            WhoCheck::read(at, reader);
            return None;
        }
        let WhoCheck { who, may, may_not, on, by } = WhoCheck::read(at, reader)?;
        Some(Self::Who { who, may, may_not, on, by })
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let mut who = object_schema("a check", &WhoCheck::FIELDS, generator);
        who.insert(
            "anyOf".to_owned(),
            serde_json::json!([{ "required": ["may"] }, { "required": ["mayNot"] }]),
        );
        json_schema!({ "anyOf": [who, object_schema("a check", &ExactlyCheck::FIELDS, generator)] })
    }

    fn described() -> Described {
        Described { fields: &FIELDS, ..Described::simply("a list of checks") }
    }
}

impl Shaped for Target {
    fn read(at: At<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        match at.node()?.view() {
            View::Mapping(_) => Selector::read(at, reader).map(Self::Customers),
            _ => Reference::read(at, reader).map(Self::One),
        }
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [Reference::schema(generator), Selector::schema(generator)] })
    }

    fn described() -> Described {
        Described {
            examples: &["customer/contoso", "{labels: {segment: enterprise}}"],
            fields: Selector::described().fields,
            ..Described::simply("a reference, or a selector of customers")
        }
    }
}
