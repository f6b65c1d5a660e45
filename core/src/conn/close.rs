//! Why a connection ended.

use core::fmt;

use crate::error::{ProtocolError, ServerError};
use crate::resp::Reply;

/// Why a connection ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum CloseReason<'a> {
    /// The server closed it.
    Eof,
    /// The server closed it because we said QUIT.
    Quit,
    /// We closed it.
    Local,
    /// The transport failed; the driver knows how.
    Transport,
    /// The server broke the protocol.
    Protocol(ProtocolError),
    /// The server answered more than it was asked.
    Unsolicited,
    /// An answer cannot be to the request that it would answer: of a sort that its command never has, or not the
    /// number that we asked for. So nobody knows whose the others are.
    OutOfStep,
    /// The server sent an error before it was asked anything: too many clients, protected mode. Or
    /// before it had all of a request: a value over its limit. That request was answered by it.
    Refused(ServerError<'a>),
    /// The server said no to the handshake: wrong password, no such database.
    Rejected(ServerError<'a>),
    /// The handshake took too long. A server that expects TLS is silent like this.
    HandshakeTimeout,
    /// An answer did not come, also not in the [grace](super::Config::grace) after its request was given up; or
    /// a request was not sent in time, and others count on it.
    ReplyTimeout,
    /// The server took no bytes for too long.
    WriteTimeout,
    /// The receive buffer cannot hold what must be read: a header, a refusal in the handshake, the
    /// confirmation of a subscription. Give it at least 64 bytes, and room for your channels' names.
    WindowTooSmall,
}

impl CloseReason<'_> {
    /// The same without the text of an error, in place of which is an empty one.
    #[must_use]
    pub fn without_text(self) -> CloseReason<'static> {
        let none = ServerError::new(&[]);
        match self {
            Self::Eof => CloseReason::Eof,
            Self::Quit => CloseReason::Quit,
            Self::Local => CloseReason::Local,
            Self::Transport => CloseReason::Transport,
            Self::Protocol(error) => CloseReason::Protocol(error),
            Self::Unsolicited => CloseReason::Unsolicited,
            Self::OutOfStep => CloseReason::OutOfStep,
            Self::Refused(_) => CloseReason::Refused(none),
            Self::Rejected(_) => CloseReason::Rejected(none),
            Self::HandshakeTimeout => CloseReason::HandshakeTimeout,
            Self::ReplyTimeout => CloseReason::ReplyTimeout,
            Self::WriteTimeout => CloseReason::WriteTimeout,
            Self::WindowTooSmall => CloseReason::WindowTooSmall,
        }
    }
}

impl fmt::Display for CloseReason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Eof => "the server closed the connection",
            Self::Quit => "the connection was ended by QUIT",
            Self::Local => "the connection was closed on this side",
            Self::Transport => "the transport failed",
            Self::Unsolicited => "the server sent an answer to no request",
            Self::OutOfStep => "the server sent an answer to another request",
            Self::HandshakeTimeout => "the server did not answer the handshake in time",
            Self::ReplyTimeout => "the server did not answer in time",
            Self::WriteTimeout => "the server did not read in time",
            Self::WindowTooSmall => "the receive buffer is too small",
            Self::Protocol(error) => return write!(f, "the server broke the protocol: {error}"),
            Self::Refused(error) => return write!(f, "the server refused the connection: {error}"),
            Self::Rejected(error) => return write!(f, "the server rejected the handshake: {error}"),
        })
    }
}

impl core::error::Error for CloseReason<'_> {}

/// The same without a borrow: a text stays in the receive buffer, so many bytes of it.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) enum Reason {
    Eof,
    Quit,
    Local,
    Transport,
    Protocol(ProtocolError),
    Unsolicited,
    OutOfStep,
    Refused(usize),
    Rejected(usize),
    HandshakeTimeout,
    ReplyTimeout,
    WriteTimeout,
    WindowTooSmall,
}

impl Reason {
    pub(super) fn lend(self, unread: &[u8]) -> CloseReason<'_> {
        let text = |len| {
            let reply = Reply::parsed(unread.get(..len).unwrap_or_default());
            reply.error().unwrap_or(ServerError::new(&[]))
        };
        match self {
            Self::Eof => CloseReason::Eof,
            Self::Quit => CloseReason::Quit,
            Self::Local => CloseReason::Local,
            Self::Transport => CloseReason::Transport,
            Self::Protocol(error) => CloseReason::Protocol(error),
            Self::Unsolicited => CloseReason::Unsolicited,
            Self::OutOfStep => CloseReason::OutOfStep,
            Self::Refused(len) => CloseReason::Refused(text(len)),
            Self::Rejected(len) => CloseReason::Rejected(without_args(text(len))),
            Self::HandshakeTimeout => CloseReason::HandshakeTimeout,
            Self::ReplyTimeout => CloseReason::ReplyTimeout,
            Self::WriteTimeout => CloseReason::WriteTimeout,
            Self::WindowTooSmall => CloseReason::WindowTooSmall,
        }
    }
}

/// A server that does not know a command repeats its arguments, and HELLO has the password.
fn without_args(error: ServerError<'_>) -> ServerError<'_> {
    let (text, args) = (error.text(), b", with args");
    let end = text.windows(args.len()).position(|window| window == args);
    ServerError::new(text.get(..end.unwrap_or(text.len())).unwrap_or(text))
}
