//! Bytes to replies.

mod hiredis;
mod leaves;
mod redis;
mod redis_protocol;
mod respire;
mod rustis;
mod workloads;
mod yardstick;

pub(crate) use workloads::Scale;

use crate::case::Case;

/// The cases of each workload, all checked: what they decode is what was encoded.
pub(crate) fn cases(scale: Scale) -> impl Iterator<Item = Vec<Case>> {
    workloads::workloads(scale).into_iter().map(move |workload| {
        let mut cases = respire::cases(&workload);
        cases.extend(hiredis::cases(&workload));
        cases.extend(redis::cases(&workload));
        cases.extend(redis_protocol::cases(&workload, scale));
        cases.extend(rustis::cases(&workload));
        cases.extend(yardstick::cases(&workload));
        for case in &mut cases {
            case.workload = workload.name;
            if case.units == 0 {
                case.units = workload.units;
            }
        }
        cases
    })
}
