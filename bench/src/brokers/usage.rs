//! What a process has used, as the kernel tells: processor time and memory; and what everybody else used meanwhile on
//! the same cores.

use anyhow::{Context as _, Result};
use rustix::{
    param::{clock_ticks_per_second, page_size},
    time::{ClockId, clock_gettime},
};
use std::{
    collections::BTreeMap,
    fs,
    time::{Duration, Instant},
};

/// A process that is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Process(pub(crate) u32);

/// Everything at one moment.
#[derive(Debug)]
pub(crate) struct Moment {
    at: Instant,
    broker: Option<Used>,
    generator: Duration,
    cores: Duration,
}

/// What passed between two moments.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) time: Duration,
    /// `None` where the broker's process is not known.
    pub(crate) broker: Option<Duration>,
    pub(crate) generator: Duration,
    /// By neither of them, on their cores.
    pub(crate) others: Duration,
}

/// Processor time of a process.
#[derive(Debug)]
struct Used {
    /// By thread, in nanoseconds.
    threads: BTreeMap<u32, u64>,
    /// Of all threads, those that have ended included, in ticks.
    ticks: u64,
}

impl Process {
    /// Memory that is really there, in bytes.
    pub(crate) fn resident(self) -> Result<u64> {
        let statm = fs::read_to_string(format!("/proc/{}/statm", self.0));
        let statm = statm.context("the broker has ended")?;
        let pages: Option<u64> = statm.split_whitespace().nth(1).and_then(|pages| pages.parse().ok());
        Ok(pages.context("/proc says nothing about memory")? * page_size() as u64)
    }

    fn used(self) -> Result<Used> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0)).context("the broker has ended")?;
        let ticks = ticks(&stat).context("/proc says nothing about processor time")?;
        let mut threads = BTreeMap::new();
        for thread in fs::read_dir(format!("/proc/{}/task", self.0)).context("the broker has ended")? {
            let thread = thread.context("the broker has ended")?;
            let id = thread.file_name().to_string_lossy().parse();
            let schedstat = fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
            let time = schedstat.split_whitespace().next().and_then(|time| time.parse().ok());
            if let (Ok(id), Some(time)) = (id, time) {
                threads.insert(id, time);
            }
        }
        Ok(Used { threads, ticks })
    }
}

impl Used {
    /// To the nanosecond, unless a thread has ended and taken its count along.
    fn since(&self, before: &Self) -> Duration {
        let complete =
            !self.threads.is_empty() && before.threads.keys().all(|thread| self.threads.contains_key(thread));
        if complete {
            let spent = self.threads.iter().map(|(thread, time)| {
                time.saturating_sub(before.threads.get(thread).copied().unwrap_or_default())
            });
            return Duration::from_nanos(spent.sum());
        }
        of_ticks(self.ticks.saturating_sub(before.ticks))
    }
}

impl Moment {
    /// This moment.
    pub(crate) fn take(process: Option<Process>, cores: &[usize]) -> Result<Self> {
        let broker = process.map(Process::used).transpose()?;
        let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
        let busy = cores.iter().filter_map(|core| busy_ticks(&stat, *core)).sum();
        Ok(Self { at: Instant::now(), broker, generator: own_time(), cores: of_ticks(busy) })
    }

    /// What passed since then.
    pub(crate) fn since(&self, before: &Self) -> Span {
        let broker = self.broker.as_ref().zip(before.broker.as_ref());
        let broker = broker.map(|(now, then)| now.since(then));
        let generator = self.generator.saturating_sub(before.generator);
        let busy = self.cores.saturating_sub(before.cores);
        let others = busy.saturating_sub(generator + broker.unwrap_or_default());
        Span { time: self.at.duration_since(before.at), broker, generator, others }
    }
}

/// Processor time of this thread.
fn own_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

fn of_ticks(ticks: u64) -> Duration {
    Duration::from_secs_f64(ticks as f64 / clock_ticks_per_second() as f64)
}

/// User and system time of /proc/PID/stat. The program's name, in brackets, may contain anything.
fn ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// What a core did, other than nothing; time that the machine below took away counts too.
fn busy_ticks(stat: &str, core: usize) -> Option<u64> {
    let name = format!("cpu{core}");
    let line = stat.lines().find(|line| line.split_whitespace().next() == Some(&name))?;
    let fields: Vec<u64> = line.split_whitespace().skip(1).filter_map(|field| field.parse().ok()).collect();
    let [user, nice, system, _idle, _waiting, interrupts, soft, steal, ..] = fields.as_slice() else {
        return None;
    };
    Some(user + nice + system + interrupts + soft + steal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_found_behind_any_name() {
        let stat = "17 (odd) name) S 1 17 17 0 -1 4194560 100 0 0 0 250 50 7 8 20 0 1 0 5 1000 200";
        assert_eq!(ticks(stat), Some(300));
    }

    #[test]
    fn a_busy_core_is_everything_but_idle_and_waiting() {
        let stat = "cpu  1 1 1 1 1 1 1 1 0 0\ncpu0 1 2 4 1000 1000 8 16 32 0 0\ncpu1 0 0 0 0 0 0 0 0 0 0\n";
        assert_eq!(busy_ticks(stat, 0), Some(63));
        assert_eq!(busy_ticks(stat, 2), None);
    }

    #[test]
    fn a_thread_that_ended_is_still_counted() {
        let used = |threads: &[(u32, u64)], ticks| Used { threads: threads.iter().copied().collect(), ticks };
        let before = used(&[(1, 1_000), (2, 5_000)], 100);
        assert_eq!(used(&[(1, 3_000), (2, 6_000), (3, 10)], 100).since(&before), Duration::from_nanos(3_010));
        assert_eq!(used(&[(1, 3_000)], 107).since(&before), of_ticks(7));
    }

    #[test]
    fn this_process_is_seen_working() {
        let process = Process(std::process::id());
        let before = Moment::take(Some(process), &[]).unwrap();
        let mut sum = 0_u64;
        while own_time() < before.generator + Duration::from_millis(30) {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        let span = Moment::take(Some(process), &[]).unwrap().since(&before);
        assert!(span.broker.unwrap() >= Duration::from_millis(29), "{span:?}");
        assert!(process.resident().unwrap() > 100_000);
    }
}
