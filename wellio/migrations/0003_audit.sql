-- What was done, by whom and to what: ids and the program's own words, never contents.
-- A row is written here in the transaction of its fact; once that is committed, a sealer moves it
-- to `wellio_audit`. `mac` proves that this program wrote it; a row without a good one is refused.
CREATE TABLE wellio_audit_pending (
    position {serial},
    id {text} NOT NULL UNIQUE,
    at {int} NOT NULL,
    actor_id {text},
    action {text} NOT NULL,
    object_kind {text} NOT NULL,
    object_id {text},
    subject_id {text},
    client_id {text},
    note {text},
    request_id {text},
    network {text},
    api_key_id {text},
    commitment {text},
    key_id {text} NOT NULL,
    mac {text} NOT NULL,
    state {text} NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'refused'))
){strict};

-- The chain: each hash is made of the row, its number and the hash before it, under `key_id`.
CREATE TABLE wellio_audit (
    seq {int} PRIMARY KEY,
    id {text} NOT NULL UNIQUE,
    at {int} NOT NULL,
    actor_id {text},
    action {text} NOT NULL,
    object_kind {text} NOT NULL,
    object_id {text},
    subject_id {text},
    client_id {text},
    note {text},
    request_id {text},
    network {text},
    api_key_id {text},
    commitment {text},
    key_id {text} NOT NULL,
    hash {text} NOT NULL
){strict};
CREATE INDEX wellio_audit_client ON wellio_audit (client_id, at) WHERE client_id IS NOT NULL;
CREATE INDEX wellio_audit_actor ON wellio_audit (actor_id, at);
CREATE INDEX wellio_audit_object ON wellio_audit (object_kind, object_id, at);

-- Personal details of a row, which go when the person is erased; the row's `commitment`, which
-- says nothing without the salt, stays.
CREATE TABLE wellio_audit_detail (
    audit_id {text} PRIMARY KEY,
    user_id {text} NOT NULL,
    salt {text} NOT NULL,
    details {text} NOT NULL           -- JSON, kept to the byte
){strict};
CREATE INDEX wellio_audit_detail_user ON wellio_audit_detail (user_id);

CREATE TABLE wellio_audit_key (
    id {text} PRIMARY KEY,            -- the beginning of the public key that anchors name
    sealed {bytes} NOT NULL,          -- under the master key
    created_at {int} NOT NULL
){strict};
