-- The order that lists come in, as collections made since then have it from the start. The numbers
-- are the checksums of the collections' ids.

CREATE INDEX "_mito_records_created_ee8b99e1" ON "_superusers" (created, id);
CREATE INDEX "_mito_records_created_7084bcc8" ON "users" (created, id);

-- Files that the sweep removes when they are due: those that no record has yet, and those that no
-- record has any more. `boot` names the process whose request will claim a staged file, `taken`
-- says that the sweep has begun to remove it.
CREATE TABLE _mito_records_files_pending (
    key TEXT NOT NULL PRIMARY KEY,
    due_ms BIGINT NOT NULL,
    boot TEXT NOT NULL,
    taken BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX _mito_records_files_pending_due ON _mito_records_files_pending (due_ms);
