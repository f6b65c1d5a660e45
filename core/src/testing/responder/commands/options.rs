//! Options that several commands share: expiry times and their units.

use super::super::call::Call;
use super::super::fault::{Fault, NOT_INTEGER, SYNTAX};
use super::super::number;

/// What SET and GETEX are told about the expiry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expiry<'a> {
    /// Nothing.
    Unsaid,
    /// KEEPTTL.
    Keep,
    /// PERSIST.
    Clear,
    /// EX, PX, EXAT or PXAT and the number after it.
    At(Unit, &'a [u8]),
}

/// How a time is given.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unit {
    /// In seconds, not milliseconds.
    pub(crate) seconds: bool,
    /// From now on, not since the Unix epoch.
    pub(crate) relative: bool,
}

pub(crate) const EX: Unit = Unit { seconds: true, relative: true };
pub(crate) const PX: Unit = Unit { seconds: false, relative: true };
pub(crate) const EXAT: Unit = Unit { seconds: true, relative: false };
pub(crate) const PXAT: Unit = Unit { seconds: false, relative: false };

impl<'a> Expiry<'a> {
    /// Reads EX, PX, EXAT or PXAT and its number from argument `at`; `None`
    /// if it is another option.
    pub(crate) fn read(self, call: &Call<'a>, at: usize) -> Result<Option<Self>, Fault> {
        let unit = match () {
            () if call.is(at, "ex") => EX,
            () if call.is(at, "px") => PX,
            () if call.is(at, "exat") => EXAT,
            () if call.is(at, "pxat") => PXAT,
            () => return Ok(None),
        };
        // Only one option about the expiry, and it needs its number.
        if self != Self::Unsaid || at + 1 >= call.len() {
            return Err(SYNTAX);
        }
        Ok(Some(Self::At(unit, call.arg(at + 1))))
    }
}

/// The time given by `text` in milliseconds since the Unix epoch, for commands
/// that take only times above 0.
pub(crate) fn deadline(call: &Call<'_>, unit: Unit, text: &[u8]) -> Result<i64, Fault> {
    let amount = number::integer(text).ok_or(NOT_INTEGER)?;
    Some(amount)
        .filter(|&amount| amount > 0)
        .and_then(|amount| absolute(call, unit, amount))
        .ok_or_else(|| Fault::expiry(call.command.name))
}

/// `amount` in milliseconds since the Unix epoch, unless that overflows.
pub(crate) fn absolute(call: &Call<'_>, unit: Unit, amount: i64) -> Option<i64> {
    let millis = if unit.seconds { amount.checked_mul(1000)? } else { amount };
    if unit.relative { millis.checked_add(call.space.now()) } else { Some(millis) }
}
