//! RESP2 and RESP3: find the end of a reply, read it, write a request.
//!
//! Framing comes first and knows no types: [`Scanner`] validates the bytes of one whole reply and
//! says where it ends. Only then a [`Reply`] is made, a `Copy` cursor whose accessors cannot meet
//! a syntax error, and [`FromReply`] turns it into values. A conversion that fails can therefore
//! never move the start of the next reply.
//!
//! Source: the RESP specification of Redis 7.2 (RESP3 included).

mod attributes;
mod encode;
mod express;
#[cfg(any(feature = "alloc", feature = "heapless"))]
mod fill;
mod from_aggregate;
mod from_number;
mod from_reply;
mod head;
#[cfg(feature = "heapless")]
mod heapless;
mod kind;
mod level;
mod limits;
#[cfg(feature = "alloc")]
mod natural;
mod number;
#[cfg(feature = "alloc")]
mod owned;
mod part;
mod reply;
mod scan;
mod seq;
#[cfg(feature = "serde")]
mod serde;
#[cfg(feature = "bytes")]
mod shared;
mod skip;
#[cfg(feature = "alloc")]
mod value;

pub use attributes::Attributes;
pub(crate) use encode::copy;
pub use encode::{ArgSink, Encoded, Encoder};
pub(crate) use express::{OPEN, Whole};
#[cfg(any(feature = "alloc", feature = "heapless"))]
#[doc(hidden)]
pub use fill::Fill;
pub use from_reply::{Done, Expects, FromReply};
pub use kind::Kind;
pub use limits::{Limits, Over};
#[cfg(feature = "alloc")]
pub use natural::Natural;
pub(crate) use number::{Digits, DoubleText};
#[cfg(feature = "alloc")]
pub use owned::ErrorReply;
#[doc(hidden)]
pub use part::Teller;
pub(crate) use part::{Found, Piece, Wanted, What};
pub use reply::{Chunks, Outline, Reply};
pub use scan::{Frame, Scanner};
pub use seq::{Map, Preorder, Seq, Visit};
#[cfg(feature = "serde")]
pub use serde::{Deserializer, Serde};
#[cfg(feature = "alloc")]
pub use value::Value;

pub use crate::error::{DecodeError, ErrorKind, ProtocolError, ReplyError, ServerError};
