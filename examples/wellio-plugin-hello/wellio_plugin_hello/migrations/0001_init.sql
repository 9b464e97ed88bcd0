-- A small win of a client's, in the words of whoever noted it.
CREATE TABLE hello_win (
    id {text} PRIMARY KEY,
    client_id {text} NOT NULL REFERENCES practice_client (id) ON DELETE CASCADE,
    author_id {text} REFERENCES auth_user (id) ON DELETE SET NULL,
    body {text} NOT NULL,
    created_at {int} NOT NULL
) {strict};

-- A client's list, the newest first.
CREATE INDEX hello_win_client ON hello_win (client_id, id);
CREATE INDEX hello_win_author ON hello_win (author_id);

-- How many wins a client has: kept by a subscriber, so that nobody counts on every request.
CREATE TABLE hello_tally (
    client_id {text} PRIMARY KEY REFERENCES practice_client (id) ON DELETE CASCADE,
    wins {int} NOT NULL,
    last_at {int}
) {strict};
