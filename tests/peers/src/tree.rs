//! What was encoded, to compare what was decoded with.

use std::fmt;

/// A value of a workload.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tree {
    /// `+OK`
    Status(Vec<u8>),
    /// `:42`
    Integer(i64),
    /// `$3`
    Bulk(Vec<u8>),
    /// `*2`
    Array(Vec<Self>),
    /// `%2`
    Map(Vec<(Self, Self)>),
    /// `>3`
    Push(Vec<Self>),
}

/// What stands at the ends of a tree, in order: bytes, and integers in decimal.
pub(crate) type Leaves = Vec<Vec<u8>>;

impl Tree {
    /// A string.
    pub(crate) fn bulk(text: impl Into<Vec<u8>>) -> Self {
        Self::Bulk(text.into())
    }

    /// Appends the value as RESP.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let header = |out: &mut Vec<u8>, tag: char, n: usize| out.extend(format!("{tag}{n}\r\n").bytes());
        match self {
            Self::Status(text) => out.extend([b"+", text.as_slice(), b"\r\n"].concat()),
            Self::Integer(n) => out.extend(format!(":{n}\r\n").bytes()),
            Self::Bulk(text) => {
                header(out, '$', text.len());
                out.extend([text.as_slice(), b"\r\n"].concat());
            }
            Self::Array(items) => {
                header(out, '*', items.len());
                items.iter().for_each(|item| item.write(out));
            }
            Self::Push(items) => {
                header(out, '>', items.len());
                items.iter().for_each(|item| item.write(out));
            }
            Self::Map(pairs) => {
                header(out, '%', pairs.len());
                for (key, value) in pairs {
                    key.write(out);
                    value.write(out);
                }
            }
        }
    }

    /// Its ends.
    pub(crate) fn leaves(&self, out: &mut Leaves) {
        match self {
            Self::Status(text) | Self::Bulk(text) => out.push(text.clone()),
            Self::Integer(n) => out.push(n.to_string().into()),
            Self::Array(items) | Self::Push(items) => items.iter().for_each(|item| item.leaves(out)),
            Self::Map(pairs) => {
                for (key, value) in pairs {
                    key.leaves(out);
                    value.leaves(out);
                }
            }
        }
    }

    /// How many bytes its strings have.
    pub(crate) fn payload(&self) -> usize {
        match self {
            Self::Integer(_) => 0,
            Self::Status(text) | Self::Bulk(text) => text.len(),
            Self::Array(items) | Self::Push(items) => items.iter().map(Self::payload).sum(),
            Self::Map(pairs) => pairs.iter().map(|(key, value)| key.payload() + value.payload()).sum(),
        }
    }

    /// The same with its pairs in order, for readers that forget theirs.
    pub(crate) fn sorted(mut self) -> Self {
        if let Self::Map(pairs) = &mut self {
            pairs.sort();
        }
        self
    }
}

/// Short: trees here may have a MiB.
impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = Vec::new();
        self.write(&mut bytes);
        let shown = bytes.get(..60).unwrap_or(&bytes);
        write!(f, "{} ({} bytes)", shown.escape_ascii(), bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_are_written_as_resp() {
        let tree = Tree::Array(vec![
            Tree::Status(b"OK".to_vec()),
            Tree::Integer(-7),
            Tree::Map(vec![(Tree::bulk("a"), Tree::Push(vec![Tree::bulk("")]))]),
        ]);
        let mut bytes = Vec::new();
        tree.write(&mut bytes);
        assert_eq!(bytes, b"*3\r\n+OK\r\n:-7\r\n%1\r\n$1\r\na\r\n>1\r\n$0\r\n\r\n");
        assert_eq!(tree.payload(), 3);
        let mut leaves = Vec::new();
        tree.leaves(&mut leaves);
        assert_eq!(leaves, [&b"OK"[..], b"-7", b"a", b""]);
    }
}
