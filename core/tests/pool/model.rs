//! What a pool may do and must do, by looking at everything: the naive model.
//!
//! It keeps its own list of connections and of callers, learns from each answer what the pool has decided, and
//! says whether it was allowed to; and once the pool has nothing more to do, whether anything is left.

use std::collections::VecDeque;

use respire_core::conn::Token;
use respire_core::pool::{Action, Age, Config, Got, Id, Order, Place, Pool, Put, Reason, Refusal};
use respire_core::pool::{Returned, Slot, Stats, Waiter};
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

    pub(crate) fn get(&mut self, now: Instant, token: Token, got: Result<Got, Refusal>) {
        let at_once = if self.line.is_empty() && !self.closed { self.candidate(now) } else { None };
        let active = self.lent() + self.line.len();
        match got {
            Ok(Got::Lent(id)) => {
                assert!(
                    at_once.is_some_and(|wanted| wanted.is_same_connection(id)),
                    "{id:?}, not {at_once:?}"
                );
                self.counts.hits += 1;
                return self.lend(now, id);
            }
            _ => assert_eq!(at_once, None, "{got:?}"),
        }
        self.counts.misses += 1;
        let wanted = if self.closed {
            Some(Refusal::Closed)
        } else if self.config.max_active > 0 && active >= usize::from(self.config.max_active) {
            Some(Refusal::Exhausted)
        } else if self.is_down() && !self.may_come() && self.idle() == 0 {
            None
        } else if self.line.len() == self.places {
            Some(Refusal::Full)
        } else {
            let Ok(Got::Waiting(place)) = got else { panic!("{got:?}") };
            assert!(self.line.iter().all(|other| other.place != place), "a place for two");
            self.line.push_back(Caller { token, place, since: now });
            self.counts.waits += 1;
            return;
        };
        match (got, wanted) {
            (Err(Refusal::Unavailable(why)), None) => assert_eq!(why.failures, self.failures),
            (Err(why), Some(wanted)) => assert_eq!(why, wanted),
            _ => panic!("{got:?}, not {wanted:?}"),
        }
    }

    fn lend(&mut self, now: Instant, id: Id) {
        let conn = self.conn(id);
        assert_eq!(conn.phase, Phase::Idle, "lent twice");
        assert_ne!(conn.id, id, "a name for two loans");
        (conn.id, conn.phase, conn.used) = (id, Phase::Lent, now);
        assert!(self.lent() <= self.limit());
    }

    pub(crate) fn cancel(&mut self, now: Instant, place: Place, done: bool) {
        let at = self.line.iter().position(|caller| caller.place == place);
        assert_eq!(done, at.is_some());
        if let Some(caller) = at.and_then(|at| self.line.remove(at)) {
            self.count_wait(now, &caller);
        }
    }

    fn count_wait(&mut self, now: Instant, caller: &Caller) {
        self.counts.wait_time += now.as_micros() - caller.since.as_micros();
    }

    pub(crate) fn put(&mut self, now: Instant, id: Id, how: Returned, put: Put) {
        if !self.is_lent(id) {
            return assert_eq!(put, Put::Stale);
        }
        let conn = *self.conn(id);
        if conn.phase == Phase::Dead {
            assert_eq!(put, Put::Gone);
            return self.end(id, Some(Reason::Lost));
        }
        let why = match how {
            Returned::Broken => Some(Reason::Broken),
            _ if !self.config.reuse && !self.closed => Some(Reason::NotReused),
            _ => self.surplus(conn.expires, now),
        };
        match (why, how) {
            (Some(why), _) => {
                self.conn(id).phase = Phase::Closing(why);
                assert_eq!(put, Put::Closing);
            }
            (None, Returned::NeedsReset) => {
                self.conn(id).phase = Phase::Resetting;
                assert_eq!(put, Put::Resetting);
            }
            (None, _) => {
                self.rest(id, now, None);
                assert_eq!(put, Put::Idle);
            }
        }
    }

    pub(crate) fn remove(&mut self, id: Id, why: Reason, done: bool) {
        let found = self.conns.iter().find(|conn| conn.id.is_same_connection(id)).copied();
        let may = |conn: &Conn| match conn.phase {
            Phase::Lent | Phase::Dead => conn.id == id,
            Phase::Closing(_) => false,
            _ => true,
        };
        assert_eq!(done, found.as_ref().is_some_and(may));
        match found {
            Some(Conn { phase: Phase::Dead, .. }) if done => self.end(id, Some(Reason::Lost)),
            Some(_) if done => self.conn(id).phase = Phase::Closing(why),
            _ => {}
        }
    }

    pub(crate) fn close(&mut self) {
        self.closed = true;
        for conn in &mut self.conns {
            if !matches!(conn.phase, Phase::Lent | Phase::Dead | Phase::Closing(_)) {
                conn.phase = Phase::Closing(Reason::Shutdown);
            }
        }
    }

    pub(crate) fn set_config(&mut self, config: Config, pool: &Tested) {
        self.config = config;
        for conn in &mut self.conns {
            if let Some(Age { expires, .. }) = pool.age(conn.id) {
                conn.expires = expires;
            }
        }
        self.check_lifetimes();
        while self.open() > self.limit() {
            let idle = self.conns.iter().filter(|conn| conn.phase == Phase::Idle);
            let Some(&Conn { id, .. }) = idle.min_by_key(|conn| conn.used) else { break };
            self.conn(id).phase = Phase::Closing(Reason::Surplus);
        }
    }

    /// Lifetimes end by chance, within bounds.
    fn check_lifetimes(&self) {
        let lifetime = self.config.lifetime;
        for conn in
            self.conns.iter().filter(|conn| !matches!(conn.phase, Phase::Dialling | Phase::Closing(_)))
        {
            if lifetime.is_zero() {
                assert_eq!(conn.expires, Instant::MAX);
                continue;
            }
            let jitter = lifetime.mul_f64(f64::from(self.config.lifetime_jitter.min(100)) / 100.0);
            let earliest = conn.began.saturating_add(lifetime.saturating_sub(jitter));
            assert!((earliest..=conn.began.saturating_add(lifetime)).contains(&conn.expires), "{conn:?}");
        }
    }

    /// Whether what the driver says is of any meaning.
    fn told(&mut self, id: Id, phase: Phase, done: bool) -> bool {
        let found = self.conns.iter().find(|conn| conn.id.is_same_connection(id)).copied();
        assert_eq!(done, found.is_some_and(|conn| conn.phase == phase), "{found:?}");
        done
    }

    pub(crate) fn opened(&mut self, now: Instant, id: Id, done: bool, pool: &Tested) {
        if !self.told(id, Phase::Dialling, done) {
            return;
        }
        self.failures = 0;
        let expires = pool.age(id).expect("opened").expires;
        (self.conn(id).began, self.conn(id).expires) = (now, expires);
        let surplus = self.surplus(expires, now);
        self.rest(id, now, surplus);
        self.check_lifetimes();
    }

    pub(crate) fn open_failed(&mut self, now: Instant, id: Id, done: bool) {
        if self.told(id, Phase::Dialling, done) {
            let began = self.conn(id).began;
            self.fail(began, now);
            self.failed_reports += 1;
            self.end(id, None);
        }
    }

    pub(crate) fn closed(&mut self, now: Instant, id: Id, done: bool) {
        let found = self.conns.iter().find(|conn| conn.id.is_same_connection(id)).copied();
        let Some(conn) = found else { return assert!(!done) };
        assert_eq!(done, conn.phase != Phase::Dead);
        match conn.phase {
            Phase::Dead => {}
            Phase::Lent => self.conn(id).phase = Phase::Dead,
            Phase::Dialling => self.open_failed(now, id, true),
            Phase::Closing(why) => self.end(id, Some(why)),
            Phase::Idle | Phase::Resetting | Phase::Checking => {
                self.counts.stale += 1;
                self.end(id, Some(Reason::Lost));
            }
        }
    }

    pub(crate) fn reset(&mut self, now: Instant, id: Id, ok: bool, done: bool) {
        if self.told(id, Phase::Resetting, done) {
            let why = if ok {
                self.surplus(self.conns[self.position(id)].expires, now)
            } else {
                Some(Reason::Broken)
            };
            self.rest(id, now, why);
        }
    }

    pub(crate) fn health(&mut self, now: Instant, id: Id, ok: bool, done: bool) {
        if self.told(id, Phase::Checking, done) {
            self.counts.stale += u64::from(!ok);
            let conn = *self.conn(id);
            let why = if ok { self.surplus(conn.expires, now) } else { Some(Reason::Stale) };
            let conn = self.conn(id);
            conn.phase = why.map_or(Phase::Idle, Phase::Closing);
            conn.seen = now;
        }
    }

    fn end(&mut self, id: Id, why: Option<Reason>) {
        let at = self.position(id);
        self.conns.remove(at);
        if let Some(why) = why {
            self.counts.closed_by[why as usize] += 1;
        }
    }

    pub(crate) fn act(&mut self, now: Instant, action: Action) {
        self.expire_dials(now);
        self.thin_out();
        self.reap(now);
        match action {
            Action::Open(id) => self.open_one(now, id),
            Action::Close(id, why) => self.close_one(now, id, why),
            Action::Ping(id) => self.ping(now, id),
            Action::Serve { token, id } => {
                assert!(!self.closed);
                let wanted = self.candidate(now);
                assert!(wanted.is_some_and(|wanted| wanted.is_same_connection(id)), "{id:?}, not {wanted:?}");
                self.lend(now, id);
                self.answer(now, token);
            }
            Action::Refuse { token, why } => {
                let down = self.is_down() && !self.may_come();
                if !self.closed {
                    assert_eq!(self.candidate(now), None, "refused beside an idle one");
                }
                let waited = self.answer(now, token);
                match why {
                    Refusal::Closed => assert!(self.closed),
                    Refusal::Unavailable(why) => assert_eq!((down, why.failures), (true, self.failures)),
                    Refusal::Timeout { waited: told, size, in_use } => {
                        assert!(!self.closed && !down);
                        let numbers = (told, usize::from(size), usize::from(in_use));
                        assert_eq!(numbers, (waited, self.limit(), self.lent()));
                        assert!(!self.config.wait_timeout.is_zero());
                        assert!(Duration::from_micros(waited) >= self.config.wait_timeout);
                        self.counts.timeouts += 1;
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
    }

    /// The oldest of those who wait, and nobody else.
    fn answer(&mut self, now: Instant, token: Token) -> u64 {
        let caller = self.line.pop_front().expect("somebody waits");
        assert_eq!(caller.token, token, "not the oldest");
        self.count_wait(now, &caller);
        now.as_micros() - caller.since.as_micros()
    }

    fn expire_dials(&mut self, now: Instant) {
        for at in 0..self.conns.len() {
            let conn = self.conns[at];
            if conn.phase == Phase::Dialling && Self::is_over(conn.began, self.config.dial_timeout, now) {
                self.conns[at].phase = Phase::Closing(Reason::DialTimeout);
                self.fail(conn.began, now);
            }
        }
    }

    fn dialling(&self) -> usize {
        self.count(|phase| phase == Phase::Dialling)
    }

    fn wants_dial(&self) -> bool {
        let ready = self.count(|phase| matches!(phase, Phase::Idle | Phase::Checking | Phase::Dialling));
        let dialling = self.dialling();
        !self.closed
            && self.conns.len() < self.limit()
            && (self.line.len() > dialling
                || ready < self.min_idle() + self.line.len()
                || (dialling == 0 && self.is_down()))
    }

    fn open_one(&mut self, now: Instant, id: Id) {
        assert!(self.wants_dial(), "a dial for nobody");
        assert!(self.failures == 0 || self.dialling() == 0, "one at a time while they fail");
        assert!(self.config.max_dials == 0 || self.dialling() < usize::from(self.config.max_dials));
        assert!(self.conns.iter().all(|conn| conn.id.index() != id.index()), "a slot for two");
        assert!(id.index() < self.capacity);
        let expires = Instant::MAX;
        self.conns.push(Conn { id, phase: Phase::Dialling, began: now, used: now, seen: now, expires });
        assert!(self.conns.len() <= self.limit());
        self.counts.dials += 1;
    }

    /// What was to be closed, or is idle and too old.
    fn close_one(&mut self, now: Instant, id: Id, why: Reason) {
        let conn = *self.conn(id);
        match conn.phase {
            Phase::Idle => assert!(why == Reason::Lifetime && now >= conn.expires),
            phase => assert_eq!(phase, Phase::Closing(why)),
        }
        self.end(id, Some(why));
    }

    fn ping(&mut self, now: Instant, id: Id) {
        let checking = self.count(|phase| phase == Phase::Checking);
        let conn = *self.conn(id);
        assert_eq!(conn.phase, Phase::Idle);
        assert!(Self::is_over(conn.seen, self.config.health_interval, now), "{conn:?}");
        let silent =
            |other: &Conn| other.phase == Phase::Idle && now < other.expires && other.seen < conn.seen;
        assert!(!self.conns.iter().any(silent), "another is silent for longer");
        assert!(self.line.is_empty() && (checking == 0 || checking < self.idle()));
        self.conn(id).phase = Phase::Checking;
    }

    /// What holds after every call.
    pub(crate) fn check(&self, stats: &Stats) {
        let sum = stats.idle + stats.lent + stats.dialling + stats.resetting + stats.checking + stats.closing;
        assert_eq!(stats.total, sum, "a permit is lost: {stats:?}");
        let count = |is: fn(Phase) -> bool| self.count(is) as u16;
        assert_eq!(usize::from(stats.total), self.conns.len());
        let wanted = Stats {
            total: self.conns.len() as u16,
            idle: self.idle() as u16,
            lent: self.lent() as u16,
            dialling: self.dialling() as u16,
            resetting: count(|phase| phase == Phase::Resetting),
            checking: count(|phase| phase == Phase::Checking),
            closing: count(|phase| matches!(phase, Phase::Closing(_))),
            waiting: self.line.len() as u16,
            ..self.counts
        };
        assert_eq!(*stats, wanted);
        let closed: u64 = stats.closed_by.iter().sum();
        assert_eq!(stats.dials, u64::from(stats.total) + self.failed_reports + closed, "{stats:?}");
    }

    /// What holds when nothing more is to be done.
    pub(crate) fn check_quiet(&mut self, now: Instant, pool: &Tested) {
        self.expire_dials(now);
        let idle = self.idle();
        assert_eq!(self.count(|phase| matches!(phase, Phase::Closing(_))), 0, "one is not closed");
        assert!(idle == 0 || self.line.is_empty(), "somebody waits beside an idle one");
        assert!(self.line.is_empty() || !self.closed);
        assert!(idle <= self.max_idle() && (idle == 0 || self.open() <= self.limit()));
        if self.is_down() && !self.may_come() {
            assert!(self.line.is_empty());
        }
        if let Some(oldest) = self.line.front() {
            assert!(!Self::is_over(oldest.since, self.config.wait_timeout, now));
        }
        let checking = self.count(|phase| phase == Phase::Checking);
        for conn in self.conns.iter().filter(|conn| conn.phase == Phase::Idle) {
            assert!(now < conn.expires && !self.is_unused(conn, now), "{conn:?}");
            let silent = Self::is_over(conn.seen, self.config.health_interval, now);
            assert!(!silent || checking > 0, "{conn:?} is not checked");
        }
        let gated = self.config.max_dials > 0 && self.dialling() >= usize::from(self.config.max_dials);
        if self.wants_dial() && self.failures == 0 && !gated {
            panic!("nobody dials");
        }
        let timeout = pool.poll_timeout();
        assert!(timeout > now, "it would be asked again and again");
        if self.wants_dial() && self.failures > 0 && self.dialling() == 0 {
            let pause = self.config.backoff_cap.max(self.config.backoff_base).max(Duration::from_millis(1));
            assert!(timeout <= now.saturating_add(pause));
        }
        for conn in &self.conns {
            let Age { used, seen, .. } = pool.age(conn.id).expect("it is there");
            let known = matches!(conn.phase, Phase::Resetting) || (used, seen) == (conn.used, conn.seen);
            assert!(known, "{conn:?} {used:?} {seen:?}");
        }
        assert_eq!(pool.is_closed(), self.closed && self.conns.is_empty());
    }

    /// The latest time at which the pool must want to be asked again.
    pub(crate) fn next(&self) -> Instant {
        let after = |since: Instant, span: Duration| match span {
            Duration::ZERO => Instant::MAX,
            span => since.saturating_add(span),
        };
        let mut next = Instant::MAX;
        let idle = self.idle();
        let checking = self.count(|phase| phase == Phase::Checking);
        for conn in &self.conns {
            match conn.phase {
                Phase::Dialling => next = next.min(after(conn.began, self.config.dial_timeout)),
                Phase::Idle => {
                    next = next.min(conn.expires);
                    if idle > self.min_idle() {
                        next = next.min(after(conn.used, self.config.idle_time));
                    }
                    if checking == 0 {
                        next = next.min(after(conn.seen, self.config.health_interval));
                    }
                }
                _ => {}
            }
        }
        if let Some(oldest) = self.line.front() {
            next = next.min(after(oldest.since, self.config.wait_timeout));
        }
        next
    }
}
