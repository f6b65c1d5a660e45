//! Who is to be told, and where he says so.

use std::task::Waker;

use super::sync::thread::Thread;
use super::sync::{Mutex, MutexGuard, PoisonError};

/// Who is to be told.
#[derive(Default)]
pub(super) enum Waiter {
    #[default]
    Nobody,
    Task(Waker),
    Thread(Thread),
}

impl Waiter {
    /// A task, whose waker is as a rule the one that is known.
    pub(super) fn task(waker: &Waker) -> impl FnOnce(&mut Self) {
        move |known| {
            if !matches!(known, Self::Task(known) if known.will_wake(waker)) {
                *known = Self::Task(waker.clone());
            }
        }
    }

    pub(super) const fn is_task(&self) -> bool {
        matches!(self, Self::Task(_))
    }

    /// The other one, if this is nobody.
    pub(super) fn or(self, other: Self) -> Self {
        if let Self::Nobody = self { other } else { self }
    }

    pub(super) fn wake(self) {
        match self {
            Self::Nobody => {}
            Self::Task(waker) => waker.wake(),
            Self::Thread(thread) => thread.unpark(),
        }
    }
}

/// Locks that are poisoned are used on: nothing here is left half done by who panics.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
