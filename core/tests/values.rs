//! Values from replies: the same value from the RESP2 and the RESP3 shape of an answer.

use respire_core::resp::{DecodeError, Done, FromReply, Kind, Map, Reply, ReplyError, Seq, ServerError};

fn reply(bytes: &[u8]) -> Reply<'_> {
    Reply::parse(bytes).unwrap_or_else(|| panic!("{}", bytes.escape_ascii()))
}

fn get<'a, T: FromReply<'a>>(bytes: &'a [u8]) -> Result<T, ReplyError<'a>> {
    reply(bytes).get()
}

fn decode<'a, T: FromReply<'a>>(bytes: &'a [u8]) -> Result<T, DecodeError> {
    T::from_reply(reply(bytes))
}

/// Both shapes give the same value.
fn both<'a, T: FromReply<'a> + PartialEq + std::fmt::Debug>(resp2: &'a [u8], resp3: &'a [u8], value: T) {
    assert_eq!(get::<T>(resp2).as_ref(), Ok(&value), "{}", resp2.escape_ascii());
    assert_eq!(get::<T>(resp3).as_ref(), Ok(&value), "{}", resp3.escape_ascii());
}

#[test]
fn scalars_have_two_shapes() {
    both(b"$3\r\n1.5\r\n", b",1.5\r\n", 1.5);
    both(b"$3\r\n1.5\r\n", b",1.5\r\n", 1.5f32);
    both(b"$3\r\ninf\r\n", b",inf\r\n", f64::INFINITY);
    both(b":10\r\n", b",10\r\n", 10.0);
    both(b"$2\r\n42\r\n", b":42\r\n", 42i64);
    both(b":1\r\n", b"#t\r\n", true);
    both(b":0\r\n", b"#f\r\n", false);
    both(b"$-1\r\n", b"_\r\n", None::<i64>);
    both(b"*-1\r\n", b"_\r\n", None::<&[u8]>);
    both(b"$4\r\ntext\r\n", b"=8\r\ntxt:text\r\n", "text");
    both(b"$20\r\n18446744073709551615\r\n", b"(18446744073709551615\r\n", u64::MAX);
    both(b"+OK\r\n", b"$2\r\nOK\r\n", Done);
    both(b"+OK\r\n", b"#t\r\n", true);
    both(b"$-1\r\n", b"_\r\n", false);
    both(b"$-1\r\n", b"_\r\n", None::<Done>);
}

#[test]
fn aggregates_have_several_shapes() {
    let pairs = |bytes: &'static [u8]| -> Vec<(&str, i64)> {
        get::<Map<'_, &str, i64>>(bytes).unwrap().map(Result::unwrap).collect()
    };
    let expected = [("a", 1), ("b", 2)];
    assert_eq!(pairs(b"*4\r\n+a\r\n:1\r\n+b\r\n:2\r\n"), expected, "flat, RESP2");
    assert_eq!(pairs(b"%2\r\n+a\r\n:1\r\n+b\r\n:2\r\n"), expected, "a map, RESP3");
    assert_eq!(pairs(b"*2\r\n*2\r\n+a\r\n:1\r\n*2\r\n+b\r\n:2\r\n"), expected, "pairs, RESP3");
    assert_eq!(pairs(b"%?\r\n+a\r\n:1\r\n+b\r\n:2\r\n.\r\n"), expected, "streamed");

    let scored = |bytes: &'static [u8]| -> Vec<(&str, f64)> {
        get::<Seq<'_, (&str, f64)>>(bytes).unwrap().map(Result::unwrap).collect()
    };
    let expected = [("a", 0.5), ("b", 1.5)];
    assert_eq!(scored(b"*4\r\n$1\r\na\r\n$3\r\n0.5\r\n$1\r\nb\r\n$3\r\n1.5\r\n"), expected);
    assert_eq!(scored(b"*2\r\n*2\r\n$1\r\na\r\n,0.5\r\n*2\r\n$1\r\nb\r\n,1.5\r\n"), expected);

    let members = |bytes: &'static [u8]| -> Vec<&str> {
        get::<Seq<'_, &str>>(bytes).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(members(b"*2\r\n+a\r\n+b\r\n"), ["a", "b"]);
    assert_eq!(members(b"~2\r\n+a\r\n+b\r\n"), ["a", "b"]);
    assert_eq!(members(b"*?\r\n+a\r\n+b\r\n.\r\n"), ["a", "b"]);
    assert_eq!(members(b"*0\r\n"), [""; 0]);
}

#[test]
fn a_map_whose_keys_are_arrays_is_no_list_of_pairs() {
    let map: Map<'_, (i64, i64), &str> = get(b"%1\r\n*2\r\n:1\r\n:2\r\n+v\r\n").unwrap();
    assert_eq!(map.collect::<Vec<_>>(), [Ok(((1, 2), "v"))]);
}

#[test]
fn tuples_and_arrays_count_their_elements() {
    assert_eq!(get(b"*2\r\n:1\r\n$1\r\na\r\n"), Ok((1i64, "a")));
    assert_eq!(get(b"*3\r\n:1\r\n$1\r\na\r\n_\r\n"), Ok((1i64, "a", None::<i64>)));
    assert_eq!(get(b"*1\r\n:1\r\n"), Ok((1i64,)));
    assert_eq!(decode::<(i64, i64)>(b"*1\r\n:1\r\n"), Err(DecodeError::Length { expected: 2 }));
    assert_eq!(decode::<(i64, i64)>(b"*3\r\n:1\r\n:2\r\n:3\r\n"), Err(DecodeError::Length { expected: 2 }));
    assert_eq!(decode::<(i64, i64, i64)>(b"*2\r\n:1\r\n:2\r\n"), Err(DecodeError::Length { expected: 3 }));
    assert_eq!(get(b"*3\r\n:1\r\n:2\r\n:3\r\n"), Ok([1u8, 2, 3]));
    assert_eq!(decode::<[u8; 2]>(b"*3\r\n:1\r\n:2\r\n:3\r\n"), Err(DecodeError::Length { expected: 2 }));
    assert_eq!(decode::<[u8; 4]>(b"*3\r\n:1\r\n:2\r\n:3\r\n"), Err(DecodeError::Length { expected: 4 }));
    let eight = b"*8\r\n:1\r\n:2\r\n:3\r\n:4\r\n:5\r\n:6\r\n:7\r\n:8\r\n";
    assert_eq!(get(eight), Ok((1u8, 2u16, 3u32, 4u64, 5i8, 6i16, 7i32, 8i64)));
}

#[test]
fn numbers_that_do_not_fit_are_an_error() {
    assert_eq!(decode::<u8>(b":255\r\n"), Ok(255));
    assert_eq!(decode::<u8>(b":256\r\n"), Err(DecodeError::OutOfRange));
    assert_eq!(decode::<u8>(b"$3\r\n256\r\n"), Err(DecodeError::OutOfRange));
    assert_eq!(decode::<u32>(b":-1\r\n"), Err(DecodeError::OutOfRange));
    assert_eq!(decode::<u32>(b":4294967296\r\n"), Err(DecodeError::OutOfRange));
    assert_eq!(decode::<i64>(b"(9223372036854775808\r\n"), Err(DecodeError::OutOfRange));
    assert_eq!(decode::<i64>(b"(-9223372036854775809\r\n"), Err(DecodeError::OutOfRange));
    assert_eq!(decode::<i64>(b"$3\r\n1.5\r\n"), Err(DecodeError::NotANumber));
    assert_eq!(decode::<i64>(b"$0\r\n\r\n"), Err(DecodeError::NotANumber));
    assert_eq!(decode::<i64>(b"$1\r\n\xff\r\n"), Err(DecodeError::NotANumber));
    assert_eq!(decode::<i64>(b"(12a\r\n"), Err(DecodeError::NotANumber));
    assert_eq!(decode::<f64>(b"$3\r\nabc\r\n"), Err(DecodeError::NotANumber));
    assert_eq!(decode::<bool>(b":2\r\n"), Err(DecodeError::OutOfRange));
    assert!(decode::<f64>(b",-nan\r\n").unwrap().is_nan());
    assert_eq!(decode::<f64>(b",-0\r\n").unwrap().to_bits(), (-0.0f64).to_bits());
    assert_eq!(decode::<f64>(b",1.0000000000000001e+301\r\n"), Ok(1e301));
}

#[test]
fn wide_numbers_are_checked_too() {
    both(b"$3\r\n-42\r\n", b":-42\r\n", -42i128);
    both(b"$2\r\n+7\r\n", b":+7\r\n", 7u128);
    both(b"$2\r\n-0\r\n", b"(-0\r\n", 0u128);
    let (least, most) = (i128::MIN.to_string(), u128::MAX.to_string());
    let line = |text: &str| format!("({text}\r\n").into_bytes();
    assert_eq!(decode::<i128>(&line(&least)), Ok(i128::MIN));
    assert_eq!(decode::<u128>(&line(&most)), Ok(u128::MAX));
    assert_eq!(decode::<u128>(&line(&least)), Err(DecodeError::OutOfRange));
    assert_eq!(decode::<i128>(&line(&most)), Err(DecodeError::OutOfRange));
    assert_eq!(
        decode::<i128>(&line("-170141183460469231731687303715884105729")),
        Err(DecodeError::OutOfRange)
    );
    assert_eq!(
        decode::<u128>(&line("340282366920938463463374607431768211456")),
        Err(DecodeError::OutOfRange)
    );
    assert_eq!(decode::<u128>(b":-1\r\n"), Err(DecodeError::OutOfRange));
    assert_eq!(decode::<u128>(b"$1\r\n-\r\n"), Err(DecodeError::NotANumber));
    assert_eq!(
        decode::<i128>(b"#t\r\n"),
        Err(DecodeError::Unexpected { expected: "an integer", found: Kind::Boolean })
    );
}

#[test]
fn numbers_take_what_their_own_text_would_be() {
    // A score of 2 is ",2" in RESP3 and "2" in RESP2: an integer either way.
    both(b"$1\r\n2\r\n", b",2\r\n", 2i64);
    assert_eq!(decode::<i64>(b",1.5\r\n"), Err(DecodeError::NotANumber));
    assert_eq!(decode::<i64>(b",1e3\r\n"), Err(DecodeError::NotANumber));
    assert_eq!(decode::<i64>(b",inf\r\n"), Err(DecodeError::NotANumber));
    both(b"$6\r\n1e+301\r\n", b",1e+301\r\n", 1e301);
    both(b"$4\r\n+inf\r\n", b",+inf\r\n", f64::INFINITY);
    both(b"$4\r\n-inf\r\n", b",-inf\r\n", f32::NEG_INFINITY);
    assert!(decode::<f32>(b"$4\r\n-nan\r\n").unwrap().is_nan());
    assert!(decode::<f64>(b",nan\r\n").unwrap().is_nan());
    assert_eq!(decode::<f32>(b",1e300\r\n"), Err(DecodeError::OutOfRange));
    assert_eq!(decode::<f32>(b",1e-300\r\n"), Ok(0.0));
    assert_eq!(decode::<f64>(b"$8\r\nInfinity\r\n"), Err(DecodeError::NotANumber));
    both(b"$1\r\n1\r\n", b"=5\r\ntxt:1\r\n", true);
    both(b"$1\r\n0\r\n", b"+0\r\n", false);
    assert!(decode::<bool>(b"$1\r\n2\r\n").is_err());
}

#[test]
fn what_must_be_in_one_piece_says_so() {
    const STREAMED: &[u8] = b"$?\r\n;1\r\n4\r\n;1\r\n2\r\n;0\r\n";
    assert_eq!(decode::<&[u8]>(STREAMED), Err(DecodeError::Streamed));
    assert_eq!(decode::<&str>(STREAMED), Err(DecodeError::Streamed));
    assert_eq!(decode::<Option<&str>>(STREAMED), Err(DecodeError::Streamed));
    assert_eq!(decode::<i64>(STREAMED), Err(DecodeError::Streamed));
    assert_eq!(decode::<u128>(STREAMED), Err(DecodeError::Streamed));
    assert_eq!(decode::<f64>(STREAMED), Err(DecodeError::Streamed));
    assert_eq!(decode::<bool>(STREAMED), Err(DecodeError::Streamed));
    assert_eq!(
        decode::<Seq<'_>>(STREAMED).unwrap_err(),
        DecodeError::Unexpected { expected: "an array", found: Kind::Bulk }
    );
}

#[test]
fn tuples_have_up_to_twelve() {
    let bytes = [b"*12\r\n".to_vec(), b":1\r\n+a\r\n".repeat(6)].concat();
    let twelve = (1u8, "a", 1u16, "a", 1u32, "a", 1u64, "a", 1i8, "a", 1i128, "a");
    assert_eq!(get(&bytes), Ok(twelve));
    let eleven = [b"*11\r\n".to_vec(), b":1\r\n".repeat(11)].concat();
    assert_eq!(get(&eleven), Ok((1u8, 1u8, 1u8, 1u8, 1u8, 1u8, 1u8, 1u8, 1u8, 1u8, 1u8)));
    assert_eq!(get(&bytes).map(|pairs: [(); 12]| pairs.len()), Ok(12));
}

#[test]
fn another_kind_is_named() {
    let unexpected = |expected, found| DecodeError::Unexpected { expected, found };
    assert_eq!(decode::<i64>(b"*0\r\n"), Err(unexpected("an integer", Kind::Array)));
    assert_eq!(decode::<i64>(b"_\r\n"), Err(unexpected("an integer", Kind::Null)));
    assert_eq!(decode::<&str>(b"%0\r\n"), Err(unexpected("a string", Kind::Map)));
    assert_eq!(decode::<&[u8]>(b"$-1\r\n"), Err(unexpected("a string", Kind::Null)));
    assert_eq!(decode::<Done>(b"+QUEUED\r\n"), Err(unexpected("a status", Kind::Simple)));
    assert_eq!(get(b"+PONG\r\n"), Ok(Done));
    assert_eq!(decode::<()>(b"-ERR\r\n"), Err(unexpected("anything but an error", Kind::Error)));
    assert_eq!(decode::<Done>(b":1\r\n"), Err(unexpected("a status", Kind::Integer)));
    assert_eq!(decode::<bool>(b"*0\r\n"), Err(unexpected("a boolean", Kind::Array)));
    assert!(decode::<Seq<'_>>(b":1\r\n").is_err());
    assert!(decode::<Map<'_>>(b"~0\r\n").is_err());
    assert_eq!(decode::<&str>(b"$2\r\n\xc3\x28\r\n"), Err(DecodeError::NotUtf8));
    assert_eq!(decode::<()>(b"*1\r\n:1\r\n"), Ok(()));
}

#[test]
fn every_kind_has_a_name() {
    let names = [
        &b"+a\r\n"[..],
        b"-a\r\n",
        b"!1\r\na\r\n",
        b":1\r\n",
        b"$1\r\na\r\n",
        b"*0\r\n",
        b"_\r\n",
        b"#t\r\n",
    ]
    .map(|bytes| reply(bytes).kind().name());
    let expected = [
        "a simple string",
        "an error",
        "an error",
        "an integer",
        "a string",
        "an array",
        "null",
        "a boolean",
    ];
    assert_eq!(names, expected);
    let names = [&b",1\r\n"[..], b"(1\r\n", b"=4\r\ntxt:\r\n", b"%0\r\n", b"~0\r\n", b">0\r\n"]
        .map(|bytes| reply(bytes).kind().name());
    assert_eq!(names, ["a double", "a big number", "a verbatim string", "a map", "a set", "a push"]);
}

#[test]
fn the_server_s_error_is_told_apart() {
    let error = ServerError::new(b"WRONGTYPE no list");
    assert_eq!(get::<i64>(b"-WRONGTYPE no list\r\n"), Err(ReplyError::Server(error)));
    assert_eq!(get::<()>(b"!17\r\nWRONGTYPE no list\r\n"), Err(ReplyError::Server(error)));
    assert_eq!(get::<Option<i64>>(b"-WRONGTYPE no list\r\n"), Err(ReplyError::Server(error)));
    assert_eq!(get::<Result<i64, ServerError<'_>>>(b"-WRONGTYPE no list\r\n"), Ok(Err(error)));
    assert_eq!(get::<Reply<'_>>(b"-WRONGTYPE no list\r\n").unwrap().error(), Some(error));
    let results: Vec<_> = get::<Seq<'_, Result<i64, ServerError<'_>>>>(b"*2\r\n:1\r\n-WRONGTYPE no list\r\n")
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(results, [Ok(1), Err(error)]);
    assert!(decode::<i64>(b"-ERR\r\n").is_err(), "an error is no integer");
}

#[test]
fn a_sequence_says_what_is_left_and_can_be_copied() {
    let mut seq: Seq<'_, Reply<'_>> = get(b"*3\r\n*2\r\n:1\r\n:2\r\n:3\r\n:4\r\n").unwrap();
    assert_eq!(seq.remaining(), Some(3));
    assert!(seq.next().is_some());
    let copy: Vec<_> = seq.clone().cast::<i64>().map(Result::unwrap).collect();
    assert_eq!(copy, [3, 4]);
    assert_eq!(seq.remaining(), Some(2));
    let mut streamed: Seq<'_> = get(b"*?\r\n:1\r\n.\r\n").unwrap();
    assert_eq!(streamed.remaining(), None);
    assert!(streamed.next().is_some() && streamed.next().is_none() && streamed.next().is_none());
}

#[cfg(feature = "std")]
mod owned {
    use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

    use std::borrow::Cow;

    use super::{both, decode, get};
    use respire_core::resp::{
        DecodeError, Done, ErrorReply, Frame, FromReply, Kind, Map, Natural, Reply, ReplyError, Seq,
        ServerError, Value,
    };

    #[test]
    fn collections_have_two_shapes() {
        let flat = b"*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n2\r\n";
        let map = b"%2\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n:2\r\n";
        let pairs = [(String::from("a"), 1), (String::from("b"), 2)];
        both(flat, map, BTreeMap::from(pairs.clone()));
        both(flat, map, HashMap::<String, i64>::from_iter(pairs.clone()));
        both(flat, map, Vec::from(pairs));
        let (array, set) = (b"*2\r\n+x\r\n+y\r\n", b"~2\r\n+x\r\n+y\r\n");
        both(array, set, BTreeSet::from(["x".to_string(), "y".to_string()]));
        both(array, set, HashSet::<String>::from_iter(["x".into(), "y".into()]));
        both(array, set, vec![b"x".to_vec(), b"y".to_vec()]);
        both(b"$3\r\na\0b\r\n", b"$?\r\n;2\r\na\0\r\n;1\r\nb\r\n;0\r\n", b"a\0b".to_vec());
        both(b"$2\r\nab\r\n", b"=6\r\nmkd:ab\r\n", String::from("ab"));
        both(b"*2\r\n:1\r\n$-1\r\n", b"*2\r\n:1\r\n_\r\n", vec![Some(1), None]);
    }

    #[test]
    fn what_stands_behind_an_inner_list_is_found() {
        // Counted, streamed, empty, with attributes, of strings in pieces: the next one starts behind it.
        let lists = b"*7\r\n*2\r\n$1\r\na\r\n$2\r\nbc\r\n*?\r\n+d\r\n.\r\n*0\r\n\
            |1\r\n+k\r\n*1\r\n:1\r\n~1\r\n+e\r\n*1\r\n$?\r\n;1\r\nf\r\n;1\r\ng\r\n;0\r\n\
            %1\r\n+h\r\n+i\r\n*1\r\n+j\r\n";
        let expected =
            vec![vec!["a", "bc"], vec!["d"], vec![], vec!["e"], vec!["fg"], vec!["h", "i"], vec!["j"]];
        assert_eq!(get::<Vec<Vec<String>>>(lists).unwrap(), expected);
        let deeper = [b"*2\r\n", lists.as_slice(), lists].concat();
        assert_eq!(get::<Vec<Vec<Vec<String>>>>(&deeper).unwrap(), [expected.clone(), expected]);
        // What an element leaves behind in the middle of a list is stepped over.
        let pairs = b"*2\r\n*2\r\n*2\r\n:1\r\n:2\r\n:3\r\n*2\r\n*1\r\n:4\r\n:5\r\n";
        assert_eq!(get::<Vec<(Reply<'_>, u8)>>(pairs).unwrap().iter().map(|pair| pair.1).sum::<u8>(), 8);
        let first: Vec<(Vec<u8>, u8)> = get(b"%2\r\n+a\r\n:1\r\n$?\r\n;1\r\nb\r\n;0\r\n:2\r\n").unwrap();
        assert_eq!(first, [(b"a".to_vec(), 1), (b"b".to_vec(), 2)]);
    }

    #[test]
    fn lists_have_just_the_room_they_need() {
        let list = [b"*1000\r\n".as_slice(), &b"$2\r\nab\r\n".repeat(1000)].concat();
        assert_eq!(get::<Vec<Vec<u8>>>(&list).unwrap().capacity(), 1000);
        assert_eq!(get::<Vec<&[u8]>>(&list).unwrap().capacity(), 1000);
        assert_eq!(get::<Vec<(&str, &str)>>(&list).unwrap().capacity(), 500);
        let Ok(Value::Array(items)) = get(&list) else { panic!() };
        assert_eq!(items.capacity(), 1000);
        let map = [b"%1000\r\n".as_slice(), &b"+k\r\n:1\r\n".repeat(1000)].concat();
        assert_eq!(get::<Vec<(&str, u8)>>(&map).unwrap().capacity(), 1000);
        let Ok(Value::Map(pairs)) = get(&map) else { panic!() };
        assert_eq!(pairs.capacity(), 1000);
        let arrays = [b"*100\r\n".as_slice(), &b"*2\r\n+k\r\n:1\r\n".repeat(100)].concat();
        assert_eq!(get::<Vec<(&str, u8)>>(&arrays).unwrap().capacity(), 100);
        assert_eq!(get::<Vec<u8>>(b"$3\r\nabc\r\n").unwrap().capacity(), 3);
    }

    #[test]
    fn a_count_that_was_never_checked_takes_no_memory() {
        let frame = |len| Frame { len, body: 0, kind: Kind::Array, over: None };
        for claim in [&b"*9999999999999999999\r\n:1\r\n"[..], b"%9999999999999999999\r\n:1\r\n"] {
            let reply = Reply::new(claim, frame(claim.len()));
            assert!(Vec::<[u64; 32]>::from_reply(reply).is_err());
            assert_eq!(Value::from_reply(reply), Ok(Value::Null), "it ends too soon");
        }
    }

    #[test]
    fn streamed_strings_become_owned_ones() {
        let (bulk, streamed) = (b"$3\r\na b\r\n", b"$?\r\n;2\r\na \r\n;1\r\nb\r\n;0\r\n");
        both(bulk, streamed, String::from("a b"));
        both(bulk, streamed, Box::<str>::from("a b"));
        both(bulk, streamed, b"a b".to_vec());
        both(bulk, streamed, Box::<[u8]>::from(b"a b".as_slice()));
        both(bulk, streamed, Cow::from("a b"));
        both(bulk, streamed, Cow::from(b"a b".as_slice()));
        both(bulk, streamed, std::collections::VecDeque::from(*b"a b"));
        assert!(matches!(get::<Cow<'_, str>>(bulk), Ok(Cow::Borrowed(_))));
        assert!(matches!(get::<Cow<'_, [u8]>>(bulk), Ok(Cow::Borrowed(_))));
        assert!(matches!(get::<Cow<'_, str>>(streamed), Ok(Cow::Owned(_))));
        assert!(matches!(get::<Cow<'_, [u8]>>(streamed), Ok(Cow::Owned(_))));
        let not_utf8 = [&b"$1\r\n\xff\r\n"[..], b"$?\r\n;1\r\n\xff\r\n;0\r\n"];
        for bytes in not_utf8 {
            assert_eq!(decode::<Cow<'_, str>>(bytes), Err(DecodeError::NotUtf8));
            assert_eq!(decode::<Box<str>>(bytes), Err(DecodeError::NotUtf8));
        }
        assert!(matches!(decode::<Cow<'_, str>>(b"*0\r\n"), Err(DecodeError::Unexpected { .. })));
        assert!(matches!(decode::<Cow<'_, [u8]>>(b"_\r\n"), Err(DecodeError::Unexpected { .. })));
    }

    #[test]
    fn borrowed_types_have_owned_ones() {
        fn stands_for<T: Natural<Owned = O>, O>() {}
        stands_for::<&[u8], Vec<u8>>();
        stands_for::<Cow<'_, str>, String>();
        stands_for::<Option<Seq<'_, &str>>, Option<Vec<String>>>();
        stands_for::<Map<'_, &str, Reply<'_>>, Vec<(String, Value)>>();
        stands_for::<BTreeMap<&str, [f64; 2]>, BTreeMap<String, [f64; 2]>>();
        stands_for::<HashMap<&str, HashSet<&str>>, HashMap<String, HashSet<String>>>();
        stands_for::<Result<(&str, u128), ServerError<'_>>, Result<(String, u128), ErrorReply>>();
        stands_for::<(Done, (), bool, Box<[&str]>), (Done, (), bool, Box<[String]>)>();
    }

    #[test]
    fn the_last_of_equal_keys_wins_and_pairs_keep_all() {
        let twice = b"%2\r\n+a\r\n:1\r\n+a\r\n:2\r\n";
        assert_eq!(get(twice), Ok(BTreeMap::from([("a", 2)])));
        assert_eq!(get(twice), Ok(vec![("a", 1), ("a", 2)]));
    }

    #[test]
    fn any_reply_is_a_value() {
        let bytes = b"*12\r\n+s\r\n-E x\r\n:1\r\n$1\r\nb\r\n_\r\n#t\r\n,1.5\r\n(12\r\n!1\r\ne\r\n=5\r\ntxt:v\r\n%1\r\n:1\r\n:2\r\n~1\r\n*0\r\n";
        let error = |text: &'static [u8]| Value::Error(ErrorReply::from(ServerError::new(text)));
        let expected = Value::Array(vec![
            Value::Simple(b"s".to_vec()),
            error(b"E x"),
            Value::Integer(1),
            Value::Bulk(b"b".to_vec()),
            Value::Null,
            Value::Boolean(true),
            Value::Double(1.5),
            Value::BigNumber(b"12".to_vec()),
            error(b"e"),
            Value::Verbatim { format: *b"txt", text: b"v".to_vec() },
            Value::Map(vec![(Value::Integer(1), Value::Integer(2))]),
            Value::Set(vec![Value::Array(vec![])]),
        ]);
        assert_eq!(get(bytes), Ok(expected));
        assert_eq!(get(b">1\r\n+x\r\n"), Ok(Value::Push(vec![Value::Simple(b"x".to_vec())])));
        assert!(
            matches!(get::<Value>(b"-E x\r\n"), Err(ReplyError::Server(error)) if error.text() == b"E x".as_slice())
        );
        let streamed = b"%?\r\n$?\r\n;1\r\nk\r\n;0\r\n*?\r\n.\r\n.\r\n";
        let map = vec![(Value::Bulk(b"k".to_vec()), Value::Array(vec![]))];
        assert_eq!(get(streamed), Ok(Value::Map(map)));
    }

    #[test]
    fn a_value_has_text_if_it_is_text() {
        for bytes in [&b"+abc\r\n"[..], b"$3\r\nabc\r\n", b"=7\r\ntxt:abc\r\n"] {
            let value: Value = get(bytes).unwrap();
            assert_eq!(value.as_str(), Some("abc"));
            assert_eq!(Option::<String>::from(value), Some("abc".into()));
        }
        assert_eq!(get::<Value>(b"(12\r\n").unwrap().as_str(), Some("12"));
        for bytes in [&b":1\r\n"[..], b"$1\r\n\xff\r\n", b"_\r\n"] {
            assert_eq!(get::<Value>(bytes).unwrap().as_str(), None);
        }
    }

    #[test]
    fn owned_errors_keep_code_and_text() {
        let results: Vec<Result<i64, ErrorReply>> = get(b"*2\r\n:1\r\n-WRONGTYPE no list\r\n").unwrap();
        assert_eq!(results[0], Ok(1));
        let error = results[1].as_ref().unwrap_err();
        assert_eq!((error.code(), error.to_string()), ("WRONGTYPE", "WRONGTYPE no list".into()));
        assert_eq!(format!("{error:?}"), "ErrorReply(WRONGTYPE no list)");
        assert!(matches!(get::<String>(b"-ERR\r\n"), Err(ReplyError::Server(_))));
        assert!(get::<String>(b"$1\r\n\xff\r\n").is_err());
    }
}
