//! What a reply says, as one number: made by the server as it writes, and by the client's reader.

use crate::conn::Part;
use crate::error::ServerError;
use crate::resp::{Kind, Reply, Visit};

/// The digest of a reply: of the kinds and texts of its values, in order. Not of attributes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Digest {
    hash: u64,
    inside: bool,
}

impl Digest {
    pub(super) const NEW: Self = Self { hash: 0xcbf2_9ce4_8422_2325, inside: false };

    /// A whole reply's.
    pub(super) fn of(reply: Reply<'_>) -> u64 {
        let mut digest = Self::NEW;
        if reply.kind().is_aggregate() {
            for visit in reply.preorder() {
                if let Visit::Value(value) = visit {
                    digest.value(value);
                }
            }
        } else {
            digest.value(reply);
        }
        digest.hash
    }

    pub(super) const fn finish(self) -> u64 {
        self.hash
    }

    /// A part of a reply that is told in parts.
    pub(super) fn part(&mut self, part: Part<'_>) {
        match part {
            Part::Begin { kind, .. } => self.open(kind),
            Part::Value(value) => self.value(value),
            Part::Chunk { kind, bytes, left } => {
                if !self.inside {
                    self.byte(kind as u8);
                }
                self.bytes(bytes);
                self.inside = left != Some(0);
            }
            _ => {}
        }
    }

    /// An aggregate; what is inside follows.
    pub(super) fn open(&mut self, kind: Kind) {
        self.byte(kind as u8);
    }

    /// A value with nothing inside.
    pub(super) fn leaf(&mut self, kind: Kind, text: &[u8]) {
        self.byte(kind as u8);
        self.bytes(text);
    }

    fn value(&mut self, value: Reply<'_>) {
        let kind = value.kind();
        self.byte(kind as u8);
        match kind {
            Kind::Boolean => self.byte(u8::from(value.as_boolean() == Some(true))),
            _ if kind.is_error() => self.bytes(value.error().map(ServerError::text).unwrap_or_default()),
            _ => value.chunks().into_iter().flatten().for_each(|chunk| self.bytes(chunk)),
        }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.byte(byte));
    }

    fn byte(&mut self, byte: u8) {
        self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
}
