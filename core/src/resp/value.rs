//! An owned tree, for answers whose shape is not known beforehand.

use alloc::string::String;
use alloc::vec::Vec;

use super::owned::{self, ErrorReply};
use super::{FromReply, Kind, Reply, Visit};
use crate::error::DecodeError;

/// Any reply, owned. Order and duplicates are kept.
///
/// Trees are at most [`Value::MAX_DEPTH`] deep, so that dropping, printing and comparing one cannot
/// overflow the stack; a deeper reply is [`DecodeError::TooDeep`] and the connection goes on.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum Value {
    /// Nothing.
    Null,
    /// A status, such as `OK`.
    Simple(Vec<u8>),
    /// A string of bytes.
    Bulk(Vec<u8>),
    /// An integer.
    Integer(i64),
    /// A double.
    Double(f64),
    /// A boolean.
    Boolean(bool),
    /// A big number, as text.
    BigNumber(Vec<u8>),
    /// Text with its format.
    Verbatim {
        /// `txt`, `mkd`.
        format: [u8; 3],
        /// The text.
        text: Vec<u8>,
    },
    /// An array.
    Array(Vec<Self>),
    /// A set.
    Set(Vec<Self>),
    /// A map.
    Map(Vec<(Self, Self)>),
    /// A push.
    Push(Vec<Self>),
    /// An error.
    Error(ErrorReply),
}

/// An aggregate whose elements are still coming.
struct Open {
    kind: Kind,
    left: Option<u64>,
    items: Vec<Value>,
}

impl Value {
    /// How deep a tree may be.
    pub const MAX_DEPTH: usize = 128;

    fn leaf(reply: Reply<'_>) -> Result<Self, DecodeError> {
        if let Some(error) = reply.error() {
            return Ok(Self::Error(error.into()));
        }
        Ok(match reply.kind() {
            Kind::Integer => Self::Integer(reply.as_integer().unwrap_or_default()),
            Kind::Double => Self::Double(reply.as_double().unwrap_or_default()),
            Kind::Boolean => Self::Boolean(reply.as_boolean().unwrap_or_default()),
            Kind::Simple => Self::Simple(owned::bytes(reply)?),
            Kind::Bulk => Self::Bulk(owned::bytes(reply)?),
            Kind::BigNumber => Self::BigNumber(owned::bytes(reply)?),
            Kind::Verbatim => {
                let format = reply.format().and_then(|format| format.try_into().ok()).unwrap_or(*b"txt");
                Self::Verbatim { format, text: owned::bytes(reply)? }
            }
            _ => Self::Null,
        })
    }
}

impl Open {
    fn new(reply: Reply<'_>) -> Option<Self> {
        let seq = reply.elements()?;
        Some(Self { kind: reply.kind(), left: seq.remaining(), items: Vec::new() })
    }

    fn close(self) -> Value {
        match self.kind {
            Kind::Set => Value::Set(self.items),
            Kind::Push => Value::Push(self.items),
            Kind::Map => {
                let mut pairs = Vec::with_capacity(self.items.len() / 2);
                let mut items = self.items.into_iter();
                while let (Some(key), Some(value)) = (items.next(), items.next()) {
                    pairs.push((key, value));
                }
                Value::Map(pairs)
            }
            _ => Value::Array(self.items),
        }
    }
}

impl<'a> FromReply<'a> for Value {
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        let mut open: Vec<Open> = Vec::new();
        for visit in reply.preorder() {
            let mut done = match visit {
                Visit::End => open.pop().map(Open::close),
                Visit::Value(reply) => match Open::new(reply) {
                    Some(_) if open.len() == Self::MAX_DEPTH => return Err(DecodeError::TooDeep),
                    Some(aggregate) if aggregate.left != Some(0) => {
                        open.push(aggregate);
                        None
                    }
                    Some(empty) => Some(empty.close()),
                    None => Some(Self::leaf(reply)?),
                },
            };
            // A value that is whole may make the one around it whole, and so on outwards.
            while let Some(value) = done.take() {
                let Some(parent) = open.last_mut() else { return Ok(value) };
                parent.items.push(value);
                if let Some(left) = &mut parent.left {
                    *left -= 1;
                    if *left == 0 {
                        done = open.pop().map(Open::close);
                    }
                }
            }
        }
        Ok(Self::Null)
    }
}

impl Value {
    /// The text of a string or status, if it is UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Simple(bytes) | Self::Bulk(bytes) | Self::BigNumber(bytes) => {
                core::str::from_utf8(bytes).ok()
            }
            Self::Verbatim { text, .. } => core::str::from_utf8(text).ok(),
            _ => None,
        }
    }
}

impl From<Value> for Option<String> {
    fn from(value: Value) -> Self {
        value.as_str().map(String::from)
    }
}
