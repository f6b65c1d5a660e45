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

use std::cell::Cell;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::task::Waker;
use std::time::Instant as Clock;

use mio::{Events, Poll};
use respire_core::command::{AnyRequest, Frame};
use respire_core::conn::Token;
use respire_core::engine::{Engine, Event, Heap, Life, Options, Refused, Ticket};
use respire_core::time::{Duration, Instant};

use super::inbox::{Inbox, Letter, Written};
use super::lead::Lead;
use super::slots::{Slots, Told, Waiter, lock};
use crate::Url;
use crate::event_loop::{IN_FLIGHT, ROUNDS, Sockets, WAKER};

pub(super) type Machine = Engine<Heap, IN_FLIGHT>;

/// See the [module](self).
pub(super) struct Shared {
    core: Mutex<Core>,
    inbox: Mutex<Inbox>,
    /// There may be something in the inbox.
    mail: AtomicBool,
    pub(super) slots: Slots,
    pub(super) lead: Lead,
    /// Ends the wait of whoever waits for sockets.
    pub(super) waker: mio::Waker,
    /// The same as a descriptor, for runtimes.
    pub(super) registry: mio::Registry,
    /// How many calls tasks wait for: these have nobody who drives. Written by who has the core.
    pub(super) tasks: AtomicUsize,
    /// When something is due, in microseconds. The same.
    due: AtomicU64,
    /// The driver that is a task of a runtime, if there is one.
    pub(super) runtime: Mutex<Option<Waker>>,
    pub(super) has_runtime: AtomicBool,
    /// No handle is left.
    pub(super) is_gone: AtomicBool,
    start: Clock,
}

/// The engine and its sockets.
pub(super) struct Core {
    pub(super) engine: Machine,
    pub(super) sockets: Sockets<Url>,
    /// By slot: what the engine calls it, and whether a task waits for it.
    calls: Vec<Calls>,
    tasks: usize,
    /// Who is to be told when the lock is gone.
    woken: Vec<Waiter>,
    /// Who drives will write what is written now: tasks that it has just woken are still to come.
    pub(super) collecting: bool,
    /// Who drives waits, at most until then; or nobody does.
    pub(super) asleep_until: Instant,
    /// Who waits for the end.
    pub(super) closers: Vec<Waiter>,
}

/// The calls of one slot.
#[derive(Clone, Copy, Default)]
struct Calls {
    /// Of a single request; those of a pipeline are not known by themselves.
    ticket: Option<Ticket>,
    left: u32,
    is_task: bool,
    /// Nobody waits for them: the slot is given back behind the last.
    abandoned: bool,
}

/// What waits for sockets. Whoever has it drives.
pub(super) struct Poller {
    poll: Poll,
    events: Events,
}

/// The answers that the driver itself waits for: it reads them where they lie.
pub(super) struct Own<'o> {
    pub(super) slot: u32,
    pub(super) each: &'o mut dyn FnMut(u32, Told<'_>),
}

thread_local! {
    /// This thread shows an answer to its caller: the core is taken.
    static SHOWING: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is in the middle of an answer: it may not ask for another.
pub(super) fn is_showing() -> bool {
    SHOWING.get()
}

struct Showing;

impl Showing {
    fn new() -> Self {
        SHOWING.set(true);
        Self
    }
}

impl Drop for Showing {
    fn drop(&mut self) {
        SHOWING.set(false);
    }
}

/// Asks for one thing at a time.
pub(super) struct Ask<'r> {
    pub(super) slot: u32,
    pub(super) is_task: bool,
    pub(super) request: &'r dyn AnyRequest,
    pub(super) options: Options,
}

impl Shared {
    pub(super) fn new(engine: Machine, limit: usize, url: Url) -> io::Result<Arc<Self>> {
        let poll = Poll::new()?;
        let waker = mio::Waker::new(poll.registry(), WAKER)?;
        let (endpoint, timeout) = (url.endpoint.clone(), url.connect_timeout);
        let sockets = Sockets::new(poll.registry().try_clone()?, endpoint, timeout, url);
        let registry = poll.registry().try_clone()?;
        let poller = Box::new(Poller { poll, events: Events::with_capacity(256) });
        Ok(Arc::new(Self {
            core: Mutex::new(Core::new(engine, sockets)),
            inbox: Mutex::default(),
            mail: AtomicBool::new(false),
            slots: Slots::new(limit),
            lead: Lead::new(poller),
            waker,
            registry,
            tasks: AtomicUsize::new(0),
            due: AtomicU64::new(u64::MAX),
            runtime: Mutex::default(),
            has_runtime: AtomicBool::new(false),
            is_gone: AtomicBool::new(false),
            start: Clock::now(),
        }))
    }

    /// What the engine is told.
    pub(super) fn now(&self) -> Instant {
        Instant::ZERO.saturating_add(self.start.elapsed())
    }

    /// When something is due.
    pub(super) fn due(&self) -> Instant {
        Instant::from_micros(self.due.load(Ordering::Relaxed))
    }

    /// Takes a request, or leaves it to whoever has the core.
    ///
    /// # Errors
    /// The engine's; the slot is to be given back.
    pub(super) fn submit(&self, ask: &Ask<'_>) -> Result<(), Refused> {
        if let Some(mut core) = self.try_core() {
            self.drain(&mut core);
            let submitted = core.submit(self.now(), ask);
            self.leave(core);
            return submitted;
        }
        let is_left = lock(&self.inbox).submit(ask.slot, ask.is_task, ask.options, ask.request);
        if is_left {
            self.post();
            return Ok(());
        }
        // It is larger than what others should send.
        self.enter(|core| core.submit(self.now(), ask))
    }

    /// Nobody waits any more for the answers of this slot.
    pub(super) fn abandon(&self, slot: u32) {
        if let Some(mut core) = self.try_core() {
            self.drain(&mut core);
            core.abandon(self, slot);
            return self.leave(core);
        }
        lock(&self.inbox).letters.push(Letter::Abandon(slot));
        self.post();
    }

    /// There is mail: if whoever had the core has gone meanwhile, it is for us to look at it.
    fn post(&self) {
        self.mail.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        if let Some(core) = self.try_core() {
            self.leave(core);
        }
    }

    pub(super) fn try_core(&self) -> Option<MutexGuard<'_, Core>> {
        match self.core.try_lock() {
            Ok(core) => Some(core),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Does something with the core, however long it takes to have it.
    pub(super) fn enter<T>(&self, act: impl FnOnce(&mut Core) -> T) -> T {
        let mut core = self.core.lock().unwrap_or_else(PoisonError::into_inner);
        self.drain(&mut core);
        let result = act(&mut core);
        self.leave(core);
        result
    }

    /// Takes what was left for us.
    fn drain(&self, core: &mut Core) {
        if !self.mail.load(Ordering::Relaxed) {
            return;
        }
        self.mail.store(false, Ordering::SeqCst);
        let mut inbox = lock(&self.inbox);
        let now = self.now();
        for letter in &inbox.letters {
            match letter {
                Letter::Submit(written) => self.submit_written(core, now, &inbox, written),
                Letter::Abandon(slot) => core.abandon(self, *slot),
            }
        }
        inbox.clear();
    }

    fn submit_written(&self, core: &mut Core, now: Instant, inbox: &Inbox, written: &Written) {
        let &Written { slot, is_task, options, command, .. } = written;
        let request = &Frame::new(inbox.frame(written), command);
        if let Err(refused) = core.submit(now, &Ask { slot, is_task, request, options }) {
            core.woken.push(self.slots.put(slot, 0, Told::Refused(refused)));
        }
    }

    /// Leaves the core, with all done that cannot wait: what was submitted is written if nothing is under way there,
    /// and what others have left meanwhile is taken.
    pub(super) fn leave<'c>(&'c self, mut core: MutexGuard<'c, Core>) {
        loop {
            self.drain(&mut core);
            let now = self.now();
            if core.engine.poll_timeout() <= now {
                core.settle(self, &mut None);
            }
            if !core.collecting {
                core.transmit(now);
            }
            core = match self.let_go(core) {
                Some(core) => core,
                None => return,
            };
        }
    }

    /// Unlocks the core and tells whoever is to be told. The core again, if there is mail and nobody else has it.
    fn let_go<'c>(&'c self, mut core: MutexGuard<'c, Core>) -> Option<MutexGuard<'c, Core>> {
        self.tasks.store(core.tasks, Ordering::Relaxed);
        let mut woken = std::mem::take(&mut core.woken);
        let due = core.engine.poll_timeout().min(core.sockets.due());
        self.due.store(due.as_micros(), Ordering::Relaxed);
        let is_early = due < core.asleep_until;
        if is_early {
            core.asleep_until = Instant::ZERO;
        }
        drop(core);
        fence(Ordering::SeqCst);
        woken.drain(..).for_each(Waiter::wake);
        if is_early {
            self.rouse();
        }
        let mut again = if self.mail.load(Ordering::SeqCst) { self.try_core() } else { None };
        if woken.capacity() > 0
            && let Some(core) = again.as_mut()
            && core.woken.is_empty()
        {
            core.woken = woken;
        }
        again
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

    /// Writes what has been collected. Until when there is nothing to do.
    pub(super) fn before_wait(&self, own: &mut Option<Own<'_>>) -> Instant {
        let mut core = self.core.lock().unwrap_or_else(PoisonError::into_inner);
        self.drain(&mut core);
        core.collecting = false;
        let now = self.now();
        if core.engine.poll_timeout() <= now {
            core.settle(self, own);
        }
        core.transmit(now);
        let due = core.engine.poll_timeout().min(core.sockets.due());
        core.asleep_until = due;
        self.leave(core);
        due
    }

    /// Moves what the sockets are ready for. With `collect`, what tasks ask for that were woken is written
    /// [later](Self::before_wait), all at once. Whether any were.
    pub(super) fn after_wait(&self, poller: &mut Poller, own: &mut Option<Own<'_>>, collect: bool) -> bool {
        let mut core = self.core.lock().unwrap_or_else(PoisonError::into_inner);
        core.asleep_until = Instant::ZERO;
        self.drain(&mut core);
        for event in &poller.events {
            core.sockets.note(event);
        }
        poller.events.clear();
        core.settle(self, own);
        core.collecting = collect && !core.woken.is_empty();
        let collecting = core.collecting;
        self.leave(core);
        collecting
    }
}

impl Core {
    fn new(engine: Machine, sockets: Sockets<Url>) -> Self {
        Self {
            engine,
            sockets,
            calls: Vec::new(),
            tasks: 0,
            woken: Vec::new(),
            collecting: false,
            asleep_until: Instant::ZERO,
            closers: Vec::new(),
        }
    }

    fn submit(&mut self, now: Instant, ask: &Ask<'_>) -> Result<(), Refused> {
        let token = Token(ask.slot.into());
        let ticket = self.engine.submit(now, token, ask.request, &ask.options)?;
        self.expect(ask.slot, Some(ticket), 1, ask.is_task);
        Ok(())
    }

    /// So many answers will come for this slot.
    pub(super) fn expect(&mut self, slot: u32, ticket: Option<Ticket>, left: u32, is_task: bool) {
        let at = slot as usize;
        if self.calls.len() <= at {
            self.calls.resize(at + 1, Calls::default());
        }
        self.calls[at] = Calls { ticket, left, is_task, abandoned: false };
        self.tasks += usize::from(is_task);
    }

    /// Nobody waits any more. The slot is given back once nothing can come for it.
    fn abandon(&mut self, shared: &Shared, slot: u32) {
        let Some(calls) = self.calls.get_mut(slot as usize) else { return };
        if calls.left == 0 {
            return shared.slots.give(slot);
        }
        let Some(ticket) = calls.ticket else {
            // The answers to a pipeline come, and are dropped.
            calls.abandoned = true;
            return;
        };
        self.engine.cancel(shared.now(), ticket);
        self.forget(slot);
        shared.slots.give(slot);
    }

    fn forget(&mut self, slot: u32) {
        if let Some(calls) = self.calls.get_mut(slot as usize) {
            self.tasks -= usize::from(calls.is_task);
            *calls = Calls::default();
        }
    }

    /// Writes what is to be written where nothing is under way.
    fn transmit(&mut self, now: Instant) {
        self.sockets.transmit(&mut self.engine, now, false);
    }

    /// Reads what has come, tells it, and does what the engine asks for.
    pub(super) fn settle(&mut self, shared: &Shared, own: &mut Option<Own<'_>>) {
        for _ in 0..ROUNDS {
            // What came in time is read before anybody is told that it did not.
            let now = shared.now();
            let mut is_idle = !self.sockets.receive(&mut self.engine, now);
            let now = shared.now();
            self.engine.handle_timeout(now);
            while self.tell(shared, now, own) {
                is_idle = false;
            }
            while let Some(action) = self.engine.poll_action(now) {
                is_idle = false;
                self.sockets.act(&mut self.engine, now, action);
            }
            if is_idle {
                break;
            }
        }
        if self.engine.life() == Life::Closed {
            self.woken.append(&mut self.closers);
        }
    }

    /// Tells one event. Whether there was one.
    fn tell(&mut self, shared: &Shared, now: Instant, own: &mut Option<Own<'_>>) -> bool {
        let Some(event) = self.engine.poll_event(now) else { return false };
        let (token, told) = match event {
            Event::Reply { token, reply } => (token, Told::Reply(reply)),
            Event::Failed { token, failed } => (token, Told::Failed(failed)),
            Event::Leased { token, lease } => (token, Told::Leased(lease)),
            Event::Subscription(_) | Event::Message { .. } | Event::Push(_) => return true,
        };
        let (slot, item) = (token.0 as u32, (token.0 >> 32) as u32);
        let mut is_forgotten = false;
        if let Some(calls) = self.calls.get_mut(slot as usize) {
            calls.left = calls.left.saturating_sub(1);
            if calls.left == 0 {
                calls.ticket = None;
                self.tasks -= usize::from(std::mem::take(&mut calls.is_task));
                is_forgotten = std::mem::take(&mut calls.abandoned);
            }
        }
        match own {
            Some(own) if own.slot == slot => {
                shared.slots.count(slot);
                let _showing = Showing::new();
                (own.each)(item, told);
            }
            _ => {
                if let Told::Leased(lease) = told
                    && shared.slots.is_abandoned(slot)
                {
                    self.engine.release(now, lease);
                    shared.slots.count(slot);
                } else if let waiter @ (Waiter::Task(_) | Waiter::Thread(_)) =
                    shared.slots.put(slot, item, told)
                {
                    self.woken.push(waiter);
                }
            }
        }
        if is_forgotten {
            shared.slots.give(slot);
        }
        true
    }
}

impl Poller {
    /// Waits for sockets.
    ///
    /// # Errors
    /// The system cannot.
    pub(super) fn wait(&mut self, patience: Option<Duration>) -> io::Result<()> {
        crate::socket::poll_once(&mut self.poll, &mut self.events, patience)
    }
}
