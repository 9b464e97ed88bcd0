-- The practice itself: one server is one practice, so there is one row at most.
CREATE TABLE practice_settings (
    id {int} PRIMARY KEY CHECK (id = 1),
    name {text} NOT NULL,
    time_zone {text} NOT NULL,
    currency {text} NOT NULL,
    locale {text} NOT NULL,
    version {int} NOT NULL DEFAULT 1,
    created_at {int} NOT NULL,
    updated_at {int} NOT NULL
) {strict};
