//! What a thumbnail is to be like: `100x50`, `100x50t`, `100x50b`, `100x50f`, `0x50`, `100x0`.

use std::fmt;

/// The longest side of a thumbnail, in pixels.
pub(super) const MAX_SIDE: u32 = 8_192;

/// How a picture becomes one of another shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fitting {
    /// Filled; what hangs over is cut from both ends.
    Center,
    /// Filled; the top stays.
    Top,
    /// Filled; the bottom stays.
    Bottom,
    /// Nothing is cut: it becomes as large as fits, and no larger than it is.
    Fit,
}

/// The size of a thumbnail. A side of 0 follows from the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ThumbSize {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) fitting: Fitting,
}

impl ThumbSize {
    /// Reads what stands in a field's `thumbs` and in addresses.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (width, rest) = text.split_once('x')?;
        let (height, fitting) = match rest.char_indices().next_back()? {
            (at, 't') => (&rest[..at], Fitting::Top),
            (at, 'b') => (&rest[..at], Fitting::Bottom),
            (at, 'f') => (&rest[..at], Fitting::Fit),
            _ => (rest, Fitting::Center),
        };
        let size = Self {
            width: side(width)?,
            height: side(height)?,
            fitting,
        };
        (size.width > 0 || size.height > 0).then_some(size)
    }

    /// The sides of the thumbnail of a picture with these sides.
    pub(super) fn of(&self, (width, height): (u32, u32)) -> (u32, u32) {
        if self.width == 0 {
            return (scaled(self.height, width, height), self.height);
        }
        if self.height == 0 {
            return (self.width, scaled(self.width, height, width));
        }
        if self.fitting != Fitting::Fit {
            return (self.width, self.height);
        }
        if width <= self.width && height <= self.height {
            return (width, height);
        }
        let is_wider =
            u64::from(width) * u64::from(self.height) > u64::from(self.width) * u64::from(height);
        let cut = |side: u32, by: u32, to: u32| {
            let exact = u64::from(side) * u64::from(by) / u64::from(to.max(1));
            u32::try_from(exact).unwrap_or(u32::MAX).max(1)
        };
        if is_wider {
            (self.width, cut(self.width, height, width))
        } else {
            (cut(self.height, width, height), self.height)
        }
    }
}

impl fmt::Display for ThumbSize {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fitting = match self.fitting {
            Fitting::Center => "",
            Fitting::Top => "t",
            Fitting::Bottom => "b",
            Fitting::Fit => "f",
        };
        write!(formatter, "{}x{}{fitting}", self.width, self.height)
    }
}

fn side(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let side = digits.then(|| text.parse().ok()).flatten()?;
    (side <= MAX_SIDE).then_some(side)
}

/// `side · by / to`, rounded to the nearest, at least 1.
fn scaled(side: u32, by: u32, to: u32) -> u32 {
    let to = u64::from(to.max(1));
    let nearest = (2 * u64::from(side) * u64::from(by) + to) / (2 * to);
    u32::try_from(nearest).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sizes_are_read() {
        for text in ["100x50", "1x1t", "10x20b", "8192x8192f", "0x1", "1x0"] {
            let size = ThumbSize::parse(text);
            assert_eq!(size.map(|size| size.to_string()).as_deref(), Some(text));
        }
        for text in [
            "",
            "x",
            "1x",
            "x1",
            "0x0",
            "0x0f",
            "-1x1",
            "+1x1",
            "1x1c",
            "1X1",
            "1x1tt",
            " 1x1",
            "99999x1",
            "1x1é",
            "٣x1",
            "1x1/../..",
        ] {
            assert_eq!(ThumbSize::parse(text), None, "{text}");
        }
    }

    /// What the real PocketBase made of a picture of 300 by 200.
    #[test]
    fn sides_are_those_of_pocketbase() {
        let check = |text: &str, expected: (u32, u32)| {
            let size = ThumbSize::parse(text).unwrap();
            assert_eq!(size.of((300, 200)), expected, "{text}");
        };
        check("100x50", (100, 50));
        check("0x40", (60, 40));
        check("50x0", (50, 33));
        check("60x40t", (60, 40));
        check("60x40f", (60, 40));
        check("600x400", (600, 400));
        check("600x400f", (300, 200));
        check("0x400", (600, 400));
        check("10x200", (10, 200));
        check("200x10f", (15, 10));
        check("5000x1f", (1, 1));
    }
}
