//! The engine's state.

use core::fmt;

use super::Config;
use super::arena::Arena;
use super::call::{Calls, NIL};
use super::lane::{Lane, SPARE};
use super::link::{Link, Role};
use super::memory::{Memory, Parts};
use super::site::Subscriptions;
use crate::buffer::Storage;
use crate::conn::CloseReason;
use crate::flaw::flaw;
use crate::hook::Hook;
use crate::pool::{self, Id, Pool};
use crate::random::Random;
use crate::retry::{Breaker, BreakerState, Bucket, Budget};
use crate::time::{Duration, Instant};

/// Requests over connections that come and go. See the [module](super).
///
/// `M` is its [`Memory`], `F` how many requests a connection has in flight.
///
/// - **Verbs** are for what the application wants: [`submit`](Self::submit), [`cancel`](Self::cancel),
///   [`pipeline`](Self::pipeline), [`subscribe`](Self::subscribe), [`unsubscribe`](Self::unsubscribe),
///   [`lease`](Self::lease), [`release`](Self::release), [`reconfigure`](Self::reconfigure),
///   [`renew`](Self::renew), [`close`](Self::close);
/// - **`handle_*`** tell what the driver learned from sockets and the clock;
/// - **`poll_*`** say what has happened, and what the driver must do: poll events, then actions, until there are
///   none of either; then bytes.
pub struct Engine<M: Memory<F>, const F: usize, H = ()> {
    pub(super) links: M::Links,
    pub(super) pool: Pool<M::Slots, M::Line>,
    pub(super) calls: Calls<M::Calls>,
    pub(super) arena: Arena<M::Bytes>,
    pub(super) subs: Subscriptions<M::Names, M::Entries>,
    pub(super) config: Config,
    /// The last one is for a connection that is to be replaced.
    pub(super) lanes: [Lane; SPARE + 1],
    /// Databases that were refused are left alone until then.
    pub(super) barred_until: Instant,
    pub(super) budget: Budget,
    pub(super) breaker: Breaker,
    pub(super) dials: Bucket,
    pub(super) random: Random,
    pub(super) now: Instant,
    /// Nothing that the pool does not know of is due before.
    pub(super) wake: Instant,
    /// The next dial may begin.
    pub(super) open_at: Instant,
    /// Dials since the last that has succeeded.
    pub(super) attempts: u32,
    /// Connections to be dialled, and to be closed, by the driver.
    pub(super) to_open: u16,
    pub(super) to_close: u16,
    /// Connections that have said hello, and are not over.
    pub(super) open: u16,
    /// How the last of them has ended, unless that was told.
    pub(super) lost: Option<CloseReason<'static>>,
    /// Connections that may have something to tell: a list through the links.
    pub(super) news: (u16, u16),
    /// Connections to which something may have been written: the same.
    pub(super) unsent: u16,
    /// The pool may have something to say, and will have then.
    pub(super) stirred: bool,
    pub(super) pool_due: Instant,
    pub(super) was_ready: bool,
    /// The last call that is not over of the pipeline that is being put together.
    pub(super) tail: u16,
    pub(super) closing: bool,
    /// Wishes and leases of loaders: while there are any, the pool is not closed.
    pub(super) loaders: u16,
    /// Then nothing is waited for any more.
    pub(super) drain_by: Instant,
    pub(super) stats: Stats,
    pub(super) hook: H,
    /// While a request is taken: arguments of so many bytes need not be copied.
    pub(super) lends_from: usize,
    /// The connection that is owed one.
    pub(super) owing: u16,
    /// The connection that the last answer came from.
    pub(super) answering: u16,
}

/// So long nobody has used a connection that gives its memory back: who uses it often never waits for memory.
pub(super) const REST: Duration = Duration::from_secs(1);

/// Where an engine is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Life {
    /// It has done nothing yet.
    New,
    /// It has no connection yet.
    Connecting,
    /// It has had one.
    Ready,
    /// It was closed, and waits for the last answers.
    Draining,
    /// It is over.
    Closed,
}

/// What an engine has done. The counters wrap.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Stats {
    /// Requests taken.
    pub requests: u64,
    /// Requests answered, with an error or not.
    pub answered: u64,
    /// Requests that failed.
    pub failed: u64,
    /// Attempts behind the first ones, of what was sent before.
    pub retries: u64,
    /// Attempts of what was not sent the last time.
    pub moved: u64,
    /// Requests sent without being kept, for lack of room.
    pub unkept: u64,
    /// Pushes that were dropped: larger than the receive buffer or the limits, which is a gap for all subscriptions
    /// there; or messages in name only.
    pub skipped: u64,
}

impl<M: Memory<F>, const F: usize> Engine<M, F> {
    /// An engine without connections; [`poll_action`](Self::poll_action) wants the first ones.
    pub fn new(memory: M, config: &Config, now: Instant) -> Self {
        Self::with_hook(memory, config, (), now)
    }
}

impl<M: Memory<F>, const F: usize, H: Hook> Engine<M, F, H> {
    /// The same with a hook around each attempt of a command: it is told of names, sizes and times, and may refuse.
    pub fn with_hook(memory: M, config: &Config, hook: H, now: Instant) -> Self {
        let Parts { links, slots, line, calls, bytes, names, entries } = memory.split(config.connection);
        let mut random = Random::new(config.seed);
        let pool = Pool::new(slots, line, &config.pool, random.bits(), now);
        let lanes = config.all_lanes(pool.limit());
        let room = links.as_ref().first().map_or(0, |link| link.connection.longest_request());
        let subs = Subscriptions::new(names, entries, config, room, &mut random);
        Self {
            links,
            pool,
            calls: Calls::new(calls),
            arena: Arena::new(bytes),
            subs,
            config: Config { lanes, ..*config },
            lanes: [Lane::None; SPARE + 1],
            barred_until: now,
            budget: Budget::new(config.budget),
            breaker: Breaker::new(config.breaker),
            dials: Bucket::new(config.dials.0, config.dials.1),
            random,
            now,
            wake: Instant::MAX,
            open_at: now,
            attempts: 0,
            to_open: 0,
            to_close: 0,
            open: 0,
            lost: None,
            news: (NIL, NIL),
            unsent: NIL,
            stirred: true,
            pool_due: now,
            was_ready: false,
            tail: NIL,
            closing: false,
            loaders: 0,
            drain_by: Instant::MAX,
            stats: Stats::default(),
            hook,
            lends_from: usize::MAX,
            owing: NIL,
            answering: NIL,
        }
    }

    /// Where it is in its life.
    pub fn life(&self) -> Life {
        match (self.closing, self.was_ready) {
            (true, _) if self.pool.is_closed() && self.calls.taken == 0 && self.to_close == 0 => Life::Closed,
            (true, _) => Life::Draining,
            (false, true) => Life::Ready,
            (false, false) if self.pool.is_empty() && self.to_open == 0 => Life::New,
            (false, false) => Life::Connecting,
        }
    }

    /// How many connections have said hello, and are not known to be over.
    pub const fn open(&self) -> usize {
        self.open as usize
    }

    /// How the last connection has ended that had said hello, told once: without the text of a refusal, which
    /// [`close_reason`](Self::close_reason) may still have. What is lent is looked after by its lessee.
    pub const fn take_lost(&mut self) -> Option<CloseReason<'static>> {
        self.lost.take()
    }

    /// Whether the server is left alone, because it has failed too often.
    pub fn circuit(&self) -> BreakerState {
        self.breaker.state()
    }

    /// Whether the server answers what is asked on this connection as soon as it can: it is shared, or says hello. What
    /// may block on the server is asked elsewhere.
    pub fn is_prompt(&self, id: Id) -> bool {
        let link = self.find(id).and_then(|at| self.link(at));
        link.is_some_and(|link| matches!(link.role, Role::Lane(_) | Role::Opening))
    }

    /// What it has done.
    pub const fn stats(&self) -> Stats {
        self.stats
    }

    /// Its hook.
    pub const fn hook(&self) -> &H {
        &self.hook
    }

    /// Its hook, to change it.
    pub const fn hook_mut(&mut self) -> &mut H {
        &mut self.hook
    }

    /// Why a connection has ended: when [`Action::Close`](super::Action::Close) is told of it, and until its place is
    /// used again. A server that refuses has a reason in words.
    pub fn close_reason(&self, id: Id) -> Option<CloseReason<'_>> {
        let link = self.links.as_ref().get(id.index())?;
        link.id.filter(|own| own.is_same_connection(id))?;
        link.connection.close_reason()
    }

    /// What its pool has.
    pub fn pool_stats(&self) -> pool::Stats {
        self.pool.stats()
    }

    /// How many requests and wishes were taken whose callers were not told yet, and pipelines that a hook is to be told
    /// of.
    pub const fn pending(&self) -> usize {
        self.calls.taken as usize
    }

    /// No more requests are taken. What was not sent fails with [`pool::Refusal::Closed`]; what was sent is waited for,
    /// and leases for their return, as long as [`Config::drain`] says. A [`Loader`](super::Loader) that was closed before
    /// sends all that it has; one that was not, and has a connection or waits for one, too. Subscriptions are over at
    /// once, and nothing is told of them any more. Once more changes nothing.
    pub fn close(&mut self, now: Instant) {
        self.clock(now);
        if !core::mem::replace(&mut self.closing, true) {
            self.refuse_waiting();
            if M::SUBSCRIBES {
                self.end_subscriptions();
            }
            self.stirred = true;
            self.drain_by = self.config.drain.map_or(Instant::MAX, |drain| self.now.saturating_add(drain));
            self.wake_at(self.drain_by);
        }
    }

    pub(super) fn clock(&mut self, now: Instant) -> Instant {
        self.now = self.now.max(now);
        self.now
    }

    /// The place of a connection among the links, while it lives.
    pub(super) fn find(&self, id: Id) -> Option<u16> {
        let link = self.links.as_ref().get(id.index())?;
        let same = link.id.is_some_and(|own| own.is_same_connection(id)) && link.role != Role::None;
        same.then_some(id.index() as u16)
    }

    pub(super) fn link(&self, at: u16) -> Option<&Link<M::Storage, F>> {
        self.links.as_ref().get(usize::from(at))
    }

    pub(super) fn link_mut(&mut self, at: u16) -> Option<&mut Link<M::Storage, F>> {
        self.links.as_mut().get_mut(usize::from(at))
    }

    pub(super) fn set_role(&mut self, at: u16, role: Role) {
        if let Some(link) = self.link_mut(at) {
            link.role = role;
        }
    }

    /// Nobody uses this connection now.
    pub(super) fn put_aside(&mut self, at: u16) {
        self.set_role(at, Role::Idle);
        if M::Storage::RESTS {
            self.wake_at(self.now.saturating_add(REST));
        }
    }

    /// Something may have been written to this connection.
    #[inline]
    pub(super) fn list_unsent(&mut self, at: u16) {
        flaw!(WriteUntold => return);
        let first = self.unsent;
        if let Some(link) = self.link_mut(at)
            && !core::mem::replace(&mut link.is_unsent, true)
        {
            link.next_unsent = first;
            self.unsent = at;
        }
    }

    /// This connection may have something to tell, or to send.
    pub(super) fn list_news(&mut self, at: u16) {
        self.list_unsent(at);
        let (first, last) = self.news;
        let Some(link) = self.link_mut(at) else { return };
        if core::mem::replace(&mut link.listed, true) {
            return;
        }
        link.next = NIL;
        match self.link_mut(last) {
            Some(last) => last.next = at,
            None => self.news.0 = at,
        }
        self.news.1 = at;
        debug_assert!(first == NIL || last != NIL, "a list has two ends or none");
    }

    /// The first of them has told all.
    pub(super) fn unlist_news(&mut self) {
        let Some(link) = self.link_mut(self.news.0) else { return };
        link.listed = false;
        self.news.0 = link.next;
        if self.news.0 == NIL {
            self.news.1 = NIL;
        }
    }

    /// Something is due then.
    pub(super) fn wake_at(&mut self, at: Instant) {
        self.wake = self.wake.min(at);
    }
}

/// What each connection is used for.
struct Roles<'l, S: Storage, const F: usize>(&'l [Link<S, F>]);

impl<S: Storage, const F: usize> fmt::Debug for Roles<'_, S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|link| link.role)).finish()
    }
}

impl<M: Memory<F>, const F: usize, H: Hook> fmt::Debug for Engine<M, F, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("life", &self.life())
            .field("pending", &self.pending())
            .field("pool", &self.pool_stats())
            .field("lanes", &self.lanes)
            .field("links", &Roles(self.links.as_ref()))
            .field("calls", &self.calls)
            .field("subscriptions", &self.subs.registry)
            .finish_non_exhaustive()
    }
}
