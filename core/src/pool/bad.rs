//! A connection that has gone bad, as its users are told.

use core::fmt;

/// A connection that can no longer be used, and why: `E` is the owner's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct BadConn<E> {
    /// What has happened to it.
    pub cause: E,
}

impl<E> fmt::Display for BadConn<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection can no longer be used")
    }
}

impl<E: core::error::Error + 'static> core::error::Error for BadConn<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(&self.cause)
    }
}
