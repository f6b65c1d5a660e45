//! Keys on their way.

use respire_core::command::{Request, get, words};
use respire_core::key::{HashKey, Keyed, Policy};
use respire_core::resp::Encoder;

use crate::asked;

/// S0-PERF-01: no allocation for prefix, hash, database and the whole request, clean or not.
#[test]
fn nothing_is_allocated() {
    let managed = Policy::MANAGED.with_prefix(b"shop:").unwrap();
    for policy in [managed, managed.with_hash(None), managed.with_hash(Some(HashKey([1; 16]))), Policy::PLAIN]
    {
        for key in ["session:0123456789abcdef", " Session::{01}:: "] {
            let (mut scratch, mut frame) = ([0; 128], [0; 256]);
            let count = asked(|| {
                std::hint::black_box(policy.map(key.as_bytes(), &mut scratch).unwrap().key);
                let mut encoder = Encoder::new(&mut frame);
                Keyed::<_, 128>::new(&policy, get(key)).unwrap().visit(&mut encoder);
                let mut encoder = Encoder::new(&mut frame);
                Keyed::<_, 128>::new(&policy, words(&["MGET", key, key])).unwrap().visit(&mut encoder);
                assert!(encoder.finish().is_written());
            });
            assert_eq!(count, 0, "{key}");
        }
    }
}
