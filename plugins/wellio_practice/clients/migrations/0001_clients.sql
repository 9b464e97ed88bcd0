CREATE TABLE practice_client (
    id {text} PRIMARY KEY,
    user_id {text} UNIQUE REFERENCES auth_user (id) ON DELETE SET NULL,
    name {text} NOT NULL,
    name_ci {text} NOT NULL,
    email {text},
    email_ci {text},
    phone {text},
    date_of_birth {text},
    time_zone {text},
    locale {text},
    source {text},
    lifecycle {text} NOT NULL DEFAULT 'active'
        CHECK (lifecycle IN ('lead', 'active', 'at_risk', 'dormant', 'churned', 'archived')),
    metadata {json} NOT NULL,
    version {int} NOT NULL DEFAULT 1,
    created_at {int} NOT NULL,
    updated_at {int} NOT NULL
) {strict};

CREATE INDEX practice_client_name ON practice_client (name_ci, id);
CREATE INDEX practice_client_email ON practice_client (email_ci);

-- Who looks after whom.
CREATE TABLE practice_assignment (
    client_id {text} NOT NULL REFERENCES practice_client (id) ON DELETE CASCADE,
    coach_id {text} NOT NULL REFERENCES auth_user (id) ON DELETE CASCADE,
    assigned_at {int} NOT NULL,
    PRIMARY KEY (client_id, coach_id)
) {strict};

CREATE INDEX practice_assignment_coach ON practice_assignment (coach_id, client_id);

CREATE TABLE practice_client_tag (
    client_id {text} NOT NULL REFERENCES practice_client (id) ON DELETE CASCADE,
    tag_id {text} NOT NULL REFERENCES practice_tag (id) ON DELETE CASCADE,
    PRIMARY KEY (client_id, tag_id)
) {strict};

CREATE INDEX practice_client_tag_tag ON practice_client_tag (tag_id, client_id);

-- Read views: what other plugins may name. Columns are only ever added.

-- A person's client record.
CREATE VIEW practice_v_client AS
SELECT id, user_id, name, lifecycle, created_at FROM practice_client;

-- Which coach looks after which client.
CREATE VIEW practice_v_assignment AS
SELECT client_id, coach_id FROM practice_assignment;

-- Who may know of which client, and as what: an owner of all, a coach of those assigned to them,
-- a client of themself.
CREATE VIEW practice_v_client_access AS
SELECT u.id AS user_id, c.id AS client_id, 'owner' AS role
FROM auth_v_user u CROSS JOIN practice_client c
WHERE u.role = 'owner' AND u.status = 'active'
UNION ALL
SELECT a.coach_id, a.client_id, 'coach'
FROM practice_assignment a JOIN auth_v_user u ON u.id = a.coach_id
WHERE u.role = 'coach' AND u.status = 'active'
UNION ALL
SELECT c.user_id, c.id, 'client'
FROM practice_client c JOIN auth_v_user u ON u.id = c.user_id
WHERE u.role = 'client' AND u.status = 'active';
