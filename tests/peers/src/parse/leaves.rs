//! What stands at the ends of decoded Rust values, for comparison.

use rustis::resp::BulkString;

use crate::tree;

/// A decoded value that can be compared with what was encoded.
pub(crate) trait Leaves {
    /// Appends what stands at its ends: bytes, and integers in decimal.
    fn leaves(&self, out: &mut tree::Leaves);
}

impl Leaves for i64 {
    fn leaves(&self, out: &mut tree::Leaves) {
        out.push(self.to_string().into());
    }
}

impl Leaves for String {
    fn leaves(&self, out: &mut tree::Leaves) {
        out.push(self.clone().into());
    }
}

/// A string of bytes as each library has it.
macro_rules! bytes {
    ($($Bytes:ty),*) => { $(
        impl Leaves for $Bytes {
            fn leaves(&self, out: &mut tree::Leaves) {
                out.push(self.to_vec());
            }
        }

        impl Leaves for Vec<$Bytes> {
            fn leaves(&self, out: &mut tree::Leaves) {
                self.iter().for_each(|item| item.leaves(out));
            }
        }

        impl Leaves for Vec<Vec<$Bytes>> {
            fn leaves(&self, out: &mut tree::Leaves) {
                self.iter().for_each(|item| item.leaves(out));
            }
        }

        impl Leaves for Vec<($Bytes, $Bytes)> {
            fn leaves(&self, out: &mut tree::Leaves) {
                for (key, value) in self {
                    key.leaves(out);
                    value.leaves(out);
                }
            }
        }
    )* };
}

bytes!(Vec<u8>, BulkString);

/// A message of publish and subscribe: its kind, its channel, what it says.
impl Leaves for (Vec<u8>, Vec<u8>, Vec<u8>) {
    fn leaves(&self, out: &mut tree::Leaves) {
        out.extend([self.0.clone(), self.1.clone(), self.2.clone()]);
    }
}
