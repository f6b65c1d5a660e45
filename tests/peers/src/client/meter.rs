//! Counts what callers get done, and stops them when the time is up.
//!
//! A caller asks its [`Lane`] before each call whether to go on, and tells it afterwards. Warm-up, measuring
//! and stopping are the business of one thread that sleeps.

use std::fs;
use std::process;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Once, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use super::Outcome;
use super::histogram::Histogram;
use super::workload::Workload;
use crate::counting;

/// What is measured in one turn, in this order.
pub(crate) const FIGURES: [&str; 8] = [
    "ops_per_s",
    "cpu_us_per_op",
    "p50_us",
    "p99_us",
    "p999_us",
    "allocs_per_op",
    "faults_per_op",
    "rss_kib",
];

/// One figure for each.
pub(crate) type Figures = [Option<f64>; FIGURES.len()];

/// How long a turn lasts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pace {
    /// As the published figures are measured.
    Full,
    /// Enough to see that everything works.
    Quick,
    /// That many operations: nothing is measured, but somebody watches.
    Ops(u32),
    /// [`SOAK`] operations: what memory the process has after the first of them, and after the last.
    Soak,
}

/// Operations of a long run, and after how many of them memory is looked at first.
pub(crate) const SOAK: [u32; 2] = [10_000_000, 100_000];

impl Pace {
    /// Milliseconds of warm-up, of measuring, and of counting allocations, which costs time.
    const fn millis(self) -> [u64; 3] {
        match self {
            Self::Full => [100, 350, 20],
            Self::Quick | Self::Ops(_) | Self::Soak => [20, 80, 10],
        }
    }
}

/// One turn of one client.
pub(crate) struct Meter {
    pace: Pace,
    /// One operation of so many is timed.
    every: usize,
    phase: AtomicU8,
    /// Operations that are done.
    ops: AtomicU64,
    /// Operations that may begin, where their number is given.
    left: AtomicI64,
    /// Of a long run: memory early, and late.
    memory: [OnceLock<Option<f64>>; 2],
    lanes: AtomicUsize,
    histogram: Histogram,
    clock: Once,
    figures: OnceLock<Figures>,
}

const WARMING: u8 = 0;
const MEASURING: u8 = 1;
const COUNTING: u8 = 2;
const OVER: u8 = 3;

/// How long callers may take to stop.
const PATIENCE: Duration = Duration::from_secs(20);

impl Meter {
    /// A turn at that pace. It begins with the first lane.
    pub(crate) fn new(workload: &Workload, pace: Pace) -> Self {
        let left = match pace {
            Pace::Ops(ops) => ops.into(),
            Pace::Soak => SOAK[0].into(),
            Pace::Full | Pace::Quick => 0,
        };
        Self {
            pace,
            every: if workload.is_fast() { 8 } else { 1 },
            phase: AtomicU8::new(WARMING),
            ops: AtomicU64::new(0),
            left: AtomicI64::new(left),
            memory: [const { OnceLock::new() }; 2],
            lanes: AtomicUsize::new(0),
            histogram: Histogram::new(),
            clock: Once::new(),
            figures: OnceLock::new(),
        }
    }

    /// For one caller, who does `batch` operations with each call.
    pub(crate) fn lane(&'static self, batch: usize) -> Lane {
        if matches!(self.pace, Pace::Full | Pace::Quick) {
            self.clock.call_once(|| drop(thread::spawn(|| self.watch())));
        }
        let every = (self.every / batch).max(1);
        // Not all lanes time their calls at once.
        let untimed = self.lanes.fetch_add(1, Relaxed) % every;
        Lane { meter: self, batch, every, untimed, untold: 0 }
    }

    /// What was measured, once all callers have stopped.
    ///
    /// # Errors
    /// They stopped before the time was up.
    pub(crate) fn figures(&self) -> Outcome<Option<Figures>> {
        match self.pace {
            Pace::Ops(_) | Pace::Soak => Ok(None),
            _ => Ok(Some(*self.figures.get().ok_or("it stopped by itself")?)),
        }
    }

    /// Memory early in a long run, and late.
    pub(crate) fn memory(&self) -> [Option<f64>; 2] {
        [0, 1].map(|at| self.memory[at].get().copied().flatten())
    }

    fn goes(&self, ops: usize) -> bool {
        match self.pace {
            Pace::Ops(_) => self.left.fetch_sub(ops as i64, Relaxed) > 0,
            Pace::Soak => {
                let left = self.left.fetch_sub(ops as i64, Relaxed);
                let at = if left == i64::from(SOAK[0] - SOAK[1]) { 0 } else { 1 };
                if at == 0 || left <= 0 {
                    self.memory[at].get_or_init(rss_kib);
                }
                left > 0
            }
            _ => self.phase.load(Relaxed) != OVER,
        }
    }

    fn watch(&self) {
        let [warming, measuring, counting] = self.pace.millis().map(Duration::from_millis);
        self.sleep(warming);
        self.phase.store(MEASURING, Relaxed);
        let (began, before, usage) = (Instant::now(), self.ops.load(Relaxed), Usage::now());
        self.sleep(measuring);
        self.phase.store(COUNTING, Relaxed);
        let (time, usage) = (began.elapsed(), Usage::since(usage));
        let after = self.ops.load(Relaxed);
        let rss = rss_kib();
        let mut counted = 0;
        let allocs = counting::allocations(|| counted = self.sleep(counting));
        let ops = (after - before) as f64;
        let quantile = |share| self.histogram.quantile(share);
        let figures = [
            Some(ops / time.as_secs_f64()),
            (ops > 0.0).then_some(usage.cpu_us / ops),
            quantile(0.5),
            quantile(0.99),
            quantile(0.999),
            (counted > 0).then_some(allocs as f64 / counted as f64),
            (ops > 0.0).then_some(usage.faults / ops),
            rss,
        ];
        self.figures.get_or_init(|| figures);
        self.phase.store(OVER, Relaxed);
        thread::sleep(PATIENCE);
        eprintln!("it does not stop");
        process::exit(1);
    }

    /// How many operations were done meanwhile: where neighbours take all the time, it waits for the first.
    fn sleep(&self, time: Duration) -> u64 {
        let (began, before) = (Instant::now(), self.ops.load(Relaxed));
        loop {
            thread::sleep(time);
            let done = self.ops.load(Relaxed) - before;
            if done > 0 || began.elapsed() > PATIENCE {
                return done;
            }
        }
    }
}

/// What one caller has to do with the meter.
pub(crate) struct Lane {
    meter: &'static Meter,
    batch: usize,
    /// One call of so many is timed.
    every: usize,
    untimed: usize,
    /// Operations that the meter does not know of yet.
    untold: usize,
}

/// A call that has begun.
#[derive(Clone, Copy)]
#[must_use]
pub(crate) struct Ticket(Option<Instant>);

impl Lane {
    /// Begins a call, unless it is time to stop.
    #[inline]
    pub(crate) fn go(&mut self) -> Option<Ticket> {
        if !self.meter.goes(self.batch) {
            return None;
        }
        self.untimed += 1;
        if self.untimed < self.every {
            return Some(Ticket(None));
        }
        self.untimed = 0;
        Some(Ticket(Some(Instant::now())))
    }

    /// The call is done.
    #[inline]
    pub(crate) fn done(&mut self, ticket: Ticket) {
        self.untold += self.batch;
        let Some(began) = ticket.0 else { return };
        if self.meter.phase.load(Relaxed) == MEASURING {
            self.meter.histogram.count(began.elapsed());
        }
        self.meter.ops.fetch_add(self.untold as u64, Relaxed);
        self.untold = 0;
    }
}

/// What this process has had of the system.
#[derive(Clone, Copy)]
pub(crate) struct Usage {
    /// CPU time in user space and in the kernel.
    pub(crate) cpu_us: f64,
    /// Pages that were touched and not there, without the disk.
    pub(crate) faults: f64,
}

impl Usage {
    /// Since it was started.
    pub(crate) fn now() -> Self {
        // SAFETY: all zeros is a value of this type.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: the kernel writes into this one value.
        let failed = unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) };
        assert_eq!(failed, 0, "no usage of a process");
        let micros = |time: libc::timeval| time.tv_sec as f64 * 1e6 + time.tv_usec as f64;
        Self { cpu_us: micros(usage.ru_utime) + micros(usage.ru_stime), faults: usage.ru_minflt as f64 }
    }

    /// Since then.
    pub(crate) fn since(before: Self) -> Self {
        let now = Self::now();
        Self { cpu_us: now.cpu_us - before.cpu_us, faults: now.faults - before.faults }
    }
}

/// Memory that this process has at the moment.
pub(crate) fn rss_kib() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter(workload: &str, pace: Pace) -> &'static Meter {
        Box::leak(Box::new(Meter::new(Workload::named(workload).unwrap(), pace)))
    }

    #[test]
    fn a_number_of_operations_is_shared_by_all_lanes() {
        let meter = meter("get-64", Pace::Ops(10));
        let (mut one, mut other) = (meter.lane(1), meter.lane(4));
        let calls = (0..20).filter(|_| one.go().is_some() | other.go().is_some()).count();
        assert_eq!(calls, 2, "1 + 4 + 1 + 4");
        assert_eq!(meter.figures().unwrap(), None);
    }

    #[test]
    fn what_is_done_is_measured_until_the_time_is_up() {
        let meter = meter("get-1", Pace::Quick);
        let mut lane = meter.lane(1);
        let mut calls = 0;
        while let Some(ticket) = lane.go() {
            lane.done(ticket);
            calls += 1;
        }
        let figures = meter.figures().unwrap().unwrap();
        let [ops, cpu, p50, ..] = figures.map(|figure| figure.expect("a figure"));
        assert!(ops > 0.0 && ops * 0.08 < f64::from(calls), "{ops} of {calls}");
        assert!(cpu > 0.0 && p50 > 0.0, "{figures:?}");
    }
}
