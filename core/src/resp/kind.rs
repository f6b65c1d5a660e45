//! What a RESP value is.

/// The kind of a value. Both spellings of null, and a streamed value, are the kind they mean.
// Kinds that are alike stand together: so they are told from the others by one comparison.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Kind {
    /// `+`: a line of text.
    Simple,
    /// `(`: a big number, as text.
    BigNumber,
    /// `-`: an error, as a line.
    Error,
    /// `!`: an error, as a string of bytes.
    BulkError,
    /// `$`: a string of bytes.
    Bulk,
    /// `=`: a string of bytes with a three-byte format.
    Verbatim,
    /// `*`: an array.
    Array,
    /// `%`: pairs of key and value, in the server's order, duplicates kept.
    Map,
    /// `~`: a set, in the server's order, duplicates kept.
    Set,
    /// `>`: a push, sent by the server on its own account.
    Push,
    /// `:`: a signed 64-bit integer.
    Integer,
    /// `_`, `$-1` or `*-1`: nothing.
    Null,
    /// `#`: true or false.
    Boolean,
    /// `,`: a double.
    Double,
}

/// Which byte stands for which kind, the most frequent first.
const TAGS: [(u8, Kind); 14] = [
    (b'$', Kind::Bulk),
    (b':', Kind::Integer),
    (b'+', Kind::Simple),
    (b'*', Kind::Array),
    (b'_', Kind::Null),
    (b'%', Kind::Map),
    (b'>', Kind::Push),
    (b'-', Kind::Error),
    (b',', Kind::Double),
    (b'#', Kind::Boolean),
    (b'~', Kind::Set),
    (b'=', Kind::Verbatim),
    (b'(', Kind::BigNumber),
    (b'!', Kind::BulkError),
];

impl Kind {
    /// The kind of a value that starts with this byte, unless it is a null of RESP2.
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub(super) fn tagged(tag: u8) -> Option<Self> {
        TAGS.iter().find(|&&(known, _)| known == tag).map(|&(_, kind)| kind)
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

    /// Whether a length or a count stands behind the type byte.
    pub(super) const fn has_length(self) -> bool {
        matches!(self, Self::BulkError | Self::Bulk | Self::Verbatim) || self.is_aggregate()
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
