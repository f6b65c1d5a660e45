//! Subscribers whose server is of two minds.

use respire::{Client, Notice};

use crate::support::{Admin, Answer, LIMIT, redis, until};

fn text(notice: Notice) -> String {
    match notice {
        Notice::Message(message) => String::from_utf8(message.payload).expect("text"),
        other => panic!("{other:?}"),
    }
}

/// S1-CLI-09: a subscription that is lost, then refused, then confirmed again has a gap, and its subscriber
/// is told so before the next message.
#[test]
fn a_gap_is_told_although_the_server_says_no_in_between() {
    let Some(server) = redis() else { return };
    let mut admin = Admin::connect(server.addr());
    admin.done("ACL SETUSER boss on nopass +@all ~* &*");
    admin.done("AUTH boss any");
    for protocol in [2, 3] {
        let client = Client::open(&format!("{}?protocol={protocol}", server.url())).expect("a client");
        let mut news = client.subscribe("c").wait().expect("a subscriber");
        let mut hear = || news.recv_timeout(LIMIT).expect("something in time").expect("no end");
        admin.done("PUBLISH c 1");
        assert_eq!(text(hear()), "1");
        // Who is subscribed to what he may not any more is cut off.
        let refused = admin.calls("subscribe").rejected;
        admin.done("ACL SETUSER default resetchannels");
        until("a refusal", || admin.calls("subscribe").rejected > refused);
        admin.done("PUBLISH c 2");
        admin.done("ACL SETUSER default allchannels");
        until(
            "a subscription",
            || matches!(admin.done("PUBSUB NUMSUB c"), Answer::List(list) if list[1] == Answer::Number(1)),
        );
        admin.done("PUBLISH c 3");
        assert!(matches!(hear(), Notice::Refused { name, .. } if name == b"c"), "protocol {protocol}");
        assert_eq!(hear(), Notice::Gap, "protocol {protocol}");
        assert_eq!(text(hear()), "3");
    }
}
