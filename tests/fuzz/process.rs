//! What the process holds in memory and what it has computed, as Linux tells it; nothing is known elsewhere.
#![allow(dead_code, reason = "each of its users needs another part")]

use std::time::Duration;

/// Forgets the highest resident size so far, so that the next one is that of what follows.
pub(crate) fn forget_peak() {
    // Not permitted in some containers: the peak is then that of the whole process, which only makes the bound stricter.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// The highest resident size, MiB (`VmHWM` of proc_pid_status(5)).
pub(crate) fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok()? / 1024)
}

/// Processor time of all threads so far (`utime` and `stime` of proc_pid_stat(5)), to a hundredth of a second.
pub(crate) fn computed() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The second field, the name, is in parentheses and may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks: u64 = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 10))
}
