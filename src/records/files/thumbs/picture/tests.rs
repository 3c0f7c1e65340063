//! Cases for `picture`.

use image::{Rgb, RgbImage, Rgba, RgbaImage};

use super::*;

const RED: Rgb<u8> = Rgb([250, 0, 0]);
const BLUE: Rgb<u8> = Rgb([0, 0, 250]);

/// Red above, blue below.
fn flag(width: u32, height: u32) -> DynamicImage {
    let color = |_, y| if y < height / 2 { RED } else { BLUE };
    RgbImage::from_fn(width, height, color).into()
}

fn file(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, format).unwrap();
    file.into_inner()
}

fn thumb(source: &[u8], format: Format, size: &str) -> DynamicImage {
    let size = ThumbSize::parse(size).unwrap();
    let made = shrink(source, format, &size).unwrap();
    let expected = match format {
        Format::Webp => ImageFormat::Png,
        other => other.decoded(),
    };
    assert_eq!(image::guess_format(&made).unwrap(), expected);
    image::load_from_memory(&made).unwrap()
}

#[test]
fn each_mode_keeps_its_part_of_the_picture() {
    let source = file(&flag(60, 120), ImageFormat::Png);
    let colors = |size: &str| {
        let thumb = thumb(&source, Format::Png, size).to_rgb8();
        let (width, height) = thumb.dimensions();
        let at = |y| match *thumb.get_pixel(width / 2, y) {
            RED => "red",
            BLUE => "blue",
            _ => "mixed",
        };
        format!("{width}x{height} {} {}", at(0), at(height - 1))
    };
    assert_eq!(colors("30x30"), "30x30 red blue");
    assert_eq!(colors("30x30t"), "30x30 red red");
    assert_eq!(colors("30x30b"), "30x30 blue blue");
    assert_eq!(colors("30x30f"), "15x30 red blue");
    assert_eq!(colors("0x30"), "15x30 red blue");
    assert_eq!(colors("30x0"), "30x60 red blue");
    assert_eq!(colors("200x400"), "200x400 red blue");
    assert_eq!(colors("200x400f"), "60x120 red blue");
    assert_eq!(colors("1x1"), "1x1 mixed mixed");
}

#[test]
fn all_formats_are_understood() {
    for (format, encoding) in [
        (Format::Png, ImageFormat::Png),
        (Format::Jpeg, ImageFormat::Jpeg),
        (Format::Gif, ImageFormat::Gif),
        (Format::Webp, ImageFormat::WebP),
    ] {
        let thumb = thumb(&file(&flag(40, 40), encoding), format, "10x20");
        assert_eq!(thumb.dimensions(), (10, 20), "{format:?}");
        let color = thumb.to_rgb8();
        let Rgb([red, _, blue]) = *color.get_pixel(5, 2);
        assert!(red > 200 && blue < 50, "{format:?}: {red} {blue}");
    }
}

#[test]
fn transparency_stays() {
    let source = RgbaImage::from_pixel(20, 20, Rgba([1, 2, 3, 0]));
    let thumb = thumb(
        &file(&source.into(), ImageFormat::Png),
        Format::Png,
        "10x10",
    );
    assert_eq!(thumb.to_rgba8().get_pixel(5, 5)[3], 0);
}

/// The header of a PNG of any size, with nothing behind it.
fn promise(width: u32, height: u32) -> Vec<u8> {
    let mut file = file(&flag(2, 2), ImageFormat::Png);
    file[16..20].copy_from_slice(&width.to_be_bytes());
    file[20..24].copy_from_slice(&height.to_be_bytes());
    let checksum = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, &file[12..29]);
    file[29..33].copy_from_slice(&u32::try_from(checksum).unwrap().to_be_bytes());
    file
}

#[test]
fn hostile_pictures_are_refused() {
    let size = ThumbSize::parse("100x100").unwrap();
    let refused = |source: &[u8], format| shrink(source, format, &size).is_err();
    assert!(refused(b"", Format::Png));
    assert!(refused(b"no picture", Format::Jpeg));
    assert!(refused(
        &file(&flag(20, 20), ImageFormat::Png)[..60],
        Format::Png
    ));
    assert!(refused(&file(&flag(20, 20), ImageFormat::Png), Format::Gif));
    for (width, height) in [
        (30_000, 30_000),
        (u32::MAX, 1),
        (1, 40_000),
        (0, 0),
        (7_000, 7_000),
    ] {
        assert!(
            refused(&promise(width, height), Format::Png),
            "{width}x{height}"
        );
    }
}

#[test]
fn a_long_thin_picture_makes_no_large_thumbnail() {
    let source = file(&flag(1, 4_000), ImageFormat::Png);
    let size = ThumbSize::parse("8000x0").unwrap();
    let made = shrink(&source, Format::Png, &size);
    assert!(matches!(made, Err(Refused::TooLarge(_))), "{made:?}");
}
