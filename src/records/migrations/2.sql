-- The order that lists come in, as collections made since then have it from the start. The numbers
-- are the checksums of the collections' ids.

CREATE INDEX "_mito_records_created_ee8b99e1" ON "_superusers" (created, id);
CREATE INDEX "_mito_records_created_7084bcc8" ON "users" (created, id);
