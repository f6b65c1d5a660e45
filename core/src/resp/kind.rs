//! What a RESP value is.

/// The kind of a value. Both spellings of null, and a streamed value, are the kind they mean.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Kind {
    /// `+`: a line of text.
    Simple,
    /// `-`: an error, as a line.
    Error,
    /// `:`: a signed 64-bit integer.
    Integer,
    /// `$`: a string of bytes.
    Bulk,
    /// `*`: an array.
    Array,
    /// `_`, `$-1` or `*-1`: nothing.
    Null,
    /// `#`: true or false.
    Boolean,
    /// `,`: a double.
    Double,
    /// `(`: a big number, as text.
    BigNumber,
    /// `!`: an error, as a string of bytes.
    BulkError,
    /// `=`: a string of bytes with a three-byte format.
    Verbatim,
    /// `%`: pairs of key and value, in the server's order, duplicates kept.
    Map,
    /// `~`: a set, in the server's order, duplicates kept.
    Set,
    /// `>`: a push, sent by the server on its own account.
    Push,
}

impl Kind {
    /// The kind of a value that starts with this byte, unless it is a null of RESP2.
    pub(super) const fn tagged(tag: u8) -> Option<Self> {
        Some(match tag {
            b'+' => Self::Simple,
            b'-' => Self::Error,
            b':' => Self::Integer,
            b'$' => Self::Bulk,
            b'*' => Self::Array,
            b'_' => Self::Null,
            b'#' => Self::Boolean,
            b',' => Self::Double,
            b'(' => Self::BigNumber,
            b'!' => Self::BulkError,
            b'=' => Self::Verbatim,
            b'%' => Self::Map,
            b'~' => Self::Set,
            b'>' => Self::Push,
            _ => return None,
        })
    }

    /// The kind in words, with its article: "an array".
    pub const fn name(self) -> &'static str {
        match self {
            Self::Simple => "a simple string",
            Self::Error | Self::BulkError => "an error",
            Self::Integer => "an integer",
            Self::Bulk => "a string",
            Self::Array => "an array",
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Double => "a double",
            Self::BigNumber => "a big number",
            Self::Verbatim => "a verbatim string",
            Self::Map => "a map",
            Self::Set => "a set",
            Self::Push => "a push",
        }
    }

    /// Whether the value holds others: array, map, set or push.
    pub const fn is_aggregate(self) -> bool {
        matches!(self, Self::Array | Self::Map | Self::Set | Self::Push)
    }

    /// Whether the value is an error reply.
    pub const fn is_error(self) -> bool {
        matches!(self, Self::Error | Self::BulkError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_known_by_its_first_byte() {
        let tags = b"+-:$*_#,(!=%~>";
        let kinds = [
            Kind::Simple,
            Kind::Error,
            Kind::Integer,
            Kind::Bulk,
            Kind::Array,
            Kind::Null,
            Kind::Boolean,
            Kind::Double,
            Kind::BigNumber,
            Kind::BulkError,
            Kind::Verbatim,
            Kind::Map,
            Kind::Set,
            Kind::Push,
        ];
        for tag in 0..=u8::MAX {
            let known = tags.iter().position(|&other| other == tag).map(|at| kinds[at]);
            assert_eq!(Kind::tagged(tag), known, "{}", tag.escape_ascii());
        }
    }
}
