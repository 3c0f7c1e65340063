//! How many requests of whom pass and when, and how many buckets that takes.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use governor::clock::{FakeRelativeClock, Reference as _};
use proptest::prelude::*;
use serde_json::json;
use tower::service_fn;

use super::{
    super::{
        chain,
        source::Source,
        testing::{self, Service as Small, connection, context_with, get, kept, refused, text},
    },
    *,
};

fn request_of(client: IpAddr) -> Request<Body> {
    let mut request = Request::new(Body::empty());
    request.extensions_mut().insert(ConnectionInfo {
        peer: SocketAddr::new(client, 1),
        ..connection(client)
    });
    request
}

async fn send(limit: &RateLimit, client: IpAddr) -> Response<Body> {
    let inner = service_fn(async |_: Request<Body>| Ok(Response::new(Body::empty())));
    limit.run(inner, request_of(client)).await
}

async fn passed(limit: &RateLimit, clients: impl Iterator<Item = IpAddr>) -> usize {
    let mut passed = 0;
    for client in clients {
        passed += usize::from(send(limit, client).await.status() == 200);
    }
    passed
}

/// A limiter whose clock is moved by hand.
fn manual(average: u64, period: &str, burst: u64) -> (RateLimit, FakeRelativeClock) {
    let clock = FakeRelativeClock::default();
    let options = Options {
        average,
        period: Some(GoDuration::parse(period).expect("a duration")),
        burst: Some(burst),
        ..Options::default()
    };
    let criterion = Criterion::by_address(None).expect("the default");
    let limiter = Limiter::new(&options, criterion, Time::Manual(clock.clone()));
    (RateLimit(limiter.map(Arc::new)), clock)
}

fn v4(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

fn v6(segments: [u16; 8]) -> IpAddr {
    IpAddr::V6(Ipv6Addr::from(segments))
}

fn limiter(limit: &RateLimit) -> &Limiter {
    limit.0.as_ref().expect("there is a limit")
}

#[tokio::test]
async fn a_burst_passes_and_the_next_waits() {
    let (limit, _) = manual(100, "1s", 50);
    let mut passed = 0;
    let refused = loop {
        let answer = send(&limit, v4(1)).await;
        if answer.status() != 200 {
            break answer;
        }
        passed += 1;
    };
    assert_eq!((passed, refused.status().as_u16()), (50, 429));
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(refused.headers()["x-retry-in"], "10ms");
    assert_eq!(send(&limit, v4(2)).await.status(), 200);
}

#[tokio::test]
async fn a_request_that_may_soon_pass_is_held() {
    let (limit, clock) = manual(100, "1s", 1);
    assert_eq!(send(&limit, v4(1)).await.status(), 200);
    clock.advance(Duration::from_millis(4));
    assert_eq!(send(&limit, v4(1)).await.headers()["x-retry-in"], "6ms");
    clock.advance(Duration::from_millis(1));
    let before = limiter(&limit).time.now();
    assert_eq!(send(&limit, v4(1)).await.status(), 200);
    let held = limiter(&limit).time.now().duration_since(before);
    assert_eq!(Duration::from(held), Duration::from_millis(5));
    // Where less than one passes in a second, half a second is the longest.
    let (limit, clock) = manual(1, "1m", 1);
    assert_eq!(send(&limit, v4(1)).await.status(), 200);
    clock.advance(Duration::from_millis(59_499));
    let answer = send(&limit, v4(1)).await;
    assert_eq!(answer.headers()["x-retry-in"], "501ms");
    clock.advance(Duration::from_millis(1));
    assert_eq!(send(&limit, v4(1)).await.status(), 200);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn over_any_time_exactly_the_burst_and_what_the_rate_allows_pass(
        average in 1_u64..200,
        burst in 1_u64..60,
        seconds in 1_u64..5,
        looks in 3_u32..9,
    ) {
        let (limit, clock) = manual(average, "1s", burst);
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let begun = limiter(&limit).time.now();
        let elapsed = || Duration::from(limiter(&limit).time.now().duration_since(begun));
        let between = Duration::from_secs(1) / u32::try_from(average).expect("small");
        let mut passed = 0;
        runtime.block_on(async {
            while elapsed() < Duration::from_secs(seconds) {
                // More than can pass, always.
                while send(&limit, v4(1)).await.status() == 200 {
                    passed += 1;
                }
                clock.advance(between / looks);
            }
        });
        // Of what has come back, whole requests alone pass; for the last nobody has asked yet.
        let back = elapsed().as_nanos() / between.as_nanos();
        let allowed = burst + u64::try_from(back).expect("small");
        prop_assert!(passed <= allowed, "{} of at most {}", passed, allowed);
        prop_assert!(passed + 1 >= allowed, "{} of {}", passed, allowed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_at_once_the_burst_passes() {
    let begun = std::time::Instant::now();
    let limit = Arc::new(RateLimit::new(100, 50));
    let mut sending = tokio::task::JoinSet::new();
    for _ in 0..400 {
        let limit = limit.clone();
        sending.spawn(async move { send(&limit, v4(1)).await.status() == 200 });
    }
    let passed = sending
        .join_all()
        .await
        .into_iter()
        .filter(|passed| *passed)
        .count();
    // Those that come back meanwhile, and one that is held.
    let more = usize::try_from(begun.elapsed().as_millis() / 10).expect("small") + 1;
    assert!(
        (50..=50 + more).contains(&passed),
        "{passed} and {more} more"
    );
}

#[tokio::test]
async fn one_ipv6_network_is_one_client_and_a_mapped_address_is_ipv4() {
    let (limit, _) = manual(1, "1s", 50);
    let one_network = (0..20_000).map(|host| v6([0x2001, 0xdb8, 0, 1, host, 0, 0, host]));
    assert_eq!(passed(&limit, one_network).await, 50);
    assert_eq!(
        limiter(&limit).counted.len(),
        1,
        "all of them share a bucket"
    );
    let other = v6([0x2001, 0xdb8, 0, 2, 0, 0, 0, 1]);
    assert_eq!(send(&limit, other).await.status(), 200);
    let plain = IpAddr::from([10, 0, 0, 1]);
    let mapped = "::ffff:10.0.0.1".parse().expect("an address");
    let both = std::iter::repeat_n(plain, 50).chain(std::iter::repeat_n(mapped, 50));
    assert_eq!(passed(&limit, both).await, 50);
}

#[tokio::test]
async fn an_average_is_a_rate_in_its_period() {
    let check = |average, period, wait: &'static str, seconds: &'static str| async move {
        let (limit, _) = manual(average, period, 1);
        assert_eq!(send(&limit, v4(1)).await.status(), 200);
        let answer = send(&limit, v4(1)).await;
        assert_eq!(answer.headers()["x-retry-in"], wait);
        assert_eq!(answer.headers()["retry-after"], seconds);
        let kind = &answer.headers()["content-type"];
        assert_eq!(kind, "application/problem+json");
    };
    check(1, "1s", "1s", "1").await;
    check(2, "1s", "500ms", "1").await;
    check(100, "1s", "10ms", "1").await;
    check(6, "1m", "10s", "10").await;
    check(7, "1m", "8.571428571s", "9").await;
    // Faster than one a nanosecond is as good as no limit, and not a division by zero.
    let fast = RateLimit::new(u32::MAX, u32::MAX);
    assert_eq!(send(&fast, v4(1)).await.status(), 200);
}

#[tokio::test]
async fn the_number_of_buckets_is_bounded_and_known_sources_keep_theirs() {
    let (limit, _) = manual(1, "1s", 2);
    let bound = 100;
    limiter(&limit).buckets.set_max(bound);
    let known = v4(1);
    assert_eq!(send(&limit, known).await.status(), 200);
    for network in 0..10_000 {
        send(&limit, v6([0x2001, 0xdb8, 1, network, 0, 0, 0, 1])).await;
    }
    let buckets = limiter(&limit).counted.len();
    assert!(buckets <= bound + 1, "one customer shares one: {buckets}");
    assert_eq!(send(&limit, known).await.status(), 200);
    assert_eq!(send(&limit, known).await.status(), 429);
    let flooding = v6([0x2001, 0xdb8, 1, 20_000, 0, 0, 0, 1]);
    assert_eq!(send(&limit, flooding).await.status(), 429);
}

#[test]
fn idle_sources_make_room() {
    let (refill, clock) = (Duration::from_secs(50), FakeRelativeClock::default());
    let criterion = Criterion::by_address(None).expect("the default");
    let buckets = Buckets::new(criterion, refill, Time::Manual(clock.clone()));
    buckets.set_max(10);
    let source = |last| Source::Address(v4(last));
    for last in 0..10 {
        buckets.of(source(last));
    }
    let late = source(100);
    let has_room = || (buckets.forget_idle(), buckets.of(late) == Bucket::Own(late));
    assert_eq!(has_room(), (false, false));
    clock.advance(refill);
    buckets.of(source(0));
    assert_eq!(has_room(), (true, false));
    clock.advance(Duration::from_millis(1));
    assert_eq!(has_room(), (false, false));
    clock.advance(Duration::from_millis(999));
    assert_eq!(has_room(), (true, true));
    assert_eq!(buckets.of(source(0)), Bucket::Own(source(0)));
}

#[tokio::test]
async fn zero_means_without_limit() {
    let limit = RateLimit::new(0, 0);
    let many = std::iter::repeat_n(v4(1), 1_000);
    assert_eq!(passed(&limit, many).await, 1_000);
}

#[tokio::test]
async fn a_request_without_a_connection_does_not_pass() {
    let limit = RateLimit::new(1, 1);
    let inner = service_fn(async |_: Request<Body>| Ok(Response::new(Body::empty())));
    let answer = limit.run(inner, Request::new(Body::empty())).await;
    assert_eq!(answer.status(), 500);
}

#[tokio::test]
async fn a_reload_keeps_the_buckets_of_what_did_not_change() {
    let kept = kept();
    let service = Small::status(204);
    let send = async |average: u64| {
        let config = json!({"rateLimit": {"average": average, "period": "1h", "burst": 2}});
        let config = serde_json::from_value(config).expect("options");
        let layer = chain::build("limit", &config, &|_| None, &kept).expect("a limit");
        kept.retain();
        let context = context_with(connection(v4(1)), &Small::new());
        testing::send(&layer, &context, get("/"), &service).await
    };
    assert_eq!(send(1).await.status(), 204);
    assert_eq!(send(1).await.status(), 204);
    let answer = send(1).await;
    assert_eq!(answer.status(), 429);
    assert_eq!(
        answer.headers()["content-type"],
        "text/plain; charset=utf-8"
    );
    assert_eq!(text(answer).await, "Too Many Requests");
    assert_eq!(send(2).await.status(), 204);
}

#[tokio::test]
async fn sources_are_what_the_options_say_and_forged_headers_change_nothing() {
    let layer = testing::layer(json!({"rateLimit": {"average": 1, "period": "1h"}}));
    let by_user =
        json!({"average": 1, "period": "1h", "sourceCriterion": {"requestHeaderName": "X-User"}});
    let by_user = testing::layer(json!({"rateLimit": by_user}));
    let service = Small::status(204);
    let context = context_with(connection(v4(1)), &Small::new());
    let with = |name: &'static str, value: &str| {
        let mut request = get("/");
        let value = value.parse().expect("a value");
        request.headers_mut().insert(name, value);
        request
    };
    let first = with("x-forwarded-for", "1.1.1.1");
    assert_eq!(
        testing::send(&layer, &context, first, &service)
            .await
            .status(),
        204
    );
    let second = with("x-forwarded-for", "2.2.2.2");
    assert_eq!(
        testing::send(&layer, &context, second, &service)
            .await
            .status(),
        429
    );
    for (user, status) in [("a", 204), ("b", 204), ("a", 429)] {
        let request = with("x-user", user);
        let answer = testing::send(&by_user, &context, request, &service).await;
        assert_eq!(answer.status(), status);
    }
}

#[test]
fn mistakes_are_named() {
    refused(
        json!({"rateLimit": {"average": 1, "period": 0}}),
        "rateLimit.period: ",
    );
    refused(
        json!({"rateLimit": {"redis": {"endpoints": ["a"]}}}),
        "rateLimit.redis: ",
    );
    let both = json!({"requestHost": true, "requestHeaderName": "A"});
    let both = json!({"rateLimit": {"average": 1, "sourceCriterion": both}});
    refused(both, "rateLimit.sourceCriterion: ipStrategy, ");
}
