//! The policy once more, with strings that grow and nothing clever.

use respire_core::key::{Databases, HashKey, KeyError, Normalise, Policy};

/// A policy as plain parts.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) prefix: Vec<u8>,
    pub(crate) normalise: Normalise,
    pub(crate) hash: Option<HashKey>,
    pub(crate) databases: Vec<u32>,
}

impl Model {
    /// The real one.
    pub(crate) fn policy(&self) -> Policy<'_> {
        let list: Vec<_> = self.databases.iter().map(u32::to_string).collect();
        let databases: Databases = list.join(",").parse().unwrap();
        let policy =
            Policy::PLAIN.with_normalise(self.normalise).with_hash(self.hash).with_databases(databases);
        policy.with_prefix(&self.prefix).unwrap()
    }

    /// The key as everyone means it.
    pub(crate) fn normal(&self, key: &[u8]) -> Result<Vec<u8>, KeyError> {
        let Normalise { trim, collapse, lowercase, reject_empty, max_len } = self.normalise;
        let mut key = key.to_vec();
        while trim && key.first().is_some_and(u8::is_ascii_whitespace) {
            key.remove(0);
        }
        while trim && key.last().is_some_and(u8::is_ascii_whitespace) {
            key.pop();
        }
        while let Some(at) = key.windows(2).position(|two| two == b"::").filter(|_| collapse) {
            key.remove(at);
        }
        if lowercase {
            key.make_ascii_lowercase();
        }
        if key.is_empty() && reject_empty {
            return Err(KeyError::Empty);
        }
        if key.len() > max_len {
            return Err(KeyError::TooLong { limit: max_len });
        }
        Ok(key)
    }

    /// The database and the key there.
    pub(crate) fn map(&self, key: &[u8]) -> Result<(u32, Vec<u8>), KeyError> {
        let key = self.normal(key)?;
        let tag = tag(&key);
        let hasher = self.hash.unwrap_or(HashKey::PUBLIC);
        let number = u128::from_le_bytes(hasher.hash(tag.as_deref().unwrap_or(&key))) as u32;
        let database = self.databases[number as usize % self.databases.len()];
        let mut wire = self.prefix.clone();
        match self.hash {
            None => wire.extend(&key),
            Some(hash) => {
                if let Some(tag) = tag {
                    wire.extend([b"{".as_slice(), &tag, b"}"].concat());
                }
                wire.extend(hash.hash(&key).iter().flat_map(|byte| format!("{byte:02x}").into_bytes()));
            }
        }
        Ok((database, wire))
    }
}

fn tag(key: &[u8]) -> Option<Vec<u8>> {
    let text: String = key.iter().map(|&byte| char::from(byte)).collect();
    let (_, behind) = text.split_once('{')?;
    let (tag, _) = behind.split_once('}')?;
    (!tag.is_empty()).then(|| tag.chars().map(|char| char as u8).collect())
}
