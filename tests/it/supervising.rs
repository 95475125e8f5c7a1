//! What keeps a process running, seen on shells that do what they are told on their standard input.

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use nix::sys::signal::Signal;
use supervisor::{Death, Spec, State, Supervised, never};
use tempfile::TempDir;
use tokio::time::timeout;
use tradewind_testing::{block_on, eventually, scratch};

use system_tests::PATIENCE;

/// Says who it is, and ends only when it is told to; with this code.
fn until_told(code: u8) -> String {
    format!("trap 'exit {code}' TERM; echo \"$0 is there\"; while :; do sleep 0.05 & wait; done\n")
}

fn start(folder: &TempDir, next: impl FnMut(Death) -> Option<Duration> + Send + 'static) -> Supervised {
    let log = folder.path().join("log");
    let spec = Spec { program: "/bin/sh".into(), args: Vec::new(), env: BTreeMap::new(), log, grace: PATIENCE };
    Supervised::start(spec, next, |_| ())
}

async fn becomes(process: &Supervised, is_it: impl FnMut(&State) -> bool) -> State {
    let mut state = process.state();
    let changed = timeout(PATIENCE, state.wait_for(is_it)).await;
    changed.expect("in time").expect("somebody tells").clone()
}

async fn logs(folder: &TempDir, text: &str) {
    eventually(PATIENCE, &format!("the log says {text:?}"), async || {
        let log = std::fs::read_to_string(folder.path().join("log")).unwrap_or_default();
        if log.contains(text) { Ok(()) } else { Err(log) }
    })
    .await;
}

#[test]
fn what_follows_a_death_is_decided_by_how_it_died() {
    block_on(async {
        let folder = scratch();
        let once_killed = |death: Death| (death.status?.signal() == Some(9)).then_some(Duration::ZERO);
        let process = start(&folder, once_killed);
        becomes(&process, |state| state.pid.is_some()).await;
        process.signal(Signal::SIGKILL);
        becomes(&process, |state| state.starts == 2 && state.restarts == 1).await;
        process.say("echo goodbye; exit 3\n").await;
        let last = becomes(&process, |state| state.given_up).await;
        let ended = last.ended.unwrap();
        assert!(ended.contains("exit status: 3") && ended.contains("goodbye"), "{ended}");
    });
}

#[test]
fn a_program_takes_the_place_of_another_that_ends_in_order() {
    block_on(async {
        let folder = scratch();
        let second = folder.path().join("second");
        symlink("/bin/sh", &second).unwrap();
        let process = start(&folder, never());
        becomes(&process, |state| state.pid.is_some()).await;
        process.say(&until_told(0)).await;
        logs(&folder, "/bin/sh is there").await;
        process.replace(second.clone()).await;
        let now = process.state().borrow().clone();
        assert_eq!((now.starts, now.restarts, now.program), (2, 0, second));
        process.say(&until_told(0)).await;
        logs(&folder, "second is there").await;
        assert!(process.stop().await.is_some_and(|status| status.success()));
    });
}

#[test]
fn a_program_that_is_killed_while_it_makes_room_has_made_it() {
    block_on(async {
        let folder = scratch();
        let second = folder.path().join("second");
        symlink("/bin/sh", &second).unwrap();
        let process = start(&folder, |_| Some(Duration::ZERO));
        becomes(&process, |state| state.pid.is_some()).await;
        process.say("trap 'echo not yet' TERM; echo it is there; while :; do sleep 0.05 & wait; done\n").await;
        logs(&folder, "it is there").await;
        let killed = async {
            logs(&folder, "not yet").await;
            process.signal(Signal::SIGKILL);
        };
        futures::join!(process.replace(second.clone()), killed);
        let now = process.state().borrow().clone();
        assert_eq!((now.starts, now.restarts, now.program, now.given_up), (2, 1, second, false));
        process.stop().await;
    });
}

#[test]
fn no_program_takes_the_place_of_another_that_fails_to_make_room() {
    block_on(async {
        let folder = scratch();
        let process = start(&folder, |_| Some(Duration::ZERO));
        becomes(&process, |state| state.pid.is_some()).await;
        process.say(&until_told(7)).await;
        logs(&folder, "is there").await;
        process.replace("/bin/sh".into()).await;
        let last = becomes(&process, |state| state.given_up).await;
        assert_eq!((last.starts, last.pid), (1, None), "{last:?}");
    });
}

#[test]
fn a_process_that_was_halted_stays_down_until_it_is_resumed() {
    block_on(async {
        let folder = scratch();
        let process = start(&folder, |_| Some(Duration::ZERO));
        becomes(&process, |state| state.pid.is_some()).await;
        process.halt().await;
        let down = becomes(&process, |state| state.pid.is_none()).await;
        assert_eq!((down.starts, down.restarts), (1, 0), "{down:?}");
        process.resume().await;
        becomes(&process, |state| state.starts == 2 && state.pid.is_some()).await;
        process.stop().await;
    });
}
