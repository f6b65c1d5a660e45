//! The chip's interrupt vectors: only the Ethernet controller's is used.

use super::nic;

/// The chip has 44 interrupts; the table ends with the last one that is enabled.
#[unsafe(link_section = ".vector_table.interrupts")]
#[unsafe(no_mangle)]
static __INTERRUPTS: [unsafe extern "C" fn(); nic::IRQ + 1] = {
    let mut table = [DefaultHandler as unsafe extern "C" fn(); nic::IRQ + 1];
    table[nic::IRQ] = nic::interrupt;
    table
};

unsafe extern "C" {
    /// For interrupts that nobody expects; `fault` defines it.
    fn DefaultHandler();
}
