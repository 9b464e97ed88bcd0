// The official client against Wellio's realtime server: problems, delivery, revocation, reconnect.
import assert from "node:assert/strict";
import { io } from "socket.io-client";

const [url, ...transports] = process.argv.slice(2);
const connect = (token, more = {}) =>
  io(url, { transports, forceNew: true, auth: { token }, reconnectionDelay: 10, reconnectionDelayMax: 20, ...more });
const next = (socket, event) => new Promise((resolve) => socket.once(event, (...args) => resolve(args)));

for (const token of ["forged", "not one", undefined, 7]) {
  const refused = connect(token, { reconnection: false });
  const [error] = await next(refused, "connect_error");
  assert.equal(error.data.status, 401);
  assert.equal(error.data.code, "unauthorized");
  refused.close();
}

const [alice, bob] = [connect("alice:a1"), connect("bob:b1")];
await Promise.all([next(alice, "connect"), next(bob, "connect")]);
const message = { senderId: "alice", content: "Hello é😀" };
const received = next(bob, "new_message");
assert.deepEqual(await alice.emitWithAck("send_message", { content: "Hello é😀" }), { ok: true, message });
assert.deepEqual(await received, [message]);

const invalid = await alice.emitWithAck("send_message", { content: 7, more: "\ud800" });
assert.equal(invalid.error.status, 422);
assert.deepEqual(invalid.error.errors.map((e) => e.pointer).sort(), ["/content", "/more"]);
assert.equal((await alice.emitWithAck("nothing")).error.code, "unknown_event");

alice.on("question", (data, answer) => answer({ twice: data.n * 2 }));
assert.deepEqual(await alice.emitWithAck("ask_back"), { ok: true, answer: { twice: 2 } });

// A lost connection comes back by itself.
const back = next(alice, "connect");
alice.io.engine.close();
await back;
assert.equal((await alice.emitWithAck("send_message", { content: "again" })).ok, true);

// A revoked login session does not.
const [reason, revoked] = [next(bob, "disconnect"), next(bob, "session_revoked")];
assert.equal((await alice.emitWithAck("revoke")).ok, true);
assert.deepEqual(await revoked, [{ reason: "session_revoked" }]);
assert.equal((await reason)[0], "io server disconnect");
alice.disconnect();
console.log("ok");
