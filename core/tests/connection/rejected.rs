//! A handshake that the server does not want.

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

/// S1-CONN-08: `CLIENT SETINFO` may be unknown.
#[test]
fn a_label_that_is_refused_is_no_matter() {
    check(
        r#"
        start library lib 1.0
        sent
        < %0
        < -ERR Unknown subcommand or wrong number of arguments for 'SETINFO'
        < -ERR Unknown subcommand or wrong number of arguments for 'SETINFO'
        ready resp3
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
