//! Where threads meet in a model: shuttle's locks, and a clock that stands still until [`World::tick`] moves it.

use std::cell::{Cell, RefCell};
use std::ops::Add;
pub(super) use std::sync::OnceLock;
use std::time::Duration;

pub(super) use shuttle::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError, Weak, atomic};

use super::world::{Alarm, World};

#[derive(Default)]
pub(super) struct Condvar(Arc<shuttle::sync::Condvar>);

impl Condvar {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn wait<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
    ) -> Result<MutexGuard<'a, T>, PoisonError<MutexGuard<'a, T>>> {
        self.0.wait(guard)
    }

    #[expect(clippy::type_complexity, reason = "the standard library's")]
    pub(super) fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        patience: Duration,
    ) -> Result<(MutexGuard<'a, T>, ()), PoisonError<(MutexGuard<'a, T>, ())>> {
        let Some(alarm) = World::set(patience, Alarm::Notify(Arc::clone(&self.0))) else {
            return Ok((guard, ()));
        };
        let guard = self.0.wait(guard).unwrap_or_else(PoisonError::into_inner);
        World::unset(alarm);
        Ok((guard, ()))
    }

    pub(super) fn notify_all(&self) {
        self.0.notify_all();
    }
}

#[derive(Clone, Copy)]
pub struct Clock(Duration);

impl Clock {
    pub(super) fn now() -> Self {
        Self(World::now())
    }

    pub(super) fn elapsed(self) -> Duration {
        World::now().saturating_sub(self.0)
    }

    pub(super) fn checked_add(self, span: Duration) -> Option<Self> {
        self.0.checked_add(span).map(Self)
    }

    pub(super) fn saturating_duration_since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Clock {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0 + span)
    }
}

pub(super) mod thread {
    use std::io;
    use std::time::Duration;

    pub(crate) use shuttle::thread::{Thread, current, park};

    use super::World;
    use crate::world::Alarm;

    pub(crate) fn park_timeout(patience: Duration) {
        if let Some(alarm) = World::set(patience, Alarm::Unpark(current())) {
            park();
            World::unset(alarm);
        }
    }

    /// What it starts must end before the model does.
    pub(crate) struct Builder;

    impl Builder {
        pub(crate) fn new() -> Self {
            Self
        }

        pub(crate) fn name(self, _: String) -> Self {
            self
        }

        pub(crate) fn spawn(self, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
            World::of(|world| world.threads.borrow_mut().push(shuttle::thread::spawn(run)));
            Ok(())
        }
    }
}

/// As the standard library's, of the model's threads.
macro_rules! local {
    ($(#[$meta:meta])* static $name:ident: $type:ty = const { $init:expr };) => {
        $(#[$meta])*
        static $name: $crate::sync::Local<$type> = {
            shuttle::thread_local! { static KEY: $type = $init }
            $crate::sync::Local(&KEY)
        };
    };
}
pub(super) use local as thread_local;

pub(super) struct Local<T: 'static>(pub(super) &'static shuttle::thread::LocalKey<T>);

impl<T: Copy> Local<Cell<T>> {
    pub(super) fn get(&'static self) -> T {
        self.0.with(Cell::get)
    }

    pub(super) fn replace(&'static self, value: T) -> T {
        self.0.with(|cell| cell.replace(value))
    }

    pub(super) fn set(&'static self, value: T) {
        self.replace(value);
    }
}

impl<T> Local<RefCell<T>> {
    pub(super) fn with_borrow<R>(&'static self, look: impl FnOnce(&T) -> R) -> R {
        self.0.with(|cell| look(&cell.borrow()))
    }

    pub(super) fn with_borrow_mut<R>(&'static self, change: impl FnOnce(&mut T) -> R) -> R {
        self.0.with(|cell| change(&mut cell.borrow_mut()))
    }

    pub(super) fn replace(&'static self, value: T) -> T {
        self.0.with(|cell| cell.replace(value))
    }

    pub(super) fn set(&'static self, value: T) {
        self.replace(value);
    }
}
