CREATE TABLE auth_invitation (
    id {text} PRIMARY KEY,
    email {text} NOT NULL,
    email_ci {text} NOT NULL,         -- folded
    role {text} NOT NULL,
    attributes {json} NOT NULL,       -- what the account steps get, such as coachId
    token_hash {text} NOT NULL UNIQUE,
    invited_by {text} REFERENCES auth_user (id) ON DELETE SET NULL,
    created_at {int} NOT NULL,
    expires_at {int} NOT NULL,
    redeemed_at {int},
    redeemed_by {text} REFERENCES auth_user (id) ON DELETE SET NULL
) {strict};

CREATE INDEX auth_invitation_inviter ON auth_invitation (invited_by, id);
CREATE INDEX auth_invitation_redeemer ON auth_invitation (redeemed_by);
CREATE INDEX auth_invitation_email ON auth_invitation (email_ci);
