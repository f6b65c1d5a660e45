//! What is known of an attempt that did not work.

use crate::conn::Failure;
use crate::error::{Author, ErrorKind, Proof};

/// What became of an attempt that did not work, as far as going again is concerned.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Fate {
    /// Not one byte of it was sent.
    NotSent,
    /// The server said that it did not execute it, for a reason that passes: it loads its data, another script runs, its slot
    /// moves.
    NotExecuted,
    /// It may have been executed, and may succeed when it is sent again.
    Unknown,
    /// It has its answer: another attempt would have the same.
    Answered,
}

impl Fate {
    /// Of a request that was answered with an error. `author` is who may have said it:
    /// [`Args::author`](crate::command::Args::author).
    ///
    /// A redirection is an answer here: whoever knows the cluster sends it elsewhere, and does not ask.
    pub const fn of_error(kind: ErrorKind<'_>, author: Author) -> Self {
        match kind.proof(author) {
            _ if !passes(kind) => Self::Answered,
            Proof::NotExecuted => Self::NotExecuted,
            Proof::Unknown | Proof::Executed => Self::Unknown,
        }
    }
}

impl From<Failure> for Fate {
    /// Of a request without an answer.
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotSent | Failure::Expired => Self::NotSent,
            Failure::Unknown | Failure::TimedOut => Self::Unknown,
            Failure::TooLarge | Failure::TooDeep => Self::Answered,
        }
    }
}

/// Whether the reason for the error passes without anybody's doing.
///
/// A server out of memory or disk waits for its operator, and has enough to do; what was unblocked by somebody is
/// not to block again.
const fn passes(kind: ErrorKind<'_>) -> bool {
    matches!(
        kind,
        ErrorKind::Loading
            | ErrorKind::Busy
            | ErrorKind::TryAgain
            | ErrorKind::ClusterDown
            | ErrorKind::MasterDown
            | ErrorKind::ReadOnly
            | ErrorKind::NoReplicas
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ServerError;

    /// S1-ERR-05: what passes may go again whatever it is, if the server itself said so; nothing else is retried.
    #[test]
    fn errors_that_pass() {
        let fate = |text: &str, author| Fate::of_error(ServerError::new(text.as_bytes()).kind(), author);
        for code in ["LOADING", "BUSY", "TRYAGAIN", "CLUSTERDOWN", "MASTERDOWN", "READONLY", "NOREPLICAS"] {
            assert_eq!(fate(code, Author::Server), Fate::NotExecuted, "{code}");
            assert_eq!(fate(code, Author::Anyone), Fate::Unknown, "{code}");
        }
        for code in
            "ERR WRONGTYPE NOAUTH NOPERM WRONGPASS DENIED OOM MISCONF EXECABORT NOSCRIPT CROSSSLOT UNBLOCKED BUSYKEY \
            BUSYGROUP NOGROUP INVALIDOBJ IOERR UNKILLABLE NOTBUSY MINE"
                .split(' ')
                .chain(["", "MOVED 1 h:1", "ASK 1 h:1", "REDIRECT h:1"])
        {
            assert_eq!(fate(code, Author::Server), Fate::Answered, "{code}");
            assert_eq!(fate(code, Author::Anyone), Fate::Answered, "{code}");
        }
    }

    #[test]
    fn failures_say_what_was_sent() {
        for (failure, fate) in [
            (Failure::NotSent, Fate::NotSent),
            (Failure::Expired, Fate::NotSent),
            (Failure::Unknown, Fate::Unknown),
            (Failure::TimedOut, Fate::Unknown),
            (Failure::TooLarge, Fate::Answered),
            (Failure::TooDeep, Fate::Answered),
        ] {
            assert_eq!(Fate::from(failure), fate);
        }
    }
}
