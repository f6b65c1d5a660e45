//! What attacks cost: looks at each byte, and memory for each byte.

use respire_core::resp::{Reply, Scanner, Value};
use respire_tests::hostile::{Ask, Attack, Cut, Cutter, attacks};

use crate::memory::peak;
use crate::within::each;

/// A header waits for its line end, and is looked at again with each byte of it; no header has more.
const LOOKS: u64 = 13;

#[test]
fn no_byte_is_looked_at_again_and_again() {
    each(attacks().filter(|attack| attack.says.len() <= 400_000), |attack| {
        for cut in Cut::ALL {
            let (len, looks) = looks(attack, cut);
            assert!(looks <= LOOKS * len + 64, "{}, {cut:?}: {looks} looks at {len} bytes", attack.name);
            if cut == Cut::Whole {
                assert!(looks <= 2 * len + 64, "{}: {looks} looks at {len} bytes", attack.name);
            }
        }
    });
}

/// How many bytes a scanner was given until it was done with an attack, and how many it may have
/// looked at: whatever was not settled before, each time.
fn looks(attack: &Attack, cut: Cut) -> (u64, u64) {
    let bytes = attack.says.to_vec();
    let mut scanner = Scanner::new(attack.room.limits());
    let mut cutter = Cutter::new(cut);
    let (mut start, mut end, mut looks) = (0, 0, 0);
    while end < bytes.len() {
        // A window of 64 KiB is read into at once.
        let next = (end + (64 << 10)).min(bytes.len());
        end += cutter.piece(&bytes[end..next]);
        loop {
            let settled = scanner.settled();
            let found = scanner.scan(&bytes[start..end]);
            let whole = found.ok().flatten().map(|frame| frame.len);
            looks += (whole.unwrap_or(end - start) - settled) as u64;
            match (found, whole) {
                (Err(_), _) => return (end as u64, looks),
                (_, Some(len)) => start += len,
                (_, None) => break,
            }
        }
    }
    (end as u64, looks)
}

/// How many bytes of memory a tree may take for each byte that was received.
///
/// The shortest value has three bytes and makes a node; a vector that grows has room for twice as
/// many, and while it moves both are there.
#[test]
fn a_tree_is_not_much_larger_than_its_bytes() {
    const RATIO: usize = 32;
    each(attacks().filter(|attack| attack.class == 10 && attack.ask == Ask::Tree), |attack| {
        let bytes = attack.says.to_vec();
        let reply = Reply::parse(&bytes).expect("one reply");
        let (memory, tree) = peak(|| reply.get::<Value>());
        assert!(tree.is_ok(), "{}", attack.name);
        let ratio = memory as f64 / bytes.len() as f64;
        println!("{}: {ratio:.1} bytes of memory for each received", attack.name);
        assert!(memory <= RATIO * bytes.len(), "{}: {ratio:.1}", attack.name);
    });
}
