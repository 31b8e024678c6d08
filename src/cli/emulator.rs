use std::path::{Path, PathBuf};

use clap::ValueEnum;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::files::{ManifestArgs, ProjectArgs};
use super::output::Output;
use super::tenant::open_embedded;
use super::{CommandError, Outcome, clock};
use crate::emulator::{
    Act, ActCustomer, ActPartnership, ActPerson, Credentials, Doing, Dump, Emulator, FaultPlan,
    LogEntry, role_of,
};
use crate::model::customer::{self, Customer};
use crate::model::estate::Estate;
use crate::model::name::{Kind, Name};
use crate::model::partnership::{Partnership, With};
use crate::model::project::{Project, TenantSource};
use crate::model::role::Group;
use crate::model::scalar::Scalar;
use crate::model::user::Holding;

mod remote;

use remote::Remote;

/// Run a Partner Center and a Graph of one's own, and play the others
///
/// For demonstrations, tests and training. Without --url, commands are about the embedded tenant,
/// which is kept beside the project in .partnerctl/tenant.db.
#[derive(clap::Args, Debug)]
pub(crate) struct EmulatorArgs {
    #[command(subcommand)]
    command: EmulatorCommand,
}

#[derive(clap::Subcommand, Debug)]
enum EmulatorCommand {
    Serve(ServeArgs),
    Act(ActArgs),
    Clock(ClockArgs),
    Faults(FaultsArgs),
    Log(LogArgs),
    Seed(SeedArgs),
}

/// Serve a tenant, and print the context to reach it by
#[derive(clap::Args, Debug)]
struct ServeArgs {
    /// Where to listen; port 0 is any free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: String,
    /// Speak TLS, with a certificate that vouches for itself
    #[arg(long)]
    tls: bool,
    /// Keep the tenant in this file; otherwise it ends with the command
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Begin with this estate as the live tenant
    #[arg(long, value_name = "FOLDER")]
    seed: Option<PathBuf>,
    /// How to write the context
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Do what a customer, another partner or another administrator does
#[derive(clap::Args, Debug)]
struct ActArgs {
    #[command(flatten)]
    at: TargetArgs,
    /// What they do
    #[arg(value_enum)]
    deed: Deed,
    /// An invitation's link, or what is meant: customer/contoso
    #[arg(value_name = "LINK|KIND/NAME")]
    target: String,
    /// For an edit: spec.displayName=Aiko
    #[arg(value_name = "PATH=VALUE")]
    edit: Option<String>,
    /// Who opens the link: a customer's domain
    #[arg(long = "as", value_name = "DOMAIN")]
    who: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Deed {
    /// Say yes to an invitation or a request
    Accept,
    /// Say no to it
    Decline,
    /// End a reseller relationship or a partnership
    EndRelationship,
    /// End delegated access
    TerminateAccess,
    /// Delete a user
    DeleteUser,
    /// Edit something behind our back
    Edit,
}

/// Let time pass there
#[derive(clap::Args, Debug)]
struct ClockArgs {
    #[command(flatten)]
    at: TargetArgs,
    /// How much, such as +90d, +12h, -5m; without it, what time it is there
    #[arg(value_name = "TIME", allow_hyphen_values = true)]
    by: Option<String>,
}

/// Let things go wrong there, as a file says
///
/// The file holds `seed`, and `rules`: each with `fault` (latency, throttle, error, drop-before,
/// drop-after, slow-body, stale-read, expired-token, malformed, bom, page-shift), `rate` from 0 to 1 of
/// the requests that fit, and if wanted `method` (or `writes`: all that may change something), `path`
/// (how it begins; with `*`, all of it), `nth` (that one alone, counted from 1), `ms`, `status` and
/// `retryAfter`.
#[derive(clap::Args, Debug)]
struct FaultsArgs {
    #[command(flatten)]
    at: TargetArgs,
    /// A YAML file with a seed and rules; `off` ends them
    #[arg(value_name = "FILE|off")]
    plan: String,
}

/// Show the requests that came so far
#[derive(clap::Args, Debug)]
struct LogArgs {
    #[command(flatten)]
    at: TargetArgs,
    /// How to write them
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Make an estate the live tenant
#[derive(clap::Args, Debug)]
struct SeedArgs {
    #[command(flatten)]
    at: TargetArgs,
    /// The estate's folder
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

/// Which tenant a command is about
#[derive(clap::Args, Debug)]
struct TargetArgs {
    /// A served emulator's address; otherwise the embedded tenant
    #[arg(long, value_name = "URL", conflicts_with = "context")]
    url: Option<String>,
    /// The project's context whose tenant is embedded
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
    #[command(flatten)]
    project: ProjectArgs,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

pub(crate) fn run(out: &Output, args: &EmulatorArgs) -> Result<Outcome, CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|source| CommandError::failed("starting", source))?;
    runtime.block_on(async {
        match &args.command {
            EmulatorCommand::Serve(args) => serve(out, args).await,
            EmulatorCommand::Act(args) => act(out, args).await,
            EmulatorCommand::Clock(args) => tell_clock(out, args).await,
            EmulatorCommand::Faults(args) => faults(out, args).await,
            EmulatorCommand::Log(args) => log(out, args).await,
            EmulatorCommand::Seed(args) => seed(out, args).await,
        }
    })
}

/// An error of ours, as a failure that says what was being done.
fn failed(doing: &str, error: impl std::error::Error + Send + Sync + 'static) -> CommandError {
    CommandError::because(doing, &error)
}

async fn serve(out: &Output, args: &ServeArgs) -> Result<Outcome, CommandError> {
    let emulator = match &args.data {
        Some(path) => Emulator::open(path, rand::random()),
        None => Emulator::in_memory(rand::random()),
    };
    let emulator = emulator.map_err(|error| failed("opening the tenant", error))?;
    if let Some(folder) = &args.seed {
        let estate = estate_of(out, folder)?;
        emulator.seed(&estate).map_err(|error| failed("seeding the tenant", error))?;
    }
    let listener = tokio::net::TcpListener::bind(&args.listen)
        .await
        .map_err(|source| CommandError::failed(format!("listening on {}", args.listen), source))?;
    let address =
        listener.local_addr().map_err(|source| CommandError::failed("listening", source))?;
    let secured = if args.tls {
        let host = address.ip().to_string();
        Some(emulator.secure(&host).map_err(|error| failed("setting TLS up", error))?)
    } else {
        None
    };
    let scheme = if args.tls { "https" } else { "http" };
    let url = format!("{scheme}://{address}");
    let credentials =
        emulator.credentials().map_err(|error| failed("making credentials", error))?;
    let certificate = secured.as_ref().map(|secured| secured.certificate.as_str());
    out.result(|to| match args.format {
        Format::Text => write_context(to, &url, &credentials, certificate),
        Format::Json => writeln!(to, "{}", context_json(&url, &credentials, certificate)),
    })?;
    out.narrate(&format!("serving on {url}"));
    emulator.serve(listener, secured, stop()).await;
    Ok(Outcome::Done)
}

/// Ends when somebody asks the process to.
async fn stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminated.recv() => {}
            }
            return;
        }
    }
    drop(tokio::signal::ctrl_c().await);
}

fn context_of(url: &str, credentials: &Credentials) -> Value {
    let identity = json!({
        "clientId": credentials.client_id,
        "clientSecret": {"env": "PARTNERCTL_CLIENT_SECRET"},
        "refreshToken": {"env": "PARTNERCTL_REFRESH_TOKEN"},
    });
    json!({
        "tenant": credentials.tenant,
        "auth": {"read": identity, "write": identity},
        "endpoints": {"login": url, "graph": url, "partnerCenter": url, "admin": url},
        "settle": "0s",
    })
}

fn context_json(url: &str, credentials: &Credentials, certificate: Option<&str>) -> Value {
    let mut line = json!({
        "format": "partnerctl/emulator/v1",
        "url": url,
        "tenant": credentials.tenant,
        "clientId": credentials.client_id,
        "clientSecret": credentials.client_secret.expose_secret(),
        "refreshToken": credentials.refresh_token.expose_secret(),
        "context": context_of(url, credentials),
    });
    if let (Some(certificate), Some(line)) = (certificate, line.as_object_mut()) {
        line.insert("certificate".to_owned(), certificate.into());
    }
    line
}

fn write_context(
    to: &mut dyn std::io::Write,
    url: &str,
    credentials: &Credentials,
    certificate: Option<&str>,
) -> std::io::Result<()> {
    let context = json!({"contexts": {"emulator": context_of(url, credentials)}});
    let yaml = serde_yaml::to_string(&context).map_err(std::io::Error::other)?;
    write!(to, "{yaml}")?;
    for (name, value) in [
        ("PARTNERCTL_CLIENT_SECRET", credentials.client_secret.expose_secret()),
        ("PARTNERCTL_REFRESH_TOKEN", credentials.refresh_token.expose_secret()),
    ] {
        writeln!(to, "# export {name}={value}")?;
    }
    for line in certificate.into_iter().flat_map(str::lines) {
        writeln!(to, "# {line}")?;
    }
    Ok(())
}

/// A whole estate that can be made live: one with errors cannot.
fn estate_of(out: &Output, folder: &Path) -> Result<Estate, CommandError> {
    let loaded = ManifestArgs::of_folder(folder).read(out)?.load(clock::today(None));
    if loaded.has_errors() {
        let message =
            format!("the manifests in {} are invalid: see `partnerctl validate`", folder.display());
        return Err(CommandError::usage(message));
    }
    Ok(loaded.estate)
}

impl TargetArgs {
    /// The tenant that is meant.
    fn remote(&self, out: &Output) -> Result<Remote, CommandError> {
        if let Some(url) = &self.url {
            return Remote::served(url);
        }
        let files = self.project.read_if_any(out)?;
        if let Some(files) = &files {
            self.check_context(files.project.project.as_ref())?;
        } else if let Some(name) = &self.context {
            return Err(CommandError::usage(format!("there is no project with a context {name}")));
        }
        let root = self.project.root()?;
        let account = || Some(*files?.load(clock::today(None)).estate.account?.spec);
        let emulator = open_embedded(&root, account)?;
        Ok(Remote::Embedded(Box::new(emulator)))
    }

    fn check_context(&self, project: Option<&Project>) -> Result<(), CommandError> {
        let Some(wanted) = &self.context else { return Ok(()) };
        let name = Name::parse(wanted).ok();
        let context = project.zip(name).and_then(|(project, name)| project.contexts.get(&name));
        match context {
            None => Err(CommandError::usage(format!("there is no context {wanted}"))),
            Some(context) if context.tenant == TenantSource::Embedded => Ok(()),
            Some(_) => Err(CommandError::usage(format!(
                "the tenant of context {wanted} is not embedded: name an emulator with --url"
            ))),
        }
    }
}

async fn act(out: &Output, args: &ActArgs) -> Result<Outcome, CommandError> {
    let files = args.at.project.read_if_any(out)?;
    let estate = files.map(|files| files.load(clock::today(None)).estate);
    let act = act_of(args, estate.as_ref())?;
    let remote = args.at.remote(out)?;
    let answer = remote.send("POST", "/_emulator/act", Some(&json!(act))).await?;
    let done: Vec<&str> = answer
        .get("done")
        .and_then(Value::as_array)
        .map(|lines| lines.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    out.result(|to| done.iter().try_for_each(|line| writeln!(to, "{line}")))?;
    Ok(Outcome::Done)
}

fn act_of(args: &ActArgs, estate: Option<&Estate>) -> Result<Act, CommandError> {
    let mut act = Act::doing(match args.deed {
        Deed::Accept => Doing::Accept,
        Deed::Decline => Doing::Decline,
        Deed::EndRelationship => Doing::EndRelationship,
        Deed::TerminateAccess => Doing::TerminateAccess,
        Deed::DeleteUser => Doing::DeleteUser,
        Deed::Edit => Doing::Edit,
    });
    act.r#as.clone_from(&args.who);
    if let Some(edit) = &args.edit {
        let (path, value) = edit
            .split_once('=')
            .ok_or_else(|| CommandError::usage("an edit is written PATH=VALUE"))?;
        act.path = Some(path.to_owned());
        act.value = Some(value.to_owned());
    }
    if args.target.contains("://") {
        act.link = Some(args.target.clone());
        if let Some(estate) = estate {
            act.customers = waiting_customers(estate);
            act.partnerships =
                estate.partnerships.values().map(|one| partnership(&one.spec)).collect();
        }
        return Ok(act);
    }
    let estate = estate.ok_or_else(|| {
        CommandError::usage(format!("{} is declared by no project here", args.target))
    })?;
    name_target(&mut act, &args.target, estate)?;
    Ok(act)
}

/// Customers that should accept an invitation, whether or not they did.
fn waiting_customers(estate: &Estate) -> Vec<ActCustomer> {
    estate
        .customers
        .values()
        .filter(|declared| {
            declared.spec.relationship == customer::Relationship::Reseller
                && declared.spec.origin == customer::Origin::Existing
        })
        .map(|declared| acting_customer(estate, &declared.spec))
        .collect()
}

fn acting_customer(estate: &Estate, customer: &Customer) -> ActCustomer {
    let providers = customer
        .partnerships
        .iter()
        .flatten()
        .filter_map(|key| Some(estate.partnerships.get(key)?.spec.tenant_id.0.to_string()))
        .collect();
    ActCustomer {
        domain: customer.domain.as_str().to_owned(),
        tenant_id: customer.tenant_id.as_ref().map(|id| id.0.to_string()),
        company_name: Some(customer.company_name.as_str().to_owned()),
        providers,
    }
}

fn partnership(partnership: &Partnership) -> ActPartnership {
    ActPartnership {
        tenant_id: partnership.tenant_id.0.to_string(),
        display_name: partnership.display_name.as_str().to_owned(),
        partner_id: partnership.partner_id.as_ref().map(|id| id.as_str().to_owned()),
        is_provider: partnership.with == With::IndirectProvider,
        invitation_url: partnership.invitation_url.as_ref().map(|url| url.as_str().to_owned()),
    }
}

/// What a template has with one customer, as plans call it: whoever answers is that customer.
fn name_seat(act: &mut Act, template: &str, customer: &str, estate: &Estate) -> Option<()> {
    estate.delegated_access.get(template)?;
    let domain = estate.customers.get(customer)?.spec.domain.as_str();
    let who = act.r#as.get_or_insert_with(|| domain.to_owned());
    if !who.eq_ignore_ascii_case(domain) {
        return None;
    }
    act.templates.push(template.to_owned());
    Some(())
}

/// Says in the tenant's words what `KIND/NAME` declares.
fn name_target(act: &mut Act, target: &str, estate: &Estate) -> Result<(), CommandError> {
    let unknown = || CommandError::usage(format!("{target} is not declared"));
    let (kind, name) = target
        .split_once('/')
        .ok_or_else(|| CommandError::usage("what is meant is written KIND/NAME, or as a link"))?;
    let kind = Kind::from_kebab(kind).ok_or_else(unknown)?;
    if let Some((template, customer)) =
        name.split_once('/').filter(|_| kind == Kind::DelegatedAccess)
    {
        return name_seat(act, template, customer, estate).ok_or_else(unknown);
    }
    let parsed = Name::parse(name).map_err(|_| unknown())?;
    match kind {
        Kind::Customer => {
            let found = estate.customers.iter().find(|(key, _)| key.0 == parsed);
            let (_, declared) = found.ok_or_else(unknown)?;
            act.customers.push(acting_customer(estate, &declared.spec));
        }
        Kind::Partnership => {
            let found = estate.partnerships.iter().find(|(key, _)| key.0 == parsed);
            let (_, declared) = found.ok_or_else(unknown)?;
            act.partnerships.push(partnership(&declared.spec));
        }
        Kind::DelegatedAccess => {
            let found = estate.delegated_access.iter().find(|(key, _)| key.0 == parsed);
            found.ok_or_else(unknown)?;
            act.templates.push(name.to_owned());
        }
        Kind::User => {
            let found = estate.users.iter().find(|(key, _)| key.0 == parsed);
            let (_, declared) = found.ok_or_else(unknown)?;
            let user = &declared.spec;
            let sign_in_name =
                user.sign_in_name.as_ref().map_or(user.email.as_str(), |name| name.as_str());
            act.users.push(sign_in_name.to_owned());
            let eligible = user.admin.iter().filter(|(_, holding)| *holding == Holding::Eligible);
            act.people.push(ActPerson {
                sign_in_name: sign_in_name.to_owned(),
                display_name: user.display_name.as_str().to_owned(),
                email: user.email.as_str().to_owned(),
                is_guest: user.is_guest(),
                eligible: eligible.map(|(level, _)| role_of(*level).to_owned()).collect(),
            });
        }
        Kind::Role => {
            let found = estate.roles.iter().find(|(key, _)| key.0 == parsed);
            let (_, declared) = found.ok_or_else(unknown)?;
            let Some(Group::Named { name, .. }) = &declared.spec.group else {
                return Err(CommandError::usage(format!("{target} has no group of its own")));
            };
            act.groups.push(name.as_str().to_owned());
        }
        Kind::Account => act.account = true,
        _ => return Err(CommandError::usage(format!("{target} is nothing that others act on"))),
    }
    Ok(())
}

async fn tell_clock(out: &Output, args: &ClockArgs) -> Result<Outcome, CommandError> {
    let by = args.by.as_deref().map(seconds).transpose()?;
    let remote = args.at.remote(out)?;
    let answer = match by {
        None => remote.send("GET", "/_emulator/clock", None).await?,
        Some(seconds) => {
            remote.send("POST", "/_emulator/clock", Some(&json!({"bySeconds": seconds}))).await?
        }
    };
    let now = answer.get("now").and_then(Value::as_str).unwrap_or_default();
    out.result(|to| writeln!(to, "{now}"))?;
    Ok(Outcome::Done)
}

/// `+90d`, `-12h`, `+5m`, `30s`, in seconds.
fn seconds(text: &str) -> Result<i64, CommandError> {
    let wrong = || CommandError::usage("a time is written +90d, +12h, -5m or +30s");
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let unit = rest.chars().last().ok_or_else(wrong)?;
    let number = rest.strip_suffix(unit).unwrap_or_default();
    let factor = match unit {
        'd' => 86_400,
        'h' => 3600,
        'm' => 60,
        's' => 1,
        _ => return Err(wrong()),
    };
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let number: i64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(factor * sign).ok_or_else(wrong)
}

async fn faults(out: &Output, args: &FaultsArgs) -> Result<Outcome, CommandError> {
    let plan = if args.plan == "off" { None } else { Some(read_plan(Path::new(&args.plan))?) };
    let remote = args.at.remote(out)?;
    match plan {
        None => remote.send("DELETE", "/_emulator/faults", None).await?,
        Some(plan) => remote.send("PUT", "/_emulator/faults", Some(&json!(plan))).await?,
    };
    Ok(Outcome::Done)
}

fn read_plan(path: &Path) -> Result<FaultPlan, CommandError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| CommandError::usage(format!("{}: {error}", path.display())))?;
    serde_yaml::from_str(&text)
        .map_err(|error| CommandError::usage(format!("{}: {error}", path.display())))
}

async fn log(out: &Output, args: &LogArgs) -> Result<Outcome, CommandError> {
    let remote = args.at.remote(out)?;
    let answer = remote.send("GET", "/_emulator/log", None).await?;
    out.result(|to| match args.format {
        Format::Json => writeln!(to, "{answer}"),
        Format::Text => {
            let entries = answer.get("entries").and_then(Value::as_array);
            for entry in entries.into_iter().flatten() {
                let entry: LogEntry =
                    serde_json::from_value(entry.clone()).map_err(std::io::Error::other)?;
                write_entry(to, &entry)?;
            }
            Ok(())
        }
    })?;
    Ok(Outcome::Done)
}

fn write_entry(to: &mut dyn std::io::Write, entry: &LogEntry) -> std::io::Result<()> {
    let LogEntry { at, method, path, status, request_id, fault, items } = entry;
    let fault = fault.as_ref().map(|fault| format!(" ({fault})")).unwrap_or_default();
    writeln!(to, "{at} {status} {method} {path} {request_id}{fault}")?;
    for item in items {
        writeln!(to, "  {} {} {} {}", item.id, item.status, item.method, item.path)?;
    }
    Ok(())
}

async fn seed(out: &Output, args: &SeedArgs) -> Result<Outcome, CommandError> {
    let estate = estate_of(out, &args.folder)?;
    let remote = args.at.remote(out)?;
    let seeding = |error| failed("seeding the tenant", error);
    match &remote {
        Remote::Embedded(emulator) => emulator.seed(&estate).map_err(seeding)?,
        Remote::Served { .. } => {
            // It is made here, from what is there: whoever can sign in there still can.
            let there = remote.send("GET", "/_emulator/tenant", None).await?;
            let there: Dump = serde_json::from_value(there)
                .map_err(|error| failed("reading the tenant", error))?;
            let copy = Emulator::in_memory(rand::random()).map_err(seeding)?;
            copy.take_over(&there).map_err(seeding)?;
            copy.seed(&estate).map_err(seeding)?;
            let made = json!(copy.dump().map_err(seeding)?);
            remote.send("PUT", "/_emulator/tenant", Some(&made)).await?;
        }
    }
    out.say("seeded");
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_written_with_a_unit() {
        for (text, expected) in [
            ("+90d", Some(90 * 86_400)),
            ("-5m", Some(-300)),
            ("12h", Some(43_200)),
            ("+1s", Some(1)),
            ("90", None),
            ("d", None),
            ("+d", None),
            ("+1y", None),
            ("99999999999999999999d", None),
            ("９d", None),
        ] {
            assert_eq!(seconds(text).ok(), expected, "{text}");
        }
    }
}
