//! Memory of large answers, for the next ones: fresh memory costs more than to read into it.

use super::sync::Mutex;
use super::sync::atomic::{AtomicUsize, Ordering};
use super::waiter::lock;

/// See the [module](self).
#[derive(Default)]
pub(super) struct Spares {
    memory: Mutex<Memory>,
    /// Bytes of it, and of large buffers in slots that wait for nothing.
    counted: AtomicUsize,
}

#[derive(Default)]
struct Memory {
    /// What was used last is at the end: it is in the caches.
    free: Vec<Vec<u8>>,
    /// So many were left at least in this many takings.
    unused: usize,
    takings: u32,
}

/// The most that is kept.
pub(super) const MOST: usize = 16 << 20;

/// What nobody needs in so many takings is given back.
pub(super) const TAKINGS: u32 = 256;

impl Spares {
    /// Memory that was kept, or `len` bytes.
    pub(super) fn take(&self, len: usize) -> Vec<u8> {
        let mut memory = lock(&self.memory);
        memory.takings += 1;
        if memory.takings >= TAKINGS {
            let unused = std::mem::take(&mut memory.unused);
            memory.free.drain(..unused).for_each(|spare| self.uncount(spare.len()));
            (memory.takings, memory.unused) = (0, memory.free.len());
        }
        let taken = memory.free.pop();
        memory.unused = memory.unused.min(memory.free.len());
        drop(memory);
        match taken {
            Some(taken) => {
                self.uncount(taken.len());
                taken
            }
            None => vec![0; len],
        }
    }

    /// It may serve for the next.
    pub(super) fn keep(&self, memory: Vec<u8>) {
        if self.count(memory.len()) {
            lock(&self.memory).free.push(memory);
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
