-- API keys: what programs come with in somebody's name. One that has ended is gone.

CREATE TABLE auth_api_key (
    id {text} PRIMARY KEY,
    user_id {text} NOT NULL REFERENCES auth_user (id) ON DELETE CASCADE,
    note {text} NOT NULL,
    token_hash {text} NOT NULL,       -- SHA-256 of the whole key
    scopes {json} NOT NULL,           -- names of permissions
    created_at {int} NOT NULL,
    expires_at {int},
    last_used_at {int}                -- right to the minute
) {strict};

CREATE INDEX auth_api_key_user ON auth_api_key (user_id, id);
CREATE INDEX auth_api_key_expiry ON auth_api_key (expires_at) WHERE expires_at IS NOT NULL;
