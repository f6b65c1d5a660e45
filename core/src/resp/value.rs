//! An owned tree, for answers whose shape is not known beforehand.

use alloc::string::String;
use alloc::vec::Vec;

use super::express::{self, Plain};
use super::owned::{self, ErrorReply};
use super::skip::{self, Owed};
use super::{FromReply, Kind, Reply};
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

impl<'a> FromReply<'a> for Value {
    #[cfg_attr(target_pointer_width = "64", inline)]
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        match (reply.kind(), reply.as_bytes()) {
            (Kind::Bulk, Some(text)) => Ok(Self::Bulk(text.to_vec())),
            _ if reply.kind().is_aggregate() => tree(reply),
            _ => Self::leaf(reply),
        }
    }
}

/// An aggregate with all inside it. No recursion: what is open around the innermost stands on a stack.
fn tree(root: Reply<'_>) -> Result<Value, DecodeError> {
    let mut outer: Vec<Open> = Vec::new();
    let mut rest = root.body();
    let mut open = Open::new(root, rest);
    loop {
        rest = open.plain(rest);
        // Whole, it may make the one around it whole, and so on outwards.
        while open.is_whole() || open.left.is_none() && rest.first() == Some(&b'.') {
            if open.left.is_none() {
                rest = rest.get(3..).unwrap_or_default();
            }
            let value = open.close();
            open = match outer.pop() {
                Some(parent) => parent,
                None => return Ok(value),
            };
            open.push(value);
            rest = open.plain(rest);
        }
        let Some((reply, behind)) = Reply::first(rest) else { return Ok(Value::Null) };
        rest = behind;
        if !reply.kind().is_aggregate() {
            rest = rest.get(skip::owed(rest, reply.owed())..).unwrap_or_default();
            open.push(Value::leaf(reply)?);
        } else if outer.len() + 1 == Value::MAX_DEPTH {
            return Err(DecodeError::TooDeep);
        } else {
            let inner = Open::new(reply, rest);
            if inner.is_whole() {
                open.push(inner.close());
            } else {
                outer.push(core::mem::replace(&mut open, inner));
            }
        }
    }
}

/// An aggregate whose elements are still coming.
struct Open {
    kind: Kind,
    /// How many values are still to come, unless an end marker tells.
    left: Option<u64>,
    items: Vec<Value>,
    /// Instead, of a map.
    pairs: Vec<(Value, Value)>,
    /// Its value is still to come.
    key: Option<Value>,
}

impl Open {
    fn new(reply: Reply<'_>, inside: &[u8]) -> Self {
        let (kind, left) = match reply.owed() {
            Owed::Values(count) => (reply.kind(), Some(count)),
            Owed::Stream | Owed::Nothing => (reply.kind(), None),
        };
        let count = left.unwrap_or(0);
        let (items, pairs) = match kind {
            Kind::Map => (Vec::new(), owned::room(count / 2, inside)),
            _ => (owned::room(count, inside), Vec::new()),
        };
        Self { kind, left, items, pairs, key: None }
    }

    const fn is_whole(&self) -> bool {
        matches!(self.left, Some(0))
    }

    /// Takes plain values at the front; what is left of the bytes.
    fn plain<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let mut rest = bytes;
        while express::OPEN
            && self.left != Some(0)
            && let Some((plain, behind)) = express::value(rest)
        {
            rest = behind;
            self.push(match plain {
                Plain::Bulk(text) => Value::Bulk(text.to_vec()),
                Plain::Integer(n, _) => Value::Integer(n.cast_signed()),
                Plain::Simple(text) => Value::Simple(text.to_vec()),
            });
        }
        rest
    }

    #[cfg_attr(target_pointer_width = "64", inline(always))]
    fn push(&mut self, value: Value) {
        if let Some(left) = &mut self.left {
            *left -= 1;
        }
        if self.kind != Kind::Map {
            self.items.push(value);
        } else if let Some(key) = self.key.take() {
            self.pairs.push((key, value));
        } else {
            self.key = Some(value);
        }
    }

    fn close(self) -> Value {
        match self.kind {
            Kind::Map => Value::Map(self.pairs),
            Kind::Set => Value::Set(self.items),
            Kind::Push => Value::Push(self.items),
            _ => Value::Array(self.items),
        }
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
