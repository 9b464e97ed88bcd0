-- An account is never deleted. Who is erased leaves a row that says nothing of them, a tombstone,
-- so that whatever refers to the account keeps its reference, and their address is free again.
CREATE TABLE auth_user (
    id {text} PRIMARY KEY,
    email {text},
    email_ci {text} UNIQUE,           -- folded: one account per address, however it is typed
    email_verified_at {int},
    name {text},
    phone {text},
    time_zone {text},
    locale {text},
    role {text} NOT NULL,
    status {text} NOT NULL,           -- pending, active, disabled, erased
    password_hash {text},             -- null: this person signs in by other means
    mfa_enrolled_at {int},
    last_login_at {int},
    created_at {int} NOT NULL,
    updated_at {int} NOT NULL,
    erased_at {int},
    CHECK ((status = 'erased') = (erased_at IS NOT NULL)),
    CHECK ((erased_at IS NULL) = (name IS NOT NULL)),
    CHECK ((erased_at IS NULL) = (email IS NOT NULL)),
    CHECK ((email IS NULL) = (email_ci IS NULL)),
    CHECK (erased_at IS NULL OR (password_hash IS NULL AND phone IS NULL))
) {strict};

CREATE INDEX auth_user_name ON auth_user (name, id) WHERE erased_at IS NULL;

-- What other plugins may read and join; columns are only ever added. One row for each account: a
-- disabled one too, and an erased one, whose name and address are null and whose status is 'erased'.
CREATE VIEW auth_v_user AS
SELECT id, name, email, role, status, time_zone, locale, phone FROM auth_user;
