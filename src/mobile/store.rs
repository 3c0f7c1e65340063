//! What the role writes and reads in its tables.

use mito_database::{Error, Row, Tx};
use serde::Serialize;
use serde_json::Value;
use ts_rs::TS;

use crate::protocol::ManifestRequest;

/// An update as the panel shows it.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export)]
pub struct MobileUpdate {
    /// Its id, a UUID.
    pub id: String,
    /// Who gets it.
    pub channel: String,
    /// `ios` or `android`.
    pub platform: String,
    /// The native code that it runs on.
    pub runtime_version: String,
    /// What it changes.
    pub message: String,
    /// The size of the bundle and all assets, in bytes.
    #[ts(type = "number")]
    pub size_bytes: i64,
    /// How many assets it has, the bundle aside.
    #[ts(type = "number")]
    pub assets: i64,
    /// The account that published it.
    pub published_by: String,
    /// When, milliseconds since the Unix epoch.
    #[ts(type = "number")]
    pub created_ms: i64,
}

/// A file of an update.
#[derive(Clone, Debug)]
pub(crate) struct Asset {
    /// SHA-256 in hexadecimal.
    pub(crate) sha256: String,
    /// What it is served as.
    pub(crate) content_type: String,
    /// Where its bytes are.
    pub(crate) object_key: String,
    /// Its size in bytes.
    pub(crate) size_bytes: i64,
}

/// The time for a new update: later than every other of its kind, because clients load only what
/// is later than what they run.
pub(crate) fn next_created_ms(
    tx: &mut Tx<'_>,
    platform: &str,
    runtime_version: &str,
    channel: &str,
) -> Result<i64, Error> {
    let newest = tx.query_one(
        "SELECT created_ms FROM _mito_mobile_updates
         WHERE platform = $1 AND runtime_version = $2 AND channel = $3
         ORDER BY created_ms DESC LIMIT 1",
        &[&platform, &runtime_version, &channel],
    )?;
    let newest: i64 = newest.map_or(Ok(0), |row| row.get("created_ms"))?;
    Ok(tx.now_ms().max(newest + 1))
}

/// Adds an update.
pub(crate) fn add_update(
    tx: &mut Tx<'_>,
    update: &MobileUpdate,
    manifest: &Value,
) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO _mito_mobile_updates (id, channel, platform, runtime_version, message,
             manifest, size_bytes, assets, published_by, created_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        &[
            &update.id,
            &update.channel,
            &update.platform,
            &update.runtime_version,
            &update.message,
            &manifest.to_string(),
            &update.size_bytes,
            &update.assets,
            &update.published_by,
            &update.created_ms,
        ],
    )?;
    Ok(())
}

/// Adds a file; false when the same bytes are there as the same thing.
pub(crate) fn add_asset(tx: &mut Tx<'_>, asset: &Asset) -> Result<bool, Error> {
    let now_ms = tx.now_ms();
    let added = tx.execute(
        "INSERT INTO _mito_mobile_assets
             (sha256, content_type, object_key, size_bytes, created_ms)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT DO NOTHING",
        &[
            &asset.sha256,
            &asset.content_type,
            &asset.object_key,
            &asset.size_bytes,
            &now_ms,
        ],
    )?;
    Ok(added == 1)
}

/// The file with that hash and content type.
pub(crate) fn asset(
    tx: &mut Tx<'_>,
    sha256: &str,
    content_type: &str,
) -> Result<Option<Asset>, Error> {
    let row = tx.query_one(
        "SELECT * FROM _mito_mobile_assets WHERE sha256 = $1 AND content_type = $2",
        &[&sha256, &content_type],
    )?;
    let asset = |row: Row| {
        Ok(Asset {
            sha256: row.get("sha256")?,
            content_type: row.get("content_type")?,
            object_key: row.get("object_key")?,
            size_bytes: row.get("size_bytes")?,
        })
    };
    row.map(asset).transpose()
}

/// The manifest of the newest update that a request is for.
pub(crate) fn newest_manifest(
    tx: &mut Tx<'_>,
    request: &ManifestRequest,
) -> Result<Option<Value>, Error> {
    let row = tx.query_one(
        "SELECT manifest FROM _mito_mobile_updates
         WHERE platform = $1 AND runtime_version = $2 AND channel = $3
         ORDER BY created_ms DESC LIMIT 1",
        &[
            &request.platform.as_str(),
            &request.runtime_version,
            &request.channel,
        ],
    )?;
    let Some(row) = row else { return Ok(None) };
    serde_json::from_str(&row.get::<String>("manifest")?)
        .map(Some)
        .map_err(|error| Error::Column {
            column: "manifest".to_owned(),
            reason: error.to_string(),
        })
}

/// Updates, the newest first, before the given place.
pub(crate) fn updates(
    tx: &mut Tx<'_>,
    before_ms: i64,
    before_id: &str,
    limit: u32,
) -> Result<Vec<MobileUpdate>, Error> {
    let rows = tx.query(
        "SELECT * FROM _mito_mobile_updates
         WHERE created_ms < $1 OR (created_ms = $1 AND id < $2)
         ORDER BY created_ms DESC, id DESC LIMIT $3",
        &[&before_ms, &before_id, &limit],
    )?;
    let update = |row: &Row| {
        Ok(MobileUpdate {
            id: row.get("id")?,
            channel: row.get("channel")?,
            platform: row.get("platform")?,
            runtime_version: row.get("runtime_version")?,
            message: row.get("message")?,
            size_bytes: row.get("size_bytes")?,
            assets: row.get("assets")?,
            published_by: row.get("published_by")?,
            created_ms: row.get("created_ms")?,
        })
    };
    rows.iter().map(update).collect()
}
