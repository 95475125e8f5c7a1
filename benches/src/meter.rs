//! What a shop has used so far: processor and memory of each process, syncs, statements and messages. All of it is told by the system,
//! PostgreSQL, SQLite's files and the broker, so that it can be asked of any build.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Sub;

use anyhow::{Context as _, Result};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, Statement};
use serde_json::Value;

use crate::shop::Shop;

/// Ticks a second that a process's time is counted in (`USER_HZ`).
const TICKS: f64 = 100.0;
/// Where SQLite counts the transactions that have written, in the index of its write-ahead log (`WalIndexHdr.iChange`).
const WRITTEN: std::ops::Range<usize> = 8..12;
/// Whose work is not the shop's.
const BESIDE: [&str; 2] = ["client", "outside"];

/// Of all processes of the shop up to now, or between two moments.
#[derive(Clone, Debug, Default)]
pub(crate) struct Used {
    /// Seconds of processor by process; `postgres` is all of the cluster, `client` this program.
    pub(crate) cpu: BTreeMap<&'static str, f64>,
    /// By name, what is counted for the whole shop.
    pub(crate) counts: BTreeMap<&'static str, f64>,
}

impl Sub for &Used {
    type Output = Used;

    fn sub(self, before: &Used) -> Used {
        let less = |now: &BTreeMap<&'static str, f64>, then: &BTreeMap<&'static str, f64>| {
            now.iter().map(|(name, value)| (*name, value - then.get(name).copied().unwrap_or_default())).collect()
        };
        Used { cpu: less(&self.cpu, &before.cpu), counts: less(&self.counts, &before.counts) }
    }
}

impl Used {
    /// Seconds of processor of services, broker and database server.
    pub(crate) fn counted(&self) -> f64 {
        self.cpu.iter().filter(|(name, _)| !BESIDE.contains(name)).map(|(_, seconds)| seconds).sum()
    }
}

/// Reads what a shop uses.
pub(crate) struct Meter<'a> {
    shop: &'a Shop,
    http: reqwest::Client,
    server: Option<DatabaseConnection>,
}

impl<'a> Meter<'a> {
    /// Has PostgreSQL count statements, where there is one.
    ///
    /// # Errors
    /// When it cannot.
    pub(crate) async fn of(shop: &'a Shop) -> Result<Self> {
        let server = match &shop.cluster {
            Some(cluster) => {
                let server = tradewind_sql::connect(&format!("{}/postgres", cluster.url())).await?;
                server.execute_unprepared("CREATE EXTENSION pg_stat_statements").await?;
                Some(server)
            }
            None => None,
        };
        Ok(Self { shop, http: tradewind_runtime::direct().build()?, server })
    }

    /// What has been used up to now.
    ///
    /// # Errors
    /// When something that is asked does not answer as it should.
    pub(crate) async fn read(&self) -> Result<Used> {
        let mut used = Used { cpu: self.cpu()?, counts: self.messages().await? };
        match &self.server {
            Some(server) => used.counts.extend(of_server(server).await?),
            None => drop(used.counts.insert("syncs", self.commits()?)),
        }
        Ok(used)
    }

    fn cpu(&self) -> Result<BTreeMap<&'static str, f64>> {
        let mut cpu: BTreeMap<_, _> = self
            .shop
            .processes()
            .into_iter()
            .map(|(name, process)| Ok((name, cpu_of(process)?.own)))
            .collect::<Result<_>>()?;
        cpu.insert("client", cpu_of_this()?);
        if let Some(cluster) = &self.shop.cluster {
            let postmaster = cpu_of(cluster.process())?;
            let children: f64 =
                children(cluster.process())?.into_iter().filter_map(|child| Some(cpu_of(child).ok()?.own)).sum();
            cpu.insert("postgres", postmaster.own + postmaster.ended + children);
        }
        Ok(cpu)
    }

    /// The most memory that each process ever had, in MB; of PostgreSQL what it has now, each page counted once.
    ///
    /// # Errors
    /// When a process is gone.
    pub(crate) fn peaks(&self) -> Result<BTreeMap<&'static str, f64>> {
        let kept = self.shop.processes().into_iter().filter(|(name, _)| !BESIDE.contains(name));
        let mut peaks: BTreeMap<_, _> =
            kept.map(|(name, process)| Ok((name, megabytes(process, "status", "VmHWM:")?))).collect::<Result<_>>()?;
        if let Some(cluster) = &self.shop.cluster {
            let processes = children(cluster.process())?.into_iter().chain([cluster.process()]);
            peaks.insert("postgres", processes.filter_map(|one| megabytes(one, "smaps_rollup", "Pss:").ok()).sum());
        }
        Ok(peaks)
    }

    async fn messages(&self) -> Result<BTreeMap<&'static str, f64>> {
        let ask = async |path: &str| -> Result<Value> {
            Ok(self.http.get(format!("{}/{path}", self.shop.monitor)).send().await?.json().await?)
        };
        let (server, streams) = (ask("varz").await?, ask("jsz?consumers=true&streams=true").await?);
        let count = |value: &Value| value.as_f64().unwrap_or_default();
        let streams: Vec<&Value> = listed(&streams["account_details"], "stream_detail").collect();
        let consumers = streams.iter().flat_map(|stream| stream["consumer_detail"].as_array().into_iter().flatten());
        Ok(BTreeMap::from([
            ("published", streams.iter().map(|stream| count(&stream["state"]["last_seq"])).sum()),
            ("delivered", consumers.map(|consumer| count(&consumer["delivered"]["consumer_seq"])).sum()),
            ("broker in", count(&server["in_msgs"])),
            ("broker out", count(&server["out_msgs"])),
        ]))
    }

    /// Transactions that have written to a file. Each is one sync; a checkpoint every thousand pages or so adds two.
    fn commits(&self) -> Result<f64> {
        let commits = self.shop.files().into_iter().map(|file| {
            let index = format!("{}-shm", file.display());
            let bytes = fs::read(&index).with_context(|| format!("cannot read {index}"))?;
            let written = bytes.get(WRITTEN).context("a short index")?;
            Ok(f64::from(u32::from_ne_bytes(written.try_into()?)))
        });
        commits.sum()
    }
}

/// What a PostgreSQL server counts of our databases.
async fn of_server(server: &DatabaseConnection) -> Result<BTreeMap<&'static str, f64>> {
    let asked = "SELECT (SELECT wal_sync FROM pg_stat_wal)::float8 AS syncs, \
         COALESCE(SUM(calls), 0)::float8 AS statements, \
         COALESCE(SUM(calls) FILTER (WHERE query IN ('BEGIN', 'COMMIT', 'ROLLBACK')), 0)::float8 AS frames \
         FROM pg_stat_statements JOIN pg_database ON oid = dbid WHERE datname LIKE 'test%'";
    let row = server.query_one_raw(Statement::from_string(server.get_database_backend(), asked)).await?;
    let row = row.context("PostgreSQL counts nothing")?;
    let (statements, frames): (f64, f64) = (row.try_get("", "statements")?, row.try_get("", "frames")?);
    Ok(BTreeMap::from([
        ("syncs", row.try_get("", "syncs")?),
        ("statements", statements - frames),
        ("BEGIN, COMMIT", frames),
    ]))
}

/// The elements of a list of each element of a list.
fn listed<'a>(lists: &'a Value, name: &'a str) -> impl Iterator<Item = &'a Value> {
    let lists = lists.as_array().into_iter().flatten();
    lists.flat_map(move |list| list[name].as_array().into_iter().flatten())
}

/// Seconds of processor.
pub(crate) struct Cpu {
    pub(crate) own: f64,
    /// Of children that have ended.
    ended: f64,
}

/// Seconds of processor that this program has used.
pub(crate) fn cpu_of_this() -> Result<f64> {
    Ok(cpu_of(std::process::id())?.own)
}

/// Megabytes of memory that this program has.
pub(crate) fn resident_of_this() -> Result<f64> {
    megabytes(std::process::id(), "status", "VmRSS:")
}

pub(crate) fn cpu_of(process: u32) -> Result<Cpu> {
    let fields = stat(process)?;
    let seconds = |number: usize| -> Result<f64> {
        let ticks: f64 = fields.get(number).context("a short stat")?.parse()?;
        Ok(ticks / TICKS)
    };
    // utime, stime, cutime, cstime.
    Ok(Cpu { own: seconds(11)? + seconds(12)?, ended: seconds(13)? + seconds(14)? })
}

fn children(process: u32) -> Result<Vec<u32>> {
    let all = fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    // One may end before it is looked at.
    let parent = |child: u32| stat(child).ok()?.get(1)?.parse().ok();
    Ok(all.filter(|child| parent(*child) == Some(process)).collect())
}

/// The fields of `/proc/…/stat` behind the program's name, which may hold anything.
fn stat(process: u32) -> Result<Vec<String>> {
    let text =
        fs::read_to_string(format!("/proc/{process}/stat")).with_context(|| format!("process {process} is gone"))?;
    let (_, fields) = text.rsplit_once(')').context("no stat")?;
    Ok(fields.split_whitespace().map(ToOwned::to_owned).collect())
}

fn megabytes(process: u32, file: &str, field: &str) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{process}/{file}"))?;
    let value = text.lines().find_map(|line| line.strip_prefix(field)).with_context(|| format!("no {field}"))?;
    Ok(value.trim().trim_end_matches("kB").trim().parse::<f64>()? / 1024.0)
}
