-- The system collections of accounts, as PocketBase has them, and how often codes were tried.

CREATE TABLE _mito_records_otp_tries (
    otp TEXT PRIMARY KEY NOT NULL,
    tries BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX _mito_records_otp_tries_expiry ON _mito_records_otp_tries (expires_at);

CREATE TABLE "_mfas" (
    "id" TEXT PRIMARY KEY NOT NULL,
    "collectionRef" TEXT NOT NULL DEFAULT '',
    "recordRef" TEXT NOT NULL DEFAULT '',
    "method" TEXT NOT NULL DEFAULT '',
    "created" TEXT NOT NULL DEFAULT '',
    "updated" TEXT NOT NULL DEFAULT ''
);
CREATE INDEX "idx_mfas_collectionRef_recordRef" ON "_mfas" ("collectionRef", "recordRef");
CREATE INDEX "_mito_records_created_df178c7f" ON "_mfas" (created, id);
INSERT INTO _mito_records_collections (id, name, folded, definition, created, updated)
VALUES ('pbc_2279338944', '_mfas', '_mfas',
'{"id":"pbc_2279338944","name":"_mfas","type":"base","fields":[{"id":"text3208210256","name":"id","type":"text","required":true,"autogeneratePattern":"[a-z0-9]{15}","help":"","hidden":false,"max":15,"min":15,"pattern":"^[a-z0-9]+$","presentable":false,"primaryKey":true,"system":true},{"id":"text455797646","name":"collectionRef","type":"text","required":true,"autogeneratePattern":"","help":"","hidden":false,"max":0,"min":0,"pattern":"","presentable":false,"primaryKey":false,"system":true},{"id":"text127846527","name":"recordRef","type":"text","required":true,"autogeneratePattern":"","help":"","hidden":false,"max":0,"min":0,"pattern":"","presentable":false,"primaryKey":false,"system":true},{"id":"text1582905952","name":"method","type":"text","required":true,"autogeneratePattern":"","help":"","hidden":false,"max":0,"min":0,"pattern":"","presentable":false,"primaryKey":false,"system":true},{"id":"autodate2990389176","name":"created","type":"autodate","required":false,"hidden":false,"onCreate":true,"onUpdate":false,"presentable":false,"system":true},{"id":"autodate3332085495","name":"updated","type":"autodate","required":false,"hidden":false,"onCreate":true,"onUpdate":true,"presentable":false,"system":true}],"indexes":["CREATE INDEX `idx_mfas_collectionRef_recordRef` ON `_mfas` (collectionRef,recordRef)"],"listRule":"@request.auth.id != '''' && recordRef = @request.auth.id && collectionRef = @request.auth.collectionId","viewRule":"@request.auth.id != '''' && recordRef = @request.auth.id && collectionRef = @request.auth.collectionId","createRule":null,"updateRule":null,"deleteRule":null,"system":true}',
'2026-01-01 00:00:00.000Z', '2026-01-01 00:00:00.000Z');

CREATE TABLE "_otps" (
    "id" TEXT PRIMARY KEY NOT NULL,
    "collectionRef" TEXT NOT NULL DEFAULT '',
    "recordRef" TEXT NOT NULL DEFAULT '',
    "password" TEXT NOT NULL DEFAULT '',
    "sentTo" TEXT NOT NULL DEFAULT '',
    "created" TEXT NOT NULL DEFAULT '',
    "updated" TEXT NOT NULL DEFAULT ''
);
CREATE INDEX "idx_otps_collectionRef_recordRef" ON "_otps" ("collectionRef", "recordRef");
CREATE INDEX "_mito_records_created_7f739c19" ON "_otps" (created, id);
INSERT INTO _mito_records_collections (id, name, folded, definition, created, updated)
VALUES ('pbc_1638494021', '_otps', '_otps',
'{"id":"pbc_1638494021","name":"_otps","type":"base","fields":[{"id":"text3208210256","name":"id","type":"text","required":true,"autogeneratePattern":"[a-z0-9]{15}","help":"","hidden":false,"max":15,"min":15,"pattern":"^[a-z0-9]+$","presentable":false,"primaryKey":true,"system":true},{"id":"text455797646","name":"collectionRef","type":"text","required":true,"autogeneratePattern":"","help":"","hidden":false,"max":0,"min":0,"pattern":"","presentable":false,"primaryKey":false,"system":true},{"id":"text127846527","name":"recordRef","type":"text","required":true,"autogeneratePattern":"","help":"","hidden":false,"max":0,"min":0,"pattern":"","presentable":false,"primaryKey":false,"system":true},{"id":"password901924565","name":"password","type":"password","required":true,"cost":8,"help":"","hidden":true,"max":0,"min":0,"pattern":"","presentable":false,"system":true},{"id":"text3866985172","name":"sentTo","type":"text","required":false,"autogeneratePattern":"","help":"","hidden":true,"max":0,"min":0,"pattern":"","presentable":false,"primaryKey":false,"system":true},{"id":"autodate2990389176","name":"created","type":"autodate","required":false,"hidden":false,"onCreate":true,"onUpdate":false,"presentable":false,"system":true},{"id":"autodate3332085495","name":"updated","type":"autodate","required":false,"hidden":false,"onCreate":true,"onUpdate":true,"presentable":false,"system":true}],"indexes":["CREATE INDEX `idx_otps_collectionRef_recordRef` ON `_otps` (collectionRef, recordRef)"],"listRule":"@request.auth.id != '''' && recordRef = @request.auth.id && collectionRef = @request.auth.collectionId","viewRule":"@request.auth.id != '''' && recordRef = @request.auth.id && collectionRef = @request.auth.collectionId","createRule":null,"updateRule":null,"deleteRule":null,"system":true}',
'2026-01-01 00:00:00.000Z', '2026-01-01 00:00:00.000Z');

CREATE TABLE "_externalAuths" (
    "id" TEXT PRIMARY KEY NOT NULL,
    "collectionRef" TEXT NOT NULL DEFAULT '',
    "recordRef" TEXT NOT NULL DEFAULT '',
    "provider" TEXT NOT NULL DEFAULT '',
    "providerId" TEXT NOT NULL DEFAULT '',
    "created" TEXT NOT NULL DEFAULT '',
    "updated" TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX "idx_externalAuths_record_provider" ON "_externalAuths" ("collectionRef", "recordRef", "provider");
CREATE UNIQUE INDEX "idx_externalAuths_collection_provider" ON "_externalAuths" ("collectionRef", "provider", "providerId");
CREATE INDEX "_mito_records_created_20239fca" ON "_externalAuths" (created, id);
INSERT INTO _mito_records_collections (id, name, folded, definition, created, updated)
VALUES ('pbc_2281828961', '_externalAuths', '_externalauths',
'{"id":"pbc_2281828961","name":"_externalAuths","type":"base","fields":[{"id":"text3208210256","name":"id","type":"text","required":true,"autogeneratePattern":"[a-z0-9]{15}","help":"","hidden":false,"max":15,"min":15,"pattern":"^[a-z0-9]+$","presentable":false,"primaryKey":true,"system":true},{"id":"text455797646","name":"collectionRef","type":"text","required":true,"autogeneratePattern":"","help":"","hidden":false,"max":0,"min":0,"pattern":"","presentable":false,"primaryKey":false,"system":true},{"id":"text127846527","name":"recordRef","type":"text","required":true,"autogeneratePattern":"","help":"","hidden":false,"max":0,"min":0,"pattern":"","presentable":false,"primaryKey":false,"system":true},{"id":"text2462348188","name":"provider","type":"text","required":true,"autogeneratePattern":"","help":"","hidden":false,"max":0,"min":0,"pattern":"","presentable":false,"primaryKey":false,"system":true},{"id":"text1044722854","name":"providerId","type":"text","required":true,"autogeneratePattern":"","help":"","hidden":false,"max":0,"min":0,"pattern":"","presentable":false,"primaryKey":false,"system":true},{"id":"autodate2990389176","name":"created","type":"autodate","required":false,"hidden":false,"onCreate":true,"onUpdate":false,"presentable":false,"system":true},{"id":"autodate3332085495","name":"updated","type":"autodate","required":false,"hidden":false,"onCreate":true,"onUpdate":true,"presentable":false,"system":true}],"indexes":["CREATE UNIQUE INDEX `idx_externalAuths_record_provider` ON `_externalAuths` (collectionRef, recordRef, provider)","CREATE UNIQUE INDEX `idx_externalAuths_collection_provider` ON `_externalAuths` (collectionRef, provider, providerId)"],"listRule":"@request.auth.id != '''' && recordRef = @request.auth.id && collectionRef = @request.auth.collectionId","viewRule":"@request.auth.id != '''' && recordRef = @request.auth.id && collectionRef = @request.auth.collectionId","createRule":null,"updateRule":null,"deleteRule":"@request.auth.id != '''' && recordRef = @request.auth.id && collectionRef = @request.auth.collectionId","system":true}',
'2026-01-01 00:00:00.000Z', '2026-01-01 00:00:00.000Z');

CREATE TABLE "_authOrigins" (
    "id" TEXT PRIMARY KEY NOT NULL,
    "collectionRef" TEXT NOT NULL DEFAULT '',
    "recordRef" TEXT NOT NULL DEFAULT '',
    "fingerprint" TEXT NOT NULL DEFAULT '',
    "created" TEXT NOT NULL DEFAULT '',
    "updated" TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX "idx_authOrigins_unique_pairs" ON "_authOrigins" ("collectionRef", "recordRef", "fingerprint");
CREATE INDEX "_mito_records_created_8e95791c" ON "_authOrigins" (created, id);
INSERT INTO _mito_records_collections (id, name, folded, definition, created, updated)
VALUES ('pbc_4275539003', '_authOrigins', '_authorigins',
'{"id":"pbc_4275539003","name":"_authOrigins","type":"base","fields":[{"id":"text3208210256","name":"id","type":"text","required":true,"autogeneratePattern":"[a-z0-9]{15}","help":"","hidden":false,"max":15,"min":15,"pattern":"^[a-z0-9]+$","presentable":false,"primaryKey":true,"system":true},{"id":"text455797646","name":"collectionRef","type":"text","required":true,"autogeneratePattern":"","help":"","hidden":false,"max":0,"min":0,"pattern":"","presentable":false,"primaryKey":false,"system":true},{"id":"text127846527","name":"recordRef","type":"text","required":true,"autogeneratePattern":"","help":"","hidden":false,"max":0,"min":0,"pattern":"","presentable":false,"primaryKey":false,"system":true},{"id":"text4228609354","name":"fingerprint","type":"text","required":true,"autogeneratePattern":"","help":"","hidden":false,"max":0,"min":0,"pattern":"","presentable":false,"primaryKey":false,"system":true},{"id":"autodate2990389176","name":"created","type":"autodate","required":false,"hidden":false,"onCreate":true,"onUpdate":false,"presentable":false,"system":true},{"id":"autodate3332085495","name":"updated","type":"autodate","required":false,"hidden":false,"onCreate":true,"onUpdate":true,"presentable":false,"system":true}],"indexes":["CREATE UNIQUE INDEX `idx_authOrigins_unique_pairs` ON `_authOrigins` (collectionRef, recordRef, fingerprint)"],"listRule":"@request.auth.id != '''' && recordRef = @request.auth.id && collectionRef = @request.auth.collectionId","viewRule":"@request.auth.id != '''' && recordRef = @request.auth.id && collectionRef = @request.auth.collectionId","createRule":null,"updateRule":null,"deleteRule":"@request.auth.id != '''' && recordRef = @request.auth.id && collectionRef = @request.auth.collectionId","system":true}',
'2026-01-01 00:00:00.000Z', '2026-01-01 00:00:00.000Z');
