"""All SQL that is not plain: its own tables, and the read views that others publish."""

from wellio import Actor, Database, Forbidden, Fragment, NotFound, PageQuery, Row, Slice, Tx

from .models import WINS

_HERS = "client_id IN (SELECT id FROM practice_v_client WHERE user_id = :user_id)"
_COACHES = "SELECT user_id FROM practice_v_assignment WHERE client_id = :client_id"
_USER = "SELECT user_id FROM practice_v_client WHERE id = :client_id"
# From the present state, not by one more or one less: then it may be run again, in any order.
_RECOUNT = """
INSERT INTO hello_tally (client_id, wins, last_at)
SELECT c.id, COUNT(w.id), MAX(w.created_at)
FROM practice_v_client c LEFT JOIN hello_win w ON w.client_id = c.id
WHERE c.id = :client_id AND c.erased_at IS NULL GROUP BY c.id
ON CONFLICT (client_id) DO UPDATE SET wins = excluded.wins, last_at = excluded.last_at
"""
_NOTED = (
    WINS.select
    + "WHERE t.client_id = :client_id AND (t.created_at, t.id) < (:at, :id) "
    + "ORDER BY t.created_at DESC, t.id DESC LIMIT :limit"
)
_UNCOUNTED = """
SELECT COUNT(*) AS clients FROM (
    SELECT w.client_id FROM hello_win w
    LEFT JOIN hello_tally t ON t.client_id = w.client_id
    WHERE w.created_at < :before AND t.client_id IS NULL
    GROUP BY w.client_id
) missing
"""
_WEEK = """
SELECT a.user_id AS coach_id, COUNT(*) AS wins, COUNT(DISTINCT w.client_id) AS clients
FROM practice_v_assignment a JOIN hello_win w ON w.client_id = a.client_id
WHERE w.created_at >= :since AND w.created_at < :until
GROUP BY a.user_id ORDER BY a.user_id
"""
_COACH = "SELECT name, email FROM auth_v_user WHERE id = :user_id AND status = 'active'"


async def of_client(db: Database, client_id: str, win_id: str) -> Row:
    """Return a win of a client's.

    Raises:
        NotFound: There is none.
    """
    row = await WINS.read(db, win_id)
    if row["client_id"] != client_id:
        raise NotFound
    return row


async def own(tx: Tx, actor: Actor, client_id: str, win_id: str) -> Row:
    """Return and lock a win of a client's that the actor noted.

    Raises:
        NotFound: There is no such win of this client's.
        Forbidden: Somebody else noted it.
    """
    row = await WINS.lock(tx, win_id)
    if row["client_id"] != client_id:
        raise NotFound
    if row["author_id"] != actor.user_id:
        raise Forbidden("This is for who noted the win.")
    return row


async def page(db: Database, client_id: str, query: PageQuery) -> Slice[Row]:
    """Return a page of a client's wins, the newest first."""
    where = Fragment("t.client_id = :client_id", {"client_id": client_id})
    return await WINS.page(db, query, where)


async def noted(db: Database, client_id: str, before: tuple[int, str], limit: int) -> list[Row]:
    """Return a client's wins from before an instant and id, the newest first."""
    at, win_id = before
    return await db.fetch_all(_NOTED, client_id=client_id, at=at, id=win_id, limit=limit)


async def coaches(tx: Tx, client_id: str) -> list[str]:
    """Return the accounts that look after a client."""
    return [row["user_id"] for row in await tx.fetch_all(_COACHES, client_id=client_id)]


async def account(tx: Tx, client_id: str) -> str | None:
    """Return a client's own account, if there is one."""
    row = await tx.fetch_one(_USER, client_id=client_id)
    return row["user_id"] if row else None


async def recount(tx: Tx, client_id: str) -> None:
    """Bring a client's tally to what is there; a client who is gone gets none."""
    await tx.execute(_RECOUNT, client_id=client_id)


async def clients(db: Database) -> list[str]:
    """Return all clients with wins or a tally."""
    sql = "SELECT client_id FROM hello_win UNION SELECT client_id FROM hello_tally"
    return [row["client_id"] for row in await db.fetch_all(sql)]


async def tally(db: Database, client_id: str) -> Row | None:
    """Return how many wins a client has."""
    sql = "SELECT wins, last_at FROM hello_tally WHERE client_id = :client_id"
    return await db.fetch_one(sql, client_id=client_id)


async def uncounted(db: Database, before: int) -> int:
    """Return how many clients noted something before an instant and have no tally."""
    row = await db.fetch_one(_UNCOUNTED, before=before)
    return row["clients"] if row else 0


async def week(db: Database | Tx, since: int, until: int) -> list[Row]:
    """Return `coach_id, wins, clients` of each coach whose clients noted something meanwhile."""
    return await db.fetch_all(_WEEK, since=since, until=until)


async def coach(db: Database, user_id: str) -> Row | None:
    """Return name and address of an account that is open."""
    return await db.fetch_one(_COACH, user_id=user_id)


async def export(db: Database, user_id: str) -> dict[str, list[Row]]:
    """Return by table what is stored about a person, and what they wrote about others."""
    wins = WINS.select + "WHERE t.author_id = :user_id OR t." + _HERS + " ORDER BY t.id"
    tallies = "SELECT client_id, wins, last_at FROM hello_tally WHERE " + _HERS
    return {
        "hello_win": await db.fetch_all(wins, user_id=user_id),
        "hello_tally": await db.fetch_all(tallies, user_id=user_id),
    }


async def erase(tx: Tx, user_id: str) -> list[str]:
    """Delete a person's own wins, and return the keys of their pictures.

    What they wrote about others stays theirs, without an author.
    """
    sql = "DELETE FROM hello_win WHERE " + _HERS + " RETURNING picture"
    pictures = [row["picture"] for row in await tx.fetch_all(sql, user_id=user_id)]
    await tx.execute("DELETE FROM hello_tally WHERE " + _HERS, user_id=user_id)
    sql = "UPDATE hello_win SET author_id = NULL WHERE author_id = :user_id"
    await tx.execute(sql, user_id=user_id)
    return [key for key in pictures if key]
