//! Threads with a small stack and a deadline.

use std::any::Any;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use respire_tests::hostile::Attack;

/// Enough for a few frames, far too little for one for each level of a deep reply.
const STACK: usize = 256 << 10;

/// Generous: a busy machine is no hang.
const LIMIT: Duration = Duration::from_secs(120);

/// Runs `test` for each attack, on a small stack and in time; names all that failed.
pub(crate) fn each(
    attacks: impl Iterator<Item = &'static Attack>,
    test: impl Fn(&'static Attack) + Copy + Send + 'static,
) {
    let (mut run, mut failed) = (0, Vec::new());
    for attack in attacks {
        run += 1;
        if let Err(why) = within(attack.name, move || test(attack)) {
            failed.push(format!("{}: {why}", attack.name));
        }
    }
    assert!(run > 0, "there was no attack");
    assert!(failed.is_empty(), "{} of {run} attacks:\n{}", failed.len(), failed.join("\n"));
}

fn within(name: &str, test: impl FnOnce() + Send + 'static) -> Result<(), String> {
    let (send, receive) = channel();
    let run = thread::Builder::new().name(name.to_owned()).stack_size(STACK).spawn(move || {
        test();
        let _ = send.send(());
    });
    match receive.recv_timeout(LIMIT) {
        Ok(()) => Ok(()),
        Err(RecvTimeoutError::Timeout) => Err(format!("not done in {LIMIT:?}")),
        Err(RecvTimeoutError::Disconnected) => {
            run.expect("starting a thread").join().map_err(|panic| words(&*panic))
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
