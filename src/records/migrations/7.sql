-- The version of all definitions together, and what definitions are listed and filtered by.

CREATE TABLE _mito_records_schema (version TEXT NOT NULL);
INSERT INTO _mito_records_schema (version) VALUES ('');

ALTER TABLE _mito_records_collections ADD COLUMN type TEXT NOT NULL DEFAULT 'base';
ALTER TABLE _mito_records_collections ADD COLUMN system BIGINT NOT NULL DEFAULT 0;
ALTER TABLE _mito_records_collections ADD COLUMN position BIGINT NOT NULL DEFAULT 0;

UPDATE _mito_records_collections SET type = 'auth' WHERE definition LIKE '%"type":"auth","fields"%';
UPDATE _mito_records_collections SET system = 1 WHERE substr(name, 1, 1) = '_';
UPDATE _mito_records_collections SET position = CASE name
    WHEN '_mfas' THEN 1
    WHEN '_otps' THEN 2
    WHEN '_externalAuths' THEN 3
    WHEN '_authOrigins' THEN 4
    WHEN '_superusers' THEN 5
    ELSE 6 END;
