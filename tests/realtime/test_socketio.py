"""Socket.IO v5 as its document and the public suite ask for it, against the reference server."""

import asyncio
import json

import pytest

from tests.realtime.peers import PLACEHOLDERS, SOCKET, Peer
from tests.realtime.reference_server import SETTINGS


class TestConnect:
    @pytest.mark.parametrize(
        "connect, prefix, auth",
        [
            ("40", "40", '42["auth",{}]'),
            ('40{"token":"123"}', "40", '42["auth",{"token":"123"}]'),
            ("40/,", "40", '42["auth",{}]'),
            ("40/custom,", "40/custom,", '42/custom,["auth",{}]'),
            ("40/custom", "40/custom,", '42/custom,["auth",{}]'),
            ('40/custom,{"token":"abc"}', "40/custom,", '42/custom,["auth",{"token":"abc"}]'),
        ],
    )
    async def test_connect(self, peer: Peer, connect: str, prefix: str, auth: str) -> None:
        ws = await peer.websocket(SOCKET)
        await ws.send(connect)
        answer = await ws.packet()
        assert answer.startswith(prefix)
        value = json.loads(answer[len(prefix) :])
        assert value.keys() == {"sid"}
        assert isinstance(value["sid"], str)
        assert await ws.packet() == auth

    @pytest.mark.parametrize("connect", ["40/random", "40/random,", '40/random,{"token":1}'])
    async def test_unknown_namespace(self, peer: Peer, connect: str) -> None:
        ws = await peer.websocket(SOCKET)
        await ws.send(connect)
        assert await ws.packet() == '44/random,{"message":"Invalid namespace"}'

    @pytest.mark.parametrize(
        "first", ["4abc", "4", '42["message"]', "41", "43[]", '44{"message":"no"}', "40[]", "40x"]
    )
    async def test_invalid_handshake(self, peer: Peer, first: str) -> None:
        ws = await peer.websocket(SOCKET)
        await ws.send(first)
        await ws.closed()

    async def test_no_connect_in_time(self, hasty_peer: Peer) -> None:
        ws = await hasty_peer.websocket(SOCKET)
        while (data := await ws.receive()) == "2":
            await ws.send("3")
        assert data is None

    async def test_twice(self, peer: Peer) -> None:
        ws = await peer.socketio()
        await ws.send("40")
        await ws.closed()

    async def test_over_polling(self, peer: Peer) -> None:
        sid = await peer.open(SOCKET)
        await peer.push(sid, "40", SOCKET)
        packets: list[str] = []
        while len(packets) < 2:
            packets += (await peer.poll(sid, SOCKET)).text.split("\x1e")
        assert packets[0].startswith("40{")
        assert packets[1] == '42["auth",{}]'


class TestDisconnect:
    async def test_main_namespace(self, hasty_peer: Peer) -> None:
        ws = await hasty_peer.socketio()
        await ws.send("41")
        assert await ws.receive() == "2"

    async def test_the_deadline_begins_again(self, hasty_peer: Peer) -> None:
        ws = await hasty_peer.socketio()
        await ws.send("41")
        while (data := await ws.receive()) == "2":
            await ws.send("3")
        assert data is None

    async def test_custom_namespace(self, peer: Peer) -> None:
        ws = await peer.socketio()
        await ws.send("40/custom")
        assert (await ws.packet()).startswith("40/custom,{")
        assert await ws.packet() == '42/custom,["auth",{}]'
        await ws.send("41/custom", '42["message","message to main namespace"]')
        assert await ws.packet() == '42["message-back","message to main namespace"]'

    async def test_connect_again(self, peer: Peer) -> None:
        ws = await peer.socketio()
        await ws.send("41", "40")
        assert (await ws.packet()).startswith("40{")


class TestMessages:
    @pytest.mark.parametrize(
        "sent, received",
        [
            ('42["message",1,"2",{"3":[true]}]', '42["message-back",1,"2",{"3":[true]}]'),
            ('42["message"]', '42["message-back"]'),
            ('42456["message-with-ack",1,"2",{"3":[false]}]', '43456[1,"2",{"3":[false]}]'),
            ('420["message-with-ack"]', "430[]"),
            ('42/,7["message-with-ack","é😀"]', '437["é😀"]'),
        ],
    )
    async def test_text(self, peer: Peer, sent: str, received: str) -> None:
        ws = await peer.socketio()
        await ws.send(sent)
        assert await ws.packet() == received

    @pytest.mark.parametrize(
        "sent, received",
        [
            (f'452-["message",{PLACEHOLDERS}]', f'452-["message-back",{PLACEHOLDERS}]'),
            (f'452-789["message-with-ack",{PLACEHOLDERS}]', f"462-789[{PLACEHOLDERS}]"),
        ],
    )
    async def test_binary(self, peer: Peer, sent: str, received: str) -> None:
        ws = await peer.socketio()
        await ws.send(sent, b"\1\2\3", b"\4\5\6")
        assert [await ws.packet() for _ in range(3)] == [received, b"\1\2\3", b"\4\5\6"]

    async def test_binary_over_polling(self, peer: Peer) -> None:
        sid = await peer.open(SOCKET)
        await peer.push(sid, "40", SOCKET)
        body = f'451-1["message-with-ack",[{PLACEHOLDERS.split(",{")[0]}]]\x1ebAQID'
        while (await peer.poll(sid, SOCKET)).text == "2":
            pass
        await peer.push(sid, body, SOCKET)
        text = ""
        while "bAQID" not in text:
            text += (await peer.poll(sid, SOCKET)).text
        assert '461-1[[{"_placeholder":true,"num":0}]]\x1ebAQID' in text

    @pytest.mark.parametrize(
        "invalid",
        [
            "4abc",
            "42{}",
            "42",
            "42[]",
            "42[1]",
            '42["message"',
            '42abc["message-with-ack",1]',
            '42["message",NaN]',
            '42["connect"]',
            '42["disconnecting"]',
            '421234567890123456["message"]',
            '42/custom,["message"]',
            "43[]",
            "44",
            "431{}",
            "41{}",
            "45[]",
            '45-["message"]',
            '4511-["message"]',
            '44{"message":"no"}',
            '47["message"]',
            "42" + "[" * 100_000,
            '42["message",' + "[" * 70 + "]" * 71,
            '42["message",' + '{"a":' * 70 + "1" + "}" * 70 + "]",
            '40/other,{"a":' + "[" * 70 + "]" * 70 + "}",
            "41/custom,",
            '43/custom,1["x"]',
        ],
    )
    async def test_invalid(self, peer: Peer, invalid: str) -> None:
        ws = await peer.socketio()
        await ws.send(invalid)
        await ws.closed()

    @pytest.mark.parametrize(
        "frames",
        [
            [b"\1"],
            ['451-["message",{"_placeholder":true,"num":0}]', '42["message"]'],
            ['451-["message",{"_placeholder":true,"num":1}]', b"\1"],
            ['451-["message",{"_placeholder":true,"num":-1}]', b"\1"],
            ['451-["message",{"_placeholder":true,"num":"0"}]', b"\1"],
            ['451-["message",{"_placeholder":true}]', b"\1"],
            ['451-["message",' + "[" * 100 + "]" * 101, b"\1"],
        ],
    )
    async def test_invalid_binary(self, peer: Peer, frames: list[str | bytes]) -> None:
        ws = await peer.socketio()
        await ws.send(*frames)
        await ws.closed()

    @pytest.mark.parametrize(
        "data", ["[" * 60 + "]" * 60, "[" + "[]," * 99 + "{}]", '"' + "[{" * 99 + '"', "1"]
    )
    async def test_brackets_that_are_not_deep(self, peer: Peer, data: str) -> None:
        ws = await peer.socketio()
        await ws.send(f'421["message-with-ack",{data}]')
        assert await ws.packet() == f"431[{data}]"

    async def test_one_attachment_in_two_places(self, peer: Peer) -> None:
        ws = await peer.socketio()
        twice = ",".join(['{"_placeholder":true,"num":0}'] * 2)
        await ws.send(f'451-1["message-with-ack",{twice}]', b"\1")
        assert await ws.packet() == f"462-1[{PLACEHOLDERS}]"
        assert [await ws.packet() for _ in range(2)] == [b"\1", b"\1"]

    async def test_an_acknowledgement_that_nobody_waits_for(self, peer: Peer) -> None:
        ws = await peer.socketio()
        await ws.send('437["x"]', '461-7[{"_placeholder":true,"num":0}]', b"\1", '42["message"]')
        assert await ws.packet() == '42["message-back"]'

    async def test_no_attachments_needed(self, peer: Peer) -> None:
        ws = await peer.socketio()
        await ws.send('450-1["message-with-ack",2]')
        assert await ws.packet() == "431[2]"

    async def test_more_answers_over_polling_than_may_wait(self, peer: Peer) -> None:
        sid = await peer.open(SOCKET)
        await peer.push(sid, "40", SOCKET)
        count = 4 * SETTINGS.max_waiting_frames
        body = "\x1e".join(f'42{n}["message-with-ack",{n}]' for n in range(count))
        push = asyncio.create_task(peer.push(sid, body, SOCKET))
        done, _ = await asyncio.wait((push,), timeout=0.1)
        assert not done, "it is held back while nobody polls"
        packets: list[str] = []
        while f"43{count - 1}[{count - 1}]" not in packets:
            reply = await peer.poll(sid, SOCKET)
            assert reply.status == 200
            packets += reply.text.split("\x1e")
        assert (await push).status == 200
        answers = [packet for packet in packets if packet.startswith("43")]
        assert answers == [f"43{n}[{n}]" for n in range(count)]

    async def test_order(self, peer: Peer) -> None:
        ws = await peer.socketio()
        count = 4 * SETTINGS.max_in_flight
        await ws.send(*(f'42{n}["message-with-ack",{n}]' for n in range(count)))
        assert [await ws.packet() for _ in range(count)] == [f"43{n}[{n}]" for n in range(count)]
