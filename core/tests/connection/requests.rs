//! Requests and their answers, and what becomes of requests without.

use super::check;

const READY: &str = "start resp2\nready resp2\n";
const READY3: &str = "start\n> HELLO 3\n< %0\nready resp3\n";

fn check2(text: &str) {
    check(&format!("{READY}{text}"));
}

fn check3(text: &str) {
    check(&format!("{READY3}{text}"));
}

/// S1-CONN-01: the machine alone, without a pool, in memory of a fixed size, fed whole and cut at every byte.
#[test]
fn answers_come_in_the_order_of_requests() {
    check2(
        r#"
        submit 1 GET a
        submit 2 GET b
        submit 3 GET c
        in-flight 3
        > GET a
        > GET b
        > GET c
        quiet
        < $1\r\nx\r\n-ERR no\r\n*2\r\n:1\r\n$-1
        reply 1 "x"
        reply 2 ServerError(ERR no)
        reply 3 array(2) 1 nil
        in-flight 0
        submit 3 PING
        > PING
        < +PONG
        reply 3 "PONG"
        "#,
    );
}

#[test]
fn tokens_are_the_caller_s_and_may_repeat() {
    check2("submit 7 GET a\nsubmit 7 GET b\nsent\n< :1\\r\\n:2\nreply 7 1\nreply 7 2");
}

#[test]
fn an_abandoned_request_loses_just_its_own_answer() {
    check2(
        r#"
        submit 1 GET a
        submit 2 GET b
        submit 3 GET c
        sent
        abandon 2 Unknown
        in-flight 3
        < $1\r\na
        reply 1 "a"
        < $1\r\nb
        < $1\r\nc
        reply 3 "c"
        submit 4 GET d
        > GET d
        abandon 4
        in-flight 1
        < $1\r\nd
        in-flight 0
        submit 5 GET e
        > GET e
        < $1\r\ne
        reply 5 "e"
        "#,
    );
    // The oldest of several with one token goes first.
    check2("submit 7 GET a\nsubmit 7 GET b\nsent\nabandon 7\n< :1\n< :2\nreply 7 2");
    check2("submit 7 GET a\nsubmit 7 GET b\nsent\nabandon 7\nabandon 7\n< :1\n< :2\nin-flight 0");
}

#[test]
fn abandoned_requests_are_not_told_of_at_the_end() {
    check2("submit 1 GET a\nsubmit 2 GET b\nsent\nabandon 1\neof\nfailed 2 Unknown\nclosed Eof");
}

#[test]
fn a_lost_answer_is_unknown_an_unsent_request_is_not() {
    check2(
        r#"
        submit 1 GET a
        submit 2 GET b
        submit 3 GET c
        > GET a
        sent 1                        # one byte of the second
        < $5\r\nhel\
        eof
        failed 1 Unknown
        failed 2 Unknown
        failed 3 NotSent
        closed Eof
        in-flight 0
        refused Closed 4 GET d
        "#,
    );
    check2("submit 1 GET a\nerror\nfailed 1 NotSent\nclosed Transport");
    check2("submit 1 GET a\nclose\nfailed 1 NotSent\nclosed Local");
    check2(
        "submit 1 GET a\n> GET a\nsubmit 2 GET b\nclose\nfailed 1 Unknown\nfailed 2 NotSent\nclosed Local",
    );
    check2("submit 1 GET a\nsent 3\nerror\nfailed 1 Unknown\nclosed Transport");
}

#[test]
fn answers_that_came_before_the_end_count() {
    check2("submit 1 GET a\nsubmit 2 GET b\nsent\n< :1\nreply 1 1\neof\nfailed 2 Unknown\nclosed Eof");
}

#[test]
fn a_broken_answer_ends_the_connection() {
    check2("submit 1 GET a\nsent\n< $3\\r\\nabcXX\nfailed 1 Unknown\nclosed Protocol(BadTerminator)\nquiet");
    check2("submit 1 EXEC\nsent\n< *1\\r\\n>1\\r\\n+a\nfailed 1 Unknown\nclosed Protocol(NestedPush)");
    check2("submit 1 GET a\nsent\n< :1\\r\\n:2\nreply 1 1\nclosed Unsolicited");
    check2("submit 1 GET a\nsent\n< :1\\r\\n-ERR why\nreply 1 1\nclosed Refused(ServerError(ERR why))");
}

#[test]
fn an_answer_that_began_before_its_request_was_sent_is_nobody_s() {
    for first in [r"$5\r\nhe\", r"$\", r"*1\r\n$5\r\nhe\"] {
        let rest = if first == r"$\" { r"5\r\nhello" } else { "llo" };
        check2(&format!(
            "submit 1 GET a\nsent\n< :1\\r\\n{first}\nreply 1 1\nsubmit 2 GET b\nsent\n< {rest}\nfailed 2 Unknown\nclosed Unsolicited"
        ));
    }
    check2(
        "< -ERR to\\\nsubmit 1 GET a\nsent\n< o many\nfailed 1 Unknown\nclosed Refused(ServerError(ERR too many))",
    );
    check3("< >1\\r\\n+\\\nsubmit 1 GET a\nsent\n< p\\r\\n:1\npush push(1) \"p\"\nreply 1 1");
}

#[test]
fn an_answer_to_a_request_that_was_not_sent_is_nobody_s() {
    check2("submit 1 GET a\n< $1\\r\\nx\nfailed 1 NotSent\nclosed Unsolicited");
    check2(
        "submit 1 GET a\n< -ERR max number of clients reached\nfailed 1 NotSent\nclosed Refused(ServerError(ERR max number of clients reached))",
    );
    check2(
        "submit 1 GET a\nsubmit 2 GET b\n> GET a\n< :1\\r\\n:2\nreply 1 1\nfailed 2 NotSent\nclosed Unsolicited",
    );
    // A server may object to a request before all of it is there.
    check2("submit 1 GET a\nsent 5\n< -ERR Protocol error\nreply 1 ServerError(ERR Protocol error)");
    check2(
        "submit 1 GET a\nsent 5\n< -ERR\nreply 1 ServerError(ERR)\nsubmit 2 GET b\n< :1\nfailed 2 NotSent\nclosed Unsolicited",
    );
}

#[test]
fn pushes_stand_between_answers() {
    check3(
        r#"
        submit 1 GET a
        sent
        < >2\r\n+invalidate\r\n*1\r\n+k\r\n:1\r\n>2\r\n+invalidate\r\n_
        push push(2) "invalidate" array(1) "k"
        reply 1 1
        push push(2) "invalidate" nil
        "#,
    );
}

#[test]
fn attributes_are_skipped() {
    check3("submit 1 GET a\nsent\n< |1\\r\\n+ttl\\r\\n:5\\r\\n$1\\r\\nx\nreply 1 \"x\"");
}

#[test]
fn transactions_answer_like_anything_else() {
    check2(
        r#"
        submit 1 MULTI
        submit 2 SET k 1
        submit 3 INCR k
        submit 4 EXEC
        sent
        < +OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n:2
        reply 1 "OK"
        reply 2 "QUEUED"
        reply 3 "QUEUED"
        reply 4 array(2) "OK" 2
        submit 5 MULTI
        submit 6 EXEC
        sent
        < +OK\r\n*-1
        reply 5 "OK"
        reply 6 nil
        "#,
    );
}

#[test]
fn quit_ends_well() {
    check2("submit 1 QUIT\nsent\n< +OK\nreply 1 \"OK\"\neof\nclosed Quit");
    check2("submit 1 QUIT\nsent\neof\nfailed 1 Unknown\nclosed Eof");
    check2("submit 1 QUIT\nsubmit 2 GET a\nsent\n< +OK\nreply 1 \"OK\"\neof\nfailed 2 Unknown\nclosed Quit");
}

#[test]
fn monitor_lines_are_pushes() {
    check2(
        r#"
        submit 1 MONITOR
        > MONITOR
        < +OK
        reply 1 "OK"
        < +1339518083.107412 [0 127.0.0.1:60866] "keys" "*"
        push "1339518083.107412 [0 127.0.0.1:60866] \"keys\" \"*\""
        submit 2 PING
        > PING
        < +1339518087.877697 [0 127.0.0.1:60866] "ping"
        push "1339518087.877697 [0 127.0.0.1:60866] \"ping\""
        < +PONG
        reply 2 "PONG"
        submit 3 RESET
        > RESET
        < +1339518090.420270 [0 127.0.0.1:60866] "get" "x"
        push "1339518090.420270 [0 127.0.0.1:60866] \"get\" \"x\""
        < +RESET
        reply 3 "RESET"
        < +1339518090.420270 [0 127.0.0.1:60866] "get" "x"
        closed Unsolicited
        "#,
    );
    check2(
        "submit 1 MONITOR\nsent\n< -NOPERM no\nreply 1 ServerError(NOPERM no)\n< +1.1 a\nclosed Unsolicited",
    );
}

#[test]
fn hello_and_reset_change_the_version() {
    check2(
        r#"
        submit 1 HELLO 3
        > HELLO 3
        protocol resp2
        < %0
        reply 1 map(0)
        protocol resp3
        submit 2 HELLO 2
        > HELLO 2
        < *0
        reply 2 array(0)
        protocol resp2
        submit 3 HELLO 3
        submit 4 HELLO 4
        sent
        < %0\r\n-NOPROTO unsupported protocol version
        reply 3 map(0)
        reply 4 ServerError(NOPROTO unsupported protocol version)
        protocol resp3
        submit 5 RESET
        sent
        < +RESET
        reply 5 "RESET"
        protocol resp2
        "#,
    );
    // A confirmation is no change; nor for an abandoned one is the change lost.
    check3(
        "submit 1 MULTI\nsubmit 2 HELLO 3\nsent\n< +OK\\r\\n+QUEUED\nreply 1 \"OK\"\nreply 2 \"QUEUED\"\nprotocol resp3",
    );
    check3("submit 1 HELLO 3\nsent\n< +OK\nreply 1 \"OK\"\nprotocol resp3");
    check2("submit 1 HELLO 3\nabandon 1\nsent\n< %0\nprotocol resp3");
    check2(
        "submit 1 MULTI\nsubmit 2 MONITOR\nsent\n< +OK\\r\\n+QUEUED\nreply 1 \"OK\"\nreply 2 \"QUEUED\"\n< +1.1 x\nclosed Unsolicited",
    );
}

#[test]
fn blocking_requests_hold_up_those_behind() {
    check2(
        r#"
        until never 1 BLPOP k 0
        until never 2 GET a
        submit 3 GET b
        sent
        in-flight 3
        deadline 5s
        @5s
        timeout
        failed 3 TimedOut
        deadline 10s
        @10s
        timeout
        deadline none
        < *-1\r\n:1
        reply 1 nil
        reply 2 1
        < :2
        in-flight 0
        deadline none
        "#,
    );
}
