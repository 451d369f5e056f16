//! The tree that is backed up: many small files and some large ones, a third of it noise.

use std::{
    fs::{self, File, OpenOptions},
    io::{Seek, SeekFrom, Write},
    path::Path,
};

use super::Outcome;

const SMALL_FILES: u64 = 20_000;
const LARGE_FILES: u64 = 8;

/// Makes the tree: a quarter of the size in small files, the rest in large ones.
///
/// # Errors
/// When it can't be written.
pub fn make(root: &Path, mib: u64) -> Outcome {
    let mut noise = Noise(1);
    let total = mib.saturating_mul(1 << 20);
    let mean = total.div_euclid(4).div_euclid(SMALL_FILES);
    for n in 0..SMALL_FILES {
        let folder = root.join(format!("small/{:03}", n.rem_euclid(200)));
        fs::create_dir_all(&folder)?;
        // From a quarter to seven quarters of the mean.
        let size = noise.below(mean.saturating_mul(3).div_euclid(2).max(1));
        let size = size.saturating_add(mean.div_euclid(4));
        fs::write(folder.join(n.to_string()), content(&mut noise, size, n.rem_euclid(3) == 0))?;
    }
    let large = total.saturating_mul(3).div_euclid(4).div_euclid(LARGE_FILES);
    fs::create_dir_all(root.join("large"))?;
    for n in 0..LARGE_FILES {
        let mut file = File::create(root.join(format!("large/{n}")))?;
        let mut left = large;
        while left > 0 {
            let part = left.min(1 << 20);
            file.write_all(&content(&mut noise, part, n.rem_euclid(2) == 0))?;
            left = left.saturating_sub(part);
        }
    }
    Ok(())
}

/// Changes 200 small files and a part of a large one, and adds 100 files.
///
/// # Errors
/// When it can't be written.
pub fn change(root: &Path) -> Outcome {
    let mut noise = Noise(2);
    for n in 0..200_u64 {
        let path = root.join(format!("small/{n:03}/{n}"));
        fs::write(path, content(&mut noise, 9_000, true))?;
    }
    let mut large = OpenOptions::new().write(true).open(root.join("large/0"))?;
    large.seek(SeekFrom::Start(5 << 20))?;
    large.write_all(&content(&mut noise, 64 << 10, true))?;
    fs::create_dir_all(root.join("new"))?;
    for n in 0..100 {
        fs::write(root.join(format!("new/{n}")), content(&mut noise, 9_000, true))?;
    }
    Ok(())
}

/// Noise, or text that compresses.
fn content(noise: &mut Noise, size: u64, is_noise: bool) -> Vec<u8> {
    let size = usize::try_from(size).unwrap_or(0);
    let mut bytes = vec![0_u8; size];
    for chunk in bytes.chunks_mut(8) {
        let word = noise.next();
        for (byte, fresh) in chunk.iter_mut().zip(word.to_le_bytes()) {
            *byte = if is_noise { fresh } else { b'a' | (fresh & 0x3) };
        }
    }
    bytes
}

/// A splitmix64 generator: the same tree each time.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next().checked_rem(bound).unwrap_or(0)
    }
}
