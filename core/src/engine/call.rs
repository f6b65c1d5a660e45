//! One request, or one wish for a connection, from when it is taken until its caller is told.

use core::fmt;

use super::Config;
use super::arena::Kept;
use crate::command::{Command, Retry};
use crate::conn::Token;
use crate::hook::Tally;
pub(super) use crate::list::NIL;
use crate::list::{Linked, Links, List, named};
use crate::pool::{Id, Place};
use crate::retry::Pass;
use crate::time::Instant;

use super::event::Failed;

/// The name of a request that an engine has taken: for [`cancel`](super::Engine::cancel). It means nothing once its
/// caller was told how it ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Ticket {
    pub(super) index: u16,
    pub(super) generation: u32,
}

impl Ticket {
    /// The same on a connection.
    pub(super) const fn token(self) -> Token {
        Token((self.generation as u64) << 16 | self.index as u64)
    }

    /// The one behind a token of ours.
    pub(super) const fn of(token: Token) -> Self {
        Self { index: token.0 as u16, generation: (token.0 >> 16) as u32 }
    }
}

/// The memory for one request. The owner of an engine provides it, and need not look at it.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    pub(super) token: Token,
    pub(super) command: &'static Command,
    /// When its caller is told, whatever comes.
    pub(super) deadline: Instant,
    /// When it was taken.
    pub(super) since: Instant,
    /// When it goes again, while it rests; when its answer is given up, while it is sent behind another.
    pub(super) at: Instant,
    /// The connection it is on.
    pub(super) id: Option<Id>,
    /// Its place in the pool's line.
    pub(super) place: Option<Place>,
    pub(super) pass: Option<Pass>,
    pub(super) kept: Kept,
    /// For the hook: when it was sent, how long it is, and whether it knows.
    pub(super) sent: Instant,
    pub(super) bytes: u32,
    pub(super) told: bool,
    pub(super) label: Option<&'static str>,
    pub(super) generation: u32,
    pub(super) links: Links,
    pub(super) stage: Stage,
    /// The next that is free.
    pub(super) next: u16,
    /// Its neighbours in a pipeline: those before and behind it that are not over.
    pub(super) before: u16,
    pub(super) behind: u16,
    /// The pipeline's own slot, if somebody wants to know how it went.
    pub(super) group: u16,
    /// Which of the databases it is for.
    pub(super) shard: u8,
    /// How many keys it has, if its caller has counted them.
    pub(super) keys: u32,
    /// What its caller knows better than the table.
    pub(super) class: Option<Retry>,
    /// Retries so far.
    pub(super) made: u8,
    /// It has a connection for itself.
    pub(super) own: bool,
    /// The server may take its time to answer it.
    pub(super) blocks: bool,
    /// It is a wish for a connection.
    pub(super) wish: bool,
    /// It is a loader's: to close an engine does not refuse it.
    pub(super) lasting: bool,
    /// An attempt may have been executed.
    pub(super) doubtful: bool,
    /// Breaker and hook have let this attempt pass.
    pub(super) admitted: bool,
}

/// What a call is waiting for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stage {
    /// It is none.
    Free,
    /// A shared connection.
    Queued,
    /// A connection of its own, in the pool's line.
    Asking,
    /// The time to go again.
    Resting,
    /// The one before it in its pipeline to be sent, or over.
    Following,
    /// Nothing: the one before it in its pipeline is over.
    Released,
    /// An answer.
    Sent,
    /// Its caller to be told.
    Over(Over),
    /// It is no call, but remembers how those of a pipeline went.
    Group(Group),
}

/// What becomes of a pipeline.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    /// More calls may come.
    pub(super) open: bool,
    /// Calls that are not over.
    pub(super) left: u16,
    pub(super) commands: u32,
    pub(super) bytes: u64,
    pub(super) tally: Tally,
}

/// How a call ended that no connection knows of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Over {
    Failed(Failed),
    /// It was a wish for a connection, and here it is.
    Leased,
}

impl Call {
    /// Room for one.
    pub const EMPTY: Self = Self {
        token: Token(0),
        command: &Command::PROMPT,
        deadline: Instant::MAX,
        since: Instant::ZERO,
        at: Instant::ZERO,
        id: None,
        place: None,
        pass: None,
        kept: Kept::NONE,
        sent: Instant::ZERO,
        bytes: 0,
        told: false,
        label: None,
        generation: 0,
        links: Links::NONE,
        stage: Stage::Free,
        next: NIL,
        before: NIL,
        behind: NIL,
        group: NIL,
        shard: 0,
        keys: 0,
        class: None,
        made: 0,
        own: false,
        blocks: false,
        wish: false,
        lasting: false,
        doubtful: false,
        admitted: false,
    };
}

impl Default for Call {
    /// [`Call::EMPTY`].
    fn default() -> Self {
        Self::EMPTY
    }
}

impl Linked for Call {
    fn links(&mut self) -> &mut Links {
        &mut self.links
    }
}

/// All calls, and the lists that each is in one of; those that are sent or follow are in none.
pub(super) struct Calls<Q> {
    all: Q,
    lists: [List; QUEUED + Config::LANES as usize],
    /// The free ones are a stack.
    free: u16,
    /// Those that are not free.
    pub(super) taken: u16,
}

const OVER: usize = 2;
const RELEASED: usize = 3;
/// A list for each database that has shared connections.
const QUEUED: usize = 4;

impl Stage {
    /// Whether its deadline is the engine's to keep.
    pub(super) const fn is_waiting(self) -> bool {
        matches!(self, Self::Queued | Self::Asking | Self::Resting | Self::Following | Self::Released)
    }

    pub(super) const fn is_free(self) -> bool {
        matches!(self, Self::Free)
    }

    pub(super) const fn is_sent(self) -> bool {
        matches!(self, Self::Sent)
    }

    pub(super) const fn is_resting(self) -> bool {
        matches!(self, Self::Resting)
    }

    /// The list of this stage, for calls to this database.
    const fn list(self, shard: u8) -> Option<usize> {
        match self {
            Self::Asking => Some(0),
            Self::Resting => Some(1),
            Self::Over(_) => Some(OVER),
            Self::Released => Some(RELEASED),
            Self::Queued => Some(QUEUED + shard as usize),
            Self::Free | Self::Sent | Self::Following | Self::Group(_) => None,
        }
    }
}

impl<Q: AsRef<[Call]> + AsMut<[Call]>> Calls<Q> {
    pub(super) fn new(mut all: Q) -> Self {
        let slots = named(all.as_mut());
        slots.fill(Call::EMPTY);
        let mut free = NIL;
        for (at, slot) in (0..NIL).zip(slots).rev() {
            slot.next = core::mem::replace(&mut free, at);
        }
        Self { all, lists: [List::EMPTY; QUEUED + Config::LANES as usize], free, taken: 0 }
    }

    /// Makes a new one of this, in no list.
    #[inline]
    pub(super) fn take(&mut self, new: Call) -> Option<Ticket> {
        let index = self.free;
        let call = self.all.as_mut().get_mut(usize::from(index))?;
        let generation = call.generation;
        self.free = call.next;
        *call = Call { generation, stage: Stage::Sent, ..new };
        self.taken += 1;
        Some(Ticket { index, generation })
    }

    /// Gives one back; its name means nothing any more. What was kept of it is to be released.
    #[inline]
    pub(super) fn free(&mut self, index: u16) -> Kept {
        if self.at(index).is_some_and(|call| !call.stage.is_sent()) {
            self.go(index, Stage::Sent);
        }
        let Some(call) = self.all.as_mut().get_mut(usize::from(index)) else { return Kept::NONE };
        call.stage = Stage::Free;
        call.generation = call.generation.wrapping_add(1);
        call.next = core::mem::replace(&mut self.free, index);
        self.taken = self.taken.saturating_sub(1);
        core::mem::replace(&mut call.kept, Kept::NONE)
    }

    pub(super) fn at(&self, index: u16) -> Option<&Call> {
        self.all.as_ref().get(usize::from(index))
    }

    pub(super) fn at_mut(&mut self, index: u16) -> Option<&mut Call> {
        self.all.as_mut().get_mut(usize::from(index))
    }

    pub(super) fn slots(&mut self) -> &mut [Call] {
        self.all.as_mut()
    }

    pub(super) fn len(&self) -> u16 {
        u16::try_from(self.all.as_ref().len()).unwrap_or(NIL)
    }

    /// The call of this name, if it is one.
    pub(super) fn get(&self, ticket: Ticket) -> Option<&Call> {
        self.at(ticket.index).filter(|call| !call.stage.is_free() && call.generation == ticket.generation)
    }

    /// Moves it to another stage, the last of all there.
    pub(super) fn go(&mut self, index: u16, stage: Stage) {
        let Some((before, shard)) = self.at(index).map(|call| (call.stage, call.shard)) else { return };
        let slots = self.all.as_mut();
        if let Some(list) = before.list(shard).and_then(|at| self.lists.get_mut(at)) {
            list.remove(slots, index);
        }
        if let Some(list) = stage.list(shard).and_then(|at| self.lists.get_mut(at)) {
            list.push_last(slots, index);
        }
        if let Some(call) = slots.get_mut(usize::from(index)) {
            call.stage = stage;
        }
    }

    /// The one that has waited longest for a shared connection to this database.
    #[inline]
    pub(super) fn first_queued(&self, shard: u8) -> Option<u16> {
        self.lists.get(QUEUED + usize::from(shard)).and_then(List::first)
    }

    /// The next whose caller is to be told.
    pub(super) const fn first_over(&self) -> Option<u16> {
        self.lists[OVER].first()
    }

    /// The next that waits for nothing any more.
    pub(super) const fn first_released(&self) -> Option<u16> {
        self.lists[RELEASED].first()
    }

    /// How many more there may be.
    pub(super) fn room(&self) -> u16 {
        self.len().saturating_sub(self.taken)
    }
}

/// What each call that is not free waits for.
impl<Q: AsRef<[Call]>> fmt::Debug for Calls<Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let taken = self.all.as_ref().iter().filter(|call| !call.stage.is_free());
        f.debug_list().entries(taken.map(|call| (call.stage, call.deadline))).finish()
    }
}
