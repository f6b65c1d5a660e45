//! What a pool may do and must do, by looking at everything: the naive model.
//!
//! It keeps its own list of connections and of callers, learns from each answer what the pool has decided, and
//! says whether it was allowed to; and once the pool has nothing more to do, whether anything is left.

mod actions;
mod callers;
mod driver;
mod rules;

use std::collections::VecDeque;

use respire_core::conn::Token;
use respire_core::pool::{Config, Id, Order, Place, Pool, Reason, Slot, Stats, Waiter};
use respire_core::time::{Duration, Instant};

pub(crate) type Tested = Pool<Vec<Slot>, Vec<Waiter>>;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Phase {
    Dialling,
    Idle,
    Lent,
    Dead,
    Resetting,
    Checking,
    Closing(Reason),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Conn {
    /// Its last name.
    pub(crate) id: Id,
    pub(crate) phase: Phase,
    began: Instant,
    used: Instant,
    seen: Instant,
    expires: Instant,
}

pub(crate) struct Caller {
    pub(crate) token: Token,
    pub(crate) place: Place,
    since: Instant,
}

pub(crate) struct Model {
    pub(crate) config: Config,
    capacity: usize,
    places: usize,
    pub(crate) conns: Vec<Conn>,
    pub(crate) line: VecDeque<Caller>,
    failures: u32,
    /// The last failure that a pause followed.
    failed: Instant,
    pub(crate) closed: bool,
    counts: Stats,
    failed_reports: u64,
}

impl Model {
    pub(crate) fn new(config: Config, capacity: usize, places: usize) -> Self {
        Self {
            config,
            capacity,
            places,
            conns: Vec::new(),
            line: VecDeque::new(),
            failures: 0,
            failed: Instant::ZERO,
            closed: false,
            counts: Stats::default(),
            failed_reports: 0,
        }
    }

    pub(crate) fn count(&self, is: impl Fn(Phase) -> bool) -> usize {
        self.conns.iter().filter(|conn| is(conn.phase)).count()
    }

    fn idle(&self) -> usize {
        self.count(|phase| phase == Phase::Idle)
    }

    fn lent(&self) -> usize {
        self.count(|phase| matches!(phase, Phase::Lent | Phase::Dead))
    }

    fn limit(&self) -> usize {
        let most = usize::from(self.config.size).max(1).min(self.capacity);
        if self.config.max_active == 0 { most } else { most.min(self.config.max_active.into()) }
    }

    fn max_idle(&self) -> usize {
        if self.config.max_idle == 0 { usize::MAX } else { self.config.max_idle.into() }
    }

    fn min_idle(&self) -> usize {
        let wanted = if self.config.reuse { self.config.min_idle.into() } else { 0 };
        self.limit().min(self.max_idle()).min(wanted)
    }

    /// Connections that are not about to be closed.
    fn open(&self) -> usize {
        self.count(|phase| !matches!(phase, Phase::Closing(_)))
    }

    fn is_down(&self) -> bool {
        self.config.fail_after > 0 && self.failures >= u32::from(self.config.fail_after)
    }

    fn has_hope(&self) -> bool {
        self.count(|phase| matches!(phase, Phase::Lent | Phase::Resetting | Phase::Checking)) > 0
    }

    /// Dials that began before the last one failed may still come to something.
    fn may_come(&self) -> bool {
        let before = |conn: &Conn| conn.phase == Phase::Dialling && conn.began <= self.failed;
        self.has_hope() || self.conns.iter().any(before)
    }

    fn fail(&mut self, began: Instant, now: Instant) {
        if self.failures == 0 || began >= self.failed {
            self.failed = now;
        }
        self.failures += 1;
        self.counts.dial_errors += 1;
    }

    /// How long ago that was, if the option has a span, and it is over.
    fn is_over(since: Instant, span: Duration, now: Instant) -> bool {
        !span.is_zero() && now >= since.saturating_add(span)
    }

    fn position(&self, id: Id) -> usize {
        let found = self.conns.iter().position(|conn| conn.id.is_same_connection(id));
        found.unwrap_or_else(|| panic!("{id:?} is no connection"))
    }

    fn conn(&mut self, id: Id) -> &mut Conn {
        let at = self.position(id);
        &mut self.conns[at]
    }

    /// Whether it was lent under this name, and still is.
    fn is_lent(&self, id: Id) -> bool {
        self.conns.iter().any(|conn| conn.id == id && matches!(conn.phase, Phase::Lent | Phase::Dead))
    }

    fn idle_by_use(&self) -> Vec<Conn> {
        let mut idle: Vec<_> = self.conns.iter().filter(|conn| conn.phase == Phase::Idle).copied().collect();
        idle.sort_by_key(|conn| conn.used);
        idle
    }

    /// Whether nobody has used it for too long.
    fn is_unused(&self, conn: &Conn, now: Instant) -> bool {
        Self::is_over(conn.used, self.config.idle_time, now) && self.idle() > self.min_idle()
    }

    /// Those that nobody uses are to be closed.
    fn reap(&mut self, now: Instant) {
        for conn in self.idle_by_use() {
            if self.is_unused(&conn, now) {
                self.conn(conn.id).phase = Phase::Closing(Reason::Idle);
            }
        }
    }

    /// And those that are too many, unless somebody waits.
    fn thin_out(&mut self) {
        let surplus = self.idle().saturating_sub(self.max_idle());
        for conn in self.idle_by_use().into_iter().take(if self.line.is_empty() { surplus } else { 0 }) {
            self.conn(conn.id).phase = Phase::Closing(Reason::Surplus);
        }
    }

    /// The idle connection that is to be lent; those that are too old are to be closed.
    fn candidate(&mut self, now: Instant) -> Option<Id> {
        self.reap(now);
        let mut idle = self.idle_by_use();
        if self.config.order == Order::Lifo {
            idle.reverse();
        }
        for conn in idle {
            if now < conn.expires {
                return Some(conn.id);
            }
            self.conn(conn.id).phase = Phase::Closing(Reason::Lifetime);
        }
        None
    }

    /// Why a connection is not kept that could become idle.
    fn surplus(&self, expires: Instant, now: Instant) -> Option<Reason> {
        if self.closed {
            Some(Reason::Shutdown)
        } else if self.open() > self.limit() {
            Some(Reason::Surplus)
        } else if now >= expires {
            Some(Reason::Lifetime)
        } else if self.idle() >= self.max_idle() && self.line.is_empty() {
            Some(Reason::Surplus)
        } else {
            None
        }
    }

    fn rest(&mut self, id: Id, now: Instant, surplus: Option<Reason>) {
        let at = self.position(id);
        let mut conn = self.conns.remove(at);
        (conn.used, conn.seen) = (now, now);
        conn.phase = surplus.map_or(Phase::Idle, Phase::Closing);
        self.conns.push(conn);
    }
}
