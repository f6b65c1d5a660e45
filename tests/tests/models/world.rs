//! What a client sees of the world: a server, the time, and what tells of both.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use shuttle::sync::{Condvar, Mutex};
use shuttle::thread::{self, JoinHandle, Thread};

use super::runtime::Reactor;
use super::sync::Clock;

/// See the [module](self).
#[derive(Default)]
pub(super) struct World {
    pub(super) state: Mutex<State>,
    pub(super) changed: Condvar,
}

#[derive(Default)]
pub(super) struct State {
    /// On the way to the server.
    pub(super) sent: VecDeque<(u64, Vec<u8>)>,
    /// On the way back.
    pub(super) answers: VecDeque<(u64, Vec<u8>)>,
    /// The socket has become readable since the last look.
    pub(super) readable: bool,
    /// The wait was to be ended.
    pub(super) woken: bool,
    /// Who is to be told of either.
    pub(super) reactor: Option<Waker>,
    /// What the server has been asked for.
    pub(super) log: Vec<Vec<u8>>,
    /// When the client must have told what becomes of its requests.
    pub(super) deadlines: BTreeMap<u64, Duration>,
    /// The system cannot wait, once.
    pub(super) fails: bool,
    closed: bool,
}

/// Of the execution that this thread of the system is in the middle of.
#[derive(Default)]
pub(super) struct Here {
    now: Cell<Duration>,
    alarms: RefCell<BTreeMap<u64, (Duration, Alarm)>>,
    next: Cell<u64>,
    /// What the client has started.
    pub(super) threads: RefCell<Vec<JoinHandle<()>>>,
}

#[derive(Clone)]
pub(super) enum Alarm {
    Unpark(Thread),
    Notify(Arc<Condvar>),
    Wake(Waker),
}

/// What tells a task of the world, in the place of a runtime.
pub(super) struct Readable {
    world: Arc<World>,
    alarm: Option<u64>,
}

std::thread_local! {
    static HERE: RefCell<Arc<Here>> = RefCell::default();
}

shuttle::thread_local! {
    /// What a thread has read last from the clock. Time that passes while it is on its way to sleep delays nobody.
    static SEEN: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

impl World {
    /// A world, with a server that echoes and a clock that moves to each deadline.
    pub(super) fn run(model: impl FnOnce(&Arc<Self>)) {
        HERE.set(Arc::default());
        let world = Arc::new(Self::default());
        let start = |run: fn(&Self)| {
            let world = Arc::clone(&world);
            thread::spawn(move || run(&world))
        };
        let threads = [start(Self::serve), start(Self::keep_time)];
        model(&world);
        // The client has gone: nothing that it has started is left.
        while let Some(thread) = Self::of(|here| here.threads.borrow_mut().pop()) {
            thread.join().unwrap();
        }
        world.change(|state| state.closed = true);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock().unwrap();
        let result = change(&mut state);
        let reactor = if state.readable || state.woken { state.reactor.take() } else { None };
        self.changed.notify_all();
        drop(state);
        if let Some(waker) = reactor {
            waker.wake();
        }
        result
    }

    /// Waits until there is something to find.
    pub(super) fn until<T>(&self, mut find: impl FnMut(&mut State) -> Option<T>) -> T {
        let mut state = self.state.lock().unwrap();
        loop {
            if let Some(found) = find(&mut state) {
                return found;
            }
            state = self.changed.wait(state).unwrap();
        }
    }

    /// Answers each request with its last word, but for silent ones.
    fn serve(&self) {
        while let Some((id, request)) = self.until(|state| match state.sent.pop_front() {
            None if state.closed => Some(None),
            sent => sent.map(Some),
        }) {
            let last = request.windows(1).rposition(|byte| byte == b"$").unwrap();
            let answer = request[last..].to_vec();
            self.change(|state| {
                let silent = answer.windows(6).any(|word| word == b"silent");
                state.log.push(answer.clone());
                if !silent {
                    state.answers.push_back((id, answer));
                    state.readable = true;
                }
            });
        }
    }

    /// Moves the clock to each deadline, and not on before that is met.
    fn keep_time(&self) {
        let first = |state: &State| state.deadlines.values().min().copied();
        while let Some(due) = self.until(|state| match first(state) {
            None if state.closed => Some(None),
            due => due.map(Some),
        }) {
            self.tick(due);
            self.until(|state| (first(state) != Some(due)).then_some(()));
        }
    }

    fn tick(&self, to: Duration) {
        self.change(|_| Self::of(|here| here.now.set(here.now.get().max(to))));
        // Who is about to sleep is woken once he does.
        while let Some(alarm) = Self::of(|here| {
            let alarms = here.alarms.borrow();
            let alarm = alarms.iter().find(|(_, (due, _))| *due <= to);
            alarm.map(|(id, (_, alarm))| (*id, alarm.clone()))
        }) {
            match alarm {
                (_, Alarm::Unpark(thread)) => thread.unpark(),
                (_, Alarm::Notify(condvar)) => condvar.notify_all(),
                (id, Alarm::Wake(waker)) => {
                    Self::unset(id);
                    waker.wake();
                }
            }
            thread::yield_now();
        }
    }

    pub(super) fn of<T>(look: impl FnOnce(&Here) -> T) -> T {
        let here = HERE.with_borrow(Arc::clone);
        look(&here)
    }

    /// What the time is.
    pub(super) fn now() -> Duration {
        let now = Self::of(|here| here.now.get());
        SEEN.with(|seen| seen.set(now));
        now
    }

    /// The end of somebody's patience, who has looked at the clock before.
    pub(super) fn end(patience: Duration) -> Duration {
        SEEN.with(Cell::get) + patience
    }

    /// An alarm at the end of somebody's patience, unless that is over.
    pub(super) fn set(patience: Duration, alarm: Alarm) -> Option<u64> {
        Self::of(|here| {
            if Self::end(patience) <= here.now.get() {
                return None;
            }
            let id = here.next.get();
            here.next.set(id + 1);
            here.alarms.borrow_mut().insert(id, (Self::end(patience), alarm));
            Some(id)
        })
    }

    pub(super) fn unset(alarm: u64) {
        Self::of(|here| here.alarms.borrow_mut().remove(&alarm));
    }
}

impl Readable {
    pub(super) fn new(world: &Arc<World>) -> Self {
        Self { world: Arc::clone(world), alarm: None }
    }
}

impl Reactor for Readable {
    fn poll_readable(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let is_readable = self.world.change(|state| {
            state.reactor = Some(context.waker().clone());
            state.readable || state.woken
        });
        if is_readable { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    fn poll_due(&mut self, context: &mut Context<'_>, due: Option<Clock>) -> Poll<()> {
        self.alarm.take().into_iter().for_each(World::unset);
        let Some(due) = due else { return Poll::Pending };
        let left = due.saturating_duration_since(Clock::now());
        if left.is_zero() {
            return Poll::Ready(());
        }
        self.alarm = World::set(left, Alarm::Wake(context.waker().clone()));
        if self.alarm.is_none() { Poll::Ready(()) } else { Poll::Pending }
    }
}
