//! Why a reply did not become a value.

use core::fmt;

use super::ServerError;
use crate::resp::Kind;

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
