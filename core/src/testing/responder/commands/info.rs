//! INFO: the sections that clients and their tests look into.

use super::super::call::Call;
use super::super::fault::Done;
use alloc::format;
use alloc::string::String;

/// The version it claims to be.
pub(crate) const VERSION: &str = "7.0.15";

/// Writes one section.
type Section = fn(&mut Call<'_>) -> String;

/// A section by name, and whether a plain INFO shows it.
const SECTIONS: &[(&str, bool, Section)] = &[
    ("Server", true, server),
    ("Clients", true, clients),
    ("Memory", true, memory),
    ("Persistence", true, persistence),
    ("Stats", true, stats),
    ("Replication", true, replication),
    ("Commandstats", false, commandstats),
    ("Cluster", true, cluster),
    ("Keyspace", true, keyspace),
];

pub(crate) fn info(call: &mut Call<'_>) -> Done {
    let asked =
        |call: &Call<'_>, name: &str| call.args_from(1).any(|arg| arg.eq_ignore_ascii_case(name.as_bytes()));
    let everything = asked(call, "all") || asked(call, "everything");
    let usual = call.len() == 1 || asked(call, "default");
    let mut text = String::new();
    for &(name, shown, section) in SECTIONS {
        if everything || usual && shown || asked(call, name) {
            if !text.is_empty() {
                text.push_str("\r\n");
            }
            text.push_str(&format!("# {name}\r\n"));
            text.push_str(&section(call));
        }
    }
    call.me.out.verbatim(text.as_bytes());
    Ok(())
}

fn server(call: &mut Call<'_>) -> String {
    let started = call.shared.stats.started.unwrap_or_default();
    let uptime = call.shared.now.saturating_sub(started).as_secs();
    format!(
        "redis_version:{VERSION}\r\nredis_git_sha1:00000000\r\nredis_git_dirty:0\r\n\
         redis_mode:standalone\r\narch_bits:64\r\nprocess_id:1\r\n\
         run_id:{run_id}\r\ntcp_port:6379\r\n\
         server_time_usec:{time}\r\nuptime_in_seconds:{uptime}\r\n\
         uptime_in_days:{days}\r\nhz:10\r\nconfigured_hz:10\r\nexecutable:\r\nconfig_file:\r\n",
        run_id = "0".repeat(40),
        time = call.shared.now.as_micros(),
        days = uptime / 86_400,
    )
}

fn clients(call: &mut Call<'_>) -> String {
    format!(
        "connected_clients:{connected}\r\ncluster_connections:0\r\nmaxclients:10000\r\n\
         blocked_clients:0\r\ntracking_clients:0\r\nclients_in_timeout_table:0\r\n",
        connected = call.shared.clients.len().saturating_add(1),
    )
}

/// Memory is not measured, so the numbers stand for themselves.
fn memory(_: &mut Call<'_>) -> String {
    String::from(
        "used_memory:1048576\r\nused_memory_human:1.00M\r\nused_memory_peak:1048576\r\n\
         used_memory_peak_human:1.00M\r\nmaxmemory:0\r\nmaxmemory_human:0B\r\n\
         maxmemory_policy:noeviction\r\n",
    )
}

fn persistence(call: &mut Call<'_>) -> String {
    let started = call.shared.stats.started.unwrap_or_default();
    format!(
        "loading:0\r\nrdb_changes_since_last_save:0\r\nrdb_bgsave_in_progress:0\r\n\
         rdb_last_save_time:{saved}\r\nrdb_last_bgsave_status:ok\r\naof_enabled:0\r\n",
        saved = started.as_secs(),
    )
}

fn stats(call: &mut Call<'_>) -> String {
    let stats = &call.shared.stats;
    format!(
        "total_connections_received:{connections}\r\ntotal_commands_processed:{commands}\r\n\
         total_net_input_bytes:{received}\r\nrejected_connections:0\r\n\
         expired_keys:{expired}\r\nevicted_keys:0\r\nkeyspace_hits:{hits}\r\n\
         keyspace_misses:{misses}\r\npubsub_channels:{channels}\r\n\
         pubsub_patterns:{patterns}\r\ntotal_error_replies:{errors}\r\n",
        connections = stats.connections,
        commands = stats.commands,
        received = stats.received,
        expired = call.space.expired,
        hits = call.space.hits,
        misses = call.space.misses,
        channels = call.shared.hub.channel_count(),
        patterns = call.shared.hub.pattern_count(),
        errors = stats.errors,
    )
}

fn replication(_: &mut Call<'_>) -> String {
    format!(
        "role:master\r\nconnected_slaves:0\r\nmaster_failover_state:no-failover\r\n\
         master_replid:{id}\r\nmaster_replid2:{id}\r\nmaster_repl_offset:0\r\n\
         second_repl_offset:-1\r\nrepl_backlog_active:0\r\n",
        id = "0".repeat(40),
    )
}

/// Calls are counted, not timed.
fn commandstats(call: &mut Call<'_>) -> String {
    let mut text = String::new();
    for (name, calls) in call.shared.table.calls() {
        text.push_str(&format!(
            "cmdstat_{name}:calls={calls},usec=0,usec_per_call=0.00,rejected_calls=0,\
             failed_calls=0\r\n"
        ));
    }
    text
}

fn cluster(_: &mut Call<'_>) -> String {
    String::from("cluster_enabled:0\r\n")
}

fn keyspace(call: &mut Call<'_>) -> String {
    let mut text = String::new();
    for (index, (keys, expires)) in call.space.census().into_iter().enumerate() {
        if keys > 0 {
            text.push_str(&format!("db{index}:keys={keys},expires={expires},avg_ttl=0\r\n"));
        }
    }
    text
}
