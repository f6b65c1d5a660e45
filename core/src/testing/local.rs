//! Clients of a responder in the same thread: no socket, and time that passes only by waiting.

use alloc::rc::Rc;
use core::cell::{Cell, RefCell};
use core::fmt;

use super::{ClientId, Responder};
use crate::client::{Dial, DialError, Endpoint, Fault};
use crate::io::{Socket, Transport};
use crate::time::{Duration, Instant};

/// A server in this thread, as a dialer: every client that is opened with a clone of it talks to
/// the same [`Responder`], whatever endpoint it names.
///
/// Time is virtual: it starts at the epoch it was made with and moves only when a client waits, by
/// as much as it would have waited. So a test with timeouts takes no time, and keys expire when the
/// test says so ([`pass`](Self::pass)).
///
/// ```
/// use respire_core::client::{Client, Endpoint, Url};
/// use respire_core::command::*;
/// use respire_core::testing::{Local, Responder};
/// use std::time::Duration;
///
/// let server = Local::new(Responder::new());
/// let client = Client::connect(server.clone(), Url::new(Endpoint::default()))?;
/// client.set("session", "secret").ex(60).wait()?;
/// let before: Option<String> = client.get("session").wait()?;
/// server.pass(Duration::from_secs(61));
/// let after: Option<String> = client.get("session").wait()?;
/// assert_eq!((before.as_deref(), after), (Some("secret"), None));
/// # Ok::<(), respire_core::client::Error<respire_core::testing::Alone>>(())
/// ```
#[derive(Clone)]
pub struct Local(Rc<Shared>);

struct Shared {
    server: RefCell<Responder>,
    now: Cell<Duration>,
}

/// One connection to a [`Local`] server.
pub struct LocalSocket {
    server: Local,
    client: ClientId,
}

/// A client waits without a deadline for what nobody in this thread can send.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Alone;

impl Local {
    /// A server whose time starts in 2023.
    #[must_use]
    pub fn new(server: Responder) -> Self {
        let now = Cell::new(Duration::from_secs(1_700_000_000));
        Self(Rc::new(Shared { server: RefCell::new(server), now }))
    }

    /// Lets time pass.
    pub fn pass(&self, time: Duration) {
        self.0.now.set(self.0.now.get().saturating_add(time));
    }

    /// Does something to the server, such as killing a client.
    pub fn with<T>(&self, act: impl FnOnce(&mut Responder) -> T) -> T {
        act(&mut self.0.server.borrow_mut())
    }
}

impl Default for Local {
    fn default() -> Self {
        Self::new(Responder::new())
    }
}

impl Dial for Local {
    type Error = Alone;
    type Transport = LocalSocket;

    fn dial(&mut self, _: &Endpoint, _: Duration) -> Result<LocalSocket, DialError<Alone>> {
        let client = self.with(|server| server.connect(self.0.now.get()));
        Ok(LocalSocket { server: self.clone(), client })
    }
}

impl Socket for LocalSocket {
    type Error = Alone;

    fn try_read(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Alone> {
        self.server.with(|server| {
            let output = server.output(self.client);
            let n = output.len().min(buffer.len());
            if n == 0 {
                let over = server.wants_close(self.client) || !server.clients().any(|id| id == self.client);
                return Ok(over.then_some(0));
            }
            if let (Some(to), Some(from)) = (buffer.get_mut(..n), output.get(..n)) {
                to.copy_from_slice(from);
            }
            server.sent(self.client, n);
            Ok(Some(n))
        })
    }

    fn try_write(&mut self, bytes: &[u8]) -> Result<Option<usize>, Alone> {
        let now = self.server.0.now.get();
        self.server.with(|server| server.receive(now, self.client, bytes));
        Ok(Some(bytes.len()))
    }
}

impl Transport for LocalSocket {
    fn now(&self) -> Instant {
        Instant::ZERO.saturating_add(self.server.0.now.get())
    }

    /// Whatever this thread could do was done: only time can pass.
    fn wait(&mut self, _: bool, until: Option<Instant>) -> Result<(), Alone> {
        let until = until.ok_or(Alone)?;
        self.server.pass(until.saturating_since(self.now()));
        Ok(())
    }
}

impl Drop for LocalSocket {
    fn drop(&mut self) {
        self.server.with(|server| server.disconnect(self.client));
    }
}

impl Fault for Alone {
    fn copy(&self) -> Self {
        *self
    }

    fn words(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nobody in this thread can send what is waited for")
    }

    fn hint(&self, _: bool) -> &'static str {
        "give it a timeout, or let another client send first"
    }
}

impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Local").field("now", &self.0.now.get()).finish_non_exhaustive()
    }
}

impl fmt::Debug for LocalSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalSocket").field("client", &self.client).finish_non_exhaustive()
    }
}
