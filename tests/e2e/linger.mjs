// Connects, and tells why the connection ended.
import { io } from "socket.io-client";

const [url, token] = process.argv.slice(2);
const socket = io(url, { auth: { token }, transports: ["websocket"], reconnection: false });
socket.on("disconnect", (reason) => console.log(reason));
socket.on("connect_error", (error) => console.log(`refused: ${error.message}`));
