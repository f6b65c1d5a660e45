//! The map behind the keyspace, hashes, sets and sorted sets.
//!
//! Entries lie in buckets ordered by the hash of their key. That makes a scan
//! cursor a hash: whatever is added or removed between two calls, a key that
//! stays has the same place, so a scan meets it exactly once and always ends.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// A map from byte strings that remembers the order of insertion.
#[derive(Clone)]
pub(crate) struct Dict<V> {
    buckets: BTreeMap<u64, Vec<Slot<V>>>,
    len: usize,
    inserted: u64,
}

#[derive(Clone)]
struct Slot<V> {
    key: Box<[u8]>,
    order: u64,
    value: V,
}

impl<V> Default for Dict<V> {
    fn default() -> Self {
        Self { buckets: BTreeMap::new(), len: 0, inserted: 0 }
    }
}

impl<V> Dict<V> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn contains(&self, key: &[u8]) -> bool {
        self.get(key).is_some()
    }

    pub(crate) fn get(&self, key: &[u8]) -> Option<&V> {
        let bucket = self.buckets.get(&hash(key))?;
        let slot = bucket.iter().find(|slot| *slot.key == *key)?;
        Some(&slot.value)
    }

    pub(crate) fn get_mut(&mut self, key: &[u8]) -> Option<&mut V> {
        let bucket = self.buckets.get_mut(&hash(key))?;
        let slot = bucket.iter_mut().find(|slot| *slot.key == *key)?;
        Some(&mut slot.value)
    }

    /// Sets `key`; the value it replaces comes back.
    pub(crate) fn insert(&mut self, key: &[u8], value: V) -> Option<V> {
        let bucket = self.buckets.entry(hash(key)).or_default();
        if let Some(slot) = bucket.iter_mut().find(|slot| *slot.key == *key) {
            return Some(core::mem::replace(&mut slot.value, value));
        }
        bucket.push(Slot { key: key.into(), order: self.inserted, value });
        self.inserted += 1;
        self.len += 1;
        None
    }

    pub(crate) fn remove(&mut self, key: &[u8]) -> Option<V> {
        let hash = hash(key);
        let bucket = self.buckets.get_mut(&hash)?;
        let at = bucket.iter().position(|slot| *slot.key == *key)?;
        let slot = bucket.remove(at);
        if bucket.is_empty() {
            self.buckets.remove(&hash);
        }
        self.len -= 1;
        Some(slot.value)
    }

    /// All entries, in the order of the scan.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &V)> {
        self.buckets.values().flatten().map(|slot| (&*slot.key, &slot.value))
    }

    /// All entries, the oldest first.
    pub(crate) fn in_order(&self) -> Vec<(&[u8], &V)> {
        let mut slots: Vec<&Slot<V>> = self.buckets.values().flatten().collect();
        slots.sort_unstable_by_key(|slot| slot.order);
        slots.into_iter().map(|slot| (&*slot.key, &slot.value)).collect()
    }

    /// Shows at least `count` entries from `cursor` on, if there are so many,
    /// and returns the cursor to go on with: 0 at the end.
    pub(crate) fn scan(&self, cursor: u64, count: usize, mut visit: impl FnMut(&[u8], &V)) -> u64 {
        let mut seen = 0_usize;
        for (&hash, bucket) in self.buckets.range(cursor..) {
            if seen >= count {
                return hash;
            }
            for slot in bucket {
                visit(&slot.key, &slot.value);
                seen += 1;
            }
        }
        0
    }

    /// One key, chosen by `seed`.
    pub(crate) fn pick(&self, seed: u64) -> Option<&[u8]> {
        let bucket = self
            .buckets
            .range(seed & MASK..)
            .chain(self.buckets.iter().take(1))
            .map(|(_, bucket)| bucket)
            .next()?;
        bucket.first().map(|slot| &*slot.key)
    }
}

/// Cursors of this width survive a client that keeps them in a double.
const MASK: u64 = (1 << 48) - 1;

/// FNV-1a (<http://www.isthe.com/chongo/tech/comp/fnv/>), folded to 48 bits;
/// never 0, which as a cursor means both the start and the end.
fn hash(key: &[u8]) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for &byte in key {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    let folded = (hash ^ (hash >> 48)) & MASK;
    folded.max(1)
}

#[cfg(test)]
mod tests {
    use super::Dict;
    use alloc::collections::BTreeSet;
    use alloc::format;
    use alloc::vec::Vec;

    #[test]
    fn insert_replace_remove() {
        let mut dict = Dict::default();
        assert_eq!(dict.insert(b"a", 1), None);
        assert_eq!(dict.insert(b"a", 2), Some(1));
        assert_eq!(dict.len(), 1);
        assert_eq!(dict.remove(b"a"), Some(2));
        assert_eq!(dict.remove(b"a"), None);
        assert!(dict.is_empty());
    }

    #[test]
    fn a_scan_meets_every_key_that_stays() {
        let mut dict = Dict::default();
        for n in 0..200 {
            dict.insert(format!("stays:{n}").as_bytes(), ());
        }
        let (mut cursor, mut round) = (0, 0);
        let mut seen: Vec<Vec<u8>> = Vec::new();
        loop {
            cursor = dict.scan(cursor, 7, |key, ()| seen.push(key.to_vec()));
            // Everything else comes and goes meanwhile.
            dict.remove(format!("guest:{}", round - 3).as_bytes());
            dict.insert(format!("guest:{round}").as_bytes(), ());
            round += 1;
            if cursor == 0 {
                break;
            }
        }
        let stayed: Vec<_> = seen.iter().filter(|key| key.starts_with(b"stays")).collect();
        assert_eq!(stayed.len(), 200);
        assert_eq!(stayed.iter().collect::<BTreeSet<_>>().len(), 200);
    }
}
