-- A column is called as its field is; `picture` is a key of the storage.
ALTER TABLE hello_win RENAME COLUMN body TO text;
ALTER TABLE hello_win ADD COLUMN picture {text};

-- A client's list, the newest first.
DROP INDEX hello_win_client;
CREATE INDEX hello_win_client ON hello_win (client_id, created_at, id);
