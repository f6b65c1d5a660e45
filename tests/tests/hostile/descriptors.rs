//! What was opened is closed, however a connection ended.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use respire::Single;
use respire::prelude::*;
use respire_tests::Peer;
use respire_tests::hostile::{Attack, Cut, Manner, Outcome, Room, attacks, serve};

use crate::within::{each, sockets};

#[test]
fn descriptors_are_given_back() {
    let _sockets = sockets();
    // What other tests opened closes soon.
    settle(0);
    let ends = |attack: &&Attack| {
        let slow =
            matches!(attack.manner, Manner::Late(_) | Manner::Drip(_)) || attack.outcome == Outcome::Stalls;
        attack.room == Room::Server && attack.says.len() < 10_000 && !slow
    };
    let before = open();
    each(attacks().filter(ends), |attack| {
        let protocols = attack.protocols().collect::<Vec<_>>();
        let peer = Peer::new(move |n, stream| {
            let _ = serve(stream, attack, protocols[n % protocols.len()], Cut::Whole);
        });
        for _ in 0..4 {
            if let Ok(client) = Single::open(&format!("redis://{}", peer.address())) {
                let _ = client.send(raw("ATTACK")).wait();
                let _ = client.echo::<String>("x").wait();
            }
        }
    });
    settle(before);
    assert!(open() <= before, "{} descriptors, {before} before", open());
}

/// Sockets and what waits for them.
fn open() -> usize {
    let Ok(links) = fs::read_dir("/proc/self/fd") else { return 0 };
    let kind = |link: fs::DirEntry| fs::read_link(link.path()).ok()?.into_os_string().into_string().ok();
    let ours = |to: &String| to.starts_with("socket:") || to == "anon_inode:[eventpoll]";
    links.filter_map(Result::ok).filter_map(kind).filter(ours).count()
}

/// The peers' threads close their ends a moment later.
fn settle(target: usize) {
    let start = Instant::now();
    while open() > target && start.elapsed() < Duration::from_secs(10) {
        sleep(Duration::from_millis(20));
    }
}
