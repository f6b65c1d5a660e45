//! Hooks of a client: whoever they are, they hold up nobody and break nothing.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};

use respire_core::client::Endpoint;
use respire_core::config::Address;
use respire_core::hook::{
    Attempt, Batch, BatchEnd, Dial, DialEnd, End, Hook, Refusal, Transaction, TransactionEnd,
};
use respire_core::time::Instant;

use super::desk::{Showing, is_showing};
use super::waiter::lock;

/// All hooks of a client, the first around the others. As a rule there are none, and then it is not asked for more.
pub(super) type Hooks = Vec<Guarded>;

/// One of them. A panic is a no, or is passed over; and what it asks the client for meanwhile is refused, for the engine
/// is taken.
#[derive(Clone)]
pub(super) struct Guarded(Arc<Mutex<dyn Hook + Send>>);

/// What a hook has refused that has panicked.
pub const PANICKED: Refusal = Refusal(u16::MAX);

impl Guarded {
    pub(super) fn new(hook: impl Hook + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(hook)))
    }

    fn call<T>(&mut self, passed_over: T, act: impl FnOnce(&mut dyn Hook) -> T) -> Option<T> {
        // What it does to another client may come back to it: then it is passed over.
        let is_inside = is_showing();
        let _showing = Showing::new();
        let mut hook = match self.0.try_lock() {
            Ok(hook) => hook,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) if is_inside => return Some(passed_over),
            Err(TryLockError::WouldBlock) => self.0.lock().unwrap_or_else(PoisonError::into_inner),
        };
        catch_unwind(AssertUnwindSafe(|| act(&mut *hook))).ok()
    }
}

/// Before it may say no, after it is told.
macro_rules! guarded {
    ($($before:ident $after:ident ($What:ty) ($Seen:ty) ($End:ty))*) => {
        $(
            fn $before(&mut self, now: Instant, what: $What) -> Result<(), Refusal> {
                self.call(Ok(()), |hook| hook.$before(now, what)).unwrap_or(Err(PANICKED))
            }

            fn $after(&mut self, now: Instant, what: $Seen, end: $End) {
                self.call((), |hook| hook.$after(now, what, end));
            }
        )*
    };
}

impl Hook for Guarded {
    fn is_active(&self) -> bool {
        // What is told of its beginning is told of its end.
        true
    }

    guarded! {
        before_dial after_dial (&mut Dial<'_>) (&Dial<'_>) (&DialEnd<'_>)
        before_command after_command (&Attempt<'_>) (&Attempt<'_>) (&End<'_>)
        before_pipeline after_pipeline (&Batch) (&Batch) (&BatchEnd)
        before_transaction after_transaction (&Transaction) (&Transaction) (&TransactionEnd)
    }
}

impl fmt::Debug for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guarded").finish_non_exhaustive()
    }
}

/// An endpoint, as hooks are told. The names of servers are kept for as long as the process lives, each once.
pub(super) fn address(endpoint: &Endpoint) -> Address<'static> {
    static HOSTS: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());
    let (host, port) = match endpoint {
        Endpoint::Tcp { host, port } | Endpoint::Tls { host, port } => (host, *port),
        Endpoint::Unix(path) => (path, 0),
    };
    let mut hosts = lock(&HOSTS);
    let known = hosts.iter().find(|known| *known == host).copied();
    let host = known.unwrap_or_else(|| {
        let host: &str = Box::leak(host.clone().into_boxed_str());
        hosts.push(host);
        host
    });
    Address { host, port }
}
