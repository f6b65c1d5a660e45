//! What a server keeps for a connection, and forgets with it.

use crate::command::{Args, Effect};
use crate::resp::{Kind, Reply};

/// What the server keeps for this connection, as its answers have said. All of it is gone when the connection is
/// over: a new one has what its [`Settings`](super::Settings) say, so whoever wants to go on where it stopped starts it
/// with this database, and knows what else there is to do again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct State {
    /// The database; `None` if a transaction has changed it, or nobody knows.
    pub db: Option<u32>,
    /// A transaction is open: commands are queued.
    pub transaction: bool,
    /// Keys are watched.
    pub watching: bool,
    /// The server tells which keys have changed.
    pub tracking: bool,
    /// A command has set what only its caller knows: another user, another name, or all that RESET and HELLO do.
    pub altered: bool,
    /// Something of this kind is queued in the transaction.
    pub(super) queued: bool,
    /// After RESET the server may want a password before it says anything else.
    pub(super) logged_out: bool,
}

impl State {
    /// A connection to this database.
    pub(super) const fn new(db: u32, tracking: bool) -> Self {
        Self {
            db: Some(db),
            transaction: false,
            watching: false,
            tracking,
            altered: false,
            queued: false,
            logged_out: false,
        }
    }

    /// What an answer has changed that was no error. `detail`: of the request, see [`detail`].
    pub(super) fn change(&mut self, effect: Effect, detail: u32, kind: Kind) {
        match effect {
            Effect::Select => self.db = Some(detail).filter(|&db| db != u32::MAX),
            Effect::Watch => self.watching = true,
            Effect::Unwatch => self.watching = false,
            Effect::Tracking => self.tracking = detail == 1,
            Effect::Multi => self.transaction = true,
            Effect::EndMulti => {
                let done = self.queued && kind.is_aggregate();
                self.end_transaction();
                if done {
                    self.db = None;
                    self.altered = true;
                }
            }
            Effect::Reset => *self = Self { altered: true, logged_out: true, ..Self::new(0, false) },
            Effect::Session | Effect::Hello => {
                self.altered = true;
                self.logged_out = false;
            }
            _ => {}
        }
    }

    /// A request was queued and not executed.
    pub(super) fn queue(&mut self, effect: Effect) {
        self.queued |= is_kept(effect);
    }

    /// EXEC or DISCARD was answered by an error: there is no transaction any more, unless the server did not even
    /// look for one. If there was none, what is watched still is.
    pub(super) fn refuse(&mut self, effect: Effect, text: &[u8]) {
        let unseen = [&b"ERR wrong number"[..], b"ERR unknown command", b"NOPERM"];
        if effect == Effect::EndMulti && !unseen.iter().any(|start| text.starts_with(start)) {
            let watching = self.watching && text.ends_with(b" without MULTI");
            self.end_transaction();
            self.watching = watching;
        }
    }

    const fn end_transaction(&mut self) {
        self.transaction = false;
        self.watching = false;
        self.queued = false;
    }
}

const fn is_kept(effect: Effect) -> bool {
    matches!(effect, Effect::Select | Effect::Tracking | Effect::Session | Effect::Hello | Effect::Reset)
}

/// What the answer will not say: the number of the database, `u32::MAX` if it is none; or 1 for tracking that is
/// turned on.
pub(super) fn detail(effect: Effect, mut frame: Args<'_>) -> u32 {
    match effect {
        Effect::Select => {
            let digits = frame.nth(1).unwrap_or_default();
            let plain = matches!(digits.len(), 1..=9) && digits.iter().all(u8::is_ascii_digit);
            let value = |sum: u32, &digit: &u8| sum * 10 + u32::from(digit - b'0');
            if plain { digits.iter().fold(0, value) } else { u32::MAX }
        }
        Effect::Tracking => u32::from(frame.nth(2).is_some_and(|word| word.eq_ignore_ascii_case(b"ON"))),
        _ => 0,
    }
}

/// Whether a status says that a request was queued.
pub(super) fn is_queued(reply: Reply<'_>) -> bool {
    reply.kind() == Kind::Simple && reply.as_bytes() == Some(b"QUEUED")
}
