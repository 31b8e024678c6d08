//! One document: its head, and its body as the kind has it.

use std::collections::HashMap;

use super::code::Code;
use super::kinds::tables::{CustomerTable, Defaults};
use super::kinds::{API_VERSION, metadata_fields};
use super::read::{At, Reader, Shaped};
use super::source::Span;
use super::suggest::{did_you_mean, nearest, quoted};
use super::text::arena::{Node, View};
use crate::model::access_test::AccessTest;
use crate::model::account::Account;
use crate::model::customer::Customer;
use crate::model::delegated_access::DelegatedAccess;
use crate::model::metadata::Metadata;
use crate::model::name::{Kind, Name};
use crate::model::partnership::Partnership;
use crate::model::project::Project;
use crate::model::role::Role;
use crate::model::scalar::Scalar;
use crate::model::user::User;
use crate::model::waiver::Waiver;

/// What a document holds, once read.
#[derive(Debug)]
pub(crate) enum Body {
    Account(Box<Account>),
    User(Box<User>),
    Role(Box<Role>),
    Partnership(Box<Partnership>),
    Customer(Box<Customer>),
    DelegatedAccess(Box<DelegatedAccess>),
    Waiver(Box<Waiver>),
    AccessTest(Box<AccessTest>),
    CustomerTable(Box<CustomerTable>),
    Defaults(Kind),
    Project(Box<Project>),
}

/// A document as far as it could be read.
#[derive(Debug)]
pub(crate) struct Document {
    pub kind: Kind,
    /// Known even where the rest is wrong, so that references to it still resolve.
    pub name: Option<Name>,
    pub metadata: Option<Box<Metadata>>,
    pub body: Option<Body>,
    /// Something in it was wrong: what is absent may have been meant.
    pub faulty: bool,
    /// Something in its metadata was.
    pub faulty_metadata: bool,
}

/// The values of the Defaults of each kind.
pub(crate) type DefaultValues<'a> = HashMap<Kind, Node<'a>>;

/// What stands at the top of a document.
pub(crate) struct Head<'a> {
    pub kind: Option<Kind>,
    pub is_list: bool,
    pub metadata: At<'a>,
    pub spec: At<'a>,
    pub items: At<'a>,
    /// Where to report what is missing at the top.
    pub first: Span,
}

/// Reads the top of a document. Nothing when it is not one of ours to judge.
pub(crate) fn read_head<'a>(node: Node<'a>, reader: &mut Reader<'_>) -> Option<Head<'a>> {
    let View::Mapping(entries) = node.view() else {
        let help =
            Some("a document begins with `apiVersion: partnerctl/v1` and `kind:`".to_owned());
        reader.report(
            Code::P0203,
            node.head(),
            "the document is not a mapping of keys and values",
            help,
        );
        return None;
    };
    let kind_text = node.get("kind").map(Node::text);
    let is_list = kind_text == Some("List");
    let known: &[&str] = if is_list {
        &["apiVersion", "kind", "metadata", "items"]
    } else {
        &["apiVersion", "kind", "metadata", "spec"]
    };
    let mut slots = [At::ABSENT; 4];
    let mut unknown = Vec::new();
    for (key, value) in entries {
        let text = key.text();
        match known.iter().position(|known| *known == text).and_then(|index| slots.get_mut(index)) {
            Some(slot) if slot.own.is_some() => {
                reader.twice(key);
            }
            Some(slot) => *slot = At { key: Some(key.span()), ..At::own(value) },
            None => unknown.push(key),
        }
    }
    let [api_version, kind, metadata, body] = slots;
    let first = At::own(node).holder();
    if !check_api_version(api_version, is_list, first, reader) {
        return None;
    }
    let kind = if is_list { None } else { Some(read_kind(kind, first, reader)?) };
    for key in unknown {
        let help = did_you_mean(key.text(), known.iter().copied()).unwrap_or_else(|| {
            format!("a document has {}; what it declares goes under `spec`", known.join(", "))
        });
        reader.report(
            Code::P0101,
            key.span(),
            format!("unknown key {} in a document", quoted(key.text())),
            Some(help),
        );
    }
    let (spec, items) = if is_list { (At::ABSENT, body) } else { (body, At::ABSENT) };
    Some(Head { kind, is_list, metadata, spec, items, first })
}

fn check_api_version(at: At<'_>, is_list: bool, first: Span, reader: &mut Reader<'_>) -> bool {
    let Some(node) = at.node() else {
        let help = format!("every document begins with `apiVersion: {API_VERSION}`");
        reader.report(Code::P0102, first, "`apiVersion` is missing", Some(help));
        return false;
    };
    let text = node.text();
    if node.is_scalar() && (text == API_VERSION || (is_list && text == "v1")) {
        return true;
    }
    let help = if text.starts_with("partnerctl/") {
        format!("this version of partnerctl reads `{API_VERSION}`")
    } else {
        format!(
            "all documents are `apiVersion: {API_VERSION}`; to skip this one would hide what it declares"
        )
    };
    reader.report(
        Code::P0201,
        node.head(),
        format!("{} is not an apiVersion of partnerctl", quoted(text)),
        Some(help),
    );
    false
}

fn read_kind(at: At<'_>, first: Span, reader: &mut Reader<'_>) -> Option<Kind> {
    let Some(node) = at.node() else {
        reader.report(
            Code::P0102,
            first,
            "`kind` is missing",
            Some("such as `kind: User`".to_owned()),
        );
        return None;
    };
    let text = node.text();
    let known = Kind::ALL.iter().find(|kind| kind.word() == text).copied();
    if known.is_none() {
        let words = Kind::ALL.iter().map(|kind| kind.word());
        let help = did_you_mean(text, words.clone())
            .unwrap_or_else(|| format!("kinds are {}", words.collect::<Vec<_>>().join(", ")));
        reader.report(
            Code::P0202,
            node.head(),
            format!("there is no kind {}", quoted(text)),
            Some(help),
        );
    }
    known
}

/// Reads what is below the head.
pub(crate) fn read_document(
    head: &Head<'_>,
    kind: Kind,
    defaults: &DefaultValues<'_>,
    reader: &mut Reader<'_>,
) -> Document {
    let values = |part: &str| [defaults.get(&kind).and_then(|values| values.get(part)), None];
    let metadata = At { fallbacks: values("metadata"), ..head.metadata };
    let spec = At { fallbacks: values("spec"), ..head.spec };
    read_body(metadata, spec, kind, head.first, reader)
}

/// Reads metadata and spec; what is missing is reported at `first`.
pub(crate) fn read_body(
    metadata: At<'_>,
    spec: At<'_>,
    kind: Kind,
    first: Span,
    reader: &mut Reader<'_>,
) -> Document {
    let at = metadata;
    let mark = reader.drafts.len();
    let name = metadata
        .own
        .and_then(|node| node.get("name"))
        .and_then(|node| Name::parse(node.text()).ok());
    let metadata = match metadata.own.map(Node::view) {
        Some(View::Null) => {
            reader.report(
                Code::P0109,
                metadata.holder(),
                "`metadata` has no value",
                Some("it holds at least `name`".to_owned()),
            );
            None
        }
        Some(_) => reader.value::<Metadata>(at, at.holder()).map(Box::new),
        None => {
            let help = format!("`metadata: {{name: ...}}` names the {}", kind.word());
            reader.report(Code::P0102, first, "`metadata` is missing", Some(help));
            None
        }
    };
    if let Some(metadata) = &metadata {
        check_ignored(metadata, at, kind, reader);
    }
    let faulty_metadata = reader.drafts.len() > mark;
    let body = match spec.own.map(Node::view) {
        Some(View::Null) => {
            let help = format!("`partnerctl explain {}` shows what it holds", kind.word());
            reader.report(Code::P0109, spec.holder(), "`spec` has no value", Some(help));
            None
        }
        None if spec.is_absent() => {
            let help = format!("`partnerctl explain {}` shows what it holds", kind.word());
            reader.report(Code::P0102, first, "`spec` is missing", Some(help));
            None
        }
        _ => read_spec(kind, spec, reader),
    };
    let faulty = reader.drafts.len() > mark;
    Document { kind, name, metadata, body, faulty, faulty_metadata }
}

fn read_spec(kind: Kind, at: At<'_>, reader: &mut Reader<'_>) -> Option<Body> {
    fn boxed<T: Shaped>(at: At<'_>, reader: &mut Reader<'_>) -> Option<Box<T>> {
        T::read(at, reader).map(Box::new)
    }
    reader.field = "spec";
    Some(match kind {
        Kind::Account => Body::Account(boxed(at, reader)?),
        Kind::User => Body::User(boxed(at, reader)?),
        Kind::Role => Body::Role(boxed(at, reader)?),
        Kind::Partnership => Body::Partnership(boxed(at, reader)?),
        Kind::Customer => Body::Customer(boxed(at, reader)?),
        Kind::CustomerTable => Body::CustomerTable(boxed(at, reader)?),
        Kind::Defaults => Body::Defaults(Defaults::read(at, reader)?.kind.0),
        Kind::DelegatedAccess => Body::DelegatedAccess(boxed(at, reader)?),
        Kind::Waiver => Body::Waiver(boxed(at, reader)?),
        Kind::AccessTest => Body::AccessTest(boxed(at, reader)?),
        Kind::Project => Body::Project(boxed(at, reader)?),
    })
}

/// A path in `ignore` must lead to a field of this kind.
fn check_ignored(metadata: &Metadata, at: At<'_>, kind: Kind, reader: &mut Reader<'_>) {
    for (index, path) in metadata.ignore.iter().enumerate() {
        let keys: Vec<&str> = path.as_str().split('.').collect();
        let Some((last, parents)) = keys.split_last() else { continue };
        // Metadata is ours alone: there is nobody to leave it to.
        let in_spec = keys.first() == Some(&"spec");
        let fields = super::kinds::fields_at(kind, parents).filter(|_| in_spec);
        if fields.is_some_and(|fields| fields.iter().any(|field| field.key == *last)) {
            continue;
        }
        let Some(node) =
            at.node().and_then(|node| node.get("ignore")).and_then(|list| list.item(index))
        else {
            continue;
        };
        let near = match fields {
            Some(fields) => nearest(last, fields.iter().map(|field| field.key)).map(|near| {
                let path: Vec<&str> = parents.iter().copied().chain([near]).collect();
                format!("did you mean `{}`?", path.join("."))
            }),
            None => did_you_mean(
                keys.get(1).copied().unwrap_or_default(),
                metadata_fields().iter().map(|field| field.key),
            ),
        };
        let help = near
            .unwrap_or_else(|| format!("`partnerctl explain {}` lists its fields", kind.word()));
        let message = format!("a {} has no field {}", kind.word(), quoted(path.as_str()));
        reader.report(Code::P0313, node.span(), message, Some(help));
    }
}
