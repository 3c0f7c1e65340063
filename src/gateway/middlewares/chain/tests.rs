//! In which order layers run, and what is said of a middleware that cannot be made.

use std::collections::HashMap;

use serde_json::json;

use super::{
    super::testing::{
        Service, connection, context, context_with, get, kept, layer, refused, text, with_status,
    },
    *,
};

/// Notes its name in the path on the way in, and in a header on the way out.
struct Noting(&'static str);

impl Layer for Noting {
    fn handle<'a>(
        &'a self,
        _context: &'a Context,
        mut request: Request<Body>,
        next: Next<'a>,
    ) -> BoxFuture<'a, Response<Body>> {
        Box::pin(async move {
            let path = format!("{}{}", request.uri().path(), self.0);
            *request.uri_mut() = path.parse().expect("a path");
            let mut response = next.run(request).await;
            let name = http::HeaderValue::from_static(self.0);
            response.headers_mut().append("x-way", name);
            response
        })
    }
}

/// Runs what comes after it three times.
struct Thrice;

impl Layer for Thrice {
    fn handle<'a>(
        &'a self,
        _context: &'a Context,
        request: Request<Body>,
        next: Next<'a>,
    ) -> BoxFuture<'a, Response<Body>> {
        Box::pin(async move {
            for _ in 0..2 {
                next.run(get(request.uri().path())).await;
            }
            next.run(request).await
        })
    }
}

#[tokio::test]
async fn layers_run_in_their_order_and_chains_within_it() {
    let others: HashMap<&str, Arc<dyn Layer>> = [("b", "b"), ("c", "c")]
        .map(|(name, noted)| (name, Arc::new(Noting(noted)) as Arc<dyn Layer>))
        .into();
    let config = serde_json::from_value(json!({"chain": {"middlewares": ["b", "c"]}}));
    let config = config.expect("options");
    let chain = build("all", &config, &|name| others.get(name).cloned(), &kept());
    let layers: Vec<Arc<dyn Layer>> = vec![
        Arc::new(Noting("a")),
        chain.expect("a chain"),
        Arc::new(Noting("d")),
    ];
    let (service, context) = (Service::new(), context());
    let answer = Next::new(&layers, &context, &service).run(get("/")).await;
    assert_eq!(service.one().uri, "/abcd");
    let way: Vec<_> = answer.headers().get_all("x-way").iter().collect();
    assert_eq!(way, ["d", "c", "b", "a"]);
}

#[tokio::test]
async fn what_comes_after_can_be_run_again() {
    let layers: Vec<Arc<dyn Layer>> = vec![Arc::new(Thrice), Arc::new(Noting("a"))];
    let (service, context) = (Service::new(), context());
    Next::new(&layers, &context, &service).run(get("/")).await;
    let seen: Vec<_> = service.all().into_iter().map(|seen| seen.uri).collect();
    assert_eq!(seen, ["/a", "/a", "/a"]);
}

#[tokio::test]
async fn middlewares_work_together() {
    let layers = [
        layer(json!({"rateLimit": {"average": 1, "period": "1h", "burst": 2}})),
        layer(json!({"inFlightReq": {"amount": 1}})),
        layer(json!({"errors": {"status": ["502"], "service": "pages", "query": "/{status}"}})),
        layer(json!({"stripPrefix": {"prefixes": ["/api"]}})),
        layer(json!({"retry": {"attempts": 2}})),
        layer(json!({"addPrefix": {"prefix": "/v1"}})),
    ];
    let pages = Service::status(200);
    let client = connection("192.0.2.1".parse().expect("an address"));
    let context = context_with(client, &pages);
    let service = Service::unreached(false).then(|| with_status(204));
    let answer = Next::new(&layers, &context, &service)
        .run(get("/api/x"))
        .await;
    assert_eq!(answer.status(), 204);
    drop(answer);
    let dead = Service::unreached(false);
    let answer = Next::new(&layers, &context, &dead).run(get("/api/x")).await;
    assert_eq!((answer.status().as_u16(), dead.all().len()), (502, 2));
    assert_eq!(pages.one().uri, "/502");
    assert_eq!(text(answer).await, "service 200");
    let answer = Next::new(&layers, &context, &service)
        .run(get("/api/x"))
        .await;
    assert_eq!(answer.status(), 429);
    let seen: Vec<_> = service.all().into_iter().map(|seen| seen.uri).collect();
    assert_eq!(seen, ["/v1/x", "/v1/x"]);
}

#[test]
fn what_cannot_be_made_is_named() {
    refused(
        json!({"chain": {"middlewares": ["x"]}}),
        "middlewares.test.chain.middlewares[0]: there is no middleware \"x\"",
    );
    refused(json!({}), "middlewares.test: it does not say of which kind");
    refused(
        json!({"circuitBreaker": {}}),
        "middlewares.test: circuitBreaker is not supported yet",
    );
}
