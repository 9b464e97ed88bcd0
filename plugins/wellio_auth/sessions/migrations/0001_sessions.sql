-- A session that has ended is gone: what happened to it is in the event log.
CREATE TABLE auth_session (
    id {text} PRIMARY KEY,
    user_id {text} NOT NULL REFERENCES auth_user (id) ON DELETE CASCADE,
    token_hash {text} NOT NULL,       -- SHA-256 of the current refresh token
    previous_hash {text},             -- of the one before, which may still be sent again
    request_hash {text},              -- of the requestId that made the current one
    rotated_at {int} NOT NULL,
    created_at {int} NOT NULL,
    last_seen_at {int} NOT NULL,
    expires_at {int} NOT NULL,        -- slides with every refresh, up to ends_at
    ends_at {int} NOT NULL,
    ip {text} NOT NULL,
    user_agent {text} NOT NULL
) {strict};

CREATE INDEX auth_session_user ON auth_session (user_id, last_seen_at);
CREATE INDEX auth_session_expiry ON auth_session (expires_at);
