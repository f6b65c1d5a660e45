//! Requests to bytes.

mod hiredis;
mod redis;
mod redis_protocol;
mod respire;
mod rustis;
mod workloads;
mod yardstick;

use crate::case::Case;

/// The cases of each command, all checked: every one encodes the same bytes. Each run encodes as many
/// as told.
pub(crate) fn cases(times: usize) -> impl Iterator<Item = Vec<Case>> {
    workloads::workloads().into_iter().map(move |workload| {
        let mut cases = respire::cases(&workload, times);
        cases.push(hiredis::case(&workload, times));
        cases.push(redis::case(&workload, times));
        cases.push(redis_protocol::case(&workload, times));
        cases.push(rustis::case(&workload, times));
        cases.extend(yardstick::cases(&workload, times));
        for case in &mut cases {
            case.workload = workload.name;
            case.units = times;
        }
        cases
    })
}
