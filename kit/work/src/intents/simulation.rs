//! A provider that is down for a minute under steady load, in virtual time: how many calls are made for each that is needed.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::time::Duration;

use tokio::time::Instant;

use super::pace::Pace;
use super::settle::CALL;

const CONCURRENCY: usize = 16;
/// One intent each so often, for the time of the load.
const EVERY: Duration = Duration::from_millis(50);
const LOAD: Duration = Duration::from_secs(120);
const DOWN_FROM: Duration = Duration::from_secs(30);
const DOWN_UNTIL: Duration = Duration::from_secs(90);
/// How long an answer takes, and how long it takes to find that there is none.
const ANSWER: Duration = Duration::from_millis(50);
const SILENCE: Duration = Duration::from_millis(200);

/// A die that is the same for the same seed (SplitMix64, Steele and others 2014).
struct Die(u64);

impl Die {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Ended { intent: usize, answered: bool },
    Look,
}

struct Run {
    calls: usize,
    needed: usize,
    /// When the last intent that was there before the provider came back was settled, counted from then.
    caught_up: Duration,
}

/// Runs the load; `with_circuit` or without it. `hopeless` intents never get an answer and are not waited for.
fn run(seed: u64, with_circuit: bool, hopeless: usize) -> Run {
    let began = Instant::now();
    let mut die = Die(seed);
    let mut pace = Pace::new(CONCURRENCY);
    let needed = usize::try_from(LOAD.as_millis() / EVERY.as_millis()).unwrap();
    // What is due when, the longest due first, as the table has it.
    let mut due: BTreeSet<(Instant, usize)> =
        (0..needed).map(|intent| (began + EVERY * u32::try_from(intent).unwrap(), intent)).collect();
    let mut attempts: BTreeMap<usize, u32> = BTreeMap::new();
    let mut events = BinaryHeap::from([Reverse((began, Event::Look))]);
    let (mut calls, mut under_way, mut left, mut caught_up) = (0, 0, needed - hopeless, Duration::ZERO);
    while left > 0 {
        let Reverse((now, event)) = events.pop().expect("something happens as long as anything is owed");
        if let Event::Ended { intent, answered } = event {
            under_way -= 1;
            if answered {
                left -= 1;
                if with_circuit {
                    pace.answered();
                }
                if EVERY * u32::try_from(intent).unwrap() < DOWN_UNTIL {
                    caught_up = caught_up.max((now - began).saturating_sub(DOWN_UNTIL));
                }
            } else {
                let attempt = attempts.entry(intent).or_default();
                due.insert((now + CALL.wait_for(*attempt, die.roll()), intent));
                *attempt += 1;
                if with_circuit {
                    pace.no_answer(&intent.to_string(), now, die.roll());
                }
            }
        }
        while let Some(&(at, intent)) = due.first()
            && at <= now
            && (if with_circuit { pace.room(now, under_way) } else { CONCURRENCY - under_way }) > 0
        {
            due.pop_first();
            pace.began();
            (calls, under_way) = (calls + 1, under_way + 1);
            let down = (DOWN_FROM..DOWN_UNTIL).contains(&(now - began)) || intent < hopeless;
            let ends = now + if down { SILENCE } else { ANSWER };
            events.push(Reverse((ends, Event::Ended { intent, answered: !down })));
        }
        let next = due.first().map(|(at, _)| *at).filter(|at| *at > now);
        let opens = pace.closed_for(now).map(|wait| now + wait);
        events.extend([next, opens].into_iter().flatten().map(|at| Reverse((at, Event::Look))));
    }
    Run { calls, needed, caught_up }
}

fn amplification(run: &Run) -> f64 {
    f64::from(u32::try_from(run.calls).unwrap()) / f64::from(u32::try_from(run.needed).unwrap())
}

#[test]
fn a_provider_that_is_down_for_a_minute_sees_no_storm() {
    for seed in 0..10 {
        let (with, without) = (run(seed, true, 0), run(seed, false, 0));
        let (with_circuit, storm) = (amplification(&with), amplification(&without));
        println!("seed {seed}: {with_circuit:.3} calls for each needed, {storm:.3} without the circuit");
        assert!(with_circuit < 1.2, "seed {seed}: {with_circuit}");
        assert!(storm > 1.2, "seed {seed}: {storm}, so that the load proves nothing");
        assert!(with.caught_up < Duration::from_secs(30), "seed {seed}: caught up {:?} later", with.caught_up);
    }
}

#[test]
fn an_intent_that_never_gets_an_answer_starves_no_other() {
    for seed in 0..10 {
        let run = run(seed, true, 1);
        assert!(run.caught_up < Duration::from_secs(30), "seed {seed}: caught up {:?} later", run.caught_up);
    }
}
