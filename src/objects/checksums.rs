//! The digests of a body, computed in one pass: MD5 for the ETag, BLAKE3 for identity, CRC-32C per
//! chunk so that every read can be verified, and the checksum that the client asked for.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use crc_fast::CrcAlgorithm;
use md5::Digest as _;
use serde::{Deserialize, Serialize};

/// Bytes under one CRC-32C: what a read of a single byte has to read and verify.
pub(crate) const CHUNK_BYTES: usize = 256 * 1024;

/// An additional checksum of S3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Algorithm {
    /// CRC-32, as in zip.
    Crc32,
    /// CRC-32C (Castagnoli).
    Crc32c,
    /// CRC-64/NVME.
    Crc64nvme,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
}

impl Algorithm {
    /// All of them.
    pub(crate) const ALL: [Self; 5] = [
        Self::Crc32,
        Self::Crc32c,
        Self::Crc64nvme,
        Self::Sha1,
        Self::Sha256,
    ];

    /// The name as in `x-amz-checksum-algorithm`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    /// The header that carries the value.
    pub(crate) fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    /// The algorithm of that name, in any case.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    /// The value over bytes whose parts have these values and lengths; SHAs cannot be combined.
    pub(crate) fn combine(self, parts: &[(Vec<u8>, u64)]) -> Option<String> {
        let kind = self.crc()?;
        let number = |bytes: &[u8]| {
            bytes
                .iter()
                .fold(0_u64, |value, byte| (value << 8) | u64::from(*byte))
        };
        let mut combined: Option<u64> = None;
        for (bytes, length) in parts {
            let value = number(bytes);
            combined = Some(match combined {
                None => value,
                Some(before) => crc_fast::checksum_combine(kind, before, value, *length),
            });
        }
        Some(STANDARD.encode(&combined?.to_be_bytes()[8 - self.bytes()..]))
    }

    fn crc(self) -> Option<CrcAlgorithm> {
        match self {
            Self::Crc32 => Some(CrcAlgorithm::Crc32IsoHdlc),
            Self::Crc32c => Some(CrcAlgorithm::Crc32Iscsi),
            Self::Crc64nvme => Some(CrcAlgorithm::Crc64Nvme),
            Self::Sha1 | Self::Sha256 => None,
        }
    }

    /// How many bytes a value has.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }
}

enum Hasher {
    Crc(crc_fast::Digest, usize),
    Sha1(sha1::Sha1),
    Sha256(sha2::Sha256),
}

impl Hasher {
    fn new(algorithm: Algorithm) -> Self {
        match (algorithm.crc(), algorithm) {
            (Some(kind), _) => Self::Crc(crc_fast::Digest::new(kind), algorithm.bytes()),
            (None, Algorithm::Sha1) => Self::Sha1(sha1::Sha1::new()),
            (None, _) => Self::Sha256(sha2::Sha256::new()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc(digest, _) => digest.update(bytes),
            Self::Sha1(digest) => digest.update(bytes),
            Self::Sha256(digest) => digest.update(bytes),
        }
    }

    fn finish(self) -> Vec<u8> {
        match self {
            Self::Crc(digest, bytes) => digest.finalize().to_be_bytes()[8 - bytes..].to_vec(),
            Self::Sha1(digest) => digest.finalize().to_vec(),
            Self::Sha256(digest) => digest.finalize().to_vec(),
        }
    }
}

/// The value of `algorithm` over `bytes` in base64.
pub(crate) fn checksum(algorithm: Algorithm, bytes: &[u8]) -> String {
    let mut hasher = Hasher::new(algorithm);
    hasher.update(bytes);
    STANDARD.encode(hasher.finish())
}

/// The CRC-32C of a chunk.
pub(crate) fn chunk_sum(bytes: &[u8]) -> [u8; 4] {
    crc_fast::crc32_iscsi(bytes).to_be_bytes()
}

/// Digests a body as it streams by.
pub(crate) struct Digests {
    md5: md5::Md5,
    blake3: blake3::Hasher,
    wanted: Vec<(Algorithm, Hasher)>,
    chunk: crc_fast::Digest,
    chunk_fill: usize,
    chunk_sums: Vec<u8>,
    size: u64,
}

/// The digests of a whole body.
#[derive(Clone, Debug)]
pub(crate) struct Finished {
    pub(crate) size: u64,
    pub(crate) md5: [u8; 16],
    pub(crate) blake3: [u8; 32],
    /// Base64 by algorithm.
    pub(crate) checksums: BTreeMap<Algorithm, String>,
    /// The CRC-32C of every [`CHUNK_BYTES`], four bytes each.
    pub(crate) chunk_sums: Vec<u8>,
}

impl Digests {
    pub(crate) fn new(wanted: &[Algorithm]) -> Self {
        Self {
            md5: md5::Md5::new(),
            blake3: blake3::Hasher::new(),
            wanted: wanted
                .iter()
                .map(|algorithm| (*algorithm, Hasher::new(*algorithm)))
                .collect(),
            chunk: crc_fast::Digest::new(CrcAlgorithm::Crc32Iscsi),
            chunk_fill: 0,
            chunk_sums: Vec::new(),
            size: 0,
        }
    }

    pub(crate) fn update(&mut self, mut bytes: &[u8]) {
        self.size += bytes.len() as u64;
        self.md5.update(bytes);
        self.blake3.update(bytes);
        for (_, hasher) in &mut self.wanted {
            hasher.update(bytes);
        }
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(CHUNK_BYTES - self.chunk_fill));
            self.chunk.update(now);
            self.chunk_fill += now.len();
            if self.chunk_fill == CHUNK_BYTES {
                self.end_chunk();
            }
            bytes = later;
        }
    }

    fn end_chunk(&mut self) {
        let sum = self.chunk.finalize_reset().to_be_bytes();
        self.chunk_sums.extend_from_slice(&sum[4..]);
        self.chunk_fill = 0;
    }

    pub(crate) fn finish(mut self) -> Finished {
        if self.chunk_fill > 0 {
            self.end_chunk();
        }
        Finished {
            size: self.size,
            md5: self.md5.finalize().into(),
            blake3: *self.blake3.finalize().as_bytes(),
            checksums: self
                .wanted
                .into_iter()
                .map(|(algorithm, hasher)| (algorithm, STANDARD.encode(hasher.finish())))
                .collect(),
            chunk_sums: self.chunk_sums,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_have_their_published_check_values() {
        for (algorithm, hex) in [
            (Algorithm::Crc32, "cbf43926"),
            (Algorithm::Crc32c, "e3069283"),
            (Algorithm::Crc64nvme, "ae8b14860a799888"),
            (Algorithm::Sha1, "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
            (
                Algorithm::Sha256,
                "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
            ),
        ] {
            let expected = STANDARD.encode(hex::decode(hex).unwrap());
            assert_eq!(
                checksum(algorithm, b"123456789"),
                expected,
                "{}",
                algorithm.name()
            );
            assert_eq!(
                Algorithm::parse(&algorithm.name().to_lowercase()),
                Some(algorithm)
            );
        }
    }

    #[test]
    fn crcs_of_parts_combine_to_that_of_the_whole() {
        let parts: [&[u8]; 3] = [b"12", b"3456", b"789"];
        for algorithm in Algorithm::ALL {
            let values: Vec<_> = parts
                .iter()
                .map(|part| {
                    let value = STANDARD.decode(checksum(algorithm, part)).unwrap();
                    (value, part.len() as u64)
                })
                .collect();
            let expected = algorithm.crc().map(|_| checksum(algorithm, b"123456789"));
            assert_eq!(algorithm.combine(&values), expected, "{}", algorithm.name());
        }
    }

    #[test]
    fn chunk_sums_do_not_depend_on_how_the_body_was_cut() {
        let body: Vec<u8> = (0..CHUNK_BYTES * 2 + 7)
            .map(|index| u8::try_from(index % 251).unwrap())
            .collect();
        let mut whole = Digests::new(&[]);
        whole.update(&body);
        let mut cut = Digests::new(&[]);
        body.chunks(1_000).for_each(|piece| cut.update(piece));
        let (whole, cut) = (whole.finish(), cut.finish());
        assert_eq!(whole.chunk_sums, cut.chunk_sums);
        assert_eq!(whole.chunk_sums.len(), 12);
        assert_eq!(whole.chunk_sums[8..], chunk_sum(&body[CHUNK_BYTES * 2..]));
        assert_eq!(whole.md5, cut.md5);
    }
}
