//! What was acknowledged survives SIGKILL. The test binary runs itself as the process to kill.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
};

use mito_core::Random;

use super::{close, open};
use crate::Database;

/// Names the database that the child writes to; without it the child has nothing to do.
const CHILD_VARIABLE: &str = "MITO_TEST_DURABILITY_DATABASE";
/// How often the child is killed.
const KILLS: usize = 5;
/// Clients that write at once in the child.
const CLIENTS: i64 = 16;
/// Ids of one run are below this, so that a run's ids are its number times this and more.
const IDS_PER_RUN: i64 = 1_000_000_000;

#[test]
fn acknowledged_writes_survive_sigkill() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("killed.db");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let random = Random::system();
    let mut acknowledged = Vec::new();
    for _ in 0..KILLS {
        let until = 20 + usize::from(random.bytes::<1>()[0]) * 4;
        acknowledged.extend(acknowledged_until_killed(start(&path), until));
        let found = runtime.block_on(stored(&path));
        for id in &acknowledged {
            assert!(
                found.binary_search(id).is_ok(),
                "{id} was acknowledged and is lost"
            );
        }
    }
    assert!(acknowledged.len() >= KILLS * 20);
}

fn start(path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "behaviour::durability::child", "--nocapture"])
        .env(CHILD_VARIABLE, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Kills the child after `until` acknowledgements and returns all that it gave until it was dead.
fn acknowledged_until_killed(mut child: Child, until: usize) -> Vec<i64> {
    let mut acknowledged = Vec::new();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while output.read_line(&mut line).unwrap() > 0 {
        // The last line may be cut; only a whole one is an acknowledgement.
        if let Some(id) = line
            .strip_prefix("ack ")
            .and_then(|rest| rest.strip_suffix('\n'))
        {
            acknowledged.push(id.parse().unwrap());
        }
        if acknowledged.len() == until {
            child.kill().unwrap();
        }
        line.clear();
    }
    let status = child.wait().unwrap();
    assert!(!status.success(), "the child ended by itself: {status}");
    acknowledged
}

async fn stored(path: &Path) -> Vec<i64> {
    let database = open(path).await;
    let rows = database
        .read(|tx| {
            let verdict = tx.query_one("SELECT quick_check AS it FROM pragma_quick_check", &[])?;
            assert_eq!(
                verdict.expect("it always answers").get::<String>("it")?,
                "ok"
            );
            tx.query("SELECT id FROM _mito_test_values ORDER BY id", &[])
        })
        .await
        .unwrap();
    close(database).await;
    rows.iter().map(|row| row.get("id").unwrap()).collect()
}

/// The process that is killed: writes for ever and acknowledges each id on standard output.
#[test]
fn child() {
    let environment = mito_core::config::environment();
    let Some(path) = environment.get(CHILD_VARIABLE) else {
        return;
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let database = open(Path::new(path)).await;
        let run = database
            .read(|tx| tx.query_one("SELECT MAX(id) AS newest FROM _mito_test_values", &[]))
            .await
            .unwrap()
            .and_then(|row| row.get::<Option<i64>>("newest").unwrap())
            .map_or(0, |newest| newest / IDS_PER_RUN + 1);
        let mut clients = tokio::task::JoinSet::new();
        for client in 0..CLIENTS {
            clients.spawn(write_for_ever(database.clone(), run * IDS_PER_RUN + client));
        }
        clients.join_next().await;
    });
}

async fn write_for_ever(database: Database, first: i64) {
    for id in (first..).step_by(usize::try_from(CLIENTS).unwrap()) {
        database
            .write(move |tx| {
                tx.execute(
                    "INSERT INTO _mito_test_values (id, whole) VALUES ($1, $1)",
                    &[&id],
                )
            })
            .await
            .unwrap();
        let mut output = std::io::stdout().lock();
        writeln!(output, "ack {id}").unwrap();
        output.flush().unwrap();
    }
}
