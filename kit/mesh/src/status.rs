//! Errors to gRPC status and back: the one place where kinds become codes.

use std::collections::HashMap;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};
use tradewind_domain::{Error, ErrorKind, FieldViolation};

/// `ErrorInfo.domain` of what the services say themselves.
const DOMAIN: &str = "tradewind";
/// `ErrorInfo.domain` of what the mesh refuses before a service is asked.
const MESH: &str = "mesh.tradewind";

/// The status of an error: code by kind, `ErrorInfo` with reason and facts, `BadRequest` with the
/// fields at fault. The text of an internal error is logged and stays here.
pub fn status(error: impl Into<Error>) -> Status {
    let error = error.into();
    let code = match error.kind {
        ErrorKind::Invalid => Code::InvalidArgument,
        ErrorKind::NotFound => Code::NotFound,
        ErrorKind::AlreadyExists => Code::AlreadyExists,
        ErrorKind::Conflict => Code::Aborted,
        ErrorKind::Rejected => Code::FailedPrecondition,
        ErrorKind::Denied => Code::PermissionDenied,
        ErrorKind::Exhausted => Code::ResourceExhausted,
        ErrorKind::Unavailable => Code::Unavailable,
        ErrorKind::Internal => {
            tracing::error!(reason = error.reason, error = %error.message, "internal error");
            let details = ErrorDetails::with_error_info(error.reason, DOMAIN, HashMap::new());
            return Status::with_error_details(Code::Internal, "internal error", details);
        }
    };
    let metadata = error.metadata.into_iter().collect::<HashMap<_, _>>();
    let mut details = ErrorDetails::with_error_info(error.reason, DOMAIN, metadata);
    for violation in error.violations {
        details.add_bad_request_violation(violation.field, violation.description);
    }
    Status::with_error_details(code, error.message, details)
}

/// The stable reason of a status that carries one.
#[must_use]
pub fn reason(status: &Status) -> Option<String> {
    status.get_details_error_info().map(|info| info.reason)
}

/// The fields at fault that a status names.
#[must_use]
pub fn violations(status: &Status) -> Vec<FieldViolation> {
    status
        .get_details_bad_request()
        .map(|request| request.field_violations)
        .unwrap_or_default()
        .into_iter()
        .map(|violation| FieldViolation { field: violation.field, description: violation.description })
        .collect()
}

/// What the mesh itself answers, with the reason and the facts that explain it.
pub(crate) fn refusal<'a>(
    code: Code,
    reason: &str,
    message: &str,
    facts: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Status {
    let metadata = facts.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect::<HashMap<_, _>>();
    Status::with_error_details(code, message, ErrorDetails::with_error_info(reason, MESH, metadata))
}

/// A status code as the gRPC documents spell it: `NOT_FOUND`.
#[must_use]
pub const fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;
    use tonic_types::StatusExt;
    use tradewind_domain::{Error, ErrorKind};

    use super::{reason, status, violations};

    #[test]
    fn a_refusal_keeps_its_reason_its_facts_and_its_fields() {
        let error = Error::invalid("lines[0].quantity", "QUANTITY_NOT_POSITIVE", "must be positive").with("sku", "A-1");
        let status = status(error);
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(reason(&status).as_deref(), Some("QUANTITY_NOT_POSITIVE"));
        assert_eq!(violations(&status)[0].field, "lines[0].quantity");
        let info = status.get_details_error_info();
        assert_eq!(info.and_then(|info| info.metadata.get("sku").cloned()).as_deref(), Some("A-1"));
    }

    #[test]
    fn every_kind_has_its_code() {
        for (kind, code) in [
            (ErrorKind::Invalid, Code::InvalidArgument),
            (ErrorKind::NotFound, Code::NotFound),
            (ErrorKind::AlreadyExists, Code::AlreadyExists),
            (ErrorKind::Conflict, Code::Aborted),
            (ErrorKind::Rejected, Code::FailedPrecondition),
            (ErrorKind::Denied, Code::PermissionDenied),
            (ErrorKind::Exhausted, Code::ResourceExhausted),
            (ErrorKind::Unavailable, Code::Unavailable),
            (ErrorKind::Internal, Code::Internal),
        ] {
            assert_eq!(status(Error::new(kind, "REASON", "text")).code(), code);
        }
    }

    #[test]
    fn internal_text_stays_inside() {
        let status = status(Error::internal("password of the database"));
        assert_eq!(status.message(), "internal error");
        assert!(!String::from_utf8_lossy(status.details()).contains("password"));
    }
}
