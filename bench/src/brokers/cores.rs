//! Which processor cores run what: the broker on one and the generator on another, so that neither takes time from the
//! other and the broker's ceiling is that of one core.

use anyhow::{Context as _, Result, ensure};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Who runs where.
#[derive(Clone, Debug)]
pub(crate) enum Cores {
    /// The broker on the first of these, the generator on the second.
    Pinned { broker: usize, generator: usize },
    /// Where the kernel likes, of all those that this process was given.
    Free(CpuSet),
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

    /// All cores that this process may use; to be asked before it is put on one of them.
    pub(crate) fn free() -> Result<Self> {
        Ok(Self::Free(sched_getaffinity(None).context("cannot see which cores there are")?))
    }

    /// Puts this thread, and what it starts from now on, where the generator belongs.
    pub(crate) fn generator(&self) -> Result<()> {
        match self {
            Self::Pinned { generator, .. } => pin(*generator),
            Self::Free(all) => {
                sched_setaffinity(None, all).context("cannot run on all the cores that there were")
            }
        }
    }

    /// Starts something where the broker belongs: a program inherits the place of the thread that starts it.
    pub(crate) fn as_broker<T>(&self, start: impl FnOnce() -> Result<T>) -> Result<T> {
        match self {
            Self::Pinned { broker, .. } => pin(*broker)?,
            Self::Free(_) => self.generator()?,
        }
        let started = start();
        self.generator()?;
        started
    }

    /// The cores whose other users would disturb.
    pub(crate) fn used(&self) -> Vec<usize> {
        match self {
            Self::Pinned { broker, generator } => vec![*broker, *generator],
            Self::Free(all) => (0..CpuSet::MAX_CPU).filter(|core| all.is_set(*core)).collect(),
        }
    }
}

fn pin(core: usize) -> Result<()> {
    let mut only = CpuSet::new();
    only.set(core);
    sched_setaffinity(None, &only).with_context(|| format!("cannot run on core {core} alone"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_pinned_can_be_let_go_again() {
        let free = Cores::free().unwrap();
        let all = free.used();
        pin(all[0]).unwrap();
        assert_eq!(Cores::free().unwrap().used(), all[..1]);
        assert_eq!(free.as_broker(|| Ok(Cores::free().unwrap().used())).unwrap(), all);
        assert_eq!(Cores::free().unwrap().used(), all);
    }
}
