//! The limit before servers that are simulated, half a millisecond a step.

use std::collections::VecDeque;

use super::*;

const METHOD: &str = "/shop.v1.Shop/Buy";
const STEP: Duration = Duration::from_micros(500);

/// What becomes of the work that calls bring.
trait Server {
    /// Does a step's work on the calls that are under way, the oldest first; those of which nothing is left are taken out.
    fn step(&mut self, calls: &mut VecDeque<Call>);
}

struct Call {
    began: Instant,
    /// Steps of work that are left.
    left: f64,
}

/// Works on so many at once as if each were alone; more share.
struct Shared {
    at_once: f64,
}

impl Server for Shared {
    fn step(&mut self, calls: &mut VecDeque<Call>) {
        #[expect(clippy::cast_precision_loss, reason = "they are few")]
        let share = (self.at_once / calls.len() as f64).min(1.0);
        calls.iter_mut().for_each(|call| call.left -= share);
    }
}

/// Commits for all that are there at once: a commit takes so many steps, and some more for each call.
#[derive(Default)]
struct Batches {
    fixed: f64,
    each: f64,
    busy: f64,
    batch: usize,
}

impl Server for Batches {
    fn step(&mut self, calls: &mut VecDeque<Call>) {
        self.busy -= 1.0;
        if self.busy > 0.0 {
            return;
        }
        calls.iter_mut().take(self.batch).for_each(|call| call.left = 0.0);
        self.batch = calls.len() - self.batch;
        #[expect(clippy::cast_precision_loss, reason = "they are few")]
        let all = self.each * self.batch as f64;
        self.busy = self.fixed + all;
    }
}

/// A server behind a limit, and whoever calls it.
struct World<S> {
    server: S,
    limit: Limit,
    now: Instant,
    calls: VecDeque<Call>,
    work: f64,
    done: usize,
    slowest: Duration,
}

impl<S: Server> World<S> {
    fn new(server: S, work: f64) -> Self {
        let now = Instant::now();
        Self { server, limit: Limit::new(now), now, calls: VecDeque::new(), work, done: 0, slowest: Duration::ZERO }
    }

    /// Lets `time` pass, in which there are always `callers` who want something. Tells how many calls were answered a second.
    fn run(&mut self, time: Duration, callers: usize) -> f64 {
        (self.done, self.slowest) = (0, Duration::ZERO);
        let end = self.now + time;
        while self.now < end {
            while self.calls.len() < callers.min(self.limit.most(self.now)) {
                self.calls.push_back(Call { began: self.now, left: self.work });
                self.limit.began(self.calls.len());
            }
            self.now += STEP;
            self.server.step(&mut self.calls);
            let (done, left): (VecDeque<_>, VecDeque<_>) =
                std::mem::take(&mut self.calls).into_iter().partition(|call| call.left <= 0.0);
            self.calls = left;
            for call in done {
                let took = self.now - call.began;
                self.done += 1;
                self.slowest = self.slowest.max(took);
                self.limit.ended(METHOD, took, self.calls.len(), self.now);
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "they are few")]
        let done = self.done as f64;
        done / time.as_secs_f64()
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn too_many_callers_get_as_much_as_there_is_and_for_as_long_as_they_come() {
    // Eight at a time, ten milliseconds each: 800 a second.
    let mut world = World::new(Shared { at_once: 8.0 }, 20.0);
    world.run(SECOND * 5, 4);
    world.run(SECOND * 10, 2_000);
    for _ in 0..8 {
        let done = world.run(SECOND * 10, 2_000);
        assert!(done > 760.0, "{done} a second");
        assert!(world.limit.most(world.now) <= 48, "{} at once", world.limit.most(world.now));
        assert!(world.slowest < SECOND / 10, "{:?}", world.slowest);
    }
}

#[test]
fn what_is_usual_is_learned_by_a_server_that_was_never_alone() {
    let mut world = World::new(Shared { at_once: 8.0 }, 20.0);
    world.run(SECOND * 70, 2_000);
    let done = world.run(SECOND * 10, 2_000);
    assert!(
        done > 760.0 && world.limit.most(world.now) <= 48,
        "{done} a second, {} at once",
        world.limit.most(world.now)
    );
}

#[test]
fn a_server_that_does_more_for_many_at_once_may() {
    // Two milliseconds a commit, and a hundredth of one for each call.
    let batches = || Batches { fixed: 4.0, each: 0.02, ..Batches::default() };
    let mut world = World::new(batches(), 1.0);
    world.run(SECOND * 5, 4);
    world.run(SECOND * 10, 400);
    let limited = world.run(SECOND * 5, 400);
    let mut free = World::new(batches(), 1.0);
    free.limit.limit = MOST;
    let free = free.run(SECOND, 400);
    assert!(limited > free * 0.8, "{limited} a second instead of {free}");
}

#[test]
fn a_limit_that_is_not_reached_stays_however_slow_calls_are() {
    let mut world = World::new(Shared { at_once: 8.0 }, 20.0);
    world.run(SECOND * 5, 4);
    world.work = 2_000.0;
    world.run(SECOND * 20, 20);
    assert_eq!(world.limit.most(world.now), whole(FIRST));
}

#[test]
fn what_takes_longer_for_good_is_usual_after_a_while() {
    let mut world = World::new(Shared { at_once: 100.0 }, 10.0);
    world.run(SECOND * 10, 4);
    world.work = 100.0;
    world.run(SECOND * 10, 4);
    world.run(SECOND * 20, 90);
    assert!(world.limit.most(world.now) >= 90, "{}", world.limit.most(world.now));
}

#[test]
fn one_call_that_waits_does_not_make_a_server_slow() {
    let mut limit = Limit::new(Instant::now());
    let mut now = Instant::now();
    for _ in 0..1_000 {
        for call in 0..200 {
            limit.began(200);
            now += Duration::from_millis(1);
            let took = if call == 0 { SECOND * 5 } else { Duration::from_millis(10) };
            limit.ended(METHOD, took, 150, now);
        }
    }
    assert!(limit.most(now) >= whole(FIRST), "{}", limit.most(now));
}

#[test]
fn a_server_that_all_but_stops_is_asked_for_less() {
    let mut world = World::new(Shared { at_once: 8.0 }, 20.0);
    world.run(SECOND * 5, 4);
    world.work = 4_000.0;
    world.run(SECOND * 400, 2_000);
    assert!(world.limit.most(world.now) <= 128, "{} at once", world.limit.most(world.now));
}

#[test]
fn calls_that_are_given_up_tell_how_slow_a_server_is_and_not_how_quick() {
    let mut limit = Limit::new(Instant::now());
    let mut now = Instant::now();
    let mut round = |limit: &mut Limit, took: Duration, well: bool| {
        for _ in 0..2_000 {
            limit.began(limit.most(now));
            now += Duration::from_millis(5);
            if well { limit.ended(METHOD, took, 255, now) } else { limit.given_up(METHOD, took, 255, now) }
        }
        limit.most(now)
    };
    round(&mut limit, Duration::from_millis(10), true);
    let before = round(&mut limit, Duration::from_millis(1), false);
    assert!(before >= whole(FIRST), "{before}");
    let after = round(&mut limit, SECOND * 5, false);
    assert!(after < whole(FIRST), "{after}");
}

#[test]
fn measuring_is_over_in_time_although_no_call_succeeds() {
    let mut world = World::new(Shared { at_once: 8.0 }, 20.0);
    while world.limit.measuring.is_none() {
        world.run(STEP, 2_000);
    }
    assert!(world.limit.most(world.now) <= FEW);
    assert!(world.limit.most(world.now + MEASURING[1]) >= whole(LEAST));
}
