//! A run of the checker, and what it found.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Instant;

use serde::Serialize;
use stateright::{Checker, HasDiscoveries, Model, Path};
use tradewind_domain::Error;

use crate::{
    Setting, Story,
    shop::{Action, Orders, TwoOrders},
};

/// What the checker says about a setting.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// What was explored.
    pub setting: Setting,
    /// States of one order by itself.
    pub order_states: usize,
    /// Different states of the two together.
    pub states: usize,
    /// Steps between them.
    pub steps: usize,
    /// The most steps that it takes to get to one of them.
    pub depth: usize,
    /// How long it took.
    pub seconds: f64,
    /// What should always hold and what should be possible.
    pub properties: Vec<Finding>,
}

/// What the checker says about a property.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// The property.
    pub name: &'static str,
    /// Whether it is as it should be.
    pub holds: bool,
    /// How to break what should always hold.
    pub counterexample: Option<Story>,
}

type Way = Path<Orders, Action>;

/// Explores every state of `setting`; with a bug planted, only until a property is broken.
///
/// # Errors
/// When not even an order can be placed.
pub fn check(setting: Setting) -> Result<Report, Error> {
    let began = Instant::now();
    let shop = TwoOrders::new(&setting)?;
    let whole = setting.mutant.is_none();
    let finish = if whole { HasDiscoveries::All } else { HasDiscoveries::AnyFailures };
    let checker = shop.clone().checker().finish_when(finish).spawn_bfs().join();
    let mut found = checker.discoveries();
    // Whether something is possible is only known when everything was explored.
    let known = shop.properties().into_iter().filter(|property| whole || property.expectation.discovery_is_failure());
    let properties = known.map(|property| {
        let (name, is_failure) = (property.name, property.expectation.discovery_is_failure());
        let way = found.remove(name);
        let holds = way.is_some() != is_failure;
        let counterexample = way.filter(|_| is_failure).map(|way| shortest(&shop, name, way).into_vec());
        Finding { name, holds, counterexample: counterexample.map(|way| Story::of(&shop, way)) }
    });
    Ok(Report {
        setting,
        order_states: shop.order.len(),
        states: checker.unique_state_count(),
        steps: checker.state_count().saturating_sub(1),
        depth: checker.max_depth().saturating_sub(1),
        properties: properties.collect(),
        seconds: began.elapsed().as_secs_f64(),
    })
}

/// The shortest way to break a property that is known to break. The checker looks at states of several depths before it
/// stops, and keeps what it saw last; so it is asked again for less, until there is nothing.
fn shortest(shop: &TwoOrders, name: &'static str, found: Way) -> Way {
    let mut shortest = found;
    loop {
        let length = shortest.clone().into_states().len();
        let finish = HasDiscoveries::AnyOf(BTreeSet::from([name]));
        let checker = shop.clone().checker().target_max_depth(length).finish_when(finish).spawn_bfs().join();
        match checker.discovery(name) {
            Some(shorter) => shortest = shorter,
            None => return shortest,
        }
    }
}

impl Report {
    /// Every property that is not as it should be.
    pub fn broken(&self) -> impl Iterator<Item = &Finding> {
        self.properties.iter().filter(|verdict| !verdict.holds)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            setting: Setting { units, heard_again, mistakes, overtaken, mutant },
            order_states,
            states,
            steps,
            depth,
            ..
        } = self;
        write!(f, "two orders over {units} in stock, up to {heard_again} messages of each handled again")?;
        if *mistakes {
            write!(f, ", an outside that makes mistakes")?;
        }
        if *overtaken {
            write!(f, ", one event of each heard after its successor")?;
        }
        match mutant {
            Some(mutant) => writeln!(f, "; planted: {mutant}")?,
            None => writeln!(f)?,
        }
        let reached = if mutant.is_some() { "reached" } else { "in all" };
        writeln!(
            f,
            "  {states} states {reached}, {steps} steps, depth {depth}; one order alone has {order_states} states"
        )?;
        for Finding { name, holds, .. } in &self.properties {
            writeln!(f, "  {} {name}", if *holds { "ok    " } else { "BROKEN" })?;
        }
        for Finding { name, counterexample, .. } in self.broken() {
            let Story { steps, end } = counterexample.clone().unwrap_or_default();
            writeln!(f, "  how to break \"{name}\":")?;
            for (number, line) in steps.iter().enumerate() {
                writeln!(f, "    {:>2}  {line}", number + 1)?;
            }
            end.iter().try_for_each(|line| writeln!(f, "     →  {line}"))?;
        }
        write!(f, "  {:.1} s", self.seconds)
    }
}
