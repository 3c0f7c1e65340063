-- Definitions of collections, sessions, codes, and the two collections that exist from the start.

CREATE TABLE _mito_records_collections (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL UNIQUE,
    folded TEXT NOT NULL UNIQUE,
    definition TEXT NOT NULL,
    created TEXT NOT NULL,
    updated TEXT NOT NULL
);

CREATE TABLE _mito_records_sessions (
    id TEXT PRIMARY KEY NOT NULL,
    collection_id TEXT NOT NULL,
    record TEXT NOT NULL,
    jti TEXT NOT NULL,
    previous_jti TEXT NOT NULL,
    rotated_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    idle_at BIGINT NOT NULL,
    absolute_at BIGINT NOT NULL,
    used_at BIGINT NOT NULL,
    refreshable BIGINT NOT NULL,
    method TEXT NOT NULL,
    impersonator TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    client_ip TEXT NOT NULL
);
CREATE INDEX _mito_records_sessions_account ON _mito_records_sessions (collection_id, record, idle_at);
CREATE INDEX _mito_records_sessions_idle ON _mito_records_sessions (idle_at);
CREATE INDEX _mito_records_sessions_absolute ON _mito_records_sessions (absolute_at);

CREATE TABLE _mito_records_codes (
    hash TEXT PRIMARY KEY NOT NULL,
    purpose TEXT NOT NULL,
    collection_id TEXT NOT NULL,
    record TEXT NOT NULL,
    session TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX _mito_records_codes_expiry ON _mito_records_codes (expires_at);

CREATE TABLE "_superusers" (
    "id" TEXT PRIMARY KEY NOT NULL,
    "password" TEXT NOT NULL DEFAULT '',
    "tokenKey" TEXT NOT NULL DEFAULT '',
    "email" TEXT NOT NULL DEFAULT '',
    "emailVisibility" BIGINT NOT NULL DEFAULT 0,
    "verified" BIGINT NOT NULL DEFAULT 0,
    "created" TEXT NOT NULL DEFAULT '',
    "updated" TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX "idx_tokenKey_pbc_3142635823" ON "_superusers" ("tokenKey");
CREATE UNIQUE INDEX "idx_email_pbc_3142635823" ON "_superusers" ("email") WHERE "email" != '';

CREATE TABLE "users" (
    "id" TEXT PRIMARY KEY NOT NULL,
    "password" TEXT NOT NULL DEFAULT '',
    "tokenKey" TEXT NOT NULL DEFAULT '',
    "email" TEXT NOT NULL DEFAULT '',
    "emailVisibility" BIGINT NOT NULL DEFAULT 0,
    "verified" BIGINT NOT NULL DEFAULT 0,
    "name" TEXT NOT NULL DEFAULT '',
    "avatar" TEXT NOT NULL DEFAULT '',
    "created" TEXT NOT NULL DEFAULT '',
    "updated" TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX "idx_tokenKey__pb_users_auth_" ON "users" ("tokenKey");
CREATE UNIQUE INDEX "idx_email__pb_users_auth_" ON "users" ("email") WHERE "email" != '';

INSERT INTO _mito_records_collections (id, name, folded, definition, created, updated)
VALUES ('pbc_3142635823', '_superusers', '_superusers',
'{"id":"pbc_3142635823","name":"_superusers","type":"auth","fields":[{"id":"text3208210256","name":"id","type":"text","required":true,"autogeneratePattern":"[a-z0-9]{15}","help":"","hidden":false,"max":15,"min":15,"pattern":"^[a-z0-9]+$","presentable":false,"primaryKey":true,"system":true},{"id":"password901924565","name":"password","type":"password","required":true,"cost":0,"help":"","hidden":true,"max":0,"min":8,"pattern":"","presentable":false,"system":true},{"id":"text2504183744","name":"tokenKey","type":"text","required":true,"autogeneratePattern":"[a-zA-Z0-9]{50}","help":"","hidden":true,"max":60,"min":30,"pattern":"","presentable":false,"primaryKey":false,"system":true},{"id":"email3885137012","name":"email","type":"email","required":true,"exceptDomains":[],"help":"","hidden":false,"onlyDomains":[],"presentable":false,"system":true},{"id":"bool1547992806","name":"emailVisibility","type":"bool","required":false,"help":"","hidden":false,"presentable":false,"system":true},{"id":"bool256245529","name":"verified","type":"bool","required":false,"help":"","hidden":false,"presentable":false,"system":true},{"id":"autodate2990389176","name":"created","type":"autodate","required":false,"hidden":false,"onCreate":true,"onUpdate":false,"presentable":false,"system":true},{"id":"autodate3332085495","name":"updated","type":"autodate","required":false,"hidden":false,"onCreate":true,"onUpdate":true,"presentable":false,"system":true}],"indexes":["CREATE UNIQUE INDEX `idx_tokenKey_pbc_3142635823` ON `_superusers` (`tokenKey`)","CREATE UNIQUE INDEX `idx_email_pbc_3142635823` ON `_superusers` (`email`) WHERE `email` != ''''"],"listRule":null,"viewRule":null,"createRule":null,"updateRule":null,"deleteRule":null,"system":true,"authRule":"","manageRule":null,"passwordAuth":{"enabled":true,"identityFields":["email"]},"authToken":{"duration":86400}}',
'2026-01-01 00:00:00.000Z', '2026-01-01 00:00:00.000Z');

INSERT INTO _mito_records_collections (id, name, folded, definition, created, updated)
VALUES ('_pb_users_auth_', 'users', 'users',
'{"id":"_pb_users_auth_","name":"users","type":"auth","fields":[{"id":"text3208210256","name":"id","type":"text","required":true,"autogeneratePattern":"[a-z0-9]{15}","help":"","hidden":false,"max":15,"min":15,"pattern":"^[a-z0-9]+$","presentable":false,"primaryKey":true,"system":true},{"id":"password901924565","name":"password","type":"password","required":true,"cost":0,"help":"","hidden":true,"max":0,"min":8,"pattern":"","presentable":false,"system":true},{"id":"text2504183744","name":"tokenKey","type":"text","required":true,"autogeneratePattern":"[a-zA-Z0-9]{50}","help":"","hidden":true,"max":60,"min":30,"pattern":"","presentable":false,"primaryKey":false,"system":true},{"id":"email3885137012","name":"email","type":"email","required":true,"exceptDomains":[],"help":"","hidden":false,"onlyDomains":[],"presentable":false,"system":true},{"id":"bool1547992806","name":"emailVisibility","type":"bool","required":false,"help":"","hidden":false,"presentable":false,"system":true},{"id":"bool256245529","name":"verified","type":"bool","required":false,"help":"","hidden":false,"presentable":false,"system":true},{"id":"text1579384326","name":"name","type":"text","required":false,"autogeneratePattern":"","help":"","hidden":false,"max":255,"min":0,"pattern":"","presentable":false,"primaryKey":false,"system":false},{"id":"file376926767","name":"avatar","type":"file","required":false,"help":"","hidden":false,"maxSelect":1,"maxSize":0,"mimeTypes":["image/jpeg","image/png","image/svg+xml","image/gif","image/webp"],"presentable":false,"protected":false,"system":false,"thumbs":[]},{"id":"autodate2990389176","name":"created","type":"autodate","required":false,"hidden":false,"onCreate":true,"onUpdate":false,"presentable":false,"system":false},{"id":"autodate3332085495","name":"updated","type":"autodate","required":false,"hidden":false,"onCreate":true,"onUpdate":true,"presentable":false,"system":false}],"indexes":["CREATE UNIQUE INDEX `idx_tokenKey__pb_users_auth_` ON `users` (`tokenKey`)","CREATE UNIQUE INDEX `idx_email__pb_users_auth_` ON `users` (`email`) WHERE `email` != ''''"],"listRule":"id = @request.auth.id","viewRule":"id = @request.auth.id","createRule":"","updateRule":"id = @request.auth.id","deleteRule":"id = @request.auth.id","system":false,"authRule":"","manageRule":null,"passwordAuth":{"enabled":true,"identityFields":["email"]},"oauth2":{"providers":[],"mappedFields":{"id":"","name":"name","username":"","avatarURL":"avatar"},"enabled":false}}',
'2026-01-01 00:00:00.000Z', '2026-01-01 00:00:00.000Z');
