//! Servers that say no, before or in the handshake.

use super::check;

#[test]
fn the_second_choice_can_be_rejected_too() {
    check(
        r#"
        start password p
        > HELLO 3 AUTH default p
        < -ERR unknown command `HELLO`
        > AUTH p
        < -ERR invalid password
        closed Rejected(ServerError(ERR invalid password))
        "#,
    );
}

#[test]
fn a_server_without_hello_is_refused_where_resp3_is_asked_for() {
    check(
        "start resp3\n> HELLO 3\n< -ERR unknown command `HELLO`\nclosed Rejected(ServerError(ERR unknown command `HELLO`))",
    );
}

#[test]
fn rejections_keep_the_server_s_text() {
    check(
        r#"
        start password wrong db 3
        > HELLO 3 AUTH default wrong
        > SELECT 3
        < -WRONGPASS invalid username-password pair or user is disabled.
        closed Rejected(ServerError(WRONGPASS invalid username-password pair or user is disabled.))
        < -NOAUTH Authentication required.
        quiet
        deadline none
        refused Closed 1 GET k
        "#,
    );
    check(
        r#"
        start
        > HELLO 3
        < -NOAUTH HELLO must be called with the client already authenticated
        closed Rejected(ServerError(NOAUTH HELLO must be called with the client already authenticated))
        "#,
    );
    check(
        r#"
        start db 99
        sent
        < %0
        < -ERR DB index is out of range
        closed Rejected(ServerError(ERR DB index is out of range))
        "#,
    );
}

#[test]
fn an_error_before_any_question_is_a_refusal() {
    let full = "closed Refused(ServerError(ERR max number of clients reached))";
    check(&format!("start\n< -ERR max number of clients reached\n{full}\nquiet"));
    check(&format!("start resp2\nready resp2\n< -ERR max number of clients reached\n{full}"));
    check(
        "start resp2 password p\n< -DENIED Redis is running in protected mode\nclosed Refused(ServerError(DENIED Redis is running in protected mode))",
    );
    // Once HELLO is on its way, the two cannot be told apart.
    check(
        "start\n> HELLO 3\n< -ERR max number of clients reached\nclosed Rejected(ServerError(ERR max number of clients reached))",
    );
}

#[test]
fn an_answer_before_any_question_is_unsolicited() {
    check("start\n< +OK\nclosed Unsolicited");
    check("start\n< %0\nclosed Unsolicited");
    check("start resp2\nready resp2\n< +OK\nclosed Unsolicited");
    check("start\n> HELLO 3\n< %0\nready resp3\n< $-1\nclosed Unsolicited");
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
