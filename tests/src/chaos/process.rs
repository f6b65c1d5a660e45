//! What this process has and uses.

use std::fs;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

/// Descriptors and threads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Usage {
    /// Open descriptors.
    pub descriptors: usize,
    /// Threads.
    pub threads: usize,
}

impl Usage {
    /// Now, with what is the process's own and stays: the reactor of async-io.
    ///
    /// # Panics
    ///
    /// Where there is no `/proc`, or no descriptor left.
    #[must_use]
    pub fn at_first() -> Self {
        let pair = async_io::Async::<UnixStream>::pair().expect("two descriptors");
        drop(pair);
        Self::now()
    }

    /// Now.
    ///
    /// # Panics
    ///
    /// Where there is no `/proc`.
    #[must_use]
    pub fn now() -> Self {
        let count = |path| fs::read_dir(path).expect("a list of this process").count();
        Self { descriptors: count("/proc/self/fd"), threads: count("/proc/self/task") }
    }

    /// What there is more than before, once it does not become less any more, for so long at most.
    #[must_use]
    pub fn beyond(before: Self, limit: Duration) -> Self {
        let start = Instant::now();
        loop {
            let now = Self::now();
            let more = Self {
                descriptors: now.descriptors.saturating_sub(before.descriptors),
                threads: now.threads.saturating_sub(before.threads),
            };
            if more == (Self { descriptors: 0, threads: 0 }) || start.elapsed() > limit {
                return more;
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}

/// How long this process has computed, in steps of 10 ms.
///
/// # Panics
///
/// Where there is no `/proc`.
#[must_use]
pub fn processor_time() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").expect("what this process has used");
    let behind_name = stat.rsplit(')').next().expect("a name in parentheses");
    // The fields are counted from 1, and this one begins with the third.
    let ticks = behind_name.split_whitespace().skip(14 - 3).take(2);
    let ticks: u64 = ticks.map(|ticks| ticks.parse::<u64>().expect("a count of ticks")).sum();
    Duration::from_millis(ticks * 10)
}
