//! Containers of fixed capacity: all that fits, or an error.
#![cfg(feature = "heapless")]

use heapless::index_map::FnvIndexMap;
use heapless::index_set::FnvIndexSet;
use heapless::{Deque, LinearMap, String, Vec};
use proptest::prelude::*;
use respire_core::resp::{DecodeError, FromReply, Reply};

fn decode<'a, T: FromReply<'a>>(bytes: &'a [u8]) -> Result<T, DecodeError> {
    T::from_reply(Reply::parse(bytes).unwrap_or_else(|| panic!("{}", bytes.escape_ascii())))
}

const fn full<T>(capacity: usize) -> Result<T, DecodeError> {
    Err(DecodeError::Capacity { capacity })
}

/// The same map in RESP2 and RESP3, and as pairs.
const MAPS: [&[u8]; 3] = [
    b"*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n2\r\n",
    b"%2\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n:2\r\n",
    b"*2\r\n*2\r\n$1\r\na\r\n:1\r\n*2\r\n$1\r\nb\r\n:2\r\n",
];

#[test]
fn what_fits_is_all_there() {
    assert_eq!(decode::<Vec<u8, 4>>(b"$4\r\na\0\xffd\r\n").unwrap(), b"a\0\xffd");
    assert_eq!(decode::<Vec<u8, 2>>(b"$?\r\n;1\r\na\r\n;1\r\nb\r\n;0\r\n").unwrap(), b"ab");
    assert_eq!(decode::<Vec<u8, 0>>(b"$0\r\n\r\n").unwrap(), b"");
    assert_eq!(decode::<Vec<&str, 2>>(b"~2\r\n+a\r\n+b\r\n").unwrap(), ["a", "b"]);
    assert_eq!(decode::<String<2>>(b"$2\r\n\xc3\xa9\r\n").unwrap(), "é");
    assert_eq!(decode::<String<2>>(b":42\r\n").unwrap(), "42");
    assert_eq!(decode::<Option<String<2>>>(b"_\r\n"), Ok(None));
    let deque: Deque<i64, 3> = decode(b"*3\r\n:1\r\n:2\r\n:3\r\n").unwrap();
    assert!(deque.iter().eq(&[1, 2, 3]));
    let bytes: Deque<u8, 3> = decode(b"$3\r\nabc\r\n").unwrap();
    assert!(bytes.iter().eq(b"abc"));
    let set: FnvIndexSet<&str, 2> = decode(b"~3\r\n+a\r\n+b\r\n+a\r\n").unwrap();
    assert!(set.iter().eq(&["a", "b"]));
    for bytes in MAPS {
        assert_eq!(decode::<Vec<(&str, u8), 2>>(bytes).unwrap(), [("a", 1), ("b", 2)]);
        let map: FnvIndexMap<&str, i64, 2> = decode(bytes).unwrap();
        assert!(map.iter().eq([(&"a", &1), (&"b", &2)]));
        let map: LinearMap<String<1>, f64, 2> = decode(bytes).unwrap();
        assert_eq!((map.len(), map.get("a"), map.get("b")), (2, Some(&1.0), Some(&2.0)));
    }
    let twice = b"%3\r\n+a\r\n:1\r\n+b\r\n:2\r\n+a\r\n:3\r\n";
    assert_eq!(decode::<LinearMap<&str, u8, 2>>(twice).unwrap().get("a"), Some(&3));
    assert_eq!(decode::<FnvIndexMap<&str, u8, 2>>(twice).unwrap().get("a"), Some(&3));
}

#[test]
fn one_more_is_an_error() {
    assert_eq!(decode::<Vec<u8, 3>>(b"$4\r\nabcd\r\n"), full(3));
    assert_eq!(decode::<Vec<u8, 1>>(b"$?\r\n;1\r\na\r\n;1\r\nb\r\n;0\r\n"), full(1));
    assert_eq!(decode::<Vec<&str, 1>>(b"~2\r\n+a\r\n+b\r\n"), full(1));
    assert_eq!(decode::<String<1>>(b"$2\r\n\xc3\xa9\r\n"), full(1));
    assert!(
        decode::<Deque<i64, 1>>(b"*2\r\n:1\r\n:2\r\n").is_err_and(|error| Err::<(), _>(error) == full(1))
    );
    assert_eq!(decode::<FnvIndexSet<u8, 2>>(b"~3\r\n:1\r\n:2\r\n:3\r\n"), full(2));
    for bytes in MAPS {
        assert_eq!(decode::<LinearMap<&str, u8, 1>>(bytes), full(1));
    }
    let three = b"%3\r\n+a\r\n:1\r\n+b\r\n:2\r\n+c\r\n:3\r\n";
    assert_eq!(decode::<FnvIndexMap<&str, u8, 2>>(three), full(2));
}

#[test]
fn other_kinds_are_told_as_ever() {
    assert!(matches!(decode::<Vec<u8, 4>>(b"*1\r\n:1\r\n"), Err(DecodeError::Unexpected { .. })));
    assert!(matches!(decode::<Vec<i64, 4>>(b"$1\r\n1\r\n"), Err(DecodeError::Unexpected { .. })));
    assert!(matches!(
        decode::<LinearMap<u8, u8, 4>>(b"~2\r\n:1\r\n:2\r\n"),
        Err(DecodeError::Unexpected { .. })
    ));
    assert_eq!(
        decode::<LinearMap<u8, u8, 4>>(b"*3\r\n:1\r\n:2\r\n:3\r\n"),
        Err(DecodeError::Length { expected: 2 })
    );
    assert_eq!(decode::<String<4>>(b"$1\r\n\xff\r\n"), Err(DecodeError::NotUtf8));
    assert!(decode::<Vec<u8, 4>>(b"_\r\n").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn fixed_and_growing_agree(bytes in prop::collection::vec(any::<u8>(), 0..12), cut in 0..12usize) {
        let (head, tail) = bytes.split_at(cut.min(bytes.len()));
        let mut streamed = b"$?\r\n".to_vec();
        for chunk in [head, tail].into_iter().filter(|chunk| !chunk.is_empty()) {
            streamed.extend_from_slice(format!(";{}\r\n", chunk.len()).as_bytes());
            streamed.extend_from_slice(chunk);
            streamed.extend_from_slice(b"\r\n");
        }
        streamed.extend_from_slice(b";0\r\n");
        let fixed = decode::<Vec<u8, 8>>(&streamed);
        if bytes.len() <= 8 {
            prop_assert!(fixed.is_ok_and(|fixed| fixed == bytes[..]));
        } else {
            prop_assert_eq!(fixed, full(8));
        }
    }
}
