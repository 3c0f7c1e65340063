//! Hostile input by real sockets against the real platform. Every case says what must come back;
//! after every one an ordinary request must be answered. The numbers are those of the table of
//! hostile inputs that the requirements name:
//!
//! | rows | what | shown in |
//! |---|---|---|
//! | 1–40, 47 | heads, targets, framing, forwarding headers of HTTP/1 | `heads` |
//! | first byte, head, body, idle; 41 | what comes slowly or not at all | `slow` |
//! | 42 | connections without end | `slow`; per address `network::listener::caps`, as loopback is exempt |
//! | 43, 44 | names in the handshake and in the request | `tls` |
//! | 45, 46 | challenges of a certificate authority | `gateway::tests::acme`, as they need a real domain |
//! | 48–52 | HTTP/2 | `http2`, `http2_frames` |
//! | 53–56, 62 | servers that are hostile themselves, clients that go away | `servers` |
//! | 57 | a flood from one IPv6 network | `gateway::middlewares::rate_limit`, as this machine has no such network |
//! | 58 | no file descriptors left | `descriptors` |
//! | 59, 60 | changes of the configuration | `gateway::tests::{reload, files}` |
//! | 61 | rules that are bombs | `servers` |
//! | 63 | a panic in a handler | `network::listener::tests`, as no handler of the platform panics |
//! | all of 1–16 and 20–28 at random | what is let in means the same to the parser behind | `network::listener::head::fuzz` |

mod descriptors;
mod heads;
mod http2;
mod http2_frames;
mod servers;
mod site;
mod slow;
mod tls;
mod wire;
