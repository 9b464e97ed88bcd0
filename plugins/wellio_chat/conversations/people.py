"""Who may be asked into a conversation by whom, read from the views of auth and practice."""

from collections.abc import Collection

from wellio import Actor, Tx

_ANYBODY = """
SELECT u.id FROM auth_v_user u
WHERE u.id {in ids} AND u.status = 'active' AND u.role IN ('owner', 'coach', 'client')
"""
_STAFF_AND_OWN_CLIENTS = (
    _ANYBODY
    + """
AND (u.role <> 'client' OR EXISTS (
    SELECT 1 FROM practice_v_client c JOIN practice_v_client_access a ON a.client_id = c.id
    WHERE c.user_id = u.id AND a.user_id = :actor_id))
"""
)
_OWN_COACHES = (
    _ANYBODY
    + """
AND u.role <> 'client' AND EXISTS (
    SELECT 1 FROM practice_v_client c JOIN practice_v_assignment a ON a.client_id = c.id
    WHERE c.user_id = :actor_id AND a.user_id = u.id)
"""
)


# Those of a client, and the direct ones with them. Whose account is disabled just now, or whose
# role does not chat, keeps what their assignments are for.
_LOST = """
SELECT c.id FROM chat_member me
JOIN chat_conversation c ON c.id = me.conversation_id
JOIN auth_v_user u ON u.id = me.user_id AND u.role <> 'owner'
WHERE me.user_id = :user_id AND me.removed_event_seq IS NULL
  AND EXISTS (
    SELECT 1 FROM practice_v_client p
    WHERE (p.id = c.client_id
           OR (c.kind = 'direct' AND p.user_id IN (
               SELECT m.user_id FROM chat_member m
               WHERE m.conversation_id = c.id AND m.user_id <> :user_id)))
      AND COALESCE(p.user_id, '') <> :user_id
      AND (u.role = 'client'
           OR NOT EXISTS (SELECT 1 FROM practice_v_assignment a
                          WHERE a.user_id = :user_id AND a.client_id = p.id)))
ORDER BY c.id
"""


async def conversations_lost(tx: Tx, user_id: str) -> list[str]:
    """Return the conversations that somebody is in with a client whom they do not look after."""
    return [row["id"] for row in await tx.fetch_all(_LOST, user_id=user_id)]


async def reachable(tx: Tx, actor: Actor, user_ids: Collection[str]) -> set[str]:
    """Return which of some people the actor may have in a conversation.

    An owner reaches everyone who chats, a coach the staff and the clients assigned to them, a
    client the staff assigned to them.
    """
    ids = list(user_ids)
    if actor.role == "owner":
        rows = await tx.fetch_all(_ANYBODY, ids=ids)
    elif actor.role == "coach":
        rows = await tx.fetch_all(_STAFF_AND_OWN_CLIENTS, ids=ids, actor_id=actor.user_id)
    else:
        rows = await tx.fetch_all(_OWN_COACHES, ids=ids, actor_id=actor.user_id)
    return {row["id"] for row in rows}
