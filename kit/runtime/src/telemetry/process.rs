//! What the process takes of its machine, by OpenTelemetry's names. Where there is no `/proc`, nothing is told.

use std::fs;

use opentelemetry::{KeyValue, global};

/// Of the times in `/proc`, so many are a second, on every Linux that there is.
const TICKS: f64 = 100.0;
/// Where the times of user and system stand behind the name of the program.
const TIMES: [(usize, &str); 2] = [(11, "user"), (12, "system")];

/// Tells of it from now on, when it is asked for.
pub(super) fn watch() {
    let meter = global::meter("tradewind");
    meter
        .f64_observable_counter("process.cpu.time")
        .with_unit("s")
        .with_description("Processor time of the process")
        .with_callback(|time| {
            for (seconds, mode) in fs::read_to_string("/proc/self/stat").iter().flat_map(|stat| times(stat)) {
                time.observe(seconds, &[KeyValue::new("cpu.mode", mode)]);
            }
        })
        .build();
    meter
        .u64_observable_gauge("process.memory.usage")
        .with_unit("By")
        .with_description("Memory of the process that is in use")
        .with_callback(|memory| {
            if let Some(bytes) = fs::read_to_string("/proc/self/status").ok().and_then(|status| resident(&status)) {
                memory.observe(bytes, &[]);
            }
        })
        .build();
    meter
        .u64_observable_gauge("process.unix.file_descriptor.count")
        .with_unit("{file_descriptor}")
        .with_description("Files and connections that are open")
        .with_callback(|open| {
            if let Ok(files) = fs::read_dir("/proc/self/fd") {
                open.observe(files.count().try_into().unwrap_or(u64::MAX), &[]);
            }
        })
        .build();
}

/// Seconds by mode, from `/proc/self/stat`. The name of the program stands in brackets, and may have any.
fn times(stat: &str) -> Vec<(f64, &'static str)> {
    let fields: Vec<_> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let seconds = |at: usize| Some(f64::from(fields.get(at)?.parse::<u32>().ok()?) / TICKS);
    TIMES.iter().filter_map(|(at, mode)| Some((seconds(*at)?, *mode))).collect()
}

/// Bytes, from `/proc/self/status`.
fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_is_read() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 9 0 123 1 2 3";
        assert_eq!(times(stat), [(2.5, "user"), (0.5, "system")]);
        assert_eq!(times(""), []);
        assert_eq!(resident("Name:\tx\nVmRSS:\t    2048 kB\n"), Some(2_097_152));
        assert_eq!(resident("Name:\tx\n"), None);
    }
}
