//! A process beside this one, and what it uses.

use std::process::{Child, Command, Stdio};

use anyhow::Context as _;

/// A process with its children; ends when it is dropped.
pub(crate) struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    /// Starts one that says nothing.
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Self> {
        let silent = command.stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self(silent.spawn()?))
    }

    /// One that runs.
    pub(crate) fn of(child: Child) -> Self {
        Self(child)
    }

    /// The processor time that it has used, in its own code and in the kernel.
    pub(crate) fn cpu_seconds(&self) -> anyhow::Result<f64> {
        let ticks = rustix::param::clock_ticks_per_second();
        let mut sum = 0;
        for process in self.processes()? {
            let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
            // The name in parentheses may hold spaces.
            let (_, rest) = stat.rsplit_once(") ").context("/proc/PID/stat")?;
            let fields: Vec<&str> = rest.split(' ').collect();
            sum += fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
        }
        #[expect(clippy::cast_precision_loss, reason = "far below 2⁵³")]
        Ok(sum as f64 / ticks as f64)
    }

    /// Its memory that is in RAM.
    pub(crate) fn resident_mib(&self) -> anyhow::Result<f64> {
        self.memory_mib("VmRSS:")
    }

    /// The most of its memory that was in RAM.
    pub(crate) fn peak_mib(&self) -> anyhow::Result<f64> {
        self.memory_mib("VmHWM:")
    }

    fn memory_mib(&self, field: &str) -> anyhow::Result<f64> {
        let mut sum = 0.0;
        for process in self.processes()? {
            let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
            let line = status.lines().find_map(|line| line.strip_prefix(field));
            let kib = line.and_then(|rest| rest.trim().strip_suffix(" kB"));
            let kib = kib.with_context(|| format!("/proc has no {field}"))?;
            sum += kib.trim().parse::<f64>()? / 1_024.0;
        }
        Ok(sum)
    }

    /// The process and its children, which are nginx's workers.
    fn processes(&self) -> anyhow::Result<Vec<u32>> {
        let own = self.0.id();
        let children = std::fs::read_to_string(format!("/proc/{own}/task/{own}/children"))?;
        let children = children.split_ascii_whitespace().map(str::parse);
        let mut all = children.collect::<Result<Vec<u32>, _>>()?;
        all.push(own);
        Ok(all)
    }
}
