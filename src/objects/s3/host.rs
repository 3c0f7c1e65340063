//! Which part of a host name is a bucket: `<bucket>.minio.<domain>`. Every other host, known or
//! not, is path style.

use s3s::{
    S3Result,
    host::{S3Host, VirtualHost},
};

use crate::names;

/// The hosts of object storage.
pub(crate) struct Hosts {
    suffix: String,
}

impl Hosts {
    pub(crate) fn new(domain: &str) -> Self {
        Self {
            suffix: format!(".minio.{domain}"),
        }
    }

    fn bucket<'a>(&self, host: &'a str) -> Option<&'a str> {
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        let split = name.len().checked_sub(self.suffix.len())?;
        let (bucket, suffix) = name.split_at_checked(split)?;
        let ours = suffix.eq_ignore_ascii_case(&self.suffix);
        (ours && names::check_bucket(bucket).is_ok()).then_some(bucket)
    }
}

impl S3Host for Hosts {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let virtual_host = VirtualHost::new(host);
        Ok(match self.bucket(host) {
            Some(bucket) => virtual_host.with_bucket(bucket),
            None => virtual_host,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_labels_before_our_name_are_buckets() {
        let hosts = Hosts::new("example.org");
        for (host, bucket) in [
            ("inbox.minio.example.org", Some("inbox")),
            ("inbox.minio.example.org:9000", Some("inbox")),
            ("inbox.MINIO.example.org", Some("inbox")),
            ("a.b.minio.example.org", Some("a.b")),
            ("minio.example.org", None),
            (".minio.example.org", None),
            ("inbox.minio.example.com", None),
            ("localhost:9000", None),
            ("127.0.0.1:9000", None),
            ("[::1]:9000", None),
            ("", None),
        ] {
            assert_eq!(hosts.bucket(host), bucket, "{host:?}");
        }
    }
}
