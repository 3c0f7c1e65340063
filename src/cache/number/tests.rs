//! Numbers are read and written as the real server does it; expectations were taken from it.

use super::*;

#[test]
fn integers_have_one_spelling() {
    for (text, number) in [
        ("0", Some(0)),
        ("-1", Some(-1)),
        ("9223372036854775807", Some(i64::MAX)),
        ("-9223372036854775808", Some(i64::MIN)),
        ("9223372036854775808", None),
        ("-0", None),
        ("+1", None),
        ("01", None),
        (" 1", None),
        ("1 ", None),
        ("", None),
        ("-", None),
        ("1.0", None),
    ] {
        assert_eq!(integer(text.as_bytes()), number, "{text:?}");
    }
}

#[test]
fn doubles_are_read_as_strtod_does() {
    for (text, number) in [
        ("0", Some(0.0)),
        ("1.", Some(1.0)),
        (".5", Some(0.5)),
        ("+5", Some(5.0)),
        ("1e3", Some(1000.0)),
        ("Infinity", Some(f64::INFINITY)),
        ("-inf", Some(f64::NEG_INFINITY)),
        ("0x10", Some(16.0)),
        ("-0x1.8p1", Some(-3.0)),
        ("0e9", Some(0.0)),
        ("1e-310", Some(1e-310)),
        ("1e400", None),
        ("1e-400", None),
        ("nan", None),
        ("+-1", None),
        ("", None),
        (".", None),
        ("0x", None),
        ("1e", None),
        (" 1", None),
        ("1 ", None),
    ] {
        assert_eq!(double(text.as_bytes()), number, "{text:?}");
    }
}

#[test]
fn ends_of_ranges_are_read_leniently() {
    for (text, number) in [
        ("", Some(0.0)),
        (" 1", Some(1.0)),
        ("1e999", Some(f64::INFINITY)),
        ("1 ", None),
        ("nan", None),
    ] {
        assert_eq!(lenient_double(text.as_bytes()), number, "{text:?}");
    }
}

#[test]
fn doubles_are_written_with_seventeen_digits() {
    for (number, text) in [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (-3.5, "-3.5"),
        (0.1, "0.10000000000000001"),
        (0.0001, "0.0001"),
        (1e-5, "1.0000000000000001e-05"),
        (1e15, "1000000000000000"),
        (1e16, "10000000000000000"),
        (1e17, "1e+17"),
        (3e22, "3e+22"),
        (1e100, "1e+100"),
        (123_456_789_012_345_680.0, "1.2345678901234568e+17"),
        (1e-310, "9.9999999999999694e-311"),
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
    ] {
        assert_eq!(format_double(number), text);
    }
}
