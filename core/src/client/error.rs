//! What can go wrong for a client.

use alloc::vec::Vec;
use core::fmt;
use core::net::SocketAddr;

use super::url::{Endpoint, UrlError};
use crate::buffer::Storage;
use crate::conn::{CloseReason, Failure, SubmitError};
use crate::engine::{Failed, Refused};
use crate::error::{DecodeError, ReplyError};
use crate::io::{Driver, Transport};
use crate::resp::ErrorReply;

/// How a transport fails: what an error of a frontend must be able to say.
pub trait Fault: fmt::Debug + Sized {
    /// The same once more: one end of a connection is told to every request that it failed.
    #[must_use]
    fn copy(&self) -> Self;

    /// In the system's words alone: `Connection refused`.
    ///
    /// # Errors
    /// The formatter's.
    fn words(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;

    /// What the user can do about it when it happens while connecting. `named`: a name was found,
    /// and addresses were tried.
    fn hint(&self, named: bool) -> &'static str;
}

/// What can go wrong for a client whose transport fails with `E`.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error<E> {
    /// The URL makes no sense.
    Url(UrlError),
    /// No connection came about.
    Connect(ConnectError<E>),
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
        cause: Cause<E>,
    },
    /// The server answered, but the answer is larger than the receive buffer may be.
    TooLarge,
    /// The server answered, but the answer is nested deeper than the limits allow.
    TooDeep,
    /// The request was refused before anything was sent.
    Refused(SubmitError),
    /// The connection that was lost had a state that only its user knows, such as a watched key,
    /// another user or a database whose choice was not answered. Nothing was sent; the next request starts on a fresh connection.
    SessionLost,
    /// Messages that there was no room for are gone.
    Overflow {
        /// How many.
        dropped: u64,
    },
    /// The server refuses a subscription, as it does for channels that its user may not listen to.
    NotSubscribed,
    /// SUBSCRIBE and MONITOR need a connection of their own: a [`Subscriber`](super::Subscriber).
    NeedsOwnConnection,
    /// There is no answer, and it will not be asked for again.
    Failed(Failed),
    /// The request was not taken: nothing was sent.
    NotTaken(Refused),
    /// The system cannot wait for sockets.
    System(E),
    /// The process is a copy of the one that has made the client, and must not use its connections.
    Forked,
    /// The client is waiting for another answer: a closure that reads one may not ask for the next.
    Busy,
}

/// Why no connection came about.
#[derive(Debug)]
pub struct ConnectError<E> {
    /// The server that was asked for.
    pub endpoint: Endpoint,
    /// Each address that was tried, and how it went. Empty if the name has no address.
    pub tried: Vec<(SocketAddr, E)>,
    /// What ended it: the last address' error, or what the name service or the server said.
    pub cause: Cause<E>,
}

/// How a connection ended, or why there is none.
#[derive(Debug)]
pub enum Cause<E> {
    /// The name service, or the transport.
    Transport(E),
    /// The server said no, in its own words: a wrong password, a database that it does not have,
    /// too many clients.
    Server(ErrorReply),
    /// Any other end; a reason without texts.
    Closed(CloseReason<'static>),
}

impl<E: Fault> Cause<E> {
    /// How this connection ended.
    pub(super) fn of<T: Transport<Error = E>, S: Storage, const N: usize>(driver: &Driver<T, S, N>) -> Self {
        match (driver.connection().close_reason(), driver.error()) {
            (Some(CloseReason::Transport), Some(error)) => Self::Transport(error.copy()),
            (reason, _) => Self::from(reason.unwrap_or(CloseReason::Local)),
        }
    }
}

impl<E> From<CloseReason<'_>> for Cause<E> {
    fn from(reason: CloseReason<'_>) -> Self {
        match reason {
            CloseReason::Rejected(error) | CloseReason::Refused(error) => Self::Server(error.into()),
            reason => Self::Closed(reason.without_text()),
        }
    }
}

impl<E: Fault> fmt::Display for Cause<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transport(error) => error.words(f),
            Self::Server(error) => error.fmt(f),
            Self::Closed(reason) => reason.fmt(f),
        }
    }
}

/// Something listens, and does not talk as it should.
pub(super) const STRANGER: &str = "is it a Redis or Valkey server, and does it expect TLS?";

impl<E: Fault> ConnectError<E> {
    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match &self.cause {
            Cause::Transport(error) => {
                let named = !self.tried.is_empty() || matches!(self.endpoint, Endpoint::Unix(_));
                error.hint(named)
            }
            Cause::Server(error) => match error.code() {
                "NOAUTH" | "WRONGPASS" => {
                    "give the right user and password, as in redis://user:password@host"
                }
                "DENIED" => "the server is in protected mode and takes local clients only",
                "NOPROTO" => "the server does not speak the protocol version that was asked for",
                _ => "the server's own words say what is wrong",
            },
            Cause::Closed(_) => STRANGER,
        }
    }
}

impl<E: Fault> fmt::Display for ConnectError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot connect to {}: {}", self.endpoint, self.cause)?;
        let others = self.tried.iter().filter(|(address, _)| !self.endpoint.is(*address));
        let mut any = false;
        for (address, error) in others {
            write!(f, "{}{address}: ", if any { ", " } else { " (tried " })?;
            error.words(f)?;
            any = true;
        }
        write!(f, "{}; {}", if any { ")" } else { "" }, self.hint())
    }
}

impl<E: Fault> core::error::Error for ConnectError<E> {}

impl<E: Fault> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(error) => error.fmt(f),
            Self::Connect(error) => error.fmt(f),
            Self::Server(error) => error.fmt(f),
            Self::Decode(error) => write!(f, "the answer is of another type: {error}"),
            Self::Lost { failure, cause } => {
                f.write_str(match cause {
                    Cause::Transport(_) => "the connection broke: ",
                    Cause::Server(_) => "the server refused the connection: ",
                    Cause::Closed(_) => "",
                })?;
                write!(f, "{cause}; {failure}")
            }
            Self::TooLarge => Failure::TooLarge.fmt(f),
            Self::TooDeep => Failure::TooDeep.fmt(f),
            Self::Refused(error) => error.fmt(f),
            Self::SessionLost => {
                f.write_str("the connection was lost, and with it the state that was set on it")
            }
            Self::Overflow { dropped } => write!(f, "{dropped} messages were dropped for lack of room"),
            Self::NotSubscribed => f.write_str("the server refuses the subscription"),
            Self::Failed(failed) => failed.fmt(f),
            Self::NotTaken(refused) => refused.fmt(f),
            Self::System(error) => error.words(f),
            Self::NeedsOwnConnection => f.write_str("this command needs a connection of its own"),
            Self::Forked => f.write_str("the client belongs to the process that this one is a copy of"),
            Self::Busy => f.write_str("the client is waiting for another answer"),
        }
    }
}

impl<E: Fault> core::error::Error for Error<E> {}

impl<E> Error<E> {
    /// Whether the connection, not the request, is at fault.
    pub const fn is_connection(&self) -> bool {
        match self {
            Self::Connect(_) | Self::Lost { .. } | Self::SessionLost => true,
            Self::Failed(failed) => !matches!(failed.failure, Failure::TooLarge | Failure::TooDeep),
            Self::NotTaken(Refused::Pool(_) | Refused::Circuit(_) | Refused::Submit(SubmitError::Closed)) => {
                true
            }
            _ => false,
        }
    }

    /// The code of the server's error: `WRONGTYPE`, `ERR`.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Server(error) => Some(error.code()),
            _ => None,
        }
    }
}

impl<E> From<ReplyError<'_>> for Error<E> {
    fn from(error: ReplyError<'_>) -> Self {
        match error {
            ReplyError::Server(error) => Self::Server(error.into()),
            ReplyError::Decode(error) => Self::Decode(error),
        }
    }
}

impl<E> From<Failed> for Error<E> {
    fn from(failed: Failed) -> Self {
        match failed.failure {
            Failure::TooLarge => Self::TooLarge,
            Failure::TooDeep => Self::TooDeep,
            _ => Self::Failed(failed),
        }
    }
}

impl<E> From<Refused> for Error<E> {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NeedsLease => Self::NeedsOwnConnection,
            refused => Self::NotTaken(refused),
        }
    }
}

impl<E> From<UrlError> for Error<E> {
    fn from(error: UrlError) -> Self {
        Self::Url(error)
    }
}

impl<E> From<ConnectError<E>> for Error<E> {
    fn from(error: ConnectError<E>) -> Self {
        Self::Connect(error)
    }
}

/// The errors of `std`'s sockets.
#[cfg(feature = "std")]
pub(super) mod system {
    use alloc::boxed::Box;
    use alloc::sync::Arc;
    use std::io::{Error, ErrorKind};

    use super::*;

    /// An error that knows what the user can do about it, to be wrapped in one of `std`'s. Others that are wrapped there
    /// are lost when the end of a connection is told more than once; this one is not.
    #[derive(Clone, Debug)]
    pub struct Explained {
        error: Arc<dyn core::error::Error + Send + Sync>,
        hint: &'static str,
    }

    impl Explained {
        /// `hint` is what [`Fault::hint`] will say, without a full stop.
        pub fn new(error: impl Into<Box<dyn core::error::Error + Send + Sync>>, hint: &'static str) -> Self {
            Self { error: error.into().into(), hint }
        }
    }

    impl fmt::Display for Explained {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.error.fmt(f)
        }
    }

    impl core::error::Error for Explained {
        fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
            Some(&*self.error)
        }
    }

    fn explained(error: &Error) -> Option<&Explained> {
        error.get_ref()?.downcast_ref()
    }

    impl Fault for Error {
        fn copy(&self) -> Self {
            match (self.raw_os_error(), explained(self)) {
                (Some(code), _) => Self::from_raw_os_error(code),
                (None, Some(explained)) => Self::new(self.kind(), explained.clone()),
                (None, None) => Self::from(self.kind()),
            }
        }

        fn words(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let text = alloc::string::ToString::to_string(self);
            let text = text.strip_prefix("failed to lookup address information: ").unwrap_or(&text);
            f.write_str(text.split(" (os error").next().unwrap_or(text))
        }

        fn hint(&self, named: bool) -> &'static str {
            if let Some(explained) = explained(self) {
                return explained.hint;
            }
            match self.kind() {
                ErrorKind::ConnectionRefused => {
                    "no server listens there: start one, or name its host and port"
                }
                ErrorKind::NotFound => "there is no such socket: is the server configured to make it?",
                ErrorKind::PermissionDenied => "this user may not open the socket",
                ErrorKind::TimedOut => "nothing answers there: is the address right, is a firewall between?",
                ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => STRANGER,
                _ if !named => "is the host's name right?",
                _ => "is the server reachable from here?",
            }
        }
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use alloc::string::ToString;
    use std::io;

    use super::system::Explained;
    use super::*;

    /// S3-CONN-04: what a connection died of is told to every request, with its own words, hint and cause.
    #[test]
    fn what_is_explained_is_copied_whole() {
        let cause = DecodeError::OutOfRange;
        let error = io::Error::new(io::ErrorKind::InvalidData, Explained::new(cause, "do better"));
        for copy in [error.copy(), error.copy().copy()] {
            assert_eq!((copy.kind(), copy.hint(true)), (io::ErrorKind::InvalidData, "do better"));
            assert_eq!(copy.to_string(), cause.to_string());
            let inner = copy.get_ref().and_then(core::error::Error::source);
            assert_eq!(inner.and_then(|inner| inner.downcast_ref()), Some(&cause));
        }
        // Others leave their kind.
        let other = io::Error::new(io::ErrorKind::InvalidData, "something");
        assert!(other.copy().get_ref().is_none());
    }
}
