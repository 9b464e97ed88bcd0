"""Whatever nodes do in whatever order: each event takes effect once, unharmed ones in order."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.events.conftest import START, Node, Noted, effects
from wellio.clock import ManualClock
from wellio.db.base import Database, Tx
from wellio.testing.engines import Databases

LEASE_MS = 10_000
LONGEST_WAIT_MS = 3_600_000
NODES = 2

which = st.integers(0, NODES - 1)
step = st.one_of(
    st.tuples(st.just("publish"), which, st.integers(1, 70)),
    st.tuples(st.just("publish what fails"), which, st.integers(1, 3)),
    st.tuples(st.just("roll back"), which, st.just(1)),
    st.tuples(st.just("deliver"), which, st.just(0)),
    st.tuples(st.just("restart"), which, st.just(0)),
    st.tuples(st.just("pass time"), which, st.sampled_from([1, LEASE_MS, LONGEST_WAIT_MS])),
)


class World:
    """Two nodes on one database, and what ought to come out."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.clock = ManualClock(START)
        self.failing: set[str] = set()
        self.published: list[str] = []
        self.nodes = [self.node() for _ in range(NODES)]

    def node(self) -> Node:
        node = Node(self.db, self.clock, failing=self.failing)
        node.follow("a")
        return node

    async def publish(self, node: Node, count: int, *, is_failing: bool = False) -> None:
        things = [f"t{len(self.published) + n}" for n in range(count)]
        self.failing.update(things if is_failing else ())
        await node.note(*things)
        self.published += things

    async def roll_back(self, node: Node) -> None:
        async def body(tx: Tx) -> None:
            await node.bus.publish(tx, Noted(thing_id="never"))
            raise LookupError

        try:
            await self.db.write(body)
        except LookupError:
            return
        raise AssertionError("it was not rolled back")

    async def do(self, what: str, index: int, amount: int) -> None:
        node = self.nodes[index]
        match what:
            case "publish":
                await self.publish(node, amount)
            case "publish what fails":
                await self.publish(node, amount, is_failing=True)
            case "roll back":
                await self.roll_back(node)
            case "deliver":
                for subscriber in node.bus.outbox.subscribers:
                    await subscriber.catch_up()
            case "restart":
                await node.stop()
                self.nodes[index] = self.node()
                await self.nodes[index].start()
            case "pass time":
                self.clock.advance(amount)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
@given(steps=st.lists(step, max_size=15))
async def test_each_event_takes_effect_once(
    databases: Databases, steps: list[tuple[str, int, int]]
) -> None:
    async with databases.open() as db:
        world = World(db)
        for node in world.nodes:
            await node.start()
        for each in steps:
            await world.do(*each)
            done = await effects(db, "a")
            assert len(done) == len(set(done))
            assert set(done) <= set(world.published) - world.failing
        failing = set(world.failing)
        world.failing.clear()
        for _ in range(10):  # what failed before is tried again, some of it for the second time
            world.clock.advance(LONGEST_WAIT_MS)
            await world.nodes[0].bus.settled()
        for node in world.nodes:
            await node.stop()
        done = await effects(db, "a")
        dead = {row["event_id"] for row in await world.nodes[0].bus.outbox.parked()}
        assert len(done) + len(dead) == len(world.published)
        assert [thing for thing in done if thing not in failing] == [
            thing for thing in world.published if thing not in failing
        ]
