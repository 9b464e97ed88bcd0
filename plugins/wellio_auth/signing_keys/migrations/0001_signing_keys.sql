CREATE TABLE auth_signing_key (
    kid {text} PRIMARY KEY,
    sealed {bytes} NOT NULL,          -- the Ed25519 private key under the master key
    created_at {int} NOT NULL
) {strict};
