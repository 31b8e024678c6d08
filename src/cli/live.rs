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
use crate::model::tenant::{self, GroupRef, ObjectId, Scope, Side, Snapshot};
use crate::plan::observed::{
    Given, Names, Observed, Untold, delegated, effective, observed, written,
};
use crate::policy::delegated::Delegated;

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
    /// What delegated access gives there.
    pub delegated: Delegated,
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
    let Given { delegated, untold } = delegated(&snapshot, &observed, declared);
    let mut notes = notes(&observed, declared);
    notes.extend(untold_notes(&untold, &snapshot));
    Ok(Live {
        estate: effective(&observed, declared, &delegated),
        delegated,
        heading: format!("as observed at {at}"),
        notes,
    })
}

/// People, what they hold, and whom they may do it to; groups as far as roles have any, and those that
/// access was delegated to.
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
        delegated: tenant::Delegated::All,
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

/// What delegated access gives that no answer counts.
fn untold_notes(untold: &Untold, snapshot: &Snapshot) -> Vec<String> {
    let Untold { strangers, groups, directory_roles, unseen } = untold;
    let mut notes = Vec::new();
    if let Some(first) = strangers.first() {
        let more = more(strangers.len());
        notes.push(format!(
            "delegated access is active in the tenant {first}{more}, which is no customer of ours: it is not counted"
        ));
    }
    for group in groups {
        let name = snapshot.groups.get(group).map(|group| crate::report::clean::line(&group.name));
        let name = name.unwrap_or_else(|| group.to_string());
        notes.push(format!(
            "delegated access is given to the group {name}, of which it is not known who is in it"
        ));
    }
    for role in directory_roles {
        notes.push(format!(
            "the directory role {role} is given in customers' tenants, and what it allows is not known: it counts as nothing"
        ));
    }
    if *unseen > 0 {
        notes.push(format!("what {unseen} active relationships give was not seen"));
    }
    notes
}

fn more(all: usize) -> String {
    if all > 1 { format!(" and {} more", all - 1) } else { String::new() }
}
