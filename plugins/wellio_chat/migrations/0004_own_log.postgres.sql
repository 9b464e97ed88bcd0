-- A message is its own entry of the log. Both of its numbers have no gaps, so that
-- event_seq = seq + the other events before it: chat_event holds only what is no message, and the
-- head how many of these there are. (xid, conversation_id, event_seq) is the order of commits, and
-- within a conversation that of event_seq: an entry takes the xid of the one before it when that is
-- higher (conversations/ledger.py). What each column is stands in SQLite's form of this.
ALTER TABLE chat_message ADD COLUMN event_seq {int}, ADD COLUMN xid {int};

UPDATE chat_message SET event_seq = e.event_seq, xid = e.xid
FROM chat_event e WHERE e.message_id = chat_message.id AND e.kind = 'new_message';

ALTER TABLE chat_message
    ALTER COLUMN event_seq SET NOT NULL,
    ALTER COLUMN xid SET NOT NULL,
    DROP CONSTRAINT chat_message_sender_id_conversation_id_local_id_key,
    DROP CONSTRAINT chat_message_conversation_id_mode_fkey,
    DROP CONSTRAINT chat_message_check1,
    ADD FOREIGN KEY (conversation_id) REFERENCES chat_conversation (id) ON DELETE CASCADE,
    ADD CHECK ((local_key IS NULL) = (content_hash IS NULL));

CREATE UNIQUE INDEX chat_message_key ON chat_message (local_key) WHERE local_key IS NOT NULL;

DELETE FROM chat_event WHERE kind = 'new_message';

ALTER TABLE chat_event ADD COLUMN nth {int};

UPDATE chat_event SET nth = n.nth
FROM (
    SELECT e.position,
           ROW_NUMBER() OVER (PARTITION BY e.conversation_id ORDER BY e.event_seq) AS nth
    FROM chat_event e
) AS n
WHERE n.position = chat_event.position;

ALTER TABLE chat_event
    ALTER COLUMN nth SET NOT NULL,
    ALTER COLUMN xid DROP DEFAULT,
    DROP COLUMN position,
    DROP CONSTRAINT chat_event_conversation_id_event_seq_key,
    ADD PRIMARY KEY (conversation_id, event_seq);

CREATE INDEX chat_event_order ON chat_event (conversation_id, xid, event_seq);

ALTER TABLE chat_conversation ADD COLUMN other_events {int} NOT NULL DEFAULT 0;

UPDATE chat_conversation SET other_events = last_event_seq - last_seq;

ALTER TABLE chat_conversation
    DROP CONSTRAINT chat_conversation_id_mode_key,
    DROP COLUMN last_seq,
    DROP COLUMN last_event_seq,
    DROP COLUMN xid,
    DROP COLUMN active_at;
