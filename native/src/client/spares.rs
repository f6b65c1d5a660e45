//! Memory of large answers, for the next ones: fresh memory costs more than to read into it.

use respire_core::time::{Duration, Instant};

use super::sync::Mutex;
use super::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use super::waiter::lock;

/// See the [module](self).
pub(super) struct Spares {
    /// What was used last is at the end: it is in the caches.
    free: Mutex<Vec<Vec<u8>>>,
    /// When it is to be given back, in microseconds.
    due: AtomicU64,
    /// Bytes of it, and of large buffers in slots that wait for nothing.
    counted: AtomicUsize,
}

/// The most that is kept.
pub(super) const MOST: usize = 16 << 20;

/// It is given back when none was taken for so long.
pub(super) const REST: Duration = Duration::from_secs(1);

impl Default for Spares {
    fn default() -> Self {
        Self { free: Mutex::default(), due: AtomicU64::new(u64::MAX), counted: AtomicUsize::new(0) }
    }
}

impl Spares {
    /// Memory that was kept, or `len` bytes.
    pub(super) fn take(&self, now: Instant, len: usize) -> Vec<u8> {
        self.due.store(now.saturating_add(REST).as_micros(), Ordering::Relaxed);
        let taken = lock(&self.free).pop();
        match taken {
            Some(taken) => {
                self.uncount(taken.len());
                taken
            }
            None => vec![0; len],
        }
    }

    /// It may serve for the next, if that comes in time.
    pub(super) fn keep(&self, memory: Vec<u8>) {
        let is_resting = self.due() == Instant::MAX;
        if !is_resting && self.count(memory.len()) {
            lock(&self.free).push(memory);
        }
    }

    /// When it is to be given back.
    pub(super) fn due(&self) -> Instant {
        Instant::from_micros(self.due.load(Ordering::Relaxed))
    }

    /// Gives all of it back if none was taken for a while.
    pub(super) fn rest(&self, now: Instant) {
        if self.due() <= now {
            self.due.store(u64::MAX, Ordering::Relaxed);
            lock(&self.free).drain(..).for_each(|spare| self.uncount(spare.len()));
        }
    }

    /// Whether so many bytes more may be kept, and are from now on.
    pub(super) fn count(&self, size: usize) -> bool {
        let is_little = self.counted.fetch_add(size, Ordering::Relaxed) + size <= MOST;
        if !is_little {
            self.uncount(size);
        }
        is_little
    }

    /// How many there are.
    #[cfg(test)]
    pub(super) fn counted(&self) -> usize {
        self.counted.load(Ordering::Relaxed)
    }

    /// So many bytes are kept no more.
    pub(super) fn uncount(&self, size: usize) {
        self.counted.fetch_sub(size, Ordering::Relaxed);
    }
}
