//! How many requests of whom pass, and how many buckets that takes.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use mito_network::ConnectionInfo;
use tower::service_fn;

use super::*;

async fn send(limit: &RateLimit, client: IpAddr) -> Response<Body> {
    let mut request = Request::new(Body::empty());
    request.extensions_mut().insert(ConnectionInfo {
        peer: SocketAddr::new(client, 1),
        client_ip: client,
        scheme: "http",
        host: String::new(),
        tls: None,
        entrypoint: "web".to_owned(),
        request_id: String::new(),
    });
    let inner = service_fn(async |_: Request<Body>| Ok(Response::new(Body::empty())));
    limit.run(inner, request).await
}

async fn passed(limit: &RateLimit, clients: impl Iterator<Item = IpAddr>) -> usize {
    let mut passed = 0;
    for client in clients {
        passed += usize::from(send(limit, client).await.status() == 200);
    }
    passed
}

fn v6(segments: [u16; 8]) -> IpAddr {
    IpAddr::V6(Ipv6Addr::from(segments))
}

fn limiter(limit: &RateLimit) -> &Limiter {
    limit.0.as_ref().expect("there is a limit")
}

#[tokio::test]
async fn a_burst_passes_and_the_next_waits() {
    // One a second, so that none comes back while the test runs.
    let limit = RateLimit::new(1, 50);
    let client = IpAddr::from([127, 0, 0, 1]);
    assert_eq!(passed(&limit, std::iter::repeat_n(client, 200)).await, 50);
    let other = IpAddr::from([127, 0, 0, 2]);
    assert_eq!(send(&limit, other).await.status(), 200);
}

#[tokio::test]
async fn one_ipv6_network_is_one_client_and_a_mapped_address_is_ipv4() {
    let limit = RateLimit::new(1, 50);
    let one_network = (0..200).map(|host| v6([0x2001, 0xdb8, 0, 1, 0, 0, 0, host]));
    assert_eq!(passed(&limit, one_network).await, 50);
    let other = v6([0x2001, 0xdb8, 0, 2, 0, 0, 0, 1]);
    assert_eq!(send(&limit, other).await.status(), 200);
    let plain = IpAddr::from([10, 0, 0, 1]);
    let mapped = "::ffff:10.0.0.1".parse().expect("an address");
    let both = std::iter::repeat_n(plain, 50).chain(std::iter::repeat_n(mapped, 50));
    assert_eq!(passed(&limit, both).await, 50);
}

#[tokio::test]
async fn an_average_is_a_rate_per_second() {
    let check = |average: u32, milliseconds: u64| async move {
        let limit = RateLimit::new(average, 1);
        let client = IpAddr::from([10, 0, 0, 1]);
        assert_eq!(send(&limit, client).await.status(), 200);
        let buckets = &limiter(&limit).buckets;
        let until = buckets.check_key(&Bucket::Own(client)).map_err(|until| {
            let quota = until.quota();
            (quota.replenish_interval(), quota.burst_size().get())
        });
        assert_eq!(until, Err((Duration::from_millis(milliseconds), 1)));
    };
    check(1, 1_000).await;
    check(2, 500).await;
    check(100, 10).await;
    check(1_000, 1).await;
    // Faster than one a nanosecond is as good as no limit, and not a division by zero.
    let fast = RateLimit::new(u32::MAX, u32::MAX);
    assert_eq!(send(&fast, IpAddr::from([10, 0, 0, 1])).await.status(), 200);
}

#[tokio::test]
async fn the_number_of_buckets_is_bounded_and_known_networks_keep_theirs() {
    let limit = RateLimit::new(1, 2);
    let bound = 100;
    limiter(&limit).networks.set_max(bound);
    let known = IpAddr::from([192, 0, 2, 1]);
    assert_eq!(send(&limit, known).await.status(), 200);
    for network in 0..10_000 {
        send(&limit, v6([0x2001, 0xdb8, 1, network, 0, 0, 0, 1])).await;
    }
    let buckets = limiter(&limit).buckets.len();
    assert!(buckets <= bound + 1, "one customer shares one: {buckets}");
    assert_eq!(send(&limit, known).await.status(), 200);
    assert_eq!(send(&limit, known).await.status(), 429);
    let flooding = v6([0x2001, 0xdb8, 1, 20_000, 0, 0, 0, 1]);
    assert_eq!(send(&limit, flooding).await.status(), 429);
}

#[test]
fn idle_networks_make_room() {
    let refill = Duration::from_secs(50);
    let (networks, start) = (Networks::new(refill), Instant::now());
    networks.set_max(10);
    let host = |host| IpAddr::from([10, 0, 0, host]);
    for number in 0..10 {
        networks.bucket(host(number), start);
    }
    let busy_until = start + refill;
    networks.bucket(host(0), busy_until);
    let late = IpAddr::from([10, 0, 1, 1]);
    let room_at = |now| {
        let looked = networks.forget_idle(now);
        (looked, networks.bucket(late, now) == Bucket::Own(late))
    };
    assert_eq!(room_at(start), (false, false));
    assert_eq!(room_at(busy_until), (true, false));
    let millisecond = Duration::from_millis(1);
    assert_eq!(room_at(busy_until + millisecond), (false, false));
    assert_eq!(room_at(busy_until + Duration::from_secs(1)), (true, true));
    assert_eq!(networks.bucket(host(0), busy_until), Bucket::Own(host(0)));
}

#[tokio::test]
async fn zero_means_without_limit() {
    let limit = RateLimit::new(0, 0);
    let client = IpAddr::from([127, 0, 0, 1]);
    let many = std::iter::repeat_n(client, 1_000);
    assert_eq!(passed(&limit, many).await, 1_000);
}

#[test]
fn the_refusal_never_says_to_retry_too_early() {
    let check = |wait_time, seconds: &str| {
        let response = refusal(GovernorError::TooManyRequests {
            wait_time,
            headers: None,
        });
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()["retry-after"], seconds);
        assert_eq!(response.headers()["x-retry-in"], format!("{seconds}s"));
        let kind = &response.headers()["content-type"];
        assert_eq!(kind, "application/problem+json");
    };
    check(0, "1");
    check(1, "2");
    check(u64::MAX, &u32::MAX.to_string());
}

#[tokio::test]
async fn a_request_without_a_connection_does_not_pass() {
    let limit = RateLimit::new(1, 1);
    let inner = service_fn(async |_: Request<Body>| Ok(Response::new(Body::empty())));
    let answer = limit.run(inner, Request::new(Body::empty())).await;
    assert_eq!(answer.status(), 500);
}
