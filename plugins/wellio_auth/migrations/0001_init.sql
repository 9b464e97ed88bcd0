-- Accounts, login sessions, invitations and signing keys.
-- A session that has ended is gone: what happened to it is in the event log.

CREATE TABLE auth_user (
    id {text} PRIMARY KEY,
    email {text} NOT NULL,
    email_ci {text} NOT NULL UNIQUE,  -- case-folded: one account per address, however it is typed
    name {text} NOT NULL,
    role {text} NOT NULL CHECK (role IN ('owner', 'coach', 'assistant', 'client')),
    status {text} NOT NULL CHECK (status IN ('active', 'disabled')),
    password_hash {text} NOT NULL,
    created_at {int} NOT NULL,
    updated_at {int} NOT NULL
) {strict};

-- What other plugins may read and join; columns are only ever added.
CREATE VIEW auth_v_user AS
SELECT id, name, email, role, status FROM auth_user;

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

CREATE TABLE auth_invitation (
    id {text} PRIMARY KEY,
    email {text} NOT NULL,
    email_ci {text} NOT NULL,
    role {text} NOT NULL CHECK (role IN ('owner', 'coach', 'assistant', 'client')),
    attributes {json} NOT NULL,       -- what the account steps get, such as coachId
    token_hash {text} NOT NULL UNIQUE,
    invited_by {text} REFERENCES auth_user (id) ON DELETE SET NULL,
    created_at {int} NOT NULL,
    expires_at {int} NOT NULL,
    redeemed_at {int},
    redeemed_by {text} REFERENCES auth_user (id) ON DELETE SET NULL
) {strict};
CREATE INDEX auth_invitation_inviter ON auth_invitation (invited_by);
CREATE INDEX auth_invitation_redeemer ON auth_invitation (redeemed_by);
CREATE INDEX auth_invitation_email ON auth_invitation (email_ci);

CREATE TABLE auth_signing_key (
    kid {text} PRIMARY KEY,
    sealed {bytes} NOT NULL,          -- the Ed25519 private key under the master key
    created_at {int} NOT NULL
) {strict};

-- Its one row says that the practice is set up; whoever inserts it makes the first owner.
CREATE TABLE auth_setup (
    id {int} PRIMARY KEY CHECK (id = 1),
    done_at {int} NOT NULL
) {strict};
