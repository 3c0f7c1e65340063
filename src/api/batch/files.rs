//! A batch with files: `@jsonPayload` first, then parts called `requests.N.field`.

use std::collections::BTreeMap;

use axum::body::Body;
use http::{HeaderMap, header};
use mito_records::records::BatchOperation;

use crate::{
    Api,
    batch::{
        UNREADABLE,
        asked::{Asked, Batch},
    },
    body::{
        limits::Limits,
        multipart::{Files, Part, Parts, Place},
        submission::{Target, place},
        values::FormValues,
    },
    caller::{Caller, text_of},
    envelope::Envelope,
};

/// Reads a batch and stores its files.
pub(crate) async fn read(
    api: &Api,
    caller: &Caller,
    headers: &HeaderMap,
    body: Body,
    limits: Limits,
    max_requests: usize,
) -> Result<Batch, Envelope> {
    let content_type = text_of(headers, header::CONTENT_TYPE.as_str());
    let parts = Parts::new(content_type, body, limits);
    let mut parts = parts.ok_or_else(|| Envelope::bad_request(UNREADABLE))?;
    let mut reading = Reading {
        api,
        caller,
        max_requests,
        values: FormValues::default(),
        batch: None,
        records: BTreeMap::new(),
    };
    let read = reading.read(&mut parts).await;
    match read {
        Ok(()) => reading.finish().await,
        Err(error) => {
            for (_, files) in reading.records.into_values() {
                files.abandon(api).await;
            }
            Err(error)
        }
    }
}

/// A batch that is being read.
struct Reading<'a> {
    api: &'a Api,
    caller: &'a Caller,
    max_requests: usize,
    values: FormValues,
    /// Known once the first file begins: its request says where the file goes.
    batch: Option<Batch>,
    records: BTreeMap<usize, (Place, Files)>,
}

impl Reading<'_> {
    async fn read(&mut self, parts: &mut Parts) -> Result<(), Envelope> {
        while let Some(part) = parts.next().await? {
            match part {
                Part::Value { name, text } => {
                    // Values that follow files cannot change what the files were stored for.
                    if self.batch.is_none() && !self.values.add(&name, &text) {
                        return Err(Envelope::bad_request(UNREADABLE));
                    }
                }
                Part::File { name, part } => {
                    self.settle()?;
                    let Some((position, field)) = position_of(&name) else {
                        continue;
                    };
                    if !self.open(position).await? {
                        continue;
                    }
                    if let Some((place, files)) = self.records.get_mut(&position) {
                        let file = (field.to_owned(), part);
                        files.take(self.api, self.caller, place, file).await?;
                    }
                }
            }
        }
        self.settle()
    }

    /// Reads the requests, which must be known before the first file.
    fn settle(&mut self) -> Result<(), Envelope> {
        if self.batch.is_none() {
            let values = std::mem::take(&mut self.values).finish();
            self.batch = Some(Batch::parse(values, self.max_requests)?);
        }
        Ok(())
    }

    /// Finds out where the files of a request go; `false` when it takes none.
    async fn open(&mut self, position: usize) -> Result<bool, Envelope> {
        if self.records.contains_key(&position) {
            return Ok(true);
        }
        let asked = self
            .batch
            .as_ref()
            .and_then(|batch| batch.asked.get(position));
        let Some((asked, (collection, operation))) =
            asked.and_then(|asked| Some((asked, asked.operation()?)))
        else {
            return Ok(false);
        };
        let submitted = submitted_id(asked);
        let id = match &operation {
            BatchOperation::Delete(_) => return Ok(false),
            BatchOperation::Update(id) => Some(id.as_str()),
            BatchOperation::Create | BatchOperation::Upsert => None,
        };
        let target = Target { collection, id };
        let (mut place, _) = place(self.api, self.caller, target)
            .await
            .map_err(|error| super::failed(position, &error))?;
        if id.is_none()
            && !submitted.is_empty()
            && crate::body::multipart::is_part_of_a_key(submitted)
        {
            submitted.clone_into(&mut place.record_id);
        }
        self.records.insert(position, (place, Files::default()));
        Ok(true)
    }

    async fn finish(self) -> Result<Batch, Envelope> {
        let mut batch = self.batch.unwrap_or_default();
        for (position, (place, files)) in self.records {
            let submitted = files
                .submitted(self.api, self.caller, &place, mito_records::Record::new())
                .await?;
            batch.staged.extend(submitted.all_files().cloned());
            if let Some(asked) = batch.asked.get_mut(position) {
                asked.attach(submitted);
            }
        }
        Ok(batch)
    }
}

fn submitted_id(asked: &Asked) -> &str {
    asked
        .submitted
        .values
        .get("id")
        .and_then(serde_json::Value::as_str)
        .unwrap_or_default()
}

/// `requests.3.photo+` or `requests[3].photo+`.
fn position_of(name: &str) -> Option<(usize, &str)> {
    let rest = name.strip_prefix("requests")?;
    let (number, field) = match rest.strip_prefix('[') {
        Some(rest) => rest.split_once("].")?,
        None => rest.strip_prefix('.')?.split_once('.')?,
    };
    Some((number.parse().ok()?, field))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_name_their_request() {
        assert_eq!(position_of("requests.3.photo+"), Some((3, "photo+")));
        assert_eq!(position_of("requests[12].a.b"), Some((12, "a.b")));
        for wrong in [
            "requests",
            "requests.x.a",
            "requests.1",
            "requests[1]a",
            "x.1.a",
        ] {
            assert_eq!(position_of(wrong), None, "{wrong}");
        }
    }
}
