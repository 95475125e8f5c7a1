//! What a page says that cannot be shown.

use axum::http::StatusCode;
use maud::{Markup, html};
use tonic::{Code, Status};

/// Why something cannot be shown or done.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) status: StatusCode,
    pub(crate) text: String,
}

impl Fault {
    pub(crate) fn invalid(text: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, text: text.into() }
    }

    pub(crate) fn markup(&self) -> Markup {
        html! { p.fault role="alert" { (self.text) } }
    }
}

impl From<anyhow::Error> for Fault {
    fn from(error: anyhow::Error) -> Self {
        let code = error.chain().find_map(|cause| cause.downcast_ref::<Status>()).map(Status::code);
        let status = match code {
            Some(Code::InvalidArgument | Code::OutOfRange) => StatusCode::BAD_REQUEST,
            Some(Code::NotFound) => StatusCode::NOT_FOUND,
            Some(Code::PermissionDenied | Code::Unauthenticated) => StatusCode::FORBIDDEN,
            Some(Code::FailedPrecondition | Code::Aborted | Code::AlreadyExists) => StatusCode::CONFLICT,
            Some(Code::Unavailable | Code::DeadlineExceeded | Code::ResourceExhausted | Code::Cancelled) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self { status, text: shop::explain_error(&error) }
    }
}

impl From<Status> for Fault {
    fn from(status: Status) -> Self {
        anyhow::Error::from(status).into()
    }
}
