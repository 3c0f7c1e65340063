//! Distances on the globe, as PocketBase computes them. SQLite knows the function as
//! `mito_distance`.

/// The radius of the earth, in kilometres.
const RADIUS_KM: f64 = 6_371.0;

/// A point, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// East is positive.
    pub longitude: f64,
    /// North is positive.
    pub latitude: f64,
}

/// Kilometres between two points along the surface of a sphere.
pub fn distance_km(from: Point, to: Point) -> f64 {
    let (first, second) = (from.latitude.to_radians(), to.latitude.to_radians());
    let across = to.longitude.to_radians() - from.longitude.to_radians();
    let cosine = first.cos() * second.cos() * across.cos() + first.sin() * second.sin();
    RADIUS_KM * cosine.clamp(-1.0, 1.0).acos()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        let point = |longitude, latitude| Point {
            longitude,
            latitude,
        };
        let sofia = point(23.32, 42.69);
        assert!(distance_km(sofia, sofia) < 0.001);
        assert!((distance_km(sofia, point(13.4, 52.52)) - 1_316.0).abs() < 5.0);
        assert!((distance_km(point(0.0, 0.0), point(180.0, 0.0)) - 20_015.0).abs() < 1.0);
    }
}
