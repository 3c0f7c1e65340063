//! What a publisher says of an update, checked, and the manifest that clients get (Expo Updates
//! protocol, version 1).
//!
//! The rules follow what shipping clients do with a manifest: an id must be a UUID, an asset
//! without a file extension is dropped, a key with a path separator is refused.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The channel of clients that name none.
pub(crate) const DEFAULT_CHANNEL: &str = "production";
/// The most assets of an update, the bundle aside.
pub(crate) const MAX_ASSETS: usize = 2_000;
/// The longest name of a channel, runtime version or key, in bytes.
const MAX_NAME_BYTES: usize = 128;
/// The longest message of an update, in bytes.
const MAX_MESSAGE_BYTES: usize = 2_000;
/// The largest `extra` and `metadata` of an update, in bytes of JSON.
const MAX_EXTRA_BYTES: usize = 64 * 1_024;

/// What an update is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// iOS.
    Ios,
    /// Android.
    Android,
}

impl Platform {
    /// Reads `expo-platform`.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "ios" => Some(Self::Ios),
            "android" => Some(Self::Android),
            _ => None,
        }
    }

    /// The name on the wire.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ios => "ios",
            Self::Android => "android",
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The part `update` of a publication.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Publication {
    /// The native code that the bundle runs on.
    pub(crate) runtime_version: String,
    /// What it is for.
    pub(crate) platform: Platform,
    /// Who gets it.
    #[serde(default = "default_channel")]
    pub(crate) channel: String,
    /// What it changes, for people.
    #[serde(default)]
    pub(crate) message: String,
    /// The bundle.
    pub(crate) launch_asset: Described,
    /// Everything else.
    #[serde(default)]
    pub(crate) assets: Vec<Described>,
    /// Goes into the manifest as it is.
    #[serde(default)]
    pub(crate) extra: Map<String, Value>,
}

/// What a publisher says of a file; the file itself is the part whose name is the key.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Described {
    /// The name within the update, and of the part with its bytes.
    pub(crate) key: String,
    /// The content type.
    pub(crate) content_type: String,
    /// The extension with its dot; assets must have one.
    #[serde(default)]
    pub(crate) file_extension: Option<String>,
}

fn default_channel() -> String {
    DEFAULT_CHANNEL.to_owned()
}

/// A file that has arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    /// SHA-256 of its bytes.
    pub(crate) sha256: [u8; 32],
    /// Its size in bytes.
    pub(crate) size_bytes: u64,
}

impl Publication {
    /// Reads and checks the part `update`; the error names the field.
    pub(crate) fn from_json(bytes: &[u8]) -> Result<Self, (String, &'static str)> {
        let publication: Self =
            serde_json::from_slice(bytes).map_err(|error| (error.to_string(), "update"))?;
        publication.check()?;
        Ok(publication)
    }

    fn check(&self) -> Result<(), (String, &'static str)> {
        let refuse = |reason: &str, field| Err((reason.to_owned(), field));
        if !is_name(&self.runtime_version) {
            return refuse(
                "must be 1 to 128 of letters, digits and ._+:-",
                "runtimeVersion",
            );
        }
        if !is_name(&self.channel) {
            return refuse("must be 1 to 128 of letters, digits and ._+:-", "channel");
        }
        if self.message.len() > MAX_MESSAGE_BYTES {
            return refuse("must have at most 2,000 bytes", "message");
        }
        if self.assets.len() > MAX_ASSETS {
            return refuse("must be at most 2,000", "assets");
        }
        let extra_bytes = serde_json::to_vec(&self.extra).map_or(usize::MAX, |json| json.len());
        if extra_bytes > MAX_EXTRA_BYTES {
            return refuse("must have at most 64 KiB", "extra");
        }
        check_described(&self.launch_asset, "launchAsset")?;
        let mut keys = BTreeSet::new();
        keys.insert(self.launch_asset.key.as_str());
        for asset in &self.assets {
            check_described(asset, "assets")?;
            if asset.file_extension.is_none() {
                let reason = format!(
                    "{:?} needs a fileExtension: Android drops assets without",
                    asset.key
                );
                return Err((reason, "assets"));
            }
            if !keys.insert(&asset.key) {
                return Err((format!("{:?} is there twice", asset.key), "assets"));
            }
        }
        Ok(())
    }

    /// The file with that key.
    pub(crate) fn describes(&self, key: &str) -> bool {
        self.launch_asset.key == key || self.assets.iter().any(|asset| asset.key == key)
    }

    /// The keys of files that have not arrived.
    pub(crate) fn missing(&self, stored: &BTreeMap<String, Stored>) -> Vec<String> {
        let all = self.assets.iter().chain([&self.launch_asset]);
        all.filter(|it| !stored.contains_key(&it.key))
            .map(|it| it.key.clone())
            .collect()
    }

    /// The manifest with relative URLs; [`with_base`] makes them absolute for one request.
    pub(crate) fn manifest(
        &self,
        id: &str,
        created_ms: i64,
        stored: &BTreeMap<String, Stored>,
    ) -> Value {
        let created = Timestamp::from_millisecond(created_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        let asset = |described: &Described| asset(described, stored.get(&described.key));
        json!({
            "id": id,
            "createdAt": created.to_string(),
            "runtimeVersion": self.runtime_version,
            "launchAsset": asset(&self.launch_asset),
            "assets": self.assets.iter().map(asset).collect::<Vec<_>>(),
            "metadata": { "channel": self.channel },
            "extra": self.extra,
        })
    }
}

fn asset(described: &Described, stored: Option<&Stored>) -> Value {
    let sha256 = stored.map(|stored| stored.sha256).unwrap_or_default();
    let mut asset = json!({
        "hash": URL_SAFE_NO_PAD.encode(sha256),
        "key": described.key,
        "contentType": described.content_type,
        "url": asset_path(&hex(&sha256), &described.content_type),
    });
    if let Some(extension) = &described.file_extension {
        asset["fileExtension"] = json!(extension);
    }
    asset
}

/// The path of an asset. The content type is part of it, because the same bytes may be published
/// as two things and what is served at a URL never changes.
fn asset_path(sha256: &str, content_type: &str) -> String {
    format!("/api/assets/{sha256}/{}", content_type.replace('/', "~"))
}

/// The content type out of an asset's path.
pub(crate) fn content_type_of_path(segment: &str) -> Option<String> {
    let content_type = segment.replacen('~', "/", 1);
    is_content_type(&content_type).then_some(content_type)
}

/// Makes the URLs of a manifest absolute.
pub(crate) fn with_base(mut manifest: Value, base: &str) -> Value {
    let absolute = |asset: &mut Value| {
        if let Some(path) = asset["url"].as_str() {
            asset["url"] = json!(format!("{base}{path}"));
        }
    };
    absolute(&mut manifest["launchAsset"]);
    for asset in manifest["assets"].as_array_mut().into_iter().flatten() {
        absolute(asset);
    }
    manifest
}

fn check_described(file: &Described, field: &'static str) -> Result<(), (String, &'static str)> {
    let key = &file.key;
    if key == "update" || !is_name(key) {
        return Err((
            format!("{key:?} is no key: letters, digits and ._+:-, not \"update\""),
            field,
        ));
    }
    if !is_content_type(&file.content_type) {
        return Err((format!("{:?} is no content type", file.content_type), field));
    }
    let extension_is_fine = file.file_extension.as_deref().is_none_or(|extension| {
        extension.len() <= 20
            && extension.strip_prefix('.').is_some_and(|rest| {
                !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            })
    });
    if !extension_is_fine {
        return Err((
            format!("the fileExtension of {key:?} must be a dot and letters"),
            field,
        ));
    }
    Ok(())
}

/// Whether a name is safe in headers, URLs and rows.
pub(crate) fn is_name(name: &str) -> bool {
    (1..=MAX_NAME_BYTES).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._+:-".contains(&b))
        && !name.bytes().all(|b| b == b'.')
}

fn is_content_type(content_type: &str) -> bool {
    let is_token = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b))
    };
    content_type.len() <= MAX_NAME_BYTES
        && content_type
            .split_once('/')
            .is_some_and(|(one, two)| is_token(one) && is_token(two))
}

/// Bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        })
}

#[cfg(test)]
mod tests;
