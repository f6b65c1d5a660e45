//! Owned values.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::depth::on_a_small_stack;
use super::{ANN, USER, User, all, decode, reply};
use respire_core::resp::{DecodeError, Natural, Serde};
use serde::Deserialize;

/// What serde_bytes does, as far as it matters here.
#[derive(PartialEq, Debug)]
struct ByteBuf(Vec<u8>);

impl<'de> Deserialize<'de> for ByteBuf {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = ByteBuf;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<ByteBuf, E> {
                Ok(ByteBuf(bytes.to_vec()))
            }

            fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<ByteBuf, E> {
                Ok(ByteBuf(bytes))
            }
        }
        deserializer.deserialize_byte_buf(Visitor)
    }
}

#[test]
fn collections_have_every_shape() {
    let user = [("name", "ann"), ("age", "30"), ("score", "1.5")];
    let owned = user.map(|(key, value)| (key.to_owned(), value.to_owned()));
    all(&USER, BTreeMap::from(owned.clone()));
    all(&USER[..3], Vec::from(owned));
    all(&USER[..3], Vec::from(user));
    all(&USER[..2], vec!["name", "ann", "age", "30", "score", "1.5"]);
    all(&[b"*2\r\n+x\r\n+y\r\n", b"~2\r\n+y\r\n+x\r\n"], BTreeSet::from(["x", "y"]));
    all(
        &[b"*4\r\n:1\r\n:2\r\n:3\r\n:4\r\n", b"%2\r\n+1\r\n+2\r\n+3\r\n+4\r\n"],
        BTreeMap::from([(1, 2), (3, 4)]),
    );
    let entries = vec![("1-0", BTreeMap::from([("f", "v")]))];
    let entry = b"*1\r\n*2\r\n$3\r\n1-0\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n";
    all(&[entry], entries.clone());
    let resp2 = [b"*1\r\n*2\r\n$1\r\nx\r\n".as_slice(), entry].concat();
    let resp3 = [b"%1\r\n$1\r\nx\r\n".as_slice(), entry].concat();
    all(&[&resp2, &resp3], BTreeMap::from([("x", entries.clone())]));
    all(&[&resp2, &resp3], vec![("x", entries)]);
}

#[test]
fn streamed_strings_are_owned() {
    #[derive(Deserialize, PartialEq, Debug)]
    struct Borrowed<'a> {
        #[serde(borrow)]
        text: Cow<'a, str>,
    }

    let (bulk, streamed) = (b"$2\r\nab\r\n", b"$?\r\n;1\r\na\r\n;1\r\nb\r\n;0\r\n");
    all(&[bulk, streamed], String::from("ab"));
    all(&[bulk, streamed], ByteBuf(b"ab".to_vec()));
    assert_eq!(decode::<String>(b"$?\r\n;1\r\n\xff\r\n;0\r\n"), Err(DecodeError::NotUtf8));
    let whole: Borrowed<'_> = decode(b"%1\r\n+text\r\n$2\r\nab\r\n").unwrap();
    assert!(matches!(whole.text, Cow::Borrowed("ab")));
    let field = [b"%1\r\n$?\r\n;2\r\nte\r\n;2\r\nxt\r\n;0\r\n".as_slice(), streamed].concat();
    assert_eq!(decode(&field), Ok(Borrowed { text: "ab".into() }));
}

#[test]
fn what_asks_for_anything_first_gets_it() {
    #[derive(Deserialize, PartialEq, Debug)]
    #[serde(untagged)]
    enum Any {
        Integer(i64),
        Big(u64),
        Double(f64),
        Boolean(bool),
        Text(String),
        Bytes(#[serde(deserialize_with = "bytes")] Vec<u8>),
        Array(Vec<Self>),
        Map(BTreeMap<String, Self>),
        Null(()),
    }

    fn bytes<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        ByteBuf::deserialize(deserializer).map(|ByteBuf(bytes)| bytes)
    }

    all(&[b":-1\r\n", b"(-1\r\n"], Any::Integer(-1));
    all(&[b"(18446744073709551615\r\n"], Any::Big(u64::MAX));
    all(
        &[b"(18446744073709551616\r\n", b"$20\r\n18446744073709551616\r\n"],
        Any::Text("18446744073709551616".into()),
    );
    all(&[b",1.5\r\n"], Any::Double(1.5));
    all(&[b"#t\r\n"], Any::Boolean(true));
    all(
        &[b"$2\r\nab\r\n", b"+ab\r\n", b"=6\r\ntxt:ab\r\n", b"$?\r\n;2\r\nab\r\n;0\r\n"],
        Any::Text("ab".into()),
    );
    all(&[b"$1\r\n\xff\r\n", b"$?\r\n;1\r\n\xff\r\n;0\r\n"], Any::Bytes(b"\xff".to_vec()));
    all(&[b"_\r\n", b"$-1\r\n"], Any::Null(()));
    let (one, none) = (Any::Integer(1), Any::Null(()));
    all(&[b"*2\r\n:1\r\n_\r\n", b"~2\r\n:1\r\n_\r\n", b">2\r\n:1\r\n*-1\r\n"], Any::Array(vec![one, none]));
    all(&[b"%1\r\n+k\r\n:1\r\n"], Any::Map(BTreeMap::from([("k".into(), Any::Integer(1))])));
    assert!(decode::<Any>(b"*1\r\n-ERR\r\n").is_err());
}

#[test]
fn flattened_structs_are_made_too() {
    #[derive(Deserialize, PartialEq, Debug)]
    struct Outer<'a> {
        id: u32,
        #[serde(flatten, borrow)]
        user: User<'a>,
    }

    let resp3 = b"%4\r\n+id\r\n:7\r\n+name\r\n+ann\r\n+age\r\n:30\r\n+score\r\n,1.5\r\n";
    assert_eq!(decode(resp3), Ok(Outer { id: 7, user: ANN }));
}

#[test]
fn types_that_hold_themselves_have_an_end() {
    #[derive(Deserialize, PartialEq, Debug)]
    struct List(Option<(u8, Box<Self>)>);
    #[derive(Deserialize, PartialEq, Debug)]
    struct Tree(Vec<Self>);
    #[derive(Deserialize, PartialEq, Debug)]
    struct Endless(Box<Self>);
    #[derive(Deserialize, PartialEq, Debug)]
    struct Perhaps(Option<Box<Self>>);

    on_a_small_stack(|| {
        let list = b"*2\r\n:1\r\n*2\r\n:2\r\n_\r\n";
        let two = List(Some((2, Box::new(List(None)))));
        all(&[list], List(Some((1, Box::new(two)))));
        for header in ["*1\r\n", "~1\r\n", "*2\r\n*0\r\n"] {
            let bytes = format!("{}*0\r\n", header.repeat(100_000));
            assert_eq!(decode::<Tree>(bytes.as_bytes()), Err(DecodeError::TooDeep));
        }
        let bytes = format!("{}_\r\n", "*2\r\n:1\r\n".repeat(100_000));
        assert_eq!(decode::<List>(bytes.as_bytes()), Err(DecodeError::TooDeep));
        assert_eq!(decode::<Endless>(b":1\r\n"), Err(DecodeError::TooDeep));
        assert_eq!(decode::<Perhaps>(b":1\r\n"), Err(DecodeError::TooDeep));
    });
}

#[test]
fn a_wrapped_type_is_its_own_owned_one() {
    fn stands_for<T: Natural<Owned = O>, O>() {}
    stands_for::<Serde<String>, Serde<String>>();
    stands_for::<Option<Serde<u8>>, Option<Serde<u8>>>();
    assert_eq!(reply(b"*1\r\n:1\r\n").get::<Vec<Serde<u8>>>(), Ok(vec![Serde(1)]));
}
