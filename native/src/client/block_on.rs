//! An executor for one future, which drives the client that it waits for.

use std::cell::RefCell;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use super::lead::Gate;
use super::shared::Shared;
use super::sync::atomic::{AtomicU8, Ordering};
use super::sync::thread::{self, Thread};
use super::sync::{Arc, Clock, Mutex, Weak, thread_local};
use super::waiter::lock;

thread_local! {
    /// The first client that was awaited inside, if this thread is inside of `block_on`.
    static INSIDE: RefCell<Option<Weak<Shared>>> = const { RefCell::new(None) };
}

/// Runs a future to its end on this thread, without a runtime: while it waits for a client, this thread drives the
/// client. If it waits for several, that is the first; the others have threads of their own.
///
/// ```no_run
/// use respire::prelude::*;
///
/// let client = respire::Client::open("redis://127.0.0.1:6379")?;
/// let greeting: Option<String> = respire::block_on(async { client.get("greeting").await })?;
/// # Ok::<(), respire::Error>(())
/// ```
pub fn block_on<F: Future>(future: F) -> F::Output {
    match run(future, None) {
        Some(output) => output,
        // Without an end of its patience there is none.
        None => unreachable!(),
    }
}

/// The same for so long. `None`: it has not come to its end, and was dropped.
pub fn block_on_for<F: Future>(future: F, patience: Duration) -> Option<F::Output> {
    run(future, Clock::now().checked_add(patience))
}

fn run<F: Future>(future: F, until: Option<Clock>) -> Option<F::Output> {
    let mut future = pin!(future);
    let _inside = Inside::new();
    let signal = Arc::new(Signal {
        state: AtomicU8::new(CALLED),
        thread: thread::current(),
        client: Mutex::default(),
    });
    let waker = Waker::from(Arc::clone(&signal));
    let mut context = Context::from_waker(&waker);
    loop {
        if signal.state.swap(RUNNING, Ordering::AcqRel) == CALLED
            && let Poll::Ready(output) = future.as_mut().poll(&mut context)
        {
            return Some(output);
        }
        let patience = until.map(|until| until.saturating_duration_since(Clock::now()));
        if patience.is_some_and(|patience| patience.is_zero()) {
            return None;
        }
        match client() {
            Some(client) => signal.drive(&client, &waker, patience),
            None => signal.park(patience),
        }
    }
}

/// A task of this thread waits for a client: whether the thread will drive it.
pub(super) fn note(shared: &Arc<Shared>) -> bool {
    INSIDE.with_borrow_mut(|inside| match inside {
        None => false,
        // The first one is driven as long as it lives; another has its keeper.
        Some(known) if known.strong_count() > 0 => std::ptr::eq(known.as_ptr(), Arc::as_ptr(shared)),
        Some(known) => {
            *known = Arc::downgrade(shared);
            shared.go_inside();
            true
        }
    })
}

fn client() -> Option<Arc<Shared>> {
    INSIDE.with_borrow(|inside| inside.as_ref().and_then(Weak::upgrade))
}

/// What was inside before comes back.
struct Inside(Option<Weak<Shared>>);

impl Inside {
    fn new() -> Self {
        Self(INSIDE.replace(Some(Weak::new())))
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        if let Some(client) = client() {
            client.come_out();
        }
        INSIDE.set(self.0.take());
    }
}

struct Signal {
    state: AtomicU8,
    thread: Thread,
    /// The client whose sockets its thread waits for.
    client: Mutex<Weak<Shared>>,
}

/// The future is polled, or was, and has nothing to do.
const RUNNING: u8 = 0;
/// It is to be polled.
const CALLED: u8 = 1;
/// Its thread sleeps.
const PARKED: u8 = 2;
/// Its thread waits for sockets.
const WAITING: u8 = 3;

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        match self.state.swap(CALLED, Ordering::AcqRel) {
            PARKED => self.thread.unpark(),
            WAITING => {
                if let Some(client) = lock(&self.client).upgrade() {
                    // If the system cannot, it will tell whoever waits.
                    _ = client.waker.wake();
                }
            }
            _ => {}
        }
    }
}

impl Gate for Arc<Signal> {
    fn close(&self) -> bool {
        self.change(RUNNING, WAITING)
    }

    fn open(&self) {
        self.change(WAITING, RUNNING);
    }
}

impl Signal {
    fn change(&self, from: u8, to: u8) -> bool {
        self.state.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Waits for the sockets of a client until the future is called.
    fn drive(self: &Arc<Self>, client: &Arc<Shared>, waker: &Waker, patience: Option<Duration>) {
        let Some(leading) = client.lead_or_be_willing(waker) else {
            self.park(patience);
            return client.be_unwilling(waker);
        };
        let mut leading = leading.for_tasks();
        *lock(&self.client) = Arc::downgrade(client);
        while self.state.load(Ordering::Acquire) == RUNNING {
            // Whose patience is limited looks at the clock behind each turn.
            if leading.turn(patience, &mut None, self).is_err() || patience.is_some() {
                return;
            }
        }
    }

    fn park(&self, patience: Option<Duration>) {
        if self.change(RUNNING, PARKED) {
            match patience {
                Some(patience) => thread::park_timeout(patience),
                None => thread::park(),
            }
            // Whatever it was that has ended the sleep, the next look at the state says what is to be done.
            self.change(PARKED, RUNNING);
        }
    }
}
