//! One order as a finite automaton: every state that the services' own rules can bring it into, computed once. Orders
//! share nothing but the stock, so any number of them is a product of this one.

use std::collections::HashMap;

use tradewind_domain::Error;

use crate::{
    Setting,
    rules::RULES,
    saga::{Move, Saga},
    step::Step,
};

/// Which state an order is in.
pub(crate) type StateId = usize;

/// A step, and where it leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    pub(crate) step: Step,
    pub(crate) to: StateId,
    pub(crate) moved: Option<Move>,
}

/// All states of an order, the first of which is where it begins.
pub(crate) struct Automaton {
    states: Vec<State>,
}

struct State {
    saga: Saga,
    /// The steps while nothing is available, and while something is.
    edges: [Vec<Edge>; 2],
    /// Which of the rules it keeps.
    keeps: [bool; RULES.len()],
}

impl Automaton {
    /// Follows every step from the beginning.
    ///
    /// # Errors
    /// When not even the first order can be placed.
    pub(crate) fn unfold(setting: &Setting) -> Result<Self, Error> {
        let first = Saga::placed(setting)?;
        let mut ids = HashMap::from([(identity(&first), 0)]);
        let mut sagas = vec![first];
        let mut states = Vec::new();
        while let Some(saga) = sagas.get(states.len()).cloned() {
            let edges = [0, 1].map(|available| {
                let steps = saga.steps(setting, available).into_iter();
                let edge = |(step, next, moved)| {
                    let fresh = sagas.len();
                    let to = *ids.entry(identity(&next)).or_insert(fresh);
                    if to == fresh {
                        sagas.push(next);
                    }
                    Edge { step, to, moved }
                };
                steps.map(edge).collect::<Vec<_>>()
            });
            let after: Vec<_> = edges.iter().flatten().map(|edge| (edge.step, &sagas[edge.to])).collect();
            let keeps = RULES.map(|(_, holds)| holds(&saga, &after));
            states.push(State { saga, edges, keeps });
        }
        Ok(Self { states })
    }

    /// How many states there are.
    pub(crate) fn len(&self) -> usize {
        self.states.len()
    }

    /// What an order in this state is.
    pub(crate) fn saga(&self, id: StateId) -> &Saga {
        &self.states[id].saga
    }

    /// Every step from a state.
    pub(crate) fn edges(&self, id: StateId, in_stock: bool) -> &[Edge] {
        &self.states[id].edges[usize::from(in_stock)]
    }

    /// Tells whether a state keeps the rule with that index.
    pub(crate) fn keeps(&self, id: StateId, rule: usize) -> bool {
        self.states[id].keeps[rule]
    }
}

/// Two sagas are the same when they print the same. What is redacted is the same in all of them.
fn identity(saga: &Saga) -> String {
    format!("{saga:?}")
}
