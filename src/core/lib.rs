//! What every role stands on: configuration, clock, randomness, secrets, supervision, health,
//! egress and telemetry. It knows no role and speaks no protocol.
//!
//! | module | what it holds |
//! |---|---|
//! | [`clock`] | the one clock, real or moved by a test |
//! | [`config`] | layered configuration with the origin of every value |
//! | [`descriptors`] | how many file descriptors there may be |
//! | [`egress`] | the one way out: resolves, refuses private addresses, bounds time and size |
//! | [`files`] | 0600 files in 0700 folders, replaced atomically and fsynced |
//! | [`health`] | what a health check answers |
//! | [`nearest`] | "did you mean …?" |
//! | [`random`] | the one random source |
//! | [`scheduling`] | how the system's scheduler treats the process |
//! | [`secrets`] | secrets that are generated once and kept |
//! | [`shutdown`] | the signal that ends every task |
//! | [`supervisor`] | named long-lived tasks, restarted with back-off |
//! | [`telemetry`] | tracing, Prometheus metrics, where log rows go |

pub mod clock;
pub mod config;
pub mod descriptors;
pub mod egress;
pub mod files;
pub mod health;
pub mod nearest;
pub mod random;
pub mod scheduling;
pub mod secrets;
pub mod shutdown;
pub mod supervisor;
pub mod telemetry;

pub use clock::Clock;
pub use health::Health;
pub use random::Random;
pub use shutdown::Shutdown;
pub use supervisor::Supervisor;
