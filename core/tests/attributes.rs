//! Attributes: what stands in front of a value can be read, and changes nothing else.

use std::collections::BTreeMap;

use proptest::prelude::*;
use respire_core::resp::{Limits, Map, Reply, Scanner, Seq};

fn reply(bytes: &[u8]) -> Reply<'_> {
    Reply::parse(bytes).unwrap_or_else(|| panic!("{}", bytes.escape_ascii()))
}

/// Keys and values, as far as they are one line each.
fn pairs(reply: Reply<'_>) -> Vec<(String, String)> {
    reply.attributes().map(|(key, value)| (format!("{key:?}"), format!("{value:?}"))).collect()
}

fn strings(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

#[test]
fn a_value_without_attributes_has_none() {
    for bytes in [&b"+OK\r\n"[..], b"_\r\n", b"$-1\r\n", b"*1\r\n:1\r\n", b"|0\r\n:1\r\n"] {
        assert_eq!(reply(bytes).attributes().count(), 0, "{}", bytes.escape_ascii());
    }
    assert_eq!(Reply::NULL.attributes().count(), 0);
}

#[test]
fn every_kind_of_value_keeps_what_stands_in_front_of_it() {
    let values: [&[u8]; 17] = [
        b"+OK\r\n",
        b"-ERR no\r\n",
        b":1\r\n",
        b"$3\r\nabc\r\n",
        b"$?\r\n;2\r\nab\r\n;0\r\n",
        b"$-1\r\n",
        b"*-1\r\n",
        b"_\r\n",
        b"#t\r\n",
        b",1.5\r\n",
        b"(12\r\n",
        b"!3\r\nERR\r\n",
        b"=6\r\ntxt:ab\r\n",
        b"*2\r\n:1\r\n:2\r\n",
        b"%?\r\n+k\r\n:2\r\n.\r\n",
        b"~0\r\n",
        b">1\r\n+x\r\n",
    ];
    for value in values {
        let bytes = [b"|2\r\n+ttl\r\n:5\r\n+by\r\n*2\r\n:1\r\n:2\r\n".as_slice(), value].concat();
        let with = reply(&bytes);
        assert_eq!(pairs(with), strings(&[("\"ttl\"", "5"), ("\"by\"", "array(2) 1 2")]), "{with:?}");
        assert_eq!(with, reply(value), "attributes are not part of the value");
        assert_eq!(format!("{with:?}"), format!("{:?}", reply(value)));
    }
}

#[test]
fn blocks_in_a_row_are_chained() {
    let bytes = b"|1\r\n+a\r\n*1\r\n*0\r\n|0\r\n|2\r\n+b\r\n%?\r\n.\r\n+a\r\n_\r\n:7\r\n";
    let expected =
        strings(&[("\"a\"", "array(1) array(0)"), ("\"b\"", "map(streamed) end"), ("\"a\"", "nil")]);
    assert_eq!(pairs(reply(bytes)), expected);
    let mut attributes = reply(bytes).attributes();
    assert_eq!(attributes.by_ref().count(), 3);
    assert!(attributes.next().is_none() && attributes.next().is_none());
}

#[test]
fn elements_keys_and_values_have_attributes_of_their_own() {
    let bytes =
        b"|1\r\n+top\r\n:0\r\n*3\r\n|1\r\n+first\r\n:1\r\n*1\r\n:10\r\n:20\r\n|1\r\n+third\r\n:3\r\n_\r\n";
    let top = reply(bytes);
    assert_eq!(pairs(top), strings(&[("\"top\"", "0")]));
    let each: Vec<_> = top.elements().unwrap().map(|element| pairs(element.unwrap())).collect();
    assert_eq!(each, [strings(&[("\"first\"", "1")]), vec![], strings(&[("\"third\"", "3")])]);
    assert_eq!(top.get(), Ok(((10i64,), 20i64, None::<i64>)));

    let nested = b"|1\r\n|1\r\n+of key\r\n:1\r\n+key\r\n|1\r\n+of value\r\n:2\r\n+value\r\n:3\r\n";
    let (key, value) = reply(nested).attributes().next().unwrap();
    assert_eq!((key.get(), value.get()), (Ok("key"), Ok("value")));
    assert_eq!(pairs(key), strings(&[("\"of key\"", "1")]));
    assert_eq!(pairs(value), strings(&[("\"of value\"", "2")]));

    let map = b"%1\r\n|1\r\n+k\r\n:1\r\n+key\r\n|1\r\n+v\r\n:2\r\n+value\r\n";
    let map: Map<'_> = reply(map).get().unwrap();
    let (key, value) = map.map(Result::unwrap).next().unwrap();
    assert_eq!((pairs(key), pairs(value)), (strings(&[("\"k\"", "1")]), strings(&[("\"v\"", "2")])));

    let streamed: Seq<'_> = reply(b"*?\r\n|1\r\n+a\r\n:1\r\n:2\r\n.\r\n").get().unwrap();
    let each: Vec<_> = streamed.map(|element| pairs(element.unwrap())).collect();
    assert_eq!(each, [strings(&[("\"a\"", "1")])]);
}

#[cfg(feature = "alloc")]
#[test]
fn owned_trees_drop_them() {
    use respire_core::resp::Value;
    let bytes = b"|1\r\n+ttl\r\n:5\r\n*1\r\n|1\r\n+a\r\n:1\r\n:7\r\n";
    assert_eq!(reply(bytes).get(), Ok(Value::Array(vec![Value::Integer(7)])));
}

#[test]
fn any_number_of_blocks_is_read_without_recursion_and_in_linear_time() {
    const BLOCKS: usize = 100_000;
    let bytes = [b"|1\r\n+a\r\n:1\r\n".repeat(BLOCKS), b":1\r\n".to_vec()].concat();
    assert_eq!(reply(&bytes).attributes().count(), BLOCKS);
    let deep = [b"|1\r\n+a\r\n".repeat(BLOCKS), b":1\r\n".repeat(BLOCKS + 1)].concat();
    assert_eq!(reply(&deep).attributes().count(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn blocks_are_read_as_they_were_written(blocks in prop::collection::vec(
        prop::collection::btree_map("[a-z]{0,6}", any::<i64>(), 0..4), 0..6))
    {
        let mut bytes = Vec::new();
        for block in &blocks {
            bytes.extend_from_slice(format!("|{}\r\n", block.len()).as_bytes());
            for (key, value) in block {
                bytes.extend_from_slice(format!("+{key}\r\n:{value}\r\n").as_bytes());
            }
        }
        bytes.extend_from_slice(b"*1\r\n+inside\r\n");
        let read: Vec<(&str, i64)> =
            reply(&bytes).attributes().map(|(key, value)| (key.get().unwrap(), value.get().unwrap())).collect();
        let written: Vec<(&str, i64)> =
            blocks.iter().flat_map(BTreeMap::iter).map(|(key, &value)| (key.as_str(), value)).collect();
        prop_assert_eq!(read, written);
        // A frame in front of others, as a connection sees it.
        bytes.extend_from_slice(b"+next\r\n");
        let frame = Scanner::new(Limits::SERVER).scan(&bytes).unwrap().unwrap();
        prop_assert_eq!(Reply::new(&bytes, frame).attributes().count(), blocks.iter().map(BTreeMap::len).sum::<usize>());
    }
}
