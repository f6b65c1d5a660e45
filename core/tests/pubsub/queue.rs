//! The queue: what it keeps, and what it says of what it could not.

use std::collections::VecDeque;

use proptest::collection::vec;
use proptest::prelude::*;
use respire_core::command::Subscription::{self, Channel, Pattern, Shard};
use respire_core::pubsub::{Message, Overflow, Queue, Unkept};

fn message(payload: &[u8]) -> Message<'_> {
    Message::new(Channel, b"c", payload)
}

/// Payloads with what was missed in front of each.
fn taken<B: AsRef<[u8]> + AsMut<[u8]>>(queue: &mut Queue<B>) -> Vec<(u32, Vec<u8>)> {
    std::iter::from_fn(|| queue.pop().map(|message| (message.missed, message.payload.to_vec()))).collect()
}

/// S1-CLI-09: four of these messages have 19 bytes each, and three fit.
#[test]
fn what_does_not_fit_is_handled_as_the_owner_said() {
    let full = |overflow| {
        let mut queue = Queue::new([0; 60], overflow);
        for payload in [b"1", b"2", b"3"] {
            queue.push(&message(payload)).unwrap();
        }
        let pushed = queue.push(&message(b"4"));
        (pushed, taken(&mut queue), queue.push(&message(b"5")), taken(&mut queue), queue.counters().dropped)
    };
    let one = |missed, payload: &[u8]| (missed, payload.to_vec());
    let three = vec![one(0, b"1"), one(0, b"2"), one(0, b"3")];
    let after = vec![one(0, b"5")];
    assert_eq!(full(Overflow::Block), (Err(Unkept::Full), three.clone(), Ok(()), after.clone(), 0));
    let two = vec![one(1, b"2"), one(0, b"3"), one(0, b"4")];
    assert_eq!(full(Overflow::DropOldest), (Ok(()), two, Ok(()), after, 1));
    assert_eq!(
        full(Overflow::DropNewest),
        (Err(Unkept::Dropped), three.clone(), Ok(()), vec![one(1, b"5")], 1)
    );
    assert_eq!(full(Overflow::Close), (Err(Unkept::Closed), three, Err(Unkept::Closed), vec![], 1));
}

#[test]
fn a_message_larger_than_the_memory_pushes_nothing_out() {
    for overflow in [Overflow::Block, Overflow::DropOldest, Overflow::DropNewest] {
        let mut queue = Queue::new([0; 40], overflow);
        queue.push(&message(b"1")).unwrap();
        assert_eq!(queue.push(&message(&[0; 40])), Err(Unkept::Dropped));
        assert_eq!(taken(&mut queue), [(0, b"1".to_vec())]);
        assert_eq!((queue.take_missed(), queue.take_missed()), (1, 0));
    }
}

#[test]
fn a_gap_stands_in_front_of_the_next_message() {
    let mut queue = Queue::new([0; 60], Overflow::DropOldest);
    queue.push(&message(b"1")).unwrap();
    queue.note_gap();
    queue.push(&message(b"2")).unwrap();
    queue.push(&message(b"3")).unwrap();
    let gaps: Vec<_> = std::iter::from_fn(|| queue.pop().map(|message| message.gap)).collect();
    assert_eq!(gaps, [false, true, false]);
    // That of a message which is dropped is told by the next.
    queue.note_gap();
    for payload in [b"1", b"2", b"3", b"4"] {
        queue.push(&message(payload)).unwrap();
    }
    let first = queue.pop().unwrap();
    assert_eq!((first.payload, first.gap, first.missed), (&b"2"[..], true, 1));
}

#[test]
fn payloads_are_not_shown() {
    let mut queue = Queue::new([0; 60], Overflow::Block);
    queue.push(&message(b"secret")).unwrap();
    let shown = format!("{queue:?}") + &format!("{:?}", queue.pop());
    assert!(shown.contains("len: 6") && !shown.contains("secret"), "{shown}");
}

#[derive(Clone, Debug)]
enum Op {
    Push { kind: Subscription, pattern: Vec<u8>, channel: Vec<u8>, payload: Vec<u8>, missed: u32 },
    Gap,
    Pop,
}

fn op() -> impl Strategy<Value = Op> {
    let bytes = |most| vec(any::<u8>(), 0..most);
    let kind = prop_oneof![Just(Channel), Just(Pattern), Just(Shard)];
    let push = (kind, bytes(4), bytes(6), bytes(30), 0..3_u32);
    prop_oneof![
        6 => push.prop_map(|(kind, pattern, channel, payload, missed)| Op::Push { kind, pattern, channel, payload, missed }),
        1 => Just(Op::Gap),
        5 => Just(Op::Pop),
    ]
}

/// A message that waits, and what is missing in front of it.
#[derive(Clone, PartialEq, Debug)]
struct Kept {
    kind: Subscription,
    texts: [Vec<u8>; 3],
    missed: u32,
    gap: bool,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_message_is_taken_once_in_order_or_counted(
        memory in 0..200_usize,
        overflow in prop_oneof![Just(Overflow::Block), Just(Overflow::DropOldest), Just(Overflow::DropNewest)],
        ops in vec(op(), 1..100),
    ) {
        let mut queue = Queue::new(vec![0; memory], overflow);
        let mut kept = VecDeque::<Kept>::new();
        // What is missing behind the last one.
        let mut back = (0, false);
        let (mut dropped, mut delivered) = (0, 0);
        for op in &ops {
            match op {
                Op::Gap => {
                    queue.note_gap();
                    back.1 = true;
                }
                Op::Pop => {
                    let taken = queue.pop().map(|message| Kept {
                        kind: message.kind,
                        texts: [message.pattern, message.channel, message.payload].map(<[u8]>::to_vec),
                        missed: message.missed,
                        gap: message.gap,
                    });
                    prop_assert_eq!(&taken, &kept.pop_front());
                    delivered += u64::from(taken.is_some());
                }
                Op::Push { kind, pattern, channel, payload, missed } => {
                    let (kind, missed) = (*kind, *missed);
                    let message = Message { kind, pattern, channel, payload, missed, gap: false };
                    let pushed = queue.push(&message);
                    let size = |texts: &[Vec<u8>; 3]| 17 + texts.iter().map(Vec::len).sum::<usize>();
                    let texts = [pattern.clone(), channel.clone(), payload.clone()];
                    let len = size(&texts);
                    let waiting = queue.counters().waiting as usize;
                    let used: usize = kept.iter().map(|kept| size(&kept.texts)).sum();
                    match pushed {
                        Ok(()) => {
                            // As many of the oldest are gone as the counters say, and no more than needed.
                            let gone = kept.len() + 1 - waiting;
                            prop_assert!(gone == 0 || overflow == Overflow::DropOldest);
                            prop_assert!(gone == 0 || used + len + 60 > memory);
                            let mut front = (0, false);
                            for lost in kept.drain(..gone) {
                                front = (front.0 + lost.missed + 1, front.1 | lost.gap);
                                dropped += 1;
                            }
                            match kept.front_mut() {
                                Some(first) => {
                                    first.missed += front.0;
                                    first.gap |= front.1;
                                }
                                None => back = (back.0 + front.0, back.1 | front.1),
                            }
                            kept.push_back(Kept { kind, texts, missed: missed + back.0, gap: back.1 });
                            back = (0, false);
                        }
                        Err(Unkept::Full) => {
                            prop_assert!(overflow == Overflow::Block && len <= memory && used + len + 60 > memory);
                        }
                        Err(Unkept::Dropped) => {
                            prop_assert!(len > memory || overflow == Overflow::DropNewest && used + len + 60 > memory);
                            back.0 += missed + 1;
                            dropped += 1;
                        }
                        Err(Unkept::Closed) => prop_assert!(false),
                    }
                }
            }
            let counters = queue.counters();
            prop_assert_eq!((counters.dropped, counters.delivered), (dropped, delivered));
            prop_assert_eq!(counters.waiting as usize, kept.len());
            prop_assert!(counters.most as usize >= kept.len());
        }
    }
}
