//! What callers do, and whether the answer was right.

use respire_core::conn::Token;
use respire_core::pool::{Age, Config, Got, Id, Place, Put, Reason, Refusal, Returned};
use respire_core::time::Instant;

use super::{Caller, Conn, Model, Phase, Tested};

impl Model {
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

    pub(super) fn lend(&mut self, now: Instant, id: Id) {
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

    pub(super) fn count_wait(&mut self, now: Instant, caller: &Caller) {
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
    pub(super) fn check_lifetimes(&self) {
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
}
