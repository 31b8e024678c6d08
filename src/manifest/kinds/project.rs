//! `Project`: the file that stands beside the manifests.

use std::collections::BTreeMap;

use schemars::{Schema, SchemaGenerator, json_schema};

use crate::manifest::code::Code;
use crate::manifest::read::collections::{Map, Set, SetOfSome};
use crate::manifest::read::scalars::Whole;
use crate::manifest::read::{At, Described, Reader, Shaped, shape};
use crate::manifest::text::arena::View;
use crate::model::contact::Url;
use crate::model::id::ApplicationId;
use crate::model::name::{Name, Reference, UserKey};
use crate::model::project::{
    AgeRecipient, Context, Endpoints, Federation, Guards, Handover, Identity, LedgerSource, Limit,
    Limits, Project, Settle, TenantSource,
};
use crate::model::secret::SecretReference;
use crate::model::text::Title;

shape!(Project, "Project", {
    /// Folders and files of manifests, relative to the project; its own folder unless given.
    "manifests" => manifests: optional SetOfSome<Title>, Local;
    /// Folders and files of Cedar policies of your own, beside the built-in library.
    "policies" => policies: default Set<Title>, Local, Vec::new(), "";
    /// How much may change over 24 hours; count or percent of what is managed, whichever trips first.
    "limits" => limits: default Limits, Local, Limits::default(), "";
    /// What must remain after every step of a plan.
    "guards" => guards: default Guards, Local, Guards::default(), "";
    /// Where one-time passwords go.
    "handover" => handover: optional Handover, Local;
    /// The tenants, and how to reach them. A sole context is implicit.
    "contexts" => contexts: default Map<Name, Context>, Local, BTreeMap::new(), "";
});

shape!(Limits, "limits", {
    /// Objects, members and grants removed.
    "removals" => removals: optional Limit, Local;
    /// Privileged roles granted.
    "privilegedGrants" => privileged_grants: optional Limit, Local;
    /// Customers that anything happens to.
    "customersTouched" => customers_touched: optional Limit, Local;
    /// Steps that cannot be undone.
    "irreversible" => irreversible: optional Limit, Local;
});

shape!(Limit, "a limit", {
    /// At most so many.
    "count" => count: optional Whole<0, 1_000_000>, Local;
    /// At most so many in a hundred of what is managed.
    "percent" => percent: optional Whole<0, 100>, Local;
});

struct Minimum {
    min: u32,
}

shape!(Minimum, "a guard", {
    /// At least so many remain.
    "min" => min: required Whole<1, 1000>, Local;
});

impl From<Minimum> for u32 {
    fn from(minimum: Minimum) -> Self {
        minimum.min
    }
}

impl Default for Minimum {
    fn default() -> Self {
        Self { min: 1 }
    }
}

shape!(Guards, "guards", {
    /// Global admins: enabled, permanent, members of the tenant.
    "globalAdmins" => global_admins_min: default Minimum, Local, 1, "";
    /// Admin agents: enabled, direct members.
    "adminAgents" => admin_agents_min: default Minimum, Local, 1, "";
    /// Users who must be there, enabled and not expired.
    "required" => required: default Set<UserKey>, Local, Vec::new(), "";
});

shape!(Handover, "handover", {
    /// Public keys that one-time passwords are sealed to.
    "age" => age: required SetOfSome<AgeRecipient>, Local;
    /// The folder that sealed passwords are put into.
    "directory" => directory: optional Title, Local;
});

struct WrittenContext {
    tenant: TenantSource,
    auth: Auth,
    ledger: Option<LedgerSource>,
    actor: Option<Reference>,
    endpoints: Endpoints,
    settle: Option<Settle>,
}

#[derive(Default)]
struct Auth {
    read: Option<Identity>,
    write: Option<Identity>,
}

shape!(Auth, "auth", {
    /// The identity that reads: the only one that `plan` and `drift` use.
    "read" => read: optional Identity, Local;
    /// The identity that writes: used by `apply` alone.
    "write" => write: optional Identity, Local;
});

shape!(WrittenContext, "a context", {
    /// `embedded` for the tenant that comes with the tool, else a domain or the tenant id.
    "tenant" => tenant: required TenantSource, Local;
    /// Who asks for tokens, and with what.
    "auth" => auth: default Auth, Local, Auth::default(), "";
    /// Our memory between runs; a SQLite file in `.partnerctl/` unless given.
    "ledger" => ledger: optional LedgerSource, Local;
    /// Whom the writing identity is expected to be; the token decides.
    "actor" => actor: optional Reference, Local;
    /// Base URLs instead of the cloud's own: an emulator's, for one.
    "endpoints" => endpoints: default Endpoints, Local, Endpoints::default(), "";
    /// How long the service may lag behind a write: `150s` unless given.
    "settle" => settle: optional Settle, Local;
});

impl Shaped for Context {
    fn read(at: At<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let WrittenContext { tenant, auth: Auth { read, write }, ledger, actor, endpoints, settle } =
            WrittenContext::read(at, reader)?;
        Some(Self { tenant, read, write, ledger, actor, endpoints, settle })
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        WrittenContext::schema(generator)
    }

    fn described() -> Described {
        WrittenContext::described()
    }
}

shape!(Identity, "an identity", {
    /// The application's id.
    "clientId" => client_id: required ApplicationId, Local;
    /// Where its secret is.
    "clientSecret" => client_secret: optional SecretReference, Local;
    /// Where its certificate and key are.
    "certificate" => certificate: optional SecretReference, Local;
    /// Where the refresh token of the user is; rotated in place.
    "refreshToken" => refresh_token: optional SecretReference, Local;
    /// Who vouches for the workload, instead of a secret.
    "federated" => federated: optional Federation, Local;
});

shape!(Endpoints, "endpoints", {
    /// The login authority.
    "login" => login: optional Url, Local;
    /// Microsoft Graph.
    "graph" => graph: optional Url, Local;
    /// Partner Center's REST API.
    "partnerCenter" => partner_center: optional Url, Local;
    /// Where approval links for delegated access lead.
    "admin" => admin: optional Url, Local;
});

/// Exactly one of a few keys, each with a text.
fn one_of<const N: usize>(
    at: At<'_>,
    keys: [&'static str; N],
    what: &'static str,
    instead: &'static str,
    reader: &mut Reader<'_>,
) -> Option<(&'static str, Title)> {
    let node = at.node()?;
    let field = reader.field;
    let View::Mapping(entries) = node.view() else {
        reader.report(
            Code::P0501,
            node.span(),
            format!("`{field}` must be {what}, not the value itself"),
            Some(format!("say where it is, such as `{field}: {instead}`; if what stood here is a secret, revoke it")),
        );
        return None;
    };
    let mut found = None;
    let mut count = 0;
    for (key, value) in entries {
        count += 1;
        let Some(known) = keys.iter().find(|known| **known == key.text()) else {
            let help = format!("it has {}", crate::manifest::suggest::listed(keys));
            if keys.contains(&"env") {
                // `{value: hunter2}`: neither the key nor the value may be shown.
                let message = format!("`{field}` is {what}, and this key is none of its own");
                reader.report(Code::P0501, node.span(), message, Some(help));
                return None;
            }
            let message =
                format!("unknown key {} in {what}", crate::manifest::suggest::quoted(key.text()));
            reader.report(Code::P0101, key.span(), message, Some(help));
            continue;
        };
        reader.field = known;
        found = Title::read(At { key: Some(key.span()), ..At::own(value) }, reader)
            .map(|title| (*known, title));
        reader.field = field;
    }
    if count == 1 {
        return found;
    }
    let help = format!("it has exactly one of {}", crate::manifest::suggest::listed(keys));
    reader.report(
        Code::P0110,
        at.key.unwrap_or_else(|| node.head()),
        format!("`{field}` names {count} places"),
        Some(help),
    );
    None
}

fn one_of_schema(keys: &[&str], generator: &mut SchemaGenerator) -> Schema {
    let title = Title::schema(generator);
    let properties: serde_json::Map<_, _> = keys
        .iter()
        .map(|key| ((*key).to_owned(), serde_json::Value::from(title.clone())))
        .collect();
    json_schema!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "minProperties": 1,
        "maxProperties": 1,
    })
}

impl Shaped for SecretReference {
    fn read(at: At<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let (key, title) = one_of(
            at,
            ["env", "file", "keyring"],
            "a reference to a secret",
            "{env: NAME}",
            reader,
        )?;
        let place = title.as_str().into();
        Some(match key {
            "env" => Self::Env(place),
            "file" => Self::File(place),
            _ => Self::Keyring(place),
        })
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        one_of_schema(&["env", "file", "keyring"], generator)
    }

    fn described() -> Described {
        Described {
            examples: &["{env: PARTNERCTL_CLIENT_SECRET}", "{file: /run/secrets/refresh-token}"],
            ..Described::simply("a reference to a secret: `env`, `file` or `keyring`")
        }
    }
}

impl Shaped for LedgerSource {
    fn read(at: At<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let node = at.node()?;
        let postgres = node.entry("postgres");
        if let Some((key, value)) = postgres
            && matches!(node.view(), View::Mapping(entries) if entries.len() == 1)
        {
            reader.field = "postgres";
            return SecretReference::read(At { key: Some(key.span()), ..At::own(value) }, reader)
                .map(Self::Postgres);
        }
        let (_, title) =
            one_of(at, ["sqlite", "postgres"], "a kind of ledger", "{sqlite: PATH}", reader)?;
        Some(Self::Sqlite(title))
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "properties": {
                "sqlite": Title::schema(generator),
                "postgres": SecretReference::schema(generator),
            },
            "additionalProperties": false,
            "minProperties": 1,
            "maxProperties": 1,
        })
    }

    fn described() -> Described {
        Described {
            examples: &["{postgres: {env: PARTNERCTL_LEDGER}}", "{sqlite: .partnerctl/ledger.db}"],
            ..Described::simply(
                "a ledger: `sqlite` with a path, or `postgres` with a reference to its connection string",
            )
        }
    }
}
