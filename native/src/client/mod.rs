//! The client: one call for threads and for tasks, over an engine that whoever waits drives.

#[cfg(all(feature = "async-io", unix))]
pub mod async_io;
mod block_on;
mod builder;
mod bulk;
mod bulks;
mod call;
mod conn;
mod desk;
mod feed;
#[cfg(test)]
mod forked;
mod health;
mod hooks;
mod inbox;
mod keeper;
mod lead;
mod leases;
mod life;
mod line;
mod machine;
mod monitor;
mod news;
mod pipeline;
mod poller;
mod progress;
mod read;
#[cfg(unix)]
mod runtime;
mod shared;
mod slots;
#[cfg(test)]
mod spared;
mod spares;
mod sync;
#[cfg(all(feature = "tokio", unix))]
pub mod tokio;
mod told;
mod transaction;
mod turn;
mod waiter;

use std::fmt;
use std::sync::Arc;

use respire_core::command::{Caller, Pipeline, Request};

pub use block_on::{block_on, block_on_for};
pub use builder::Builder;
pub use bulk::{Bulk, BulkBuilder, BulkError, BulkResult};
pub use call::Call;
pub use conn::{Conn, ConnCall};
use health::Known;
pub use health::{Health, HealthState, LastError};
pub use hooks::PANICKED as HOOK_PANICKED;
pub use life::Reached;
pub use monitor::{Monitor, MonitorCall, Monitored, MonitoredCommand, Origin};
pub use news::{News, NewsControl, NewsOptions, Notice, Published, SubscribeCall};
pub use pipeline::PipelineCall;
pub use read::ReadCall;
#[cfg(unix)]
pub use runtime::{Descriptor, Driver, Reactor};
use shared::Shared;
pub use transaction::TransactionCall;

use crate::{Error, Url};

/// A client of one server, for threads and for tasks. Clones are the same client; it ends with the last of them.
///
/// Every command is a method (from the traits in [`prelude`](crate::prelude)) that makes a [`Call`]: [`Call::wait`] blocks the
/// thread, and awaiting it works on any executor. What is asked for at the same time goes out together, over connections that
/// all share; what blocks on the server gets one for itself, and [`conn`](Self::conn) lends one.
///
/// Whoever waits reads and writes for all: a thread, or [`block_on`] for its future. For tasks of other executors the
/// client starts a thread when it is first needed, unless a [driver](Self::driver) runs in theirs.
///
/// A connection that is lost is replaced. A request that was not sent goes again by itself, and so does one that only reads.
/// What may have been executed and may have written is told to its caller ([`Error::Failed`]), unless he has
/// [allowed](Call::retry) that it is executed twice.
///
/// ```no_run
/// use std::thread;
///
/// use respire::prelude::*;
///
/// let client = respire::Client::open("redis://127.0.0.1:6379")?;
/// thread::scope(|scope| {
///     scope.spawn(|| client.set("greeting", "hello").ex(60).wait());
///     scope.spawn(|| respire::block_on(async { client.incr("visits").await }));
/// });
/// let (greeting, visits) = client.pipeline((get("greeting").typed::<Option<String>>(), get("visits").typed::<i64>())).wait()?;
/// println!("{:?}, visit {}", greeting?, visits?);
/// # Ok::<(), respire::Error>(())
/// ```
#[derive(Clone)]
pub struct Client {
    handle: Arc<Handle>,
}

/// What all clones hold: the client ends with the last of them.
struct Handle {
    shared: Arc<Shared>,
    health: Arc<Known>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.go();
    }
}

impl Client {
    /// Connects to the server of a [URL](crate::Url), and blocks this thread until it said hello. Tasks take
    /// [`Builder::lazy`] and [`ready`](Self::ready).
    ///
    /// # Errors
    /// [`Error::Url`], or [`Error::Connect`] if that is not possible now.
    pub fn open(url: &str) -> Result<Self, Error> {
        Self::connect(url.parse()?)
    }

    /// Connects as `url` says, and blocks this thread until the server said hello.
    ///
    /// # Errors
    /// [`Error::Connect`] if that is not possible now.
    pub fn connect(url: Url) -> Result<Self, Error> {
        Self::builder(url).connect()
    }

    /// Connects otherwise than by default.
    pub fn builder(url: Url) -> Builder {
        Builder::new(url)
    }

    /// Sends any request: one that was made by a function of [`command`](crate::command), such as
    /// [`raw`](crate::command::raw).
    ///
    /// What changes the state of its connection, such as `SELECT` and `WATCH`, is refused
    /// ([`Error::NeedsOwnConnection`]): it belongs on a [`conn`](Self::conn).
    ///
    /// ```no_run
    /// # use respire::prelude::*;
    /// # let client = respire::Client::open("redis://127.0.0.1:6379")?;
    /// let added: i64 = client.send(raw("ZADD").key("scores").arg(1.5).arg("ann").typed()).wait()?;
    /// # Ok::<(), respire::Error>(())
    /// ```
    pub fn send<R: Request>(&self, request: R) -> Call<'_, R> {
        Call::new(self.shared(), request, None)
    }

    /// Sends several requests in one go: a tuple or a slice of requests becomes a tuple or a vector of results, each with
    /// its own fate. Others may come between them; not so in a [transaction](Self::transaction).
    ///
    /// ```no_run
    /// # use respire::prelude::*;
    /// # let client = respire::Client::open("redis://127.0.0.1:6379")?;
    /// let (length, visits) = client.pipeline((strlen("greeting"), incr("visits"))).wait()?;
    /// println!("{} bytes, visit {}", length?, visits?);
    /// # Ok::<(), respire::Error>(())
    /// ```
    pub fn pipeline<P: Pipeline>(&self, pipeline: P) -> PipelineCall<'_, P> {
        PipelineCall::new(self.shared(), pipeline, None)
    }

    /// A connection of one's own, out of at most as many as the client [may have](Builder::connections): [wait](ConnCall::wait)
    /// for it, or await it.
    pub fn conn(&self) -> ConnCall<'_> {
        ConnCall::new(self)
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.handle.shared
    }
}

impl Caller for Client {
    type Call<'c, R: Request> = Call<'c, R>;

    fn call<R: Request>(&self, request: R) -> Call<'_, R> {
        self.send(request)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}
