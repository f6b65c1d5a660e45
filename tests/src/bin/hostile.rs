//! Serves one attack of the hostile server, so that any client of RESP can be pointed at it.
//!
//! ```sh
//! cargo run -p respire-tests --bin hostile -- --list
//! cargo run -p respire-tests --bin hostile -- NAME [--port N] [--protocol 2|3] [--cut whole|bytes|edges|SEED]
//! ```
//!
//! It shakes hands, answers `PING` and `ECHO` truly and any other command by the attack. Whatever a
//! client makes of it, the answers to `ECHO` before and behind must be its own, or there must be none.

use std::net::TcpListener;
use std::process::ExitCode;
use std::{env, thread};

use respire_tests::hostile::{Attack, Cut, Spoken, TITLES, attacks, find, serve};

fn main() -> ExitCode {
    match run(env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            eprintln!(
                "usage: hostile --list | NAME [--port N] [--protocol 2|3] [--cut whole|bytes|edges|SEED]"
            );
            ExitCode::from(2)
        }
    }
}

fn run(mut args: impl Iterator<Item = String>) -> Result<(), String> {
    let name = args.next().ok_or("the name of an attack is missing")?;
    if name == "--list" {
        list();
        return Ok(());
    }
    let attack = find(&name).ok_or(format!("there is no attack {name}"))?;
    let (mut port, mut spoken, mut cut) = (0, attack.protocols().last().unwrap_or(Spoken::Resp3), Cut::Whole);
    while let Some(option) = args.next() {
        let value = args.next().ok_or(format!("{option} needs a value"))?;
        match (option.as_str(), value.as_str()) {
            ("--port", port_) => port = port_.parse().map_err(|_| format!("no port: {port_}"))?,
            ("--protocol", "2") => spoken = Spoken::Resp2,
            ("--protocol", "3") => spoken = Spoken::Resp3,
            ("--cut", "whole") => cut = Cut::Whole,
            ("--cut", "bytes") => cut = Cut::Bytes,
            ("--cut", "edges") => cut = Cut::Edges,
            ("--cut", seed) => cut = Cut::Random(seed.parse().map_err(|_| format!("no seed: {seed}"))?),
            _ => return Err(format!("no such option: {option} {value}")),
        }
    }
    let listener = TcpListener::bind(("127.0.0.1", port)).map_err(|error| error.to_string())?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    println!("{address} {name} {spoken:?}: {:?}", attack.outcome);
    for stream in listener.incoming() {
        let stream = stream.map_err(|error| error.to_string())?;
        thread::spawn(move || serve(stream, attack, spoken, cut));
    }
    Ok(())
}

fn list() {
    let mut class = 0;
    for Attack { class: number, name, only, room, outcome, .. } in attacks() {
        if *number != class {
            class = *number;
            println!("{class}. {}", TITLES[usize::from(class) - 1]);
        }
        let only = only.map_or(String::new(), |spoken| format!(", {spoken:?} only"));
        println!("   {name:40} {outcome:?} ({room:?} limits{only})");
    }
}
