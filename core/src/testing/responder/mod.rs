//! The responder: a RESP2 and RESP3 server over bytes, in memory.
//!
//! It does what a fresh redis-server 7.0 on the default settings does, reply
//! for reply, for the commands most programs use. What it leaves out:
//! persistence, replication, cluster, scripts, streams, blocking commands,
//! eviction, client tracking and ACLs beyond one password.
//!
//! Where it differs from that server on purpose:
//!
//! - A key that has expired is never counted or shown, while a server may
//!   still count it for a moment.
//! - CLIENT SETINFO and CLIENT NO-TOUCH are there, as in 7.2, because clients
//!   send the former without asking.
//! - COMMAND shows nothing but names; memory, buffers and addresses in INFO
//!   and CLIENT LIST are made up.
//! - Hexadecimal floats are refused, and SRANDMEMBER repeats members at most
//!   about a million times.
//!
//! ```
//! use core::time::Duration;
//! use respire_core::testing::Responder;
//!
//! let mut server = Responder::new();
//! let now = Duration::from_secs(1_700_000_000);
//! let client = server.connect(now);
//! server.receive(now, client, b"SET greeting hello EX 10\r\nGET greeting\r\n");
//! assert_eq!(server.output(client), b"+OK\r\n$5\r\nhello\r\n");
//! ```

mod call;
mod client;
mod commands;
mod config;
mod dict;
mod dispatch;
mod extended;
mod fault;
mod glob;
mod hub;
mod keyspace;
mod number;
mod reply;
mod request;
mod table;
#[cfg(test)]
mod tests;
mod value;

use self::call::{Random, Shared, Stats};
use self::client::Client;
use self::config::Config;
use self::hub::Hub;
use self::keyspace::Keyspace;
use self::request::{Request, Step};
use self::table::Table;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use core::fmt;
use core::mem;
use core::time::Duration;

/// A server in memory.
///
/// It has no clock and no sockets: the driver says what time it is, as a
/// [`Duration`] since the Unix epoch, and carries the bytes. Every method that
/// takes a [`ClientId`] does nothing for a client that is gone.
pub struct Responder {
    space: Keyspace,
    shared: Shared,
    next: u64,
    scratch: Request,
}

/// One connection of a [`Responder`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(u64);

impl ClientId {
    /// The number that the client itself sees with CLIENT ID.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl Responder {
    /// A server without any key, password or client.
    #[must_use]
    pub fn new() -> Self {
        Self {
            space: Keyspace::new(),
            shared: Shared {
                clients: BTreeMap::new(),
                ready: BTreeSet::new(),
                hub: Hub::default(),
                config: Config::new(),
                table: Table::new(),
                stats: Stats::default(),
                random: Random(0),
                now: Duration::ZERO,
            },
            next: 1,
            scratch: Request::default(),
        }
    }

    /// Clients have to give this password first, with AUTH or HELLO.
    #[must_use]
    pub fn with_password(mut self, password: &[u8]) -> Self {
        self.shared.config.set_password(password);
        self
    }

    /// Answers HELLO like a server from before 6.0, which does not know it,
    /// nor RESP3.
    #[must_use]
    pub fn without_hello(mut self) -> Self {
        self.shared.config.old = true;
        self
    }

    /// What SRANDMEMBER, SPOP and RANDOMKEY pick depends on `seed` only.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.shared.random = Random(seed);
        self
    }

    /// No bulk string or string value may be longer than `limit` bytes; it is
    /// 512 MB otherwise, as `proto-max-bulk-len` is in servers.
    #[must_use]
    pub fn with_bulk_limit(mut self, limit: usize) -> Self {
        self.shared.config.set_bulk_limit(limit);
        self
    }

    /// A client connects.
    pub fn connect(&mut self, now: Duration) -> ClientId {
        self.set_now(now);
        let id = ClientId(self.next);
        self.next = self.next.wrapping_add(1);
        self.shared.stats.connections = self.shared.stats.connections.wrapping_add(1);
        let config = &self.shared.config;
        let open = config.password().is_none();
        let client = Client::new(id, self.space.now(), open, config.bulk_limit);
        self.shared.clients.insert(id, Box::new(client));
        id
    }

    /// Bytes arrive from a client: any part of a request, or many requests.
    pub fn receive(&mut self, now: Duration, client: ClientId, bytes: &[u8]) {
        let Some(mut me) = self.shared.clients.remove(&client) else {
            return;
        };
        self.set_now(now);
        let received = &mut self.shared.stats.received;
        *received = received.wrapping_add(bytes.len() as u64);
        if !me.closing {
            me.inbox.feed(bytes);
            self.serve(&mut me);
        }
        if !me.out.pending().is_empty() {
            self.shared.ready.insert(client);
        }
        self.shared.clients.insert(client, me);
    }

    /// What is to be sent to a client.
    #[must_use]
    pub fn output(&self, client: ClientId) -> &[u8] {
        let client = self.shared.clients.get(&client);
        client.map_or(&[], |client| client.out.pending())
    }

    /// The first `n` bytes of the output were sent.
    pub fn sent(&mut self, client: ClientId, n: usize) {
        if let Some(me) = self.shared.clients.get_mut(&client) {
            me.out.take(n);
            if me.out.pending().is_empty() {
                self.shared.ready.remove(&client);
            }
        }
    }

    /// Whether the connection is to be closed once its output is sent: after
    /// QUIT, a protocol error or a kill.
    #[must_use]
    pub fn wants_close(&self, client: ClientId) -> bool {
        let client = self.shared.clients.get(&client);
        client.is_some_and(|client| client.closing)
    }

    /// A client is gone.
    pub fn disconnect(&mut self, client: ClientId) {
        if let Some(mut me) = self.shared.clients.remove(&client) {
            commands::pubsub::unsubscribe_from_all(&mut me, &mut self.shared.hub);
            commands::transaction::unwatch_all(&mut me, &mut self.space);
        }
        self.shared.ready.remove(&client);
    }

    /// The clients whose [`output`](Self::output) is not empty. Beside the one
    /// that was just heard, these are subscribers of what it published.
    pub fn clients_with_output(&self) -> impl Iterator<Item = ClientId> {
        self.shared.ready.iter().copied()
    }

    /// The clients that are connected.
    pub fn clients(&self) -> impl Iterator<Item = ClientId> {
        self.shared.clients.keys().copied()
    }

    /// Cuts a client off as CLIENT KILL does: what was to be sent is lost, and
    /// the connection wants to close.
    pub fn kill(&mut self, client: ClientId) {
        if let Some(me) = self.shared.clients.get_mut(&client) {
            me.out.clear();
            me.closing = true;
            self.shared.ready.remove(&client);
        }
    }

    /// Sends a client these bytes, whatever they are: pushes that no command
    /// here causes, or replies that break the protocol.
    pub fn inject(&mut self, client: ClientId, bytes: &[u8]) {
        if let Some(me) = self.shared.clients.get_mut(&client) {
            me.out.raw(bytes);
            if !bytes.is_empty() {
                self.shared.ready.insert(client);
            }
        }
    }

    /// How many commands were received so far.
    #[must_use]
    pub fn commands_received(&self) -> u64 {
        self.shared.stats.commands
    }

    /// Runs every request that has arrived in full.
    fn serve(&mut self, me: &mut Client) {
        let mut request = mem::take(&mut self.scratch);
        self.space.select(me.db);
        while !me.closing {
            match me.inbox.next(&mut request, !me.authenticated) {
                Step::Ready => {
                    dispatch::dispatch(&request, me, &mut self.space, &mut self.shared);
                    me.end_command();
                }
                Step::Waiting => break,
                Step::Broken(text) => {
                    me.out.error(&fault::Fault::of(&[&text]));
                    me.closing = true;
                }
            }
        }
        me.inbox.compact();
        self.scratch = request;
    }

    fn set_now(&mut self, now: Duration) {
        self.shared.now = now;
        self.shared.stats.started.get_or_insert(now);
        let millis = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
        self.space.set_now(millis);
    }
}

impl Default for Responder {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Responder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Responder")
            .field("clients", &self.shared.clients.len())
            .field("commands", &self.shared.stats.commands)
            .finish_non_exhaustive()
    }
}
