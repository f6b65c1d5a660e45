//! What whoever drives does before he waits for sockets and behind it, and how his wait is ended.

use std::task::Waker;

use respire_core::time::Instant;

use super::desk::Own;
use super::machine::{BATCH, Core};
use super::poller::Poller;
use super::shared::Shared;
use super::sync::atomic::{Ordering, fence};
use super::sync::{Arc, PoisonError};
use super::waiter::lock;

impl Shared {
    /// A task of a runtime drives, or no longer does.
    #[cfg(unix)]
    pub(super) fn set_runtime(&self, waker: Option<&Waker>) {
        let mut runtime = lock(&self.runtime);
        match (&*runtime, waker) {
            (Some(known), Some(waker)) if known.will_wake(waker) => return,
            _ => *runtime = waker.cloned(),
        }
        self.has_runtime.store(runtime.is_some(), Ordering::SeqCst);
    }

    /// Whether a runtime drives.
    pub(super) fn has_runtime(&self) -> bool {
        self.has_runtime.load(Ordering::SeqCst)
    }

    /// It is the runtime's turn.
    pub(super) fn call_runtime(&self) {
        let waker = lock(&self.runtime).clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The driver has slept long enough; without one it is the keeper's turn.
    pub(super) fn rouse(&self) {
        if self.lead.is_driven() {
            let _ = self.waker.wake();
        } else if self.has_runtime() {
            self.call_runtime();
        } else {
            self.lead.call_keeper();
        }
    }

    /// Writes what has been collected. Until when there is nothing to do, and the time.
    pub(super) fn before_wait(self: &Arc<Self>, own: &mut Option<Own<'_>>) -> (Instant, Instant) {
        self.asleep_until.store(u64::MAX, Ordering::SeqCst);
        let mut now = self.now();
        // As a rule whoever was here last has left nothing to do.
        if self.is_collecting.load(Ordering::Relaxed) || self.mail.load(Ordering::SeqCst) || self.due() <= now
        {
            let mut core = self.core.lock().unwrap_or_else(PoisonError::into_inner);
            self.drain(&mut core);
            self.collect(&mut core, false);
            if self.due_of(&core) <= now {
                core.settle(self, own);
            }
            self.leave(core, now);
            now = self.now();
        }
        let due = self.due();
        // What was due earlier by now has been seen here, or its submitter sees that somebody sleeps.
        self.asleep_until.store(due.as_micros(), Ordering::SeqCst);
        fence(Ordering::SeqCst);
        (due.min(self.due()), now)
    }

    /// Moves what the sockets are ready for. With `collect`, what tasks ask for that were woken is written
    /// [later](Self::before_wait), all at once. Whether any were.
    pub(super) fn after_wait(
        self: &Arc<Self>,
        poller: &mut Poller,
        own: &mut Option<Own<'_>>,
        collect: bool,
    ) -> bool {
        self.asleep_until.store(0, Ordering::SeqCst);
        let mut core = self.core.lock().unwrap_or_else(PoisonError::into_inner);
        self.drain(&mut core);
        poller.tell(&mut core.sockets);
        let now = core.settle(self, own);
        if own.is_some() {
            // Where others wait, too, more answers come together if nobody snatches the first.
            poller.aim(core.is_quiet().then_some(&core.sockets));
        }
        let collecting = collect && core.desk.has_woken();
        self.collect(&mut core, collecting);
        self.leave(core, now);
        collecting
    }

    /// Who has collected drives no more.
    pub(super) fn stop_collecting(self: &Arc<Self>) {
        if self.is_collecting.load(Ordering::Relaxed) {
            self.enter(|core| self.collect(core, false));
        }
    }

    fn collect(&self, core: &mut Core, collecting: bool) {
        core.collecting = collecting;
        // Who drives looks whenever he is about to wait: less is on its way than before.
        core.fresh = if collecting { 0 } else { BATCH };
        self.is_collecting.store(collecting, Ordering::Relaxed);
    }
}
