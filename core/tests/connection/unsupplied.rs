//! What cannot be left for later, and what readers see of it that is.

use respire_core::command::{self, Arg, ExpiryOptions, Later, Request, echo, raw, set};
use respire_core::conn::{Connection, SubmitError, Token};
use respire_core::error::Misuse;
use respire_core::resp::ArgSink;

use super::Fixed;
use super::supply::{NOW, small};

#[test]
fn what_cannot_be_left_for_later_is_refused() {
    let refused = |request: &dyn Fn(&mut Connection<Fixed, 8>) -> Result<(), SubmitError>| {
        let mut connection = small(256);
        let result = request(&mut connection);
        assert_eq!((connection.owed(), connection.in_flight()), (0, 0));
        assert_eq!(connection.poll_transmit(), b"");
        assert_eq!(result, Err(Misuse::Later.into()));
    };
    let two = [(command::Key(b"a"), Arg::Later(5)), (command::Key(b"b"), Arg::Later(5))];
    refused(&|c| c.submit(NOW, Token(1), &command::mset(&two)));
    refused(&|c| c.submit(NOW, Token(1), &raw("SET").arg(Later(0)).arg(Later(0))));
    // Nobody could tell what these do to the connection.
    refused(&|c| c.submit(NOW, Token(1), &raw("").arg(Later(9))));
    refused(&|c| c.submit(NOW, Token(1), &raw("CLIENT").arg(Later(5)).arg("OFF")));
    let mut connection = small(256);
    let reply_later = connection.submit(NOW, Token(1), &raw("CLIENT REPLY").arg(Later(2)));
    assert_eq!(reply_later, Err(Misuse::ReplyOff.into()));
    connection.submit(NOW, Token(1), &echo(Later(1))).unwrap();
    assert_eq!((connection.supply(b"xyz"), connection.supply(b"xyz")), (1, 0));
    connection.submit(NOW, Token(2), &raw("SET k").with(Later(3))).unwrap();
    assert_eq!(connection.supply(b"wxyz"), 3);
    assert!(connection.poll_transmit().ends_with(b"$3\r\nSET\r\n$1\r\nk\r\n$3\r\nwxy\r\n"));
}

/// Leaves more for later the second time.
struct Fickle(core::cell::Cell<u64>);

impl Request for Fickle {
    type Reply<'r> = ();

    fn command(&self) -> &'static command::Command {
        &command::Command::UNKNOWN
    }

    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S) {
        self.0.set(self.0.get() + 1);
        sink.word("SET");
        sink.key(b"k");
        sink.later(self.0.get());
    }
}

#[test]
fn a_request_that_changes_its_mind_is_not_sent() {
    let mut connection = small(64);
    for token in 1..=4 {
        connection.submit(NOW, Token(token), &command::ping()).unwrap();
    }
    // Room that must be made first: the request is visited again.
    connection.handle_transmitted(55);
    let fickle = Fickle(core::cell::Cell::new(4));
    assert_eq!(connection.submit(NOW, Token(5), &fickle), Err(Misuse::Inconsistent.into()));
    assert_eq!((connection.owed(), connection.poll_transmit()), (0, &b"\n"[..]));
}

#[test]
fn other_readers_of_arguments_see_an_empty_one() {
    struct Count(Vec<usize>);
    impl ArgSink for Count {
        fn arg(&mut self, bytes: &[u8]) {
            self.0.push(bytes.len());
        }
    }
    let mut count = Count(Vec::new());
    set("key", Later(1000)).ex(60).visit(&mut count);
    assert_eq!(count.0, [3, 3, 0, 2, 2]);
}
