//! What is known of requests from their bytes: of any bytes, in any case, cut anywhere.

use proptest::collection::vec;
use proptest::prelude::*;
use respire_core::command::{
    self, Access, AnyRequest, Args, Blocks, ExpiryOptions, Later, Retry, WhenOptions, raw, words,
};
use respire_core::resp::Encoder;

fn encode(request: &dyn AnyRequest) -> Vec<u8> {
    let mut measure = Encoder::new(&mut []);
    request.encode(&mut measure);
    let mut bytes = vec![0; measure.finish().len()];
    let mut encoder = Encoder::new(&mut bytes);
    request.encode(&mut encoder);
    let written = encoder.finish().len();
    bytes.truncate(written);
    bytes
}

/// Words that mean something somewhere, and some that do not.
fn word() -> impl Strategy<Value = Vec<u8>> {
    const WORDS: &str = "SET GET NX XX IFEQ IFNE ZADD INCR EXPIRE COPY REPLACE RESTORE SORT STORE STOREDIST BITOP \
        BITFIELD INCRBY XADD MAXLEN MINID LIMIT NOMKSTREAM ~ = * 5-1 XTRIM LREM LTRIM 0 1 -1 0.5 1e3 ACL LOG RESET \
        CONFIG COMMAND DOCS DEBUG SLEEP BLPOP BLMPOP XREAD XREADGROUP GROUP BLOCK COUNT STREAMS WAIT MIGRATE \
        ZUNIONSTORE GEORADIUS EVAL EXEC PING HSETEX FNX k";
    let known: Vec<_> = WORDS.split_ascii_whitespace().map(|word| word.as_bytes().to_vec()).collect();
    prop_oneof![9 => proptest::sample::select(known), 1 => vec(any::<u8>(), 0..12)]
}

fn request() -> impl Strategy<Value = Vec<Vec<u8>>> {
    vec(word(), 1..9)
}

/// Everything that is said of a request. Waiting for ever is more than any time.
fn all(frame: &[u8]) -> (Retry, bool, bool, Option<core::time::Duration>) {
    let args = Args::new(frame);
    let blocks = match Blocks::of(args) {
        Blocks::No => None,
        Blocks::For(time) => Some(time),
        Blocks::Forever => Some(core::time::Duration::MAX),
    };
    let anyone = matches!(args.author(), respire_core::error::Author::Anyone);
    (Retry::of(args), args.is_write(), anyone, blocks)
}

proptest! {
    #[test]
    fn any_bytes_are_judged(bytes in vec(any::<u8>(), 0..80)) {
        all(&bytes);
    }

    #[test]
    fn bytes_that_are_almost_a_request_are_judged(words_of in request(), at in any::<u16>(), byte in any::<u8>()) {
        let mut frame = encode(&words(&words_of));
        let at = usize::from(at) % frame.len();
        frame[at] = byte;
        all(&frame);
    }

    #[test]
    fn arguments_are_read_back(words_of in vec(vec(any::<u8>(), 0..20), 0..6)) {
        let frame = encode(&words(&words_of));
        let mut args = Args::new(&frame);
        prop_assert!(args.by_ref().eq(words_of.iter().map(Vec::as_slice)));
        prop_assert_eq!(args.left(), 0);
    }

    #[test]
    fn case_does_not_matter(words_of in request(), dice in any::<u128>()) {
        let mut other = words_of.clone();
        for (_, letter) in other.iter_mut().flatten().enumerate().filter(|(at, _)| dice >> (at % 128) & 1 == 1) {
            *letter ^= if letter.is_ascii_alphabetic() { 0x20 } else { 0 };
        }
        // A destination is its source only if it is the same to the letter.
        let once = words_of.iter().enumerate().all(|(at, word)| {
            !words_of[..at].iter().any(|before| before.eq_ignore_ascii_case(word))
        });
        prop_assume!(once);
        prop_assert_eq!(all(&encode(&words(&words_of))), all(&encode(&words(&other))));
    }

    #[test]
    fn what_is_not_there_only_makes_it_more_careful(words_of in request(), at in any::<u16>()) {
        let frame = encode(&words(&words_of));
        let cut = usize::from(at) % frame.len();
        let (whole, part) = (all(&frame), all(&frame[..cut]));
        prop_assert!(part.0 >= whole.0, "{part:?} {whole:?}");
        prop_assert!(part.1 >= whole.1, "{part:?} {whole:?}");
        prop_assert!(part.2 >= whole.2, "{part:?} {whole:?}");
        // The command itself is always there: a connection knows no request without.
        if Args::new(&frame[..cut]).next().is_some() {
            prop_assert!(part.3 >= whole.3, "{part:?} {whole:?}");
        }
    }
}

#[test]
fn rows_agree_with_the_table() {
    use Retry::*;
    let requests: [(&dyn AnyRequest, Retry); 27] = [
        (&command::get("k"), ReadOnly),
        (&command::set("k", "v"), LastWriteWins),
        (&command::set("k", "v").nx(), CheckedWrite),
        (&command::set("k", "v").ex(60), LastWriteWins),
        (&command::set("k", Later(1000)), LastWriteWins),
        (&command::set("k", Later(1000)).ex(60), Accumulating),
        (&command::append("k", "v"), Accumulating),
        (&command::incr("k"), Accumulating),
        (&command::strlen("k"), ReadOnly),
        (&command::del("k"), LastWriteWins),
        (&command::unlink("k"), LastWriteWins),
        (&command::copy("a", "b"), CheckedWrite),
        (&command::rename("a", "b"), LastWriteWins),
        (&command::rename_nx("a", "b"), CheckedWrite),
        (&command::expire("k", 60), LastWriteWins),
        (&command::persist("k"), LastWriteWins),
        (&command::touch("k"), ReadOnly),
        (&command::scan(0), ReadOnly),
        (&command::object_encoding("k"), ReadOnly),
        (&command::ttl("k"), ReadOnly),
        (&command::ping(), Always),
        (&command::echo("hi"), Always),
        (&command::select(1), Never),
        (&command::multi(), Never),
        (&command::flush_all(), ServerAdmin),
        (&command::publish("c", "m"), Accumulating),
        (&raw("ZADD").key("z").arg("NX").arg(1.5).arg("a"), CheckedWrite),
    ];
    for (request, retry) in requests {
        let (frame, row) = (encode(request), request.row());
        let args = Args::new(&frame);
        assert_eq!(Retry::of(args), retry, "{row:?}");
        match row.access {
            Access::ReadOnly => assert!(!args.is_write() && retry <= ReadOnly, "{row:?}"),
            Access::Write => assert!(args.is_write() && retry > ReadOnly, "{row:?}"),
            _ => {}
        }
    }
}
