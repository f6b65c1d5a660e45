//! Hooks made of hooks: none, one that may not be there, one around another, and lists of them.

#[cfg(feature = "alloc")]
use alloc::{boxed::Box, vec::Vec};
use core::cell::RefCell;

use super::{
    Attempt, Batch, BatchEnd, Dial, DialEnd, DialOutcome, End, Fate, Hook, Refusal, Tally, Transaction,
    TransactionEnd,
};
use crate::time::Instant;

/// No hook at all.
impl Hook for () {
    #[inline(always)]
    fn is_active(&self) -> bool {
        false
    }
}

/// Calls `$pair!` for each of the four things that hooks stand around: before, after, and how the end of one looks
/// that an inner hook refused.
macro_rules! around {
    ($pair:ident $($context:tt)*) => {
        $pair! { $($context)* before_dial after_dial (&mut Dial<'_>) (&Dial<'_>) (&DialEnd<'_>)
            |now, refusal| DialEnd { outcome: DialOutcome::Refused(refusal), started: now } }
        $pair! { $($context)* before_command after_command (&Attempt<'_>) (&Attempt<'_>) (&End<'_>)
            |now, refusal| End::refused(now, refusal) }
        $pair! { $($context)* before_pipeline after_pipeline (&Batch) (&Batch) (&BatchEnd)
            |now, _refusal| BatchEnd { tally: Tally::default(), started: now } }
        $pair! { $($context)* before_transaction after_transaction (&Transaction) (&Transaction) (&TransactionEnd)
            |now, refusal| TransactionEnd { fate: Fate::Refused(refusal), tally: Tally::default(), started: now } }
    };
}

/// Hands on to the hook inside, if it is there.
macro_rules! inside {
    ([$this:ident => $inner:expr] $before:ident $after:ident ($What:ty) ($Seen:ty) ($End:ty) $($refused:tt)*) => {
        #[inline]
        fn $before(&mut self, now: Instant, what: $What) -> Result<(), Refusal> {
            let $this = self;
            match $inner {
                #[allow(unused_mut, reason = "some are guards, some are references")]
                Some(mut inner) => inner.$before(now, what),
                None => Ok(()),
            }
        }

        #[inline]
        fn $after(&mut self, now: Instant, what: $Seen, end: $End) {
            let $this = self;
            #[allow(unused_mut, reason = "some are guards, some are references")]
            if let Some(mut inner) = $inner {
                inner.$after(now, what, end);
            }
        }
    };
}

/// A hook that may be turned on and off.
impl<H: Hook> Hook for Option<H> {
    #[inline]
    fn is_active(&self) -> bool {
        self.as_ref().is_some_and(H::is_active)
    }

    around!(inside [this => this.as_mut()]);
}

/// A hook that somebody else keeps.
impl<H: Hook + ?Sized> Hook for &mut H {
    #[inline]
    fn is_active(&self) -> bool {
        (**self).is_active()
    }

    around!(inside [this => Some(&mut **this)]);
}

/// A hook that its owner can look at between calls. It is passed over while it is borrowed.
impl<H: Hook + ?Sized> Hook for &RefCell<H> {
    #[inline]
    fn is_active(&self) -> bool {
        self.try_borrow().is_ok_and(|hook| hook.is_active())
    }

    around!(inside [this => this.try_borrow_mut().ok()]);
}

#[cfg(feature = "alloc")]
impl<H: Hook + ?Sized> Hook for Box<H> {
    #[inline]
    fn is_active(&self) -> bool {
        (**self).is_active()
    }

    around!(inside [this => Some(&mut **this)]);
}

/// A list that can be added to while the program runs, between operations.
#[cfg(feature = "alloc")]
impl<H: Hook> Hook for Vec<H> {
    #[inline]
    fn is_active(&self) -> bool {
        self.as_slice().is_active()
    }

    around!(inside [this => Some(this.as_mut_slice())]);
}

/// One around another.
macro_rules! nested {
    ($before:ident $after:ident ($What:ty) ($Seen:ty) ($End:ty) $refused:expr) => {
        #[inline]
        fn $before(&mut self, now: Instant, what: $What) -> Result<(), Refusal> {
            let (outer, inner) = self;
            outer.$before(now, what)?;
            let verdict = inner.$before(now, what);
            if let Err(refusal) = verdict {
                let end: fn(Instant, Refusal) -> _ = $refused;
                outer.$after(now, what, &end(now, refusal));
            }
            verdict
        }

        #[inline]
        fn $after(&mut self, now: Instant, what: $Seen, end: $End) {
            let (outer, inner) = self;
            inner.$after(now, what, end);
            outer.$after(now, what, end);
        }
    };
}

/// The first around the second.
impl<A: Hook, B: Hook> Hook for (A, B) {
    #[inline]
    fn is_active(&self) -> bool {
        self.0.is_active() || self.1.is_active()
    }

    around!(nested);
}

/// The first around the second around the third.
impl<A: Hook, B: Hook, C: Hook> Hook for (A, B, C) {
    #[inline]
    fn is_active(&self) -> bool {
        self.0.is_active() || self.1.is_active() || self.2.is_active()
    }

    around!(inside [this => Some((&mut this.0, (&mut this.1, &mut this.2)))]);
}

/// Each around those behind it.
macro_rules! each {
    ($before:ident $after:ident ($What:ty) ($Seen:ty) ($End:ty) $refused:expr) => {
        fn $before(&mut self, now: Instant, what: $What) -> Result<(), Refusal> {
            let verdict = self
                .iter_mut()
                .enumerate()
                .try_for_each(|(at, hook)| hook.$before(now, what).map_err(|refusal| (at, refusal)));
            let Err((at, refusal)) = verdict else { return Ok(()) };
            let end: fn(Instant, Refusal) -> _ = $refused;
            for hook in self.iter_mut().take(at).rev() {
                hook.$after(now, what, &end(now, refusal));
            }
            Err(refusal)
        }

        fn $after(&mut self, now: Instant, what: $Seen, end: $End) {
            for hook in self.iter_mut().rev() {
                hook.$after(now, what, end);
            }
        }
    };
}

/// Each around those behind it.
impl<H: Hook> Hook for [H] {
    fn is_active(&self) -> bool {
        self.iter().any(H::is_active)
    }

    around!(each);
}
