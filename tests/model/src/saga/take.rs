//! What a step does: the transaction that it is, with the services' own rules.

use contracts::tradewind::inventory::v1::Allocation;
use inventory::domain::ReservationEvent;
use tradewind_domain::{Aggregate, Error};
use tradewind_work::NewIntent;

use super::{Move, Saga};
use crate::{
    Setting,
    calls::{call_card, call_carrier, settled_by},
    message::{Command, Message},
    mutant::{self, Mutant},
    order,
    step::{FEEDS, Party, Step},
};

/// What a step has led to.
#[derive(Default)]
pub(super) struct Effect {
    changed: bool,
    moved: Option<Move>,
}

impl From<bool> for Effect {
    fn from(changed: bool) -> Self {
        Self { changed, moved: None }
    }
}

impl Effect {
    /// The same, of a step that changes something in any case.
    fn in_any_case(self) -> Self {
        Self { changed: true, ..self }
    }
}

impl Saga {
    /// The saga after a step, and what that does to the stock; nothing where the step changes nothing.
    pub(super) fn after(&self, setting: &Setting, step: Step, available: i64) -> Option<(Self, Option<Move>)> {
        let mut saga = self.clone();
        match saga.take(setting.mutant, step, available) {
            Ok(Effect { changed: false, .. }) => None,
            Ok(Effect { moved, .. }) => Some((saga, moved)),
            // Its transaction is rolled back.
            Err(error) => Some((Self { refusal: Some(error.to_string()), ..self.clone() }, None)),
        }
    }

    fn take(&mut self, mutant: Option<Mutant>, step: Step, available: i64) -> Result<Effect, Error> {
        use {ordering::domain::Command as Order, shipping::domain::Command as Shipment};
        match step {
            // People may be refused.
            Step::Cancel => Ok(self.execute(mutant, Command::Order(Order::Cancel)).unwrap_or_default()),
            Step::Dispatch => Ok(self.execute(mutant, Command::Shipment(Shipment::Dispatch)).unwrap_or_default()),
            Step::Deliver => Ok(self.execute(mutant, Command::Shipment(Shipment::Deliver)).unwrap_or_default()),
            Step::Expire => self.execute(mutant, Command::Order(Order::Expire)),
            Step::Hear { feed, position } => {
                self.cursors[feed] = position + 1;
                self.hear(mutant, feed, position, available).map(Effect::in_any_case)
            }
            Step::HearAgain { feed, position } => {
                self.heard_again += 1;
                self.hear(mutant, feed, position, available)
            }
            Step::Overtake { feed, position } => {
                self.cursors[feed] = position + 1;
                (self.late, self.overtaken) = (Some((feed, position)), true);
                Ok(true.into())
            }
            Step::HearLate => match self.late.take() {
                Some((feed, position)) => self.hear(mutant, feed, position, available).map(Effect::in_any_case),
                None => Ok(Effect::default()),
            },
            Step::Arrive { party: Party::CardProvider, request, verdict, heard } => {
                let call =
                    |record, intent: &NewIntent| call_card(mutant::known(mutant, record, intent), intent, verdict);
                Ok(self.card.arrive(request, heard, call).into())
            }
            Step::Arrive { party: Party::Carrier, request, verdict, heard } => {
                let call = |record, intent: &NewIntent| call_carrier(record, intent, verdict);
                Ok(self.carrier.arrive(request, heard, call).into())
            }
            Step::Record { party: Party::CardProvider } => self.record_card(mutant),
            Step::Record { party: Party::Carrier } => self.record_carrier(mutant),
            Step::Crash { party: Party::CardProvider } => Ok(self.card.crash().into()),
            Step::Crash { party: Party::Carrier } => Ok(self.carrier.crash().into()),
        }
    }

    fn hear(&mut self, mutant: Option<Mutant>, feed: usize, position: usize, available: i64) -> Result<Effect, Error> {
        match self.message(feed, position).ask(FEEDS[feed].reader, available)? {
            Some(command) => self.execute(mutant, command),
            None => Ok(Effect::default()),
        }
    }

    fn record_card(&mut self, mutant: Option<Mutant>) -> Result<Effect, Error> {
        match self.card.close() {
            Some((_, command)) => self.execute(mutant, Command::Payment(command)).map(Effect::in_any_case),
            None => Ok(Effect::default()),
        }
    }

    fn record_carrier(&mut self, mutant: Option<Mutant>) -> Result<Effect, Error> {
        let Some((intent, outcome)) = self.carrier.close() else { return Ok(Effect::default()) };
        match settled_by(&outcome, &intent)? {
            Some(command) => self.execute(mutant, Command::Shipment(command)).map(Effect::in_any_case),
            None => Ok(true.into()),
        }
    }

    /// Lets an aggregate decide, and does in the same transaction what its service does.
    pub(super) fn execute(&mut self, mutant: Option<Mutant>, command: Command) -> Result<Effect, Error> {
        let mut effect = Effect::default();
        match command {
            Command::Order(command) => {
                for event in evolve(&mut self.order, |order| mutant::order(mutant, order, command))? {
                    effect.changed = true;
                    self.tell(Message::Ordering(event));
                }
            }
            Command::Reservation(command) => {
                let decide = |reservation: &_| mutant::reservation(mutant, reservation, command);
                for event in evolve(&mut self.reservation, decide)? {
                    effect = Effect { changed: true, moved: move_of(&event) };
                    self.tell(Message::Inventory(event));
                }
            }
            Command::Payment(command) => {
                for event in evolve(&mut self.payment, |payment| mutant::payment(mutant, payment, command))? {
                    effect.changed = true;
                    payment::app::intent_of(order::ID, &event).into_iter().for_each(|intent| self.card.write(intent));
                    self.tell(Message::Payment(event));
                }
            }
            Command::Shipment(command) => {
                for event in evolve(&mut self.shipment, |shipment| mutant::shipment(mutant, shipment, command))? {
                    effect.changed = true;
                    let intent = shipping::app::intent_of(order::ID, &event);
                    intent.into_iter().for_each(|intent| self.carrier.write(intent));
                    self.tell(Message::Shipping(event));
                }
            }
        }
        Ok(effect)
    }

    /// Appends to the owner's log what somebody hears; readers pass over the rest.
    fn tell(&mut self, message: Message) {
        let owner = message.owner();
        if FEEDS.iter().any(|feed| feed.owner == owner && message.is_heard_by(feed.reader)) {
            self.logs[owner as usize].push(message);
        }
    }
}

fn evolve<A: Aggregate>(
    aggregate: &mut A,
    decide: impl FnOnce(&A) -> Result<Vec<A::Event>, Error>,
) -> Result<Vec<A::Event>, Error> {
    let events = decide(aggregate)?;
    events.iter().for_each(|event| aggregate.evolve(event));
    Ok(events)
}

fn move_of(event: &ReservationEvent) -> Option<Move> {
    let units = |parts: &[Allocation]| parts.iter().map(|part| part.quantity).sum();
    match event {
        ReservationEvent::Reserved(event) => Some(Move::Reserve(units(&event.allocations))),
        ReservationEvent::Released(event) => Some(Move::Release(units(&event.allocations))),
        ReservationEvent::Shipped(event) => Some(Move::Ship(units(&event.allocations))),
        ReservationEvent::Rejected(_) => None,
    }
}
