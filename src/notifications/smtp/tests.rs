//! Sending against a small server that speaks SMTP on a real socket.

use mito_core::egress::{Config as EgressConfig, Egress};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

use super::{SendError, send};
use crate::{
    Encryption, Smtp,
    message::{Parts, build, mailbox, message_id, sender},
    template::Rendered,
};

/// How the server answers, command by command.
#[derive(Clone, Copy, Default)]
struct Script {
    rcpt: Option<&'static str>,
    data_end: Option<&'static str>,
    hang_up_after_ehlo: bool,
}

/// Serves one conversation and returns the message that it took, headers and body.
async fn serve(listener: TcpListener, script: Script) -> std::io::Result<Option<String>> {
    let (stream, _) = listener.accept().await?;
    let mut stream = BufReader::new(stream);
    say(&mut stream, "220 test ESMTP").await?;
    let (mut message, mut in_data) = (String::new(), false);
    let mut taken = None;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(taken);
        }
        if in_data {
            if line == ".\r\n" {
                in_data = false;
                let answer = script.data_end.unwrap_or("250 taken");
                taken = answer
                    .starts_with('2')
                    .then(|| std::mem::take(&mut message));
                say(&mut stream, answer).await?;
            } else {
                message.push_str(line.strip_prefix('.').unwrap_or(&line));
            }
            continue;
        }
        match line
            .get(..4)
            .unwrap_or_default()
            .to_ascii_uppercase()
            .as_str()
        {
            "EHLO" if script.hang_up_after_ehlo => return Ok(taken),
            "EHLO" => say(&mut stream, "250 test").await?,
            "MAIL" => say(&mut stream, "250 ok").await?,
            "RCPT" => say(&mut stream, script.rcpt.unwrap_or("250 ok")).await?,
            "DATA" => {
                in_data = true;
                say(&mut stream, "354 go on").await?;
            }
            "QUIT" => {
                say(&mut stream, "221 bye").await?;
                return Ok(taken);
            }
            _ => say(&mut stream, "502 what?").await?,
        }
    }
}

async fn say(stream: &mut BufReader<TcpStream>, line: &str) -> std::io::Result<()> {
    stream
        .get_mut()
        .write_all(format!("{line}\r\n").as_bytes())
        .await
}

fn egress(allow: &[&str]) -> Egress {
    let allow = allow.iter().map(|&it| it.to_owned()).collect();
    Egress::new(&EgressConfig {
        allow,
        ..EgressConfig::default()
    })
    .unwrap()
}

fn message() -> lettre::Message {
    build(Parts {
        from: sender("mito <mito@example.com>").unwrap(),
        to: mailbox("Ada", "ada@example.com").unwrap(),
        message_id: message_id("d1", "example.com"),
        date_ms: 0,
        rendered: Rendered {
            subject: "Hi".to_owned(),
            text: "one\n.\ntwo".to_owned(),
            html: "<p>one</p>".to_owned(),
        },
    })
    .unwrap()
}

async fn converse(
    script: Script,
    encryption: Encryption,
) -> (Result<(), SendError>, Option<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let smtp = Smtp {
        host: "127.0.0.1".to_owned(),
        port,
        encryption,
        ..Smtp::default()
    };
    let egress = egress(&["127.0.0.0/8"]);
    let message = message();
    let sending = send(&smtp, &egress, "example.com", &message);
    let (sent, taken) = tokio::join!(sending, serve(listener, script));
    (sent, taken.unwrap())
}

#[tokio::test]
async fn a_message_arrives_whole() {
    let (sent, taken) = converse(Script::default(), Encryption::None).await;
    sent.unwrap();
    let taken = taken.unwrap();
    assert!(taken.contains("Message-ID: <d1@example.com>"), "{taken}");
    assert!(
        taken.contains("one\r\n.\r\ntwo"),
        "a lone dot is part of the text: {taken}"
    );
    assert!(taken.contains("<p>one</p>"), "{taken}");
}

async fn check(script: Script, encryption: Encryption, is_refused: bool, expected: &str) {
    let (sent, taken) = converse(script, encryption).await;
    let error = sent.unwrap_err();
    assert_eq!(
        matches!(error, SendError::Refused(_)),
        is_refused,
        "{error}"
    );
    assert!(error.to_string().contains(expected), "{error}");
    assert_eq!(taken, None);
}

#[tokio::test]
async fn answers_of_the_server_decide_whether_to_try_again() {
    let none = Encryption::None;
    let rcpt = |answer| Script {
        rcpt: Some(answer),
        ..Script::default()
    };
    let data = |answer| Script {
        data_end: Some(answer),
        ..Script::default()
    };
    check(rcpt("550 5.1.1 no such user"), none, true, "no such user").await;
    check(rcpt("450 4.2.1 busy"), none, false, "busy").await;
    check(data("554 5.7.1 spam"), none, true, "spam").await;
    check(data("452 4.3.1 full"), none, false, "full").await;
    let hang_up = Script {
        hang_up_after_ehlo: true,
        ..Script::default()
    };
    check(hang_up, none, false, "cannot connect to 127.0.0.1").await;
    check(
        Script::default(),
        Encryption::Starttls,
        false,
        "did not start TLS",
    )
    .await;
}

#[tokio::test]
async fn nothing_is_sent_where_egress_forbids_it_or_nobody_listens() {
    let smtp = Smtp {
        host: "127.0.0.1".to_owned(),
        port: 1,
        ..Smtp::default()
    };
    let error = send(&smtp, &egress(&[]), "example.com", &message())
        .await
        .unwrap_err();
    assert!(
        matches!(&error, SendError::Later(it) if it.contains("private")),
        "{error}"
    );
    let error = send(&smtp, &egress(&["127.0.0.1/32"]), "example.com", &message()).await;
    let error = error.unwrap_err();
    assert!(
        matches!(&error, SendError::Later(it) if it.contains("cannot connect")),
        "{error}"
    );
}
