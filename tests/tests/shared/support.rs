//! What the tests share.

use std::panic::resume_unwind;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use respire::{Builder, Client};
pub(crate) use respire_tests::admin::{Admin, Answer};
use respire_tests::{Kind, Server};

/// Longer than anything takes on a machine that has other things to do.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

pub(crate) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Redis 7.0, unless it is missing.
pub(crate) fn redis() -> Option<Server> {
    Kind::Redis70.available_or_skip().then(Server::redis)
}

pub(crate) fn builder(server: &Server) -> Builder {
    Client::builder(server.url().parse().expect("a URL"))
}

pub(crate) fn open(server: &Server) -> Client {
    Client::open(&server.url()).expect("a client")
}

/// Waits until `done`.
pub(crate) fn until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < LIMIT, "waiting for {what}");
        thread::sleep(ms(2));
    }
}

/// Runs `test`, which must come to an end.
pub(crate) fn within<T: Send + 'static>(test: impl FnOnce() -> T + Send + 'static) -> T {
    let (send, receive) = channel();
    let name = thread::current().name().unwrap_or("a test").to_owned();
    let run = thread::Builder::new().name(name).spawn(move || {
        let _ = send.send(test());
    });
    match receive.recv_timeout(LIMIT) {
        Ok(value) => value,
        Err(RecvTimeoutError::Timeout) => panic!("not done in {LIMIT:?}"),
        Err(RecvTimeoutError::Disconnected) => match run.expect("starting a thread").join() {
            Err(panic) => resume_unwind(panic),
            Ok(()) => unreachable!("it ended without a value"),
        },
    }
}

/// How many commands the server has processed.
pub(crate) fn processed(admin: &mut Admin) -> u64 {
    admin.info("stats")["total_commands_processed"].parse().expect("a count")
}

/// How many clients wait there for a list to have something.
pub(crate) fn blocked(admin: &mut Admin) -> u64 {
    admin.info("clients")["blocked_clients"].parse().expect("a count")
}
