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
mod tests;
