//! Tracing, Prometheus metrics and the trait by which log rows reach a role that keeps them.
