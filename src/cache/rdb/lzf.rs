//! LZF, the compression of strings in database files: runs of literal bytes, and copies of what
//! was written up to 8 KB ago.

use super::packed::Reason;

/// A copy of 264 bytes takes three: nothing that was compressed grows more than this.
const MOST_GROWTH: u64 = 88;

/// What is allocated before anything was decompressed.
const FIRST_ALLOCATION_BYTES: usize = 64 * 1024;

/// Decompresses `packed`, which must give exactly `plain_bytes`.
pub(super) fn decompress(packed: &[u8], plain_bytes: u64) -> Result<Vec<u8>, Reason> {
    let most = (packed.len() as u64).saturating_mul(MOST_GROWTH);
    let limit = usize::try_from(plain_bytes).map_err(|_| "a compressed string is too long")?;
    if plain_bytes > most {
        return Err("a compressed string claims to be longer than it can be");
    }
    let mut plain = Vec::with_capacity(limit.min(FIRST_ALLOCATION_BYTES));
    let mut rest = packed;
    while let Some((&control, behind)) = rest.split_first() {
        rest = if control < 32 {
            literal(usize::from(control) + 1, behind, &mut plain)?
        } else {
            copy(control, behind, &mut plain)?
        };
        if plain.len() > limit {
            return Err("a compressed string is longer than it says");
        }
    }
    if plain.len() == limit {
        Ok(plain)
    } else {
        Err("a compressed string is shorter than it says")
    }
}

fn literal<'a>(count: usize, rest: &'a [u8], plain: &mut Vec<u8>) -> Result<&'a [u8], Reason> {
    let (run, rest) = rest
        .split_at_checked(count)
        .ok_or("a compressed string ends in a run")?;
    plain.extend_from_slice(run);
    Ok(rest)
}

fn copy<'a>(control: u8, rest: &'a [u8], plain: &mut Vec<u8>) -> Result<&'a [u8], Reason> {
    const CUT: Reason = "a compressed string ends in a copy";
    let mut count = usize::from(control >> 5) + 2;
    let mut rest = rest;
    if control >> 5 == 7 {
        let (&more, behind) = rest.split_first().ok_or(CUT)?;
        count += usize::from(more);
        rest = behind;
    }
    let (&low, rest) = rest.split_first().ok_or(CUT)?;
    let distance = (usize::from(control & 0x1f) << 8 | usize::from(low)) + 1;
    let mut from = plain
        .len()
        .checked_sub(distance)
        .ok_or("a compressed string copies from before its beginning")?;
    // A copy may reach into what it writes, so it goes on in pieces that are there already.
    while count > 0 {
        let piece = count.min(plain.len() - from);
        plain.extend_from_within(from..from + piece);
        from += piece;
        count -= piece;
    }
    Ok(rest)
}
