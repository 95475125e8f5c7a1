//! Who is let in, and what every answer says to the browser, of the console as it is served.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on panics")]

mod admitted;
mod connected;
mod kept;
mod lists;
mod people;
mod planned;
mod served;
mod signed_in;
mod stand;
mod steps;
mod tls;
