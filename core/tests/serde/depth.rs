//! Replies and types that are deeper than a stack.

use respire_core::resp::DecodeError;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{User, decode};

/// How deep a reply is; of several elements, the last one counts. Recurses as types of serde do.
#[derive(PartialEq, Debug)]
pub(super) struct Depth(pub(super) usize);

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
pub(super) fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(512 << 10).spawn(test).unwrap().join().unwrap();
}

/// Inside a component there are no threads, and the only stack is small.
#[cfg(target_os = "wasi")]
pub(super) fn on_a_small_stack(test: impl FnOnce()) {
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
