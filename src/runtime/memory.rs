//! How much memory volumes may take.

use std::path::Path;

/// Where the machine's memory is not known.
const UNKNOWN: u64 = 4 * GIB;
/// Less than this holds not even the open study and the next.
const LEAST: u64 = GIB / 4;
const GIB: u64 = 1 << 30;
/// The settings' unit.
const MIB: u64 = 1 << 20;

/// Bytes of voxels to keep: what the settings say (MiB), or a quarter of the memory that this process may have.
#[must_use]
pub fn budget(setting: Option<u32>) -> usize {
    let bytes = setting.map_or_else(|| (limit() / 4).max(LEAST), |mebibytes| u64::from(mebibytes) * MIB);
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// The memory that this process may have: the machine's, or what its control group leaves it.
fn limit() -> u64 {
    let groups = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    let group = groups.into_iter().filter_map(|file| group_limit(Path::new(file))).min();
    let machine = machine().unwrap_or(UNKNOWN);
    group.map_or(machine, |group| group.min(machine))
}

/// A control group's limit (cgroups(7)); `None` where there is none, which its file calls `max`.
fn group_limit(file: &Path) -> Option<u64> {
    std::fs::read_to_string(file).ok()?.trim().parse().ok()
}

#[cfg(target_os = "linux")]
fn machine() -> Option<u64> {
    let info = rustix::system::sysinfo();
    Some(info.totalram.saturating_mul(info.mem_unit.max(1).into()))
}

#[cfg(not(target_os = "linux"))]
fn machine() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_go_first_then_a_quarter_of_what_there_is() {
        assert_eq!(budget(Some(512)), 512 << 20);
        let own = budget(None) as u64;
        assert!(own >= LEAST && own <= machine().unwrap_or(UNKNOWN).max(4 * LEAST) / 4, "{own}");
    }

    #[test]
    fn a_group_without_a_limit_limits_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("memory.max");
        for (text, limit) in [("max\n", None), ("2147483648\n", Some(2 * GIB)), ("", None)] {
            std::fs::write(&file, text).expect("a file");
            assert_eq!(group_limit(&file), limit);
        }
        assert_eq!(group_limit(&folder.path().join("none")), None);
    }
}
