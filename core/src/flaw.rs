//! Mistakes on purpose, each one that some client has made, to prove that the tests would notice.
//!
//! With feature `flaws` a thread can have one made; without it `flaw!` is nothing at all. Those of whole clients are
//! noticed by the world, the others by the models of their modules.

#[cfg(feature = "flaws")]
use core::cell::{Cell, RefCell};

#[cfg(feature = "flaws")]
use crate::resp::Reply;

/// A known way to be wrong.
#[cfg(feature = "flaws")]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[non_exhaustive]
pub enum Flaw {
    /// A request that nobody waits for any more gives up its slot, and its answer comes all the same.
    SlotGivenUp,
    /// After a write that took a part, the whole is written again.
    WrittenAgain,
    /// A push is taken for the answer to the oldest request.
    PushIsReply,
    /// An error inside an array is taken for the answer.
    InnerError,
    /// A request that timed out is sent again.
    Replayed,
    /// When the handshake takes too long, the connection is used as it is.
    HandshakeSkipped,
    /// A new connection remembers the transaction of the one before.
    TransactionLeaks,
    /// After RESET the connection is taken for what it was before.
    ResetIgnored,
    /// A push inside an array is counted as one of its elements.
    NestedPush,
    /// A length is read as 32 bits.
    Cast32,
    /// The end of the stream answers what is in flight.
    EofIsAnswer,
    /// An answer goes to the request behind the one it is for.
    OffByOne,
    /// A request that expired is sent all the same.
    ExpiredIsSent,
    /// A request that was sent is said not to be.
    SaysNotSent,
    /// An answer to nothing is passed over.
    StrayDropped,
    /// A request is given up before its deadline.
    TooEarly,
    /// A request that is behind others is not given up at its deadline.
    OnlyOldest,
    /// A client replaces a connection that had a state, and says nothing.
    SessionLeaks,
    /// The number at the end of the handshake is not looked at.
    NonceIgnored,
    /// An answer that comes late is told after all.
    LateIsTold,
    /// A connection that comes back broken is never given back to the pool.
    PermitLeaks,
    /// A connection comes back as it is, and is lent again.
    NotReset,
    /// A connection that owes an answer is taken for one that is free.
    LentUnanswered,
    /// What may have been executed goes again, whatever it is.
    RetriedBlindly,
    /// Retries cost nothing.
    BudgetIgnored,
    /// What may have been executed by an earlier attempt is said not to be sent.
    DoubtForgotten,
    /// A request goes again, and its caller is told that it failed.
    AgainAndTold,
    /// Room that an answer makes which nobody waits for is not used.
    QueueStalls,
    /// A shared connection that was not to be had is not asked for again.
    LaneGivenUp,
    /// The socket of a connection that has ended stays open.
    SocketLeaks,
    /// Requests that wait have no deadline.
    WaitsForEver,
    /// What goes again in a pipeline does so when it likes.
    OrderLost,
    /// A connection is taken for one to another database than it is.
    WrongDatabase,
    /// What a connection has no room for of a batch is forgotten.
    RestForgotten,
    /// A loader never gives its connection back.
    LoanKept,
    /// Who comes when a connection is idle has it, though others wait.
    WaiterOvertaken,
    /// Who turns away takes the dial with him that was begun for him.
    DialCancelled,
    /// A batch goes again whole, though part of it was answered.
    BatchGoesWhole,
    /// What was overtaken goes again all the same.
    OvertakenGoes,
    /// While something goes again, what is behind it does not wait for what is in flight.
    NothingWaits,
    /// What is said of an earlier attempt is taken for the outcome of the last one.
    EarlierAttempt,
    /// An item that failed has no result.
    ResultLost,
    /// Messages go on after a loss as if none were missing.
    GapUntold,
    /// What was subscribed on a lost connection is taken to be so on the next.
    NotResubscribed,
    /// A subscription that was ended is taken to last.
    StaysConfirmed,
    /// A message is taken for nobody's that comes before it was told what happened to its subscription.
    MessageLost,
    /// Nobody is told to which connection something was written.
    WriteUntold,
    /// What was subscribed on a connection of an engine that is lost is taken for subscribed.
    SubscriptionsForgotten,
}

#[cfg(feature = "flaws")]
impl Flaw {
    /// Those of a connection and its client.
    pub const ALL: [Self; 20] = [
        Self::SlotGivenUp,
        Self::WrittenAgain,
        Self::PushIsReply,
        Self::InnerError,
        Self::Replayed,
        Self::HandshakeSkipped,
        Self::TransactionLeaks,
        Self::ResetIgnored,
        Self::NestedPush,
        Self::Cast32,
        Self::EofIsAnswer,
        Self::OffByOne,
        Self::ExpiredIsSent,
        Self::SaysNotSent,
        Self::StrayDropped,
        Self::TooEarly,
        Self::OnlyOldest,
        Self::NonceIgnored,
        Self::SessionLeaks,
        Self::LateIsTold,
    ];

    /// Those of an engine, in `core::engine`.
    pub const ENGINE: [Self; 18] = [
        Self::PermitLeaks,
        Self::NotReset,
        Self::LentUnanswered,
        Self::RetriedBlindly,
        Self::BudgetIgnored,
        Self::DoubtForgotten,
        Self::AgainAndTold,
        Self::QueueStalls,
        Self::LaneGivenUp,
        Self::SocketLeaks,
        Self::WriteUntold,
        Self::WaitsForEver,
        Self::OrderLost,
        Self::WrongDatabase,
        Self::RestForgotten,
        Self::LoanKept,
        Self::GapUntold,
        Self::SubscriptionsForgotten,
    ];

    /// Those of a pool, in `core::pool`.
    pub const POOL: [Self; 2] = [Self::WaiterOvertaken, Self::DialCancelled];

    /// Those of a bulk, in `core::bulk`.
    pub const BULK: [Self; 7] = [
        Self::RetriedBlindly,
        Self::DoubtForgotten,
        Self::BatchGoesWhole,
        Self::OvertakenGoes,
        Self::NothingWaits,
        Self::EarlierAttempt,
        Self::ResultLost,
    ];

    /// Those of a registry of subscriptions, in `core::pubsub`.
    pub const PUBSUB: [Self; 4] =
        [Self::GapUntold, Self::NotResubscribed, Self::StaysConfirmed, Self::MessageLost];

    /// Makes this mistake in this thread while `f` runs.
    pub fn during<R>(self, f: impl FnOnce() -> R) -> R {
        let before = MADE.replace(Some(self));
        let result = f();
        MADE.set(before);
        result
    }

    pub(crate) fn is_made(self) -> bool {
        MADE.get() == Some(self)
    }
}

#[cfg(feature = "flaws")]
std::thread_local! {
    static MADE: Cell<Option<Flaw>> = const { Cell::new(None) };
    /// A transaction was open when the connection ended.
    static LEAKED: Cell<bool> = const { Cell::new(false) };
    /// The newest frame, for [`Flaw::Replayed`], and where it starts.
    static FRAME: RefCell<(u64, alloc::vec::Vec<u8>)> = const { RefCell::new((0, alloc::vec::Vec::new())) };
}

/// Remembers that a transaction is open.
#[cfg(feature = "flaws")]
pub(crate) fn leak(open: bool) {
    LEAKED.set(open);
}

/// Whether one was.
#[cfg(feature = "flaws")]
pub(crate) fn leaked() -> bool {
    LEAKED.get()
}

/// Keeps a frame that is about to be sent.
#[cfg(feature = "flaws")]
pub(crate) fn keep_frame(start: u64, frame: Option<&[u8]>) {
    FRAME.set((start, frame.unwrap_or_default().into()));
}

/// The error that an aggregate starts with.
#[cfg(feature = "flaws")]
pub(crate) fn inner_error(frame: Option<&[u8]>) -> Option<Reply<'_>> {
    Reply::parsed(frame?).first_inside().filter(|inside| inside.kind().is_error())
}

/// The frame that starts there, if it is the one that was kept.
#[cfg(feature = "flaws")]
pub(crate) fn kept_frame(start: u64) -> Option<alloc::vec::Vec<u8>> {
    FRAME.with_borrow(|(at, frame)| (*at == start).then(|| frame.clone()))
}

/// Does something wrong, if that is the mistake to be made.
#[cfg(feature = "flaws")]
macro_rules! flaw {
    ($Flaw:ident => $act:expr) => {
        if $crate::flaw::Flaw::$Flaw.is_made() {
            $act;
        }
    };
}

/// Nothing is done wrong.
#[cfg(not(feature = "flaws"))]
macro_rules! flaw {
    ($Flaw:ident => $act:expr) => {};
}

pub(crate) use flaw;
