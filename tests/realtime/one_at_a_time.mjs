// Connects as the public Socket.IO suite does, and prints how often it heard what it waited for.
import { WebSocket } from "ws";

const [address, count] = process.argv.slice(2);
const next = (socket) =>
  new Promise((resolve) => socket.addEventListener("message", resolve, { once: true }));

let heard = 0;
for (let n = 0; n < Number(count); n++) {
  const socket = new WebSocket(
    `${address.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`,
  );
  await next(socket); // the handshake of Engine.IO
  socket.send("40");
  await next(socket); // that of Socket.IO
  const { data } = await next(socket);
  heard += data === '42["auth",{}]';
  socket.close();
}
console.log(heard);
