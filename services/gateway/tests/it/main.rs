//! The gateway over real sockets: in front of a catalog, and of a service of which a test says what it answers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod attacks;
mod conformance;
mod framing;
mod grpc;
mod issuers;
mod later;
mod limiting;
mod limits;
mod opened;
mod outside;
mod pages;
mod people;
mod replicas;
mod rest;
mod shop;
mod site;
mod stand;
mod streams;
mod tls;
mod web;
