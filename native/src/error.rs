//! What can go wrong for a client.

use std::fmt;
use std::io;

use respire_core::conn::{CloseReason, Failure, SubmitError};
use respire_core::error::{DecodeError, ReplyError};
use respire_core::resp::ErrorReply;

use crate::url::{Endpoint, UrlError};

/// What can go wrong for a client.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The URL makes no sense.
    Url(UrlError),
    /// No connection came about.
    Connect(ConnectError),
    /// The server answered with an error. The request was understood; whether it had any effect is
    /// up to the command.
    Server(ErrorReply),
    /// The server answered with another type than was asked for. The request was executed.
    Decode(DecodeError),
    /// The connection ended before the answer.
    Lost {
        /// Whether the request can have been executed: `NotSent` was not, `Unknown` may have been.
        failure: Failure,
        /// How the connection ended.
        cause: String,
    },
    /// The server answered, but the answer is larger than the receive buffer may be.
    TooLarge,
    /// The request was refused before anything was sent.
    Refused(SubmitError),
    /// The connection that was lost had a state that only its user knows, such as a database chosen
    /// by SELECT or a watched key. Nothing was sent; the next request starts on a fresh connection.
    SessionLost,
    /// Messages that there was no room for are gone.
    Overflow {
        /// How many.
        dropped: u64,
    },
    /// SUBSCRIBE and MONITOR need a connection of their own: [`Subscriber`](crate::Subscriber).
    NeedsOwnConnection,
}

/// Why no connection came about.
#[derive(Debug)]
pub struct ConnectError {
    /// The server that was asked for.
    pub endpoint: Endpoint,
    /// Each address that was tried, and how it went. Empty if the name has no address.
    pub tried: Vec<(String, io::Error)>,
    /// What ended it: the last address' error, or what the name service or the server said.
    pub cause: ConnectCause,
}

/// What ended the attempt to connect.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectCause {
    /// The name service, or the socket.
    Io(io::Error),
    /// The server said no to the handshake: a wrong password, a database that it does not have.
    Rejected(ErrorReply),
    /// The handshake ended in another way, in words.
    Handshake(String),
}

impl From<CloseReason<'_>> for ConnectCause {
    fn from(reason: CloseReason<'_>) -> Self {
        match reason {
            CloseReason::Rejected(error) | CloseReason::Refused(error) => Self::Rejected(error.into()),
            reason => Self::Handshake(reason.to_string()),
        }
    }
}

impl fmt::Display for ConnectCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => f.write_str(&plain(error)),
            Self::Rejected(error) => error.fmt(f),
            Self::Handshake(text) => f.write_str(text),
        }
    }
}

/// Something listens, and does not talk as it should.
const STRANGER: &str = "is it a Redis or Valkey server, and does it expect TLS?";

impl ConnectError {
    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match &self.cause {
            ConnectCause::Io(error) => match error.kind() {
                io::ErrorKind::ConnectionRefused => {
                    "no server listens there: start one, or name its host and port"
                }
                io::ErrorKind::NotFound => "there is no such socket: is the server configured to make it?",
                io::ErrorKind::PermissionDenied => "this user may not open the socket",
                io::ErrorKind::TimedOut => {
                    "nothing answers there: is the address right, is a firewall between?"
                }
                io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe => STRANGER,
                _ if self.tried.is_empty() => "is the host's name right?",
                _ => "is the server reachable from here?",
            },
            ConnectCause::Rejected(error) => match error.code() {
                "NOAUTH" | "WRONGPASS" => {
                    "give the right user and password, as in redis://user:password@host"
                }
                "DENIED" => "the server is in protected mode and takes local clients only",
                "NOPROTO" => "the server does not speak the protocol version that was asked for",
                _ => "the server's own words say what is wrong",
            },
            ConnectCause::Handshake(_) => STRANGER,
        }
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot connect to {}: {}", self.endpoint, self.cause)?;
        let name = self.endpoint.to_string();
        let others = self.tried.iter().filter(|(address, _)| *address != name);
        for (at, (address, error)) in others.enumerate() {
            f.write_str(if at == 0 { " (tried " } else { ", " })?;
            write!(f, "{address}: {}", plain(error))?;
        }
        if self.tried.iter().any(|(address, _)| *address != name) {
            f.write_str(")")?;
        }
        write!(f, "; {}", self.hint())
    }
}

impl std::error::Error for ConnectError {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(error) => error.fmt(f),
            Self::Connect(error) => error.fmt(f),
            Self::Server(error) => error.fmt(f),
            Self::Decode(error) => write!(f, "the answer is of another type: {error}"),
            Self::Lost { failure, cause } => write!(f, "{cause}; {failure}"),
            Self::TooLarge => Failure::TooLarge.fmt(f),
            Self::Refused(error) => error.fmt(f),
            Self::SessionLost => {
                f.write_str("the connection was lost, and with it the state that was set on it")
            }
            Self::Overflow { dropped } => write!(f, "{dropped} messages were dropped for lack of room"),
            Self::NeedsOwnConnection => f.write_str("this command needs a connection of its own"),
        }
    }
}

impl std::error::Error for Error {}

impl Error {
    /// Whether the connection, not the request, is at fault.
    pub const fn is_connection(&self) -> bool {
        matches!(self, Self::Connect(_) | Self::Lost { .. } | Self::SessionLost)
    }

    /// The code of the server's error: `WRONGTYPE`, `ERR`.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Server(error) => Some(error.code()),
            _ => None,
        }
    }
}

impl From<ReplyError<'_>> for Error {
    fn from(error: ReplyError<'_>) -> Self {
        match error {
            ReplyError::Server(error) => Self::Server(error.into()),
            ReplyError::Decode(error) => Self::Decode(error),
        }
    }
}

impl From<UrlError> for Error {
    fn from(error: UrlError) -> Self {
        Self::Url(error)
    }
}

impl From<ConnectError> for Error {
    fn from(error: ConnectError) -> Self {
        Self::Connect(error)
    }
}

/// An I/O error in the system's words alone: `Connection refused`.
pub(crate) fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.strip_prefix("failed to lookup address information: ").unwrap_or(&text);
    text.split(" (os error").next().unwrap_or(text).to_owned()
}
