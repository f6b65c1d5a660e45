//! What becomes of a request that is executed twice.

use super::{Args, find::find};

/// What becomes of a request that is executed twice, in the order of what is at stake: what may repeat
/// one kind may repeat those before it.
///
/// A plain value: what [`of`](Self::of) says is for whoever knows nothing better. A caller who does,
/// because its script may run twice or its counter must not be off by one read, takes another.
///
/// "Twice" is meant of two executions with nothing of one's own between them. Times that count from the
/// moment of execution (`EXPIRE`, `SET … EX`, `XGROUP SETID … $`) count from the last one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Retry {
    /// Touches no data and leaves nothing behind: `PING`, `TIME`.
    Always,
    /// Changes nothing that anyone reads. The answer is as of the last execution.
    ReadOnly,
    /// Writes on a condition that it ends itself: `SET … NX`, `COPY`, `XADD` with an ID, `DELIFEQ`. The second
    /// execution changes nothing, whatever others wrote since, unless they made the condition true
    /// again. **The answer is the second one's**: "no", or an error, though the first had been a "yes".
    CheckedWrite,
    /// Two executions leave what one leaves: `SET`, `SADD`, `DEL`, `EXPIRE`. What others wrote between
    /// them is overwritten. The answer is the second one's: `DEL` says 0.
    LastWriteWins,
    /// Each execution counts: `INCR`, `LPUSH`, `XADD … *`, `PUBLISH`, `LPOP`. So does what takes a value
    /// away and has it nowhere but in its answer: `GETDEL`, `SET … GET`.
    Accumulating,
    /// Changes the server itself, its users, its code or its neighbours, or all data at once:
    /// `CONFIG SET`, `FLUSHALL`. Most of it is harmless when done twice; whoever does it decides.
    ServerAdmin,
    /// Must not be repeated unasked: scripts, what belongs to this one connection (`MULTI`, `SELECT`,
    /// `WAIT`), and every command that is not known.
    Never,
}

impl Retry {
    /// What becomes of this request, by its command and its arguments.
    ///
    /// If an argument that matters is not there, the answer is the most careful one that the command
    /// could have: a `SET` whose value comes later is `LastWriteWins` when nothing follows the value,
    /// else `Accumulating`.
    pub fn of(args: Args<'_>) -> Self {
        find(args).map_or(Self::Never, |(row, args)| row.rule.judge(row.retry, args))
    }
}
