//! Sizes in bytes: as policies write them, and as messages show them.

use std::fmt::{self, Display};

use serde::{Deserialize, Deserializer};

use crate::oci::from_text;

/// The units that a policy may use, and their size in bytes.
const UNITS: [(&str, u64); 9] = [
    ("B", 1),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// A size as a policy writes it: `500MiB`, `1.5 GB`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Size {
    bytes: u64,
    text: String,
}

impl Size {
    /// Reads a decimal number and a unit; a fraction of a byte is dropped.
    pub fn new(text: &str) -> Result<Self, String> {
        let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = &text[number.len()..];
        let known = UNITS.iter().find(|(name, _)| *name == unit);
        let Some((scale, (whole, fraction))) = known.map(|known| known.1).zip(parts(number.trim_end())) else {
            return Err(
                "a size is a number and a unit: `500MiB`, `1.5GB` (B, kB, MB, GB, KiB, MiB, GiB, TiB)".to_owned()
            );
        };
        let bytes = scaled(whole, fraction, scale).ok_or("no image is so large, expected less than 16777216TiB")?;
        Ok(Self { bytes, text: text.to_owned() })
    }

    /// The size in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// The digits before and behind the point of a plain decimal number.
fn parts(number: &str) -> Option<(&str, &str)> {
    let parts = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| (1..=18).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    (digits(parts.0) && digits(parts.1)).then_some(parts)
}

/// A decimal number times `scale`; `None` when that is too large.
fn scaled(whole: &str, fraction: &str, scale: u64) -> Option<u64> {
    let whole = whole.parse::<u64>().ok()?.checked_mul(scale)?;
    let places = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    let fraction = u128::from(fraction.parse::<u64>().ok()?) * u128::from(scale) / places;
    whole.checked_add(u64::try_from(fraction).ok()?)
}

impl Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, "a size such as \"500MiB\"", Self::new)
    }
}

/// Shows bytes for people: `612.3 MiB`. Rounded down, so that a size is never shown beyond what it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bytes(pub(super) u128);

impl Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit =
            [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)].into_iter().find(|(_, bits)| self.0 >> bits > 0);
        match unit {
            None => write!(f, "{} B", self.0),
            Some((unit, bits)) => {
                let tenths = (self.0 >> (bits - 10)) * 10 / 1_024;
                write!(f, "{}.{} {unit}", tenths / 10, tenths % 10)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_a_unit() {
        let bytes = |text| Size::new(text).map(|size| size.bytes()).ok();
        assert_eq!(bytes("500MiB"), Some(500 << 20));
        assert_eq!(bytes("1.5 GB"), Some(1_500_000_000));
        assert_eq!(bytes("0.5KiB"), Some(512));
        assert_eq!(bytes("7B"), Some(7));
        for wrong in ["", "500", "MiB", "500mib", "-1MB", "1e3MB", "1.MB", ".5MB", "1,5GB", "99999999999TiB", "5 Mi B"]
        {
            assert_eq!(bytes(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn bytes_are_shown_in_the_largest_unit_that_fits() {
        let shown = |bytes: u128| Bytes(bytes).to_string();
        assert_eq!(shown(1_023), "1023 B");
        assert_eq!(shown(1_536), "1.5 KiB");
        assert_eq!(shown((500 << 20) - 1), "499.9 MiB");
        assert_eq!(shown(u128::from(u64::MAX)), "16777215.9 TiB");
    }
}
