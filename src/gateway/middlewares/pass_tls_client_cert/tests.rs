//! What services are told of certificates.

use std::{net::IpAddr, sync::Arc};

use mito_network::{ConnectionInfo, connection::TlsInfo};
use rcgen::{CertificateParams, DnType, KeyPair, SanType, SerialNumber};
use serde_json::{Value, json};

use super::super::testing::{Service, connection, context_with, get, layer, send};

fn certificate() -> Vec<u8> {
    let mut params = CertificateParams::new(["a.test".to_owned()]).expect("parameters");
    let uri = "spiffe://a/b".try_into().expect("an address");
    params.subject_alt_names.insert(0, SanType::URI(uri));
    params
        .subject_alt_names
        .push(SanType::IpAddress(IpAddr::from([10, 0, 0, 1])));
    params.serial_number = Some(SerialNumber::from(vec![1, 0, 0, 0, 0, 0, 0, 0, 0]));
    let name = &mut params.distinguished_name;
    *name = rcgen::DistinguishedName::new();
    name.push(DnType::CommonName, "A *~ client");
    name.push(DnType::OrganizationName, "Org");
    name.push(DnType::CountryName, "DE");
    let key = KeyPair::generate().expect("a key");
    let made = params.self_signed(&key).expect("a certificate");
    made.der().to_vec()
}

async fn told(config: Value, certificates: Vec<Vec<u8>>) -> [Option<String>; 2] {
    let connection = ConnectionInfo {
        tls: Some(Arc::new(TlsInfo {
            server_name: None,
            version: "".into(),
            cipher: "".into(),
            configuration: "default".into(),
            client_certificates: Arc::from(certificates),
        })),
        ..connection(IpAddr::from([192, 0, 2, 1]))
    };
    let service = Service::new();
    let context = context_with(connection, &service);
    send(
        &layer(json!({ "passTLSClientCert": config })),
        &context,
        get("/"),
        &service,
    )
    .await;
    let headers = service.one().headers;
    [
        "x-forwarded-tls-client-cert",
        "x-forwarded-tls-client-cert-info",
    ]
    .map(|name| {
        let value = headers.get(name)?;
        Some(value.to_str().expect("text").to_owned())
    })
}

#[tokio::test]
async fn services_are_told_what_they_are_to_know() {
    let config = json!({"info": {
        "sans": true, "serialNumber": true,
        "subject": {"commonName": true, "country": true, "organization": true},
        "issuer": {"commonName": true},
    }});
    let [pem, info] = told(config, vec![certificate()]).await;
    assert_eq!(pem, None);
    let expected = "Subject%3D%22C%3DDE%2CO%3DOrg%2CCN%3DA+%2A~+client%22%3B\
                    Issuer%3D%22CN%3DA+%2A~+client%22%3B\
                    SerialNumber%3D%2218446744073709551616%22%3B\
                    SAN%3D%22a.test%2C10.0.0.1%2Cspiffe%3A%2F%2Fa%2Fb%22";
    assert_eq!(info.as_deref(), Some(expected));
    let [pem, info] = told(json!({"pem": true}), vec![vec![1, 2], vec![3]]).await;
    assert_eq!((pem.as_deref(), info), (Some("AQI=,Aw=="), None));
}

#[tokio::test]
async fn without_a_certificate_nothing_is_told() {
    let config = json!({"pem": true, "info": {"notAfter": true}});
    assert_eq!(told(config, Vec::new()).await, [None, None]);
}
