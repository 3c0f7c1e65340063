//! All middlewares of a configuration. A chain is made after those that it names, wherever it
//! stands, and one that would run for ever is refused.

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::{
    chain::{self, Layer},
    kept::Kept,
    rate_limit::RateLimit,
    security::SecurityHeaders,
};
use crate::dynamic::middlewares::{Compress, Middleware};

/// What became of a middleware: it, or what is wrong with it.
pub(crate) type Built = Result<Arc<dyn Layer>, String>;

/// Chains within chains.
const MAX_DEPTH: usize = 32;

/// Makes all of them. `foreign` are middlewares that are not in this configuration, by their full
/// name.
pub(crate) fn build_all(
    configs: &BTreeMap<String, Middleware>,
    foreign: &dyn Fn(&str) -> Option<Arc<dyn Layer>>,
    kept: &Kept,
) -> BTreeMap<String, Built> {
    let building = Building {
        configs,
        foreign,
        kept,
        built: RefCell::default(),
    };
    let build = |name: &String| (name.clone(), building.build(name, &mut Vec::new()));
    configs.keys().map(build).collect()
}

/// The platform's own middlewares that files can name.
pub(crate) fn own(
    is_real_domain: bool,
    limit: &RateLimit,
    kept: &Kept,
) -> BTreeMap<String, Arc<dyn Layer>> {
    let mut own: BTreeMap<String, Arc<dyn Layer>> = BTreeMap::new();
    let security = SecurityHeaders { is_real_domain };
    own.insert("security-headers@mito".to_owned(), Arc::new(security));
    // The same buckets as those of the platform's API: whoever asks both asks once.
    own.insert("api-ratelimit@mito".to_owned(), Arc::new(limit.clone()));
    let compress = Middleware {
        compress: Some(Compress::default()),
        ..Middleware::default()
    };
    if let Ok(compress) = chain::build("compress@mito", &compress, &|_| None, kept) {
        own.insert("compress@mito".to_owned(), compress);
    }
    own
}

struct Building<'a> {
    configs: &'a BTreeMap<String, Middleware>,
    foreign: &'a dyn Fn(&str) -> Option<Arc<dyn Layer>>,
    kept: &'a Kept,
    built: RefCell<HashMap<String, Built>>,
}

impl Building<'_> {
    /// Makes `name`, which the chains on `way` lead to.
    fn build(&self, name: &str, way: &mut Vec<String>) -> Built {
        if let Some(built) = self.built.borrow().get(name) {
            return built.clone();
        }
        let Some(config) = self.configs.get(name) else {
            return (self.foreign)(name).ok_or_else(|| format!("there is no middleware {name:?}"));
        };
        way.push(name.to_owned());
        let built = self.build_known(name, config, way);
        way.pop();
        self.built
            .borrow_mut()
            .insert(name.to_owned(), built.clone());
        built
    }

    fn build_known(&self, name: &str, config: &Middleware, way: &mut Vec<String>) -> Built {
        for (at, next) in config
            .chain
            .iter()
            .flat_map(|it| it.middlewares.iter().enumerate())
        {
            let wrong = |why: &str| format!("middlewares.{name}.chain.middlewares[{at}]: {why}");
            if way.contains(next) {
                let way = way.join(" → ");
                return Err(wrong(&format!("the chain contains itself: {way} → {next}")));
            }
            if way.len() >= MAX_DEPTH {
                return Err(wrong(&format!(
                    "there are more than {MAX_DEPTH} chains in chains"
                )));
            }
            if let Err(error) = self.build(next, way) {
                return Err(wrong(&error));
            }
        }
        let others = |other: &str| {
            let built = self.built.borrow().get(other).cloned();
            built.map_or_else(|| (self.foreign)(other), Result::ok)
        };
        chain::build(name, config, &others, self.kept)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{
        super::testing::{Service, context, get, kept, layer, send},
        *,
    };

    fn build(config: Value) -> BTreeMap<String, Built> {
        let configs = serde_json::from_value(config).expect("options");
        let foreign = |name: &str| {
            let layer = || layer(json!({"addPrefix": {"prefix": "/foreign"}}));
            (name == "there@mito").then(layer)
        };
        build_all(&configs, &foreign, &kept())
    }

    #[tokio::test]
    async fn chains_may_stand_before_what_they_name() {
        let built = build(json!({
            "a": {"chain": {"middlewares": ["b", "z", "there@mito", "b"]}},
            "b": {"chain": {"middlewares": ["y"]}},
            "y": {"addPrefix": {"prefix": "/y"}},
            "z": {"addPrefix": {"prefix": "/z"}},
        }));
        let layer = built["a"].as_ref().expect("a chain");
        let service = Service::new();
        send(layer, &context(), get("/"), &service).await;
        assert_eq!(service.one().uri, "/y/foreign/z/y/");
    }

    #[test]
    fn one_that_is_wrong_spoils_only_what_needs_it() {
        let built = build(json!({
            "good": {"compress": {}},
            "bad": {"addPrefix": {}},
            "needs": {"chain": {"middlewares": ["good", "bad"]}},
            "none": {"chain": {"middlewares": ["nowhere"]}},
            "x": {"chain": {"middlewares": ["y"]}},
            "y": {"chain": {"middlewares": ["good", "x"]}},
            "own": {"chain": {"middlewares": ["own"]}},
        }));
        let check = |name: &str, expected: &str| {
            let error = built[name].as_ref().err().cloned().unwrap_or_default();
            assert_eq!(error, expected);
        };
        check("good", "");
        let bad = "middlewares.bad.addPrefix.prefix: \"\" is not a path such as /foo";
        check("bad", bad);
        check(
            "needs",
            &format!("middlewares.needs.chain.middlewares[1]: {bad}"),
        );
        check(
            "none",
            "middlewares.none.chain.middlewares[0]: there is no middleware \"nowhere\"",
        );
        check(
            "own",
            "middlewares.own.chain.middlewares[0]: the chain contains itself: own → own",
        );
        for name in ["x", "y"] {
            let error = built[name].as_ref().err().expect("an error");
            assert!(
                error.ends_with("the chain contains itself: x → y → x"),
                "{error}"
            );
        }
    }

    #[test]
    fn chains_within_chains_have_a_bound() {
        let configs: BTreeMap<String, Value> = (0..100)
            .map(|at| {
                let next = format!("c{:03}", at + 1);
                (
                    format!("c{at:03}"),
                    json!({"chain": {"middlewares": [next]}}),
                )
            })
            .collect();
        let built = build(json!(configs));
        let error = built["c000"].as_ref().err().expect("an error");
        assert!(error.contains("more than 32 chains in chains"), "{error}");
    }
}
