//! What can go wrong between us and the tenant, and what of it may be shown.
//!
//! An error keeps all that a support case needs: method, path, status, code, request id. It never
//! keeps a credential: what a service answers is scrubbed of the secrets that were sent to it before
//! it gets here. Texts from outside are made harmless when they are shown.

use std::fmt;
use std::time::Duration;

use http::Method;

use super::auth;
use super::transport::Arrival;
use crate::report::clean;

/// The most that is shown of a text from outside.
const TEXT_CHARS_MAX: usize = 500;

/// Why something that was asked of the tenant did not come about.
#[derive(Debug)]
pub enum Error {
    /// The service answered, and the answer is no.
    Refused(Box<Refusal>),
    /// There was no answer.
    Lost { place: Place, arrival: Arrival, cause: String },
    /// It could not be sent as long as it was allowed to be; nothing was.
    TooLate { place: Place },
    /// There was an answer, and it makes no sense to us.
    Unreadable { place: Place, cause: String },
    /// A link in an answer leads to another origin: our token does not go there.
    Astray { place: Place, link: String },
    /// There is no token to ask with.
    SignIn(auth::Error),
}

/// What was asked, in a form that may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub method: Method,
    /// Without the query.
    pub path: String,
}

/// An answer that is a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub place: Place,
    pub status: u16,
    /// The service's own code, number or word, as text.
    pub code: Option<String>,
    /// As the service said it, but for secrets.
    pub message: String,
    pub request_id: Option<String>,
    pub correlation_id: Option<String>,
    pub retry_after: Option<Duration>,
}

/// What a caller can do about a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The request is wrong as it is.
    Invalid,
    /// The token is not good, and a new one was not either.
    Unauthorized,
    /// The actor may not do this.
    Denied,
    /// This needs a user; an application alone is not enough.
    NeedsUser,
    Missing,
    /// It changed in between: read it again.
    Conflict,
    /// A delta link or a page is too old: begin again.
    Outdated,
    Throttled,
    /// The service's own trouble.
    Fault,
}

impl Refusal {
    pub fn reason(&self) -> Reason {
        let code = self.code.as_deref().unwrap_or_default();
        match (self.status, code) {
            (_, "2055") | (409 | 412, _) => Reason::Conflict,
            (_, "900329") => Reason::NeedsUser,
            (410, _) => Reason::Outdated,
            (_, code)
                if ["resyncRequired", "syncStateNotFound", "Directory_ExpiredPageToken"]
                    .iter()
                    .any(|known| known.eq_ignore_ascii_case(code)) =>
            {
                Reason::Outdated
            }
            (401, _) => Reason::Unauthorized,
            (403, _) => Reason::Denied,
            (404, _) => Reason::Missing,
            (429, _) => Reason::Throttled,
            (status, _) if status >= 500 => Reason::Fault,
            _ => Reason::Invalid,
        }
    }
}

impl Error {
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    pub fn reason(&self) -> Option<Reason> {
        self.refusal().map(Refusal::reason)
    }

    pub fn is(&self, reason: Reason) -> bool {
        self.reason() == Some(reason)
    }

    /// Whether a change may have happened although this is what came of it: it must be looked up
    /// before anything is sent again.
    pub fn leaves_outcome_open(&self) -> bool {
        match self {
            Self::Lost { arrival, .. } => *arrival == Arrival::Possible,
            Self::Unreadable { .. } => true,
            Self::Refused(refusal) => {
                matches!(refusal.status, 408) || refusal.reason() == Reason::Fault
            }
            Self::Astray { .. } | Self::SignIn(_) | Self::TooLate { .. } => false,
        }
    }
}

impl From<auth::Error> for Error {
    fn from(error: auth::Error) -> Self {
        Self::SignIn(error)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, shown(&self.path))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Lost { place, arrival: Arrival::No, cause } => {
                write!(f, "{place}: not sent: {}", shown(cause))
            }
            Self::Lost { place, arrival: Arrival::Possible, cause } => {
                write!(f, "{place}: no answer: {}", shown(cause))
            }
            Self::TooLate { place } => {
                write!(f, "{place}: not sent: there was no time left for it")
            }
            Self::Unreadable { place, cause } => {
                write!(f, "{place}: the answer cannot be read: {}", shown(cause))
            }
            Self::Astray { place, link } => {
                write!(f, "{place}: a link leads to another service: {}", shown(link))
            }
            Self::SignIn(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        None
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.status)?;
        if let Some(code) = &self.code {
            write!(f, " {}", shown(code))?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", shown(&self.message))?;
        }
        let ids = [("request", &self.request_id), ("correlation", &self.correlation_id)];
        let mut separator = " (";
        for (name, id) in ids {
            if let Some(id) = id {
                write!(f, "{separator}{name} {}", shown(id))?;
                separator = ", ";
            }
        }
        if separator == ", " { f.write_str(")") } else { Ok(()) }
    }
}

/// A text from outside on one line, harmless, and not endless.
pub(super) fn shown(text: &str) -> String {
    let mut chars = text.chars();
    let mut kept: String = chars.by_ref().take(TEXT_CHARS_MAX).collect();
    if chars.next().is_some() {
        kept.push('…');
    }
    clean::line(kept.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, code: &str) -> Refusal {
        Refusal {
            place: Place { method: Method::GET, path: "/v1/customers".to_owned() },
            status,
            code: (!code.is_empty()).then(|| code.to_owned()),
            message: "no \u{1b}[2J way".to_owned(),
            request_id: Some("r-1".to_owned()),
            correlation_id: Some("c-1".to_owned()),
            retry_after: None,
        }
    }

    #[test]
    fn everything_a_support_case_needs_is_shown_and_nothing_acts() {
        assert_eq!(
            refusal(403, "900308").to_string(),
            r"GET /v1/customers: 403 900308: no \u{1b}[2J way (request r-1, correlation c-1)"
        );
        assert!(shown(&"x".repeat(5000)).chars().count() <= TEXT_CHARS_MAX + 1);
    }

    #[test]
    fn a_code_says_more_than_a_status() {
        for (status, code, reason) in [
            (400, "2055", Reason::Conflict),
            (412, "preconditionFailed", Reason::Conflict),
            (403, "900329", Reason::NeedsUser),
            (410, "", Reason::Outdated),
            (400, "Directory_ExpiredPageToken", Reason::Outdated),
            (400, "Request_BadRequest", Reason::Invalid),
            (404, "3000", Reason::Missing),
            (429, "", Reason::Throttled),
            (503, "", Reason::Fault),
        ] {
            assert_eq!(refusal(status, code).reason(), reason, "{status} {code}");
        }
    }

    #[test]
    fn what_may_have_happened_is_not_called_a_failure() {
        let lost =
            |arrival| Error::Lost { place: refusal(0, "").place, arrival, cause: String::new() };
        assert!(lost(Arrival::Possible).leaves_outcome_open());
        assert!(!lost(Arrival::No).leaves_outcome_open());
        assert!(Error::Refused(Box::new(refusal(502, ""))).leaves_outcome_open());
        assert!(!Error::Refused(Box::new(refusal(429, ""))).leaves_outcome_open());
        assert!(!Error::Refused(Box::new(refusal(400, ""))).leaves_outcome_open());
    }
}
