//! Two services and a broker: what one commits the other handles once and in order, whatever happens between them.

pub(crate) mod audit;
mod begins;
mod deadlock;
mod deaths;
mod delivery;
mod drain;
mod forks;
mod intents;
mod loss;
mod outage;
mod outlet;
mod overtaken;
mod pause;
mod quarantine;
mod readers;
mod replicas;
mod restored;
mod rests;
mod streams;
mod stuck;
mod timers;
mod traces;
mod went_back;
