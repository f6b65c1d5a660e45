//! serde and `FromReply` read the same replies alike.

use std::fmt::Debug;

use proptest::prelude::*;
use respire_core::resp::FromReply;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::depth::Depth;
use super::{Shape, User, decode, reply};

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
