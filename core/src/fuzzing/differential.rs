//! The same bytes, read by others.

use alloc::vec::Vec;

use super::oracle::{self, Fault, Tree};
use super::pieces::{self, Dice};
use crate::resp::{Limits, Reply};

/// A naive reader finds the same ends and the same values, and where there is no value it finds none;
/// what a naive writer makes of the values, in other spellings, reads the same again.
/// `other` is a second opinion: given one whole frame it says how many bytes it takes, or nothing.
///
/// # Panics
/// If they disagree.
pub fn differential(data: &[u8], other: impl Fn(&[u8]) -> Option<usize>) {
    let (frames, error) = pieces::frames(data, Limits::SERVER, pieces::whole);
    let mut dice = Dice::of(data);
    let mut rest = data;
    for frame in frames {
        let (bytes, behind) = rest.split_at(frame.len);
        match oracle::parse(rest) {
            Ok((tree, len)) => {
                assert_eq!(len, frame.len, "{}", bytes.escape_ascii());
                assert_eq!(Tree::of(Reply::new(bytes, frame)), tree, "{}", bytes.escape_ascii());
                let mut again = Vec::new();
                tree.encode(&mut again, &mut || dice.roll());
                assert_eq!(Reply::parse(&again).map(Tree::of), Some(tree), "{}", again.escape_ascii());
            }
            Err(fault) => assert_eq!(fault, Fault::Deep, "the oracle does not take it"),
        }
        if let Some(len) = other(bytes) {
            assert_eq!(len, frame.len, "a second opinion on {}", bytes.escape_ascii());
        }
        rest = behind;
    }
    let last = oracle::parse(rest);
    match error {
        None => assert!(matches!(last, Err(Fault::Short | Fault::Deep)), "{last:?}"),
        // Whoever goes deeper sees the error; and a count may be over a limit before it is short.
        Some(error) => assert!(last.is_err(), "{error} but {last:?}"),
    }
}
