//! Whether a host reaches this machine by plain HTTP on port 80, as an authority would see it. A
//! mistake in DNS or a firewall shows here, where it costs nothing.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_util::rt::TokioIo;
use mito_core::Random;
use tokio::{net::TcpStream, task::JoinSet};

use super::{answer::PREFIX, challenges::Challenges};

/// The port that authorities look at (RFC 8555 §8.3).
const PORT: u16 = 80;
/// How long everything may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Larger answers are not ours, in bytes.
const MAX_ANSWER_BYTES: usize = 4 * 1024;

/// Fetches a token from `host`; the message says what is in the way.
pub(super) async fn probe(
    host: &str,
    challenges: &Challenges,
    random: &Random,
) -> Result<(), String> {
    let addresses = tokio::net::lookup_host((host, PORT))
        .await
        .map_err(|error| format!("DNS has no address for {host} ({error}): add a record"))?;
    let (token, answer) = (random.token(), random.token());
    let _open = challenges.open_token(&token, answer.clone());
    each(host, addresses.collect(), &token, &answer).await
}

/// Every address has to be ours: an authority picks one.
async fn each(
    host: &str,
    addresses: Vec<SocketAddr>,
    token: &str,
    answer: &str,
) -> Result<(), String> {
    for address in addresses {
        let found = tokio::time::timeout(TIMEOUT, fetch(address, host, token)).await;
        let wrong = match found {
            Ok(Ok(found)) if found == answer.as_bytes() => continue,
            Ok(Ok(_)) => "another server answers there".to_owned(),
            Ok(Err(error)) => error,
            Err(_) => format!("nothing answers within {} s", TIMEOUT.as_secs()),
        };
        return Err(format!(
            "{host} does not reach this machine at {address}: {wrong}. Check DNS and the firewall; \
             if others do reach it, set gateway.acme.selfProbe = false"
        ));
    }
    Ok(())
}

async fn fetch(address: SocketAddr, host: &str, token: &str) -> Result<Bytes, String> {
    let stream = TcpStream::connect(address)
        .await
        .map_err(|error| error.to_string())?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| error.to_string())?;
    // Ends with this function.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let request = Request::builder()
        .uri(format!("{PREFIX}{token}"))
        .header(header::HOST, host)
        .header(header::USER_AGENT, "mito")
        .body(Empty::<Bytes>::new())
        .map_err(|error| error.to_string())?;
    let response = sender
        .send_request(request)
        .await
        .map_err(|error| error.to_string())?;
    if response.status() != StatusCode::OK {
        return Err(format!("it answers {}", response.status()));
    }
    let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES);
    let body = body.collect().await.map_err(|error| error.to_string())?;
    Ok(body.to_bytes())
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    async fn check(answer: &'static str, wrong: Option<&str>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let mut server = JoinSet::new();
        server.spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut head = [0; 1_024];
            let length = stream.read(&mut head).await.expect("a request");
            let head = String::from_utf8_lossy(&head[..length]).into_owned();
            stream.write_all(answer.as_bytes()).await.expect("taken");
            head
        });
        let outcome = each("a.example", vec![address], "token", "answer").await;
        let head = server
            .join_next()
            .await
            .expect("a server")
            .expect("its request");
        assert!(
            head.starts_with("GET /.well-known/acme-challenge/token HTTP/1.1"),
            "{head}"
        );
        assert!(head.contains("host: a.example"), "{head}");
        match wrong {
            None => assert_eq!(outcome, Ok(())),
            Some(wrong) => {
                let error = outcome.expect_err(wrong);
                assert!(
                    error.contains(wrong) && error.contains("a.example"),
                    "{error}"
                );
            }
        }
    }

    #[tokio::test]
    async fn only_this_machine_knows_the_answer() {
        check("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nanswer", None).await;
        let other = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nother";
        check(other, Some("another server")).await;
        let redirect = "HTTP/1.1 301 Moved\r\ncontent-length: 0\r\n\r\n";
        check(redirect, Some("it answers 301")).await;
    }

    #[tokio::test]
    async fn a_name_without_an_address_is_named() {
        let challenges = Challenges::default();
        let error = probe("nothing.invalid", &challenges, &Random::system()).await;
        let error = error.expect_err("there is no such name");
        assert!(error.contains("DNS has no address"), "{error}");
    }
}
