CREATE TABLE _mito_objects_buckets (
    id TEXT PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    region TEXT NOT NULL,
    versioning TEXT NOT NULL DEFAULT '',
    config TEXT NOT NULL DEFAULT '{}',
    created_ms BIGINT NOT NULL
);
CREATE TABLE _mito_objects_blobs (
    id TEXT PRIMARY KEY,
    place TEXT NOT NULL,
    size BIGINT NOT NULL,
    blake3 BYTEA NOT NULL,
    chunk_bytes BIGINT NOT NULL,
    chunk_sums BYTEA NOT NULL,
    refs BIGINT NOT NULL,
    damaged BIGINT NOT NULL DEFAULT 0,
    created_ms BIGINT NOT NULL
);
CREATE TABLE _mito_objects_inline (
    blob TEXT PRIMARY KEY,
    data BYTEA NOT NULL
);
CREATE TABLE _mito_objects_gc (
    blob TEXT PRIMARY KEY,
    due_ms BIGINT NOT NULL
);
CREATE INDEX _mito_objects_gc_due ON _mito_objects_gc (due_ms);
CREATE TABLE _mito_objects_versions (
    id TEXT PRIMARY KEY,
    bucket TEXT NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    version TEXT NOT NULL,
    latest BIGINT NOT NULL,
    marker BIGINT NOT NULL,
    size BIGINT NOT NULL,
    etag TEXT NOT NULL,
    modified_ms BIGINT NOT NULL,
    content_type TEXT,
    headers TEXT NOT NULL,
    metadata TEXT NOT NULL,
    tags TEXT NOT NULL DEFAULT '{}',
    checksums TEXT NOT NULL,
    blob TEXT,
    UNIQUE (bucket, key, seq)
);
CREATE UNIQUE INDEX _mito_objects_latest ON _mito_objects_versions (bucket, key) WHERE latest = 1;
CREATE TABLE _mito_objects_pieces (
    object TEXT NOT NULL,
    number BIGINT NOT NULL,
    first_byte BIGINT NOT NULL,
    size BIGINT NOT NULL,
    blob TEXT NOT NULL,
    PRIMARY KEY (object, number)
);
CREATE TABLE _mito_objects_uploads (
    id TEXT PRIMARY KEY,
    bucket TEXT NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    content_type TEXT,
    headers TEXT NOT NULL,
    metadata TEXT NOT NULL,
    checksum_algorithm TEXT,
    checksum_type TEXT,
    created_ms BIGINT NOT NULL
);
CREATE INDEX _mito_objects_uploads_key ON _mito_objects_uploads (bucket, key, id);
CREATE TABLE _mito_objects_upload_parts (
    upload TEXT NOT NULL,
    number BIGINT NOT NULL,
    blob TEXT NOT NULL,
    size BIGINT NOT NULL,
    etag TEXT NOT NULL,
    checksums TEXT NOT NULL,
    modified_ms BIGINT NOT NULL,
    PRIMARY KEY (upload, number)
)
