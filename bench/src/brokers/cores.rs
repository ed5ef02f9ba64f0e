//! Which processor cores run what: the broker on one and the generator on another, so that neither takes time from the
//! other and the broker's ceiling is that of one core.

use anyhow::{Context as _, Result, ensure};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Who runs where.
#[derive(Clone, Debug)]
pub(crate) enum Cores {
    /// The broker on the first of these, the generator on the second.
    Pinned { broker: usize, generator: usize },
    /// Where the kernel likes. `all` are those that this process was given.
    Free,
}

impl Cores {
    /// The first two cores that this process may use.
    pub(crate) fn pinned() -> Result<Self> {
        let allowed = sched_getaffinity(None).context("cannot see which cores there are")?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
        let (broker, generator) = (cores.next(), cores.next());
        ensure!(
            generator.is_some(),
            "broker and generator need a core each, and there is only one: use --unpinned"
        );
        let both = broker.zip(generator).context("there are two cores")?;
        Ok(Self::Pinned { broker: both.0, generator: both.1 })
    }

    /// Puts this thread, and what it starts from now on, where the generator belongs.
    pub(crate) fn generator(&self) -> Result<()> {
        match self {
            Self::Pinned { generator, .. } => pin(*generator),
            Self::Free => Ok(()),
        }
    }

    /// Starts something where the broker belongs: a program inherits the place of the thread that starts it.
    pub(crate) fn as_broker<T>(&self, start: impl FnOnce() -> Result<T>) -> Result<T> {
        if let Self::Pinned { broker, .. } = self {
            pin(*broker)?;
        }
        let started = start();
        self.generator()?;
        started
    }

    /// The cores whose other users would disturb.
    pub(crate) fn used(&self) -> Vec<usize> {
        match self {
            Self::Pinned { broker, generator } => vec![*broker, *generator],
            Self::Free => Vec::new(),
        }
    }
}

fn pin(core: usize) -> Result<()> {
    let mut only = CpuSet::new();
    only.set(core);
    sched_setaffinity(None, &only).with_context(|| format!("cannot run on core {core} alone"))
}
