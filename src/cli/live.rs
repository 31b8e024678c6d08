//! The effective world: questions of access asked of the tenant instead of the manifests.

use std::path::Path;

use jiff::Timestamp;

use super::CommandError;
use super::output::Output;
use super::tenant::{ContextArgs, Tenant, block_on};
use crate::manifest::Loaded;
use crate::model::estate::Estate;
use crate::model::project::Context;
use crate::model::role::Group;
use crate::model::tenant::{GroupRef, ObjectId, Scope, Side};
use crate::plan::observed::{Names, Observed, effective, observed, written};

/// Whose answer is wanted
#[derive(clap::Args, Debug)]
pub(crate) struct LiveArgs {
    /// Ask the tenant instead of the manifests: what it really gives, through groups too, whoever
    /// gave it
    ///
    /// What custom roles permit, and customers' labels, are declared in either case.
    #[arg(long)]
    live: bool,
    #[command(flatten)]
    context: ContextArgs,
}

/// What the tenant gives.
pub(crate) struct Live {
    pub estate: Estate,
    /// `as observed at 2026-11-20T09:00:00Z`.
    pub heading: String,
    /// Who holds something and is no user, roles that nothing carries, what could not be seen.
    pub notes: Vec<String>,
}

impl LiveArgs {
    /// The context to ask, if the tenant is to be asked.
    pub(crate) fn context(
        &self,
        project: Option<&crate::model::project::Project>,
        out: &Output,
    ) -> Result<Option<Context>, CommandError> {
        if !self.live {
            return if self.context.is_named() {
                Err(CommandError::usage("`--context` goes with `--live`: manifests have no tenant"))
            } else {
                Ok(None)
            };
        }
        self.context.choose(project, out).map(Some)
    }
}

/// Asks the tenant of a context.
pub(crate) fn live(context: &Context, loaded: &Loaded, home: &Path) -> Result<Live, CommandError> {
    let declared = &loaded.estate;
    let tenant = Tenant::connect(context, loaded, home)?;
    let snapshot = block_on(tenant.observe(scope(declared), false))?;
    let account = declared.account.as_ref().map(|account| &*account.spec);
    let observed = observed(&snapshot, account, &Names::declared(declared, &snapshot));
    let at = Timestamp::from_second(observed.at.as_second()).unwrap_or(observed.at);
    Ok(Live {
        estate: effective(&observed, declared),
        heading: format!("as observed at {at}"),
        notes: notes(&observed, declared),
    })
}

/// People, what they hold, and whom they may do it to; groups as far as roles have any.
fn scope(declared: &Estate) -> Scope {
    let groups = declared.roles.values().filter_map(|role| match &role.spec.group {
        Some(Group::Named { name, .. }) => Some(GroupRef::Name(name.as_str().to_owned())),
        Some(Group::Existing(id)) => Some(GroupRef::Id(ObjectId(id.0))),
        None => None,
    });
    Scope {
        users: true,
        groups: groups.collect(),
        customers: true,
        partnerships: [Side::IndirectProvider, Side::IndirectReseller].into(),
        account_roles: true,
        ..Scope::default()
    }
}

fn notes(observed: &Observed, declared: &Estate) -> Vec<String> {
    let mut notes = written::strangers(observed);
    for (key, role) in &declared.roles {
        if role.spec.group.is_some() && !observed.groups.contains_key(key) {
            notes.push(format!(
                "role/{key}: its group is not to be told in the tenant: nobody holds it"
            ));
        }
    }
    notes.extend(observed.blind.iter().map(|blind| format!("not seen: {}", blind.why)));
    notes
}
