//! Requests to bytes: as long as measured, and read back by a server as they were meant.

use proptest::collection::vec;
use proptest::prelude::*;
use respire_core::command::{
    self, Arg, Command, Effect, ExpiryOptions, Key, Request, Secret, Subscription, WhenOptions, raw, words,
};
use respire_core::resp::{ArgSink, Encoder};

/// Measures, writes, and checks that both agree.
fn encode(request: &impl Request) -> Vec<u8> {
    let mut measure = Encoder::new(&mut []);
    request.visit(&mut measure);
    let measured = measure.finish();
    let mut bytes = vec![0; measured.len()];
    let mut encoder = Encoder::new(&mut bytes);
    request.visit(&mut encoder);
    let encoded = encoder.finish();
    assert!(encoded.is_written() && encoded.len() == measured.len(), "{measured:?} {encoded:?}");
    bytes
}

/// What a server makes of the bytes of one request.
fn serve(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    fn header(bytes: &mut &[u8], tag: u8) -> usize {
        let end = bytes.windows(2).position(|two| two == b"\r\n").unwrap();
        assert_eq!(bytes[0], tag);
        let number = std::str::from_utf8(&bytes[1..end]).unwrap().parse().unwrap();
        *bytes = &bytes[end + 2..];
        number
    }
    let mut args = Vec::new();
    for _ in 0..header(&mut bytes, b'*') {
        let len = header(&mut bytes, b'$');
        args.push(bytes[..len].to_vec());
        assert_eq!(&bytes[len..len + 2], b"\r\n");
        bytes = &bytes[len + 2..];
    }
    assert!(bytes.is_empty());
    args
}

fn sent(request: &impl Request) -> String {
    let args = serve(&encode(request));
    args.iter().map(|arg| arg.escape_ascii().to_string()).collect::<Vec<_>>().join(" ")
}

/// Request bodies of any kind of argument.
#[derive(Clone, Debug)]
enum Any {
    Bytes(Vec<u8>),
    Integer(i64),
    Unsigned(u64),
    Double(f64),
}

struct Mixed(Vec<Any>);

impl Request for Mixed {
    type Reply<'r> = ();

    fn command(&self) -> &'static Command {
        &Command::UNKNOWN
    }

    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S) {
        for any in &self.0 {
            match any {
                Any::Bytes(bytes) => sink.arg(bytes),
                Any::Integer(n) => sink.integer(*n),
                Any::Unsigned(n) => sink.unsigned(*n),
                Any::Double(n) => sink.double(*n),
            }
        }
    }
}

fn any_arg() -> impl Strategy<Value = Any> {
    prop_oneof![
        vec(any::<u8>(), 0..130).prop_map(Any::Bytes),
        any::<i64>().prop_map(Any::Integer),
        (0..64u32, any::<u64>()).prop_map(|(bits, n)| Any::Unsigned(n >> bits)),
        any::<f64>().prop_map(Any::Double),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_server_reads_the_words_that_were_sent(args in vec(vec(any::<u8>(), 0..200), 1..15)) {
        prop_assert_eq!(serve(&encode(&words(&args))), args);
    }

    #[test]
    fn numbers_arrive_as_they_are(args in vec(any_arg(), 1..15)) {
        let served = serve(&encode(&Mixed(args.clone())));
        prop_assert_eq!(served.len(), args.len());
        for (text, arg) in served.iter().zip(args) {
            let digits = || std::str::from_utf8(text).unwrap();
            match arg {
                Any::Bytes(bytes) => prop_assert_eq!(text, &bytes),
                Any::Integer(n) => prop_assert_eq!(digits(), n.to_string()),
                Any::Unsigned(n) => prop_assert_eq!(digits(), n.to_string()),
                Any::Double(n) if n.is_nan() => prop_assert_eq!(digits(), "nan"),
                Any::Double(n) => prop_assert_eq!(digits().parse::<f64>().unwrap().to_bits(), n.to_bits()),
            }
        }
    }
}

/// S1-CONN-07: requests are arrays of strings, whatever their length.
#[test]
fn lengths_at_their_corners() {
    for len in [0, 1, 9, 10, 11, 99, 100, 101, 999, 1000, 65_535, 65_536, 1 << 20] {
        let arg = vec![b'\n'; len];
        assert_eq!(serve(&encode(&words(&[&arg]))), [arg]);
    }
    for count in [1, 9, 10, 11, 99, 100, 1000] {
        let args = vec!["x"; count];
        assert_eq!(serve(&encode(&words(&args))).len(), count);
    }
}

#[test]
fn requests_are_sent_as_their_rows_say() {
    assert_eq!(encode(&command::get("k")), b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
    assert_eq!(sent(&command::set("k", "a b\r\n")), r"SET k a b\r\n");
    assert_eq!(sent(&command::set("k", 1).nx().ex(5)), "SET k 1 NX EX 5");
    assert_eq!(sent(&command::set("k", -1.5).xx().px(5)), "SET k -1.5 XX PX 5");
    assert_eq!(sent(&command::mget(&["a", "b"])), "MGET a b");
    assert_eq!(sent(&command::mset(&[("a", "1"), ("b", "2")])), "MSET a 1 b 2");
    assert_eq!(sent(&command::mset(&[(Key(b"a"), Arg::Integer(-1))])), "MSET a -1");
    assert_eq!(sent(&command::config_get("save")), "CONFIG GET save");
    assert_eq!(sent(&command::auth("user", "secret")), "AUTH user secret");
    assert_eq!(sent(&command::incr_by("k", i64::MIN)), "INCRBY k -9223372036854775808");
    assert_eq!(sent(&command::incr_by_float("k", 1e300)), "INCRBYFLOAT k 1e300");
    assert_eq!(sent(&raw("json.set").key("k").arg("$").arg(1u64)), "json.set k $ 1");
    assert_eq!(sent(&raw("CONFIG  GET").arg("save")), "CONFIG GET save");
    assert_eq!(sent(&raw("AUTH").with(Secret(b"x"))), "AUTH x");
}

#[test]
fn effects_are_known_by_words_too() {
    let effect = |text: &str| words(&text.split(' ').collect::<Vec<_>>()).command().effect;
    assert_eq!(effect("subscribe a"), Effect::Subscribe(Subscription::Channel));
    assert_eq!(effect("PUnsubscribe"), Effect::Unsubscribe(Subscription::Pattern));
    assert_eq!(effect("client reply OFF"), Effect::ReplyMode);
    assert_eq!(effect("CLIENT ID"), Effect::None);
    assert_eq!(effect("MULTI"), Effect::Multi);
    assert_eq!(effect("discard"), Effect::EndMulti);
    assert_eq!(effect("SUBSCRIBER"), Effect::None);
    assert_eq!(raw("client reply").arg("on").command().effect, Effect::ReplyMode);
    assert_eq!(raw("client").arg("reply").arg("on").command().effect, Effect::ReplyMode);
    assert_eq!(raw("HELLO").arg(3).command().effect, Effect::Hello);
    assert_eq!(raw("A-NAME-LONGER-THAN-ANY-IN-THE-TABLE").command(), &Command::UNKNOWN);
    // The rows of the table say the same as the words.
    assert_eq!(command::subscribe("a").command().effect, effect("SUBSCRIBE a"));
    assert_eq!(command::exec().command().effect, effect("EXEC"));
    assert_eq!(command::hello(3).command().effect, effect("HELLO 3"));
    assert_eq!(command::reset().command().effect, effect("RESET"));
    assert_eq!(command::monitor().command().effect, effect("MONITOR"));
    assert_eq!(command::quit().command().effect, effect("QUIT"));
}

/// S0-SEC-03: nor does a request that carries one.
#[test]
fn no_request_shows_a_password() {
    let canary = "c4n4ry-pass";
    let shown = [
        format!("{:?}", command::auth("user", canary)),
        format!("{:?}", raw("AUTH").arg(canary)),
        format!("{:?}", raw("AUTH").with(Secret(canary.as_bytes()))),
        format!("{:?}", raw("HELLO").arg(3).arg("AUTH").arg("default").arg(canary)),
        format!("{:?}", words(&["AUTH", canary])),
        format!("{:?}", words(&["AUTH", canary]).typed::<()>()),
        format!("{:?}", Secret(canary.as_bytes())),
    ];
    let numbers = format!("{:?}", canary.as_bytes());
    for text in shown {
        assert!(!text.contains(canary) && !text.contains(numbers.trim_matches(['[', ']'])), "{text}");
    }
}
