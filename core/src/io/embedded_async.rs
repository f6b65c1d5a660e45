//! embedded-io-async's traits, feature `embedded-io-async`: for embassy and its like.
//!
//! [`Stream`] drives a connection over one established transport, [`Halves`] over its reading and
//! its writing half. Both have one call, `turn`, which does what there is to do until something was
//! read. Connecting, timers and TLS are the caller's: a TLS session is a transport like any other.
//!
//! ```
//! # use core::pin::pin;
//! # use core::task::{Context, Poll, Waker};
//! use respire_core::command::ping;
//! use respire_core::conn::{Config, Connection, Event, Protocol, Settings, Token};
//! use respire_core::io::embedded_async::Halves;
//! use respire_core::time::Instant;
//!
//! # /// Polls until it is done; firmware has an executor for this.
//! # fn block_on<F: Future>(future: F) -> F::Output {
//! #     let mut future = pin!(future);
//! #     loop {
//! #         if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
//! #             return output;
//! #         }
//! #     }
//! # }
//! // Slices are transports, too. On a device: `let (reader, writer) = socket.split();`
//! let mut sent = [0; 64];
//! let mut halves = Halves::new(&b"+PONG\r\n"[..], &mut sent[..]);
//!
//! let mut connection = Connection::<[u8; 64], 4>::new([0; 64], [0; 64], Config::default());
//! connection.start(Instant::ZERO, &Settings { protocol: Some(Protocol::Resp2), ..Settings::default() })?;
//! block_on(async {
//!     let mut answered = false;
//!     connection.submit(Instant::ZERO, Token(1), &ping())?;
//!     while !answered && !connection.is_closed() {
//!         // With a deadline: `select(halves.turn(…), Timer::at(connection.poll_timeout()))`, and if the
//!         // timer was first, `connection.handle_timeout(now)`.
//!         halves.turn(&mut connection, |event| answered |= matches!(event, Event::Reply { .. })).await?;
//!     }
//!     assert!(answered);
//!     Ok::<(), Box<dyn std::error::Error>>(())
//! })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What a turn does
//!
//! 1. If events wait, it tells them and returns, without touching the transport. So a turn never
//!    waits while the application has something to do.
//! 2. It writes all that is ready.
//! 3. It flushes, if something was written since the last flush. A TLS session sends nothing
//!    before; a TCP socket of embassy-net sends at once, and its flush waits until the server has
//!    acknowledged everything. That costs nothing here, since the answer comes no sooner.
//! 4. It reads once, waiting for bytes, and tells the events, which may be none. An end of the
//!    stream is told as `Event::Closed`, not as an error.
//!
//! [`Stream`] does this in order: nothing is read before all is written. Servers that read on while
//! their answers wait do not mind, and Redis and Valkey are such. [`Halves`] writes, flushes and
//! reads at the same time, so neither side can keep the other from going on.
//!
//! If a write fails, what the server said before is still read, as far as it is there.
//!
//! While bytes of a request are [owed](Connection::owed), a turn ends when what is ready was written:
//! supply more and turn again.
//!
//! # Deadlines, and requests while a turn waits
//!
//! There is no timer in here. Race the turn against one that ends at
//! [`poll_timeout`](Connection::poll_timeout) and, if the timer wins, call
//! [`handle_timeout`](Connection::handle_timeout); the next turn tells what came of it. In the same
//! way race it against a queue of requests: a turn that waits for messages is dropped, the request
//! submitted, and the next turn writes it.
//!
//! # Dropping a turn
//!
//! A turn may be dropped at every point where it waits, if the transport's futures have no effect
//! when they are dropped before they are done: no byte was read and lost, none was written and
//! not counted. Everything that was done before is kept in the connection: bytes written are never
//! written again, bytes read are not lost. embassy-net's sockets are such transports, TCP streams of
//! an operating system behind adapters are, too; UARTs with DMA and TLS sessions need not be.
//!
//! - [`Stream`] drops none of the transport's futures by itself, unless a write has failed and the
//!   connection is over. Over a transport that is not such a
//!   one, a turn that was dropped must be the connection's last.
//! - [`Halves`] drops a read when a write is done, and a write when a read is done. It needs such a
//!   transport always.

use core::future::{pending, poll_fn};
use core::pin::pin;
use core::task::Poll;

use embedded_io_async::{Read, Write};

use super::tell;
use super::turn::{TurnError, finish, received, written};
use crate::buffer::Storage;
use crate::conn::{Connection, Event};

/// One established transport that is read and written in turns.
#[derive(Debug)]
pub struct Stream<T> {
    transport: T,
    /// Something was written since the last flush.
    unflushed: bool,
}

impl<T> Stream<T> {
    /// A transport whose stream is established, or a borrow of it.
    pub const fn new(transport: T) -> Self {
        Self { transport, unflushed: false }
    }

    /// The transport.
    pub const fn transport(&mut self) -> &mut T {
        &mut self.transport
    }

    /// The transport, given back.
    pub fn into_transport(self) -> T {
        self.transport
    }
}

impl<T: Read + Write> Stream<T> {
    /// Writes all that is ready, flushes it, reads once, tells every event; see the
    /// [module](self). If events wait already, it tells them and does nothing else.
    ///
    /// # Cancel safety
    /// As the transport's `read`, `write` and `flush`: if dropping these has no effect, dropping
    /// this loses nothing and sends nothing twice. Without that, drop it only to end the connection.
    ///
    /// # Errors
    /// The transport's error. The connection knows of it, and its events were told.
    pub async fn turn<S: Storage, const N: usize>(
        &mut self,
        connection: &mut Connection<S, N>,
        mut on_event: impl FnMut(Event<'_>),
    ) -> Result<(), TurnError<T::Error>> {
        if tell(connection, &mut on_event) {
            return Ok(());
        }
        let result = self.exchange(connection).await;
        if matches!(result, Err(TurnError::Write(_) | TurnError::WriteZero)) {
            last_words(connection, &mut self.transport, &mut on_event).await;
        }
        finish(connection, result, &mut on_event)
    }

    async fn exchange<S: Storage, const N: usize>(
        &mut self,
        connection: &mut Connection<S, N>,
    ) -> Result<(), TurnError<T::Error>> {
        while !connection.poll_transmit().is_empty() {
            let result = self.transport.write(connection.poll_transmit()).await;
            written(connection, result)?;
            self.unflushed = true;
        }
        if self.unflushed {
            self.transport.flush().await.map_err(TurnError::Write)?;
            self.unflushed = false;
        }
        // The server says nothing before it has all of a value that is to be supplied.
        if connection.owed() > 0 {
            return Ok(());
        }
        let Some(space) = connection.recv_space() else { return Ok(()) };
        let result = self.transport.read(space).await;
        received(connection, result)
    }
}

/// The halves of an established transport, which are read and written at the same time.
#[derive(Debug)]
pub struct Halves<R, W> {
    reader: R,
    writer: W,
    /// Something was written since the last flush.
    unflushed: bool,
}

impl<R, W> Halves<R, W> {
    /// The halves of a transport whose stream is established, or borrows of them.
    pub const fn new(reader: R, writer: W) -> Self {
        Self { reader, writer, unflushed: false }
    }

    /// Both halves.
    pub const fn halves(&mut self) -> (&mut R, &mut W) {
        (&mut self.reader, &mut self.writer)
    }

    /// Both halves, given back.
    pub fn into_halves(self) -> (R, W) {
        (self.reader, self.writer)
    }
}

impl<R: Read, W: Write> Halves<R, W> {
    /// Writes and flushes what is ready while it waits for bytes; ends once it has read, although
    /// something may be left to write. Tells every event; see the [module](self). If events wait
    /// already, it tells them and does nothing else.
    ///
    /// # Cancel safety
    /// Dropping this loses nothing and sends nothing twice. Also when it is not dropped, it needs
    /// halves whose `read`, `write` and `flush` have no effect when they are dropped.
    ///
    /// # Errors
    /// The transport's error. The connection knows of it, and its events were told.
    pub async fn turn<S: Storage, const N: usize>(
        &mut self,
        connection: &mut Connection<S, N>,
        mut on_event: impl FnMut(Event<'_>),
    ) -> Result<(), TurnError<R::Error, W::Error>> {
        if tell(connection, &mut on_event) {
            return Ok(());
        }
        let result = self.exchange(connection).await;
        if matches!(result, Err(TurnError::Write(_) | TurnError::WriteZero)) {
            last_words(connection, &mut self.reader, &mut on_event).await;
        }
        finish(connection, result, &mut on_event)
    }

    async fn exchange<S: Storage, const N: usize>(
        &mut self,
        connection: &mut Connection<S, N>,
    ) -> Result<(), TurnError<R::Error, W::Error>> {
        // Each round waits for one step of either side. What was done is told to the connection
        // before anything waits again, so whoever drops a turn never leaves it uninformed.
        loop {
            // What is written makes room for a value that is to be supplied.
            if connection.owed() > 0 && connection.poll_transmit().is_empty() && !self.unflushed {
                return Ok(());
            }
            let (Some(space), bytes) = connection.windows() else { return Ok(()) };
            let send = async {
                if !bytes.is_empty() {
                    Step::Written(self.writer.write(bytes).await)
                } else if self.unflushed {
                    Step::Flushed(self.writer.flush().await)
                } else {
                    pending().await
                }
            };
            let receive = async { Step::Received(self.reader.read(space).await) };
            match first(send, receive).await {
                Step::Written(result) => {
                    written(connection, result)?;
                    self.unflushed = true;
                }
                Step::Flushed(result) => {
                    result.map_err(TurnError::Write)?;
                    self.unflushed = false;
                }
                Step::Received(result) => return received(connection, result),
            }
        }
    }
}

/// What one of the halves has done.
enum Step<R, W> {
    Written(Result<usize, W>),
    Flushed(Result<(), W>),
    Received(Result<usize, R>),
}

/// What the first of both to be done gives; the other is dropped. `a` is asked first.
async fn first<T>(a: impl Future<Output = T>, b: impl Future<Output = T>) -> T {
    let (mut a, mut b) = (pin!(a), pin!(b));
    poll_fn(|context| match a.as_mut().poll(context) {
        Poll::Pending => b.as_mut().poll(context),
        ready => ready,
    })
    .await
}

/// After a write has failed: what the server said before, as far as it is there. Never waits.
async fn last_words<S: Storage, const N: usize>(
    connection: &mut Connection<S, N>,
    reader: &mut impl Read,
    on_event: &mut impl FnMut(Event<'_>),
) {
    while let Some(space) = connection.recv_space() {
        match at_once(reader.read(space)).await {
            Some(Ok(0)) => return connection.handle_eof(),
            Some(Ok(n)) => connection.handle_received(n),
            Some(Err(_)) | None => return,
        }
        tell(connection, on_event);
    }
}

/// What a future gives when it is asked once.
async fn at_once<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
