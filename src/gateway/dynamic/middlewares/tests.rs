//! What is read, what is shown again, and what is told of a mistake.

use serde_json::{Value, json};

use super::*;

fn read(config: Value) -> Middleware {
    serde_json::from_value(config).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn what_is_written_is_shown_and_nothing_else() {
    for config in [
        json!({"addPrefix": {"prefix": "/foo"}}),
        json!({"basicAuth": {
            "users": ["a:b"], "usersFile": "f", "realm": "r", "removeHeader": true,
            "headerField": "X",
        }}),
        json!({"buffering": {
            "maxRequestBodyBytes": 42, "memRequestBodyBytes": 42, "maxResponseBodyBytes": 42,
            "memResponseBodyBytes": 42, "retryExpression": "x", "disableRequestBuffer": true,
            "disableResponseBuffer": true,
        }}),
        json!({"chain": {"middlewares": ["a", "b"]}}),
        json!({"compress": {}}),
        json!({"compress": {
            "excludedContentTypes": ["a/b"], "includedContentTypes": ["a/b"],
            "minResponseBodyBytes": 42, "encodings": ["gzip"], "defaultEncoding": "gzip",
        }}),
        json!({"errors": {
            "status": ["404"], "statusRewrites": {"418": 404}, "service": "s", "query": "q",
            "errorRequestHeaders": ["A"],
        }}),
        json!({"forwardAuth": {
            "address": "http://a",
            "tls": {"ca": "c", "cert": "c", "key": "k", "insecureSkipVerify": true},
            "trustForwardHeader": true, "authResponseHeaders": ["A"],
            "authResponseHeadersRegex": "r", "authRequestHeaders": ["A"],
            "addAuthCookiesToResponse": ["c"], "headerField": "X", "forwardBody": true,
            "maxBodySize": -1, "maxResponseBodySize": 42, "preserveLocationHeader": true,
            "preserveRequestMethod": true, "authSigninURL": "http://b",
        }}),
        json!({"headers": {
            "customRequestHeaders": {"A": "b"}, "accessControlMaxAge": 42,
            "accessControlAllowOriginListRegex": ["a"], "sslProxyHeaders": {"A": "b"},
            "stsSeconds": 42, "forceSTSHeader": true, "browserXssFilter": true,
            "customBrowserXSSValue": "v", "contentSecurityPolicyReportOnly": "p",
            "isDevelopment": true,
        }}),
        json!({"inFlightReq": {"amount": 42, "sourceCriterion": {"requestHost": true}}}),
        json!({"ipAllowList": {
            "sourceRange": ["10.0.0.0/8"], "rejectStatusCode": 404,
            "ipStrategy": {"depth": 2, "excludedIPs": ["10.0.0.1"], "ipv6Subnet": 48},
        }}),
        json!({"ipWhiteList": {"sourceRange": ["10.0.0.0/8"]}}),
        json!({"rateLimit": {
            "average": 42, "period": "1m30s", "burst": 42,
            "sourceCriterion": {"requestHeaderName": "A"},
        }}),
        json!({"redirectRegex": {"regex": "a", "replacement": "b", "permanent": true}}),
        json!({"redirectScheme": {"scheme": "https", "port": "443", "permanent": true}}),
        json!({"replacePath": {"path": "/a"}}),
        json!({"replacePathRegex": {"regex": "a", "replacement": "/b"}}),
        json!({"retry": {
            "attempts": 4, "initialInterval": "100ms", "timeout": "1m0s",
            "maxRequestBodyBytes": 1024, "status": ["400"],
            "disableRetryOnNetworkError": true, "retryNonIdempotentMethod": true,
        }}),
        json!({"stripPrefix": {"prefixes": ["/a"], "forceSlash": true}}),
        json!({"stripPrefixRegex": {"regex": ["/a"]}}),
    ] {
        is_shown(&config);
    }
}

#[test]
fn what_is_written_of_other_kinds_is_shown() {
    for config in [
        json!({"contentType": {"autoDetect": false}}),
        json!({"encodedCharacters": {
            "allowEncodedSlash": true, "allowEncodedBackSlash": true,
            "allowEncodedNullCharacter": true, "allowEncodedSemicolon": true,
            "allowEncodedPercent": true, "allowEncodedQuestionMark": true, "allowEncodedHash": true,
        }}),
        json!({"digestAuth": {
            "users": ["a:b:c"], "usersFile": "f", "realm": "r", "removeHeader": true,
            "headerField": "X",
        }}),
        json!({"passTLSClientCert": {"pem": true, "info": {
            "notAfter": true, "notBefore": true, "sans": true, "serialNumber": true,
            "subject": {"organizationalUnit": true, "domainComponent": true},
            "issuer": {"country": true, "province": true},
        }}}),
        json!({"grpcWeb": {"allowOrigins": ["*"]}}),
    ] {
        is_shown(&config);
    }
}

/// Checks that what is written is shown, as the only member.
#[track_caller]
fn is_shown(config: &Value) {
    let middleware = read(config.clone());
    let shown = serde_json::to_value(&middleware).expect("plain data");
    assert_eq!(shown, *config);
    let kind = middleware.kind().map(Kind::name);
    assert!(
        kind.is_ok_and(|name| config.get(name).is_some()),
        "{config}"
    );
}

#[test]
fn a_middleware_is_of_one_kind() {
    let check = |config: Value, expected: &str| {
        let middleware = read(config);
        let error = middleware.kind().expect_err(expected);
        assert!(error.contains(expected), "{error}");
    };
    check(json!({}), "does not say of which kind");
    check(
        json!({"compress": {}, "chain": {}}),
        "both chain and compress: make two",
    );
    check(
        json!({"circuitBreaker": {"expression": "x"}}),
        "circuitBreaker is not supported yet",
    );
    check(
        json!({"plugin": {"a": {"b": 1}}}),
        "plugin is not supported yet",
    );
}

#[test]
fn a_word_that_nobody_knows_is_named() {
    let error = |config: Value| {
        serde_json::from_value::<Middleware>(config)
            .expect_err("a mistake")
            .to_string()
    };
    assert!(error(json!({"rateLimits": {}})).contains("unknown field `rateLimits`"));
    assert!(error(json!({"rateLimit": {"avrage": 1}})).contains("unknown field `avrage`"));
    assert!(error(json!({"rateLimit": {"period": "1y"}})).contains("1m30s"));
}

#[test]
fn secrets_are_not_shown() {
    let shown =
        |config: Value| serde_json::to_value(read(config).without_secrets()).expect("plain data");
    assert_eq!(
        shown(json!({"basicAuth": {"users": ["admin:$2y$05$abc", "none"]}})),
        json!({"basicAuth": {"users": ["admin:xxxx", "xxxx"]}})
    );
    assert_eq!(
        shown(json!({"forwardAuth": {"address": "http://a:b@c:1/d?token=e", "tls": {"key": "k"}}})),
        json!({"forwardAuth": {"address": "http://xxxx@c:1/d?xxxx", "tls": {"key": "xxxx"}}})
    );
    assert_eq!(
        shown(json!({"forwardAuth": {"address": "http://c/@d"}})),
        json!({"forwardAuth": {"address": "http://c/@d"}})
    );
    let headers = |secret: &str| {
        let headers = json!({
            "Authorization": secret, "X-Api-Key": secret, "Cookie": "", "X-Kind": "x",
        });
        json!({"headers": {"customRequestHeaders": headers}})
    };
    assert_eq!(shown(headers("x")), headers("xxxx"));
}
