//! One value, as serde asks for it.

use serde::de::Visitor;

use super::MAX_DEPTH;
use super::access::{Elements, Entries, Pair, Variant};
use crate::error::DecodeError;
use crate::resp::from_reply::{text, unexpected};
use crate::resp::{FromReply, Kind, Reply, Seq};

/// A [`serde::Deserializer`] over a reply, for those who have a seed; [`Serde`](super::Serde) is
/// for all others, and says what is made from what.
#[derive(Debug)]
pub struct Deserializer<'de, 'seq> {
    pub(super) reply: Reply<'de>,
    /// For an element: where the other half of a pair stands, if it is flat.
    pub(super) behind: Option<&'seq mut Seq<'de>>,
    /// How many levels deeper it may go.
    pub(super) levels: u8,
}

impl<'de> Deserializer<'de, '_> {
    /// Reads `reply`.
    pub const fn new(reply: Reply<'de>) -> Self {
        Self { reply, behind: None, levels: MAX_DEPTH }
    }

    /// The same value, one level further inside the type.
    fn inside(self) -> Result<Self, DecodeError> {
        Ok(Self { levels: self.deeper()?, ..self })
    }

    fn deeper(&self) -> Result<u8, DecodeError> {
        self.levels.checked_sub(1).ok_or(DecodeError::TooDeep)
    }

    fn elements(&self) -> Result<Elements<'de>, DecodeError> {
        let seq = self.reply.elements().ok_or(unexpected("an array", self.reply))?;
        Ok(Elements { seq, levels: self.deeper()?, taken: 0, dry: false })
    }

    /// Text, and bytes where it is none.
    fn visit_text_or_bytes<V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, DecodeError> {
        #[cfg(feature = "alloc")]
        if self.reply.is_streamed_string() {
            return match alloc::string::String::from_utf8(crate::resp::owned::bytes(self.reply)?) {
                Ok(text) => visitor.visit_string(text),
                Err(error) => visitor.visit_byte_buf(error.into_bytes()),
            }
            .map_err(borrowed);
        }
        let bytes = text("a string", self.reply)?;
        match core::str::from_utf8(bytes) {
            Ok(text) => visitor.visit_borrowed_str(text),
            Err(_) => visitor.visit_borrowed_bytes(bytes),
        }
    }

    /// An integer if 64 bits hold it, and else its text.
    fn visit_big_number<V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, DecodeError> {
        if let Ok(n) = i64::from_reply(self.reply) {
            visitor.visit_i64(n)
        } else if let Ok(n) = u64::from_reply(self.reply) {
            visitor.visit_u64(n)
        } else {
            self.visit_text_or_bytes(visitor)
        }
    }
}

/// A type that refuses a string of its own wanted to borrow one, and this one is in pieces.
#[cfg(feature = "alloc")]
fn borrowed(error: DecodeError) -> DecodeError {
    if error == DecodeError::InvalidType { DecodeError::Streamed } else { error }
}

macro_rules! scalars {
    ($($method:ident $visit:ident)*) => { $(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            visitor.$visit(FromReply::from_reply(self.reply)?)
        }
    )* };
}

impl<'de> serde::Deserializer<'de> for Deserializer<'de, '_> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.reply.kind() {
            Kind::Null => visitor.visit_unit(),
            Kind::Boolean => self.deserialize_bool(visitor),
            Kind::Integer => self.deserialize_i64(visitor),
            Kind::Double => self.deserialize_f64(visitor),
            Kind::BigNumber => self.visit_big_number(visitor),
            Kind::Simple | Kind::Bulk | Kind::Verbatim => self.visit_text_or_bytes(visitor),
            Kind::Array | Kind::Set | Kind::Push => self.deserialize_seq(visitor),
            Kind::Map => self.deserialize_map(visitor),
            Kind::Error | Kind::BulkError => Err(unexpected("anything but an error", self.reply)),
        }
    }

    scalars! {
        deserialize_bool visit_bool
        deserialize_i8 visit_i8
        deserialize_i16 visit_i16
        deserialize_i32 visit_i32
        deserialize_i64 visit_i64
        deserialize_i128 visit_i128
        deserialize_u8 visit_u8
        deserialize_u16 visit_u16
        deserialize_u32 visit_u32
        deserialize_u64 visit_u64
        deserialize_u128 visit_u128
        deserialize_f32 visit_f32
        deserialize_f64 visit_f64
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        #[cfg(feature = "alloc")]
        if self.reply.is_streamed_string() {
            return visitor.visit_string(FromReply::from_reply(self.reply)?).map_err(borrowed);
        }
        visitor.visit_borrowed_str(FromReply::from_reply(self.reply)?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        #[cfg(feature = "alloc")]
        if self.reply.is_streamed_string() {
            return visitor.visit_byte_buf(FromReply::from_reply(self.reply)?).map_err(borrowed);
        }
        visitor.visit_borrowed_bytes(FromReply::from_reply(self.reply)?)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.reply.is_null() {
            return visitor.visit_none();
        }
        // Where a pair may be missing it does not stand flat.
        visitor.visit_some(Deserializer { behind: None, ..self.inside()? })
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        <()>::from_reply(self.reply)?;
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self.inside()?)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let mut elements = self.elements()?;
        let value = visitor.visit_seq(&mut elements)?;
        elements.end()?;
        Ok(value)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, DecodeError> {
        let levels = self.deeper()?;
        match self.behind {
            Some(seq) if len == 2 && (seq.is_map() || self.reply.kind() != Kind::Array) => {
                let second = seq.advance().ok_or(DecodeError::Length { expected: len })?;
                let mut pair = Pair { first: Some(self.reply), second: Some(second), levels };
                let value = visitor.visit_seq(&mut pair)?;
                if pair.is_taken() { Ok(value) } else { Err(DecodeError::Length { expected: 1 }) }
            }
            _ => {
                let mut elements = self.elements()?;
                let value = visitor.visit_seq(&mut elements);
                if elements.dry && elements.taken < len {
                    return Err(DecodeError::Length { expected: len });
                }
                let value = value?;
                elements.end()?;
                Ok(value)
            }
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let map = self.reply.pairs().ok_or(unexpected("a map", self.reply))?;
        let mut entries = Entries { map, value: None, levels: self.deeper()? };
        let value = visitor.visit_map(&mut entries)?;
        entries.end()?;
        Ok(value)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_enum(Variant::new(self.reply, self.deeper()?)?)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.visit_text_or_bytes(visitor)
    }

    /// Nobody looks inside: however deep it is, it costs nothing.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }
}
