//! Errors, sorted by whose fault they are.
//!
//! | type | who | is the connection still usable |
//! |---|---|---|
//! | [`ProtocolError`] | the peer broke RESP | no: nobody knows where the next reply starts |
//! | [`ServerError`] | the server said no | yes |
//! | [`DecodeError`] | the caller asked for another type than came | yes |
//! | [`Full`] | our capacity | yes: nothing was taken |
//! | [`Misuse`] | the caller broke a rule of this crate | yes: nothing was sent |

use core::fmt;

use crate::resp::Kind;

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

/// An error reply: the server understood and said no.
///
/// The text is bytes, not UTF-8: scripts and old servers send anything. `Display` and `Debug`
/// escape what is not printable and stop after 256 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ServerError<'a>(&'a [u8]);

impl<'a> ServerError<'a> {
    /// The error whose whole text is `text`, without type byte and line end.
    pub const fn new(text: &'a [u8]) -> Self {
        Self(text)
    }

    /// The whole text.
    pub const fn text(self) -> &'a [u8] {
        self.0
    }

    /// The code: the first word (`WRONGTYPE`, `ERR`, `MOVED`), empty if there is none.
    pub fn code(self) -> &'a [u8] {
        self.0.split(|&byte| byte == b' ').next().unwrap_or_default()
    }

    /// What follows the code.
    pub fn message(self) -> &'a [u8] {
        let code = self.code().len();
        self.0.get(code.saturating_add(1)..).unwrap_or_default()
    }
}

impl fmt::Display for ServerError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.get(..256).unwrap_or(self.0);
        for chunk in shown.utf8_chunks() {
            for c in chunk.valid().chars() {
                if c.is_control() {
                    write!(f, "{}", c.escape_default())?;
                } else {
                    fmt::Write::write_char(f, c)?;
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        if shown.len() < self.0.len() { f.write_str("…") } else { Ok(()) }
    }
}

impl fmt::Debug for ServerError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerError({self})")
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for ServerError<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "ServerError({=[u8]:a})", self.0.get(..256).unwrap_or(self.0));
    }
}

impl core::error::Error for ServerError<'_> {}

/// The reply is whole, but not of the type that was asked for. The stream is in step.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum DecodeError {
    /// Another kind of reply than the type can be made from.
    Unexpected {
        /// What the type can be made from.
        expected: &'static str,
        /// What came.
        found: Kind,
    },
    /// The number does not fit into the type.
    OutOfRange,
    /// The string is not UTF-8, and the type is.
    NotUtf8,
    /// The text is not the number that the type wants.
    NotANumber,
    /// An aggregate has another number of elements than the type.
    Length {
        /// How many the type has.
        expected: usize,
    },
    /// The value is nested deeper than an owned tree may be.
    TooDeep,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unexpected { expected, found } => {
                write!(f, "expected {expected}, the reply is {}", found.name())
            }
            Self::OutOfRange => f.write_str("the number does not fit into the type"),
            Self::NotUtf8 => f.write_str("the string is not UTF-8"),
            Self::NotANumber => f.write_str("the text is not a number"),
            Self::Length { expected } => write!(f, "expected {expected} elements"),
            Self::TooDeep => f.write_str("the value is nested too deep"),
        }
    }
}

impl core::error::Error for DecodeError {}

/// Why a reply did not become the value that was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum ReplyError<'a> {
    /// The server answered with an error.
    Server(ServerError<'a>),
    /// The server answered with another type.
    Decode(DecodeError),
}

impl fmt::Display for ReplyError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(error) => error.fmt(f),
            Self::Decode(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for ReplyError<'_> {}

impl From<DecodeError> for ReplyError<'_> {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_a_code_and_a_message() {
        let error = ServerError::new(b"MOVED 3999 127.0.0.1:6381");
        assert_eq!(error.code(), b"MOVED");
        assert_eq!(error.message(), b"3999 127.0.0.1:6381");
        assert_eq!(ServerError::new(b"").code(), b"");
        assert_eq!(ServerError::new(b"").message(), b"");
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn text_from_the_server_cannot_write_to_the_terminal() {
        let error = ServerError::new(b"ERR \x1b[2J\xff\nok \xc3\xa9");
        assert_eq!(alloc::format!("{error}"), "ERR \\u{1b}[2J\\xff\\nok é");
        let long = [b'x'; 300];
        assert_eq!(alloc::format!("{}", ServerError::new(&long)).chars().count(), 257);
    }
}
