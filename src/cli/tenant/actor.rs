//! In whose name a tenant would be changed, before anybody has signed in to change it.

use crate::cli::CommandError;
use crate::model::estate::Estate;
use crate::model::id::ApplicationId;
use crate::model::name::{Kind, Reference, UserKey};
use crate::model::project::{Context, TenantSource};
use crate::model::tenant::ObjectId;
use crate::partner::{Error, Reader};

use super::unanswered;

/// Whoever makes the changes, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Acting {
    /// In our directory.
    pub object: Option<ObjectId>,
    /// The sign-in name; absent for an application on its own, and where a token does not say.
    pub user: Option<String>,
    /// The application, on its own or on behalf of the user.
    pub application: Option<ApplicationId>,
    pub known: Known,
}

/// How the actor is known. Only the token of the run that applies decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// From the token that changes would be made with.
    Token,
    /// The writing identity is an application on its own.
    Identity,
    /// The context says whom it expects.
    Expected,
    /// Of the writing identity nothing is known: this is who reads.
    Reading,
}

pub(super) async fn acting(
    reader: &Reader,
    context: &Context,
    estate: &Estate,
) -> Result<Acting, CommandError> {
    let is_one = context.tenant == TenantSource::Embedded
        || (context.write.is_some() && context.write == context.read);
    if is_one {
        return by_token(reader, Known::Token).await;
    }
    if let Some(write) = &context.write
        && write.refresh_token.is_none()
    {
        return application(reader, write.client_id, Known::Identity).await;
    }
    match &context.actor {
        Some(Reference::Application(id)) => application(reader, *id, Known::Expected).await,
        Some(Reference::Document(Kind::User, name)) => {
            let declared = estate.users.get(&UserKey(name.clone()));
            match declared {
                Some(declared) => user(reader, declared.spec.signs_in_as()).await,
                None => by_token(reader, Known::Reading).await,
            }
        }
        Some(Reference::Document(..)) | None => by_token(reader, Known::Reading).await,
    }
}

/// Whom a context expects to make the changes, if the token says that it is somebody else; each as
/// people call them.
pub(crate) fn unexpected(
    context: &Context,
    estate: &Estate,
    acting: &Acting,
) -> Option<(String, String)> {
    let expected = context.actor.as_ref()?;
    let is_so = match expected {
        Reference::Application(id) => acting.application == Some(*id) && acting.user.is_none(),
        Reference::Document(Kind::User, name) => {
            let declared = estate.users.get(&UserKey(name.clone()));
            declared.is_none_or(|declared| {
                let known = declared.spec.signs_in_as();
                acting.user.as_ref().is_some_and(|user| user.eq_ignore_ascii_case(known))
            })
        }
        Reference::Document(..) => true,
    };
    let found = match (&acting.user, acting.application) {
        (Some(user), _) => user.clone(),
        (None, Some(application)) => format!("application/{application}"),
        (None, None) => "nobody who is known".to_owned(),
    };
    (!is_so).then(|| (expected.to_string(), found))
}

pub(super) async fn by_token(reader: &Reader, known: Known) -> Result<Acting, CommandError> {
    let actor = reader.actor().await.map_err(|error| unanswered("signing in", &error))?;
    let Some(actor) = actor else {
        return Ok(Acting { object: None, user: None, application: None, known });
    };
    Ok(Acting {
        object: Some(ObjectId(actor.object)),
        user: actor.user.filter(|name| !name.is_empty()),
        application: actor.application.map(ApplicationId),
        known,
    })
}

async fn application(
    reader: &Reader,
    id: ApplicationId,
    known: Known,
) -> Result<Acting, CommandError> {
    let found = known_to(reader.service_principal(id).await)?.flatten();
    Ok(Acting {
        object: found.map(|principal| principal.id),
        user: None,
        application: Some(id),
        known,
    })
}

async fn user(reader: &Reader, sign_in_name: &str) -> Result<Acting, CommandError> {
    let found = known_to(reader.user_named(sign_in_name).await)?.flatten();
    Ok(Acting {
        object: found.map(|(id, _)| id),
        user: Some(sign_in_name.to_owned()),
        application: None,
        known: Known::Expected,
    })
}

/// Whoever may not look up the actor goes on without its id.
fn known_to<T>(answer: Result<T, Error>) -> Result<Option<T>, CommandError> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(Error::Refused(_)) => Ok(None),
        Err(error) => Err(unanswered("looking up who would act", &error)),
    }
}
