//! Who drives.
//!
//! Whoever holds the [`Poller`] waits for the sockets, for all. A thread that waits for an answer takes it if it is
//! there, and follows if it is not: it sleeps until its answer has come, or until it is its turn to lead. A leader whose
//! answer has come hands the poller to the first that follows. Where only tasks wait, which cannot drive, the keeper
//! does: a thread that is started when it is first needed.

use std::collections::VecDeque;
use std::io;
use std::task::Waker;

use respire_core::time::{Duration, Instant};

use super::block_on;
use super::desk::Own;
use super::machine::Core;
use super::poller::Poller;
use super::shared::Shared;
use super::slots::Told;
use super::sync::atomic::{AtomicBool, Ordering, fence};
use super::sync::thread::{self, Thread};
use super::sync::{Arc, Condvar, Mutex};
use super::waiter::{Waiter, lock};
use crate::Error;

pub(super) struct Lead {
    pub(super) state: Mutex<State>,
    /// Somebody has the poller.
    is_driven: AtomicBool,
    pub(super) call: Condvar,
}

pub(super) struct State {
    poller: Option<Box<Poller>>,
    /// Slots whose threads wait; some of them have their answers by now.
    pub(super) followers: VecDeque<u32>,
    /// Threads that run tasks and drive while these wait, as soon as they may.
    inside: usize,
    /// Those of them that wait without driving.
    willing: Vec<Waker>,
    /// There was one since the keeper drives.
    pub(super) is_wanted: bool,
    /// There is a keeper, or will be.
    pub(super) has_keeper: bool,
    /// The keeper has something to do.
    pub(super) is_called: bool,
    /// It sleeps until then.
    pub(super) keeper_until: Instant,
}

/// Who drives next.
enum Heir {
    Thread(Thread),
    Task(Waker),
    Runtime,
    Keeper,
    Nobody,
}

/// The right to drive, until it is dropped.
pub(super) struct Leading {
    shared: Arc<Shared>,
    poller: Option<Box<Poller>>,
    /// Who drives will do so again soon, and nobody else must in his place.
    is_back_soon: bool,
}

/// A thread that goes before its time: the system cannot wait, or a closure has panicked while it had the core.
struct Leaving<'s> {
    shared: &'s Arc<Shared>,
    slot: u32,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.shared.turn_away(self.slot);
        // Others may have their answers, and were not told.
        self.shared.enter(|core| core.settle(self.shared, &mut None));
    }
}

/// A thread that stood in line to lead. If it was its turn, and it goes because it has its answer, another leads.
struct Following<'s>(&'s Arc<Shared>);

impl Drop for Following<'_> {
    fn drop(&mut self) {
        drop(self.0.try_lead());
    }
}

/// What ends the wait of a driver besides the sockets.
pub(super) trait Gate {
    /// The driver is about to wait: whether it may.
    fn close(&self) -> bool;

    /// The wait is over.
    fn open(&self);
}

impl Gate for () {
    fn close(&self) -> bool {
        true
    }

    fn open(&self) {}
}

impl Lead {
    pub(super) fn new(poller: Box<Poller>) -> Self {
        let state = State {
            poller: Some(poller),
            followers: VecDeque::new(),
            inside: 0,
            willing: Vec::new(),
            is_wanted: false,
            has_keeper: false,
            is_called: false,
            keeper_until: Instant::ZERO,
        };
        Self { state: Mutex::new(state), is_driven: AtomicBool::new(false), call: Condvar::new() }
    }

    pub(super) fn is_driven(&self) -> bool {
        self.is_driven.load(Ordering::SeqCst)
    }

    /// Notes what has happened to sockets, if nobody drives. Whether that is so.
    pub(super) fn glance(&self, core: &mut Core) -> bool {
        if self.is_driven() {
            return false;
        }
        let mut state = lock(&self.state);
        let Some(poller) = &mut state.poller else { return false };
        // Of an error whoever drives next is told.
        if poller.wait(Some(Duration::ZERO)).is_ok() {
            poller.tell(&mut core.sockets);
        }
        true
    }

    /// The keeper has something to do, if there is one.
    pub(super) fn call_keeper(&self) {
        lock(&self.state).is_called = true;
        self.call.notify_all();
    }
}

impl Shared {
    /// Leads, unless somebody else does.
    pub(super) fn try_lead(self: &Arc<Self>) -> Option<Leading> {
        if self.lead.is_driven() {
            return None;
        }
        self.take_lead(&mut lock(&self.lead.state))
    }

    /// Leads; if somebody else does, the task is woken when it is its turn, until it is [no more willing](Self::be_unwilling).
    pub(super) fn lead_or_be_willing(self: &Arc<Self>, waker: &Waker) -> Option<Leading> {
        let mut state = lock(&self.lead.state);
        let leading = self.take_lead(&mut state);
        if leading.is_none() {
            state.willing.push(waker.clone());
            state.is_wanted = true;
        }
        leading
    }

    /// The thread of this task does not wait any more.
    pub(super) fn be_unwilling(&self, waker: &Waker) {
        lock(&self.lead.state).willing.retain(|known| !known.will_wake(waker));
    }

    /// This thread drives from now on whenever its tasks wait.
    pub(super) fn go_inside(&self) {
        lock(&self.lead.state).inside += 1;
    }

    /// It does so no more.
    pub(super) fn come_out(self: &Arc<Self>) {
        self.stop_collecting();
        let mut state = lock(&self.lead.state);
        state.inside -= 1;
        let heir = if state.poller.is_some() { self.heir(&mut state, false) } else { Heir::Nobody };
        drop(state);
        self.hand_to(heir);
    }

    /// Whose turn it is when nobody drives, or nobody besides who is back soon: threads do not wait for him.
    fn heir(&self, state: &mut State, is_back_soon: bool) -> Heir {
        while let Some(slot) = state.followers.pop_front() {
            if let Some(thread) = self.slots.thread(slot) {
                return Heir::Thread(thread);
            }
        }
        if is_back_soon {
            return Heir::Nobody;
        }
        if state.inside > 0 {
            // Who does not wait is about to.
            return state.willing.first().cloned().map_or(Heir::Nobody, Heir::Task);
        }
        let due = self.due();
        let is_due = due < Instant::MAX && (!state.has_keeper || due < state.keeper_until);
        match () {
            () if self.has_runtime() => Heir::Runtime,
            () if is_due || self.has_tasks() => Heir::Keeper,
            () => Heir::Nobody,
        }
    }

    fn hand_to(self: &Arc<Self>, heir: Heir) {
        match heir {
            Heir::Thread(thread) => thread.unpark(),
            Heir::Task(waker) => waker.wake(),
            Heir::Runtime => self.call_runtime(),
            Heir::Keeper => self.keep(),
            Heir::Nobody => {}
        }
    }

    fn take_lead(self: &Arc<Self>, state: &mut State) -> Option<Leading> {
        let poller = state.poller.take()?;
        state.is_wanted = false;
        self.lead.is_driven.store(true, Ordering::SeqCst);
        Some(Leading { shared: Arc::clone(self), poller: Some(poller), is_back_soon: false })
    }

    /// Waits for the answers of a slot, and shows them: each as it comes if this thread leads.
    ///
    /// # Errors
    /// The system cannot wait; the slot is abandoned.
    pub(super) fn wait(
        self: &Arc<Self>,
        slot: u32,
        each: &mut dyn FnMut(u32, Told<'_>),
    ) -> Result<(), Error> {
        if let Some(leading) = self.try_lead() {
            self.lead_until(leading, slot, each).map_err(Error::System)?;
        }
        let mut following = None;
        while !self.slots.collect(slot, |waiter| *waiter = Waiter::Thread(thread::current()), each) {
            following.get_or_insert(Following(self));
            match self.follow(slot) {
                Some(leading) => {
                    self.slots.lead(slot);
                    self.lead_until(leading, slot, each).map_err(Error::System)?;
                }
                None => {
                    self.same_process()?;
                    thread::park();
                }
            }
        }
        Ok(())
    }

    /// Leads, or stands in line to.
    fn follow(self: &Arc<Self>, slot: u32) -> Option<Leading> {
        let mut state = lock(&self.lead.state);
        let leading = self.take_lead(&mut state);
        if leading.is_none() && !state.followers.contains(&slot) {
            state.followers.push_back(slot);
        }
        leading
    }

    fn lead_until(
        self: &Arc<Self>,
        mut leading: Leading,
        slot: u32,
        each: &mut dyn FnMut(u32, Told<'_>),
    ) -> io::Result<()> {
        let mut own = Some(Own { slot, each });
        let leaving = Leaving { shared: self, slot };
        while !self.slots.is_done(slot) {
            leading.turn(None, &mut own, &())?;
        }
        std::mem::forget(leaving);
        Ok(())
    }

    /// The caller of a slot goes before his answers have come.
    pub(super) fn turn_away(self: &Arc<Self>, slot: u32) {
        let (is_awaited, lent) = self.slots.abandon(slot);
        if let Some(lease) = lent {
            self.release(lease);
        }
        if is_awaited {
            self.abandon(slot);
        }
    }

    /// A task waits for an answer: somebody must drive who is no task.
    pub(super) fn see_to_driver(self: &Arc<Self>) {
        let is_inside = block_on::note(self);
        fence(Ordering::SeqCst);
        if !is_inside && !self.lead.is_driven() && !self.has_runtime() {
            self.keep();
        }
    }
}

impl Leading {
    /// Waits for sockets, for the engine's next deadline, for `patience`, and moves what can be moved then.
    ///
    /// # Errors
    /// The system cannot wait.
    pub(super) fn turn(
        &mut self,
        patience: Option<Duration>,
        own: &mut Option<Own<'_>>,
        gate: &impl Gate,
    ) -> io::Result<()> {
        let Some(poller) = &mut self.poller else { return Ok(()) };
        let (due, now) = self.shared.before_wait(own);
        // What is awaited may have failed meanwhile.
        if own.as_ref().is_some_and(|own| self.shared.slots.is_done(own.slot)) {
            return Ok(());
        }
        let due = (due != Instant::MAX).then(|| due.saturating_since(now));
        let patience = match (patience, due) {
            (Some(patience), Some(due)) => Some(patience.min(due)),
            (patience, due) => patience.or(due),
        };
        if own.is_some() {
            poller.wait_for_answer(patience)?;
        } else {
            let waited = poller.wait(if gate.close() { patience } else { Some(Duration::ZERO) });
            gate.open();
            waited?;
        }
        self.shared.after_wait(poller, own, self.is_back_soon);
        Ok(())
    }

    /// Moves what can be moved now, for who waits otherwise. Whether tasks were woken.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn look(&mut self) -> io::Result<bool> {
        let Some(poller) = &mut self.poller else { return Ok(false) };
        poller.wait(Some(Duration::ZERO))?;
        Ok(self.shared.after_wait(poller, &mut None, true))
    }

    /// Who drives will do so again once tasks of his have run.
    pub(super) fn for_tasks(mut self) -> Self {
        self.is_back_soon = true;
        self
    }
}

impl Drop for Leading {
    /// Hands over: to the first thread that follows, or to who else is willing, or must.
    fn drop(&mut self) {
        let lead = &self.shared.lead;
        let mut state = lock(&lead.state);
        state.poller = self.poller.take();
        lead.is_driven.store(false, Ordering::SeqCst);
        // Who does not see that anybody drives is seen here to wait.
        fence(Ordering::SeqCst);
        let heir = self.shared.heir(&mut state, self.is_back_soon);
        drop(state);
        self.shared.hand_to(heir);
    }
}
