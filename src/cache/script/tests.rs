//! Scripts as data: source and what it answers, taken from a real Redis where both can be compared.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::{Limits, Scripts};
use crate::resp::Reply;

const LIMITS: Limits = Limits {
    memory_bytes: 16 << 20,
    time: Duration::from_millis(300),
};

fn scripts() -> Scripts {
    Scripts::new(LIMITS).unwrap()
}

/// A few commands on a map.
fn command(map: &mut HashMap<Bytes, Bytes>, words: &[Bytes]) -> Reply {
    let name = String::from_utf8_lossy(&words[0]).to_lowercase();
    match (name.as_str(), &words[1..]) {
        ("get", [key]) => map.get(key).cloned().map_or(Reply::Nil, Reply::Bulk),
        ("set", [key, value]) => {
            map.insert(key.clone(), value.clone());
            Reply::OK
        }
        ("incr", [key]) => {
            let text = map
                .get(key)
                .map_or("0".into(), |text| String::from_utf8_lossy(text));
            let next = text.parse::<i64>().unwrap_or(0) + 1;
            map.insert(key.clone(), next.to_string().into());
            Reply::Integer(next)
        }
        ("map", []) => Reply::Map(vec![(Reply::bulk("a"), Reply::Integer(1))]),
        ("double", []) => Reply::Double(1.5),
        ("true", []) => Reply::Boolean(true),
        ("members", []) => Reply::Set(vec![Reply::bulk("m")]),
        ("get" | "set" | "incr", _) => {
            Reply::error("Wrong number of args calling Redis command from script")
        }
        _ => Reply::error("Unknown Redis command called from script"),
    }
}

fn run(scripts: &mut Scripts, source: &str) -> Reply {
    let mut map = HashMap::new();
    let keys = [Bytes::from_static(b"k1")];
    let arguments = [Bytes::from_static(b"a1")];
    let source = Bytes::copy_from_slice(source.as_bytes());
    scripts.eval(&source, &keys, &arguments, &mut |words| {
        command(&mut map, words)
    })
}

/// A reply as one line; the SHA-1 of the script is left out.
fn shown(reply: &Reply) -> String {
    match reply {
        Reply::Status(text) => format!("+{text}"),
        Reply::Line(text) => format!("+{text}"),
        Reply::Error(text) => {
            let Some((before, after)) = text.split_once(" script: ") else {
                return format!("-{text}");
            };
            format!(
                "-{before} script: SHA{}",
                after.get(40..).unwrap_or_default()
            )
        }
        Reply::Integer(number) => format!(":{number}"),
        Reply::Bulk(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) if !text.contains(|c: char| c.is_control() && c != '\n') => text.to_owned(),
            _ => format!("hex:{}", hex::encode(bytes)),
        },
        Reply::Nil => "nil".to_owned(),
        Reply::Array(items) => {
            format!(
                "[{}]",
                items.iter().map(shown).collect::<Vec<_>>().join(", ")
            )
        }
        other => format!("{other:?}"),
    }
}

fn check(table: &str) {
    let mut scripts = scripts();
    let mut wrong = Vec::new();
    for case in table.lines().filter(|line| !line.trim().is_empty()) {
        let (source, expected) = case.split_once("  ==>  ").expect("a case has an answer");
        // Only cases with `@` contain line breaks.
        let source = source
            .strip_prefix('@')
            .map_or(source.to_owned(), |s| s.replace("\\n", "\n"));
        let answer = shown(&run(&mut scripts, &source)).replace('\n', "\\n");
        if answer != expected {
            wrong.push(format!(
                "{source}\n  is       {answer}\n  expected {expected}\n"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.concat());
}

#[test]
fn answers_of_the_core() {
    check(include_str!("tests/core.txt"));
}

#[test]
fn answers_of_the_libraries() {
    check(include_str!("tests/libraries.txt"));
}

#[test]
fn nothing_outlives_its_bounds() {
    for source in [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "while true do xpcall(function() while true do end end, function() while true do end end) end",
        "local f f = function() xpcall(error, f) end f() while true do end",
        "coroutine.wrap(function() while true do end end)()",
        "while true do coroutine.resume(coroutine.create(function() while true do end end)) end",
        "while true do redis.pcall('get', 'x') end",
        "return ('x'):rep(1e9)",
        "return string.rep('', 1e15)",
        "local t = {} while true do t[#t + 1] = ('x'):rep(1000) .. #t end",
        "local s = 'x' while true do s = s .. s end",
        "while true do pcall(function() local s = 'x' while true do s = s .. s end end) end",
        "return string.find(('a'):rep(50000), ('a*'):rep(20) .. 'b')",
        "return string.find(('a'):rep(60), ('a*'):rep(30) .. 'b')",
        "local t = {} for i = 1, 100000 do t = {t} end return t",
        "local t = {1} for i = 1, 60 do t = {t, t} end return t",
        "local t = {1} for i = 1, 60 do t = {t, t} end return cjson.encode(t)",
        "return cmsgpack.unpack(('\\145'):rep(100000))",
        "local s = ('['):rep(100000) return cjson.decode(s)",
        "local function f() return 1 + f() end return f()",
        "return unpack({}, 1, 1e8)",
        "return table.concat({}, 'x', 1, 1e9)",
        "local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k + 1] end return t[1]",
        "loadstring('while true do end')()",
        "return ('x'):rep(1e6):gsub('.', function() while true do end end)",
        "table.sort({3, 2, 1}, function() while true do end end)",
    ] {
        eprintln!("{source}");
        let mut scripts = scripts();
        let start = Instant::now();
        let reply = run(&mut scripts, source);
        assert!(
            start.elapsed() < Duration::from_secs(5),
            "{source}: {:?}",
            start.elapsed()
        );
        let empty = source.contains("rep('', 1e15)");
        assert!(reply.is_error() || empty, "{source}: {}", shown(&reply));
        assert_eq!(
            run(&mut scripts, "return 'ok'"),
            Reply::bulk("ok"),
            "after {source}"
        );
    }
}

#[test]
fn nothing_leaks_into_the_next_script() {
    let mut scripts = scripts();
    for source in [
        "table.insert(_G, 5)",
        "table.insert(string, 5)",
        "getmetatable('').__index = function() return 1 end",
        "getmetatable(_G).__index = nil",
        "getmetatable(redis).x = 1",
        "setmetatable(_G, {})",
        "rawset(string, 'len', 1)",
        "rawset(_G, 'leaked', 1)",
        "leaked = 1",
        "cjson.encode_sparse_array(true)",
        "redis.setresp(3)",
        "KEYS[1] = 'changed'",
        "_G.string.len = nil",
        "math.randomseed(5)",
    ] {
        run(&mut scripts, source);
        let seen = run(
            &mut scripts,
            "return {rawget(_G, 1) or 'none', rawget(_G, 'leaked') or 'none', ('ab'):len(), KEYS[1],
              tostring(pcall(cjson.encode, {[100] = 1})), math.random(1000), rawget(string, 1) or 'none',
              tostring(redis.call('get', 'nothing'))}",
        );
        assert_eq!(
            shown(&seen),
            "[none, none, :2, k1, false, :171, none, false]",
            "after {source}"
        );
    }
}

#[test]
fn scripts_are_kept_and_evicted() {
    let mut scripts = scripts();
    let kept = scripts.load(&Bytes::from_static(b"return 'kept'")).unwrap();
    for number in 0..600 {
        run(&mut scripts, &format!("return {number}"));
    }
    let mut none = |_: &[Bytes]| Reply::Nil;
    assert!(scripts.exists(kept.to_uppercase().as_bytes()));
    assert!(!scripts.exists(super::sha(b"return 5").as_bytes()));
    assert!(scripts.exists(super::sha(b"return 599").as_bytes()));
    assert_eq!(
        scripts.eval_sha(kept.as_bytes(), &[], &[], &mut none),
        Reply::bulk("kept")
    );
    let unknown = scripts.eval_sha(b"ffff", &[], &[], &mut none);
    assert_eq!(
        shown(&unknown),
        "-NOSCRIPT No matching script. Please use EVAL."
    );
    scripts.flush();
    assert!(!scripts.exists(kept.as_bytes()));
}
