//! A small disk for as long as a test needs it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A file system in memory, mounted on a folder.
pub struct Disk(PathBuf);

impl Disk {
    /// Mounts one of so many KB; none, which is said, for who may not.
    pub fn of(folder: &Path, kilobytes: u32) -> Option<Self> {
        fs::create_dir_all(folder).unwrap();
        let size = format!("size={kilobytes}k");
        if mount(&["-t", "tmpfs", "-o", &size, "crossvault-test"], folder) {
            return Some(Self(folder.to_owned()));
        }
        println!("skipped: only root may mount a small disk");
        None
    }

    /// Gives it another size.
    pub fn resize(&self, kilobytes: u32) {
        assert!(mount(&["-o", &format!("remount,size={kilobytes}k")], &self.0));
    }

    /// Lets nobody write to it.
    pub fn protect(&self) {
        assert!(mount(&["-o", "remount,ro"], &self.0));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Whoever still uses it keeps it until then.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn mount(arguments: &[&str], folder: &Path) -> bool {
    let mut mount = Command::new("mount");
    mount.args(arguments).arg(folder).stderr(Stdio::null());
    mount.status().is_ok_and(|status| status.success())
}
