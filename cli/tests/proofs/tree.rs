//! Data made from a seed: the same seed gives the same bytes.

use std::{fs, path::Path};

/// Numbers from a seed, by `SplitMix64`.
#[derive(Clone)]
pub struct Seed(pub u64);

impl Seed {
    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`, which is not zero.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// One of these.
    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        let len = u64::try_from(all.len()).unwrap();
        (len > 0).then(|| &all[usize::try_from(self.below(len)).unwrap()])
    }

    /// Bytes that don't compress.
    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(len + 8);
        while bytes.len() < len {
            bytes.extend(self.next().to_le_bytes());
        }
        bytes.truncate(len);
        bytes
    }
}

/// Fills a folder with `small` files of up to 4 KB, in folders of 100, and `large` ones of 1 to 4 MB.
pub fn fill(folder: &Path, seed: &mut Seed, small: u64, large: u64) {
    for number in 0..small {
        let place = folder.join(format!("small/{:02}", number / 100));
        fs::create_dir_all(&place).unwrap();
        let len = usize::try_from(seed.below(4_000)).unwrap();
        fs::write(place.join(format!("{number}.txt")), seed.bytes(len)).unwrap();
    }
    fs::create_dir_all(folder.join("large")).unwrap();
    for number in 0..large {
        let len = usize::try_from(1_000_000 + seed.below(3_000_000)).unwrap();
        fs::write(folder.join(format!("large/{number}.bin")), seed.bytes(len)).unwrap();
    }
}
