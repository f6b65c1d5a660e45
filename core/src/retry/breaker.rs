//! An endpoint that fails is left alone for a while.

use core::fmt;

use super::backoff::micros;
use crate::time::{Duration, Instant};

/// When a circuit opens, and how it closes again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct BreakerConfig {
    /// It opens when at least so many of a hundred requests failed…
    pub percent: u8,
    /// …of at least so many…
    pub least: u32,
    /// …in this time, which is looked at in [`Breaker::BUCKETS`] parts. No more than an hour.
    pub window: Duration,
    /// How long it stays open.
    pub open: Duration,
    /// How many requests then find out whether all is well; all of them must work. At least one.
    pub probes: u8,
}

impl Default for BreakerConfig {
    /// Half of at least 20 in ten seconds; open for five; one probe.
    fn default() -> Self {
        let (window, open) = (Duration::from_secs(10), Duration::from_secs(5));
        Self { percent: 50, least: 20, window, open, probes: 1 }
    }
}

/// A circuit breaker for one endpoint.
///
/// ```text
///            enough failed                     the time is over
///   closed ────────────────► open ◄─────────┐ ┌───────────────► half-open
///      ▲                      └──────────────┼─┘                   │  │
///      │                                     └──── a probe failed ─┘  │
///      └───────────────────── all probes worked ─────────────────────┘
/// ```
/// Whoever wants to send asks [`admit`](Self::admit), and says with the [`Pass`] what became of it. Without a configuration
/// everything is admitted and nothing counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Breaker {
    config: Option<BreakerConfig>,
    /// How long a bucket is, in microseconds.
    span: u64,
    /// When the newest bucket began.
    start: Instant,
    /// A ring; `newest` is where the newest is.
    buckets: [Count; Self::BUCKETS],
    newest: u8,
    /// Of all buckets.
    sum: Count,
    state: State,
    /// Passes of an earlier one say nothing any more.
    epoch: u32,
    now: Instant,
    stats: BreakerStats,
}

/// Requests that were resolved, and those of them that failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Count {
    all: u32,
    failed: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Closed,
    Open {
        until: Instant,
    },
    /// `free` probes may still be admitted, `left` must still work.
    HalfOpen {
        free: u8,
        left: u8,
        since: Instant,
    },
}

/// How a circuit stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum BreakerState {
    /// Everything is admitted.
    Closed,
    /// Nothing is.
    Open,
    /// Probes are.
    HalfOpen,
}

/// What a [`Breaker`] has done; the counters wrap.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct BreakerStats {
    /// How often it opened, from closed and from half-open.
    pub opened: u32,
    /// How often it closed again.
    pub closed: u32,
    /// How many requests it refused.
    pub refused: u32,
}

/// That a request was admitted. Give it back with what became of the request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use = "a probe that is never told about keeps its place"]
pub struct Pass {
    epoch: u32,
}

/// What became of a request, as far as the health of its endpoint is concerned.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Verdict {
    /// The endpoint works: it answered, be it with an error of the caller's.
    Works,
    /// It does not: no connection, no answer, or one that it cannot serve anyone.
    Fails,
    /// Nothing was learned, since the request was not sent after all.
    Nothing,
}

/// The circuit is open: nothing was sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct CircuitOpen {
    /// When to try again.
    pub retry_in: Duration,
}

impl Breaker {
    /// In how many parts the window is looked at.
    pub const BUCKETS: usize = 10;

    /// A closed circuit; `None` for one that never opens.
    pub const fn new(config: Option<BreakerConfig>) -> Self {
        let span = match &config {
            Some(config) => span(config.window),
            None => 0,
        };
        let none = Count { all: 0, failed: 0 };
        Self {
            config,
            span,
            start: Instant::ZERO,
            buckets: [none; Self::BUCKETS],
            newest: 0,
            sum: none,
            state: State::Closed,
            epoch: 0,
            now: Instant::ZERO,
            stats: BreakerStats { opened: 0, closed: 0, refused: 0 },
        }
    }

    /// What it has done so far.
    pub const fn stats(&self) -> BreakerStats {
        self.stats
    }

    /// How it stands; as of the last call that said the time.
    pub fn state(&self) -> BreakerState {
        match self.state {
            State::Closed => BreakerState::Closed,
            State::Open { until } if self.now < until => BreakerState::Open,
            State::Open { .. } | State::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    /// When a request that waits for it should ask again; [`Instant::MAX`] if it need not wait.
    pub fn poll_timeout(&self) -> Instant {
        match (self.state, self.config) {
            (State::Open { until }, _) => until,
            (State::HalfOpen { free: 0, since, .. }, Some(config)) => after(since, config.open),
            _ => Instant::MAX,
        }
    }

    /// A request wants to be sent.
    pub fn admit(&mut self, now: Instant) -> Result<Pass, CircuitOpen> {
        let now = self.clamp(now);
        let Some(config) = self.config else { return Ok(Pass { epoch: self.epoch }) };
        let until = self.poll_timeout();
        match self.state {
            State::Closed => return Ok(Pass { epoch: self.epoch }),
            // Its time is over, or probes that nobody tells about have had theirs.
            State::Open { .. } | State::HalfOpen { free: 0, .. } if now >= until => {
                self.epoch = self.epoch.wrapping_add(1);
                let probes = config.probes.max(1);
                self.state = State::HalfOpen { free: probes, left: probes, since: now };
            }
            _ => {}
        }
        if let State::HalfOpen { free, .. } = &mut self.state
            && let Some(fewer) = free.checked_sub(1)
        {
            *free = fewer;
            return Ok(Pass { epoch: self.epoch });
        }
        self.stats.refused = self.stats.refused.wrapping_add(1);
        Err(CircuitOpen { retry_in: until.saturating_since(now) })
    }

    /// What became of a request that was admitted. A pass from before the circuit last opened or half-opened says nothing.
    pub fn handle_verdict(&mut self, now: Instant, pass: Pass, verdict: Verdict) {
        let now = self.clamp(now);
        let Some(config) = self.config else { return };
        if pass.epoch != self.epoch {
            return;
        }
        match &mut self.state {
            State::Open { .. } => {}
            State::Closed => self.count(now, config, verdict),
            State::HalfOpen { free, left, .. } => match verdict {
                Verdict::Nothing => *free = free.saturating_add(1),
                Verdict::Fails => self.open(now, config),
                Verdict::Works => {
                    *left = left.saturating_sub(1);
                    if *left == 0 {
                        self.close();
                    }
                }
            },
        }
    }

    fn count(&mut self, now: Instant, config: BreakerConfig, verdict: Verdict) {
        self.advance(now);
        let failed = match verdict {
            Verdict::Nothing => return,
            Verdict::Works => 0,
            Verdict::Fails => 1,
        };
        let one = Count { all: 1, failed };
        self.sum.add(one);
        if let Some(bucket) = self.buckets.get_mut(usize::from(self.newest)) {
            bucket.add(one);
        }
        let Count { all, failed } = self.sum;
        let enough = u64::from(failed) * 100 >= u64::from(config.percent) * u64::from(all);
        if failed > 0 && all >= config.least && enough {
            self.open(now, config);
        }
    }

    /// Forgets what is older than the window.
    fn advance(&mut self, now: Instant) {
        for _ in 0..Self::BUCKETS {
            let end = self.start.as_micros().saturating_add(self.span);
            if now.as_micros() < end {
                return;
            }
            self.start = Instant::from_micros(end);
            let next = self.newest + 1;
            self.newest = if usize::from(next) < Self::BUCKETS { next } else { 0 };
            if let Some(bucket) = self.buckets.get_mut(usize::from(self.newest)) {
                self.sum.remove(core::mem::take(bucket));
            }
        }
        // All of it was older. The buckets begin anew.
        self.start = now;
    }

    fn open(&mut self, now: Instant, config: BreakerConfig) {
        self.stats.opened = self.stats.opened.wrapping_add(1);
        self.epoch = self.epoch.wrapping_add(1);
        self.state = State::Open { until: after(now, config.open) };
    }

    /// What was counted before is not held against it.
    fn close(&mut self) {
        self.stats.closed = self.stats.closed.wrapping_add(1);
        self.epoch = self.epoch.wrapping_add(1);
        self.state = State::Closed;
        self.buckets = [Count::default(); Self::BUCKETS];
        self.sum = Count::default();
    }

    fn clamp(&mut self, now: Instant) -> Instant {
        self.now = now.max(self.now);
        self.now
    }
}

impl Count {
    fn add(&mut self, other: Self) {
        self.all = self.all.saturating_add(other.all);
        self.failed = self.failed.saturating_add(other.failed);
    }

    fn remove(&mut self, other: Self) {
        self.all = self.all.saturating_sub(other.all);
        self.failed = self.failed.saturating_sub(other.failed);
    }
}

impl Default for Breaker {
    /// One that never opens.
    fn default() -> Self {
        Self::new(None)
    }
}

/// A tenth of the window, which has less than 32 bits of microseconds.
const fn span(window: Duration) -> u64 {
    let hour = 3_600_000_000;
    let window = micros(window);
    let window = if window > hour { hour as u32 } else { window as u32 };
    match window / Breaker::BUCKETS as u32 {
        0 => 1,
        tenth => tenth as u64,
    }
}

fn after(now: Instant, span: Duration) -> Instant {
    Instant::from_micros(now.as_micros().saturating_add(micros(span)))
}

impl fmt::Display for CircuitOpen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the circuit is open: try again in {} ms", self.retry_in.as_millis())
    }
}

impl core::error::Error for CircuitOpen {}

#[cfg(test)]
mod tests {
    use super::*;

    const fn t(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    /// `count` requests at this time, all with this verdict.
    fn run(breaker: &mut Breaker, now: Instant, count: usize, verdict: Verdict) {
        for _ in 0..count {
            let pass = breaker.admit(now).unwrap();
            breaker.handle_verdict(now, pass, verdict);
        }
    }

    /// S1-ERR-08: half of at least 20 in ten seconds opens it for five; then a probe decides.
    #[test]
    fn breaker() {
        let mut breaker = Breaker::new(Some(BreakerConfig::default()));
        run(&mut breaker, t(0), 10, Verdict::Works);
        run(&mut breaker, t(1000), 9, Verdict::Fails);
        assert_eq!(breaker.state(), BreakerState::Closed);
        let pass = breaker.admit(t(1500)).unwrap();
        let late = breaker.admit(t(1500)).unwrap();
        breaker.handle_verdict(t(2000), pass, Verdict::Fails);
        assert_eq!(breaker.state(), BreakerState::Open);
        assert_eq!(breaker.poll_timeout(), t(7000));
        assert_eq!(breaker.admit(t(3000)), Err(CircuitOpen { retry_in: Duration::from_secs(4) }));
        // What was admitted before says nothing any more.
        breaker.handle_verdict(t(4000), late, Verdict::Works);
        assert_eq!(breaker.state(), BreakerState::Open);

        let probe = breaker.admit(t(7000)).unwrap();
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        assert_eq!(breaker.admit(t(7000)), Err(CircuitOpen { retry_in: Duration::from_secs(5) }));
        breaker.handle_verdict(t(7100), probe, Verdict::Fails);
        assert_eq!(breaker.poll_timeout(), t(12_100));
        let probe = breaker.admit(t(12_100)).unwrap();
        breaker.handle_verdict(t(12_200), probe, Verdict::Works);
        assert_eq!(breaker.state(), BreakerState::Closed);
        // It starts from nothing.
        run(&mut breaker, t(12_300), 19, Verdict::Fails);
        assert_eq!(breaker.state(), BreakerState::Closed);
        run(&mut breaker, t(12_300), 1, Verdict::Fails);
        assert_eq!(breaker.state(), BreakerState::Open);
        assert_eq!(breaker.stats(), BreakerStats { opened: 3, closed: 1, refused: 2 });
    }

    #[test]
    fn all_probes_must_work_and_none_is_lost() {
        let config = BreakerConfig { probes: 2, ..BreakerConfig::default() };
        let mut breaker = Breaker::new(Some(config));
        run(&mut breaker, t(0), 20, Verdict::Fails);
        let (a, b) = (breaker.admit(t(5000)).unwrap(), breaker.admit(t(5000)).unwrap());
        assert!(breaker.admit(t(5000)).is_err());
        // A probe that was not sent makes place for another.
        breaker.handle_verdict(t(5100), a, Verdict::Nothing);
        let c = breaker.admit(t(5100)).unwrap();
        breaker.handle_verdict(t(5200), b, Verdict::Works);
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        breaker.handle_verdict(t(5200), c, Verdict::Works);
        assert_eq!(breaker.state(), BreakerState::Closed);

        // Probes that nobody tells about do not keep it half open for ever.
        run(&mut breaker, t(6000), 20, Verdict::Fails);
        let (a, _) = (breaker.admit(t(11_000)).unwrap(), breaker.admit(t(11_000)).unwrap());
        assert_eq!(breaker.poll_timeout(), t(16_000));
        assert!(breaker.admit(t(15_999)).is_err());
        let (b, c) = (breaker.admit(t(16_000)).unwrap(), breaker.admit(t(16_000)).unwrap());
        breaker.handle_verdict(t(16_000), a, Verdict::Fails);
        breaker.handle_verdict(t(16_000), b, Verdict::Works);
        breaker.handle_verdict(t(16_000), c, Verdict::Works);
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    #[test]
    fn what_is_older_than_the_window_is_forgotten() {
        let mut breaker = Breaker::new(Some(BreakerConfig::default()));
        run(&mut breaker, t(0), 19, Verdict::Fails);
        run(&mut breaker, t(9999), 1, Verdict::Nothing);
        run(&mut breaker, t(10_000), 19, Verdict::Fails);
        assert_eq!(breaker.state(), BreakerState::Closed);
        run(&mut breaker, t(19_999), 1, Verdict::Fails);
        assert_eq!(breaker.state(), BreakerState::Open);
    }

    #[test]
    fn without_a_configuration_it_never_opens() {
        let mut breaker = Breaker::default();
        run(&mut breaker, t(0), 1000, Verdict::Fails);
        assert_eq!((breaker.state(), breaker.poll_timeout()), (BreakerState::Closed, Instant::MAX));
    }

    #[test]
    fn odd_configurations_do_no_harm() {
        let zero =
            BreakerConfig { percent: 0, least: 0, window: Duration::ZERO, open: Duration::ZERO, probes: 0 };
        let mut breaker = Breaker::new(Some(zero));
        run(&mut breaker, t(5), 100, Verdict::Works);
        assert_eq!((breaker.state(), breaker.stats().opened), (BreakerState::Closed, 0));
        run(&mut breaker, t(5), 1, Verdict::Fails);
        let probe = breaker.admit(t(5)).unwrap();
        breaker.handle_verdict(t(4), probe, Verdict::Works);
        assert_eq!(breaker.state(), BreakerState::Closed);
        let long = BreakerConfig { window: Duration::MAX, open: Duration::MAX, ..BreakerConfig::default() };
        let mut breaker = Breaker::new(Some(long));
        run(&mut breaker, t(5), 20, Verdict::Fails);
        assert_eq!(breaker.poll_timeout(), Instant::MAX);
    }
}
