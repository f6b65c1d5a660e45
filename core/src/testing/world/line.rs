//! One connection between a client and the server, and what is known of it that the client cannot see.

use alloc::collections::VecDeque;

use super::pipe::Pipe;
use super::server::Session;

/// A connection: two directions, what the server knows, and whose bytes are on their way.
#[derive(Debug, Default)]
pub(super) struct Line {
    pub(super) up: Pipe,
    pub(super) down: Pipe,
    pub(super) session: Session,
    /// Whose each answer is, by where it ends in all that was sent down.
    pub(super) tags: VecDeque<Tag>,
    /// How many bytes may be on their way up.
    pub(super) window: usize,
    /// The client holds its end.
    pub(super) held: bool,
    /// The server has closed its side.
    pub(super) finished: bool,
    pub(super) broken: bool,
    /// Everything vanishes, both ways.
    pub(super) vanishes: bool,
    /// The server reads nothing until then.
    pub(super) stalled: u64,
    /// The server has broken the protocol, or answered what was not asked.
    pub(super) spoilt: bool,
    /// It never answers before the first request.
    pub(super) mute: bool,
    /// The handshake ends with a number that must come back.
    pub(super) nonce: bool,
    /// Numbers among the requests must come back.
    pub(super) verified: bool,
    /// An answer of the handshake was left out, or sent twice.
    pub(super) shifted: bool,
}

/// So much of what is sent down ends here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Tag {
    pub(super) end: u64,
    pub(super) owner: Owner,
    pub(super) did: Did,
    pub(super) digest: u64,
}

/// Whose it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Owner {
    /// A step of the handshake's.
    Handshake,
    /// The request's with this token.
    Answer(u64),
    /// A push that confirms the request with this token, and so answers it.
    Confirmation(u64),
    /// Nobody's: sent on the server's own account.
    Push,
    /// An error instead of the next answer; nothing is executed after it.
    LastWord,
    /// Something that was not asked for: it must end the connection.
    Stray,
    /// What breaks the protocol: it must end the connection, or never end.
    Poison,
}

/// What the server did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Did {
    /// What was asked.
    Ran,
    /// Nothing.
    Refused,
    /// Nothing yet: EXEC will say.
    Queued,
}

impl Line {
    /// The first tag whose bytes the client has taken.
    pub(super) fn told(&self) -> Option<Tag> {
        self.tags.front().copied().filter(|tag| tag.end <= self.down.taken_total())
    }

    /// Ends both directions; unread bytes are lost, but those on their way up only if `all`.
    pub(super) fn reset(&mut self, all: bool) {
        self.broken = true;
        self.down.lose();
        if all {
            self.up.lose();
            self.session.over = true;
        }
    }

    /// Whether the server will do nothing more here.
    pub(super) fn is_done(&self) -> bool {
        self.session.over || self.vanishes || self.up.is_empty() && !self.held
    }

    /// The server closes its side.
    pub(super) fn finish(&mut self) {
        self.session.over = true;
        self.finished = true;
    }
}
