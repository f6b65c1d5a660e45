//! How things end, with and without the details.

use crate::conn::Failure;
use crate::error::ErrorKind;

/// A hook's no, with a number of its own choice.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Refusal(pub u16);

/// How an attempt to have a command executed ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Outcome<'a> {
    /// With a value.
    Answered,
    /// With an error of the server. Of one that has no name here, only its code.
    Error(ErrorKind<'a>),
    /// Without an answer, on a connection.
    Failed(Failure),
    /// Before it came to a connection.
    Unsent(Unsent),
    /// A hook said no.
    Refused(Refusal),
}

/// Why a command did not come to a connection. It was not executed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Unsent {
    /// No connection became free in time.
    PoolTimeout,
    /// More connections are in use than may be.
    PoolExhausted,
    /// No connection can be dialled.
    Unreachable,
    /// The server has failed too often, and is left alone.
    CircuitOpen,
    /// There is no room for it: not in the queues, or not in the buffers.
    Full,
    /// Its caller gave it up.
    Cancelled,
    /// The client is closed.
    Closed,
    /// It breaks a rule: an empty request, keys of several databases at once.
    Misuse,
}

/// How a dial ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum DialOutcome<'a> {
    /// The handshake is done.
    Ready,
    /// The name has no address.
    Unresolved,
    /// Nobody listens there, or the way is barred.
    Unreachable,
    /// It took too long.
    TimedOut,
    /// TLS did not come about.
    Tls,
    /// The server said no to the handshake.
    Rejected(ErrorKind<'a>),
    /// The connection ended during the handshake.
    Lost,
    /// A hook said no.
    Refused(Refusal),
}

/// How a transaction ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Fate {
    /// It was executed.
    Executed,
    /// A watched key had changed: nothing was executed.
    Aborted,
    /// We said `DISCARD`, or the server did because a command could not be queued: nothing was executed.
    Discarded,
    /// There was no answer to `EXEC`: see the failure for what is known.
    Failed(Failure),
    /// A hook said no.
    Refused(Refusal),
}

/// What an operation waited for when it ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Phase {
    /// For a connection.
    Pool,
    /// To be sent.
    Write,
    /// For its answer.
    Read,
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $Kind:ident = $code:literal $name:literal,)+) => {
        /// What became of something, as a number and a name that stay the same from version to version.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum Kind {
            $($(#[doc = $doc])+ $Kind = $code,)+
        }

        impl Kind {
            /// All of them, in the order of their numbers.
            pub const ALL: [Self; 21] = [$(Self::$Kind),+];

            /// Its name, for logs and metrics.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$Kind => $name,)+
                }
            }
        }
    };
}

kinds! {
    /// A value came.
    Answered = 0 "answered",
    /// The server said no, for a reason that lies in the request.
    Server = 1 "server",
    /// The server said who we are not: no login, a wrong password, no permission.
    Auth = 2 "auth",
    /// The server cannot now, and has not: it loads, is busy, is no primary, has no quorum.
    NotNow = 3 "not_now",
    /// Another server is the one to ask.
    Redirected = 4 "redirected",
    /// The server has no memory left, or cannot save.
    OutOfMemory = 5 "out_of_memory",
    /// The transaction was discarded, by a key that had changed or by its own fault.
    Aborted = 6 "aborted",
    /// The connection ended before anything was sent.
    NotSent = 7 "not_sent",
    /// The connection ended, and nobody knows whether it was executed.
    Unknown = 8 "unknown",
    /// Its time was over before anything was sent.
    WriteTimeout = 9 "write_timeout",
    /// Its time was over before the answer came, and nobody knows whether it was executed.
    ReadTimeout = 10 "read_timeout",
    /// The answer is larger or deeper than the limits.
    TooLarge = 11 "too_large",
    /// No connection became free in time.
    PoolTimeout = 12 "pool_timeout",
    /// More connections are in use than may be.
    PoolExhausted = 13 "pool_exhausted",
    /// No connection came about.
    Unreachable = 14 "unreachable",
    /// Dialling or the handshake took too long.
    DialTimeout = 15 "dial_timeout",
    /// The server is left alone for a while.
    CircuitOpen = 16 "circuit_open",
    /// There was no room on our side.
    Full = 17 "full",
    /// Its caller gave it up.
    Cancelled = 18 "cancelled",
    /// The client is closed.
    Closed = 19 "closed",
    /// We refused it: a hook, or a rule.
    Refused = 20 "refused",
}

impl Kind {
    /// How many there are; their numbers are below this.
    pub const COUNT: usize = Self::ALL.len();

    /// Whether it is no success.
    pub const fn is_error(self) -> bool {
        !matches!(self, Self::Answered)
    }

    /// Whether time was over, for whatever it waited.
    pub const fn is_timeout(self) -> bool {
        matches!(self, Self::WriteTimeout | Self::ReadTimeout | Self::PoolTimeout | Self::DialTimeout)
    }

    /// Whether it is about the connection and not about the request.
    pub const fn is_connection(self) -> bool {
        matches!(
            self,
            Self::NotSent
                | Self::Unknown
                | Self::WriteTimeout
                | Self::ReadTimeout
                | Self::Unreachable
                | Self::DialTimeout
        )
    }

    /// Whether the same request may be sent again whatever it is, and may do better then: it was not executed,
    /// and the cause may pass. What is [`Unknown`](Self::Unknown) or [`ReadTimeout`](Self::ReadTimeout) depends on
    /// the request: see [`Retry`](crate::command::Retry).
    ///
    /// Of an error, this believes the server's word. Where scripts or modules may have chosen it, see
    /// [`ErrorKind::proof`].
    pub const fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::NotNow
                | Self::Redirected
                | Self::NotSent
                | Self::PoolTimeout
                | Self::PoolExhausted
                | Self::Unreachable
                | Self::DialTimeout
                | Self::CircuitOpen
                | Self::Full
        )
    }
}

impl From<ErrorKind<'_>> for Kind {
    fn from(error: ErrorKind<'_>) -> Self {
        match error {
            ErrorKind::NoAuth | ErrorKind::WrongPassword | ErrorKind::NoPermission | ErrorKind::Denied => {
                Self::Auth
            }
            ErrorKind::Loading
            | ErrorKind::Busy
            | ErrorKind::MasterDown
            | ErrorKind::ClusterDown
            | ErrorKind::TryAgain
            | ErrorKind::ReadOnly
            | ErrorKind::NoReplicas => Self::NotNow,
            ErrorKind::Moved { .. } | ErrorKind::Ask { .. } | ErrorKind::Redirect { .. } => Self::Redirected,
            ErrorKind::OutOfMemory | ErrorKind::Misconfigured => Self::OutOfMemory,
            ErrorKind::ExecAbort => Self::Aborted,
            _ => Self::Server,
        }
    }
}

impl From<Failure> for Kind {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotSent => Self::NotSent,
            Failure::Unknown => Self::Unknown,
            Failure::Expired => Self::WriteTimeout,
            Failure::TimedOut => Self::ReadTimeout,
            Failure::TooLarge | Failure::TooDeep => Self::TooLarge,
        }
    }
}

impl From<Unsent> for Kind {
    fn from(unsent: Unsent) -> Self {
        match unsent {
            Unsent::PoolTimeout => Self::PoolTimeout,
            Unsent::PoolExhausted => Self::PoolExhausted,
            Unsent::Unreachable => Self::Unreachable,
            Unsent::CircuitOpen => Self::CircuitOpen,
            Unsent::Full => Self::Full,
            Unsent::Cancelled => Self::Cancelled,
            Unsent::Closed => Self::Closed,
            Unsent::Misuse => Self::Refused,
        }
    }
}

impl From<Outcome<'_>> for Kind {
    fn from(outcome: Outcome<'_>) -> Self {
        match outcome {
            Outcome::Answered => Self::Answered,
            Outcome::Error(error) => error.into(),
            Outcome::Failed(failure) => failure.into(),
            Outcome::Unsent(unsent) => unsent.into(),
            Outcome::Refused(_) => Self::Refused,
        }
    }
}

impl From<DialOutcome<'_>> for Kind {
    fn from(outcome: DialOutcome<'_>) -> Self {
        match outcome {
            DialOutcome::Ready => Self::Answered,
            DialOutcome::Unresolved | DialOutcome::Unreachable | DialOutcome::Tls | DialOutcome::Lost => {
                Self::Unreachable
            }
            DialOutcome::TimedOut => Self::DialTimeout,
            DialOutcome::Rejected(error) => error.into(),
            DialOutcome::Refused(_) => Self::Refused,
        }
    }
}

impl Outcome<'_> {
    /// What it waited for when it ended without an answer.
    pub const fn phase(self) -> Option<Phase> {
        match self {
            Self::Answered | Self::Error(_) | Self::Refused(_) => None,
            Self::Unsent(Unsent::Misuse | Unsent::Full) => None,
            Self::Unsent(_) => Some(Phase::Pool),
            Self::Failed(Failure::NotSent | Failure::Expired) => Some(Phase::Write),
            Self::Failed(_) => Some(Phase::Read),
        }
    }
}
