//! The lists of the API: searched, filtered, sorted and paged as Traefik does it, with the number
//! of the next page in `X-Next-Page` (1 when there is none).

use std::{borrow::Cow, cmp::Ordering};

use axum::{
    Json,
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, StatusCode};
use serde_json::Value;

use super::{message, name_of};

const DEFAULT_PER_PAGE: usize = 100;
const MAX_PER_PAGE: usize = 500;

#[derive(Default)]
struct Query {
    search: String,
    status: String,
    service: String,
    middleware: String,
    sort_by: String,
    descending: bool,
    page: Option<usize>,
    per_page: Option<usize>,
}

/// Answers a list.
pub(super) fn answer(mut items: Vec<Value>, query: Option<&str>) -> Response {
    let query = match Query::parse(query.unwrap_or_default()) {
        Ok(query) => query,
        Err(wrong) => return message(StatusCode::BAD_REQUEST, &wrong),
    };
    items.retain(|item| query.keeps(item));
    items.sort_by(|left, right| query.compare(left, right));
    let page = query.page.unwrap_or(1);
    let per_page = query.per_page.unwrap_or(DEFAULT_PER_PAGE).min(MAX_PER_PAGE);
    let start = (page - 1).saturating_mul(per_page);
    if start >= items.len() && page > 1 {
        let wrong = format!("invalid request: page: {page}, per_page: {per_page}");
        return message(StatusCode::BAD_REQUEST, &wrong);
    }
    let more = items.len() > start.saturating_add(per_page);
    let shown: Vec<Value> = items.into_iter().skip(start).take(per_page).collect();
    let mut response = Json(shown).into_response();
    let next = HeaderValue::from(if more { page + 1 } else { 1 });
    response.headers_mut().insert("x-next-page", next);
    response
}

impl Query {
    fn parse(query: &str) -> Result<Self, String> {
        let pairs: Vec<(String, String)> = axum::extract::Query::try_from_uri(
            &format!("/?{query}")
                .parse()
                .map_err(|_| "the query is wrong".to_owned())?,
        )
        .map_err(|error| error.to_string())?
        .0;
        let mut parsed = Self::default();
        for (key, value) in pairs {
            match key.as_str() {
                "search" => parsed.search = value.to_lowercase(),
                "status" => parsed.status = value,
                "serviceName" => parsed.service = value,
                "middlewareName" => parsed.middleware = value,
                "sortBy" => parsed.sort_by = value,
                "direction" => parsed.descending = value == "desc",
                "page" => parsed.page = Some(positive("page", &value)?),
                "per_page" => parsed.per_page = Some(positive("per_page", &value)?),
                _ => {}
            }
        }
        Ok(parsed)
    }

    fn keeps(&self, item: &Value) -> bool {
        let sans = item["sans"].as_array().into_iter().flatten();
        let found = ["name", "rule", "commonName", "issuerOrg", "issuerCN"]
            .into_iter()
            .map(|key| &item[key])
            .chain(sans)
            .filter_map(Value::as_str)
            .any(|text| text.to_lowercase().contains(&self.search));
        let status = self.status.is_empty()
            || item["status"]
                .as_str()
                .is_some_and(|it| it.eq_ignore_ascii_case(&self.status));
        let provider = item["provider"].as_str().unwrap_or_default();
        let is = |name: &Value, wanted: &str| {
            let name = name.as_str().unwrap_or_default();
            qualified(name, provider) == qualified(wanted, provider)
        };
        let service = self.service.is_empty() || is(&item["service"], &self.service);
        let mut middlewares = item["middlewares"].as_array().into_iter().flatten();
        // Middlewares are listed with their providers, and asked for so.
        let middleware =
            self.middleware.is_empty() || middlewares.any(|name| *name == self.middleware.as_str());
        found && status && service && middleware
    }

    fn compare(&self, left: &Value, right: &Value) -> Ordering {
        let by_name = || name_of(left).cmp(name_of(right));
        let order = match self.sort_by.as_str() {
            "priority" => left["priority"].as_i64().cmp(&right["priority"].as_i64()),
            key @ ("provider" | "rule" | "service" | "status" | "type") => {
                left[key].as_str().cmp(&right[key].as_str())
            }
            "entryPoints" => left["entryPoints"]
                .to_string()
                .cmp(&right["entryPoints"].to_string()),
            "servers" => servers(left).cmp(&servers(right)),
            "issuer" => issuer(left).cmp(&issuer(right)),
            // Times of one format sort as text.
            "validUntil" => left["notAfter"].as_str().cmp(&right["notAfter"].as_str()),
            _ => Ordering::Equal,
        };
        let order = order.then_with(by_name);
        if self.descending {
            order.reverse()
        } else {
            order
        }
    }
}

/// A name with its provider, which an object of the same provider need not say.
fn qualified<'a>(name: &'a str, provider: &str) -> Cow<'a, str> {
    if name.contains('@') {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(format!("{name}@{provider}"))
    }
}

fn issuer(item: &Value) -> Option<&str> {
    item["issuerOrg"].as_str().or(item["issuerCN"].as_str())
}

fn servers(item: &Value) -> usize {
    item["loadBalancer"]["servers"]
        .as_array()
        .map_or(0, Vec::len)
}

fn positive(key: &str, value: &str) -> Result<usize, String> {
    match value.parse::<usize>() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!(
            "invalid request: {key}: {value:?} is not a number from 1"
        )),
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use serde_json::json;

    use super::*;

    async fn check(query: &str, status: u16, names: &[&str], next: &str) {
        let items = vec![
            json!({"name": "b@x", "rule": "Host(`b`)", "priority": 2, "status": "enabled"}),
            json!({"name": "a@x", "rule": "Path(`/`)", "priority": 3, "status": "warning"}),
            json!({"name": "c@x", "rule": "Host(`c`)", "priority": 1, "status": "enabled"}),
        ];
        let response = answer(items, Some(query));
        assert_eq!(response.status(), status, "{query}");
        if status != 200 {
            return;
        }
        assert_eq!(response.headers()["x-next-page"], next, "{query}");
        let body = response
            .into_body()
            .collect()
            .await
            .expect("a body")
            .to_bytes();
        let found: Vec<Value> = serde_json::from_slice(&body).expect("an array");
        let found: Vec<&str> = found.iter().map(name_of).collect();
        assert_eq!(found, names, "{query}");
    }

    #[tokio::test]
    async fn lists_are_filtered_sorted_and_paged() {
        check("", 200, &["a@x", "b@x", "c@x"], "1").await;
        check("search=host", 200, &["b@x", "c@x"], "1").await;
        check("status=warning", 200, &["a@x"], "1").await;
        check("sortBy=priority", 200, &["c@x", "b@x", "a@x"], "1").await;
        check(
            "sortBy=priority&direction=desc",
            200,
            &["a@x", "b@x", "c@x"],
            "1",
        )
        .await;
        check("per_page=2", 200, &["a@x", "b@x"], "2").await;
        check("per_page=2&page=2", 200, &["c@x"], "1").await;
        check("per_page=2&page=3", 400, &[], "").await;
        check("page=0", 400, &[], "").await;
        check("page=x", 400, &[], "").await;
        check("search=nothing", 200, &[], "1").await;
    }
}
