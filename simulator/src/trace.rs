//! The trace of a run as a hash: two runs are the same when their traces are.

use std::hash::Hasher;

/// How many bytes are hashed at a time.
const BUFFER: usize = 4096;

/// Takes in all that happens, as bytes that are the same on every machine.
#[derive(Clone, Debug)]
pub struct Trace {
    hash: blake3::Hasher,
    buffer: Vec<u8>,
    records: u64,
    /// The hash after each 1,024 records, when it is kept.
    chain: Option<Vec<u64>>,
}

impl Default for Trace {
    fn default() -> Self {
        let buffer = Vec::with_capacity(BUFFER.saturating_mul(2));
        Self { hash: blake3::Hasher::new(), buffer, records: 0, chain: None }
    }
}

impl Trace {
    /// A trace that keeps its hash after each 1,024 records, to find where two runs part.
    #[must_use]
    pub fn chained() -> Self {
        Self { chain: Some(Vec::new()), ..Self::default() }
    }

    /// Ends a record.
    pub fn record(&mut self) {
        self.records = self.records.saturating_add(1);
        if self.buffer.len() >= BUFFER {
            self.flush();
        }
        if self.chain.is_some() && self.records.is_multiple_of(1024) {
            self.flush();
            let hash = self.finish();
            if let Some(chain) = &mut self.chain {
                chain.push(hash);
            }
        }
    }

    /// How many records it has.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records
    }

    /// The hash after each 1,024 records; empty when it is not kept.
    #[must_use]
    pub fn chain(&self) -> &[u64] {
        self.chain.as_deref().unwrap_or_default()
    }

    /// The hash so far, as 64 hex digits.
    #[must_use]
    pub fn hash(&self) -> String {
        let mut hash = self.hash.clone();
        hash.update(&self.buffer);
        hash.finalize().to_hex().to_string()
    }

    fn flush(&mut self) {
        self.hash.update(&self.buffer);
        self.buffer.clear();
    }
}

/// One hash for many runs, in their order.
#[must_use]
pub fn combine<'a>(hashes: impl IntoIterator<Item = &'a String>) -> String {
    let mut all = blake3::Hasher::new();
    for hash in hashes {
        all.update(hash.as_bytes());
    }
    all.finalize().to_hex().to_string()
}

/// Whatever can be hashed can be traced; numbers are little-endian and of one width everywhere.
impl Hasher for Trace {
    fn finish(&self) -> u64 {
        let mut hash = self.hash.clone();
        hash.update(&self.buffer);
        let mut bytes = [0; 8];
        hash.finalize_xof().fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }
    fn write(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }
    fn write_u16(&mut self, n: u16) {
        self.write(&n.to_le_bytes());
    }
    fn write_u32(&mut self, n: u32) {
        self.write(&n.to_le_bytes());
    }
    fn write_u64(&mut self, n: u64) {
        self.write(&n.to_le_bytes());
    }
    fn write_u128(&mut self, n: u128) {
        self.write(&n.to_le_bytes());
    }
    fn write_usize(&mut self, n: usize) {
        self.write_u64(u64::try_from(n).unwrap_or(u64::MAX));
    }
    fn write_isize(&mut self, n: isize) {
        self.write_u64(i64::try_from(n).unwrap_or(i64::MAX).cast_unsigned());
    }
    fn write_i32(&mut self, n: i32) {
        self.write(&n.to_le_bytes());
    }
    fn write_i64(&mut self, n: i64) {
        self.write(&n.to_le_bytes());
    }
}
