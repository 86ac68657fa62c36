//! What the operating system says of this process: memory, processor, open files, threads. Read when it is
//! asked for; the time of the start is told by whoever knows it.

use crate::view::ProcessGauge;
use rustix::time::{ClockId, clock_gettime};
use std::fs;

/// As it is now; where the system says nothing (no `/proc`), 0.
#[must_use]
pub fn process(started_ms: i64) -> ProcessGauge {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    // The reading itself holds one open.
    let open = fs::read_dir("/proc/self/fd").map_or(0, |files| files.count().saturating_sub(1));
    let cpu = clock_gettime(ClockId::ProcessCPUTime);
    let ms = |count: i64| u64::try_from(count).unwrap_or(0);
    ProcessGauge {
        started_ms,
        resident_bytes: field(&status, "VmRSS:").saturating_mul(1_024),
        cpu_ms: ms(cpu.tv_sec).saturating_mul(1_000).saturating_add(ms(cpu.tv_nsec / 1_000_000)),
        open_files: u64::try_from(open).unwrap_or(u64::MAX),
        open_files_limit: field(&limits, "Max open files"),
        threads: field(&status, "Threads:"),
    }
}

/// The first number behind a word at the beginning of a line.
fn field(text: &str, word: &str) -> u64 {
    let rest = text.lines().find_map(|line| line.strip_prefix(word));
    rest.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_seen_and_a_file_more_is_one_more() {
        let before = process(7);
        assert_eq!(before.started_ms, 7);
        assert!(before.resident_bytes > 1 << 20, "{before:?}");
        assert!(before.threads >= 1 && before.open_files >= 3, "{before:?}");
        assert!(before.open_files_limit > before.open_files, "{before:?}");
        let mut sum = 0_u64;
        while process(7).cpu_ms < before.cpu_ms + 20 {
            sum = sum.wrapping_mul(31).wrapping_add(1);
        }
        assert!(sum > 0);
    }

    #[test]
    fn a_number_is_read_where_it_stands() {
        let text = "Name:\tx\nVmRSS:\t   1234 kB\nThreads:\tmany\nMax open files            1024  4096 files\n";
        assert_eq!(field(text, "VmRSS:"), 1_234);
        assert_eq!(field(text, "Threads:"), 0);
        assert_eq!(field(text, "Max open files"), 1_024);
        assert_eq!(field("", "VmRSS:"), 0);
    }
}
