//! Headers that are set, or removed where the value is empty.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::{name, value};
use crate::dynamic::middlewares::Headers as Options;

/// What is set, and removed where there is no value.
pub(super) struct Custom {
    request: Changes,
    response: Changes,
}

type Changes = Vec<(HeaderName, Option<HeaderValue>)>;

impl Custom {
    pub(super) fn build(options: &Options) -> Result<Self, String> {
        Ok(Self {
            request: read("customRequestHeaders", &options.custom_request_headers)?,
            response: read("customResponseHeaders", &options.custom_response_headers)?,
        })
    }

    pub(super) fn change_request(&self, headers: &mut HeaderMap) {
        change(&self.request, headers);
    }

    pub(super) fn change_response(&self, headers: &mut HeaderMap) {
        change(&self.response, headers);
    }
}

fn read(option: &str, headers: &BTreeMap<String, String>) -> Result<Changes, String> {
    let read = |(key, text): (&String, &String)| {
        let name = name(option, key)?;
        let option = format!("{option}.{key}");
        if [header::CONTENT_LENGTH, header::TRANSFER_ENCODING].contains(&name) {
            return Err(format!(
                "{option}: how long a body is says the body; take it out"
            ));
        }
        let value = match text.as_str() {
            "" if name == header::HOST => {
                return Err(format!("{option}: there is no request without a host"));
            }
            "" => None,
            text => Some(value(&option, text)?),
        };
        Ok((name, value))
    };
    headers.iter().map(read).collect()
}

fn change(changes: &Changes, headers: &mut HeaderMap) {
    for (name, value) in changes {
        match value {
            Some(value) => drop(headers.insert(name, value.clone())),
            None => drop(headers.remove(name)),
        }
    }
}
