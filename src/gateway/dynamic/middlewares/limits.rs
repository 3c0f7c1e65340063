//! How much of what: `rateLimit`, `inFlightReq`, `buffering`, `retry`.

use serde::{Deserialize, Serialize};

use super::{NotYet, is_default};
use crate::dynamic::duration::GoDuration;

/// `rateLimit`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct RateLimit {
    /// Requests in each period, on average; 0 means without limit.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) average: u64,
    /// The period; a second if absent.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) period: Option<GoDuration>,
    /// Requests at once; 1 if absent.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) burst: Option<u64>,
    /// Whose requests count together: those of an address, if absent.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) source_criterion: Option<SourceCriterion>,
    /// Traefik's counting in common with other instances.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) redis: Option<NotYet>,
}

/// `inFlightReq`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct InFlightReq {
    /// Requests that may be served at the same time.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) amount: u64,
    /// Whose requests count together: those to a host, if absent.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) source_criterion: Option<SourceCriterion>,
}

/// `sourceCriterion`: whose requests count together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct SourceCriterion {
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) ip_strategy: Option<IpStrategy>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) request_header_name: String,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) request_host: bool,
}

/// `ipStrategy`: which address is the client's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct IpStrategy {
    /// The n-th address of `X-Forwarded-For` from the right; 0 means the connection's.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) depth: usize,
    /// The first address of `X-Forwarded-For` from the right that is none of these.
    #[serde(rename = "excludedIPs", skip_serializing_if = "is_default")]
    pub(crate) excluded_ips: Vec<String>,
    /// How many leading bits of an IPv6 address make one source; 64 if absent.
    #[serde(rename = "ipv6Subnet", skip_serializing_if = "is_default")]
    pub(crate) ipv6_subnet: Option<u8>,
}

/// `buffering`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct Buffering {
    /// The largest request; 0 means without limit.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) max_request_body_bytes: u64,
    /// How much of a request is held in memory before the service gets it; 1 MiB if absent.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) mem_request_body_bytes: Option<u64>,
    /// The largest response; 0 means without limit.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) max_response_body_bytes: u64,
    /// How much of a response is held in memory before the client gets it; 1 MiB if absent.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) mem_response_body_bytes: Option<u64>,
    /// Traefik's other way to retry.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) retry_expression: String,
    /// Whether requests are streamed and counted alone.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) disable_request_buffer: bool,
    /// Whether responses are streamed and counted alone.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) disable_response_buffer: bool,
}

/// `retry`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[expect(
    clippy::struct_field_names,
    reason = "the names and types are Traefik's"
)]
pub(crate) struct Retry {
    /// How often a request is sent at most, the first time included.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) attempts: u32,
    /// The wait before the second attempt; it grows to twice as much until the last.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) initial_interval: Option<GoDuration>,
    /// When no attempt is begun any more.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) timeout: Option<GoDuration>,
    /// The largest body that is kept for another attempt; 2 MiB if absent.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) max_request_body_bytes: Option<i64>,
    /// Statuses that are tried again: `503`, `500-599`.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) status: Vec<String>,
    /// Whether a server that does not answer is not tried again.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) disable_retry_on_network_error: bool,
    /// Whether a POST that may have reached the server is sent again.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) retry_non_idempotent_method: bool,
}
