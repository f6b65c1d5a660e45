//! Whether a request that was answered with an error was executed.

use super::ErrorKind;

/// What an answer proves about its request.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Proof {
    /// It changed nothing: whatever it is, it may be sent again.
    NotExecuted,
    /// It was executed. An answer that is no error says so, unless it is `QUEUED`; no error's code does.
    Executed,
    /// It may have been executed, or some of it.
    Unknown,
}

/// Who may have chosen the words of an error, which
/// [`Args::author`](crate::command::Args::author) tells from the request.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Author {
    /// The server alone: the error is the whole answer to a command that runs nobody's code.
    Server,
    /// A script, a function or a module, which may have written before; or whoever wrote the script.
    /// `EXEC` is among them, for the errors in its answer are anybody's.
    Anyone,
}

impl ErrorKind<'_> {
    /// What the error proves about the request that it answers.
    ///
    /// `return {err = 'LOADING'}` at the end of a script is word for word what a server says that reads
    /// its disk. So an error proves nothing if the request was one that lets
    /// [anyone](Author::Anyone) speak. A caller who knows better says [`Author::Server`]: that `EXECABORT` or
    /// `MOVED` was all of the answer to its `EXEC`, or that its own script never says `NOSCRIPT`.
    ///
    /// The proof is about this one execution. `BUSYGROUP` as the answer to the second attempt may well
    /// be the work of the first.
    ///
    /// ```
    /// use respire_core::command::Args;
    /// use respire_core::error::{Proof, ServerError};
    /// let error = ServerError::new(b"LOADING the dataset").kind();
    /// let incr = Args::new(b"*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n");
    /// let eval = Args::new(b"*3\r\n$4\r\nEVAL\r\n$3\r\n...\r\n$1\r\n0\r\n");
    /// assert_eq!(error.proof(incr.author()), Proof::NotExecuted);
    /// assert_eq!(error.proof(eval.author()), Proof::Unknown);
    /// ```
    pub const fn proof(self, author: Author) -> Proof {
        if matches!(author, Author::Anyone) {
            return Proof::Unknown;
        }
        match self {
            // Looked at before any command is started.
            Self::Loading
            | Self::Busy
            | Self::MasterDown
            | Self::ReadOnly
            | Self::NoReplicas
            | Self::Misconfigured
            | Self::OutOfMemory
            | Self::NoAuth
            | Self::NoPermission
            | Self::Denied => Proof::NotExecuted,

            // The same, by the cluster. A blocked command whose slot goes elsewhere was not served.
            Self::ClusterDown
            | Self::CrossSlot
            | Self::TryAgain
            | Self::Moved { .. }
            | Self::Ask { .. }
            | Self::Redirect { .. } => Proof::NotExecuted,

            // A command that still waited. One that was served has its answer.
            Self::Unblocked => Proof::NotExecuted,

            // Looked at by the command before it changes anything, for all of its keys: also SMOVE,
            // RPOPLPUSH and what stores one key from others. A blocked BLMOVE puts back what it took.
            Self::WrongType | Self::NoGroup | Self::BusyGroup | Self::BusyKey => Proof::NotExecuted,

            // Each is what one command says instead of doing its work: EXEC, EVALSHA, HELLO, AUTH,
            // SCRIPT KILL, UNSUBSCRIBE, SYNC, and those of Sentinel.
            Self::ExecAbort
            | Self::NoScript
            | Self::NoProtocol
            | Self::WrongPassword
            | Self::NotBusy
            | Self::Unkillable
            | Self::NoSubscription
            | Self::NoMasterLink
            | Self::InProgress
            | Self::NoGoodReplica
            | Self::NoQuorum => Proof::NotExecuted,

            // MIGRATE may have lost the answer of the target only.
            Self::IoError => Proof::Unknown,
            // PFADD adds one element after the other until it finds the damage.
            Self::InvalidObject => Proof::Unknown,
            // Nearly always a mistake in the arguments, but it can be anything.
            Self::Err => Proof::Unknown,
            // A code that nobody knows, and a redirection that is none.
            Self::Other(_) => Proof::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ServerError;

    const CODES: &str = "ERR BUSY BUSYGROUP BUSYKEY CLUSTERDOWN CROSSSLOT DENIED EXECABORT INPROG INVALIDOBJ \
        IOERR LOADING MASTERDOWN MISCONF NOAUTH NOGOODSLAVE NOGROUP NOMASTERLINK NOPERM NOPROTO NOQUORUM \
        NOREPLICAS NOSCRIPT NOSUB NOTBUSY OOM READONLY TRYAGAIN UNBLOCKED UNKILLABLE WRONGPASS WRONGTYPE";

    fn proof(text: &str, author: Author) -> Proof {
        ServerError::new(text.as_bytes()).kind().proof(author)
    }

    #[test]
    fn what_the_server_says_by_itself_proves_that_nothing_was_executed() {
        let doubtful = ["ERR", "INVALIDOBJ", "IOERR"];
        let redirections = ["MOVED 1 h:1", "ASK 1 h:1", "REDIRECT h:1"];
        for text in CODES.split(' ').chain(redirections) {
            let known = !matches!(ServerError::new(text.as_bytes()).kind(), ErrorKind::Other(_));
            assert!(known, "{text}");
            let expected = if doubtful.contains(&text) { Proof::Unknown } else { Proof::NotExecuted };
            assert_eq!(proof(text, Author::Server), expected, "{text}");
        }
    }

    #[test]
    fn what_anyone_may_have_said_proves_nothing() {
        let more = ["MOVED 1 h:1", "ASK 1 h:1", "REDIRECT h:1", "MINE", ""];
        for text in CODES.split(' ').chain(more) {
            assert_eq!(proof(text, Author::Anyone), Proof::Unknown, "{text}");
        }
    }

    #[test]
    fn what_nobody_knows_proves_nothing() {
        for text in ["", "NEWCODE", "loading", "LOADING,", "MOVED", "MOVED 1 ?:1", "QUOTA exceeded"] {
            assert_eq!(proof(text, Author::Server), Proof::Unknown, "{text}");
        }
    }
}
