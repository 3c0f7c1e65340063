//! `multipart/form-data`: values into memory, files part by part into the storage, never whole.

use std::{io, sync::Arc};

use axum::body::Body;
use futures_util::{StreamExt as _, TryStreamExt as _};
use mito_records::{
    Collection, Error, FieldError, Submitted,
    files::{StagedFile, Upload},
};
use multer::{Multipart, parse_boundary};
use serde_json::Value;

use crate::{
    Api,
    body::{
        limits::{self, Limits, Memory},
        values::FormValues,
    },
    caller::Caller,
    envelope::Envelope,
};

/// The most parts of a body.
const MAX_PARTS: usize = 10_000;
/// Files that a field of one file may be sent; the last one counts.
const SPARE_FILES: u64 = 8;

/// Where the files of a record go.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) collection: Arc<Collection>,
    /// The record's id, or the one that a new record gets unless its values name another.
    pub(crate) record_id: String,
}

/// Files that were stored for one record, and what was wrong with others.
#[derive(Debug, Default)]
pub(crate) struct Files {
    pub(crate) staged: Vec<(String, Vec<StagedFile>)>,
    pub(crate) errors: std::collections::BTreeMap<String, FieldError>,
}

/// A part of a form.
pub(crate) enum Part {
    Value { name: String, text: String },
    File { name: String, part: Box<FilePart> },
}

/// A file that is still to be read.
pub(crate) struct FilePart {
    file_name: String,
    field: multer::Field<'static>,
}

/// The parts of a body in order.
pub(crate) struct Parts {
    multipart: Multipart<'static>,
    count: usize,
    text_bytes: u64,
    text_limit: u64,
    memory: Memory,
}

impl Parts {
    /// Reads a body of the given content type; `None` when it names no boundary.
    pub(crate) fn new(content_type: &str, body: Body, limits: Limits) -> Option<Self> {
        let boundary = parse_boundary(content_type).ok()?;
        let chunks = limits::chunks(body, limits.total());
        Some(Self {
            multipart: Multipart::new(chunks, boundary),
            count: 0,
            text_bytes: 0,
            text_limit: limits.values,
            memory: Memory::default(),
        })
    }

    /// The next part. A file has to be read, or dropped, before the one after it.
    pub(crate) async fn next(&mut self) -> Result<Option<Part>, Envelope> {
        self.count += 1;
        let malformed = || Envelope::bad_request(Envelope::NO_REASON);
        if self.count > MAX_PARTS {
            return Err(malformed());
        }
        let Some(mut field) = self.multipart.next_field().await.map_err(of_multer)? else {
            return Ok(None);
        };
        let name = field.name().ok_or_else(malformed)?.to_owned();
        let file_name = field.file_name().unwrap_or_default().to_owned();
        if file_name.contains('\0') || name.contains('\0') {
            return Err(malformed());
        }
        if !file_name.is_empty() {
            let part = Box::new(FilePart { file_name, field });
            return Ok(Some(Part::File { name, part }));
        }
        let mut text = Vec::new();
        while let Some(chunk) = field.chunk().await.map_err(of_multer)? {
            self.text_bytes += chunk.len() as u64;
            if self.text_bytes > self.text_limit {
                return Err(limits::too_large());
            }
            let held = usize::try_from(self.text_bytes).unwrap_or(usize::MAX);
            self.memory.hold(held).await?;
            text.extend_from_slice(&chunk);
        }
        let text = String::from_utf8(text).map_err(|_| malformed())?;
        Ok(Some(Part::Value { name, text }))
    }
}

fn of_multer(error: multer::Error) -> Envelope {
    if let multer::Error::StreamReadFailed(cause) = &error
        && let Some(cause) = cause.downcast_ref::<io::Error>()
    {
        return limits::of_stream(cause);
    }
    tracing::debug!(%error, "a form is malformed");
    Envelope::bad_request(Envelope::NO_REASON)
}

impl Files {
    /// Stores a file unless its field takes none, or not so many, or not so large ones.
    pub(crate) async fn take(
        &mut self,
        api: &Api,
        caller: &Caller,
        place: &Place,
        (name, part): (String, Box<FilePart>),
    ) -> Result<(), Envelope> {
        let Some(field) = file_field(&place.collection, &name, caller.is_superuser()) else {
            return Ok(());
        };
        let taken = self.staged.iter().find(|(known, _)| *known == name);
        let count = taken.map_or(0, |(_, files)| files.len() as u64);
        let max = limits::max_select(field);
        if count >= max.max(SPARE_FILES) {
            let message = format!("The maximum allowed files is {max}.");
            let error = FieldError::new("validation_too_many_files", message);
            let error = error.with("maxSelect", max);
            self.errors.insert(field.name.clone(), error);
            return Ok(());
        }
        let upload = Upload {
            collection_id: &place.collection.id,
            record_id: &place.record_id,
            field: &field.name,
            original_name: &part.file_name,
            max_bytes: limits::max_file_bytes(field),
        };
        let body = part.field.map_err(|error| match error {
            multer::Error::StreamReadFailed(cause) => match cause.downcast::<io::Error>() {
                Ok(cause) => *cause,
                Err(other) => io::Error::other(other),
            },
            other => io::Error::other(other),
        });
        let (failed, body) = remember_failure(body);
        match api.records.files().stage(upload, body).await {
            Ok(file) => match self.staged.iter_mut().find(|(known, _)| *known == name) {
                Some((_, files)) => files.push(file),
                None => self.staged.push((name, vec![file])),
            },
            Err(Error::Fields(errors)) => self.errors.extend(errors),
            Err(error) => {
                let failed = failed.lock().ok().and_then(|mut failed| failed.take());
                return Err(match failed {
                    Some(kind) => limits::of_stream(&kind.into()),
                    None => Envelope::from_error(error, caller),
                });
            }
        }
        Ok(())
    }

    /// Lets go of everything that was stored.
    pub(crate) async fn abandon(self, api: &Api) {
        let staged: Vec<StagedFile> = self
            .staged
            .into_iter()
            .flat_map(|(_, files)| files)
            .collect();
        if !staged.is_empty() {
            api.records.files().abandon(&staged).await;
        }
    }

    /// The files with the values that came with them. When the values name another record than the
    /// files were stored for, the files follow.
    pub(crate) async fn submitted(
        self,
        api: &Api,
        caller: &Caller,
        place: &Place,
        values: mito_records::Record,
    ) -> Result<Submitted, Envelope> {
        let mut record_id = place.record_id.clone();
        let named = values.get("id").and_then(Value::as_str).unwrap_or_default();
        if !named.is_empty() && named != record_id && !self.staged.is_empty() {
            if !is_part_of_a_key(named) {
                self.abandon(api).await;
                let error = Error::field("id", FieldError::invalid_format());
                return Err(Envelope::of(error, "Failed to create record.", caller));
            }
            named.clone_into(&mut record_id);
        }
        let mut files = Vec::with_capacity(self.staged.len());
        for (name, staged) in self.staged {
            let mut moved = Vec::with_capacity(staged.len());
            for file in staged {
                let storage = api.records.files();
                let assigned = storage.assign(file, &place.collection.id, &record_id).await;
                moved.push(assigned.map_err(|error| Envelope::from_error(error, caller))?);
            }
            files.push((name, moved));
        }
        Ok(Submitted {
            values: Arc::new(values),
            files: Arc::new(files),
            record_id: Some(record_id),
            errors: Arc::new(self.errors),
        })
    }
}

/// Whether an id may stand in the key of an object. Others are refused as ids too.
pub(crate) fn is_part_of_a_key(id: &str) -> bool {
    id.len() <= 255 && !id.contains(['/', '\\', '.', '\0'])
}

type Failure = Arc<std::sync::Mutex<Option<io::ErrorKind>>>;

/// The storage does not say why a body ended, so that is kept beside it.
fn remember_failure(
    body: impl futures_util::Stream<Item = io::Result<bytes::Bytes>> + Send + 'static,
) -> (Failure, mito_records::files::Body) {
    let failed = Failure::default();
    let noted = Arc::clone(&failed);
    let body = body.inspect_err(move |error| {
        if let Ok(mut noted) = noted.lock() {
            *noted = Some(error.kind());
        }
    });
    (failed, body.boxed())
}

/// The file field that a name means, with a modifier or without.
fn file_field<'a>(
    collection: &'a Collection,
    name: &str,
    trusted: bool,
) -> Option<&'a mito_records::Field> {
    let is_file = |name: &str| {
        collection
            .field(name)
            .filter(|field| field.kind == "file" && (trusted || !is_hidden(field)))
    };
    let bare = name.strip_suffix('+').or_else(|| name.strip_prefix('+'));
    is_file(name).or_else(|| is_file(bare?))
}

fn is_hidden(field: &mito_records::Field) -> bool {
    field.options.get("hidden").and_then(Value::as_bool) == Some(true)
}

/// A record's form: its values and its files.
pub(crate) async fn record(
    api: &Api,
    caller: &Caller,
    parts: &mut Parts,
    place: &mut Place,
    is_new: bool,
) -> Result<Submitted, Envelope> {
    let mut values = FormValues::default();
    let mut files = Files::default();
    let read = read_record(api, caller, parts, place, is_new, (&mut values, &mut files));
    if let Err(error) = read.await {
        files.abandon(api).await;
        return Err(error);
    }
    let mut values = values.finish();
    if !is_new {
        // The id of a stored record is that of its address; another one is told by the values.
        let kept = values.shift_remove("id");
        let mut submitted = files.submitted(api, caller, place, values).await?;
        if let Some(id) = kept {
            Arc::make_mut(&mut submitted.values).insert("id".to_owned(), id);
        }
        return Ok(submitted);
    }
    files.submitted(api, caller, place, values).await
}

async fn read_record(
    api: &Api,
    caller: &Caller,
    parts: &mut Parts,
    place: &mut Place,
    is_new: bool,
    (values, files): (&mut FormValues, &mut Files),
) -> Result<(), Envelope> {
    while let Some(part) = parts.next().await? {
        match part {
            Part::Value { name, text } => {
                if !values.add(&name, &text) {
                    return Err(Envelope::bad_request(Envelope::NO_REASON));
                }
            }
            Part::File { name, part } => {
                let named = values.get("id").and_then(Value::as_str).unwrap_or_default();
                if is_new && files.staged.is_empty() && !named.is_empty() && is_part_of_a_key(named)
                {
                    named.clone_into(&mut place.record_id);
                }
                files.take(api, caller, place, (name, part)).await?;
            }
        }
    }
    Ok(())
}
