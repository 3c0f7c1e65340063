//! Settings in, group by group: what a group says that is decided elsewhere here is left out.

use serde_json::{Map, Value, json};

use super::report::Reporter;
use crate::{Error, Records, Settings};

/// How often a group is tried with less in it.
const MAX_ATTEMPTS: usize = 50;

impl Records {
    /// Takes the settings over; `found` is them, or why they cannot be read.
    pub(super) async fn take_settings(
        &self,
        found: Result<Value, String>,
        reporter: &mut Reporter<'_>,
    ) -> Result<(), Error> {
        let groups = match found {
            Ok(Value::Object(groups)) => groups,
            Ok(_) => Map::new(),
            Err(reason) => {
                reporter.problem("settings", format!("they are left out: {reason}"));
                return Ok(());
            }
        };
        let known = json!(Settings::default());
        for (name, group) in groups {
            if known.get(&name).is_none() {
                reporter.problem(format!("settings.{name}"), "there is nothing like it here");
                continue;
            }
            self.take_group(&name, group, reporter).await?;
        }
        Ok(())
    }

    async fn take_group(
        &self,
        name: &str,
        mut group: Value,
        reporter: &mut Reporter<'_>,
    ) -> Result<(), Error> {
        for _ in 0..MAX_ATTEMPTS {
            let patch: Map<String, Value> =
                [(name.to_owned(), group.clone())].into_iter().collect();
            let patch = Value::Object(patch);
            let taken = if reporter.is_dry_run() {
                self.check_settings(&patch)
            } else {
                self.change_settings(patch, None).await.map(drop)
            };
            match taken {
                Ok(()) => {
                    reporter.setting(name);
                    return Ok(());
                }
                Err(Error::Fields(errors)) => {
                    for (path, error) in errors {
                        let inner = path.strip_prefix(name).unwrap_or_default();
                        reporter.problem(format!("settings.{path}"), &error.message);
                        if !drop_inner(&mut group, inner.trim_start_matches('.')) {
                            return Ok(());
                        }
                    }
                }
                Err(Error::Invalid(reason)) => {
                    reporter.problem(format!("settings.{name}"), format!("left out: {reason}"));
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Takes the value at a path out of a group; false when the group has to go as a whole. An entry of
/// a list goes with its list, and an object that says whether it is in use with all it says.
fn drop_inner(group: &mut Value, path: &str) -> bool {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    let Value::Object(members) = group else {
        return false;
    };
    let Some(member) = members.get_mut(first) else {
        return false;
    };
    let goes_deeper = member.get("enabled").is_none() && !rest.is_empty();
    if goes_deeper && drop_inner(member, rest) {
        return true;
    }
    members.shift_remove(first);
    first != "enabled"
}
