//! What holds after every call, and when nothing more is to be done.

use respire_core::pool::{Age, Stats};
use respire_core::time::{Duration, Instant};

use super::{Model, Phase, Tested};

impl Model {
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
