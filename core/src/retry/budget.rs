//! Retries as a part of the load.

use super::Bucket;
use crate::time::Instant;

/// How much may be retried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct BudgetConfig {
    /// How many retries a hundred first attempts pay for; above 100 counts as 100.
    pub percent: u8,
    /// How many retries can be saved up, and are there at the start.
    pub burst: u16,
    /// How many retries a second there are besides, whatever the load: a client that hardly sends anything may
    /// retry it.
    pub floor: u16,
}

impl BudgetConfig {
    /// 20 in a hundred, 10 saved up, and one a second.
    pub const DEFAULT: Self = Self { percent: 20, burst: 10, floor: 1 };
}

impl Default for BudgetConfig {
    /// [`BudgetConfig::DEFAULT`].
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// A budget of retries: each first attempt pays in, each retry takes one out. However much fails, what is sent stays
/// below 120 % of what was asked for, but for the burst and the floor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Budget {
    percent: u8,
    /// In hundredths of a retry, as the balance.
    most: u32,
    balance: u32,
    floor: Bucket,
    stats: BudgetStats,
}

/// What went through a [`Budget`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct BudgetStats {
    /// First attempts.
    pub first: u32,
    /// Retries that there was something left for.
    pub retried: u32,
    /// Retries that were refused.
    pub refused: u32,
}

/// A retry in hundredths.
const RETRY: u32 = 100;

impl Budget {
    /// A budget with its burst saved up.
    pub const fn new(config: BudgetConfig) -> Self {
        let (most, percent) = rates(config);
        // The floor saves up nothing: a second's worth at most.
        let floor = Bucket::new(config.floor, config.floor);
        let stats = BudgetStats { first: 0, retried: 0, refused: 0 };
        Self { percent, most, balance: most, floor, stats }
    }

    /// Another budget from now on. What was saved up stays, as far as it may.
    pub fn set_config(&mut self, now: Instant, config: BudgetConfig) {
        (self.most, self.percent) = rates(config);
        self.balance = self.balance.min(self.most);
        self.floor.set_rate(now, config.floor, config.floor);
    }

    /// What went through so far; the counters wrap.
    pub const fn stats(&self) -> BudgetStats {
        self.stats
    }

    /// A request is attempted for the first time.
    pub fn deposit(&mut self) {
        self.stats.first = self.stats.first.wrapping_add(1);
        self.balance = self.balance.saturating_add(self.percent.into()).min(self.most);
    }

    /// A request wants to be attempted again; whether it may.
    #[must_use]
    pub fn withdraw(&mut self, now: Instant) -> bool {
        let left = self.balance.checked_sub(RETRY);
        self.balance = left.unwrap_or(self.balance);
        let may = left.is_some() || self.floor.take(now).is_ok();
        let counter = if may { &mut self.stats.retried } else { &mut self.stats.refused };
        *counter = counter.wrapping_add(1);
        may
    }
}

/// What can be saved up, and what each first attempt pays.
const fn rates(config: BudgetConfig) -> (u32, u8) {
    (config.burst as u32 * RETRY, if config.percent > 100 { 100 } else { config.percent })
}

impl Default for Budget {
    fn default() -> Self {
        Self::new(BudgetConfig::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_first_attempts_pay_for_one_retry() {
        let mut budget = Budget::new(BudgetConfig { percent: 20, burst: 2, floor: 0 });
        let now = Instant::ZERO;
        assert!(budget.withdraw(now) && budget.withdraw(now) && !budget.withdraw(now));
        (0..4).for_each(|_| budget.deposit());
        assert!(!budget.withdraw(now));
        budget.deposit();
        assert!(budget.withdraw(now) && !budget.withdraw(now));
        (0..1000).for_each(|_| budget.deposit());
        assert_eq!((0..100).filter(|_| budget.withdraw(now)).count(), 2, "no more is saved up");
        assert_eq!(budget.stats(), BudgetStats { first: 1005, retried: 5, refused: 101 });
    }

    /// S0-CFG-04: nothing is given for a change, and nothing saved up beyond the new burst.
    #[test]
    fn another_budget_keeps_what_was_saved_up() {
        let config = BudgetConfig { percent: 100, burst: 4, floor: 0 };
        let (mut budget, now) = (Budget::new(config), Instant::from_millis(1000));
        let may = |budget: &mut Budget, now| (0..100).filter(|_| budget.withdraw(now)).count();
        assert!(budget.withdraw(now));
        budget.set_config(now, BudgetConfig { burst: 9, ..config });
        assert_eq!(may(&mut budget, now), 3);
        (0..9).for_each(|_| budget.deposit());
        budget.set_config(now, BudgetConfig { burst: 2, floor: 5, ..config });
        assert_eq!(may(&mut budget, now), 2, "of five a second, none has come yet");
        assert_eq!(may(&mut budget, Instant::from_millis(2000)), 5);
        budget.set_config(now, BudgetConfig { percent: 0, burst: 0, floor: 0 });
        budget.deposit();
        assert_eq!(may(&mut budget, Instant::from_millis(9000)), 0);
    }

    #[test]
    fn the_floor_is_there_without_any_load() {
        let mut budget = Budget::new(BudgetConfig { percent: 20, burst: 0, floor: 3 });
        let may = |budget: &mut Budget, now| (0..100).filter(|_| budget.withdraw(now)).count();
        assert_eq!(may(&mut budget, Instant::ZERO), 3);
        assert_eq!(may(&mut budget, Instant::from_millis(500)), 1);
        assert_eq!(may(&mut budget, Instant::from_millis(60_000)), 3);
        assert!(!Budget::new(BudgetConfig { percent: 0, burst: 0, floor: 0 }).withdraw(Instant::MAX));
    }
}
