//! Which options a host gets.

use super::*;

fn secured(options: &str, hosts: &[&str]) -> Secured {
    let pattern = |host: &&str| match host.strip_prefix('*') {
        Some("") => HostPattern::Any,
        Some(suffix) => HostPattern::OneLabel(suffix.to_owned()),
        None => HostPattern::Exact((*host).to_owned()),
    };
    Secured {
        options: options.to_owned(),
        hosts: hosts.iter().map(pattern).collect(),
        conflict: None,
    }
}

#[test]
fn the_nearest_name_decides() {
    let mut tls = Tls::default();
    let mut routers = [
        secured("a@file", &["a.test", "x.a.test"]),
        secured("w@file", &["*.a.test"]),
        secured("default", &["b.test"]),
    ];
    tls.assign(&mut routers);
    assert!(routers.iter().all(|router| router.conflict.is_none()));
    let check = |tls: &Tls, host: &str, options: &str| {
        assert_eq!(&*tls.of_host(host), options, "{host}");
    };
    check(&tls, "a.test", "a@file");
    check(&tls, "a.test.", "a@file");
    check(&tls, "x.a.test", "a@file");
    check(&tls, "y.a.test", "w@file");
    check(&tls, "z.y.a.test", "default");
    check(&tls, "b.test", "default");
    check(&tls, "", "default");
    tls.assign(&mut [secured("any@file", &["*"])]);
    check(&tls, "", "any@file");
    check(&tls, "a.test", "a@file");
}

#[test]
fn routers_of_one_host_that_differ_get_the_default_options() {
    let mut tls = Tls::default();
    let mut routers = [
        secured("a@file", &["a.test", "b.test"]),
        secured("default", &["a.test"]),
        secured("a@file", &["b.test"]),
        secured("a@file", &["c.test"]),
        secured("a@file", &[]),
    ];
    tls.assign(&mut routers);
    let told = |at: usize| routers[at].conflict.as_deref().unwrap_or_default();
    assert!(told(0).contains("another router of a.test"), "{}", told(0));
    assert_eq!(told(1), "");
    assert!(told(2).contains("another router of b.test"), "{}", told(2));
    assert_eq!(told(3), "");
    assert!(told(4).contains("names no host"), "{}", told(4));
    assert_eq!(&*tls.of_host("b.test"), "default");
    assert_eq!(&*tls.of_host("c.test"), "a@file");
}
