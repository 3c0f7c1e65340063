//! What is the command's fault has a clear message and an exit code.

use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt as _, process::Command};

use crate::harness::{ADMIN, PATIENCE, Process, command, create_admin, run};

/// Runs `mito up --json` that must fail; gives the exit code and the reason.
fn refused(data: &std::path::Path, more: &[&str]) -> (i32, String) {
    let mut arguments = vec!["up", "--json"];
    arguments.extend_from_slice(more);
    let (code, out, err) = run(command(data, &arguments), "");
    let line: serde_json::Value =
        serde_json::from_str(&out).unwrap_or_else(|_| panic!("one JSON line: {out:?} {err:?}"));
    assert_eq!(line["event"], "failed");
    let reason = line["reason"].as_str().unwrap().to_owned();
    assert!(
        err.contains(reason.lines().next().unwrap()),
        "the same on standard error: {err}"
    );
    (code.unwrap(), reason)
}

#[test]
fn an_occupied_port_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let setting = format!("gateway.entrypoints.web.address={address}");
    let (code, reason) = refused(&folder.path().join("data"), &["--set", &setting]);
    assert_eq!(code, 1);
    assert!(
        reason.contains(&address) && reason.contains("web"),
        "{reason}"
    );

    let (code, reason) = refused(
        &folder.path().join("data"),
        &["--set", &format!("network.publish.minio={address}")],
    );
    assert_eq!(code, 1);
    assert!(
        reason.contains(&address) && reason.contains("minio"),
        "{reason}"
    );
}

#[test]
fn a_data_folder_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let foreign = folder.path().join("foreign");
    fs::create_dir(&foreign).unwrap();
    fs::write(foreign.join("thesis.txt"), "chapter one").unwrap();
    let (code, reason) = refused(&foreign, &[]);
    assert_eq!(code, 1);
    assert!(
        reason.contains("thesis.txt") && reason.contains("--data"),
        "{reason}"
    );
    assert_eq!(
        fs::read_to_string(foreign.join("thesis.txt")).unwrap(),
        "chapter one"
    );

    // Below a file no folder can be made, for root neither.
    let (code, reason) = refused(&foreign.join("thesis.txt").join("data"), &[]);
    assert_eq!(code, 1);
    assert!(reason.contains("data folder"), "{reason}");
}

#[test]
fn a_second_process_on_the_same_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let first = Process::start(&data, &[]);
    let (code, reason) = refused(&data, &[]);
    assert_eq!(code, 1);
    assert!(
        reason.contains("in use") && reason.contains(&first.id().to_string()),
        "{reason}"
    );
    assert_eq!(first.interrupt(), Some(0), "the first one is unharmed");
}

#[test]
fn a_broken_configuration_names_file_line_and_fix() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let file = folder.path().join("mito.toml");
    let cases: &[(&str, &[&str])] = &[
        (
            "[gateway]\nacces_log = \"json\"\n",
            &["mito.toml:2", "acces_log", "access_log"],
        ),
        ("domain = \"a\"\ndomain = \"b\"\n", &["mito.toml:2"]),
        (
            "[notifications.smtp]\nport = 70000\n",
            &["mito.toml:2", "notifications.smtp.port"],
        ),
        (
            "[notifications.smtp]\nencryption = \"ssl\"\n",
            &["mito.toml:2", "starttls"],
        ),
        ("this is no TOML", &["mito.toml:1"]),
    ];
    for (text, expected) in cases {
        fs::write(&file, text).unwrap();
        let (code, reason) = refused(&data, &["--config", file.to_str().unwrap()]);
        assert_eq!(code, 64, "{text}");
        for part in *expected {
            assert!(
                reason.contains(part),
                "{text:?} should name {part:?}: {reason}"
            );
        }
    }
    assert!(
        !data.exists(),
        "a configuration that is refused leaves nothing behind"
    );
    let (code, reason) = refused(&data, &["--set", "gatewy.access_log=json"]);
    assert_eq!(code, 64);
    assert!(
        reason.contains("gatewy") && reason.contains("gateway"),
        "{reason}"
    );
    let (code, _) = refused(&data, &["--config", "there-is-no-such-file.toml"]);
    assert_eq!(code, 64);
}

#[test]
fn bad_usage_exits_with_64() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        &["--no-such-flag"][..],
        &["no-such-command"],
        &["--set", "domain"],
    ] {
        let (code, out, err) = run(command(folder.path(), arguments), "");
        assert_eq!(code, Some(64), "{arguments:?}: {err}");
        assert_eq!(out, "", "{arguments:?}");
    }
    let mut help = Command::new(env!("CARGO_BIN_EXE_mito"));
    help.arg("--help");
    let (code, out, _) = run(help, "");
    assert_eq!(code, Some(0));
    assert!(out.contains("--data"), "{out}");
}

#[test]
fn bad_usage_is_told_to_programs_too() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, part) in [
        (&["--set", "domain"][..], "PATH=VALUE"),
        (&["--scale", "redis=2"], "--scale redis=2"),
        (&["--no-such-flag"], "--no-such-flag"),
    ] {
        let (code, reason) = refused(&folder.path().join("data"), arguments);
        assert_eq!(code, 64, "{arguments:?}");
        assert!(reason.contains(part), "{reason}");
    }
}

#[test]
fn the_log_filter_may_stand_in_the_env_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(".env"), "MITO_LOG=no=such=filter\n").unwrap();
    let mut up = command(&folder.path().join("data"), &["up", "--json"]);
    up.env_remove("MITO_LOG");
    let (code, out, err) = run(up, "");
    assert_eq!(code, Some(64), "{out}{err}");
    assert!(err.contains("no=such=filter"), "{err}");
}

#[test]
fn flags_before_the_command_count() {
    let folder = tempfile::tempdir().unwrap();
    let mut before = Command::new(env!("CARGO_BIN_EXE_mito"));
    before
        .args(["--json", "up", "--set", "gatewy.access_log=json"])
        .env_clear()
        .current_dir(folder.path());
    let (code, out, _) = run(before, "");
    assert_eq!(code, Some(64));
    assert!(out.contains("\"failed\""), "{out:?}");

    let mut lost = Command::new(env!("CARGO_BIN_EXE_mito"));
    lost.args(["--demo", "ps"])
        .env_clear()
        .current_dir(folder.path());
    let (code, _, err) = run(lost, "");
    assert_eq!(code, Some(64), "{err}");
    assert!(err.contains("mito up"), "says what to do: {err}");
}

#[test]
fn a_start_that_is_stopped_before_it_is_ready_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    // PostgreSQL that takes the connection and never answers keeps the start waiting.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "database.url=postgres://mito:hunter2@{}/mito",
        silent.local_addr().unwrap()
    );
    let child = command(&data, &["up", "--json", "--set", &url])
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let (_connection, _) = silent.accept().unwrap();
    let pid = child.id().to_string();
    let sent = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
    assert!(sent.success());
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let out = String::from_utf8(ended.stdout).unwrap();
    let line: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(line["event"], "failed");
    assert!(!out.contains("hunter2"), "{out}");
}

#[test]
fn a_damaged_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    assert_eq!(Process::start(&data, &[]).interrupt(), Some(0));
    for name in ["mito.db", "objects.db"] {
        let file = data.join(name);
        let whole = fs::read(&file).unwrap();
        let mut damaged = whole.clone();
        let from = damaged.len().min(64);
        damaged[..from].fill(b'x');
        fs::write(&file, &damaged).unwrap();
        let (code, reason) = refused(&data, &[]);
        assert_eq!(code, 1);
        assert!(reason.contains(name), "names the file: {reason}");
        assert_eq!(
            fs::read(&file).unwrap(),
            damaged,
            "it is left as it was found"
        );
        fs::write(&file, whole).unwrap();
    }
    assert_eq!(
        Process::start(&data, &[]).interrupt(),
        Some(0),
        "whole again"
    );
}

#[test]
fn commands_speak_to_the_running_mito() {
    let folder = tempfile::tempdir().unwrap();
    // A long path, because socket addresses hold about 100 bytes.
    let data = folder.path().join("d".repeat(120));
    let (code, _, err) = run(command(&data, &["ps"]), "");
    assert_eq!(code, Some(1));
    assert!(err.contains("no mito runs"), "{err}");

    let process = Process::start(&data, &[]);
    let mode = fs::metadata(data.join("control.sock"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let (code, out, _) = run(command(&data, &["ps"]), "");
    assert_eq!(code, Some(0));
    for role in [
        "postgres",
        "redis",
        "minio",
        "api",
        "notifications",
        "ai-pipeline",
    ] {
        assert!(out.contains(role), "{out}");
    }
    let (code, out, _) = run(command(&data, &["admin", "link"]), "");
    assert_eq!(code, Some(0));
    assert!(out.contains("/setup#token="), "{out}");
    let (code, _, err) = run(
        command(&data, &["admin", "create", "--email", ADMIN]),
        "short\n",
    );
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains("password"), "names the field: {err}");
    create_admin(&data);
    let (code, _, err) = run(command(&data, &["admin", "link"]), "");
    assert_eq!(code, Some(1), "{err}");
    assert_eq!(process.interrupt(), Some(0));
}

#[test]
fn an_administrator_is_created_while_mito_does_not_run() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    create_admin(&data);
    let process = Process::start(&data, &[]);
    assert_eq!(process.setup_url, None);
    assert_eq!(process.interrupt(), Some(0));
}

#[test]
fn the_configuration_is_shown_with_origins_and_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = command(
        &folder.path().join("data"),
        &["config", "--domain", "a.example"],
    );
    command
        .env("SMTP_PASSWORD", "hunter2")
        .env("PG_PASSWORD", "old");
    command.env("MITO_AI__REPLICAS", "3");
    let (code, out, err) = run(command, "");
    assert_eq!(code, Some(0), "{err}");
    for part in [
        "domain = \"a.example\"",
        "--domain a.example",
        "MITO_AI__REPLICAS",
        "PG_PASSWORD",
    ] {
        assert!(out.contains(part), "should show {part:?}: {out}");
    }
    assert!(
        !out.contains("hunter2") && !out.contains(crate::harness::SECRET_KEY),
        "{out}"
    );
}

#[test]
fn worker_roles_are_scaled_while_mito_runs_and_stay_so() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let process = Process::start(&data, &[]);
    let scale = |arguments: &[&str]| {
        let mut all = vec!["scale", "--json"];
        all.extend_from_slice(arguments);
        let (code, out, err) = run(command(&data, &all), "");
        let roles: serde_json::Value = serde_json::from_str(&out).unwrap_or_default();
        let replicas = |name: &str| {
            let roles = roles.as_array().into_iter().flatten();
            let role = roles.clone().find(|role| role["name"] == name);
            role.and_then(|role| role["replicas"].as_u64())
        };
        (
            code.unwrap(),
            replicas("notifications"),
            replicas("ai-pipeline"),
            err,
        )
    };
    let (code, notifications, ai, err) = scale(&[]);
    assert_eq!((code, notifications, ai), (0, Some(2), Some(1)), "{err}");
    let (code, notifications, ai, err) = scale(&["notifications=3", "ai=0"]);
    assert_eq!((code, notifications, ai), (0, Some(3), Some(0)), "{err}");
    let (code, _, _, err) = scale(&["redis=3"]);
    assert_eq!(code, 1);
    assert!(err.contains("no worker role called \"redis\""), "{err}");
    let (code, _, _, err) = scale(&["notifications"]);
    assert_eq!(code, 64);
    assert!(err.contains("ROLE=N"), "{err}");
    let (_, shown, _) = run(command(&data, &["ps", "--json"]), "");
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let services = shown.as_array().unwrap();
    let role = services.iter().find(|role| role["name"] == "notifications");
    assert_eq!(role.unwrap()["replicas"], 3);
    process.kill();
    let process = Process::start(&data, &["--scale", "notifications=4"]);
    // A worker recalls its number when it starts; the configuration now says another one for one.
    let began = std::time::Instant::now();
    loop {
        let (code, notifications, ai, err) = scale(&[]);
        if (code, notifications, ai) == (0, Some(4), Some(0)) {
            break;
        }
        assert!(began.elapsed() < PATIENCE, "{notifications:?} {ai:?} {err}");
    }
    process.kill();
}
