//! What the process holds in memory, as Linux tells it; nothing is known elsewhere.

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
