//! Threads with a small stack and a deadline.

use std::any::Any;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use respire_tests::hostile::Attack;

/// Enough for a few frames, far too little for one for each level of a deep reply.
const STACK: usize = 256 << 10;

/// Generous: a busy machine is no hang.
const LIMIT: Duration = Duration::from_secs(120);
const LATE: &str = "not done in two minutes";

/// How many attacks run at once: many of them wait.
const AT_ONCE: usize = 6;

/// Runs `test` for each attack, on a small stack and in time; names all that failed.
pub(crate) fn each(
    attacks: impl Iterator<Item = &'static Attack>,
    test: impl Fn(&'static Attack) + Copy + Send + 'static,
) {
    let attacks: Vec<_> = attacks.collect();
    assert!(!attacks.is_empty(), "there was no attack");
    let mut failed = Vec::new();
    for some in attacks.chunks(AT_ONCE) {
        let running: Vec<_> = some.iter().map(|&attack| Running::new(attack, move || test(attack))).collect();
        failed.extend(running.into_iter().filter_map(|running| running.end().err()));
        // What hangs still runs, and so would all that is like it.
        if failed.iter().any(|why| why.ends_with(LATE)) {
            break;
        }
    }
    assert!(failed.is_empty(), "{} of {} attacks:\n{}", failed.len(), attacks.len(), failed.join("\n"));
}

struct Running {
    name: &'static str,
    done: Receiver<()>,
    thread: JoinHandle<()>,
}

impl Running {
    fn new(attack: &'static Attack, test: impl FnOnce() + Send + 'static) -> Self {
        let (send, done) = channel();
        let run = move || {
            test();
            let _ = send.send(());
        };
        let thread = thread::Builder::new().name(attack.name.to_owned()).stack_size(STACK).spawn(run);
        Self { name: attack.name, done, thread: thread.expect("starting a thread") }
    }

    fn end(self) -> Result<(), String> {
        match self.done.recv_timeout(LIMIT) {
            Ok(()) => Ok(()),
            Err(RecvTimeoutError::Timeout) => Err(format!("{}: {LATE}", self.name)),
            Err(RecvTimeoutError::Disconnected) => {
                self.thread.join().map_err(|panic| format!("{}: {}", self.name, words(&*panic)))
            }
        }
    }
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without words").to_owned()
}

/// Whoever opens sockets has this, so that they can be counted.
pub(crate) fn sockets() -> MutexGuard<'static, ()> {
    static SOCKETS: Mutex<()> = Mutex::new(());
    SOCKETS.lock().unwrap_or_else(PoisonError::into_inner)
}
