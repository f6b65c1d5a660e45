//! When the next dial may begin: failures in a row, and pauses between them.

use core::fmt;

use super::config::{Rules, after};
use crate::conn::CloseReason;
use crate::random::Random;
use crate::time::Instant;

/// Why a dial failed, as a number of the driver's own; it is handed back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct DialCode(pub u32);

impl DialCode {
    /// It took [too long](super::Config::dial_timeout). The pool says this, and a driver may.
    pub const TIMEOUT: Self = Self(u32::MAX);
    /// The connection ended while it was being opened.
    pub const LOST: Self = Self(u32::MAX - 1);
    /// The server refused the handshake: a password, a version, too many clients.
    pub const REJECTED: Self = Self(u32::MAX - 2);
    /// What answered is no Redis server, or a broken one.
    pub const STRANGE: Self = Self(u32::MAX - 3);

    /// A [hook](crate::hook::Hook::before_dial) said no.
    pub const FORBIDDEN: Self = Self(u32::MAX - 4);
    /// TLS did not come about: a certificate was refused, or the peer speaks none. A driver says this.
    pub const TLS: Self = Self(u32::MAX - 5);

    /// Why a connection did not become ready.
    pub const fn of(reason: &CloseReason<'_>) -> Self {
        match reason {
            CloseReason::HandshakeTimeout => Self::TIMEOUT,
            CloseReason::Rejected(_) | CloseReason::Refused(_) => Self::REJECTED,
            CloseReason::Protocol(_) | CloseReason::Unsolicited | CloseReason::OutOfStep => Self::STRANGE,
            _ => Self::LOST,
        }
    }
}

/// No connection comes about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Unavailable {
    /// Why the last dial failed.
    pub code: DialCode,
    /// How many have failed in a row.
    pub failures: u32,
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no connection could be opened, {} times in a row", self.failures)
    }
}

impl core::error::Error for Unavailable {}

/// What became of the last dials.
#[derive(Clone, Debug)]
pub(super) struct Dials {
    last: Option<Unavailable>,
    /// The longest that the next pause may be, in microseconds; zero is `backoff_base`.
    next: u64,
    /// When the last pause began, and when it ends.
    since: Instant,
    pub(super) until: Instant,
}

impl Dials {
    pub(super) const NEW: Self = Self { last: None, next: 0, since: Instant::ZERO, until: Instant::ZERO };

    /// The last failure, if no success came after it.
    pub(super) const fn last(&self) -> Option<Unavailable> {
        self.last
    }

    /// The same, if there were too many.
    pub(super) fn down(&self, rules: &Rules) -> Option<Unavailable> {
        let after = u32::from(rules.fail_after);
        self.last.filter(|last| after > 0 && last.failures >= after)
    }

    /// Whether one more may begin beside so many others. While they fail, it is one at a time.
    pub(super) fn may_begin(&self, rules: &Rules, dialling: u16, now: Instant) -> bool {
        if self.last.is_none() { dialling < rules.max_dials } else { dialling == 0 && now >= self.until }
    }

    /// Whether a dial that began then began before the last failure.
    pub(super) fn failed_since(&self, began: Instant) -> bool {
        self.last.is_some() && began <= self.since
    }

    /// No pause is longer than may be by now.
    pub(super) fn shorten(&mut self, rules: &Rules) {
        self.until = self.until.min(after(self.since, rules.cap));
    }

    pub(super) const fn succeed(&mut self) {
        *self = Self::NEW;
    }

    /// A dial that began then has failed now.
    pub(super) fn fail(
        &mut self,
        rules: &Rules,
        random: &mut Random,
        code: DialCode,
        began: Instant,
        now: Instant,
    ) {
        let failures = self.last.map_or(0, |last| last.failures).saturating_add(1);
        // Those that were on their way when the first one failed prolong no pause.
        if self.last.is_none() || began >= self.since {
            let most = self.next.max(rules.base).min(rules.cap);
            self.next = most.saturating_mul(2);
            self.since = now;
            self.until = after(now, part(random, most));
        }
        self.last = Some(Unavailable { code, failures });
    }
}

/// A part of `whole`, by chance: as [`Random::below`], without 128 bits.
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
pub(super) const fn part(random: &mut Random, whole: u64) -> u64 {
    let chance = random.bits() >> 32;
    (whole >> 32) * chance + (((whole & 0xffff_ffff) * chance) >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{ProtocolError, ServerError};
    use crate::pool::Config;
    use crate::time::Duration;
    use std::string::ToString;

    #[test]
    fn what_ends_a_handshake_has_a_code() {
        let codes = [DialCode::TIMEOUT, DialCode::LOST, DialCode::REJECTED, DialCode::STRANGE];
        assert_eq!(codes.map(|code| u32::MAX - code.0), [0, 1, 2, 3]);
        let error = ServerError::new(b"NOAUTH");
        for (reason, code) in [
            (CloseReason::HandshakeTimeout, DialCode::TIMEOUT),
            (CloseReason::Eof, DialCode::LOST),
            (CloseReason::Transport, DialCode::LOST),
            (CloseReason::Rejected(error), DialCode::REJECTED),
            (CloseReason::Refused(error), DialCode::REJECTED),
            (CloseReason::Protocol(ProtocolError::UnknownType(b'H')), DialCode::STRANGE),
            (CloseReason::Unsolicited, DialCode::STRANGE),
            (CloseReason::OutOfStep, DialCode::STRANGE),
        ] {
            assert_eq!(DialCode::of(&reason), code, "{reason:?}");
        }
        let told = Unavailable { code: DialCode(7), failures: 3 };
        assert_eq!(told.to_string(), "no connection could be opened, 3 times in a row");
    }

    fn rules() -> Rules {
        let config = Config {
            backoff_base: Duration::from_millis(10),
            backoff_cap: Duration::from_millis(1000),
            fail_after: 3,
            ..Config::DEFAULT
        };
        Rules::new(&config, 8)
    }

    /// Fails `n` probes in a row, each begun as soon as it may, and returns the last pause.
    fn pause(seed: u64, n: u32) -> u64 {
        let (rules, mut random, mut dials) = (rules(), Random::new(seed), Dials::NEW);
        let mut now = Instant::from_millis(1);
        for _ in 0..n {
            now = now.max(dials.until);
            assert!(dials.may_begin(&rules, 0, now));
            dials.fail(&rules, &mut random, DialCode(1), now, now);
        }
        dials.until.as_micros() - now.as_micros()
    }

    #[test]
    fn pauses_are_chosen_from_nothing_to_twice_as_long_each_time() {
        for (n, most) in
            [(1, 10_000), (2, 20_000), (3, 40_000), (7, 640_000), (8, 1_000_000), (60, 1_000_000)]
        {
            // An interpreter takes its time.
            let seeds = if cfg!(miri) { 2 } else { 400 };
            let all = || (0..seeds).map(|seed| pause(seed, n));
            assert!(all().all(|pause| pause <= most), "{n}");
            let filled = all().any(|pause| pause > most * 9 / 10) && all().any(|pause| pause < most / 10);
            assert!(cfg!(miri) || filled, "{n}");
        }
    }

    #[test]
    fn failures_of_the_same_moment_are_one_pause_and_counted_all() {
        let (rules, mut random, mut dials) = (rules(), Random::new(1), Dials::NEW);
        let began = Instant::from_millis(1);
        for n in 0..50 {
            dials.fail(&rules, &mut random, DialCode(n), began, Instant::from_millis(u64::from(n) + 2));
        }
        assert_eq!(dials.next, 20_000, "doubled once");
        assert_eq!(dials.last(), Some(Unavailable { code: DialCode(49), failures: 50 }));
        assert_eq!(dials.down(&rules), dials.last());
        assert_eq!(dials.down(&Rules { fail_after: 51, ..rules }), None);
        assert_eq!(dials.down(&Rules { fail_after: 0, ..rules }), None);
    }

    #[test]
    fn a_part_is_never_more_than_the_whole() {
        let mut random = Random::new(9);
        for whole in [0, 1, 1000, u64::from(u32::MAX), 1 << 40, u64::MAX] {
            let parts = core::iter::repeat_with(|| part(&mut random, whole)).take(100);
            let (low, high) = parts.fold((u64::MAX, 0), |(low, high), part| (low.min(part), high.max(part)));
            assert!(
                high <= whole && (whole < 1000 || (high > whole / 10 * 9 && low < whole / 10)),
                "{whole}"
            );
        }
    }
}
