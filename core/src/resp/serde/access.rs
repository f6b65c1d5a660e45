//! What stands inside a value, as serde asks for it.

use serde::de::{DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};

use super::Deserializer;
use crate::error::DecodeError;
use crate::resp::from_reply::unexpected;
use crate::resp::{FromReply, Kind, Map, Reply, Seq};

/// The elements of an aggregate.
pub(super) struct Elements<'de> {
    pub(super) seq: Seq<'de>,
    pub(super) levels: u8,
    /// How many were asked for and there.
    pub(super) taken: usize,
    /// One more was asked for than there are.
    pub(super) dry: bool,
}

impl Elements<'_> {
    /// Whoever leaves elements behind has another idea of how many there are.
    pub(super) fn end(mut self) -> Result<(), DecodeError> {
        match self.seq.advance() {
            Some(_) => Err(DecodeError::Length { expected: self.taken }),
            None => Ok(()),
        }
    }
}

impl<'de> SeqAccess<'de> for Elements<'de> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        let Some(reply) = self.seq.advance() else {
            self.dry = true;
            return Ok(None);
        };
        self.taken = self.taken.saturating_add(1);
        let behind = Some(&mut self.seq);
        seed.deserialize(Deserializer { reply, behind, levels: self.levels }).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        self.seq.hint()
    }
}

/// Two elements in a row that are one to the type.
pub(super) struct Pair<'de> {
    pub(super) first: Option<Reply<'de>>,
    pub(super) second: Option<Reply<'de>>,
    pub(super) levels: u8,
}

impl Pair<'_> {
    /// Whether both were asked for.
    pub(super) const fn is_taken(&self) -> bool {
        self.first.is_none() && self.second.is_none()
    }
}

impl<'de> SeqAccess<'de> for Pair<'de> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        let Some(reply) = self.first.take().or_else(|| self.second.take()) else { return Ok(None) };
        seed.deserialize(Deserializer { reply, behind: None, levels: self.levels }).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(2)
    }
}

/// The pairs of a map, however they are written.
pub(super) struct Entries<'de> {
    pub(super) map: Map<'de>,
    /// What belongs to the key that was asked for last.
    pub(super) value: Option<Reply<'de>>,
    pub(super) levels: u8,
}

impl Entries<'_> {
    /// Whoever leaves pairs behind has another idea of how many there are.
    pub(super) fn end(mut self) -> Result<(), DecodeError> {
        match self.map.next() {
            Some(_) => Err(DecodeError::InvalidValue),
            None => Ok(()),
        }
    }
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, DecodeError> {
        let Some(pair) = self.map.next() else { return Ok(None) };
        let (reply, value) = pair?;
        self.value = Some(value);
        seed.deserialize(Deserializer { reply, behind: None, levels: self.levels }).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, DecodeError> {
        // Without a key before it, against serde's rules, there is none.
        let reply = self.value.take().unwrap_or(Reply::NULL);
        seed.deserialize(Deserializer { reply, behind: None, levels: self.levels })
    }
}

/// The name of a variant, and its content if there is any.
pub(super) struct Variant<'de> {
    name: Reply<'de>,
    content: Option<Reply<'de>>,
    levels: u8,
}

impl<'de> Variant<'de> {
    pub(super) fn new(reply: Reply<'de>, levels: u8) -> Result<Self, DecodeError> {
        match (reply.kind(), reply.elements()) {
            (Kind::Simple | Kind::Bulk | Kind::Verbatim, _) => {
                Ok(Self { name: reply, content: None, levels })
            }
            (Kind::Map | Kind::Array, Some(mut seq)) => match (seq.advance(), seq.advance(), seq.advance()) {
                (Some(name), content @ Some(_), None) => Ok(Self { name, content, levels }),
                _ => Err(DecodeError::Length { expected: 2 }),
            },
            _ => Err(unexpected("a variant", reply)),
        }
    }

    fn content(&self) -> Result<Deserializer<'de, '_>, DecodeError> {
        let reply = self.content.ok_or(unexpected("a variant with content", self.name))?;
        Ok(Deserializer { reply, behind: None, levels: self.levels })
    }
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = DecodeError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), DecodeError> {
        let name = Deserializer { reply: self.name, behind: None, levels: self.levels };
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = DecodeError;

    fn unit_variant(self) -> Result<(), DecodeError> {
        self.content.map_or(Ok(()), FromReply::from_reply)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, DecodeError> {
        seed.deserialize(self.content()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, DecodeError> {
        serde::Deserializer::deserialize_tuple(self.content()?, len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        serde::Deserializer::deserialize_map(self.content()?, visitor)
    }
}
