//! Memory that the caller owns, and the two windows over it.
//!
//! ```text
//!  receive  [ released | frame under the scanner | free ]      transmit  [ sent | ready | held | free ]
//! ```
//! Nothing in this module knows what the bytes mean.

mod receive;
mod storage;
mod transmit;

pub use receive::ReceiveBuffer;
#[cfg(feature = "alloc")]
pub use storage::Growing;
pub use storage::{Place, Places, Storage};
pub use transmit::{Reservation, TransmitBuffer};
