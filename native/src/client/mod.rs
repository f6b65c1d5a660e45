//! The client: one call for threads and for tasks, over an engine that whoever waits drives.

#[cfg(all(feature = "async-io", unix))]
pub mod async_io;
mod block_on;
mod builder;
mod bulk;
mod call;
mod conn;
mod desk;
mod feed;
mod inbox;
mod lead;
mod leases;
mod life;
mod machine;
mod news;
mod pipeline;
mod poller;
#[cfg(unix)]
mod runtime;
mod shared;
mod slots;
mod sync;
#[cfg(all(feature = "tokio", unix))]
pub mod tokio;
mod transaction;

use std::fmt;
use std::sync::Arc;

use respire_core::command::{Caller, Pipeline, Request};

pub use block_on::{block_on, block_on_for};
pub use builder::Builder;
pub use bulk::{Bulk, BulkBuilder, BulkError, BulkResult};
pub use call::Call;
pub use conn::{Conn, ConnCall};
pub use life::Reached;
pub use news::{News, NewsControl, NewsOptions, Notice, Published, SubscribeCall};
pub use pipeline::PipelineCall;
#[cfg(unix)]
pub use runtime::{Descriptor, Driver, Reactor};
use shared::Shared;
pub use transaction::TransactionCall;

use crate::{Error, Url};

/// A client.
#[derive(Clone)]
pub struct Client {
    handle: Arc<Handle>,
}

/// What all clones hold: the client ends with the last of them.
struct Handle {
    shared: Arc<Shared>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.go();
    }
}

impl Client {
    /// Connects to the server of a [URL](crate::Url), and waits until it said hello.
    ///
    /// # Errors
    /// [`Error::Url`], or [`Error::Connect`] if that is not possible now.
    pub fn open(url: &str) -> Result<Self, Error> {
        Self::connect(url.parse()?)
    }

    /// Connects as `url` says.
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
    pub fn send<R: Request>(&self, request: R) -> Call<'_, R> {
        Call::new(self.shared(), request, None)
    }

    /// Sends several requests in one go: a tuple or a slice of requests becomes a tuple or a vector of results, each with
    /// its own fate.
    pub fn pipeline<P: Pipeline>(&self, pipeline: P) -> PipelineCall<'_, P> {
        PipelineCall::new(self.shared(), pipeline, None)
    }

    /// A connection of one's own.
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
