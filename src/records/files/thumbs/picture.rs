//! Pictures decoded, made small and encoded again. Everything here blocks, and what it may use is
//! bounded before the first pixel is decoded.

use std::io::Cursor;

use image::{
    DynamicImage, GenericImageView as _, ImageDecoder as _, ImageError, ImageFormat, ImageReader,
    Limits, codecs::jpeg::JpegEncoder, imageops::FilterType,
};

use super::size::{Fitting, MAX_SIDE, ThumbSize};

/// The most pixels of a picture: 160 MB with four bytes each.
const MAX_PIXELS: u64 = 40_000_000;
/// The longest side of a picture, in pixels.
const MAX_SOURCE_SIDE: u32 = 32_768;
/// The most memory that a decoder may ask for, in bytes.
const MAX_DECODER_BYTES: u64 = 512 * 1024 * 1024;
/// The quality of JPEG thumbnails, of 100.
const JPEG_QUALITY: u8 = 95;

/// The pictures that are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Png,
    Jpeg,
    Gif,
    Webp,
}

impl Format {
    /// The format of a media type.
    pub(super) fn of(mime: Option<&str>) -> Option<Self> {
        match mime? {
            "image/png" => Some(Self::Png),
            "image/jpeg" => Some(Self::Jpeg),
            "image/gif" => Some(Self::Gif),
            "image/webp" => Some(Self::Webp),
            _ => None,
        }
    }

    /// What thumbnails of such pictures are; WebP becomes PNG, as in PocketBase.
    pub(super) fn thumb_mime(self) -> &'static str {
        match self {
            Self::Png | Self::Webp => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Gif => "image/gif",
        }
    }

    fn decoded(self) -> ImageFormat {
        match self {
            Self::Png => ImageFormat::Png,
            Self::Jpeg => ImageFormat::Jpeg,
            Self::Gif => ImageFormat::Gif,
            Self::Webp => ImageFormat::WebP,
        }
    }
}

/// Why there is no thumbnail.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error(transparent)]
    Image(#[from] ImageError),
    #[error("the picture has {0} pixels")]
    TooLarge(u64),
}

/// The thumbnail of a picture.
pub(super) fn shrink(source: &[u8], format: Format, size: &ThumbSize) -> Result<Vec<u8>, Refused> {
    let picture = decode(source, format)?;
    let (width, height) = size.of(picture.dimensions());
    let (width, height) = (width.min(MAX_SIDE), height.min(MAX_SIDE));
    let pixels = u64::from(width) * u64::from(height);
    if pixels > MAX_PIXELS {
        return Err(Refused::TooLarge(pixels));
    }
    let fills = size.width > 0 && size.height > 0 && size.fitting != Fitting::Fit;
    let picture = if fills {
        crop(&picture, (width, height), size.fitting)
    } else {
        picture
    };
    encode(
        &picture.resize_exact(width, height, FilterType::Triangle),
        format,
    )
}

fn decode(source: &[u8], format: Format) -> Result<DynamicImage, Refused> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SOURCE_SIDE);
    limits.max_image_height = Some(MAX_SOURCE_SIDE);
    limits.max_alloc = Some(MAX_DECODER_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(source), format.decoded());
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels > MAX_PIXELS {
        return Err(Refused::TooLarge(pixels));
    }
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// The largest part of the picture that has the wanted shape.
fn crop(picture: &DynamicImage, (width, height): (u32, u32), fitting: Fitting) -> DynamicImage {
    let (full_width, full_height) = picture.dimensions();
    let part = |full: u32, by: u32, to: u32| {
        let exact = u64::from(full) * u64::from(by) / u64::from(to.max(1));
        u32::try_from(exact).unwrap_or(u32::MAX).max(1)
    };
    let (part_width, part_height) = (
        part(full_height, width, height).min(full_width),
        part(full_width, height, width).min(full_height),
    );
    let left = (full_width - part_width) / 2;
    let over = full_height - part_height;
    let top = match fitting {
        Fitting::Top => 0,
        Fitting::Bottom => over,
        Fitting::Center | Fitting::Fit => over / 2,
    };
    picture.crop_imm(left, top, part_width, part_height)
}

fn encode(picture: &DynamicImage, format: Format) -> Result<Vec<u8>, Refused> {
    let mut file = Cursor::new(Vec::new());
    let has_alpha = picture.color().has_alpha();
    match format {
        Format::Jpeg => {
            let jpeg = JpegEncoder::new_with_quality(&mut file, JPEG_QUALITY);
            picture.to_rgb8().write_with_encoder(jpeg)?;
        }
        Format::Gif => picture.to_rgba8().write_to(&mut file, ImageFormat::Gif)?,
        Format::Png | Format::Webp if has_alpha => {
            picture.to_rgba8().write_to(&mut file, ImageFormat::Png)?;
        }
        Format::Png | Format::Webp => picture.to_rgb8().write_to(&mut file, ImageFormat::Png)?,
    }
    Ok(file.into_inner())
}

#[cfg(test)]
mod tests {
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
}
