//! Two orders over one stock, as a model for the checker.

use std::sync::Arc;

use contracts::tradewind::{inventory::v1::ReservationStatus, ordering::v1::OrderStatus};
use payment::app::ChargeAnswer;
use shipping::domain::ShipmentEvent;
use stateright::{Model, Property};
use tradewind_domain::Error;

use crate::{
    Mutant, Setting,
    automaton::{Automaton, Edge, StateId},
    message::Message,
    outside::MISTAKEN,
    rules::{RULES, is_sold, reservation, status, units},
    saga::{Move, Saga},
};

/// The model.
#[derive(Clone)]
pub(crate) struct TwoOrders {
    units: i64,
    mistakes: bool,
    mutant: Option<Mutant>,
    pub(crate) order: Arc<Automaton>,
}

/// A state: which of two equal orders is which makes no difference, so they stand in the order of their states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Orders {
    pub(crate) orders: [StateId; 2],
    pub(crate) stock: Stock,
}

/// The row of the stock table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Stock {
    pub(crate) on_hand: i64,
    pub(crate) reserved: i64,
    /// A statement found less than it was to move.
    pub(crate) refused: bool,
}

/// A step of one of the two.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Action {
    pub(crate) which: usize,
    pub(crate) edge: Edge,
}

impl TwoOrders {
    /// Two orders, just placed.
    pub(crate) fn new(setting: &Setting) -> Result<Self, Error> {
        let Setting { units, mistakes, mutant, .. } = *setting;
        Ok(Self { units, mistakes, mutant, order: Arc::new(Automaton::unfold(setting)?) })
    }

    /// A step of one of the orders; with it, whether the two change places.
    pub(crate) fn apply(&self, state: &Orders, action: Action) -> (Orders, bool) {
        let mut orders = state.orders;
        orders[action.which] = action.edge.to;
        let swapped = orders[0] > orders[1];
        orders.sort_unstable();
        (Orders { orders, stock: self.moved(state.stock, action.edge.moved) }, swapped)
    }

    /// What the conditional statements of inventory's store do.
    fn moved(&self, stock: Stock, moved: Option<Move>) -> Stock {
        let Stock { on_hand, reserved, .. } = stock;
        let (enough, after) = match moved {
            None => return stock,
            Some(Move::Reserve(units)) => {
                (self.available(stock) >= units, Stock { reserved: reserved + units, ..stock })
            }
            Some(Move::Release(units)) => (reserved >= units, Stock { reserved: reserved - units, ..stock }),
            Some(Move::Ship(units)) => {
                (reserved >= units, Stock { on_hand: on_hand - units, reserved: reserved - units, ..stock })
            }
        };
        if enough { after } else { Stock { refused: true, ..stock } }
    }

    fn available(&self, stock: Stock) -> i64 {
        match self.mutant {
            Some(Mutant::ReservesWhatIsReserved) => stock.on_hand,
            _ => stock.on_hand - stock.reserved,
        }
    }

    fn any(&self, state: &Orders, holds: fn(&Saga) -> bool) -> bool {
        self.sagas(state).into_iter().any(holds)
    }

    fn sagas(&self, state: &Orders) -> [&Saga; 2] {
        state.orders.map(|id| self.order.saga(id))
    }

    /// The reserved units are those of the two reservations, and what left was theirs.
    fn books_hold(&self, state: &Orders) -> bool {
        let [one, other] = self.sagas(state).map(units);
        state.stock.reserved == one.0 + other.0 && state.stock.on_hand == self.units - one.1 - other.1
    }
}

impl Model for TwoOrders {
    type State = Orders;
    type Action = Action;

    fn init_states(&self) -> Vec<Orders> {
        vec![Orders { orders: [0, 0], stock: Stock { on_hand: self.units, reserved: 0, refused: false } }]
    }

    fn actions(&self, state: &Orders, actions: &mut Vec<Action>) {
        if state.stock.refused {
            return;
        }
        for (which, id) in state.orders.into_iter().enumerate() {
            let edges = self.order.edges(id, self.available(state.stock) > 0);
            actions.extend(edges.iter().map(|edge| Action { which, edge: *edge }));
        }
    }

    fn next_state(&self, state: &Orders, action: Action) -> Option<Orders> {
        Some(self.apply(state, action).0)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mistaken = self.mistakes.then(gets_a_mistake_back);
        let mut properties = vec![
            Property::always("stock is never oversold", |_, state: &Orders| {
                (0..=state.stock.on_hand).contains(&state.stock.reserved) && !state.stock.refused
            }),
            Property::always("every unit is on hand, set aside or shipped for one order", Self::books_hold),
            rule::<0>(),
            rule::<1>(),
            rule::<2>(),
            rule::<3>(),
            rule::<4>(),
            rule::<5>(),
            rule::<6>(),
            Property::sometimes("an order is delivered", |shop, state| {
                shop.any(state, |saga: &Saga| status(saga) == OrderStatus::Delivered)
            }),
            Property::sometimes("a charge comes before its void", |shop, state| {
                shop.any(state, |saga: &Saga| voids(saga) && saga.card.record.captured > 0)
            }),
            Property::sometimes("an order ends although the provider never answered", |shop, state| {
                shop.any(state, |saga: &Saga| {
                    status(saga) == OrderStatus::Cancelled && saga.card.record.charge == Some(ChargeAnswer::Voided)
                })
            }),
            Property::sometimes("a cancellation comes after the parcel has left", |shop, state| {
                shop.any(state, |saga: &Saga| saga.told().any(is_refusal))
            }),
            Property::sometimes("the unit that one order gave back is sold to the other", |shop, state| {
                let [one, other] = shop.sagas(state);
                gave_back(one) && is_sold(other) || gave_back(other) && is_sold(one)
            }),
        ];
        properties.extend(mistaken);
        properties
    }
}

fn gets_a_mistake_back() -> Property<TwoOrders> {
    Property::sometimes("an order gets back what was taken by mistake", |shop: &TwoOrders, state| {
        shop.any(state, |saga: &Saga| status(saga) == OrderStatus::Cancelled && saga.card.record.refunded == MISTAKEN)
    })
}

/// One of the rules that each order has to keep.
fn rule<const INDEX: usize>() -> Property<TwoOrders> {
    Property::always(RULES[INDEX].0, |shop: &TwoOrders, state: &Orders| {
        state.orders.iter().all(|id| shop.order.keeps(*id, INDEX))
    })
}

fn voids(saga: &Saga) -> bool {
    saga.card.open().is_some_and(|intent| intent.action == "void")
}

fn is_refusal(message: &Message) -> bool {
    matches!(message, Message::Shipping(ShipmentEvent::CancellationRefused(_)))
}

fn gave_back(saga: &Saga) -> bool {
    reservation(saga) == ReservationStatus::Released
}
