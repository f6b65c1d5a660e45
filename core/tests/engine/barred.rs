//! Databases that a server refuses for a while: what else there is goes on, and they are asked for again.

use respire_core::command::{Subscription::Channel, incr};
use respire_core::conn::{Protocol, Settings};
use respire_core::engine::{Config, Options};
use respire_core::key::{Databases, Shard};
use respire_core::pool;
use respire_core::pubsub::Happened;
use respire_core::testing::ClientId;

use crate::config;
use crate::net::{HEAP, Net, Told, token};

fn several(lanes: u8, databases: Databases) -> Net {
    let pool = pool::Config { size: 8, ..config().pool };
    let memory = respire_core::engine::Heap { connections: 8, ..HEAP };
    Net::with(memory, &Config { lanes, databases, pool, ..config() })
}

/// What the server has said to one client comes, or this instead.
fn hear(net: &mut Net, client: ClientId, instead: Option<&[u8]>) {
    let id = net.sockets.values().find(|socket| socket.1 == client).expect("it is open").0;
    let said = net.server.output(client).to_vec();
    net.server.sent(client, said.len());
    let text = instead.unwrap_or(&said);
    net.engine.recv_space(id).unwrap()[..text.len()].copy_from_slice(text);
    net.engine.handle_received(id, text.len());
}

/// Those whose database is confirmed, as soon as they hear it.
fn tuned(net: &Net) -> Vec<ClientId> {
    let clients = net.sockets.values().map(|(_, client)| *client);
    clients.filter(|client| net.server.output(*client) == b"+OK\r\n").collect()
}

/// Where one shared connection is full and another was refused the database, it has not been refused.
#[test]
fn a_full_connection_is_one_to_its_database() {
    let mut net = several(2, Databases::range(0, 2));
    net.settings = Settings { protocol: Some(Protocol::Resp2), ..Settings::NONE };
    net.silent = true;
    net.turn();
    let [one, other] = tuned(&net)[..] else { panic!("two of four are for the other database") };
    hear(&mut net, one, None);
    net.turn();
    let options = Options { shard: Some(Shard { ordinal: 1, database: 1 }), ..Options::DEFAULT };
    for n in 0..17 {
        net.engine.submit(net.now, token(n), &incr("n"), &options).unwrap();
    }
    net.turn();
    hear(&mut net, other, Some(b"-ERR not now\r\n"));
    net.turn();
    assert_eq!(net.told(), []);
    net.silent = false;
    net.turn();
    let told = net.told();
    assert!(told.len() == 17 && told.iter().all(|told| matches!(told, Told::Reply(..))), "{told:?}");
}

/// Subscriptions wait for any shared connection: it is asked for again without anybody else's doing.
#[test]
fn what_was_refused_is_asked_for_again() {
    let mut net = several(1, Databases::range(1, 2));
    net.silent = true;
    net.engine.subscribe(net.now, Channel, b"news").unwrap();
    net.turn();
    // The handshake.
    for (_, client) in net.sockets.values().copied().collect::<Vec<_>>() {
        hear(&mut net, client, None);
    }
    net.turn();
    let clients = tuned(&net);
    assert_eq!(clients.len(), 2);
    for client in clients {
        hear(&mut net, client, Some(b"-ERR not now\r\n"));
    }
    net.silent = false;
    net.ms(999);
    assert_eq!(net.told(), []);
    net.ms(1);
    assert_eq!(net.told(), [Told::Happened(Happened::Subscribed, "news".into())]);
}
