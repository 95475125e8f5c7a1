//! How much memory there is, and what of it goes where: to what is asked, to what is answered, to connections, each a quarter. The
//! rest is the program's own.

use std::fs;
use std::path::Path;

/// What is reckoned with where nothing says how much there is, and what is at least.
const UNKNOWN: usize = 256 << 20;
const LEAST: usize = 64 << 20;
/// Beyond this, more is of no use.
const MOST: usize = 4 << 30;
/// What a connection takes beside what is counted of its requests, plain and over TLS: itself, and what has come that nobody has read.
const CONNECTION: usize = 64 << 10;
const TLS_CONNECTION: usize = 96 << 10;

/// How many bytes the gateway may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory(usize);

impl Memory {
    /// So many MiB; where that is 0, what the container may have, or else the machine has.
    #[must_use]
    pub fn of(mebibytes: usize) -> Self {
        let bytes = mebibytes.saturating_mul(1 << 20);
        Self(if bytes == 0 { found(Path::new("/")) } else { bytes })
    }

    /// The bytes that requests may hold at a time; answers as many.
    pub(crate) const fn room(self) -> usize {
        self.within() / 4
    }

    /// The most connections, which are `wanted` at most.
    pub(crate) fn connections(self, wanted: usize, is_tls: bool) -> usize {
        wanted.min(self.within() / 4 / if is_tls { TLS_CONNECTION } else { CONNECTION })
    }

    const fn within(self) -> usize {
        match self.0 {
            bytes if bytes < LEAST => LEAST,
            bytes if bytes > MOST => MOST,
            bytes => bytes,
        }
    }
}

/// The least of what is said below `root` of how much there is: for this process, for what it runs in, and of the machine.
fn found(root: &Path) -> usize {
    let read = |path: &Path| fs::read_to_string(path).ok();
    let groups = read(&root.join("proc/self/cgroup")).unwrap_or_default();
    // `0::/path` of version 2, `5:memory:/path` of version 1; in a container of its own, the path begins at the container.
    let groups = groups.lines().filter_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (kind, path) = (parts.next()?, parts.next()?.trim_start_matches('/'));
        match kind {
            "" => Some((root.join("sys/fs/cgroup"), path, "memory.max")),
            kind if kind.split(',').any(|kind| kind == "memory") => {
                Some((root.join("sys/fs/cgroup/memory"), path, "memory.limit_in_bytes"))
            }
            _ => None,
        }
    });
    let limits = groups.flat_map(|(mount, path, file)| {
        let within = mount.join(path);
        let within = within.ancestors().take_while(|folder| folder.starts_with(&mount));
        within.filter_map(|folder| read(&folder.join(file))?.trim().parse().ok()).collect::<Vec<usize>>()
    });
    let machine = read(&root.join("proc/meminfo")).and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
        let kibibytes: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kibibytes << 10)
    });
    limits.chain(machine).min().unwrap_or(UNKNOWN)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn machine(files: &[(&str, &str)]) -> usize {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        found(root.path())
    }

    #[test]
    fn the_narrowest_limit_counts() {
        let memory = ("proc/meminfo", "MemTotal:        1048576 kB\nMemFree: 1 kB\n");
        assert_eq!(machine(&[]), UNKNOWN);
        assert_eq!(machine(&[memory]), 1 << 30);
        let group = ("proc/self/cgroup", "0::/pods/one\n");
        assert_eq!(machine(&[memory, group, ("sys/fs/cgroup/pods/one/memory.max", "max\n")]), 1 << 30);
        assert_eq!(machine(&[memory, group, ("sys/fs/cgroup/pods/memory.max", "300000000\n")]), 300_000_000);
        let own = ("proc/self/cgroup", "0::/\n");
        assert_eq!(machine(&[memory, own, ("sys/fs/cgroup/memory.max", "200000000\n")]), 200_000_000);
        let first = ("proc/self/cgroup", "9:cpu:/a\n5:memory:/a\n0::/\n");
        let limit = ("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "100000000\n");
        let none = ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
        assert_eq!(machine(&[memory, first, limit, none]), 100_000_000);
    }

    #[test]
    fn a_quarter_is_for_each_and_little_is_not_less() {
        let small = Memory::of(256);
        assert_eq!((small.room(), small.connections(8_192, false)), (64 << 20, 1_024));
        assert_eq!(small.connections(8_192, true), 682);
        assert_eq!((Memory::of(1).room(), Memory::of(512).connections(8_192, false)), (16 << 20, 2_048));
        assert_eq!((Memory::of(8_192).connections(8_192, true), Memory::of(8_192).connections(1, false)), (8_192, 1));
    }
}
