//! The certificates as Prometheus reads them, under Traefik's name.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::Certificates;

impl Certificates {
    /// `traefik_tls_certs_not_after`. It is written here because series of the registry stay for ever,
    /// and every renewed certificate would leave one.
    pub(crate) fn metrics(&self) -> String {
        let mut text = String::new();
        for facts in self.list().into_iter().filter_map(|listed| listed.facts) {
            if text.is_empty() {
                text.push_str("# TYPE traefik_tls_certs_not_after gauge\n");
            }
            let until = facts.not_after.map_or(0, Timestamp::as_second);
            // Writing to a string does not fail.
            let _ = writeln!(
                text,
                "traefik_tls_certs_not_after{{cn=\"{}\",serial=\"{}\",sans=\"{}\"}} {until}",
                label(&facts.common_name),
                label(&facts.serial_number),
                label(&facts.sans.join(",")),
            );
        }
        text
    }
}

/// A value of a label, escaped as the text format of Prometheus wants it.
fn label(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::label;

    #[test]
    fn a_label_cannot_end_early() {
        assert_eq!(label("a\"b\\c\nd"), "a\\\"b\\\\c\\nd");
        assert_eq!(label("a.example"), "a.example");
    }
}
