-- What happened, in the order of its commits: one row per event, whoever listens.
-- On Postgres a transaction's number orders commits; SQLite has one writer and leaves it at 0.
CREATE TABLE wellio_event (
    position {serial},
    xid {xid},
    id {text} NOT NULL,
    name {text} NOT NULL,
    at {int} NOT NULL,
    actor_id {text},
    cause_id {text},
    client_id {text},
    payload {text} NOT NULL
){strict};
CREATE INDEX wellio_event_log ON wellio_event (xid, position);

-- How far each durable subscriber is, and which node works on it at present.
CREATE TABLE wellio_cursor (
    subscriber {text} PRIMARY KEY,
    xid {int} NOT NULL,
    position {int} NOT NULL,
    node {text} NOT NULL,
    lease_until {int} NOT NULL
){strict};

-- Events that a subscriber failed on: they wait here, and the others go on.
CREATE TABLE wellio_parked (
    subscriber {text} NOT NULL,
    event_id {text} NOT NULL,
    name {text} NOT NULL,
    at {int} NOT NULL,
    actor_id {text},
    cause_id {text},
    client_id {text},
    payload {text} NOT NULL,
    state {text} NOT NULL CHECK (state IN ('waiting', 'dead')),
    attempts {int} NOT NULL,
    due_at {int} NOT NULL,
    last_error {text} NOT NULL,
    PRIMARY KEY (subscriber, event_id)
){strict};
CREATE INDEX wellio_parked_due ON wellio_parked (subscriber, due_at) WHERE state = 'waiting';

-- Work that leaves the box. `waiting` is not due yet, `queued` is, `running` is somebody's until
-- `lease_until`, `dead` failed too often; what is done is deleted. The last four columns are for
-- work that somebody asked for and waits on, such as an export; nothing writes them yet.
CREATE TABLE wellio_job (
    id {text} PRIMARY KEY,
    kind {text} NOT NULL,
    key {text} UNIQUE,
    payload {text} NOT NULL,
    state {text} NOT NULL,
    lane {text} NOT NULL,           -- urgent, normal, slow: an earlier one goes first
    due_at {int} NOT NULL,
    attempts {int} NOT NULL,
    node {text},
    lease_until {int},
    last_error {text},
    owner_id {text},                -- the account that asked for it
    progress {text},                -- JSON: how much is done, and of how much
    result {text},                  -- JSON: ids of what came of it
    cancelled_at {int}
){strict};
CREATE INDEX wellio_job_waiting ON wellio_job (due_at) WHERE state = 'waiting';
CREATE INDEX wellio_job_queued ON wellio_job (lane, due_at, id) WHERE state = 'queued';
CREATE INDEX wellio_job_running ON wellio_job (lease_until) WHERE state = 'running';
CREATE INDEX wellio_job_dead ON wellio_job (id) WHERE state = 'dead';

-- When each schedule runs next; `cron` and `time_zone` tell whether it was changed since.
CREATE TABLE wellio_schedule (
    name {text} PRIMARY KEY,
    cron {text} NOT NULL,
    time_zone {text} NOT NULL,
    next_at {int} NOT NULL
){strict};
