//! `mito scale`: how many jobs each worker role of the running mito runs at once.
//!
//! The number is kept in the data folder and outlives mito; it gives way when the configuration is
//! changed to say another one.

use http::Method;
use mito_queue::replicas::WorkerRole;

use super::{EXIT_FAILURE, EXIT_USAGE, output};
use crate::{
    config::Config,
    control::{self, CallError, Scaling},
};

pub(super) async fn run(config: &Config, roles: &[String], json: bool) -> u8 {
    let wishes: Result<Vec<Scaling>, String> = roles.iter().map(|role| wish(role)).collect();
    let wishes = match wishes {
        Ok(wishes) => wishes,
        Err(message) => {
            output::failed(json, &message);
            return EXIT_USAGE;
        }
    };
    match scale(config, &wishes).await {
        Ok(roles) if json => match serde_json::to_string(&roles) {
            Ok(line) => output::text(&(line + "\n")),
            Err(error) => {
                output::failed(json, &error.to_string());
                EXIT_FAILURE
            }
        },
        Ok(roles) => show(&roles),
        Err(error) => {
            output::failed(json, &error.to_string());
            EXIT_FAILURE
        }
    }
}

async fn scale(config: &Config, wishes: &[Scaling]) -> Result<Vec<WorkerRole>, CallError> {
    for wish in wishes {
        let folder = &config.data;
        control::call::<Vec<WorkerRole>>(folder, Method::POST, "/scale", Some(wish)).await?;
    }
    control::call(&config.data, Method::GET, "/scale", None::<&()>).await
}

fn show(roles: &[WorkerRole]) -> u8 {
    let rows: Vec<[String; 4]> = roles
        .iter()
        .map(|role| {
            [
                role.name.clone(),
                role.replicas.to_string(),
                role.busy.to_string(),
                role.configured.to_string(),
            ]
        })
        .collect();
    output::text(&(output::table(["ROLE", "REPLICAS", "BUSY", "CONFIGURED"], &rows) + "\n"))
}

/// `notifications=3`, in words that the running mito knows.
fn wish(text: &str) -> Result<Scaling, String> {
    let wrong = || format!("{text}: write ROLE=N, such as notifications=3");
    let (role, replicas) = text.split_once('=').ok_or_else(wrong)?;
    let role = if role == "ai" { "ai-pipeline" } else { role };
    Ok(Scaling {
        role: role.to_owned(),
        replicas: replicas.parse().map_err(|_| wrong())?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_read() {
        for (text, expected) in [
            ("notifications=3", Some(("notifications", 3))),
            ("ai=0", Some(("ai-pipeline", 0))),
            ("notifications", None),
            ("notifications=many", None),
            ("notifications=-1", None),
        ] {
            let found = wish(text).ok();
            let found = found
                .as_ref()
                .map(|wish| (wish.role.as_str(), wish.replicas));
            assert_eq!(found, expected, "{text}");
        }
    }
}
