//! Values through serde: both protocols alike, without allocation where serde needs none.
#![cfg(feature = "serde")]

mod agree;
mod depth;
#[cfg(feature = "alloc")]
mod owned;

use std::fmt::Debug;

use respire_core::resp::{DecodeError, Deserializer, FromReply, Kind, Reply, ReplyError, Seq, Serde};
use serde::Deserialize;

fn reply(bytes: &[u8]) -> Reply<'_> {
    Reply::parse(bytes).unwrap_or_else(|| panic!("{}", bytes.escape_ascii()))
}

fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, DecodeError> {
    Serde::from_reply(reply(bytes)).map(|Serde(value)| value)
}

#[track_caller]
fn all<'a, T: Deserialize<'a> + PartialEq + Debug>(shapes: &[&'a [u8]], value: T) {
    for bytes in shapes {
        assert_eq!(decode::<T>(bytes).as_ref(), Ok(&value), "{}", bytes.escape_ascii());
    }
}

fn unexpected(expected: &'static str, found: Kind) -> DecodeError {
    DecodeError::Unexpected { expected, found }
}

#[derive(Deserialize, PartialEq, Debug)]
struct User<'a> {
    name: &'a str,
    age: u8,
    #[serde(default)]
    score: Option<f64>,
}

const ANN: User<'static> = User { name: "ann", age: 30, score: Some(1.5) };

/// A hash in RESP2, in RESP3, as pairs and streamed.
const USER: [&[u8]; 4] = [
    b"*6\r\n$4\r\nname\r\n$3\r\nann\r\n$3\r\nage\r\n$2\r\n30\r\n$5\r\nscore\r\n$3\r\n1.5\r\n",
    b"%3\r\n$4\r\nname\r\n$3\r\nann\r\n$3\r\nage\r\n:30\r\n$5\r\nscore\r\n,1.5\r\n",
    b"*3\r\n*2\r\n+name\r\n+ann\r\n*2\r\n+age\r\n:30\r\n*2\r\n+score\r\n,1.5\r\n",
    b"%?\r\n+age\r\n(30\r\n+name\r\n=7\r\ntxt:ann\r\n+score\r\n$3\r\n1.5\r\n.\r\n",
];

/// S3-PERF-02: answers become types of the program's own.
#[test]
fn structs_are_made_from_every_shape_of_a_map() {
    all(&USER, ANN);
    let unknown =
        b"*8\r\n+name\r\n+bob\r\n+what\r\n*2\r\n:1\r\n-ERR\r\n+age\r\n+7\r\n+and\r\n%1\r\n*0\r\n_\r\n";
    assert_eq!(decode(unknown), Ok(User { name: "bob", age: 7, score: None }));
    let null = b"%3\r\n+score\r\n_\r\n+name\r\n+\r\n+age\r\n:0\r\n";
    assert_eq!(decode(null), Ok(User { name: "", age: 0, score: None }));
    assert_eq!(reply(USER[1]).get::<Serde<User<'_>>>(), Ok(Serde(ANN)));
    assert_eq!(reply(b"_\r\n").get::<Option<Serde<User<'_>>>>(), Ok(None));
    let two = [b"*2\r\n".as_slice(), USER[0], USER[1]].concat();
    let users: Vec<_> = reply(&two).get::<Seq<'_, Serde<User<'_>>>>().unwrap().collect();
    assert_eq!(users, [Ok(Serde(ANN)), Ok(Serde(ANN))]);
    assert!(matches!(reply(b"-ERR no\r\n").get::<Serde<User<'_>>>(), Err(ReplyError::Server(_))));
}

#[test]
fn a_struct_that_does_not_fit_says_why() {
    #[derive(Deserialize, PartialEq, Debug)]
    #[serde(deny_unknown_fields)]
    struct Strict {
        a: u8,
    }

    assert_eq!(decode::<User<'_>>(b"*0\r\n"), Err(DecodeError::MissingField { field: "name" }));
    assert_eq!(decode::<User<'_>>(b"%1\r\n+name\r\n+x\r\n"), Err(DecodeError::MissingField { field: "age" }));
    let twice = b"%2\r\n+age\r\n:1\r\n+age\r\n:2\r\n";
    assert_eq!(decode::<User<'_>>(twice), Err(DecodeError::DuplicateField { field: "age" }));
    assert_eq!(decode::<User<'_>>(b"%1\r\n+age\r\n:256\r\n"), Err(DecodeError::OutOfRange));
    assert_eq!(decode::<User<'_>>(b"%1\r\n+age\r\n+x\r\n"), Err(DecodeError::NotANumber));
    assert_eq!(decode::<User<'_>>(b"%1\r\n+name\r\n+\xff\r\n"), Err(DecodeError::NotUtf8));
    assert_eq!(decode::<User<'_>>(b"*1\r\n+name\r\n"), Err(DecodeError::Length { expected: 2 }));
    assert_eq!(
        decode::<User<'_>>(b"*1\r\n*3\r\n+age\r\n:1\r\n:2\r\n"),
        Err(DecodeError::Length { expected: 2 })
    );
    assert_eq!(decode::<User<'_>>(b"_\r\n"), Err(unexpected("a map", Kind::Null)));
    assert_eq!(decode::<User<'_>>(b"$3\r\nann\r\n"), Err(unexpected("a map", Kind::Bulk)));
    assert_eq!(decode::<User<'_>>(b"~0\r\n"), Err(unexpected("a map", Kind::Set)));
    let error = b"%1\r\n+name\r\n-ERR\r\n";
    assert_eq!(decode::<User<'_>>(error), Err(unexpected("a string", Kind::Error)));
    assert_eq!(decode(b"%1\r\n+a\r\n:1\r\n"), Ok(Strict { a: 1 }));
    assert_eq!(decode::<Strict>(b"%1\r\n+b\r\n:1\r\n"), Err(DecodeError::UnknownField { expected: &["a"] }));
    assert_eq!(DecodeError::UnknownField { expected: &["a", "b"] }.to_string(), "a field is none of a, b");
}

#[test]
fn numbers_are_read_from_their_digits_and_checked() {
    all(&[b":-5\r\n", b"$2\r\n-5\r\n", b"(-5\r\n", b",-5\r\n"], -5i8);
    all(&[b":-5\r\n", b"$2\r\n-5\r\n"], -5i16);
    all(&[b":-5\r\n", b"+-5\r\n"], -5i32);
    all(&[b":-5\r\n"], -5i64);
    all(&[b":5\r\n", b"$1\r\n5\r\n"], 5u8);
    all(&[b":5\r\n"], 5u16);
    all(&[b":5\r\n"], 5u32);
    all(&[b"(18446744073709551615\r\n", b"$20\r\n18446744073709551615\r\n"], u64::MAX);
    all(&[b"(18446744073709551616\r\n"], u128::from(u64::MAX) + 1);
    all(&[b"(-18446744073709551616\r\n"], -i128::from(u64::MAX) - 1);
    all(&[b",inf\r\n", b"$3\r\ninf\r\n"], f64::INFINITY);
    all(&[b",1e+301\r\n", b"$6\r\n1e+301\r\n"], 1e301);
    all(&[b":2\r\n", b"$3\r\n2.0\r\n"], 2f32);
    all(&[b"#t\r\n", b":1\r\n", b"$1\r\n1\r\n", b"+OK\r\n"], true);
    all(&[b"#f\r\n", b":0\r\n"], false);
    assert_eq!(decode::<i8>(b":128\r\n"), Err(DecodeError::OutOfRange));
    assert_eq!(decode::<u64>(b":-1\r\n"), Err(DecodeError::OutOfRange));
    assert_eq!(decode::<f32>(b",1e300\r\n"), Err(DecodeError::OutOfRange));
    assert_eq!(decode::<f64>(b"+x\r\n"), Err(DecodeError::NotANumber));
    assert_eq!(decode::<bool>(b":2\r\n"), Err(DecodeError::OutOfRange));
}

#[test]
fn text_and_bytes_are_borrowed() {
    struct Bytes<'a>(&'a [u8]);

    impl<'de: 'a, 'a> Deserialize<'de> for Bytes<'a> {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            <&[u8]>::deserialize(deserializer).map(Self)
        }
    }

    all(&[b"$3\r\na b\r\n", b"+a b\r\n", b"=7\r\nmkd:a b\r\n"], "a b");
    all(&[b":42\r\n", b"$2\r\n42\r\n", b",42\r\n"], "42");
    all(&[b"$2\r\n\xc3\xa9\r\n"], 'é');
    let bytes = b"$2\r\n\xff\0\r\n";
    let Bytes(borrowed) = decode(bytes).unwrap();
    assert!(std::ptr::eq(borrowed, &bytes[4..6]));
    assert_eq!(decode::<&str>(bytes), Err(DecodeError::NotUtf8));
    assert_eq!(decode::<char>(b"+ab\r\n"), Err(DecodeError::InvalidValue));
    assert_eq!(decode::<&str>(b"*0\r\n"), Err(unexpected("a string", Kind::Array)));
    assert_eq!(decode::<&str>(b"#t\r\n"), Err(unexpected("a string", Kind::Boolean)));
    let streamed = b"$?\r\n;1\r\na\r\n;1\r\nb\r\n;0\r\n";
    assert_eq!(decode::<&str>(streamed), Err(DecodeError::Streamed));
    assert_eq!(decode::<&[u8]>(streamed), Err(DecodeError::Streamed));
    assert_eq!(decode::<i64>(streamed), Err(DecodeError::Streamed));
}

#[test]
fn nothing_and_something() {
    #[derive(Deserialize, PartialEq, Debug)]
    struct Unit;
    #[derive(Deserialize, PartialEq, Debug)]
    struct New<T>(T);

    all(&[b"_\r\n", b"$-1\r\n", b"*-1\r\n"], None::<u8>);
    all(&[b":1\r\n", b"$1\r\n1\r\n"], Some(Some(1u8)));
    all(&[b"_\r\n", b"+OK\r\n", b"*0\r\n"], ());
    all(&[b"_\r\n", b"+OK\r\n"], Unit);
    all(&[b":1\r\n"], New(New(Some(1))));
    assert_eq!(decode::<()>(b"*1\r\n-ERR\r\n"), Ok(()));
    assert_eq!(decode::<()>(b"-ERR\r\n"), Err(unexpected("anything but an error", Kind::Error)));
}

#[test]
fn tuples_count_their_elements() {
    #[derive(Deserialize, PartialEq, Debug)]
    struct Place(f64, f64);

    all(&[b"*2\r\n$1\r\na\r\n:1\r\n", b"~2\r\n+a\r\n+1\r\n", b"*?\r\n+a\r\n:1\r\n.\r\n"], ("a", 1));
    all(&[b"*3\r\n:1\r\n:2\r\n:3\r\n"], [1, 2, 3]);
    all(&[b"*2\r\n$3\r\n0.5\r\n$3\r\n1.5\r\n", b"*2\r\n,0.5\r\n,1.5\r\n"], Place(0.5, 1.5));
    all(
        &[b"*2\r\n*2\r\n,0.5\r\n,1.5\r\n_\r\n", b"*2\r\n*2\r\n+0.5\r\n+1.5\r\n*-1\r\n"],
        (Some(Place(0.5, 1.5)), None::<Place>),
    );
    for len in [0, 1, 2, 4, 5] {
        let bytes = format!("*{len}\r\n{}", ":1\r\n".repeat(len));
        assert_eq!(
            decode::<(u8, u8, u8)>(bytes.as_bytes()),
            Err(DecodeError::Length { expected: 3 }),
            "{len}"
        );
        assert_eq!(decode::<[u8; 3]>(bytes.as_bytes()), Err(DecodeError::Length { expected: 3 }), "{len}");
    }
    assert_eq!(decode::<(u8, u8)>(b"*2\r\n:1\r\n+x\r\n"), Err(DecodeError::NotANumber));
    assert_eq!(decode::<(u8, u8)>(b":1\r\n"), Err(unexpected("an array", Kind::Integer)));
}

#[test]
fn pairs_stand_flat_or_in_arrays() {
    const SCORES: [&[u8]; 4] = [
        b"*4\r\n$1\r\na\r\n$3\r\n1.5\r\n$1\r\nb\r\n$1\r\n2\r\n",
        b"*2\r\n*2\r\n$1\r\na\r\n,1.5\r\n*2\r\n$1\r\nb\r\n,2\r\n",
        b"%2\r\n$1\r\na\r\n,1.5\r\n$1\r\nb\r\n,2\r\n",
        b"*?\r\n+a\r\n,1.5\r\n+b\r\n,2\r\n.\r\n",
    ];
    all(&SCORES, (("a", 1.5), ("b", 2.0)));
    all(&SCORES, [("a", 1.5), ("b", 2.0)]);
    assert_eq!(
        decode::<[(&str, f64); 2]>(b"*3\r\n+a\r\n+1\r\n+b\r\n"),
        Err(DecodeError::Length { expected: 2 })
    );
    assert_eq!(decode::<[(u8, u8); 1]>(b"*2\r\n+x\r\n:1\r\n"), Err(DecodeError::NotANumber));
    assert_eq!(decode::<[(u8, u8); 1]>(b"*2\r\n:1\r\n+x\r\n"), Err(DecodeError::NotANumber));
    // Keys that are arrays are no pairs.
    all(&[b"%1\r\n*2\r\n:1\r\n:2\r\n+v\r\n"], [((1, 2), "v")]);
}

#[derive(Deserialize, PartialEq, Debug)]
#[serde(rename_all = "lowercase")]
enum Shape {
    Point,
    Circle(f64),
    Box(u8, u8),
    Named { id: u8 },
}

#[test]
fn variants_are_names_or_a_name_and_its_content() {
    all(&[b"+point\r\n", b"$5\r\npoint\r\n", b"=9\r\ntxt:point\r\n", b"%1\r\n+point\r\n_\r\n"], Shape::Point);
    all(&[b"%1\r\n+circle\r\n,0.5\r\n", b"*2\r\n$6\r\ncircle\r\n$3\r\n0.5\r\n"], Shape::Circle(0.5));
    all(&[b"%1\r\n+box\r\n*2\r\n:1\r\n:2\r\n", b"*2\r\n+box\r\n*2\r\n:1\r\n:2\r\n"], Shape::Box(1, 2));
    all(
        &[b"%1\r\n+named\r\n%1\r\n+id\r\n:7\r\n", b"*2\r\n+named\r\n*2\r\n+id\r\n+7\r\n"],
        Shape::Named { id: 7 },
    );
    let names = DecodeError::UnknownVariant { expected: &["point", "circle", "box", "named"] };
    assert_eq!(decode::<Shape>(b"+line\r\n"), Err(names));
    assert_eq!(decode::<Shape>(b"+\xff\r\n"), Err(names));
    assert_eq!(decode::<Shape>(b"%1\r\n+line\r\n_\r\n"), Err(names));
    assert_eq!(decode::<Shape>(b"+circle\r\n"), Err(unexpected("a variant with content", Kind::Simple)));
    for bytes in [
        &b"*0\r\n"[..],
        b"*1\r\n+point\r\n",
        b"*3\r\n+box\r\n:1\r\n:2\r\n",
        b"%0\r\n",
        b"%2\r\n+a\r\n_\r\n+b\r\n_\r\n",
    ] {
        assert_eq!(
            decode::<Shape>(bytes),
            Err(DecodeError::Length { expected: 2 }),
            "{}",
            bytes.escape_ascii()
        );
    }
    let error = unexpected("anything but an error", Kind::Error);
    assert_eq!(decode::<Shape>(b"%1\r\n+point\r\n-ERR\r\n"), Err(error));
    assert_eq!(decode::<Shape>(b":0\r\n"), Err(unexpected("a variant", Kind::Integer)));
    assert_eq!(decode::<Shape>(b"_\r\n"), Err(unexpected("a variant", Kind::Null)));
    assert_eq!(decode::<Shape>(b"*2\r\n+box\r\n*1\r\n:1\r\n"), Err(DecodeError::Length { expected: 2 }));
}

#[test]
fn a_type_may_refuse_a_value() {
    #[derive(Deserialize, PartialEq, Debug)]
    #[serde(try_from = "u8")]
    struct Even(u8);

    impl TryFrom<u8> for Even {
        type Error = &'static str;

        fn try_from(n: u8) -> Result<Self, &'static str> {
            if n.is_multiple_of(2) { Ok(Self(n)) } else { Err("odd") }
        }
    }

    assert_eq!(decode(b":2\r\n"), Ok(Even(2)));
    assert_eq!(decode::<Even>(b":3\r\n"), Err(DecodeError::Custom));
    assert_eq!(decode::<std::num::NonZeroU8>(b":0\r\n"), Err(DecodeError::InvalidValue));
    all(&[b"$9\r\n127.0.0.1\r\n"], std::net::Ipv4Addr::LOCALHOST);
}

#[test]
fn a_deserializer_takes_a_seed() {
    use serde::de::DeserializeSeed;

    struct Longer<'s>(&'s str);

    impl<'de> DeserializeSeed<'de> for Longer<'_> {
        type Value = bool;

        fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
            Ok(<&str>::deserialize(deserializer)?.len() > self.0.len())
        }
    }

    assert_eq!(Longer("ab").deserialize(Deserializer::new(reply(b"+abc\r\n"))), Ok(true));
    assert_eq!(Longer("ab").deserialize(Deserializer::new(reply(b"+a\r\n"))), Ok(false));
}
