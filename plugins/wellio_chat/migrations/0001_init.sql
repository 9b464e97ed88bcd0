-- Conversations, their members, their messages, and each conversation's log of what happened in it.
-- Kinds, types and origins have no CHECK: they grow, and SQLite rebuilds a table to change one.

CREATE TABLE chat_conversation (
    id {text} PRIMARY KEY,
    kind {text} NOT NULL,               -- direct, group; care, internal, broadcast are to come
    mode {text} NOT NULL DEFAULT 'standard' CHECK (mode IN ('standard', 'e2ee')),
    title {text},
    pair_key {text} UNIQUE,             -- of a direct one: its two members, so that there is only one
    client_id {text} REFERENCES practice_client (id) ON DELETE SET NULL,  -- whose care it is about
    state {text} NOT NULL DEFAULT 'open',  -- open, closed
    retention_days {int},               -- after them a message goes; null: no rule of its own
    last_seq {int} NOT NULL DEFAULT 0,
    last_event_seq {int} NOT NULL DEFAULT 0,
    members_version {int} NOT NULL DEFAULT 1,
    xid {xid},                          -- of its last event: see chat_event.xid
    created_at {int} NOT NULL,
    active_at {int} NOT NULL,           -- when it was made, or its last message was sent
    UNIQUE (id, mode),
    CHECK ((kind = 'direct') = (pair_key IS NOT NULL))
) {strict};

CREATE INDEX chat_conversation_client ON chat_conversation (client_id) WHERE client_id IS NOT NULL;

-- A member who was removed keeps the row, which says with which event it ended.
CREATE TABLE chat_member (
    conversation_id {text} NOT NULL REFERENCES chat_conversation (id) ON DELETE CASCADE,
    user_id {text} NOT NULL REFERENCES auth_user (id) ON DELETE CASCADE,
    joined_at {int} NOT NULL,
    delivered_seq {int} NOT NULL,       -- both begin with the last message before the joining
    read_seq {int} NOT NULL,
    own_unread {int} NOT NULL DEFAULT 0,  -- own messages above read_seq
    archived_at {int},                  -- when they put it away, for themself alone
    muted_until {int},                  -- they are not notified before
    removed_event_seq {int},
    PRIMARY KEY (conversation_id, user_id),
    CHECK (read_seq <= delivered_seq)
) {strict};

CREATE INDEX chat_member_user ON chat_member (user_id, conversation_id);

-- reply_to refers to a message of the same conversation, which the send checks. It is no foreign
-- key, since messages go only together with their conversation.
CREATE TABLE chat_message (
    id {text} PRIMARY KEY,
    conversation_id {text} NOT NULL,
    mode {text} NOT NULL,
    seq {int} NOT NULL,
    sender_id {text} REFERENCES auth_user (id) ON DELETE SET NULL,
    type {text} NOT NULL,               -- text, image, file, audio, system, encrypted
    origin {text} NOT NULL DEFAULT 'human',  -- human, automation, ai
    body {text},
    ciphertext {bytes},
    local_id {text},
    content_hash {text},                -- keyed; of the first send, whatever became of it
    reply_to {text},
    created_at {int} NOT NULL,
    edited_at {int},
    deleted_at {int},
    UNIQUE (conversation_id, seq),
    UNIQUE (sender_id, conversation_id, local_id),
    FOREIGN KEY (conversation_id, mode) REFERENCES chat_conversation (id, mode) ON DELETE CASCADE,
    CHECK ((mode = 'e2ee' AND body IS NULL AND ciphertext IS NOT NULL)
        OR (mode = 'standard' AND ciphertext IS NULL)),
    CHECK ((local_id IS NULL) = (content_hash IS NULL))
) {strict};

-- Position is the order of insertion, xid the transaction: (xid, position) is the order of commit.
-- Within a conversation that is also the order of event_seq: an event takes the xid of the event
-- before it when that is higher (conversations/ledger.py).
CREATE TABLE chat_event (
    position {serial},
    xid {xid},
    conversation_id {text} NOT NULL REFERENCES chat_conversation (id) ON DELETE CASCADE,
    event_seq {int} NOT NULL,
    kind {text} NOT NULL,               -- the socket event's name, such as new_message
    message_id {text},
    user_id {text},                     -- whose receipt it is; who came or went
    status {text} CHECK (status IN ('delivered', 'read')),
    seq {int},                          -- of a receipt: up to where
    ref_id {text},                      -- what else it is about, for kinds to come
    created_at {int} NOT NULL,
    UNIQUE (conversation_id, event_seq)
) {strict};

CREATE INDEX chat_event_order ON chat_event (conversation_id, xid, position);

-- Read views: what other plugins may name. Columns are only ever added.

-- Who is in which conversation now, how far they are, and whether they want to hear of it. Who was
-- removed is not here.
CREATE VIEW chat_v_member AS
SELECT conversation_id, user_id, joined_at, delivered_seq, read_seq, archived_at, muted_until
FROM chat_member WHERE removed_event_seq IS NULL;

-- Every message in its place. `body` is null when it is encrypted or was deleted, `sender_id` for a
-- system message and an erased person.
CREATE VIEW chat_v_message AS
SELECT id, conversation_id, mode, seq, sender_id, type, origin,
       CASE WHEN mode = 'standard' AND deleted_at IS NULL THEN body END AS body,
       reply_to, created_at, edited_at, deleted_at
FROM chat_message;
