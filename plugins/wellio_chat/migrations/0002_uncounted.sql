-- What lies above a member's read_seq and is nobody's to read: their own messages, as before, and now
-- also those that were deleted.
ALTER TABLE chat_member RENAME COLUMN own_unread TO uncounted;

UPDATE chat_member SET uncounted = (
    SELECT COUNT(*) FROM chat_message m
    WHERE m.conversation_id = chat_member.conversation_id AND m.seq > chat_member.read_seq
      AND (m.sender_id = chat_member.user_id OR m.deleted_at IS NOT NULL));
