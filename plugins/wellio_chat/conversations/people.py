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
