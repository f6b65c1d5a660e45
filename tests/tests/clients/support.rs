//! What the tests share.

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use respire::{Builder, Client, block_on};
pub(crate) use respire_tests::admin::{Admin, Answer};
use respire_tests::chaos::plain;
pub(crate) use respire_tests::wait::{LIMIT, until};
use respire_tests::{Kind, Server, wait};

pub(crate) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Redis 7.0, unless it is missing.
pub(crate) fn redis() -> Option<Server> {
    Kind::Redis70.available_or_skip().then(Server::redis)
}

/// Runs `test` with each protocol, on a server of its own.
pub(crate) fn both(test: impl Fn(&Server, Builder)) {
    for protocol in [2, 3] {
        let Some(server) = redis() else { return };
        println!("RESP{protocol}");
        test(&server, builder(&format!("{}?protocol={protocol}", server.url())));
    }
}

pub(crate) fn builder(url: &str) -> Builder {
    Client::builder(url.parse().expect("a URL"))
}

pub(crate) fn open(builder: Builder) -> Client {
    builder.connect().expect("a client")
}

/// Who drives the client of a task.
#[derive(Clone, Copy, Debug)]
pub(crate) enum By {
    /// The thread of the task, inside of the client's own executor.
    BlockOn,
    /// The client's keeper.
    Keeper,
    /// A tokio runtime, on the same thread.
    Tokio,
}

impl By {
    pub(crate) const ALL: [Self; 3] = [Self::BlockOn, Self::Keeper, Self::Tokio];

    /// Runs a task to its end.
    pub(crate) fn run<F: Future>(self, client: &Client, task: F) -> F::Output {
        match self {
            Self::BlockOn => block_on(task),
            Self::Keeper => plain(task),
            Self::Tokio => {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.expect("a runtime").block_on(async {
                    let driver = tokio::spawn(respire::tokio::driver(client).expect("a driver"));
                    let output = task.await;
                    driver.abort();
                    output
                })
            }
        }
    }
}

/// Runs `test`, which must come to an end.
pub(crate) fn within<T: Send + 'static>(test: impl FnOnce() -> T + Send + 'static) -> T {
    wait::within(LIMIT, test)
}

/// The clients of a server but for this one, name by name.
pub(crate) fn clients(admin: &mut Admin) -> Vec<HashMap<String, String>> {
    let Answer::Number(own) = admin.done("CLIENT ID") else { panic!("an id is a number") };
    let Answer::Text(list) = admin.done("CLIENT LIST") else { panic!("a list is text") };
    let pairs = |line: &str| {
        let pairs = line.split(' ').filter_map(|pair| pair.split_once('='));
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<HashMap<_, _>>()
    };
    list.lines().map(pairs).filter(|client| client["id"] != own.to_string()).collect()
}

/// How many clients wait there for a list to have something.
pub(crate) fn blocked(admin: &mut Admin) -> usize {
    clients(admin).iter().filter(|client| client["flags"].contains('b')).count()
}

/// Ends all other connections, and says how many.
pub(crate) fn kill_others(admin: &mut Admin) -> i64 {
    match admin.done("CLIENT KILL SKIPME yes") {
        Answer::Number(killed) => killed,
        other => panic!("{other:?}"),
    }
}
