//! What all clones of a client share, and who may touch what.
//!
//! ```text
//!            submitters ── try ──► core: engine and sockets ◄── lock ── the driver, between two waits
//!                 │ it is taken         ▲      │ answers
//!                 └──► inbox ── drained ┘      └──► slots ──► callers
//!                      by whoever has it
//! ```
//!
//! The core is locked while bytes are encoded, written and read, never while somebody waits for a socket. Who finds it
//! taken leaves his request in the inbox and goes: whoever has the core looks there once more behind its lock.

use std::io;
use std::process;
use std::task::Waker;

use respire_core::command::Frame;
use respire_core::engine::Lease;
use respire_core::time::{Duration, Instant};

use super::inbox::{Ask, Inbox, Letter, Written};
use super::lead::Lead;
use super::machine::{BATCH, Core};
use super::poller::{self, Poller};
use super::slots::{Slots, Told};
use super::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};
use super::sync::{Arc, Clock, Mutex, MutexGuard, PoisonError, TryLockError};
use super::waiter::{Waiter, lock};
use crate::Error;

/// See the [module](self).
pub(super) struct Shared {
    pub(super) core: Mutex<Core>,
    inbox: Mutex<Inbox>,
    /// The one before, while it is read; between that, memory for the next. For who has the core.
    reading: Mutex<Inbox>,
    /// There may be something in the inbox.
    pub(super) mail: AtomicBool,
    pub(super) slots: Slots,
    /// How long a request may take that does not say so itself.
    pub(super) timeout: Option<Duration>,
    /// Who finds no slot does not wait for one.
    pub(super) refuses: bool,
    pub(super) lead: Lead,
    /// Ends the wait of whoever waits for sockets.
    pub(super) waker: poller::Waker,
    /// The same as a descriptor, for runtimes.
    pub(super) registry: poller::Registry,
    /// How many calls tasks wait for: these have nobody who drives. Written by who has the core.
    pub(super) tasks: AtomicUsize,
    /// When something is due, in microseconds. The same.
    pub(super) due: AtomicU64,
    /// Whoever drives waits, until then if nothing happens; zero if he does not, or nobody does.
    pub(super) asleep_until: AtomicU64,
    /// What is submitted is collected, and written by whoever drives. Written by who has the core.
    pub(super) is_collecting: AtomicBool,
    /// The driver that is a task of a runtime, if there is one.
    pub(super) runtime: Mutex<Option<Waker>>,
    pub(super) has_runtime: AtomicBool,
    /// No handle is left.
    pub(super) is_gone: AtomicBool,
    start: Clock,
    /// Who has made it.
    pub(super) process: AtomicU32,
}

/// A process cannot be copied within this time: so long ago it was the same.
const QUIET: Duration = Duration::from_micros(50);

/// A connection that was not used for so long is looked at before it is.
const IDLE: Duration = Duration::from_millis(1);

impl Shared {
    pub(super) fn new(
        core: Core,
        poller: Poller,
        limit: usize,
        timeout: Option<Duration>,
        refuses: bool,
    ) -> io::Result<Arc<Self>> {
        let (waker, registry) = (poller.waker()?, poller.registry()?);
        Ok(Arc::new(Self {
            core: Mutex::new(core),
            inbox: Mutex::default(),
            reading: Mutex::default(),
            mail: AtomicBool::new(false),
            slots: Slots::new(limit),
            timeout,
            refuses,
            lead: Lead::new(Box::new(poller)),
            waker,
            registry,
            tasks: AtomicUsize::new(0),
            due: AtomicU64::new(u64::MAX),
            asleep_until: AtomicU64::new(0),
            is_collecting: AtomicBool::new(false),
            runtime: Mutex::default(),
            has_runtime: AtomicBool::new(false),
            is_gone: AtomicBool::new(false),
            start: Clock::now(),
            process: AtomicU32::new(process::id()),
        }))
    }

    /// What the engine is told.
    pub(super) fn now(&self) -> Instant {
        Instant::ZERO.saturating_add(self.start.elapsed())
    }

    /// When that is by the system's clock.
    pub(super) fn clock(&self, at: Instant) -> Clock {
        self.start + at.saturating_since(Instant::ZERO)
    }

    /// When something is due.
    pub(super) fn due(&self) -> Instant {
        Instant::from_micros(self.due.load(Ordering::Relaxed))
    }

    pub(super) fn due_of(&self, core: &Core) -> Instant {
        core.due().min(self.slots.line.due()).min(self.slots.spares.due())
    }

    /// A task stands in line for a slot: whoever sleeps longer than it may wait is to know.
    pub(super) fn look_at_line(self: &Arc<Self>) {
        match self.try_core() {
            Some(core) => self.leave(core, self.now()),
            None => self.post(),
        }
    }

    /// Takes a request, or leaves it to whoever has the core. Whether it may be that nobody drives: not if a driver collects what
    /// his tasks ask for.
    ///
    /// # Errors
    /// The engine's; the slot is to be given back.
    pub(super) fn submit(self: &Arc<Self>, mut ask: Ask<'_>) -> Result<bool, Error> {
        if let Some(mut core) = self.try_core() {
            self.drain(&mut core);
            let now = self.now();
            if now.saturating_since(core.used) > QUIET {
                self.come_back(&mut core, now)?;
            }
            let submitted = core.submit(now, &mut ask);
            let is_left_alone = !core.collecting;
            self.leave(core, now);
            return Ok(submitted.map(|()| is_left_alone)?);
        }
        let is_left = lock(&self.inbox).submit(&mut ask);
        if is_left {
            self.post();
        } else {
            // It is larger than what others should send.
            self.enter(|core| core.submit(self.now(), &mut ask))?;
        }
        Ok(true)
    }

    /// After a while without use much may have happened: the process may be another, the connections may have ended.
    #[cold]
    fn come_back(&self, core: &mut Core, now: Instant) -> Result<(), Error> {
        self.same_process()?;
        // Who drives would have seen it.
        if now.saturating_since(core.used) > IDLE && self.lead.glance(core) {
            core.settle(self, &mut None);
        }
        Ok(())
    }

    /// A client belongs to the process that has made it: in a copy of the process its sockets would be used by both.
    ///
    /// # Errors
    /// It is another process.
    pub(super) fn same_process(&self) -> Result<(), Error> {
        if self.process.load(Ordering::Relaxed) == process::id() { Ok(()) } else { Err(Error::Forked) }
    }

    /// Nobody waits any more for the answers of this slot.
    pub(super) fn abandon(self: &Arc<Self>, slot: u32) {
        if let Some(mut core) = self.try_core() {
            self.drain(&mut core);
            core.abandon(self, slot);
            return self.leave(core, self.now());
        }
        lock(&self.inbox).letters.push(Letter::Abandon(slot));
        self.post();
    }

    /// Does something as soon as somebody has the core: now, as a rule. Nobody waits for it.
    pub(super) fn soon(self: &Arc<Self>, act: impl FnOnce(&mut Core, &Self) + Send + 'static) {
        if let Some(mut core) = self.try_core() {
            self.drain(&mut core);
            act(&mut core, self);
            return self.leave(core, self.now());
        }
        lock(&self.inbox).letters.push(Letter::Do(Box::new(act)));
        self.post();
    }

    /// Lends a connection that nobody uses, or does something else with the core, which says whether it did. Neither if somebody has
    /// the core.
    ///
    /// # Errors
    /// It is another process.
    pub(super) fn lend_or(
        self: &Arc<Self>,
        other: impl FnOnce(&mut Core, Instant) -> bool,
    ) -> Result<Option<Lease>, Error> {
        let Some(mut core) = self.try_core() else { return Ok(None) };
        let mut is_silent = !self.drain(&mut core);
        let now = self.now();
        if now.saturating_since(core.used) > QUIET {
            self.come_back(&mut core, now)?;
            is_silent = false;
        }
        let lease = core.lend(now);
        is_silent &= lease.is_some() || !other(&mut core, now);
        self.leave_having(core, now, is_silent);
        Ok(lease)
    }

    /// A connection is given back.
    pub(super) fn release(self: &Arc<Self>, lease: Lease) {
        let Some(mut core) = self.try_core() else {
            return self.soon(move |core, shared| core.release(shared, shared.now(), lease));
        };
        let mut is_silent = !self.drain(&mut core);
        let now = self.now();
        core.release(self, now, lease);
        if core.due() <= now {
            // Somebody waits for it, or it is to be made as new.
            core.serve(self, now);
            is_silent = false;
        }
        self.leave_having(core, now, is_silent);
    }

    /// There is mail: if whoever had the core has gone meanwhile, it is for us to look at it.
    pub(super) fn post(self: &Arc<Self>) {
        self.mail.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        if let Some(core) = self.try_core() {
            self.leave(core, self.now());
        }
    }

    fn try_core(&self) -> Option<MutexGuard<'_, Core>> {
        match self.core.try_lock() {
            Ok(core) => Some(core),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Does something with the core, however long it takes to have it.
    pub(super) fn enter<T>(self: &Arc<Self>, act: impl FnOnce(&mut Core) -> T) -> T {
        let mut core = self.core.lock().unwrap_or_else(PoisonError::into_inner);
        self.drain(&mut core);
        let result = act(&mut core);
        self.leave(core, self.now());
        result
    }

    /// Has the sockets looked at that nobody waits for, by whoever drives then.
    pub(super) fn look(self: &Arc<Self>) {
        if self.lead.is_driven() || self.same_process().is_err() {
            return;
        }
        if self.has_runtime() { self.call_runtime() } else { self.keep() }
    }

    /// Takes what was left for us. Whether there was anything.
    pub(super) fn drain(&self, core: &mut Core) -> bool {
        if !self.mail.load(Ordering::Relaxed) {
            return false;
        }
        self.mail.store(false, Ordering::SeqCst);
        // Who leaves something more does not wait until this is read.
        let mut inbox = lock(&self.reading);
        std::mem::swap(&mut *inbox, &mut *lock(&self.inbox));
        let now = self.now();
        let mut letters = std::mem::take(&mut inbox.letters);
        for letter in letters.drain(..) {
            match letter {
                Letter::Submit(written) => self.submit_written(core, now, &inbox, written),
                Letter::Abandon(slot) => core.abandon(self, slot),
                Letter::Do(act) => act(core, self),
            }
        }
        inbox.letters = letters;
        inbox.clear();
        true
    }

    fn submit_written(&self, core: &mut Core, now: Instant, inbox: &Inbox, written: Written) {
        let request = &Frame::new(inbox.frame(&written), written.command);
        let Written { slot, waiter, options, on, .. } = written;
        let is_task = waiter.is_task();
        let mut ask = Ask { slot, waiter, request, options: &options, on };
        match core.submit(now, &mut ask) {
            Ok(()) => core.desk.has_more |= is_task,
            Err(refused) => {
                if let Some(asked) = self.slots.put(slot, 0, Told::Refused(refused)) {
                    core.desk.wake(asked.or(ask.waiter));
                }
            }
        }
    }

    /// Leaves the core, with all done that cannot wait: what was submitted is written if nothing is under way there,
    /// and what others have left meanwhile is taken.
    pub(super) fn leave<'c>(self: &'c Arc<Self>, core: MutexGuard<'c, Core>, now: Instant) {
        self.leave_having(core, now, false);
    }

    /// The same: whoever is silent has done nothing of which there could be something to write now.
    fn leave_having<'c>(
        self: &'c Arc<Self>,
        mut core: MutexGuard<'c, Core>,
        mut now: Instant,
        mut is_silent: bool,
    ) {
        if core.collecting && core.desk.is_quiet() {
            // The driver is awake, and comes by when its tasks have run: it looks at what is due, and at the mail.
            core.used = now;
            if core.fresh >= BATCH {
                core.transmit(now);
            }
            return self.tasks.store(core.desk.tasks, Ordering::Relaxed);
        }
        loop {
            let mut due = self.due_of(&core);
            if due <= now {
                core.settle(self, &mut None);
                due = self.due_of(&core);
                is_silent = false;
            }
            core.used = now;
            if !core.collecting && !is_silent {
                // What was written has a deadline that was known before.
                core.transmit(now);
            }
            core = match self.let_go(core, due) {
                Some(core) => core,
                None => return,
            };
            self.drain(&mut core);
            is_silent = false;
            now = self.now();
        }
    }

    /// Unlocks the core and tells whoever is to be told. The core again, if there is mail and nobody else has it.
    fn let_go<'c>(
        self: &'c Arc<Self>,
        mut core: MutexGuard<'c, Core>,
        due: Instant,
    ) -> Option<MutexGuard<'c, Core>> {
        self.tasks.store(core.desk.tasks, Ordering::Relaxed);
        self.due.store(due.as_micros(), Ordering::Relaxed);
        let woken = core.desk.take_woken();
        let is_untold = std::mem::take(&mut core.desk.is_untold);
        let has_more = std::mem::take(&mut core.desk.has_more);
        drop(core);
        fence(Ordering::SeqCst);
        let asleep_until = self.asleep_until.load(Ordering::SeqCst);
        if due.as_micros() < asleep_until || is_untold && asleep_until > 0 {
            self.asleep_until.store(0, Ordering::SeqCst);
            self.rouse();
        }
        if has_more {
            // Who has left them here has seen a driver, who may have gone without knowing of them.
            self.see_to_driver();
        }
        if let Some(mut woken) = woken {
            woken.drain(..).for_each(Waiter::wake);
            // Its memory serves again, if nobody has the core just now.
            if let Some(mut core) = self.try_core() {
                core.desk.spare = woken;
                return if self.mail.load(Ordering::SeqCst) { Some(core) } else { self.unlock(core) };
            }
        }
        if self.mail.load(Ordering::SeqCst) { self.try_core() } else { None }
    }

    /// Unlocks the core. The core again, if there is mail by then.
    fn unlock<'c>(&'c self, core: MutexGuard<'c, Core>) -> Option<MutexGuard<'c, Core>> {
        drop(core);
        fence(Ordering::SeqCst);
        if self.mail.load(Ordering::SeqCst) { self.try_core() } else { None }
    }
}
