//! The pool over memory of its caller.

use super::config::{Config, Rules};
use super::dial::Dials;
use super::machine::{Machine, State};
use super::{Action, Age, DialCode, Got, Id, Place, Put, Reason, Refusal, Returned, Slot, Stats};
use super::{Unavailable, Waiter};
use crate::conn::Token;
use crate::list::{List, named};
use crate::random::Random;
use crate::time::Instant;

/// Decides which connection is lent, opened, checked and closed. See the [module](super).
///
/// `S` is memory for as many connections as there may ever be, at most 65 535, and `W` for as many callers as
/// may wait: arrays, `&mut` slices, boxes or vectors of [`Slot::EMPTY`] and [`Waiter::EMPTY`].
///
/// The calls, by who makes them:
/// - getters: `stats`, `len`, `idle_len`, `age`, `last_failure`, `is_closed`;
/// - verbs of callers: `get`, `cancel`, `put`, `remove`, `set_config`, `close`;
/// - of the driver, what it has learned: `handle_*`. What they say of a connection that is not in that
///   state changes nothing, and the answer is `false`;
/// - of the driver, what it must do: `poll` until there is nothing, after any of these calls and at `poll_timeout`.
///
/// ```
/// use respire_core::conn::Token;
/// use respire_core::pool::{Action, Config, Got, Pool, Put, Returned, Slot, Waiter};
/// use respire_core::time::Instant;
///
/// let now = Instant::ZERO;
/// let config = Config { size: 2, min_idle: 0, ..Config::DEFAULT };
/// let mut pool = Pool::new([Slot::EMPTY; 2], [Waiter::EMPTY; 8], &config, 7, now);
///
/// // Nothing is there yet: the caller waits, and a connection is dialled.
/// assert!(matches!(pool.get(now, Token(1)), Ok(Got::Waiting(_))));
/// let Some(Action::Open(id)) = pool.poll(now) else { panic!() };
/// pool.handle_opened(now, id);
/// let Some(Action::Serve { token: Token(1), id }) = pool.poll(now) else { panic!() };
///
/// // Back in order, the next caller has it at once.
/// assert_eq!(pool.put(now, id, Returned::Clean), Put::Idle);
/// let Ok(Got::Lent(again)) = pool.get(now, Token(2)) else { panic!() };
/// assert!(again.is_same_connection(id));
/// assert_eq!(pool.put(now, id, Returned::Clean), Put::Stale, "that loan is over");
/// ```
#[derive(Debug)]
pub struct Pool<S, W> {
    state: State,
    slots: S,
    line: W,
}

impl<S, W> Pool<S, W>
where
    S: AsRef<[Slot]> + AsMut<[Slot]>,
    W: AsRef<[Waiter]> + AsMut<[Waiter]>,
{
    /// A pool without connections; [`poll`](Self::poll) will want the first ones. The seed decides about
    /// everything that is left to chance.
    ///
    /// What `config` asks for is bent until it can be: `size` is one at least, and as many as there are slots at
    /// most; not more than `size`, `max_active` or `max_idle` are kept ready; pauses between dials are a
    /// millisecond at least. What is in the memory before does not matter.
    pub fn new(mut slots: S, mut line: W, config: &Config, seed: u64, now: Instant) -> Self {
        let capacity = named(slots.as_mut()).len() as u16;
        let mut state = State {
            rules: Rules::new(config, capacity),
            now,
            idle: List::EMPTY,
            dialling: List::EMPTY,
            closing: List::EMPTY,
            free: List::EMPTY,
            lent: 0,
            dead: 0,
            resetting: 0,
            checking: 0,
            capacity,
            line: List::EMPTY,
            vacant: List::EMPTY,
            wake: Instant::MAX,
            dials: Dials::NEW,
            random: Random::new(seed),
            closed: false,
            stats: Stats::ZERO,
        };
        fill(&mut state, named(slots.as_mut()), named(line.as_mut()));
        Self { state, slots, line }
    }

    /// What there is and was.
    pub fn stats(&self) -> Stats {
        let state = &self.state;
        Stats {
            total: state.total(),
            idle: state.idle.len(),
            lent: state.lent,
            dialling: state.dialling.len(),
            resetting: state.resetting,
            checking: state.checking,
            closing: state.closing.len(),
            waiting: state.line.len(),
            ..state.stats
        }
    }

    /// How many connections there are, of any sort.
    pub fn len(&self) -> usize {
        usize::from(self.state.total())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.state.total() == 0
    }

    /// Whether anybody waits for a connection.
    pub fn is_awaited(&self) -> bool {
        !self.state.line.is_empty()
    }

    /// How many can be lent.
    pub fn idle_len(&self) -> usize {
        usize::from(self.state.idle.len())
    }

    /// The most there may be: `size`, as it was bent.
    pub fn limit(&self) -> usize {
        usize::from(self.state.rules.limit)
    }

    /// Since when a connection is what it is. `None`: it is no more.
    pub fn age(&self, id: Id) -> Option<Age> {
        let slot = self.slots.as_ref().get(id.index())?;
        slot.is_of(id).then_some(slot.age)
    }

    /// How the last dial failed, if none has succeeded since.
    pub fn last_failure(&self) -> Option<Unavailable> {
        self.state.dials.last()
    }

    /// Whether it was closed and all is over: no connection is left, and nobody waits.
    pub fn is_closed(&self) -> bool {
        self.state.closed && self.state.total() == 0 && self.state.line.is_empty()
    }

    /// An idle connection, if there is one to lend at once. `None`: nothing has changed, and [`get`](Self::get) has one
    /// later.
    #[inline]
    pub fn get_idle(&mut self, now: Instant) -> Option<Id> {
        self.machine().get_idle(now)
    }

    /// A connection for this caller, now or later.
    ///
    /// # Errors
    /// Why there is none: everything but [`Refusal::Timeout`]. While dials fail, [`Refusal::Unavailable`] is only
    /// for who cannot hope: as long as some connections live, one of them may come back.
    #[inline]
    pub fn get(&mut self, now: Instant, token: Token) -> Result<Got, Refusal> {
        self.machine().get(now, token)
    }

    /// A caller turns away. What is dialled for him goes on. `false`: he was served or refused before.
    pub fn cancel(&mut self, now: Instant, place: Place) -> bool {
        self.machine().cancel(now, place)
    }

    /// A caller returns what was lent to him.
    #[inline]
    pub fn put(&mut self, now: Instant, id: Id, how: Returned) -> Put {
        self.machine().put(now, id, how)
    }

    /// This connection is to be closed, whether it is lent under this name or not lent at all. `false`: it is
    /// closed already, or lent to another.
    pub fn remove(&mut self, now: Instant, id: Id, why: Reason) -> bool {
        self.machine().remove(now, id, why)
    }

    /// Other rules from now on, also for those that wait and live. What is too much is closed when it is idle
    /// or returned.
    pub fn set_config(&mut self, now: Instant, config: &Config) {
        self.machine().set_config(now, config);
    }

    /// No more connections: who waits is refused, what is lent is closed when it is returned, and all else now.
    /// Once more changes nothing.
    pub fn close(&mut self, now: Instant) {
        self.machine().close(now);
    }

    /// The dial has succeeded, and the handshake.
    pub fn handle_opened(&mut self, now: Instant, id: Id) -> bool {
        self.machine().handle_opened(now, id)
    }

    /// The dial has failed. No [`Action::Close`] follows.
    pub fn handle_open_failed(&mut self, now: Instant, id: Id, code: DialCode) -> bool {
        self.machine().handle_open_failed(now, id, code)
    }

    /// The connection has ended by itself, whatever it was doing. No [`Action::Close`] follows. If it is
    /// lent, its name stays until it is returned.
    pub fn handle_closed(&mut self, now: Instant, id: Id) -> bool {
        self.machine().handle_closed(now, id)
    }

    /// A connection that was returned is as it was when it was new, or cannot be.
    pub fn handle_reset(&mut self, now: Instant, id: Id, ok: bool) -> bool {
        self.machine().handle_reset(now, id, ok)
    }

    /// A connection has given a sign of life, or not in time.
    pub fn handle_health(&mut self, now: Instant, id: Id, ok: bool) -> bool {
        self.machine().handle_health(now, id, ok)
    }

    /// What is to be done next, if anything is.
    #[must_use]
    pub fn poll(&mut self, now: Instant) -> Option<Action> {
        self.machine().poll(now)
    }

    /// When [`poll`](Self::poll) is wanted although nothing was said. It may have nothing to do then.
    #[must_use]
    pub fn poll_timeout(&self) -> Instant {
        self.state.timeout(self.slots.as_ref(), self.line.as_ref())
    }

    #[inline]
    fn machine(&mut self) -> Machine<'_> {
        Machine { state: &mut self.state, slots: named(self.slots.as_mut()), line: self.line.as_mut() }
    }
}

/// All slots are free, and all places.
fn fill(state: &mut State, slots: &mut [Slot], line: &mut [Waiter]) {
    slots.fill(Slot::EMPTY);
    line.fill(Waiter::EMPTY);
    for at in 0..state.capacity {
        state.free.push_last(slots, at);
    }
    for at in 0..line.len() as u16 {
        state.vacant.push_last(line, at);
    }
}
