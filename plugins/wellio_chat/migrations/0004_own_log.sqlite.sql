-- A message is its own entry of the log. Both of its numbers have no gaps, so that
-- event_seq = seq + the other events before it: chat_event holds only what is no message, and the
-- head how many of these there are. `xid` is the number of the commit (wellio/db/commit_numbers.py);
-- what was there before takes its old position, which lies far below. (xid, conversation_id,
-- event_seq) is the order of commits, and within a conversation that of event_seq.
--
-- The tables are made anew from a copy: SQLite cannot take their constraints away.
CREATE TABLE chat_old_conversation AS SELECT * FROM chat_conversation;
CREATE TABLE chat_old_message AS SELECT * FROM chat_message;
CREATE TABLE chat_old_event AS SELECT * FROM chat_event;
CREATE INDEX chat_old_event_message ON chat_old_event (message_id) WHERE kind = 'new_message';
DROP TABLE chat_event;
DROP TABLE chat_message;
DROP TABLE chat_conversation;

CREATE TABLE chat_conversation (
    id {text} PRIMARY KEY,
    kind {text} NOT NULL,               -- direct, group; care, internal, broadcast are to come
    mode {text} NOT NULL DEFAULT 'standard' CHECK (mode IN ('standard', 'e2ee')),
    title {text},
    pair_key {text} UNIQUE,             -- of a direct one: its two members, so that there is only one
    client_id {text} REFERENCES practice_client (id) ON DELETE SET NULL,  -- whose care it is about
    state {text} NOT NULL DEFAULT 'open',  -- open, closed
    retention_days {int},               -- after them a message goes; null: no rule of its own
    other_events {int} NOT NULL DEFAULT 0,  -- how many entries of its log are no message
    members_version {int} NOT NULL DEFAULT 1,
    created_at {int} NOT NULL,
    CHECK ((kind = 'direct') = (pair_key IS NOT NULL))
) {strict};

CREATE INDEX chat_conversation_client ON chat_conversation (client_id) WHERE client_id IS NOT NULL;

-- reply_to refers to a message of the same conversation, which the send checks. It is no foreign
-- key, since messages go only together with their conversation. `mode` is the conversation's.
CREATE TABLE chat_message (
    id {text} PRIMARY KEY,
    conversation_id {text} NOT NULL REFERENCES chat_conversation (id) ON DELETE CASCADE,
    seq {int} NOT NULL,
    event_seq {int} NOT NULL,           -- its number in the log: seq + the other events before it
    xid {int} NOT NULL,
    mode {text} NOT NULL,
    sender_id {text} REFERENCES auth_user (id) ON DELETE SET NULL,
    type {text} NOT NULL,               -- text, image, file, audio, system, encrypted
    origin {text} NOT NULL DEFAULT 'human',  -- human, automation, ai
    body {text},
    ciphertext {bytes},
    local_id {text},
    local_key {bytes},                  -- keyed hash of sender, conversation and local_id: for ever
    content_hash {text},                -- keyed; of the first send, whatever became of it
    reply_to {text},
    created_at {int} NOT NULL,
    edited_at {int},
    deleted_at {int},
    UNIQUE (conversation_id, seq),
    CHECK ((mode = 'e2ee' AND body IS NULL AND ciphertext IS NOT NULL)
        OR (mode = 'standard' AND ciphertext IS NULL)),
    CHECK ((local_key IS NULL) = (content_hash IS NULL))
) {strict};

CREATE UNIQUE INDEX chat_message_key ON chat_message (local_key) WHERE local_key IS NOT NULL;

CREATE TABLE chat_event (
    conversation_id {text} NOT NULL REFERENCES chat_conversation (id) ON DELETE CASCADE,
    event_seq {int} NOT NULL,
    nth {int} NOT NULL,                 -- its number among those that are no message, from 1
    xid {int} NOT NULL,
    kind {text} NOT NULL,               -- the socket event's name, such as message_updated
    message_id {text},
    user_id {text},                     -- whose receipt it is; who came or went
    status {text} CHECK (status IN ('delivered', 'read')),
    seq {int},                          -- of a receipt: up to where
    ref_id {text},                      -- what else it is about, for kinds to come
    created_at {int} NOT NULL,
    PRIMARY KEY (conversation_id, event_seq)
) {strict};

CREATE INDEX chat_event_order ON chat_event (conversation_id, xid, event_seq);

INSERT INTO chat_conversation (id, kind, mode, title, pair_key, client_id, state, retention_days,
                               other_events, members_version, created_at)
SELECT c.id, c.kind, c.mode, c.title, c.pair_key, c.client_id, c.state, c.retention_days,
       c.last_event_seq - c.last_seq, c.members_version, c.created_at
FROM chat_old_conversation c;

INSERT INTO chat_message (id, conversation_id, seq, event_seq, xid, mode, sender_id, type, origin,
                          body, ciphertext, local_id, local_key, content_hash, reply_to,
                          created_at, edited_at, deleted_at)
SELECT m.id, m.conversation_id, m.seq, e.event_seq, e.position, m.mode, m.sender_id, m.type,
       m.origin, m.body, m.ciphertext, m.local_id, m.local_key, m.content_hash, m.reply_to,
       m.created_at, m.edited_at, m.deleted_at
FROM chat_old_message m
LEFT JOIN chat_old_event e ON e.message_id = m.id AND e.kind = 'new_message'
ORDER BY e.position;

INSERT INTO chat_event (conversation_id, event_seq, nth, xid, kind, message_id, user_id, status,
                        seq, ref_id, created_at)
SELECT e.conversation_id, e.event_seq,
       ROW_NUMBER() OVER (PARTITION BY e.conversation_id ORDER BY e.event_seq), e.position, e.kind,
       e.message_id, e.user_id, e.status, e.seq, e.ref_id, e.created_at
FROM chat_old_event e WHERE e.kind <> 'new_message';

DROP TABLE chat_old_event;
DROP TABLE chat_old_message;
DROP TABLE chat_old_conversation;
