//! RESP2 and RESP3: find the end of a reply, read it, write a request.
//!
//! Framing comes first and knows no types: [`Scanner`] validates the bytes of one whole reply and
//! says where it ends. Only then a [`Reply`] is made, a `Copy` cursor whose accessors cannot meet
//! a syntax error, and [`FromReply`] turns it into values. A conversion that fails can therefore
//! never move the start of the next reply.
//!
//! Source: the RESP specification of Redis 7.2 (RESP3 included).

mod encode;
mod express;
mod from_reply;
mod head;
mod kind;
mod level;
mod limits;
mod number;

#[cfg(feature = "alloc")]
mod owned;
mod part;
mod reply;
mod scan;
mod seq;
mod skip;
#[cfg(feature = "alloc")]
mod value;

pub(crate) use encode::copy;
pub use encode::{ArgSink, Encoded, Encoder};
pub use from_reply::{Done, FromReply};
pub use kind::Kind;
pub use limits::{Limits, Over};
pub(crate) use number::{Digits, DoubleText};
#[cfg(feature = "alloc")]
pub use owned::{ErrorReply, Natural};
pub(crate) use part::{Found, Piece, Wanted, What};
pub use reply::{Chunks, Reply};
pub use scan::{Frame, Scanner};
pub use seq::{Map, Preorder, Seq, Visit};
#[cfg(feature = "alloc")]
pub use value::Value;

pub use crate::error::{DecodeError, ProtocolError, ReplyError, ServerError};
