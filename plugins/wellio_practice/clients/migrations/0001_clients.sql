-- A client's record, with or without an account. It is never deleted: who is erased leaves a
-- tombstone without name or contact, so that whatever refers to the record keeps its reference.
CREATE TABLE practice_client (
    id {text} PRIMARY KEY,
    user_id {text} UNIQUE REFERENCES auth_user (id) ON DELETE SET NULL,
    status {text} NOT NULL DEFAULT 'active',
    name {text},
    name_ci {text},                   -- folded, to sort and search by
    email {text},
    email_ci {text},                  -- folded
    phone {text},
    date_of_birth {text},
    time_zone {text},
    locale {text},
    source {text},
    lifecycle {text} NOT NULL DEFAULT 'active',
    metadata {json} NOT NULL,
    version {int} NOT NULL DEFAULT 1,
    created_at {int} NOT NULL,
    updated_at {int} NOT NULL,
    erased_at {int},
    CHECK ((status = 'erased') = (erased_at IS NOT NULL)),
    CHECK ((erased_at IS NULL) = (name IS NOT NULL)),
    CHECK ((name IS NULL) = (name_ci IS NULL))
) {strict};

CREATE INDEX practice_client_name ON practice_client (name_ci, id);
CREATE INDEX practice_client_email ON practice_client (email_ci);

-- The care team: who looks after a client, as what, and from when until when. A row is ended, never
-- deleted; one without `until_at` is open.
CREATE TABLE practice_assignment (
    id {text} PRIMARY KEY,
    client_id {text} NOT NULL REFERENCES practice_client (id),
    user_id {text} REFERENCES auth_user (id) ON DELETE SET NULL,
    role {text} NOT NULL,             -- primary, coach, substitute, supervisor
    from_at {int} NOT NULL,
    until_at {int},
    ended_by {text} REFERENCES auth_user (id) ON DELETE SET NULL
) {strict};

-- Somebody is in a client's team once, and a client has one primary coach at most.
CREATE UNIQUE INDEX practice_assignment_open
ON practice_assignment (client_id, user_id) WHERE until_at IS NULL;
CREATE UNIQUE INDEX practice_assignment_primary
ON practice_assignment (client_id) WHERE until_at IS NULL AND role = 'primary';
-- A client's history, and a coach's.
CREATE INDEX practice_assignment_client ON practice_assignment (client_id, from_at);
CREATE INDEX practice_assignment_user ON practice_assignment (user_id, client_id);

CREATE TABLE practice_client_tag (
    client_id {text} NOT NULL REFERENCES practice_client (id),
    tag_id {text} NOT NULL REFERENCES practice_tag (id) ON DELETE CASCADE,
    PRIMARY KEY (client_id, tag_id)
) {strict};

CREATE INDEX practice_client_tag_tag ON practice_client_tag (tag_id, client_id);

-- Read views: what other plugins may name. Columns are only ever added.

-- The client records, tombstones too: those have an `erased_at` and no name.
CREATE VIEW practice_v_client AS
SELECT c.id, c.user_id, c.name, c.email, c.phone, c.time_zone, c.locale, c.lifecycle,
       (SELECT a.user_id FROM practice_assignment a
        WHERE a.client_id = c.id AND a.until_at IS NULL AND a.role = 'primary')
       AS primary_coach_id,
       c.created_at, c.erased_at
FROM practice_client c;

-- Who looks after which client now, and as what.
CREATE VIEW practice_v_assignment AS
SELECT id, client_id, user_id, role, from_at FROM practice_assignment WHERE until_at IS NULL;

-- Who may know of which client, and as what: an owner of all, a coach of those assigned to them,
-- a client of themself. Nobody finds a tombstone.
CREATE VIEW practice_v_client_access AS
SELECT u.id AS user_id, c.id AS client_id, 'owner' AS role
FROM auth_v_user u CROSS JOIN practice_client c
WHERE u.role = 'owner' AND u.status = 'active' AND c.erased_at IS NULL
UNION ALL
SELECT a.user_id, a.client_id, 'coach'
FROM practice_assignment a JOIN auth_v_user u ON u.id = a.user_id
WHERE a.until_at IS NULL AND u.role = 'coach' AND u.status = 'active'
UNION ALL
SELECT c.user_id, c.id, 'client'
FROM practice_client c JOIN auth_v_user u ON u.id = c.user_id
WHERE c.erased_at IS NULL AND u.role = 'client' AND u.status = 'active';
