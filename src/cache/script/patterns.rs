//! A bound in front of `string.find`, `match`, `gmatch` and `gsub`; matches nothing itself.
//!
//! Lua's matcher runs in C, where no hook can stop it, and goes back over the subject once more for
//! each repetition of a pattern: n bytes and k repetitions are (n + k) over k steps at worst. What would be
//! more steps than [`STEPS`] is refused.

use mlua::{Lua, Table, Value};

use super::raise;

/// The most steps that a search may need at worst.
const STEPS: f64 = 2e9;
/// The functions that replace those of `string`.
pub(super) fn library(lua: &Lua) -> mlua::Result<Table> {
    lua.load(
        "local check, string = ...
        local find, match, gmatch, gsub = string.find, string.match, string.gmatch, string.gsub
        return {
          find = function(s, p, i, plain)
            if not plain then check(s, p) end
            return find(s, p, i, plain)
          end,
          match = function(s, p, i) check(s, p) return match(s, p, i) end,
          gmatch = function(s, p) check(s, p) return gmatch(s, p) end,
          gsub = function(s, p, r, n) check(s, p) return gsub(s, p, r, n) end,
        }",
    )
    .set_name("=prelude")
    .call((
        lua.create_function(check)?,
        lua.globals().get::<Table>("string")?,
    ))
}

fn check(lua: &Lua, (subject, pattern): (Value, Value)) -> mlua::Result<()> {
    let (Value::String(subject), Value::String(pattern)) = (subject, pattern) else {
        return Ok(());
    };
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let length = subject.as_bytes().len() as f64;
    let repetitions = repetitions(&pattern.as_bytes());
    let steps = (1..=repetitions)
        .map(f64::from)
        .fold(1.0, |steps, k| steps * (length + k) / k);
    if repetitions > 1 && steps > STEPS {
        return Err(raise::text(
            lua,
            "pattern too complex for a subject of this length",
        ));
    }
    Ok(())
}

fn repetitions(pattern: &[u8]) -> i32 {
    let count = pattern
        .iter()
        .filter(|byte| matches!(byte, b'*' | b'+' | b'-' | b'?'))
        .count();
    i32::try_from(count).unwrap_or(i32::MAX)
}
