//! What the tests share.

use std::time::Duration;

use respire::{Builder, Client};
pub(crate) use respire_tests::admin::{Admin, Answer};
pub(crate) use respire_tests::wait::{LIMIT, until};
use respire_tests::{Kind, Server, wait};

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

/// Runs `test`, which must come to an end.
pub(crate) fn within<T: Send + 'static>(test: impl FnOnce() -> T + Send + 'static) -> T {
    wait::within(LIMIT, test)
}

/// How many commands the server has processed.
pub(crate) fn processed(admin: &mut Admin) -> u64 {
    admin.info("stats")["total_commands_processed"].parse().expect("a count")
}

/// How many clients wait there for a list to have something.
pub(crate) fn blocked(admin: &mut Admin) -> u64 {
    admin.info("clients")["blocked_clients"].parse().expect("a count")
}
