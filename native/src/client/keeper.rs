//! The keeper: a thread that drives where only tasks wait, and keeps deadlines when nobody else does.

use respire_core::time::{Duration, Instant};

use super::shared::Shared;
use super::sync::atomic::Ordering;
use super::sync::{Arc, PoisonError, thread};
use super::waiter::lock;

impl Shared {
    /// Calls the keeper, or has one.
    pub(super) fn keep(self: &Arc<Self>) {
        let mut state = lock(&self.lead.state);
        state.is_called = true;
        if !state.has_keeper {
            let shared = Arc::clone(self);
            let started = thread::Builder::new().name("respire".into()).spawn(move || shared.keeper());
            state.has_keeper = started.is_ok();
        }
        drop(state);
        self.lead.call.notify_all();
    }

    /// Whether there is something to drive for that has no thread of its own.
    pub(super) fn has_tasks(&self) -> bool {
        self.tasks.load(Ordering::Relaxed) > 0
    }

    /// Drives for tasks, and keeps deadlines when nobody else does.
    fn keeper(self: Arc<Self>) {
        while !self.is_gone.load(Ordering::SeqCst) {
            if let Some(mut leading) = self.try_lead() {
                // An error of the system would come again at once: whoever waits himself is told of it.
                let mut is_well = leading.turn(Some(Duration::ZERO), &mut None, &()).is_ok();
                if self.has_tasks() {
                    while is_well && self.is_for_keeper() {
                        is_well = leading.turn(None, &mut None, &()).is_ok();
                    }
                }
            }
            self.rest();
        }
    }

    /// Whether the keeper goes on to drive. The last task may be followed by the next: so it does until somebody else
    /// wants to lead.
    fn is_for_keeper(&self) -> bool {
        let is_wanted = {
            let state = lock(&self.lead.state);
            !state.is_wanted && (self.has_tasks() || state.followers.is_empty())
        };
        is_wanted && !self.has_runtime() && !self.is_gone.load(Ordering::SeqCst)
    }

    /// Until the keeper is called, or something is due.
    fn rest(&self) {
        let mut state = lock(&self.lead.state);
        while !std::mem::take(&mut state.is_called) && !self.is_gone.load(Ordering::SeqCst) {
            let now = self.now();
            // Whoever drives keeps the deadlines, and calls when he goes.
            let due = if self.lead.is_driven() { Instant::MAX } else { self.due() };
            if due <= now {
                break;
            }
            state.keeper_until = due;
            state = match due {
                Instant::MAX => self.lead.call.wait(state).unwrap_or_else(PoisonError::into_inner),
                due => {
                    let patience = due.saturating_since(now);
                    let waited = self.lead.call.wait_timeout(state, patience);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        state.keeper_until = Instant::ZERO;
    }

    /// No handle is left: whoever drives finds out.
    pub(super) fn go(&self) {
        self.is_gone.store(true, Ordering::SeqCst);
        self.lead.call_keeper();
        let _ = self.waker.wake();
    }
}
