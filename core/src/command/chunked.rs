//! Answers larger than the receive buffer, told in parts.

use super::{Command, Request};
use crate::resp::ArgSink;

/// The same request, answered in parts: a string or an aggregate that it is answered by is told as
/// [`Event::Part`](crate::conn::Event::Part), as it arrives, however large it is; anything else as a
/// reply, and so is the answer to `HELLO`. For [`Connection::submit`](crate::conn::Connection::submit) only: there is no reply that a
/// client could hand out. The receive buffer needs 32 bytes.
///
/// Its deadline is that of the last part;
/// [`submit_until`](crate::conn::Connection::submit_until) gives a large value a longer one. If the
/// connection is lost before, the request fails with `Unknown`, and the parts that were told are
/// only the start of the answer.
///
/// ```
/// use respire_core::command::{chunked, get};
/// use respire_core::conn::{Config, Connection, Event, Part, Protocol, Settings, Token};
/// use respire_core::time::Instant;
///
/// let mut connection = Connection::<[u8; 32], 1>::new([0; 32], [0; 32], Config::default());
/// let now = Instant::ZERO;
/// connection.start(now, &Settings { protocol: Some(Protocol::Resp2), ..Settings::default() })?;
/// assert!(matches!(connection.poll_event(), Some(Event::Ready { .. })));
/// connection.submit(now, Token(1), &chunked(get("log")))?;
/// connection.handle_transmitted(connection.poll_transmit().len());
///
/// // 1000 bytes through 32 bytes of memory.
/// let mut answer = [&b"$1000\r\n"[..], &[b'x'; 1000], b"\r\n"].concat();
/// let mut seen = 0;
/// while !answer.is_empty() {
///     let space = connection.recv_space().unwrap();
///     let n = space.len().min(answer.len());
///     space[..n].copy_from_slice(&answer[..n]);
///     answer.drain(..n);
///     connection.handle_received(n);
///     while let Some(event) = connection.poll_event() {
///         let Event::Part { part: Part::Chunk { bytes, left, .. }, .. } = event else { panic!("{event:?}") };
///         seen += bytes.len() as u64;
///         assert_eq!(left, Some(1000 - seen));
///     }
/// }
/// assert_eq!((seen, connection.in_flight()), (1000, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub const fn chunked<R: Request>(request: R) -> Chunked<R> {
    Chunked(request)
}

/// See [`chunked`].
#[derive(Clone, Copy, PartialEq, Debug)]
#[must_use = "a request does nothing until it is sent"]
pub struct Chunked<R>(R);

impl<R: Request> Request for Chunked<R> {
    type Reply<'r> = R::Reply<'r>;

    fn command(&self) -> &'static Command {
        self.0.command()
    }

    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S) {
        self.0.visit(sink);
    }

    fn in_chunks(&self) -> bool {
        true
    }
}
