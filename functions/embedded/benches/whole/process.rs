//! A command measured as a whole process.

use std::{
    fmt, fs,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::Outcome;

/// What a process took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Measured {
    /// From its start to its end.
    pub wall_ms: u128,
    /// Of all its threads, in user and system.
    pub cpu_ms: u128,
    /// Its largest resident memory.
    pub peak_kib: u64,
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds =
            |ms: u128| format!("{}.{:02}", ms.div_euclid(1000), ms.rem_euclid(1000).div_euclid(10));
        let mib = self.peak_kib.div_euclid(1024);
        write!(f, "{:>8} {:>8} {mib:>9}", seconds(self.wall_ms), seconds(self.cpu_ms))
    }
}

/// Runs a command and looks at it until it ends.
///
/// # Errors
/// When it can't be started or fails.
pub fn measure(command: &[String]) -> Outcome<Measured> {
    let (program, rest) = command.split_first().ok_or("an empty command")?;
    let began = Instant::now();
    let mut child = Command::new(program).args(rest).stdout(Stdio::null()).spawn()?;
    let mut measured = Measured::default();
    loop {
        // The last look before its end is at most this old: both figures only grow.
        if let Some(seen) = look(child.id()) {
            measured = Measured { wall_ms: 0, ..seen };
        }
        if let Some(status) = child.try_wait()? {
            measured.wall_ms = began.elapsed().as_millis();
            return if status.success() {
                Ok(measured)
            } else {
                Err(format!("{program} failed: {status}").into())
            };
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// What the system says of a process now.
fn look(pid: u32) -> Option<Measured> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let peak_kib = peak.trim().trim_end_matches(" kB").trim().parse().ok()?;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // After the name in brackets: the 12th and 13th field are user and system time in ticks of
    // 10 ms.
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let ticks = |n: usize| fields.get(n).and_then(|text| text.parse::<u128>().ok());
    let cpu_ms = ticks(11)?.saturating_add(ticks(12)?).saturating_mul(10);
    Some(Measured { wall_ms: 0, cpu_ms, peak_kib })
}
