//! Waiting for what must come, and for tests that must end.

use std::panic::resume_unwind;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than anything takes on a machine that has other things to do.
pub const LIMIT: Duration = Duration::from_secs(20);

/// Waits until `done`.
///
/// # Panics
/// It takes longer than [`LIMIT`].
pub fn until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < LIMIT, "waiting for {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Runs `test`, which must end in time.
///
/// # Panics
/// It does not, or panics itself.
pub fn within<T: Send + 'static>(limit: Duration, test: impl FnOnce() -> T + Send + 'static) -> T {
    let (send, receive) = channel();
    let name = thread::current().name().unwrap_or("a test").to_owned();
    let run = thread::Builder::new().name(name).spawn(move || {
        let _ = send.send(test());
    });
    match receive.recv_timeout(limit) {
        Ok(value) => value,
        Err(RecvTimeoutError::Timeout) => panic!("not done in {limit:?}"),
        Err(RecvTimeoutError::Disconnected) => match run.expect("starting a thread").join() {
            Err(panic) => resume_unwind(panic),
            Ok(()) => unreachable!("it ended without a value"),
        },
    }
}
