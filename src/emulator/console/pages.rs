//! Pages for people: what waits, and the answers to it.

use askama::Template;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, Request, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Form, Router};
use http::StatusCode;
use serde::Deserialize;

use crate::emulator::act::{Act, ActCustomer, ActError, ActPartnership, Doing, Link, act};
use crate::emulator::center::documents::{Customer, Partner, Side};
use crate::emulator::delegated::{self, Approval};
use crate::emulator::directory::user_by_sign_in_name;
use crate::emulator::http::origin::Origin;
use crate::emulator::identity::device::{DeviceCode, Progress};
use crate::emulator::store::{Range, Read, Scan, StoreError, Write};
use crate::emulator::tenant::{EMBEDDED_ADMIN, Program, Tenant};
use crate::emulator::world::World;

/// No page shows more of a list.
const SHOWN_MAX: usize = 200;

pub(super) fn routes() -> Router<World> {
    Router::new()
        .route("/", get(index))
        .route("/devicelogin", get(device).post(sign_in))
        .route("/adminportal/home", get(home))
        .route("/adminportal/invitation", axum::routing::post(answer_invitation))
        .route("/adminportal/access/{id}", get(access).post(answer_access))
        .route("/adminportal/partnership/{id}", get(partnership).post(answer_partnership))
}

/// What a page could not show.
enum Trouble {
    Store(StoreError),
    Page(askama::Error),
    Gone,
    Refused(String),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<askama::Error> for Trouble {
    fn from(error: askama::Error) -> Self {
        Self::Page(error)
    }
}

impl From<ActError> for Trouble {
    fn from(error: ActError) -> Self {
        match error {
            ActError::Refused(why) => Self::Refused(why),
            ActError::Store(error) => Self::Store(error),
        }
    }
}

impl From<FormRejection> for Trouble {
    fn from(_: FormRejection) -> Self {
        Self::Refused("The form is not complete.".to_owned())
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let (status, title, line) = match self {
            Self::Refused(why) => (StatusCode::CONFLICT, "That cannot be done", why),
            Self::Gone => {
                let line = "It was answered meanwhile, or the link is not whole.".to_owned();
                (StatusCode::NOT_FOUND, "There is nothing to answer", line)
            }
            Self::Store(error) => {
                tracing::error!(%error, "the store");
                (StatusCode::INTERNAL_SERVER_ERROR, "Something is broken", error.to_string())
            }
            Self::Page(error) => {
                tracing::error!(%error, "a page");
                (StatusCode::INTERNAL_SERVER_ERROR, "Something is broken", error.to_string())
            }
        };
        let page = DonePage { title, lines: vec![line] };
        match page.render() {
            Ok(page) => (status, Html(page)).into_response(),
            Err(_) => status.into_response(),
        }
    }
}

type Page = Result<Html<String>, Trouble>;

#[derive(Template)]
#[template(path = "emulator/pages/done.html")]
struct DonePage<'a> {
    title: &'a str,
    lines: Vec<String>,
}

fn done(title: &str, lines: Vec<String>) -> Page {
    Ok(Html(DonePage { title, lines }.render()?))
}

#[derive(Template)]
#[template(path = "emulator/pages/index.html")]
struct IndexPage {
    company: String,
    tenant: String,
    program: &'static str,
    now: String,
    approvals: Vec<Approval>,
    offers: Vec<Offer>,
    customers: u64,
    invitation: String,
}

struct Offer {
    id: String,
    name: String,
}

async fn index(State(world): State<World>, origin: Origin) -> Page {
    let page = world.store().read(|tx| {
        let tenant = Tenant::of(tx)?;
        let offers = tx.scan::<Partner>(&Scan::all("inactive").limit(SHOWN_MAX))?.items;
        Ok::<_, StoreError>(IndexPage {
            invitation: invitation_link(&origin.0, &tenant),
            company: tenant.company_name,
            tenant: tenant.id,
            program: match tenant.program {
                Program::DirectBill => "a direct-bill partner",
                Program::IndirectProvider => "an indirect provider",
                Program::IndirectReseller => "an indirect reseller",
            },
            now: tx.now().strftime("%Y-%m-%d %H:%M UTC").to_string(),
            approvals: delegated::waiting(tx, SHOWN_MAX)?,
            offers: offers
                .into_iter()
                .map(|found| Offer { id: found.document.id, name: found.document.name })
                .collect(),
            customers: tx.count::<Customer>("listed", &Range::All)?,
        })
    })?;
    Ok(Html(page.render()?))
}

/// The link that every customer gets. On the service's own hosts it leads to the service's pages.
pub(crate) fn invitation_link(origin: &str, tenant: &Tenant) -> String {
    let host = origin.split_once("://").map_or(origin, |(_, host)| host);
    let is_theirs = [".microsoft.com", ".microsoftonline.cn"].iter().any(|end| host.ends_with(end));
    let origin = if is_theirs { "https://admin.microsoft.com" } else { origin };
    format!(
        "{origin}/Adminportal/Home?invType=ResellerRelationship&partnerId={}&msppId=0&DAP=false#/BillingAccounts/partner-invitation",
        tenant.id
    )
}

#[derive(Template)]
#[template(path = "emulator/pages/invitation.html")]
struct InvitationPage {
    /// What was wrong with the answer that was given.
    problem: String,
    partner: String,
    providers: Vec<String>,
    link: String,
    domain: String,
    company: String,
}

impl InvitationPage {
    /// What a link asks for, if that is in the part which a browser sends.
    fn of(tx: &Read<'_>, link: &str) -> Result<Option<Self>, Trouble> {
        let Link::Reseller { partner, providers } = Link::parse(link) else { return Ok(None) };
        let tenant = Tenant::of(tx)?;
        if tenant.id != partner {
            return Err(Trouble::Gone);
        }
        let mut names = Vec::new();
        for id in providers {
            let known = tx.get::<Partner>(&id)?;
            names.push(known.map_or(id, |known| known.document.name));
        }
        Ok(Some(Self {
            problem: String::new(),
            partner: tenant.company_name,
            providers: names,
            link: link.to_owned(),
            domain: String::new(),
            company: String::new(),
        }))
    }
}

#[derive(Template)]
#[template(path = "emulator/pages/fragment.html")]
struct FragmentPage;

/// Where invitations lead. What they ask for stands in the query, or where only a browser sees it.
async fn home(State(world): State<World>, request: Request) -> Page {
    let link = request.uri().to_string();
    match world.store().read(|tx| InvitationPage::of(tx, &link))? {
        Some(page) => Ok(Html(page.render()?)),
        None => Ok(Html(FragmentPage.render()?)),
    }
}

/// A yes or a no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Accept,
    Decline,
}

impl Answer {
    fn doing(self) -> Doing {
        match self {
            Self::Accept => Doing::Accept,
            Self::Decline => Doing::Decline,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Accept => "Accepted",
            Self::Decline => "Declined",
        }
    }
}

#[derive(Debug, Deserialize)]
struct InvitationForm {
    link: String,
    domain: String,
    #[serde(default)]
    company: String,
    answer: Answer,
}

async fn answer_invitation(
    State(world): State<World>,
    form: Result<Form<InvitationForm>, FormRejection>,
) -> Result<Response, Trouble> {
    let Form(form) = form?;
    let customer = match acting(&form.domain, &form.company) {
        Ok(customer) => customer,
        Err(problem) => {
            let page = world.store().read(|tx| InvitationPage::of(tx, &form.link))?;
            let page = page.ok_or(Trouble::Gone)?;
            let InvitationForm { domain, company, .. } = form;
            return again(&InvitationPage { problem, domain, company, ..page });
        }
    };
    let wanted = Act {
        link: Some(form.link),
        r#as: Some(customer.domain.clone()),
        customers: vec![customer],
        ..Act::doing(form.answer.doing())
    };
    let lines = world.store().write(|tx| act(tx, &wanted))?;
    Ok(done(form.answer.title(), lines).into_response())
}

/// A form once more, with what was filled in and why it will not do.
fn again(page: &impl Template) -> Result<Response, Trouble> {
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(page.render()?)).into_response())
}

/// Who fills a form in, or why that is nobody.
fn acting(domain: &str, company: &str) -> Result<ActCustomer, String> {
    let domain = domain.trim().to_lowercase();
    let is_domain = domain.len() <= 253
        && domain.contains('.')
        && domain.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    if !is_domain {
        return Err(format!("“{domain}” is not a domain."));
    }
    let company = company.trim();
    let company_name = (!company.is_empty()).then(|| company.to_owned());
    Ok(ActCustomer { domain, tenant_id: None, company_name, providers: Vec::new() })
}

#[derive(Template)]
#[template(path = "emulator/pages/access.html")]
struct AccessPage {
    /// What was wrong with the answer that was given.
    problem: String,
    partner: String,
    asked: Approval,
    domain: String,
}

impl AccessPage {
    fn of(tx: &Write<'_>, id: &str) -> Result<Self, Trouble> {
        let asked = delegated::asked(tx, id)?.ok_or(Trouble::Gone)?;
        let partner = Tenant::of(tx)?.company_name;
        Ok(Self { problem: String::new(), partner, asked, domain: String::new() })
    }
}

async fn access(State(world): State<World>, Path(id): Path<String>) -> Page {
    let page = world.store().write(|tx| AccessPage::of(tx, &id))?;
    Ok(Html(page.render()?))
}

#[derive(Debug, Deserialize)]
struct AccessForm {
    #[serde(default)]
    domain: String,
    answer: Answer,
}

async fn answer_access(
    State(world): State<World>,
    Path(id): Path<String>,
    form: Result<Form<AccessForm>, FormRejection>,
) -> Result<Response, Trouble> {
    let Form(form) = form?;
    let who = match form.domain.trim() {
        "" => None,
        domain => match acting(domain, "") {
            Ok(who) => Some(who),
            Err(problem) => {
                let page = world.store().write(|tx| AccessPage::of(tx, &id))?;
                return again(&AccessPage { problem, domain: form.domain, ..page });
            }
        },
    };
    let wanted = Act {
        r#as: who.as_ref().map(|who| who.domain.clone()),
        customers: who.into_iter().collect(),
        ..Act::doing(form.answer.doing())
    };
    let yes = form.answer == Answer::Accept;
    let lines = world.store().write(|tx| delegated::answer(tx, &wanted, yes, &id))?;
    Ok(done(form.answer.title(), lines).into_response())
}

#[derive(Template)]
#[template(path = "emulator/pages/partnership.html")]
struct PartnershipPage {
    id: String,
    name: String,
    is_provider: bool,
}

async fn partnership(State(world): State<World>, Path(id): Path<String>) -> Page {
    let partner = offered(&world, &id)?;
    let is_provider = partner.side == Side::Provider;
    Ok(Html(PartnershipPage { id: partner.id, name: partner.name, is_provider }.render()?))
}

fn offered(world: &World, id: &str) -> Result<Partner, Trouble> {
    let found = world.store().read(|tx| tx.get::<Partner>(id))?;
    found.map(|found| found.document).filter(|partner| !partner.is_active).ok_or(Trouble::Gone)
}

#[derive(Debug, Deserialize)]
struct AnswerForm {
    answer: Answer,
}

async fn answer_partnership(
    State(world): State<World>,
    Path(id): Path<String>,
    form: Result<Form<AnswerForm>, FormRejection>,
) -> Page {
    let Form(form) = form?;
    let partner = offered(&world, &id)?;
    let wanted = Act {
        partnerships: vec![ActPartnership {
            tenant_id: partner.id,
            display_name: partner.name,
            partner_id: partner.mpn_id,
            is_provider: partner.side == Side::Provider,
            invitation_url: partner.invitation,
        }],
        ..Act::doing(form.answer.doing())
    };
    let lines = world.store().write(|tx| act(tx, &wanted))?;
    done(form.answer.title(), lines)
}

#[derive(Template)]
#[template(path = "emulator/pages/device.html")]
struct DevicePage {
    problem: &'static str,
    code: String,
    user: String,
}

async fn device(State(world): State<World>) -> Page {
    let tenant = world.store().read(Tenant::of)?;
    let user = format!("{EMBEDDED_ADMIN}@{}", tenant.domain());
    Ok(Html(DevicePage { problem: "", code: String::new(), user }.render()?))
}

#[derive(Debug, Deserialize)]
struct DeviceForm {
    code: String,
    user: String,
    #[serde(default)]
    mfa: String,
    answer: Answer,
}

async fn sign_in(
    State(world): State<World>,
    form: Result<Form<DeviceForm>, FormRejection>,
) -> Page {
    let Form(form) = form?;
    let problem = world.store().write(|tx| {
        let Some(waiting) = DeviceCode::waiting(tx, &form.code)? else {
            return Ok::<_, StoreError>(Some("No device waits with this code."));
        };
        let mut device = waiting.document;
        device.progress = match form.answer {
            Answer::Decline => Progress::Declined,
            Answer::Accept => {
                let user = user_by_sign_in_name(tx, form.user.trim())?;
                let Some(user) = user.filter(|user| user.account_enabled) else {
                    return Ok(Some("Nobody with this name can sign in."));
                };
                Progress::Accepted { user: user.document.id, mfa: form.mfa == "yes" }
            }
        };
        tx.put(&device)?;
        Ok(None)
    })?;
    match problem {
        Some(problem) => {
            Ok(Html(DevicePage { problem, code: form.code, user: form.user }.render()?))
        }
        None => done(form.answer.title(), vec!["You can go back to your device.".to_owned()]),
    }
}
