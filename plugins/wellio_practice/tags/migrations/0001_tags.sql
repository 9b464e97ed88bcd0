CREATE TABLE practice_tag (
    id {text} PRIMARY KEY,
    name {text} NOT NULL,
    name_ci {text} NOT NULL UNIQUE,
    version {int} NOT NULL DEFAULT 1,
    created_at {int} NOT NULL,
    updated_at {int} NOT NULL
) {strict};
