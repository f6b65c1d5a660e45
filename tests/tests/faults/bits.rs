//! One bit is the other way, each in turn.

use respire::command::{echo, incr};
use respire::conn::Config;
use respire_tests::proxy::{Act, At, Proxy, Script, Step, Way};
use respire_tests::{Flight, Outcome};

use crate::verdict::text;
use crate::witness::{ms, recording};

/// What is asked for at once. No flipped bit makes one of another.
const WORDS: [&str; 3] = ["aaaaaaaa", "PPPPPPPP", "//////////"];

/// What came of it.
#[derive(Default)]
struct Flips {
    bits: usize,
    /// Answers that were right, that were not and belonged to nobody else, and that did not come.
    right: usize,
    changed: usize,
    none: usize,
    /// The flips by which somebody got another's answer.
    foreign: Vec<Step>,
}

/// Flips each bit of three frames.
fn flip(way: Way, frame: impl Fn(&str) -> String) -> Option<Flips> {
    let server = recording()?.start();
    let (mut script, mut flips) = (Script::new(), Flips::default());
    // The handshake is frame 0.
    for (number, word) in (1..).zip(WORDS) {
        for byte in 0..frame(word).len() {
            for bit in 0..8 {
                script = script.connection(flips.bits).step(way, At::Within(number, byte), Act::Flip(bit));
                flips.bits += 1;
            }
        }
    }
    let proxy = Proxy::new(server.addr(), script.clone());
    let mut flight = Flight::new(proxy.address(), Config::default());
    for step in script.steps() {
        flight.connect().expect("a connection");
        let tokens = WORDS.map(|word| flight.submit(&echo(word), Some(ms(60))));
        flight.settle(ms(10_000));
        for (token, word) in tokens.into_iter().zip(WORDS) {
            match flight.outcome(token) {
                Outcome::Ok(value) if value == text(word) => flips.right += 1,
                Outcome::Ok(value)
                    if WORDS
                        .iter()
                        .any(|other| format!("{value:?}").contains(&format!("{:?}", text(other)))) =>
                {
                    flips.foreign.push(step.clone());
                }
                Outcome::Ok(_) | Outcome::Rejected(_) => flips.changed += 1,
                Outcome::NotSent | Outcome::Unknown => flips.none += 1,
            }
        }
    }
    assert_eq!(flight.wrong(), [""; 0]);
    assert_eq!(proxy.log().script(), script, "every bit was flipped");
    let Flips { bits, right, changed, none, foreign } = &flips;
    println!(
        "{way}, {bits} bits: {right} right, {changed} changed, {none} without an answer, {} wrong",
        foreign.len()
    );
    Some(flips)
}

/// In an answer that is noticed, or it is inside of a value: nobody gets the answer to another's question.
#[test]
fn a_bit_of_an_answer_moves_no_answer() {
    let Some(flips) = flip(Way::Replies, |word| format!("${}\r\n{word}\r\n", word.len())) else { return };
    assert_eq!(flips.foreign, []);
    assert!(flips.right > flips.bits && flips.changed > 100 && flips.none > 100);
}

/// In a request it can make the server read other requests than were sent, and answer these: Redis 7.0 does
/// not look at the two bytes behind a string. Without TLS nobody can notice that, and it takes the length of
/// a string.
#[test]
fn a_bit_of_a_request_moves_an_answer_only_if_it_is_in_a_length() {
    let frame = |word: &str| format!("*2\r\n$4\r\nECHO\r\n${}\r\n{word}\r\n", word.len());
    let Some(flips) = flip(Way::Requests, frame) else { return };
    for step in &flips.foreign {
        let At::Within(_, byte) = step.at else { panic!("{step}") };
        let digits = frame(WORDS[0]).as_bytes()[byte];
        assert!(digits.is_ascii_digit(), "{step}");
    }
    assert!(
        flips.foreign.len() < 5 && flips.right > flips.bits,
        "{} of {} bits",
        flips.foreign.len(),
        flips.bits
    );
}

/// Of an integer one bit makes a push, which takes the next answer with it; what follows is told to those before. No
/// other bit of it does such a thing: an array, say, is no answer to `INCR`.
#[test]
fn a_bit_of_an_integer_moves_an_answer_only_if_it_makes_a_push() {
    let Some(server) = recording().map(respire_tests::Builder::start) else { return };
    let mut script = Script::new();
    for bit in 0..32 {
        script = script.connection(bit).replies(At::Within(1, bit / 8), Act::Flip((bit % 8) as u8));
    }
    let proxy = Proxy::new(server.addr(), script.clone());
    let mut flight = Flight::new(proxy.address(), Config::default());
    let mut foreign = Vec::new();
    for (bit, step) in script.steps().iter().enumerate() {
        flight.connect().expect("a connection");
        let word = format!("bit-{bit}");
        let tokens = [
            flight.submit(&incr(&word), Some(ms(60))),
            flight.submit(&echo(WORDS[0]), Some(ms(60))),
            flight.submit(&echo(WORDS[1]), Some(ms(60))),
        ];
        flight.settle(ms(10_000));
        let told = tokens.map(|token| flight.outcome(token));
        let others =
            |own: usize| (0..2).map(|n| text(WORDS[n])).filter(move |word| *word != text(WORDS[own]));
        let is_foreign = matches!(&told[0], Outcome::Ok(value) if WORDS.iter().any(|word| *value == text(word)))
            || (0..2)
                .any(|n| matches!(&told[1 + n], Outcome::Ok(value) if others(n).any(|word| word == *value)));
        if is_foreign {
            foreign.push(step.clone());
        }
    }
    let push = Step { connection: Some(2), way: Way::Replies, at: At::Within(1, 0), act: Act::Flip(2) };
    assert_eq!(foreign, [push], "`:` and `>`");
}
