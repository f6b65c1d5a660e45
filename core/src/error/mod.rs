//! Errors, sorted by whose fault they are.
//!
//! | type | who | is the connection still usable |
//! |---|---|---|
//! | [`ProtocolError`] | the peer broke RESP | no: nobody knows where the next reply starts |
//! | [`ServerError`] | the server said no | yes |
//! | [`DecodeError`] | the caller asked for another type than came | yes |
//! | [`Full`] | our capacity | yes: nothing was taken |
//! | [`Misuse`] | the caller broke a rule of this crate | yes: nothing was sent |

mod code;
mod decode;
mod proof;
mod server;

use core::fmt;

pub use code::ErrorKind;
pub use decode::{DecodeError, ReplyError};
pub use proof::{Author, Proof};
pub use server::ServerError;

/// The peer sent something that is not RESP, or more of it than the limits allow.
///
/// Always the end of the connection: the start of the next reply cannot be known.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ProtocolError {
    /// A value starts with a byte that no RESP type has. HTTP and TLS peers end up here.
    UnknownType(u8),
    /// A length or count is not a plain decimal number in range.
    BadLength,
    /// A `:` line is not a 64-bit integer.
    BadInteger,
    /// A `,` line is not a number, `inf` or `nan`.
    BadDouble,
    /// A `#` line is neither `#t` nor `#f`.
    BadBoolean,
    /// A `_` line is not empty.
    BadNull,
    /// A verbatim string is too short for its `txt:` prefix.
    BadVerbatim,
    /// A carriage return without its line feed, or a line feed without its carriage return.
    BadLineEnd,
    /// The bytes of a string are not followed by CRLF.
    BadTerminator,
    /// A line is longer than [`Limits::line`](crate::resp::Limits::line).
    LineTooLong,
    /// A reply over the limits is longer than [`Limits::skip`](crate::resp::Limits::skip), or will be.
    TooLarge,
    /// A push stands inside another value. Servers do this for SUBSCRIBE within MULTI, some of
    /// them uncounted, so that no reading of the stream is right.
    NestedPush,
    /// A chunk (`;`) or end marker (`.`) outside of a streamed value, or a streamed value that
    /// breaks its own rules.
    BadStream,
    /// A streamed aggregate deeper than [`Limits::depth`](crate::resp::Limits::depth), or in a reply
    /// over another limit: nothing says where it ends. No server streams at all today.
    StreamTooDeep,
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::UnknownType(byte) => {
                write!(f, "no RESP type starts with byte 0x{byte:02x}")?;
                return match byte {
                    b'H' | b'<' => f.write_str("; this looks like an HTTP server"),
                    0x15 | 0x16 => f.write_str("; this looks like a TLS server"),
                    _ => Ok(()),
                };
            }
            Self::BadLength => "a length is not a plain decimal number in range",
            Self::BadInteger => "an integer is not a 64-bit number",
            Self::BadDouble => "a double is not a number",
            Self::BadBoolean => "a boolean is neither t nor f",
            Self::BadNull => "a null is not empty",
            Self::BadVerbatim => "a verbatim string lacks its format",
            Self::BadLineEnd => "a line does not end in CRLF",
            Self::BadTerminator => "a string is not followed by CRLF",
            Self::LineTooLong => "a line is over the limit",
            Self::TooLarge => "a reply over the limits is too long to be skipped",
            Self::NestedPush => "a push stands inside another value",
            Self::BadStream => "a streamed value breaks its rules",
            Self::StreamTooDeep => "streamed values are nested too deep",
        };
        f.write_str(text)
    }
}

impl core::error::Error for ProtocolError {}

/// There is no room. Nothing was taken; try again once something was sent or answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Full {
    /// The transmit buffer has no room for the frame now.
    Transmit,
    /// As many requests are unanswered as there are slots.
    InFlight,
    /// The frame is larger than the transmit buffer can ever be.
    TooLarge,
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Transmit => "the transmit buffer is full",
            Self::InFlight => "every in-flight slot is taken",
            Self::TooLarge => "the request is larger than the transmit buffer",
        })
    }
}

impl core::error::Error for Full {}

/// The caller asked for something that would leave the connection in a state nobody knows.
/// Nothing was sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Misuse {
    /// A request without a single word.
    Empty,
    /// `CLIENT REPLY OFF` and `SKIP` would leave requests without replies.
    ReplyOff,
    /// SUBSCRIBE and its like inside MULTI: servers put pushes where replies are counted.
    SubscribeInMulti,
    /// More than one argument of a request is left for later, or a word of the command's name is
    /// (without a row that may be each of the first two): what it does must be known at once.
    Later,
    /// A value in pieces, on the way in or out, where it must be whole: calls that wait for one answer
    /// take neither [`chunked`](crate::command::chunked) nor [`Later`](crate::command::Later).
    Streamed,
    /// A request wrote other arguments the second time it was visited.
    Inconsistent,
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the request has no words",
            Self::ReplyOff => "CLIENT REPLY OFF and SKIP are refused: requests would go unanswered",
            Self::SubscribeInMulti => {
                "subscribing inside MULTI is refused: servers misplace the confirmations"
            }
            Self::Later => "only one argument can be supplied later, and no word of the command",
            Self::Streamed => "a value in pieces is asked for where it must be whole",
            Self::Inconsistent => "the request changed while it was encoded",
        })
    }
}

impl core::error::Error for Misuse {}
