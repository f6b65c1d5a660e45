//! What a pool is told before it starts, and while it runs.

use crate::time::{Duration, Instant};

/// How many connections there may be, for how long, and how new ones come.
///
/// A pool bends what makes no sense, and never fails for it: [`Pool::new`](super::Pool::new) says how.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Config {
    /// The most connections that are open at a time, those included that are being dialled.
    pub size: u16,
    /// So many idle connections are kept ready: opened at the start, and again when some are gone.
    pub min_idle: u16,
    /// A connection that is returned when so many are idle is closed. Zero: as many as there are.
    pub max_idle: u16,
    /// So many connections may be in use or waited for. Who comes beyond it is
    /// [`Exhausted`](super::Refusal::Exhausted) at once and does not wait. Zero: no such limit.
    pub max_active: u16,
    /// Whether a connection is used again. If not, each is closed when it is returned, and none is kept ready.
    pub reuse: bool,
    /// Which of the idle connections is lent first.
    pub order: Order,
    /// How long a connection may exist. It is closed when it is idle, never while it is in use. Zero: for ever.
    pub lifetime: Duration,
    /// By how much of its lifetime a connection may end early, in per cent: each by another part of it, so that
    /// those that were opened together do not end together.
    pub lifetime_jitter: u8,
    /// A connection that was idle for so long is closed, if more than `min_idle` are. Zero: never.
    pub idle_time: Duration,
    /// How long a caller may wait in the line. Zero: for ever.
    pub wait_timeout: Duration,
    /// An idle connection that was silent for so long is asked for a sign of life. Zero: never.
    pub health_interval: Duration,
    /// How long a dial may take, handshake included. Zero: as long as the driver likes.
    pub dial_timeout: Duration,
    /// How many dials may go on at a time. Zero: as many as there are slots.
    pub max_dials: u16,
    /// After so many dials in a row have failed, callers are told at once and no longer wait for the next, unless
    /// a connection lives that may come back to them. Zero: never.
    pub fail_after: u16,
    /// The longest pause after the first dial that failed. The n-th is a part of `base · 2ⁿ⁻¹`, chosen by
    /// chance. At least a millisecond.
    pub backoff_base: Duration,
    /// The longest pause between two dials.
    pub backoff_cap: Duration,
}

/// Which of the idle connections is lent first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Order {
    /// The one that was returned last: few are used, and the others may end.
    Lifo,
    /// The one that was idle longest: all are used alike.
    Fifo,
}

impl Config {
    /// 50 connections, 10 of them ready, idle ones closed after five minutes and checked every 30 seconds,
    /// callers wait up to 30 seconds.
    pub const DEFAULT: Self = Self {
        size: 50,
        min_idle: 10,
        max_idle: 0,
        max_active: 0,
        reuse: true,
        order: Order::Lifo,
        lifetime: Duration::ZERO,
        lifetime_jitter: 10,
        idle_time: Duration::from_secs(300),
        wait_timeout: Duration::from_secs(30),
        health_interval: Duration::from_secs(30),
        dial_timeout: Duration::from_secs(5),
        max_dials: 0,
        fail_after: 3,
        backoff_base: Duration::from_millis(100),
        backoff_cap: Duration::from_secs(5),
    };
}

impl Default for Config {
    /// [`Config::DEFAULT`].
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The same as the pool reads it: spans in microseconds, [`NEVER`] for those that do not end, and nothing
/// that contradicts itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// The most slots in use.
    pub(super) limit: u16,
    pub(super) min_idle: u16,
    pub(super) max_idle: u16,
    /// [`u32::MAX`] for any number.
    pub(super) max_active: u32,
    pub(super) max_dials: u16,
    pub(super) fail_after: u16,
    pub(super) reuse: bool,
    pub(super) fifo: bool,
    pub(super) lifetime: u64,
    /// What is taken off a lifetime at most.
    pub(super) jitter: u64,
    pub(super) idle_time: u64,
    pub(super) wait: u64,
    pub(super) health: u64,
    pub(super) dial: u64,
    pub(super) base: u64,
    pub(super) cap: u64,
}

/// A span without end.
pub(super) const NEVER: u64 = u64::MAX;

impl Rules {
    pub(super) fn new(config: &Config, capacity: u16) -> Self {
        let size = config.size.max(1).min(capacity);
        let or_all = |most| if most == 0 { u16::MAX } else { most };
        let limit = size.min(or_all(config.max_active));
        let max_idle = or_all(config.max_idle);
        let lifetime = span(config.lifetime);
        let base = micros(config.backoff_base).max(1000);
        Self {
            limit,
            min_idle: if config.reuse { config.min_idle.min(limit).min(max_idle) } else { 0 },
            max_idle,
            max_active: if config.max_active == 0 { u32::MAX } else { config.max_active.into() },
            max_dials: or_all(config.max_dials),
            fail_after: config.fail_after,
            reuse: config.reuse,
            fifo: config.order == Order::Fifo,
            lifetime,
            // 655 / 65536 is a per cent, without a division.
            jitter: if lifetime == NEVER {
                0
            } else {
                (lifetime >> 16) * u64::from(config.lifetime_jitter.min(100)) * 655
            },
            idle_time: span(config.idle_time),
            wait: span(config.wait_timeout),
            health: span(config.health_interval),
            dial: span(config.dial_timeout),
            base,
            cap: micros(config.backoff_cap).max(base),
        }
    }
}

impl Rules {
    /// Those of a pool that is closed: no connection may be.
    pub(super) const fn closed(self) -> Self {
        Self { limit: 0, reuse: true, ..self }
    }
}

/// Microseconds, as many as there are.
fn micros(span: Duration) -> u64 {
    Instant::ZERO.saturating_add(span).as_micros()
}

/// The same, where zero is for ever.
// Small processors have no place for this at every call.
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
fn span(span: Duration) -> u64 {
    match micros(span) {
        0 if span.is_zero() => NEVER,
        micros => micros,
    }
}

/// So many microseconds after `start`.
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
pub(super) fn after(start: Instant, micros: u64) -> Instant {
    Instant::from_micros(start.as_micros().saturating_add(micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_sense_is_bent() {
        let config = Config { size: 0, min_idle: 9, ..Config::DEFAULT };
        let rules = Rules::new(&config, 8);
        assert_eq!((rules.limit, rules.min_idle, rules.max_idle), (1, 1, u16::MAX));

        let config = Config { size: 99, min_idle: 9, max_idle: 3, max_active: 5, ..Config::DEFAULT };
        let rules = Rules::new(&config, 8);
        assert_eq!((rules.limit, rules.min_idle, rules.max_idle), (5, 3, 3));
        assert_eq!(Rules::new(&Config { reuse: false, ..config }, 8).min_idle, 0);
        assert_eq!(Rules::new(&config, 0).limit, 0);
    }

    #[test]
    fn spans_are_microseconds_and_zero_is_for_ever() {
        let config = Config {
            lifetime: Duration::from_secs(1000),
            lifetime_jitter: 255,
            idle_time: Duration::ZERO,
            wait_timeout: Duration::MAX,
            backoff_base: Duration::ZERO,
            backoff_cap: Duration::ZERO,
            ..Config::DEFAULT
        };
        let rules = Rules::new(&config, 8);
        assert_eq!((rules.lifetime, rules.idle_time, rules.wait), (1_000_000_000, NEVER, NEVER));
        assert!((990_000_000..=1_000_000_000).contains(&rules.jitter), "{}", rules.jitter);
        assert_eq!((rules.base, rules.cap), (1000, 1000));
        let short = Config { idle_time: Duration::from_nanos(1), ..config };
        assert_eq!(Rules::new(&short, 8).idle_time, 0, "not for ever");
        let long = Config { lifetime: Duration::MAX, ..config };
        assert_eq!(Rules::new(&long, 8).jitter, 0);
    }
}
