//! Random values and random bytes: the scanner and the naive reader never disagree.

extern crate alloc;

mod support;

use proptest::collection::vec;
use proptest::prelude::*;
use respire_core::resp::{Limits, ProtocolError, Reply, Scanner};
use support::oracle::{self, Fault, Tree};

/// Text without line ends.
fn line() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>().prop_filter("line end", |byte| !matches!(byte, b'\r' | b'\n')), 0..12)
}

fn double() -> impl Strategy<Value = Vec<u8>> {
    any::<f64>().prop_map(|double| match format!("{double:e}") {
        text if double.is_finite() => text.into_bytes(),
        text => text.to_lowercase().into_bytes(),
    })
}

fn tree() -> impl Strategy<Value = Tree> {
    let bytes = || vec(any::<u8>(), 0..20);
    let leaf = prop_oneof![
        Just(Tree::Null),
        line().prop_map(Tree::Simple),
        line().prop_map(Tree::Error),
        line().prop_map(Tree::BigNumber),
        any::<i64>().prop_map(Tree::Integer),
        any::<bool>().prop_map(Tree::Boolean),
        double().prop_map(Tree::Double),
        bytes().prop_map(Tree::Bulk),
        bytes().prop_map(Tree::BulkError),
        (vec(any::<u8>(), 3), bytes()).prop_map(|(format, text)| Tree::Verbatim(format, text)),
    ];
    let value = leaf.prop_recursive(5, 40, 6, |inner| {
        let items = || vec(inner.clone(), 0..6);
        let pairs = vec((inner.clone(), inner.clone()), 0..4);
        prop_oneof![
            items().prop_map(Tree::Array),
            items().prop_map(Tree::Set),
            pairs.prop_map(|pairs| Tree::Map(pairs.into_iter().flat_map(|(k, v)| [k, v]).collect())),
        ]
    });
    prop_oneof![9 => value.clone(), 1 => vec(value, 0..4).prop_map(Tree::Push)]
}

/// The bytes of trees in a row, in spellings that `dice` chooses.
fn encode(trees: &[Tree], dice: &[u8]) -> Vec<u8> {
    let mut dice = dice.iter().copied().cycle();
    let mut bytes = Vec::new();
    for tree in trees {
        tree.encode(&mut bytes, &mut || dice.next().unwrap_or(0));
    }
    bytes
}

/// Every frame of `bytes`, which arrive in pieces of the given sizes over and over, and how it ends.
fn frames(bytes: &[u8], sizes: &[usize]) -> (Vec<Tree>, Result<usize, ProtocolError>) {
    let mut scanner = Scanner::new(Limits::SERVER);
    let (mut start, mut end, mut trees) = (0, 0, Vec::new());
    let mut sizes = sizes.iter().cycle();
    loop {
        match scanner.scan(&bytes[start..end]) {
            Ok(Some(frame)) => {
                let reply = Reply::new(&bytes[start..end], frame);
                assert_eq!(reply.kind(), frame.kind);
                trees.push(Tree::of(reply));
                start += frame.len;
            }
            Ok(None) if end == bytes.len() => return (trees, Ok(start)),
            Ok(None) => end = bytes.len().min(end + sizes.next().unwrap_or(&bytes.len())),
            Err(error) => return (trees, Err(error)),
        }
    }
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    vec(prop_oneof![Just(1), 1..8usize, 1..100usize], 1..12)
}

/// Bytes that are RESP more often than chance has it.
fn almost_resp() -> impl Strategy<Value = Vec<u8>> {
    let pieces: &[&[u8]] = &[
        b"+",
        b"-",
        b":",
        b"$",
        b"*",
        b"_",
        b"#",
        b",",
        b"(",
        b"!",
        b"=",
        b"%",
        b"~",
        b">",
        b"|",
        b";",
        b".",
        b"?",
        b"\r\n",
        b"\r\n",
        b"\r\n",
        b"\r\n",
        b"\r",
        b"\n",
        b"0",
        b"1",
        b"2",
        b"3",
        b"9",
        b"t",
        b"f",
        b"-1",
        b"inf",
        b"nan",
        b"txt:",
        b"1.5",
        b"e",
        b"abc",
        b"\xff",
        b":1\r\n",
        b"$1\r\na\r\n",
        b"*2\r\n",
        b"%1\r\n",
        b"$?\r\n",
        b"*?\r\n",
        b"%?\r\n",
        b";0\r\n",
        b";1\r\na\r\n",
        b".\r\n",
        b"|1\r\n",
        b"_\r\n",
        b"4294967299",
    ];
    vec(proptest::sample::select(pieces), 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_encoded_is_read_back(
        trees in vec(tree(), 1..4),
        dice in vec(any::<u8>(), 1..30),
        sizes in sizes(),
    ) {
        let bytes = encode(&trees, &dice);
        let (read, end) = frames(&bytes, &sizes);
        prop_assert_eq!(&read, &trees);
        prop_assert_eq!(end, Ok(bytes.len()));
        let (first, len) = oracle::parse(&bytes).unwrap();
        prop_assert_eq!(&first, &trees[0]);
        prop_assert_eq!(Reply::parse(&bytes[..len]).map(Tree::of), Some(first));
    }

    #[test]
    fn a_flipped_byte_shifts_no_boundary_unseen(
        tree in tree(),
        dice in vec(any::<u8>(), 1..30),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        sizes in sizes(),
    ) {
        let mut bytes = encode(&[tree], &dice);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        check(&bytes, &sizes)?;
    }

    /// S1-CONN-01: bytes that come one by one say the same as bytes that come at once.
    #[test]
    fn pieces_of_resp_read_alike(bytes in almost_resp(), sizes in sizes()) {
        check(&bytes, &sizes)?;
    }

    #[test]
    fn random_bytes_read_alike(bytes in vec(any::<u8>(), 0..60), sizes in sizes()) {
        check(&bytes, &sizes)?;
    }
}

/// Whole, in pieces and byte by byte the same; and as the oracle says, up to the first error.
fn check(bytes: &[u8], sizes: &[usize]) -> Result<(), TestCaseError> {
    let (trees, end) = frames(bytes, &[bytes.len().max(1)]);
    prop_assert_eq!(&frames(bytes, sizes), &(trees.clone(), end));
    prop_assert_eq!(&frames(bytes, &[1]), &(trees.clone(), end));
    let mut rest = bytes;
    for tree in trees {
        let (read, len) = match oracle::parse(rest) {
            Err(Fault::Deep) => return Ok(()),
            read => read.expect("the oracle accepts what the scanner accepts"),
        };
        prop_assert_eq!(read, tree);
        rest = &rest[len..];
    }
    match end {
        Ok(_) => prop_assert!(matches!(oracle::parse(rest), Err(Fault::Short | Fault::Deep)), "{:?}", end),
        Err(_) => prop_assert!(oracle::parse(rest).is_err(), "{:?}", end),
    }
    Ok(())
}
