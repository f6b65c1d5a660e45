//! What the tests share: a client of every server and protocol, and a limit on time.

use std::time::{Duration, Instant};

use respire::conn::Failure;
use respire::prelude::*;
use respire::{Cause, ConnectError, Error, Single};
pub(crate) use respire_tests::Peer;
pub(crate) use respire_tests::wait::{until, within};
use respire_tests::{Kind, Server};

/// Longer than a connection may rest before the client looks at it.
pub(crate) const REST: Duration = Duration::from_millis(1100);

pub(crate) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Runs `test` on every server in both protocols, each time on an empty server.
pub(crate) fn everywhere(test: impl Fn(&Server, &Single) -> Result<(), Error>) {
    for kind in Kind::ALL {
        if !kind.available_or_skip() {
            continue;
        }
        let server = Server::builder(kind).start();
        for protocol in [2, 3] {
            let client = open(&format!("{}?protocol={protocol}", server.url()));
            client.flush_all().wait().expect("FLUSHALL");
            if let Err(error) = test(&server, &client) {
                panic!("{kind}, RESP{protocol}: {error:?}");
            }
        }
    }
}

/// Redis 7.0, unless it is missing.
pub(crate) fn redis() -> Option<Server> {
    Kind::Redis70.available_or_skip().then(Server::redis)
}

pub(crate) fn open(url: &str) -> Single {
    Single::open(url).unwrap_or_else(|error| panic!("{url}: {error}"))
}

/// Why the server of this URL cannot be reached.
pub(crate) fn refused(url: &str) -> ConnectError {
    match Single::open(url) {
        Err(Error::Connect(error)) => error,
        other => panic!("{url}: {other:?}"),
    }
}

/// The server's words, if it was the server that refused.
pub(crate) fn rejection(error: &ConnectError) -> String {
    match &error.cause {
        Cause::Server(reply) => reply.to_string(),
        other => panic!("not the server's words: {other:?}"),
    }
}

/// Checks that the request was sent and not answered; says how the connection ended.
pub(crate) fn lost<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    match result {
        Err(error @ Error::Lost { failure: Failure::Unknown, .. }) => {
            let text = error.to_string();
            text.strip_suffix(&format!("; {}", Failure::Unknown)).expect("the failure comes last").to_owned()
        }
        other => panic!("not lost: {other:?}"),
    }
}

/// Checks that the next answer belongs to the next request.
pub(crate) fn in_step(client: &Single) {
    for token in ["one", "two"] {
        let echo: String = client.echo(token).wait().expect("ECHO");
        assert_eq!(echo, token);
    }
}

/// How long `run` takes, and what it returns.
pub(crate) fn timed<T>(run: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let value = run();
    (start.elapsed(), value)
}
