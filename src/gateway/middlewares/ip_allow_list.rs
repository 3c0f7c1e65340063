//! `ipAllowList`: who is not on it stays outside.

use axum::body::Body;
use futures_util::future::BoxFuture;
use http::{Request, Response, StatusCode};

use super::{
    answers,
    chain::{Context, Layer, Next},
    ranges::Range,
    source::Strategy,
};
use crate::dynamic::middlewares::{IpAllowList as Options, IpStrategy};

/// The list.
pub(super) struct IpAllowList {
    ranges: Vec<Range>,
    strategy: Strategy,
    refusal: StatusCode,
}

impl IpAllowList {
    pub(super) fn build(options: &Options) -> Result<Self, String> {
        if options.source_range.is_empty() {
            let error = "sourceRange: it is empty, which lets nobody in; write 127.0.0.1/32 or so";
            return Err(error.to_owned());
        }
        let by_connection = IpStrategy::default();
        let strategy = options.ip_strategy.as_ref().unwrap_or(&by_connection);
        let refusal = options.reject_status_code.unwrap_or(403);
        let refusal = StatusCode::from_u16(refusal)
            .ok()
            .filter(|status| !status.is_informational())
            .ok_or_else(|| format!("rejectStatusCode: {refusal} is not a status such as 403"))?;
        Ok(Self {
            ranges: Range::read_all("sourceRange", &options.source_range)?,
            strategy: Strategy::build("ipStrategy", strategy)?,
            refusal,
        })
    }
}

impl Layer for IpAllowList {
    fn handle<'a>(
        &'a self,
        context: &'a Context,
        request: Request<Body>,
        next: Next<'a>,
    ) -> BoxFuture<'a, Response<Body>> {
        let client = self.strategy.client(&context.connection, request.headers());
        let listed = client.is_some_and(|client| self.ranges.iter().any(|it| it.holds(client)));
        if listed {
            return next.run(request);
        }
        Box::pin(std::future::ready(answers::of_status(self.refusal)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{
        Service, connection, context_with, get, layer, refused, send, text,
    };

    async fn check(options: Value, client: &str, forwarded: &str, status: u16) {
        let layer = layer(json!({"ipAllowList": options}));
        let client = client.parse().expect("an address");
        let context = context_with(connection(client), &Service::new());
        let mut request = get("/");
        let forwarded = forwarded.parse().expect("a value");
        request.headers_mut().insert("x-forwarded-for", forwarded);
        let answer = send(&layer, &context, request, &Service::status(204)).await;
        assert_eq!(answer.status(), status, "{client}");
        let body = text(answer).await;
        assert!(status != 403 || body == "Forbidden", "{body}");
    }

    #[tokio::test]
    async fn only_who_is_listed_comes_in() {
        let list = || json!({"sourceRange": ["10.0.0.0/8", "2001:db8::1"]});
        check(list(), "10.1.1.1", "", 204).await;
        check(list(), "::ffff:10.1.1.1", "", 204).await;
        check(list(), "2001:db8::1", "", 204).await;
        check(list(), "2001:db8::2", "", 403).await;
        check(list(), "192.0.2.1", "10.0.0.1", 403).await;
        let strategy = json!({"depth": 1});
        let list = || json!({"sourceRange": ["10.0.0.0/8"], "ipStrategy": strategy, "rejectStatusCode": 404});
        check(list(), "192.0.2.1", "1.1.1.1, 10.0.0.1", 204).await;
        check(list(), "10.0.0.1", "10.0.0.1, 1.1.1.1", 404).await;
        check(list(), "10.0.0.1", "", 404).await;
    }

    #[test]
    fn mistakes_are_named() {
        refused(
            json!({"ipAllowList": {}}),
            "ipAllowList.sourceRange: it is empty",
        );
        let range = json!({"ipAllowList": {"sourceRange": ["1.1.1.1", "1.1.1"]}});
        refused(range, "ipAllowList.sourceRange[1]: \"1.1.1\"");
        let status = json!({"ipAllowList": {"sourceRange": ["1.1.1.1"], "rejectStatusCode": 1000}});
        refused(status, "ipAllowList.rejectStatusCode: 1000");
    }
}
