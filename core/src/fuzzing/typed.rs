//! Any reply as any type.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Debug;

use super::oracle::{self, Fault, Tree};
use super::pieces;
use super::spelling;
use crate::resp::{
    DecodeError, Done, ErrorReply, FromReply, Kind, Limits, Map, Reply, Seq, ServerError, Value,
};

/// Every type from every frame: a conversion may fail, nothing else. What is made of a RESP3 reply is
/// made of the same reply in RESP2, too. A [`Value`] is the tree that a naive reader finds.
///
/// # Panics
/// If any of that is not so.
pub fn typed(data: &[u8]) {
    let mut rest = data;
    for frame in pieces::frames(data, Limits::SERVER, pieces::whole).0 {
        let (bytes, behind) = rest.split_at(frame.len);
        let reply = Reply::new(bytes, frame);
        tree(reply, bytes);
        let resp2 = spelling::resp2(reply);
        let other = resp2.as_deref().map(Reply::parse);
        assert_ne!(other, Some(None), "the spelling of RESP2 is RESP");
        pairs(reply);
        let both = Both { reply, other: other.flatten() };
        both.simple();
        both.several();
        if spelling::has_plain_pairs(reply, 3) {
            both.paired();
        } else {
            Both { reply, other: None }.paired();
        }
        rest = behind;
    }
}

/// The pairs of a map are its keys and values in turn, whatever they look like.
fn pairs(reply: Reply<'_>) {
    if reply.kind() == Kind::Map {
        let pairs = reply.pairs().into_iter().flatten().flatten().flat_map(|(key, value)| [key, value]);
        let elements = reply.elements().into_iter().flatten().flatten();
        assert!(elements.map(Reply::kind).eq(pairs.map(Reply::kind)), "{reply:?}");
    }
}

/// An owned tree is what the oracle says, down to its depth.
fn tree(reply: Reply<'_>, bytes: &[u8]) {
    match (Value::from_reply(reply), oracle::parse(bytes)) {
        (Ok(value), Ok((tree, _))) => assert!(is_tree(&value, &tree), "{value:?} is not {tree:?}"),
        (value, tree) => {
            assert_eq!(tree.err(), Some(Fault::Deep));
            assert!(value.is_ok() || value == Err(DecodeError::TooDeep));
        }
    }
}

fn is_tree(value: &Value, tree: &Tree) -> bool {
    let all = |values: &[Value], trees: &[Tree]| {
        values.len() == trees.len() && values.iter().zip(trees).all(|(value, tree)| is_tree(value, tree))
    };
    match (value, tree) {
        (Value::Null, Tree::Null) => true,
        (Value::Simple(a), Tree::Simple(b))
        | (Value::Bulk(a), Tree::Bulk(b))
        | (Value::BigNumber(a), Tree::BigNumber(b)) => a == b,
        (Value::Error(a), Tree::Error(b) | Tree::BulkError(b)) => a.as_ref().text() == b,
        (Value::Integer(a), Tree::Integer(b)) => a == b,
        (Value::Boolean(a), Tree::Boolean(b)) => a == b,
        (Value::Double(a), Tree::Double(b)) => {
            let b = core::str::from_utf8(b).ok().and_then(|text| text.parse::<f64>().ok());
            b.is_some_and(|b| a.to_bits() == b.to_bits())
        }
        (Value::Verbatim { format, text }, Tree::Verbatim(other, same)) => {
            format[..] == other[..] && text == same
        }
        (Value::Array(a), Tree::Array(b))
        | (Value::Set(a), Tree::Set(b))
        | (Value::Push(a), Tree::Push(b)) => all(a, b),
        (Value::Map(a), Tree::Map(b)) => {
            let pairs = b.chunks(2);
            a.len() == pairs.len()
                && a.iter().zip(pairs).all(|((key, value), pair)| match pair {
                    [first, second] => is_tree(key, first) && is_tree(value, second),
                    _ => false,
                })
        }
        _ => false,
    }
}

/// A reply, and the same in RESP2, if it can be said there.
#[derive(Clone, Copy)]
struct Both<'a> {
    reply: Reply<'a>,
    other: Option<Reply<'a>>,
}

impl<'a> Both<'a> {
    /// Types of one value.
    fn simple(self) {
        self.to::<()>();
        self.to::<Done>();
        self.to::<bool>();
        self.to::<i8>();
        self.to::<u8>();
        self.to::<u16>();
        self.to::<i32>();
        self.to::<i64>();
        self.to::<u64>();
        self.to::<usize>();
        self.to::<f32>();
        self.to::<f64>();
        self.to::<&[u8]>();
        self.to::<&str>();
        self.to::<Vec<u8>>();
        self.to::<String>();
        self.to::<Option<i64>>();
        self.to::<Option<&str>>();
        self.to::<Option<Option<bool>>>();
        self.to::<Result<f64, ServerError<'_>>>();
        self.to::<Result<Option<Vec<u8>>, ErrorReply>>();
        // What these look like is not the same in both.
        let reply = Self { other: None, ..self };
        reply.to::<Value>();
        reply.to::<Option<Value>>();
        reply.to::<Reply<'_>>();
    }

    /// Types of several values.
    fn several(self) {
        self.to::<[i64; 0]>();
        self.to::<[u8; 2]>();
        self.to::<[Option<&str>; 3]>();
        self.to::<[[i64; 2]; 2]>();
        self.to::<(String,)>();
        self.to::<(i64, &str)>();
        self.to::<(Vec<u8>, Option<f64>, bool)>();
        self.to::<((), (), (), ())>();
        self.to::<((), i64, (), &[u8], ())>();
        self.to::<(String, Vec<String>)>();
        self.to::<Vec<()>>();
        self.to::<Vec<i64>>();
        self.to::<Vec<Option<&[u8]>>>();
        self.to::<Vec<Vec<u8>>>();
        self.to::<Vec<Vec<String>>>();
        self.to::<Vec<Result<i64, ServerError<'_>>>>();
        self.to::<Option<Vec<String>>>();
        self.to::<BTreeSet<String>>();
        self.to::<BTreeSet<i64>>();
        self.each::<()>();
        self.each::<i64>();
        self.each::<&str>();
        self.each::<Option<Vec<u8>>>();
        self.each::<Vec<f64>>();
        Self { other: None, ..self }.to::<Vec<Value>>();
    }

    /// Types with pairs.
    fn paired(self) {
        self.to::<Vec<(String, String)>>();
        self.to::<Vec<(&str, f64)>>();
        self.to::<[(i64, i64); 1]>();
        self.to::<BTreeMap<Vec<u8>, i64>>();
        self.to::<BTreeMap<String, Vec<String>>>();
        self.to::<BTreeMap<&str, BTreeMap<&str, &str>>>();
        self.to::<Vec<(String, Vec<(String, String)>)>>();
        self.each::<(&str, i64)>();
        self.each::<(String, ())>();
        self.map::<&[u8], &[u8]>();
        self.map::<i64, f64>();
        self.map::<String, Vec<i64>>();
        let reply = Self { other: None, ..self };
        reply.to::<Vec<(Value, Value)>>();
        reply.each::<(Reply<'_>, Value)>();
        reply.map::<Reply<'_>, Value>();
        #[cfg(feature = "std")]
        reply.to::<std::collections::HashMap<String, String>>();
    }

    fn to<T: FromReply<'a> + Debug>(self) {
        let made = self.reply.get::<T>().is_ok();
        let decoded = T::from_reply(self.reply);
        assert!(decoded.is_ok() == made || self.reply.kind().is_error());
        if let (Ok(value), Some(other)) = (decoded, self.other) {
            match T::from_reply(other) {
                Ok(same) => assert_eq!(format!("{value:?}"), format!("{same:?}"), "{other:?}"),
                Err(error) => unreachable!("{value:?} cannot be made of {other:?}: {error}"),
            }
        }
    }

    fn each<T: FromReply<'a> + Debug>(self) {
        let seq = |reply| Seq::<T>::from_reply(reply).into_iter().flatten();
        assert!(self.reply.elements().is_some() || seq(self.reply).next().is_none());
        self.same(seq(self.reply), self.other.map(seq));
    }

    fn map<K: FromReply<'a> + Debug, V: FromReply<'a> + Debug>(self) {
        let map = |reply| Map::<K, V>::from_reply(reply).into_iter().flatten();
        assert!(self.reply.pairs().is_some() || map(self.reply).next().is_none());
        // A set is no map, but an array may be one.
        let other = self.other.filter(|_| self.reply.pairs().is_some());
        self.same(map(self.reply), other.map(map));
    }

    /// The same items up to the first that cannot be made, and not without end.
    fn same<T: Debug>(
        self,
        items: impl Iterator<Item = Result<T, DecodeError>>,
        others: Option<impl Iterator<Item = Result<T, DecodeError>>>,
    ) {
        let inside = self.reply.elements().map_or(0, Iterator::count);
        let items: Vec<_> = items.take(inside + 1).collect();
        assert!(items.len() <= inside, "more items than elements");
        let Some(others) = others else { return };
        let mut others = others.fuse();
        for item in items {
            let Ok(item) = item else { return };
            match others.next() {
                Some(Ok(same)) => assert_eq!(format!("{item:?}"), format!("{same:?}")),
                other => unreachable!("{item:?} became {other:?}"),
            }
        }
        assert!(others.next().is_none(), "there is more in RESP2");
    }
}
