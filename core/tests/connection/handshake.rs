//! From the first byte to the first request.

use super::check;

/// S1-CONN-08: all of it in one batch, and nothing else before it is done.
#[test]
fn hello_carries_password_and_name() {
    check(
        r#"
        start user u password p name n db 3 library lib 1.0
        refused NotReady 1 GET k
        deadline 5s
        > HELLO 3 AUTH u p SETNAME n
        > SELECT 3
        > CLIENT SETINFO LIB-NAME lib
        > CLIENT SETINFO LIB-VER 1.0
        quiet
        < %2\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:3
        refused NotReady 1 GET k
        < +OK
        < +OK
        < +OK
        ready resp3
        quiet
        deadline none
        in-flight 0
        submit 1 GET k
        > GET k
        < _
        reply 1 nil
        "#,
    );
}

#[test]
fn a_password_alone_is_for_the_default_user() {
    check("start resp3 password p\n> HELLO 3 AUTH default p\nquiet\n< %0\nready resp3");
}

#[test]
fn nothing_wanted_is_only_hello() {
    check("start\n> HELLO 3\nquiet\n< %0\nready resp3\nprotocol resp3");
}

#[test]
fn resp2_says_no_hello() {
    check("start resp2\nready resp2\nquiet\nprotocol resp2");
    check(
        r#"
        start resp2 user u password p name n db 3 library lib 1.0
        > AUTH u p
        > CLIENT SETNAME n
        > SELECT 3
        > CLIENT SETINFO LIB-NAME lib
        > CLIENT SETINFO LIB-VER 1.0
        quiet
        < +OK\r\n+OK\r\n+OK\r\n+OK
        < +OK
        ready resp2
        "#,
    );
    check("start resp2 password p\n> AUTH p\nquiet\n< +OK\nready resp2");
}

/// S1-CONN-08, S2-COMP-01: a server that knows no `HELLO` is asked in words that it knows.
#[test]
fn a_server_without_hello_is_spoken_to_in_resp2() {
    check(
        r#"
        start user u password p name n db 3 library lib 1.0
        > HELLO 3 AUTH u p SETNAME n
        > SELECT 3
        > CLIENT SETINFO LIB-NAME lib
        > CLIENT SETINFO LIB-VER 1.0
        quiet
        < -ERR unknown command `HELLO`, with args beginning with: `3`, `AUTH`, `u`, `p`, 
        < -NOAUTH Authentication required.
        < -NOAUTH Authentication required.
        quiet
        < -NOAUTH Authentication required.
        > AUTH u p
        > CLIENT SETNAME n
        > SELECT 3
        quiet
        refused NotReady 1 GET k
        < +OK\r\n+OK
        < +OK
        ready resp2
        quiet
        submit 1 GET k
        > GET k
        < $-1
        reply 1 nil
        "#,
    );
    // Nothing left to do by hand; and a server that knows HELLO, but not version 3.
    check("start\n> HELLO 3\n< -ERR unknown command 'HELLO'\nready resp2\nquiet");
    check("start\n> HELLO 3\n< -NOPROTO unsupported protocol version\nready resp2\nquiet");
    check(
        "start name n\n> HELLO 3 SETNAME n\n< -err Unknown Command\n> CLIENT SETNAME n\nquiet\n< +OK\nready resp2",
    );
}

#[test]
fn pushes_do_not_disturb_the_handshake() {
    check("start db 1\nsent\n< >1\\r\\n+hello\n< %0\n< >2\\r\\n+a\\r\\n*1\\r\\n:1\n< +OK\nready resp3");
}

#[test]
fn a_handshake_can_end_in_many_ways() {
    check("start\n> HELLO 3\neof\nclosed Eof");
    check("start\nerror\nclosed Transport");
    check("start\nclose\nclosed Local\nquiet");
    check("start\n> HELLO 3\n< %2\\r\\n+a\neof\nclosed Eof");
    check("start\n> HELLO 3\n< HTTP/1.1 400 Bad Request\nclosed Protocol(UnknownType(72))");
    check("start\n> HELLO 3\n< \\x15\\x03\\x01\\\nclosed Protocol(UnknownType(21))");
    check(
        "@1s\nstart\ndeadline 6s\n@5999ms\ntimeout\ndeadline 6s\n@6s\ntimeout\nclosed HandshakeTimeout\ndeadline none",
    );
}

/// S1-CONN-04, S1-CONN-13: on another transport nothing is left of the old one: half an answer, half a
/// request, what it was subscribed to.
#[test]
fn the_next_life_starts_clean() {
    check("start password p\nsent 9\nclose\nclosed Local\nquiet\nstart\n> HELLO 3\nquiet\n< %0\nready resp3");
    check(
        r#"
        start
        > HELLO 3
        < %0
        ready resp3
        submit 1 SUBSCRIBE a
        > SUBSCRIBE a
        < >3\r\n+subscribe\r\n+a\r\n:1
        push push(3) "subscribe" "a" 1
        reply 1 push(3) "subscribe" "a" 1
        submit 2 MULTI
        submit 3 GET k
        sent 15
        < $100\r\nhalf
        eof
        failed 2 Unknown
        failed 3 NotSent
        closed Eof
        start resp2
        ready resp2
        protocol resp2
        unsubscribed
        in-flight 0
        quiet
        submit 4 SUBSCRIBE b
        > SUBSCRIBE b
        < *3\r\n+subscribe\r\n+b\r\n:1
        push array(3) "subscribe" "b" 1
        reply 4 array(3) "subscribe" "b" 1
        "#,
    );
}

#[test]
fn the_last_answer_is_a_number_of_ours() {
    check(
        r#"
        start db 3 nonce 18446744073709551615
        > HELLO 3
        > SELECT 3
        > ECHO 18446744073709551615
        quiet
        < %0
        < +OK
        refused NotReady 1 GET k
        < $20\r\n18446744073709551615
        ready resp3
        "#,
    );
    check("start resp2 nonce 0\n> ECHO 0\nrefused NotReady 1 GET k\n< +0\nready resp2");
    for stray in ["$1\\r\\n8", "$0\\r\\n", "+OK", ":7", "_", "*1\\r\\n$1\\r\\n7", "%0"] {
        check(&format!("start resp3 nonce 7\nsent\n< %0\n< {stray}\nclosed Unsolicited"));
    }
    // One answer too many or too few in front of it.
    check("start resp3 db 3 nonce 7\nsent\n< %0\n< $1\\r\\n7\nclosed Unsolicited");
    check("start resp3 nonce 7\nsent\n< %0\n< +OK\nclosed Unsolicited");
}

#[test]
fn a_server_that_does_not_echo_is_trusted() {
    for error in ["NOPERM no", "ERR unknown command 'echo'", "BUSY a script runs", "LOADING still"] {
        check(&format!("start resp3 nonce 7\nsent\n< %0\n< -{error}\nready resp3"));
    }
    for error in ["NOAUTH Authentication required.", "DENIED protected", "ERR max number of clients reached"]
    {
        check(&format!("start resp2 nonce 7\nsent\n< -{error}\nclosed Rejected(ServerError({error}))"));
    }
}

#[test]
fn the_second_choice_ends_with_the_number_too() {
    check(
        r#"
        start name n nonce 7
        > HELLO 3 SETNAME n
        > ECHO 7
        < -ERR unknown command `HELLO`
        quiet
        < $1\r\n7
        > CLIENT SETNAME n
        > ECHO 8
        < +OK
        < $1\r\n8
        ready resp2
        "#,
    );
}

#[test]
fn the_number_of_the_first_choice_does_not_end_the_second() {
    let start = "start nonce 7\n> HELLO 3\n> ECHO 7\n< -ERR unknown command `HELLO`";
    // An answer too many: what should end the first batch comes after the second was sent.
    check(&format!("{start}\n< -ERR unknown command `HELLO`\n> ECHO 8\n< $1\\r\\n7\nclosed Unsolicited"));
    check(&format!("{start}\n< $1\\r\\n7\n> ECHO 8\n< $1\\r\\n8\nready resp2"));
    let last =
        "start nonce 18446744073709551615\n> HELLO 3\n> ECHO 18446744073709551615\n< -ERR unknown command";
    check(&format!("{last}\n< +OK\n> ECHO 0\n< $1\\r\\n0\nready resp2"));
}

#[test]
fn what_the_connection_is_to_be_is_said_at_once() {
    check(
        r#"
        start resp2 no-evict no-touch library l 1
        > CLIENT NO-EVICT ON
        > CLIENT NO-TOUCH ON
        > CLIENT SETINFO LIB-NAME l
        > CLIENT SETINFO LIB-VER 1
        < +OK
        < +OK
        < -ERR unknown subcommand 'SETINFO'
        < -ERR unknown subcommand 'SETINFO'
        ready resp2
        "#,
    );
    // What was asked for and is not to be had ends it.
    check("start resp3 no-touch\nsent\n< %0\n< -ERR no\nclosed Rejected(ServerError(ERR no))");
}

#[test]
fn tracking_needs_resp3() {
    for (mode, words) in [("read", ""), ("optin", " OPTIN"), ("optout", " OPTOUT"), ("bcast", " BCAST")] {
        for (own, word) in [("", ""), (" noloop", " NOLOOP")] {
            let request = format!("CLIENT TRACKING ON{words}{word}");
            for protocol in ["", "resp2 ", "resp3 "] {
                check(&format!(
                    "start {protocol}tracking {mode}{own}\n> HELLO 3\n> {request}\n< %0\n< +OK\nready resp3"
                ));
            }
        }
    }
    let old = "-ERR unknown command `HELLO`";
    check(&format!("start tracking read\nsent\n< {old}\nclosed Rejected(ServerError({}))", &old[1..]));
    check("start tracking read\nsent\n< %0\n< -ERR no\nclosed Rejected(ServerError(ERR no))");
}

/// Whatever a server may say in a handshake has a reason of its own that a program can tell from others.
#[test]
fn every_refusal_has_its_reason() {
    use respire_core::conn::{CloseReason, Config, Connection, Settings};
    use respire_core::error::{ErrorKind, ProtocolError};
    use respire_core::time::Instant;

    let reason = |sent: bool, bytes: &[u8], check: &dyn Fn(CloseReason<'_>)| {
        let mut connection = Connection::<_, 4>::new([0; 128], [0; 128], Config::default());
        connection.start(Instant::ZERO, &Settings::NONE).unwrap();
        if sent {
            connection.handle_transmitted(usize::MAX);
        }
        connection.recv_space().unwrap()[..bytes.len()].copy_from_slice(bytes);
        connection.handle_received(bytes.len());
        assert!(connection.poll_event().is_some());
        check(connection.close_reason().unwrap());
        assert!(!connection.is_ready());
    };
    let rejections: [(&[u8], ErrorKind<'_>); 7] = [
        (b"-NOAUTH HELLO must be called with the client already authenticated\r\n", ErrorKind::NoAuth),
        (b"-WRONGPASS invalid username-password pair\r\n", ErrorKind::WrongPassword),
        (b"-LOADING Redis is loading the dataset in memory\r\n", ErrorKind::Loading),
        (b"-BUSY Redis is busy running a script\r\n", ErrorKind::Busy),
        (b"-MASTERDOWN Link with MASTER is down\r\n", ErrorKind::MasterDown),
        (b"-DENIED Redis is running in protected mode\r\n", ErrorKind::Denied),
        (b"-ERR max number of clients reached\r\n", ErrorKind::Err),
    ];
    for (bytes, kind) in rejections {
        reason(true, bytes, &|reason| match reason {
            CloseReason::Rejected(error) => assert_eq!(error.kind(), kind),
            other => panic!("{other:?}"),
        });
        // Before anything was asked.
        reason(false, bytes, &|reason| match reason {
            CloseReason::Refused(error) => assert_eq!(error.kind(), kind),
            other => panic!("{other:?}"),
        });
    }
    for (banner, first) in
        [(&b"HTTP/1.1 400 Bad Request\r\n"[..], b'H'), (b"\x15\x03\x01\0\x02\x02\x46", 0x15)]
    {
        for sent in [false, true] {
            reason(sent, banner, &|reason| {
                assert_eq!(reason, CloseReason::Protocol(ProtocolError::UnknownType(first)));
            });
        }
    }
}

#[test]
fn tracking_needs_an_answer_in_resp3() {
    // In RESP2 the server would agree, and say nothing when a key changes.
    check("start tracking read\nsent\n< *0\nclosed Unsolicited");
}

#[test]
fn hello_answered_by_an_array_is_resp2() {
    check("start db 3\n> HELLO 3\n> SELECT 3\n< *2\\r\\n+proto\\r\\n:2\n< +OK\nready resp2\nprotocol resp2");
}

#[test]
fn hello_is_not_answered_by_a_line() {
    for answer in ["+OK", "$2\\r\\nOK", ":3"] {
        check(&format!("start\nsent\n< {answer}\nclosed Unsolicited"));
    }
}
