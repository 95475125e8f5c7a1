//! Between HTTP with JSON and the methods of a contract: routes out of descriptors, a request as a message, an answer as JSON.
//!
//! Knows no service and no connection: neither I/O nor who may call belongs here.
//!
#![doc = include_str!("../README.md")]

mod fields;
#[cfg(any(test, feature = "fuzzed"))]
pub mod fuzzed;
mod json;
mod matcher;
mod percent;
mod query;
mod refusal;
mod routes;
pub mod schema;
mod template;
mod values;
mod wire;

pub use fields::FieldPath;
pub use matcher::{Conflict, LONGEST_PATH, MOST_SEGMENTS, Match, Matcher};
pub use query::{LONGEST_QUERY, MOST_PARAMETERS, bind_query};
pub use refusal::{Problem, Refusal};
pub use routes::{Declared, Found, Route, RouteError, Routes};
pub use template::{LONGEST_TEMPLATE, Literal, Segment, Template, TemplateError, Variable};
