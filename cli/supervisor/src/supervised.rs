//! One process that is kept running: whoever takes the place of one that died, until it is told to stop.

use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt as _;
use tokio::process::ChildStdin;
use tokio::sync::{Mutex, mpsc, watch};
use tokio_util::task::AbortOnDropHandle;

use crate::process::{Process, Spec, signal};

/// How a process is at the moment.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// Its process id while it runs.
    pub pid: Option<u32>,
    /// The file that runs, or ran last.
    #[serde(default)]
    pub program: PathBuf,
    /// How often it was started.
    #[serde(default)]
    pub starts: u32,
    /// How often it died.
    pub restarts: u32,
    /// How it died the last time, with its last words.
    #[serde(default)]
    pub ended: Option<String>,
    /// Nothing takes its place any more.
    #[serde(default)]
    pub given_up: bool,
}

/// An end that nobody asked for.
#[derive(Clone, Copy, Debug)]
pub struct Death {
    /// How it ended; nothing where it could not be started.
    pub status: Option<ExitStatus>,
    /// How long it had run.
    pub after: Duration,
}

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
const STEADY: Duration = Duration::from_secs(10);

/// Whatever it died of another is started, each time twice as long later; soon again after one that ran for a while.
pub fn always() -> impl FnMut(Death) -> Option<Duration> + Send + 'static {
    let mut next = FIRST_PAUSE;
    move |death| {
        if death.after > STEADY {
            next = FIRST_PAUSE;
        }
        let pause = next;
        next = (next * 2).min(LONGEST_PAUSE);
        Some(pause)
    }
}

/// Nothing takes its place.
pub const fn never() -> impl FnMut(Death) -> Option<Duration> + Send + 'static {
    |_| None
}

/// What a supervisor can be told.
#[derive(Debug, PartialEq, Eq)]
enum Control {
    /// SIGKILL, and stay down until started.
    Halt,
    /// Start after `Halt`.
    Start,
    /// SIGTERM, and start another program.
    Replace(PathBuf),
    /// SIGTERM, wait, and end.
    Stop,
}

enum Ended {
    Died(Option<ExitStatus>, String),
    Told(Control, Option<ExitStatus>),
    /// It was to make room, and did not do so in order.
    Stuck(String),
}

type Input = Arc<Mutex<Option<ChildStdin>>>;

/// A process that is kept running. Dropping this kills it.
pub struct Supervised {
    controls: mpsc::Sender<Control>,
    state: watch::Receiver<State>,
    input: Input,
    kept: AbortOnDropHandle<Option<ExitStatus>>,
}

impl Supervised {
    /// Starts it. `next` says of each death how much later another is started, or that none is; `notice` hears of whatever
    /// happens.
    pub fn start(
        spec: Spec,
        next: impl FnMut(Death) -> Option<Duration> + Send + 'static,
        notice: impl Fn(String) + Send + Sync + 'static,
    ) -> Self {
        let (controls, told) = mpsc::channel(8);
        let (sender, state) = watch::channel(State::default());
        let input = Input::default();
        let keeper = Keeper { spec, next, notice, told, state: sender, input: Arc::clone(&input) };
        Self { controls, state, input, kept: AbortOnDropHandle::new(tokio::spawn(keeper.keep())) }
    }

    /// How it is, and a way to wait until that changes.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<State> {
        self.state.clone()
    }

    /// Sends it a signal, and whatever it started, if it runs.
    pub fn signal(&self, which: Signal) {
        signal(self.state.borrow().pid, which);
    }

    /// Kills it and leaves it down.
    pub async fn halt(&self) {
        self.control(Control::Halt).await;
    }

    /// Starts it after it was halted.
    pub async fn resume(&self) {
        self.control(Control::Start).await;
    }

    /// Has another program take its place once it has ended in order, and returns when that runs, or nothing does any more.
    pub async fn replace(&self, program: PathBuf) {
        let mut state = self.state();
        self.control(Control::Replace(program.clone())).await;
        let is_there = |state: &State| state.given_up || (state.pid.is_some() && state.program == program);
        // Nobody tells where it was given up long ago.
        let _ = state.wait_for(is_there).await;
    }

    /// Writes to its standard input; one that has just died hears nothing.
    pub async fn say(&self, text: &str) {
        if let Some(input) = &mut *self.input.lock().await {
            let _ = input.write_all(text.as_bytes()).await;
        }
    }

    /// Sends SIGTERM, and returns how it ended, if it ran.
    pub async fn stop(self) -> Option<ExitStatus> {
        self.control(Control::Stop).await;
        self.kept.await.ok().flatten()
    }

    async fn control(&self, control: Control) {
        // Nobody hears it where the process was given up.
        let _ = self.controls.send(control).await;
    }
}

struct Keeper<X, N> {
    spec: Spec,
    next: X,
    notice: N,
    told: mpsc::Receiver<Control>,
    state: watch::Sender<State>,
    input: Input,
}

impl<X: FnMut(Death) -> Option<Duration>, N: Fn(String)> Keeper<X, N> {
    /// Returns how the last one ended.
    async fn keep(mut self) -> Option<ExitStatus> {
        loop {
            let began = Instant::now();
            let ended = self.run().await;
            self.state.send_modify(|state| state.pid = None);
            let (control, status) = match ended {
                Ended::Told(control, status) => (control, status),
                Ended::Stuck(how) => return self.give_up(how, None),
                Ended::Died(status, how) => {
                    self.state.send_modify(|state| {
                        state.restarts += 1;
                        state.ended = Some(how.clone());
                    });
                    let Some(pause) = (self.next)(Death { status, after: began.elapsed() }) else {
                        return self.give_up(how, status);
                    };
                    (self.notice)(format!("{how}; started again in {} ms", pause.as_millis()));
                    let told = tokio::time::timeout(pause, self.told()).await;
                    (told.unwrap_or(Control::Start), status)
                }
            };
            match control {
                Control::Start => {}
                Control::Replace(program) => self.spec.program = program,
                Control::Stop => return status,
                Control::Halt => {
                    (self.notice)("stopped".to_owned());
                    match self.told_to_start().await {
                        Control::Stop => return status,
                        Control::Replace(program) => self.spec.program = program,
                        Control::Start | Control::Halt => {}
                    }
                }
            }
        }
    }

    /// Runs one until it ends, by itself or as it was told.
    async fn run(&mut self) -> Ended {
        let mut process = match Process::start(&self.spec) {
            Ok((process, input)) => {
                *self.input.lock().await = input;
                process
            }
            Err(error) => return Ended::Died(None, format!("{error:#}")),
        };
        self.state.send_modify(|state| {
            state.pid = process.pid();
            state.program.clone_from(&self.spec.program);
            state.starts += 1;
        });
        loop {
            tokio::select! {
                ended = process.wait() => {
                    let how = match &ended {
                        Ok(status) => format!("ended: {status}"),
                        Err(error) => error.to_string(),
                    };
                    return Ended::Died(ended.ok(), how + &process.last_words());
                }
                control = self.told.recv() => match control.unwrap_or(Control::Stop) {
                    Control::Start => {}
                    Control::Halt => return Ended::Told(Control::Halt, process.kill().await.ok()),
                    Control::Stop => return Ended::Told(Control::Stop, process.terminate().await.ok()),
                    Control::Replace(program) => return self.make_room(process, program).await,
                }
            }
        }
    }

    /// Whoever is killed by somebody else while it makes room has died like any other: what is started next is the new program.
    async fn make_room(&mut self, mut process: Process, program: PathBuf) -> Ended {
        match process.ask_to_end().await {
            Some(Ok(status)) if status.success() => Ended::Told(Control::Replace(program), Some(status)),
            Some(Ok(status)) if status.signal() == Some(Signal::SIGKILL as i32) => {
                self.spec.program = program;
                Ended::Died(Some(status), format!("ended: {status}{}", process.last_words()))
            }
            ended => {
                let ended = ended.map_or_else(|| "not within its grace".to_owned(), |ended| format!("{ended:?}"));
                let how = format!("made no room in order: {ended}{}", process.last_words());
                let _ = process.kill().await;
                Ended::Stuck(how)
            }
        }
    }

    /// Nobody left to tell it anything tells it to stop.
    async fn told(&mut self) -> Control {
        self.told.recv().await.unwrap_or(Control::Stop)
    }

    async fn told_to_start(&mut self) -> Control {
        loop {
            match self.told().await {
                Control::Halt => {}
                control => return control,
            }
        }
    }

    fn give_up(self, how: String, status: Option<ExitStatus>) -> Option<ExitStatus> {
        (self.notice)(format!("{how}; not started again"));
        self.state.send_modify(|state| {
            state.ended = Some(how);
            state.given_up = true;
        });
        status
    }
}
