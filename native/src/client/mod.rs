//! The client: one call for threads and for tasks, over an engine that whoever waits drives.

#[cfg(all(feature = "async-io", unix))]
pub mod async_io;
mod block_on;
mod call;
mod inbox;
mod lead;
#[cfg(unix)]
mod runtime;
mod shared;
mod slots;
#[cfg(all(feature = "tokio", unix))]
pub mod tokio;

use std::fmt;
use std::sync::Arc;

use respire_core::command::{Caller, Request};
use respire_core::engine::{Config, Engine, Heap};
use respire_core::time::Instant;

pub use block_on::block_on;
pub use call::Call;
#[cfg(unix)]
pub use runtime::{Descriptor, Driver, Reactor};
use shared::Shared;

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
    /// Connects.
    pub fn open(url: &str) -> Result<Self, Error> {
        Self::connect(url.parse()?)
    }

    /// Connects as `url` says.
    pub fn connect(url: Url) -> Result<Self, Error> {
        let memory = Heap {
            connections: 16,
            calls: 2048,
            bytes: 1 << 20,
            subscriptions: 64,
            names: 4 << 10,
            buffer: (16 << 10, 512 << 20),
        };
        let engine = Engine::new(memory, &Config::DEFAULT, Instant::ZERO);
        let shared = Shared::new(engine, memory.calls, url).expect("TODO");
        Ok(Self { handle: Arc::new(Handle { shared }) })
    }

    /// Sends any request.
    pub fn send<R: Request>(&self, request: R) -> Call<'_, R> {
        Call::new(self, request)
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.handle.shared
    }
}

impl Caller for Client {
    type Call<'c, R: Request> = Call<'c, R>;

    fn call<R: Request>(&self, request: R) -> Call<'_, R> {
        Call::new(self, request)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}
