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
    /// The value is nested deeper than an owned tree, or what serde makes, may be.
    TooDeep,
    /// The string came in several pieces, and the type wants it in one: ask for an owned type.
    Streamed,
    /// A container of fixed capacity has no room for all of it.
    Capacity {
        /// How many elements, or bytes of a string, it has room for.
        capacity: usize,
    },
    /// A map lacks a field that the type has (feature `serde`, as all that follows).
    MissingField {
        /// Its name.
        field: &'static str,
    },
    /// A map has a field twice that the type has once.
    DuplicateField {
        /// Its name.
        field: &'static str,
    },
    /// A map has a field that the type refuses.
    UnknownField {
        /// The names of those it takes.
        expected: &'static [&'static str],
    },
    /// A name is none of the enum's.
    UnknownVariant {
        /// The names that it has.
        expected: &'static [&'static str],
    },
    /// The value is of a kind that the type does not take.
    InvalidType,
    /// The value is of the right kind, and yet not one that the type takes.
    InvalidValue,
    /// The type's own reason, whose text is not kept.
    Custom,
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
            Self::Streamed => f.write_str("the string came in pieces"),
            Self::Capacity { capacity } => write!(f, "there is room for {capacity} only"),
            Self::MissingField { field } => write!(f, "the field {field} is missing"),
            Self::DuplicateField { field } => write!(f, "the field {field} is there twice"),
            Self::UnknownField { expected } => {
                f.write_str("a field is none of ")?;
                names(expected, f)
            }
            Self::UnknownVariant { expected } => {
                f.write_str("a name is none of ")?;
                names(expected, f)
            }
            Self::InvalidType => f.write_str("the value is of another type than was asked for"),
            Self::InvalidValue => f.write_str("the value is not one that the type takes"),
            Self::Custom => f.write_str("the type refuses the value"),
        }
    }
}

impl core::error::Error for DecodeError {}

fn names(names: &[&str], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (at, name) in names.iter().enumerate() {
        write!(f, "{}{name}", if at == 0 { "" } else { ", " })?;
    }
    Ok(())
}

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
