// A coach and a client talk, with the official client used as its own documentation says.
import assert from "node:assert/strict";
import { io } from "socket.io-client";

const [url, way, conversationId, coachToken, clientToken] = process.argv.slice(2);
const connect = (token) =>
  io(url, { auth: { token }, forceNew: true, ...(way === "default" ? {} : { transports: [way] }) });
const next = (socket, event) => new Promise((resolve) => socket.once(event, resolve));
const rest = async (method, path, token, body) => {
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  const answer = await fetch(`${url}/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
  return answer.status === 204 ? null : answer.json();
};

const [coach, client] = [connect(coachToken), connect(clientToken)];
await Promise.all([next(coach, "connect"), next(client, "connect")]);
if (way === "default") {
  for (const { io: manager } of [coach, client]) {
    if (manager.engine.transport.name === "polling") await next(manager.engine, "upgrade");
    assert.equal(manager.engine.transport.name, "websocket");
  }
} else {
  assert.equal(coach.io.engine.transport.name, way);
}

// Typing, and a message without and with an acknowledgement.
const typed = next(client, "typing");
coach.emit("typing", { conversationId, isTyping: true });
assert.deepEqual([(await typed).conversationId, (await typed).isTyping], [conversationId, true]);

const arrived = next(client, "new_message");
coach.emit("send_message", { conversationId, content: "How was your week?" });
const message = await arrived;
assert.equal(message.content, "How was your week?");

const answered = next(coach, "new_message");
const reply = { conversationId, content: "Fine! é😀", localId: `phone-${way}` };
const ack = await client.emitWithAck("send_message", reply);
assert.deepEqual([ack.ok, ack.message.content, ack.message.status], [true, reply.content, "sent"]);
assert.equal((await answered).id, ack.message.id);
const again = await client.emitWithAck("send_message", reply);
assert.deepEqual([again.ok, again.duplicate, again.message.id], [true, true, ack.message.id]);

coach.emit("typing", { conversationId, isTyping: false });

// A receipt goes back to the sender.
const moved = next(coach, "message_status");
assert.equal((await client.emitWithAck("mark_read", { conversationId, messageId: message.id })).ok, true);
assert.deepEqual([(await moved).messageId, (await moved).status], [message.id, "read"]);
assert.equal((await rest("GET", `/messages/${message.id}`, coachToken)).status, "read");

// What was missed is caught up with after a reconnect.
let cursor = null;
const catchUp = async () => {
  const items = [];
  for (let page = { hasMore: true }; page.hasMore; cursor = page.next) {
    page = await client.emitWithAck("sync", { after: cursor });
    assert.equal(page.ok, true);
    items.push(...page.items);
  }
  return items;
};
const seen = (await catchUp()).filter(({ event }) => event === "new_message");
assert.deepEqual(seen.slice(-2).map(({ data }) => data.id), [message.id, ack.message.id]);
client.disconnect();
const missed = await rest("POST", `/conversations/${conversationId}/messages`, coachToken, { content: "Are you there?" });
client.connect();
await next(client, "connect");
const news = (await catchUp()).filter(({ event }) => event === "new_message");
assert.deepEqual(news.map(({ data }) => data.id), [missed.id]);

// A logout ends the socket within a second.
const over = Promise.all([next(client, "session_revoked"), next(client, "disconnect")]);
await rest("POST", "/auth/logout", clientToken);
const since = performance.now();
assert.deepEqual(await over, [{ reason: "logout" }, "io server disconnect"]);
assert.ok(performance.now() - since < 1000);
client.connect();
assert.equal((await next(client, "connect_error")).data.status, 401);
client.disconnect();
coach.disconnect();
console.log("ok");
