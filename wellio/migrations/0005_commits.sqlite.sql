-- The writer gives each commit a number, which orders what it holds: it takes a block of them at a
-- time, so this row is written once in a million commits (wellio/db/commit_numbers.py).
-- It begins where no number can lie that a migration gave to rows of before.
CREATE TABLE wellio_commit_block (
    id {int} PRIMARY KEY CHECK (id = 1),
    next {int} NOT NULL
){strict};

INSERT INTO wellio_commit_block (id, next) VALUES (1, 1099511627776);

-- With one writer, position alone is the order of commits.
DROP INDEX wellio_event_log;
