//! Two services and a broker: what one commits the other handles once and in order, whatever happens between them.

mod audit;
mod delivery;
mod intents;
mod loss;
mod outage;
mod overtaken;
mod quarantine;
mod timers;
mod traces;
