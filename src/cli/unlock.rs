use super::output::Output;
use super::past::PastArgs;
use super::planning::ledger_failed;
use super::tenant::block_on;
use super::{CommandError, Outcome};
use crate::ledger::{Holder, LeaseState, Ledger, LedgerError};
use crate::report::clean;

/// Break the lock of a run that died
///
/// Without a reason it shows who holds the lock and changes nothing. A living run is left alone, with
/// exit code 10. A run that died gives up its lock by itself after a while, so this is only for who
/// cannot wait; who did it and why is kept in the history.
#[derive(clap::Args, Debug)]
pub(crate) struct UnlockArgs {
    /// Why it may be broken: how it is known that the run is dead
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    past: PastArgs,
}

pub(crate) fn run(out: &Output, args: &UnlockArgs) -> Result<Outcome, CommandError> {
    let reason = args.reason.as_deref().map(str::trim);
    if reason.is_some_and(str::is_empty) {
        return Err(CommandError::usage("a reason has words in it"));
    }
    block_on(async {
        let Some(ledger) = args.past.open(out).await? else {
            out.result(|to| writeln!(to, "there is no ledger, and so no lock"))?;
            return Ok(Outcome::Done);
        };
        let came = match reason {
            None => show(out, &ledger).await,
            Some(reason) => unlock(out, &ledger, reason).await,
        };
        ledger.close().await;
        came
    })
}

async fn show(out: &Output, ledger: &Ledger) -> Result<Outcome, CommandError> {
    let holder = ledger.holder().await.map_err(|error| ledger_failed(&error))?;
    let (standing, what_to_do) = match holder.state {
        LeaseState::Free => return nothing(out),
        LeaseState::Held if holder.is_living() => (
            "a run holds the lock, and lives",
            "wait for it; it cannot be broken while it lives".to_owned(),
        ),
        LeaseState::Held if holder.free_at <= holder.now => (
            "a run held the lock, and no longer renews it",
            "another run may begin now: there is nothing to wait for, or to break".to_owned(),
        ),
        LeaseState::Held => (
            "a run held the lock, and no longer renews it",
            "to break it, say how you know that the run is dead: `partnerctl unlock --reason TEXT`"
                .to_owned(),
        ),
        LeaseState::Broken => (
            "the lock was broken",
            format!(
                "its last request may be under way: another run begins from {}",
                holder.free_at
            ),
        ),
    };
    out.result(|to| {
        writeln!(to, "{standing}")?;
        for (name, value) in [
            ("holder", holder.holder.clone()),
            ("for", holder.reason.clone()),
            ("since", holder.since.to_string()),
            ("until", holder.until.to_string()),
            ("free from", holder.free_at.to_string()),
        ] {
            writeln!(to, "  {name:<9} {}", clean::line(&value))?;
        }
        writeln!(to, "{what_to_do}")
    })?;
    Ok(Outcome::Done)
}

fn nothing(out: &Output) -> Result<Outcome, CommandError> {
    out.result(|to| writeln!(to, "nobody holds the lock: there is nothing to break"))?;
    Ok(Outcome::Done)
}

async fn unlock(out: &Output, ledger: &Ledger, reason: &str) -> Result<Outcome, CommandError> {
    let broken = ledger.break_lease(who(), reason.to_owned()).await;
    match broken {
        Ok(None) => {
            let holder = ledger.holder().await.map_err(|error| ledger_failed(&error))?;
            if holder.state == LeaseState::Broken { show(out, ledger).await } else { nothing(out) }
        }
        Ok(Some(Holder { holder, since, free_at, .. })) => {
            out.result(|to| {
                writeln!(to, "broken: the lock of {}, held since {since}", clean::line(&holder))?;
                writeln!(to, "who broke it and why is in the history")?;
                writeln!(to, "its last request may be under way: another run begins from {free_at}")
            })?;
            Ok(Outcome::Done)
        }
        Err(LedgerError::Held(holder)) => Err(CommandError::Locked(holder.to_string())),
        Err(error) => Err(ledger_failed(&error)),
    }
}

/// Who breaks it, as far as this machine knows: no token is needed for it.
fn who() -> String {
    let name = ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    let host = Some(host.trim()).filter(|host| !host.is_empty()).unwrap_or("an unnamed machine");
    format!("{} on {host}", name.as_deref().unwrap_or("somebody"))
}
