//! Publish and subscribe, in both versions.

use super::check;

const READY: &str = "start resp2\nready resp2\n";
const READY3: &str = "start\n> HELLO 3\n< %0\nready resp3\n";

/// The same story in RESP2 (arrays) and RESP3 (pushes).
fn both(text: &str) {
    check(&format!(
        "{READY}{}",
        text.replace("< >", "< *").replace("push push", "push array").replace(" push(", " array(")
    ));
    check(&format!("{READY3}{text}"));
}

#[test]
fn each_channel_is_confirmed_and_the_last_answers() {
    both(
        r#"
        submit 1 SUBSCRIBE a b
        submit 2 PSUBSCRIBE p*
        > SUBSCRIBE a b
        > PSUBSCRIBE p*
        < >3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1
        push push(3) "subscribe" "a" 1
        subscribed
        in-flight 2
        < >3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2
        push push(3) "subscribe" "b" 2
        reply 1 push(3) "subscribe" "b" 2
        < >3\r\n$10\r\npsubscribe\r\n$2\r\np*\r\n:3
        push push(3) "psubscribe" "p*" 3
        reply 2 push(3) "psubscribe" "p*" 3
        < >3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi
        push push(3) "message" "a" "hi"
        < >4\r\n$8\r\npmessage\r\n$2\r\np*\r\n$2\r\npq\r\n$2\r\nhi
        push push(4) "pmessage" "p*" "pq" "hi"
        "#,
    );
}

#[test]
fn a_message_between_confirmations_is_no_answer() {
    both(
        r#"
        submit 1 SUBSCRIBE a b
        > SUBSCRIBE a b
        < >3\r\n+subscribe\r\n+a\r\n:1
        push push(3) "subscribe" "a" 1
        < >3\r\n+message\r\n+a\r\n+hi
        push push(3) "message" "a" "hi"
        in-flight 1
        < >3\r\n+subscribe\r\n+b\r\n:2
        push push(3) "subscribe" "b" 2
        reply 1 push(3) "subscribe" "b" 2
        "#,
    );
}

#[test]
fn unsubscribing_without_names_ends_every_channel() {
    both(
        r#"
        submit 1 SUBSCRIBE a b
        submit 2 PSUBSCRIBE p
        submit 3 UNSUBSCRIBE
        submit 4 PUNSUBSCRIBE p
        sent
        < >3\r\n+subscribe\r\n+a\r\n:1\r\n\
        push push(3) "subscribe" "a" 1
        < >3\r\n+subscribe\r\n+b\r\n:2
        push push(3) "subscribe" "b" 2
        reply 1 push(3) "subscribe" "b" 2
        < >3\r\n+psubscribe\r\n+p\r\n:3
        push push(3) "psubscribe" "p" 3
        reply 2 push(3) "psubscribe" "p" 3
        < >3\r\n+unsubscribe\r\n+b\r\n:2
        push push(3) "unsubscribe" "b" 2
        in-flight 2
        < >3\r\n+unsubscribe\r\n+a\r\n:1
        push push(3) "unsubscribe" "a" 1
        reply 3 push(3) "unsubscribe" "a" 1
        subscribed
        < >3\r\n+punsubscribe\r\n+p\r\n:0
        push push(3) "punsubscribe" "p" 0
        reply 4 push(3) "punsubscribe" "p" 0
        unsubscribed
        submit 5 UNSUBSCRIBE
        submit 6 GET k
        sent
        < >3\r\n+unsubscribe\r\n$-1\r\n:0
        push push(3) "unsubscribe" nil 0
        reply 5 push(3) "unsubscribe" nil 0
        < :1
        reply 6 1
        "#,
    );
}

#[test]
fn shards_are_counted_apart() {
    both(
        r#"
        submit 1 SSUBSCRIBE s
        submit 2 SUBSCRIBE a
        sent
        < >3\r\n+ssubscribe\r\n+s\r\n:1
        push push(3) "ssubscribe" "s" 1
        reply 1 push(3) "ssubscribe" "s" 1
        < >3\r\n+subscribe\r\n+a\r\n:1
        push push(3) "subscribe" "a" 1
        reply 2 push(3) "subscribe" "a" 1
        < >3\r\n+smessage\r\n+s\r\n+hi
        push push(3) "smessage" "s" "hi"
        < >3\r\n+sunsubscribe\r\n+s\r\n:0
        push push(3) "sunsubscribe" "s" 0
        subscribed
        in-flight 0
        "#,
    );
}

#[test]
fn an_error_answers_a_subscription() {
    both(
        r#"
        submit 1 SUBSCRIBE a b
        submit 2 GET k
        sent
        < -NOPERM No permissions to access a channel
        reply 1 ServerError(NOPERM No permissions to access a channel)
        < :1
        reply 2 1
        submit 3 SUBSCRIBE
        sent
        < -ERR wrong number of arguments for 'subscribe' command
        reply 3 ServerError(ERR wrong number of arguments for 'subscribe' command)
        unsubscribed
        submit 4 UNSUBSCRIBE
        sent
        < -NOSUB 'UNSUBSCRIBE' command executed not in subscribed mode
        reply 4 ServerError(NOSUB 'UNSUBSCRIBE' command executed not in subscribed mode)
        "#,
    );
}

#[test]
fn an_abandoned_subscription_is_still_counted() {
    both(
        r#"
        submit 1 SUBSCRIBE a
        abandon 1
        sent
        < >3\r\n+subscribe\r\n+a\r\n:1
        push push(3) "subscribe" "a" 1
        subscribed
        in-flight 0
        submit 2 UNSUBSCRIBE a
        sent
        < >3\r\n+unsubscribe\r\n+a\r\n:0
        push push(3) "unsubscribe" "a" 0
        reply 2 push(3) "unsubscribe" "a" 0
        unsubscribed
        "#,
    );
}

#[test]
fn a_subscriber_of_resp2_can_ping() {
    check(&format!(
        "{READY}{}",
        r#"
        submit 1 SUBSCRIBE a
        submit 2 PING
        submit 3 GET k
        sent
        < *3\r\n+subscribe\r\n+a\r\n:1
        push array(3) "subscribe" "a" 1
        reply 1 array(3) "subscribe" "a" 1
        < *3\r\n+message\r\n+a\r\n+hi
        push array(3) "message" "a" "hi"
        < *2\r\n$4\r\npong\r\n$0\r\n\
        in-flight 2
        < \r\n\
        reply 2 array(2) "pong" ""
        < -ERR Can't execute 'get': only (P|S)SUBSCRIBE are allowed
        reply 3 ServerError(ERR Can't execute 'get': only (P|S)SUBSCRIBE are allowed)
        submit 4 RESET
        sent
        < *3\r\n+message\r\n+a\r\n+hi\r\n+RESET
        push array(3) "message" "a" "hi"
        reply 4 "RESET"
        unsubscribed
        submit 5 LRANGE k 0 -1
        sent
        < *3\r\n+message\r\n+a\r\n+hi
        reply 5 array(3) "message" "a" "hi"
        "#
    ));
}

#[test]
fn a_list_that_reads_like_a_message_is_an_answer() {
    let list = "submit 1 LRANGE k 0 -1\nsent\n< *3\\r\\n+message\\r\\n+a\\r\\n+hi\nreply 1 array(3) \"message\" \"a\" \"hi\"";
    check(&format!("{READY}{list}"));
    check(&format!("{READY3}{list}"));
    // In RESP3, subscribed or not.
    check(&format!(
        "{READY3}submit 9 SUBSCRIBE c\nsent\n< >3\\r\\n+subscribe\\r\\n+c\\r\\n:1\npush push(3) \"subscribe\" \"c\" 1\nreply 9 push(3) \"subscribe\" \"c\" 1\n{list}"
    ));
}

#[test]
fn a_server_may_confirm_by_arrays_in_resp3() {
    check(&format!(
        "{READY3}submit 1 SUBSCRIBE a\nsent\n< *3\\r\\n+subscribe\\r\\n+a\\r\\n:1\npush array(3) \"subscribe\" \"a\" 1\nreply 1 array(3) \"subscribe\" \"a\" 1\nsubscribed"
    ));
}

#[test]
fn a_confirmation_is_expected_of_a_subscription() {
    both("submit 1 SUBSCRIBE a\nsent\n< +OK\nfailed 1 Unknown\nclosed Unsolicited");
}

#[test]
fn a_confirmation_does_not_answer_what_was_not_sent() {
    check(&format!(
        "{READY3}submit 1 SUBSCRIBE a\n< >3\\r\\n+subscribe\\r\\n+a\\r\\n:1\npush push(3) \"subscribe\" \"a\" 1\nin-flight 1"
    ));
}

#[test]
fn each_kind_alone_is_a_subscription() {
    for (subscribe, unsubscribe) in
        [("subscribe", "unsubscribe"), ("psubscribe", "punsubscribe"), ("ssubscribe", "sunsubscribe")]
    {
        both(&format!(
            r#"
            submit 1 {subscribe} a
            sent
            unsubscribed
            < >3\r\n+{subscribe}\r\n+a\r\n:1
            push push(3) "{subscribe}" "a" 1
            reply 1 push(3) "{subscribe}" "a" 1
            subscribed
            submit 2 {unsubscribe} a
            sent
            < >3\r\n+{unsubscribe}\r\n+a\r\n:0
            push push(3) "{unsubscribe}" "a" 0
            reply 2 push(3) "{unsubscribe}" "a" 0
            unsubscribed
            "#
        ));
    }
}

#[test]
fn a_confirmation_of_another_kind_is_no_answer() {
    both(
        r#"
        submit 1 SUBSCRIBE a
        sent
        < >3\r\n+psubscribe\r\n+p\r\n:1
        push push(3) "psubscribe" "p" 1
        in-flight 1
        < >3\r\n+subscribe\r\n+a\r\n:2
        push push(3) "subscribe" "a" 2
        reply 1 push(3) "subscribe" "a" 2
        submit 2 UNSUBSCRIBE a
        sent
        < >3\r\n+punsubscribe\r\n+p\r\n:1
        push push(3) "punsubscribe" "p" 1
        in-flight 1
        < >3\r\n+unsubscribe\r\n+a\r\n:0
        push push(3) "unsubscribe" "a" 0
        reply 2 push(3) "unsubscribe" "a" 0
        "#,
    );
}

#[test]
fn unknown_pushes_are_handed_on() {
    check(&format!(
        "{READY3}< >0\npush push(0)\n< >1\\r\\n:1\npush push(1) 1\n< >2\\r\\n+tracking-redir-broken\\r\\n:7\npush push(2) \"tracking-redir-broken\" 7"
    ));
    check(&format!("{READY}< >1\\r\\n+x\npush push(1) \"x\""));
}
