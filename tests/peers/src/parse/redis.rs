//! redis-rs: the codec of its asynchronous connections, and its conversions.

use std::hint::black_box;

use bytes::BytesMut;
use redis::{FromRedisValue, Msg, PushInfo, PushKind, Value, ValueCodec};
use tokio_util::codec::Decoder;

use super::leaves::Leaves;
use super::workloads::{Typed, Workload};
use crate::case::{Case, Kind};
use crate::tree::Tree;

const BY: &str = "redis-rs";

/// redis-rs at a workload.
pub(crate) fn cases(workload: &Workload) -> Vec<Case> {
    let mut trees = Vec::new();
    decode(&mut whole(workload), |value| trees.push(to_tree(value)));
    workload.check_trees(BY, trees);
    let owned = case(workload, Kind::Owned, |value| {
        black_box(value);
    });
    let typed = match workload.typed {
        Typed::Status => typed(workload, convert::<String>),
        Typed::Integer => typed(workload, convert::<i64>),
        Typed::Bytes => typed(workload, convert::<Vec<u8>>),
        Typed::List => typed(workload, convert::<Vec<Vec<u8>>>),
        Typed::Nested => typed(workload, convert::<Vec<Vec<Vec<u8>>>>),
        Typed::Map => typed(workload, convert::<Vec<(Vec<u8>, Vec<u8>)>>),
        Typed::Message => typed(workload, message),
    };
    vec![owned, typed]
}

/// As its connections hand messages out.
fn message(value: Value) -> Msg {
    let Value::Push { kind, data } = value else { panic!("not a push") };
    Msg::from_push_info(PushInfo { kind, data }).unwrap()
}

impl Leaves for Msg {
    fn leaves(&self, out: &mut crate::tree::Leaves) {
        let channel = self.get_channel_name().as_bytes().to_vec();
        out.extend([b"message".to_vec(), channel, self.get_payload_bytes().to_vec()]);
    }
}

fn convert<T: FromRedisValue>(value: Value) -> T {
    redis::from_redis_value(value).unwrap()
}

fn typed<T: Leaves + 'static>(workload: &Workload, convert: impl Fn(Value) -> T + 'static) -> Case {
    let mut leaves = Vec::new();
    decode(&mut whole(workload), |value| convert(value).leaves(&mut leaves));
    workload.check_leaves(BY, &leaves);
    case(workload, Kind::Typed, move |value| {
        black_box(convert(value));
    })
}

fn case(workload: &Workload, kind: Kind, mut each: impl FnMut(Value) + 'static) -> Case {
    // `OK` is a value of its own.
    let copied = if workload.typed == Typed::Status { 0.0 } else { workload.payload() };
    let Some(pieces) = workload.cut() else {
        let bytes = workload.bytes;
        let prepare = |buffer: &mut BytesMut| {
            buffer.clear();
            buffer.extend_from_slice(bytes);
        };
        let run = move |buffer: &mut BytesMut| decode(buffer, &mut each);
        return Case::fed(BY, kind, copied, BytesMut::new(), prepare, run);
    };
    let len = workload.bytes.len();
    let mut buffer = BytesMut::new();
    Case::new(BY, kind, copied, move || {
        buffer.clear();
        buffer.reserve(len);
        let (mut codec, mut done) = (ValueCodec::default(), false);
        for piece in black_box(&pieces) {
            buffer.extend_from_slice(piece);
            if let Some(value) = codec.decode(&mut buffer).unwrap() {
                each(value);
                done = true;
            }
        }
        assert!(done);
    })
}

fn whole(workload: &Workload) -> BytesMut {
    BytesMut::from(workload.bytes)
}

fn decode(buffer: &mut BytesMut, mut each: impl FnMut(Value)) {
    let mut codec = ValueCodec::default();
    while !buffer.is_empty() {
        each(codec.decode(buffer).unwrap().unwrap());
    }
}

fn to_tree(value: Value) -> Tree {
    let all = |values: Vec<Value>| values.into_iter().map(to_tree).collect();
    match value {
        Value::Okay => Tree::Status(b"OK".to_vec()),
        Value::Int(n) => Tree::Integer(n),
        Value::BulkString(text) => Tree::Bulk(text),
        Value::Array(items) => Tree::Array(all(items)),
        Value::Map(pairs) => Tree::Map(pairs.into_iter().map(|(k, v)| (to_tree(k), to_tree(v))).collect()),
        Value::Push { kind: PushKind::Message, data } => {
            Tree::Push([vec![Tree::bulk("message")], all(data)].concat())
        }
        other => panic!("no workload has {other:?}"),
    }
}
