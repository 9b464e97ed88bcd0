// Runs the client that docs/api.md recommends, and prints what becomes of it.
// Arguments: the server, the session of a login as JSON, the file with the recommended code, and
// the transports that it may use.
import { readFile } from "node:fs/promises";
import { io } from "socket.io-client";

const [url, login, file, ...transports] = process.argv.slice(2);
const store = { session: JSON.parse(login) };
const load = () => store.session;
const save = (session) => (store.session = session);
const connect = (to, options) => io(to, { ...options, transports });
const signIn = () => console.log("sign in");
const code = `${await readFile(file, "utf8")}\nreturn socket;`;
const names = ["io", "url", "load", "save", "signIn"];
const socket = new Function(...names, code)(connect, url, load, save, signIn);

socket.io.reconnectionDelay(100);
socket.io.randomizationFactor(0);
socket.on("connect", () => console.log("connect"));
// Which reason it is depends on whether a poll or a WebSocket breaks, and that on the moment.
socket.on("disconnect", (why) => console.log(socket.active ? "lost" : `disconnect ${why}`));
socket.on("connect_error", ({ data }) => socket.active || console.log("refused", data.code));
socket.on("session_revoked", ({ reason }) => console.log("told", reason));
