//! Any requests to bytes, into any room.

use alloc::vec;
use alloc::vec::Vec;

use super::oracle::{self, Tree};
use super::request::{Args, Program};
use super::seeds::Seeds;
use crate::buffer::{Growing, Storage};
use crate::command::{
    AnyRequest, ExpiryOptions, Keys, Pairs, Request, WhenOptions, mget, mset, raw, set, words,
};
use crate::conn::{Config, Connection, Protocol, Settings, SubmitError, Token};
use crate::error::{Full, Misuse};
use crate::resp::{Encoder, Reply};
use crate::time::Instant;

/// Requests of any arguments: what is measured is written, in any room that holds it, byte for byte as
/// a naive writer does; parsers read the arguments back; a connection takes it whole or not at all.
///
/// # Panics
/// If any of that is not so.
pub fn encode(data: &[u8]) {
    let mut seeds = Seeds(data);
    let (grows, room) = (seeds.byte() % 2 == 1, 64 + 3 * usize::from(seeds.byte()));
    let program = Program::read(&mut seeds);
    alone(&program, &mut seeds);
    let list: Vec<&[u8]> = data.split(|&byte| byte == 0).collect();
    alone(&words(&list), &mut seeds);
    let pairs: Vec<(&[u8], &[u8])> = list.iter().copied().zip(list.iter().rev().copied()).collect();
    alone(&mset(&pairs[..]), &mut seeds);
    alone(&mget(&list[..]), &mut seeds);
    let (key, number) = (seeds.bytes(), seeds.number());
    alone(&set(key, data).nx().ex(number.cast_signed()), &mut seeds);
    alone(&raw("A b").key(key).arg(number).with(Pairs::Slices(&pairs)).with(Keys::One(key)), &mut seeds);
    if grows {
        together(Growing::new(64, 64), Growing::new(64, room), &program, seeds);
    } else {
        let (mut receive, mut transmit) = ([0; 64], vec![0; room]);
        together(&mut receive[..], &mut transmit[..], &program, seeds);
    }
}

/// One request through the encoder.
fn alone(request: &impl Request, seeds: &mut Seeds<'_>) {
    let args = Args::of(request);
    let frame = args.frame();
    let rooms: Vec<usize> = if frame.len() <= 30 && !cfg!(miri) {
        (0..frame.len()).collect()
    } else {
        let some = usize::from(seeds.byte()) * frame.len() / 256;
        [0, 3, 4, 5, some, frame.len() - 1].into()
    };
    for room in rooms.into_iter().chain([frame.len(), frame.len() + 1]) {
        let mut out = vec![0; room];
        let mut encoder = Encoder::new(&mut out);
        request.encode(&mut encoder);
        let encoded = encoder.finish();
        assert_eq!((encoded.len(), encoded.args()), (frame.len(), args.0.len()), "in {room}");
        assert_eq!((encoded.is_written(), encoded.is_empty()), (room >= frame.len(), args.0.is_empty()));
        assert_eq!(encoded.owed(), args.later().map_or(0, |(_, len)| len));
        assert!(!encoded.is_written() || out.starts_with(&frame), "{}", out.escape_ascii());
    }
    // Shorter ones are not worth it and not looked at.
    for from in [100, 100 + frame.len() / 8, 100 + frame.len() / 2] {
        lent(request, &args, &frame, from);
    }
    if args.later().is_none() {
        let reply = Reply::parse(&frame).and_then(|reply| reply.get::<Vec<&[u8]>>().ok());
        assert!(
            reply.is_some_and(|read| read.into_iter().map(Ok).eq(args.0.iter().map(|arg| arg.as_deref())))
        );
        let strings = args.0.into_iter().flatten().map(Tree::Bulk).collect();
        assert_eq!(oracle::parse(&frame), Ok((Tree::Array(strings), frame.len())));
    }
}

/// The request without its first argument of at least `from` bytes, and this argument on its own.
fn lent(request: &impl Request, args: &Args, frame: &[u8], from: usize) {
    let mut out = vec![0; frame.len()];
    let mut encoder = Encoder::lending(&mut out, from);
    request.encode(&mut encoder);
    let encoded = encoder.finish();
    assert!(encoded.is_written());
    let mut shown = Vec::new();
    request.encode(&mut Encoder::show(from, &mut |bytes| shown.push(bytes.to_vec())));
    let own = args.0.iter().position(Result::is_err);
    let long = args.0.iter().position(|arg| arg.as_ref().is_ok_and(|arg| arg.len() >= from));
    match (own, long) {
        (own, Some(long)) if own.is_none_or(|own| long < own) => {
            assert_eq!(shown.len(), 1);
            if own.is_none() {
                assert!(encoded.is_lent() && encoded.owed() == shown.concat().len() as u64);
                let (head, tail) =
                    out.get(..encoded.len()).unwrap_or_default().split_at(encoded.len() - encoded.tail());
                assert!([head, &shown.concat(), tail].concat() == frame);
            }
        }
        _ => assert!(shown.is_empty() && !encoded.is_lent() && out == frame),
    }
}

/// One request again and again through a connection, which takes it whole or says why not.
fn together<S: Storage>(receive: S, transmit: S, request: &Program, mut seeds: Seeds<'_>) {
    let limit = transmit.limit();
    let mut connection = Connection::<S, 3>::new(receive, transmit, Config::default());
    let settings = Settings { protocol: Some(Protocol::Resp2), ..Settings::default() };
    assert!(connection.start(Instant::ZERO, &settings).is_ok());
    let len = Args::of(request).frame().len();
    let later = Args::of(request).later();
    let owed = later.map_or(0, |(_, len)| len);
    let misplaced = Args::of(request).0.iter().filter(|arg| arg.is_err()).count() > 1;
    let value: Vec<u8> = (0..=250).cycle().take(usize::try_from(owed.min(2000)).unwrap_or(0)).collect();
    let (mut wire, mut wanted) = (Vec::new(), Vec::new());
    for token in 0..5 {
        let held = connection.poll_transmit().to_vec();
        let verdict = match later {
            _ if connection.in_flight() == 3 => Err(Full::InFlight.into()),
            _ if len > limit => Err(Full::TooLarge.into()),
            _ if held.len() + len > limit => Err(Full::Transmit.into()),
            // Without arguments there is no command, and its name must be here at once.
            _ if Args::of(request).0.is_empty() => Err(Misuse::Empty.into()),
            Some((at, _)) if at < 2 || misplaced => Err(Misuse::Later.into()),
            _ => Ok(()),
        };
        let taken: Result<(), SubmitError> = connection.submit(Instant::ZERO, Token(token), request);
        assert_eq!(taken, verdict);
        if taken.is_err() {
            assert_eq!((connection.poll_transmit(), connection.owed()), (&held[..], 0), "something changed");
        } else if owed > value.len() as u64 {
            assert_eq!(connection.owed(), owed);
            return;
        } else {
            wanted.extend(Args::of(request).whole(&value));
            while connection.owed() > 0 {
                let rest = value.len() - usize::try_from(connection.owed()).unwrap_or(0);
                let supplied = connection.supply(value.get(rest..).unwrap_or_default());
                let idle = connection.poll_transmit().is_empty();
                assert!(supplied > 0 || !idle, "nobody can go on");
                transmit_some(&mut connection, 1 + usize::from(seeds.byte()), &mut wire);
            }
        }
        transmit_some(&mut connection, usize::from(seeds.byte()), &mut wire);
    }
    transmit_some(&mut connection, usize::MAX, &mut wire);
    assert!(wire == wanted, "{} instead of {}", wire.escape_ascii(), wanted.escape_ascii());
}

/// The socket takes up to `n` bytes.
pub(super) fn transmit_some<S: Storage, const N: usize>(
    connection: &mut Connection<S, N>,
    n: usize,
    wire: &mut Vec<u8>,
) {
    let ready = connection.poll_transmit();
    let sent = ready.get(..n).unwrap_or(ready);
    wire.extend_from_slice(sent);
    let n = sent.len();
    connection.handle_transmitted(n);
}
