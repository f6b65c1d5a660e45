//! Faults that take several steps.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use super::apart;
use super::scene::Scene;
use crate::admin::{Admin, Answer};
use crate::wait::until;
use crate::{Kind, Server};

/// The server is told to hand over to a replica of its own, and after so many milliseconds it is handed back.
/// What was acknowledged is on both: one waits for the other.
pub(super) fn fail_over(scene: &mut Scene, millis: u64) {
    // A replica that asks is served at once.
    const AT_ONCE: [&str; 2] = ["--repl-diskless-sync-delay", "0"];
    let first = scene.server.addr();
    let replica_of = format!("{} {}", first.ip(), first.port());
    let server = Server::builder(Kind::Redis70).args(["--replicaof", &replica_of]).args(AT_ONCE);
    scene.order("CONFIG SET repl-diskless-sync-delay 0");
    let server = server.start();
    let mut second = Admin::connect(server.addr());
    until("the copy", || {
        second.info("replication").get("master_link_status").is_some_and(|link| link == "up")
    });
    scene.rest(50);
    hand_over(&mut scene.admin, &mut second, &server);
    scene.rest(millis);
    hand_over(&mut second, &mut scene.admin, &scene.server);
    scene.round.over();
    scene.rest(200);
}

/// From one server to another, until both know.
fn hand_over(from: &mut Admin, to: &mut Admin, target: &Server) {
    let at = target.addr();
    // Not while the copy is made.
    until("a replica", || {
        let order = format!("FAILOVER TO {} {} TIMEOUT 5000", at.ip(), at.port());
        matches!(from.ask(&order), Answer::Text(_))
    });
    let role = |admin: &mut Admin, role: &str| admin.info("replication")["role"] == role;
    until("another primary", || role(from, "slave") && role(to, "master"));
    until("its replica", || from.info("replication")["master_link_status"] == "up");
}

/// The server cannot save, and takes no writes for so many milliseconds.
pub(super) fn cannot_save(scene: &mut Scene, millis: u64) {
    let folder = scene.server.dir().join("gone");
    fs::create_dir(&folder).expect("a folder");
    scene.order("CONFIG SET stop-writes-on-bgsave-error yes");
    scene.order(&format!("CONFIG SET dir {}", folder.display()));
    // Only who means to save is stopped when he cannot.
    scene.order("CONFIG SET save\t3600 1");
    fs::remove_dir(&folder).expect("the same folder");
    scene.admin.ask("BGSAVE");
    until("a save that fails", || scene.admin.info("persistence")["rdb_last_bgsave_status"] == "err");
    scene.rest(millis);
    scene.order("CONFIG SET stop-writes-on-bgsave-error no");
    scene.round.over();
    let folder = scene.server.dir().display().to_string();
    scene.order(&format!("CONFIG SET dir {folder}"));
    scene.rest(200);
}

/// So many percent of all packets to and from clients get lost, for so many milliseconds, in a network of
/// this process's own.
pub(super) fn lose_packets(scene: &mut Scene, percent: u8, millis: u64) {
    let port = scene.address.port();
    // Lost when they arrive: who sends one is not told.
    let rule = |end: &str| format!("tcp {end} {port} numgen random mod 100 < {percent} drop");
    scene.rest(100);
    filter(&format!(
        "table inet chaos {{\n chain input {{\n type filter hook input priority 0\n {}\n {}\n }}\n}}\n",
        rule("dport"),
        rule("sport")
    ));
    scene.rest(millis);
    filter("delete table inet chaos\n");
    scene.round.over();
    scene.rest(200);
}

/// Changes the rules for packets.
fn filter(rules: &str) {
    assert!(apart::is_apart(), "the network of the machine is not ours");
    let mut nft = Command::new("nft").args(["-f", "-"]).stdin(Stdio::piped()).spawn().expect("nft");
    nft.stdin.take().expect("its input").write_all(rules.as_bytes()).expect("rules for nft");
    assert!(nft.wait().expect("nft").success(), "{rules}");
}
