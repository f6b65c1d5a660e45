//! A monotonic clock: SysTick interrupts every millisecond and counts down in between.

use core::cell::Cell;
use core::sync::atomic::{AtomicU32, Ordering};

use cortex_m_rt::exception;
use respire_core::time::Instant;

use super::Register;

/// The processor's clock as the emulator has it after reset, in Hz. A chip starts on its internal oscillator,
/// of about 12 MHz, and should be switched to its crystal.
const CORE: u32 = 12_500_000;

/// Clock cycles in a millisecond.
const TICK: u32 = CORE / 1000;

const CONTROL: Register = Register(0xe000_e010);
const RELOAD: Register = Register(0xe000_e014);
const CURRENT: Register = Register(0xe000_e018);

/// Milliseconds since the start. The processor has no atomic of 64 bits, and 32 overflow in 50 days.
static LOW: AtomicU32 = AtomicU32::new(0);
static HIGH: AtomicU32 = AtomicU32::new(0);

/// The clock, running. There is one: a second would start the first again.
pub struct Clock {
    /// What was said last.
    latest: Cell<Instant>,
}

impl Clock {
    /// Starts at zero.
    #[must_use]
    pub fn start() -> Self {
        /// Count, interrupt, from the processor's clock.
        const ENABLE: u32 = 0b111;
        RELOAD.write(TICK - 1);
        CURRENT.write(0);
        CONTROL.write(ENABLE);
        Self { latest: Cell::new(Instant::ZERO) }
    }

    /// The time since the start, to the microsecond. Never goes back.
    pub fn now(&self) -> Instant {
        // The three belong together if no interrupt came between the two readings of the first.
        let (millis, left) = loop {
            let low = LOW.load(Ordering::Acquire);
            let high = HIGH.load(Ordering::Acquire);
            let left = CURRENT.read();
            if LOW.load(Ordering::Acquire) == low {
                break (u64::from(high) << 32 | u64::from(low), left);
            }
        };
        // Zero is the end of a millisecond, or the start of the next: nobody knows whether it was counted.
        let gone = if left == 0 { 0 } else { TICK.saturating_sub(left) };
        // 12.5 cycles are a microsecond.
        let micros = gone * 2 / 25;
        let now = Instant::from_micros(millis.wrapping_mul(1000).wrapping_add(u64::from(micros)));
        // The emulator delivers an interrupt late: the counter has started again by then, the count has
        // not gone on, and a millisecond is missing for a moment.
        let latest = self.latest.get().max(now);
        self.latest.set(latest);
        latest
    }
}

#[exception]
fn SysTick() {
    // Loads and stores, since nothing else writes: cheaper than an exclusive pair.
    let low = LOW.load(Ordering::Relaxed).wrapping_add(1);
    if low == 0 {
        HIGH.store(HIGH.load(Ordering::Relaxed).wrapping_add(1), Ordering::Release);
    }
    LOW.store(low, Ordering::Release);
}
