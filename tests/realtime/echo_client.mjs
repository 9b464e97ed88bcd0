// The official client against the reference server: text, binary, acknowledgements, namespaces.
import assert from "node:assert/strict";
import { once } from "node:events";
import { io } from "socket.io-client";

const [url, ...transports] = process.argv.slice(2);
const options = { transports, forceNew: true, auth: { token: "123" }, timeout: 5000 };
const next = (socket, event) => new Promise((resolve) => socket.once(event, (...args) => resolve(args)));

const socket = io(url, options);
const auth = next(socket, "auth");
const upgraded = transports.length === 2 ? once(socket.io, "open").then(() => next(socket.io.engine, "upgrade")) : null;
assert.deepEqual(await auth, [{ token: "123" }]);

const echoed = next(socket, "message-back");
socket.emit("message", 1, "é😀", { deep: [Buffer.from([1, 2])] }, Buffer.from([3]));
assert.deepEqual(await echoed, [1, "é😀", { deep: [Buffer.from([1, 2])] }, Buffer.from([3])]);

assert.deepEqual(await acked(1, { a: [null, true] }), [1, { a: [null, true] }]);
assert.deepEqual(await acked(Buffer.from([9, 8]), "x"), [Buffer.from([9, 8]), "x"]);
const large = "x".repeat(300_000);
assert.deepEqual(await acked(large), [large]);

const many = await Promise.all(Array.from({ length: 500 }, (_, n) => acked(n)));
assert.deepEqual(many.map(([n]) => n), Array.from({ length: 500 }, (_, n) => n));

const custom = io(`${url}/custom`, options);
assert.deepEqual(await next(custom, "auth"), [{ token: "123" }]);
const unknown = io(`${url}/random`, options);
assert.equal((await next(unknown, "connect_error"))[0].message, "Invalid namespace");

if (upgraded) await upgraded;
const transport = socket.io.engine.transport.name;
assert.equal(transport, transports.at(-1));
assert.deepEqual(await acked("after", Buffer.from([7])), ["after", Buffer.from([7])]);

// Two heartbeats go by without the connection being lost.
await next(socket.io, "ping");
await next(socket.io, "ping");
assert.ok(socket.connected);
for (const each of [socket, custom, unknown]) each.disconnect();
console.log(`ok ${transport}`);

function acked(...args) {
  return new Promise((resolve) => socket.emit("message-with-ack", ...args, (...answer) => resolve(answer)));
}
