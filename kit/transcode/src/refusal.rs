//! Why a request has no message, or an answer no JSON.

/// Why a request is refused. None of its texts says more than the request did.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The path does not begin with a slash, has an escape that is none, holds a value that is no UTF-8, or is too long.
    #[error("the path is malformed")]
    MalformedPath,
    /// No route takes the path.
    #[error("no route takes this path")]
    NoRoute,
    /// Routes take the path, but with other methods.
    #[error("the path takes {}", allowed.join(", "))]
    MethodNotAllowed {
        /// The methods that it takes, sorted.
        allowed: Vec<String>,
    },
    /// The query has an escape that is none, is no UTF-8, or is too long.
    #[error("the query is malformed")]
    MalformedQuery,
    /// More parameters than are taken.
    #[error("there are more than {most} parameters")]
    TooManyParameters {
        /// How many are taken.
        most: usize,
    },
    /// A parameter, or a part of the path or the body, cannot be what the field it names holds.
    #[error("{path}: {problem}")]
    Field {
        /// The field's path as the request wrote it.
        path: String,
        /// What is wrong.
        problem: Problem,
    },
    /// The body is not JSON.
    #[error("the body is not JSON at line {line}, column {column}")]
    NotJson {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
    },
    /// There is a body where the route takes none.
    #[error("the route takes no body")]
    UnexpectedBody,
    /// There are parameters where the body is the whole request.
    #[error("the route takes no parameters")]
    UnexpectedParameters,
    /// The answer is not what the contract says, or has no JSON.
    #[error("the answer cannot be written as JSON")]
    Answer,
}

/// What is wrong with a field, or with what it should hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The message has no such field.
    #[error("there is no such field")]
    UnknownField,
    /// The path goes on below a field that has no fields.
    #[error("the path goes through a field that has no fields")]
    PathThroughScalar,
    /// The path goes on below a repeated field.
    #[error("the path goes through a repeated field")]
    PathThroughRepeated,
    /// The path goes on below a map.
    #[error("the path goes through a map")]
    PathThroughMap,
    /// The path has more fields than are followed.
    #[error("the path is too deep")]
    TooDeep,
    /// A map has no text.
    #[error("a map can only be in a body")]
    MapField,
    /// A message has no text.
    #[error("a message can only be in a body")]
    MessageField,
    /// A repeated field has no text of its own.
    #[error("a repeated field cannot be in a path")]
    RepeatedFieldInPath,
    /// The field is not repeated.
    #[error("there is more than one value")]
    TooManyValues,
    /// Another member of the same oneof is set.
    #[error("another field of the same choice is set")]
    OneofSetTwice,
    /// It is a number, but not one that the field can hold.
    #[error("the number is out of range")]
    OutOfRange,
    /// It is no number of the field's kind.
    #[error("it is not a number of this kind")]
    BadNumber,
    /// It is neither true nor false.
    #[error("it is neither true nor false")]
    BadBool,
    /// It is no base64.
    #[error("it is not base64")]
    BadBytes,
    /// The enum has no such value.
    #[error("there is no such value")]
    UnknownEnumValue,
    /// It is no time from 0001 to 9999 as RFC 3339 writes it.
    #[error("it is not a time as RFC 3339 writes it")]
    BadTimestamp,
    /// It is no number of seconds with an s at the end.
    #[error("it is not a number of seconds with an s at the end")]
    BadDuration,
    /// It is no list of field paths.
    #[error("it is not a list of fields")]
    BadMask,
    /// What the JSON reader says.
    #[error("{0}")]
    Json(String),
}

impl Problem {
    pub(crate) fn at(self, path: impl Into<String>) -> Refusal {
        Refusal::Field { path: path.into(), problem: self }
    }
}
