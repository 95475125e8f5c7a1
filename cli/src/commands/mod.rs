//! One command a file. Each parses its options, calls the system and prints what came back.

pub(crate) mod broker;
pub(crate) mod console;
pub(crate) mod consumer;
pub(crate) mod contracts;
pub(crate) mod customer;
pub(crate) mod database;
pub(crate) mod document;
pub(crate) mod down;
pub(crate) mod flows;
pub(crate) mod identity;
pub(crate) mod ledger;
pub(crate) mod mesh;
pub(crate) mod order;
pub(crate) mod pki;
pub(crate) mod policy;
pub(crate) mod product;
pub(crate) mod projection;
pub(crate) mod quarantine;
pub(crate) mod sales;
pub(crate) mod service;
pub(crate) mod smoke;
pub(crate) mod status;
pub(crate) mod stock;
pub(crate) mod token;
pub(crate) mod up;
