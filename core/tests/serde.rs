//! Values through serde: both protocols alike, without allocation where serde needs none.
#![cfg(feature = "serde")]

use std::fmt::Debug;

use proptest::prelude::*;
use respire_core::resp::{DecodeError, Deserializer, FromReply, Kind, Reply, ReplyError, Seq, Serde};
use serde::Deserialize;
use serde::de::IgnoredAny;

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

/// How deep a reply is; of several elements, the last one counts. Recurses as types of serde do.
#[derive(PartialEq, Debug)]
struct Depth(usize);

impl<'de> Deserialize<'de> for Depth {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Depth;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("anything")
            }

            fn visit_i64<E>(self, _: i64) -> Result<Depth, E> {
                Ok(Depth(0))
            }

            fn visit_borrowed_str<E>(self, _: &'de str) -> Result<Depth, E> {
                Ok(Depth(0))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Depth, A::Error> {
                let mut depth = 0;
                while let Some(Depth(inside)) = seq.next_element()? {
                    depth = inside + 1;
                }
                Ok(Depth(depth))
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Depth, A::Error> {
                let mut depth = 0;
                while let Some((IgnoredAny, Depth(inside))) = map.next_entry()? {
                    depth = inside + 1;
                }
                Ok(Depth(depth))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// Runs on a stack that a recursion over a deep reply overflows at once.
#[cfg(not(target_os = "wasi"))]
fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(512 << 10).spawn(test).unwrap().join().unwrap();
}

/// Inside a component there are no threads, and the only stack is small.
#[cfg(target_os = "wasi")]
fn on_a_small_stack(test: impl FnOnce()) {
    test();
}

#[test]
fn depth_has_an_end() {
    on_a_small_stack(|| {
        for header in ["*1\r\n", "%1\r\n+k\r\n", "*2\r\n:1\r\n", "*1\r\n|1\r\n+a\r\n:1\r\n"] {
            for (depth, expected) in
                [(64, Ok(Depth(64))), (65, Err(DecodeError::TooDeep)), (100_000, Err(DecodeError::TooDeep))]
            {
                let bytes = format!("{}:1\r\n", header.repeat(depth));
                assert_eq!(decode::<Depth>(bytes.as_bytes()), expected, "{depth} of {header:?}");
            }
        }
        for header in ["*1\r\n", "%1\r\n+k\r\n", "|1\r\n+a\r\n"] {
            let inner = if header.starts_with('|') { ":1\r\n".repeat(100_001) } else { ":1\r\n".into() };
            let bytes = format!("{}{inner}", header.repeat(100_000));
            assert!(decode::<IgnoredAny>(bytes.as_bytes()).is_ok());
            let field = format!("%3\r\n+x\r\n{bytes}+name\r\n+ann\r\n+age\r\n:1\r\n");
            assert_eq!(decode(field.as_bytes()), Ok(User { name: "ann", age: 1, score: None }));
        }
    });
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

/// Whole replies of any shape, and names that the types here have more often than chance has it.
fn any_reply() -> impl Strategy<Value = Vec<u8>> {
    let name = prop::sample::select(vec![
        "name", "age", "score", "point", "circle", "box", "named", "id", "1", "1.5", "",
    ]);
    let leaf = prop_oneof![
        name.prop_map(|name| format!("${}\r\n{name}\r\n", name.len())),
        any::<i64>().prop_map(|n| format!(":{n}\r\n")),
        any::<i128>().prop_map(|n| format!("({n}\r\n")),
        (-9..9i32).prop_map(|n| format!(",{n}.5\r\n")),
        prop::sample::select(vec![
            "_\r\n",
            "*-1\r\n",
            "#t\r\n",
            "-ERR\r\n",
            "=5\r\ntxt:1\r\n",
            "$?\r\n;2\r\nid\r\n;0\r\n"
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        (prop::collection::vec(inner, 0..6), 0..5u8).prop_map(|(items, kind)| match (kind, items.len()) {
            (0, len) => format!("~{len}\r\n{}", items.concat()),
            (1, len) => format!("%{}\r\n{}", len / 2, items[..len / 2 * 2].concat()),
            (2, _) => format!("*?\r\n{}.\r\n", items.concat()),
            (_, len) => format!("*{len}\r\n{}", items.concat()),
        })
    })
    .prop_map(String::into_bytes)
}

/// Where both can make the type, they make the same, and where one cannot, neither can the other.
fn agree<'a, T>(bytes: &'a [u8]) -> Result<(), TestCaseError>
where
    T: Deserialize<'a> + FromReply<'a> + PartialEq + Debug,
{
    let (direct, serde) = (T::from_reply(reply(bytes)), decode::<T>(bytes));
    prop_assert_eq!(direct.as_ref().ok(), serde.as_ref().ok(), "{:?} {:?}", direct, serde);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn serde_reads_what_replies_are_read_as(bytes in any_reply()) {
        agree::<i64>(&bytes)?;
        agree::<u8>(&bytes)?;
        agree::<i128>(&bytes)?;
        agree::<f64>(&bytes)?;
        agree::<bool>(&bytes)?;
        agree::<&str>(&bytes)?;
        agree::<()>(&bytes)?;
        agree::<Option<&str>>(&bytes)?;
        agree::<(&str, f64, Option<i64>)>(&bytes)?;
        agree::<[u8; 2]>(&bytes)?;
        agree::<[(&str, i64); 1]>(&bytes)?;
        agree::<[Option<(f64, f64)>; 1]>(&bytes)?;
        #[cfg(feature = "alloc")]
        {
            agree::<String>(&bytes)?;
            agree::<Vec<String>>(&bytes)?;
            agree::<Vec<(String, i64)>>(&bytes)?;
            agree::<std::collections::BTreeMap<String, i64>>(&bytes)?;
            agree::<std::collections::BTreeMap<String, Vec<String>>>(&bytes)?;
        }
    }

    #[test]
    fn no_reply_is_too_strange(bytes in any_reply()) {
        let _ = decode::<User<'_>>(&bytes);
        let _ = decode::<Shape>(&bytes);
        let _ = decode::<(Shape, Option<Shape>)>(&bytes);
        prop_assert!(decode::<IgnoredAny>(&bytes).is_ok());
        let depth = decode::<Depth>(&bytes).map_or(0, |Depth(depth)| depth);
        prop_assert!(depth <= 4);
    }
}

#[cfg(feature = "alloc")]
mod owned {
    use std::borrow::Cow;
    use std::collections::{BTreeMap, BTreeSet};

    use super::{ANN, USER, User, all, decode, on_a_small_stack, reply};
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
        all(
            &[b"*2\r\n:1\r\n_\r\n", b"~2\r\n:1\r\n_\r\n", b">2\r\n:1\r\n*-1\r\n"],
            Any::Array(vec![one, none]),
        );
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
}
