//! Which context is meant.

use crate::cli::CommandError;
use crate::cli::output::Output;
use crate::model::name::Name;
use crate::model::project::{Context, Endpoints, LedgerSource, Project, TenantSource};
use crate::model::scalar::Scalar;
use crate::model::text::Title;

/// Which of the project's tenants a command is about
#[derive(clap::Args, Debug)]
pub(crate) struct ContextArgs {
    /// The project's context whose tenant is meant; not needed where there is one only
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
}

impl ContextArgs {
    /// The context of this name, or the only one. Nobody should reach production because it came
    /// first in a file, so of several one must be named.
    ///
    /// Without any, the tenant is the embedded one: whoever begins has no other. Where there are
    /// several, each that does not say where its ledger is has one of its own: what is managed in
    /// one tenant is not in another.
    pub(crate) fn choose(
        &self,
        project: Option<&Project>,
        out: &Output,
    ) -> Result<Context, CommandError> {
        let contexts = project.map(|project| &project.contexts);
        let all = || contexts.into_iter().flatten();
        let names = || all().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
        if let Some(name) = &self.context {
            let found = all().find(|(known, _): &(&Name, _)| known.as_str() == name);
            let unknown = || {
                let there = match names() {
                    none if none.is_empty() => "the project has no contexts".to_owned(),
                    names => format!("there are: {names}"),
                };
                CommandError::usage(format!("there is no context {name}\n{there}"))
            };
            let (name, context) = found.ok_or_else(unknown)?;
            let mut context = context.clone();
            if context.ledger.is_none() && all().nth(1).is_some() {
                let file = Title::parse(&format!(".partnerctl/ledger-{name}.db"));
                context.ledger = file.ok().map(LedgerSource::Sqlite);
            }
            return Ok(context);
        }
        match (all().next(), all().nth(1)) {
            (Some((_, only)), None) => Ok(only.clone()),
            (Some(_), Some(_)) => Err(CommandError::usage(format!(
                "there are several contexts: say which with `--context`\nthere are: {}",
                names()
            ))),
            (None, _) => {
                out.narrate("there are no contexts: this is about the embedded tenant");
                Ok(implicit())
            }
        }
    }
}

/// The context of a project without any.
fn implicit() -> Context {
    Context {
        tenant: TenantSource::Embedded,
        read: None,
        write: None,
        ledger: None,
        actor: None,
        endpoints: Endpoints::default(),
        settle: None,
    }
}

#[cfg(test)]
impl ContextArgs {
    pub(crate) fn of(name: Option<&str>) -> Self {
        Self { context: name.map(str::to_owned) }
    }
}
