use std::collections::BTreeSet;

use super::applying::{Applying, How, Signals, Teller};
use super::output::Output;
use super::planning::{PlanningArgs, Ready};
use super::tenant::block_on;
use super::{CommandError, Outcome};
use crate::model::name::{Kind, Name, UserKey};
use crate::model::record::ObjectKey;
use crate::model::scalar::Scalar;
use crate::plan::Plan;
use crate::plan::Remains;
use crate::report::clean;

/// What is done to one user, at once
#[derive(clap::Args, Debug)]
pub(crate) struct UserArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand, Debug)]
enum What {
    ResetPassword(ResetArgs),
}

/// Give a user a new one-time password
///
/// It is sealed to the keys of `handover`, or shown once on a terminal, and has to be changed at the
/// first sign-in. Policy says who may (the action reset-password); only a global admin may reset a
/// global admin. It is written into the ledger like any other change; the password is not.
#[derive(clap::Args, Debug)]
struct ResetArgs {
    /// The user, as the manifests name them
    #[arg(value_name = "NAME", value_parser = name)]
    name: UserKey,
    #[command(flatten)]
    planning: PlanningArgs,
}

fn name(text: &str) -> Result<UserKey, String> {
    let text = text.strip_prefix("user/").unwrap_or(text);
    Name::parse(text).map(UserKey).map_err(|_| "the name of a user, such as aiko-tanaka".to_owned())
}

pub(crate) fn run(out: &Output, args: &UserArgs) -> Result<Outcome, CommandError> {
    let What::ResetPassword(args) = &args.what;
    block_on(async {
        let signals = Signals::listen();
        let ready = match args.planning.prepare(out).await? {
            Ok(ready) => ready,
            Err(outcome) => return Ok(outcome),
        };
        // Whatever speaks against it is known before the lease is asked for.
        if let Some(outcome) = refused(out, &plan(&ready, &args.name)?) {
            return Ok(outcome);
        }
        let reason = "user reset-password";
        let begun = Box::pin(Applying::begin(out, &args.planning, ready, reason, &signals));
        let applying = match begun.await? {
            Ok(applying) => applying,
            Err(outcome) => return Ok(outcome),
        };
        let came = Box::pin(reset(out, &args.name, &applying, &signals)).await;
        applying.end(out, came).await
    })
}

fn plan(ready: &Ready, name: &UserKey) -> Result<Plan, CommandError> {
    let planned = ready.reset(name).map_err(|why| {
        CommandError::usage(format!("the password of user/{name} is not reset: {why}"))
    })?;
    ready.file(planned)
}

fn refused(out: &Output, plan: &Plan) -> Option<Outcome> {
    for refusal in &plan.refused {
        out.say(&format!("refused: {}", refusal.message));
        out.say(&format!("  {}", refusal.remedy));
    }
    (!plan.refused.is_empty()).then(|| super::plan::outcome(plan, false))
}

async fn reset(
    out: &Output,
    name: &UserKey,
    applying: &Applying,
    signals: &Signals,
) -> Result<Outcome, CommandError> {
    let plan = plan(&applying.ready, name)?;
    if let Some(outcome) = refused(out, &plan) {
        return Ok(outcome);
    }
    let teller = Teller::new(false, 0);
    let how = How {
        parallel: 1,
        wave: None,
        teller: &teller,
        signals,
        is_whole: false,
        allowed: None,
        approved_by: Vec::new(),
    };
    // Nothing else of that user is done, and so nothing else is remembered as if it were.
    let open = BTreeSet::from([ObjectKey::new(Kind::User, name.as_str())]);
    let remains = Remains { open, ..Remains::default() };
    let applied = applying.carry_out(&plan, &[], &remains, &|| (), how).await?;
    if let Some(error) = &applied.ended_early {
        return Err(CommandError::because("keeping the journal", error));
    }
    if let Some(number) = signals.number().filter(|_| applied.was_stopped) {
        return Ok(Outcome::Ended(number));
    }
    if !applied.is_whole() {
        return Ok(Outcome::Partly);
    }
    let object = ObjectKey::new(Kind::User, name.as_str());
    let sealed = applying.sealed(&plan, &applied);
    out.result(|to| match sealed.first() {
        Some(file) => {
            let file = clean::line(&file.display().to_string());
            writeln!(to, "{object} has a new one-time password, sealed in {file}")
        }
        None => writeln!(to, "{object} has a new one-time password, shown above"),
    })?;
    Ok(Outcome::Done)
}
