// Makes types of a description as app developers do, and compiles lines that use them (`tsc --strict`).
// Prints as JSON what the compiler says of each line.
import { readFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";
import ts from "typescript";

const [description, lines] = process.argv.slice(2).map((path) => JSON.parse(readFileSync(path)));
const sources = { "wellio.ts": astToString(await openapiTS(description)) };
const types = `import type { components, paths } from "./wellio";
type Sent<E extends keyof Events<"Client">> = Events<"Client">[E]["data"];
type Acked<E extends keyof Events<"Client">> = Events<"Client">[E]["ack"];
type Heard<E extends keyof Events<"Server">> = Events<"Server">[E];
type Events<Side extends "Client" | "Server"> = components["schemas"][\`\${Side}Events\`];
type Body<P extends keyof paths, M extends keyof paths[P]> =
  paths[P][M] extends { requestBody: { content: { "application/json": infer B } } } ? B : never;
type Answer<P extends keyof paths, M extends keyof paths[P]> =
  paths[P][M] extends { responses: { 200: { content: { "application/json": infer A } } } } ? A : never;
`;
const names = lines.map((line, n) => {
  sources[`line${n}.ts`] = `${types}${line}\n`;
  return `line${n}.ts`;
});

const options = { strict: true, noEmit: true, lib: ["lib.es5.d.ts"], skipLibCheck: true, types: [], target: ts.ScriptTarget.ES2022 };
const host = ts.createCompilerHost(options);
const read = host.getSourceFile;
host.getSourceFile = (name, ...rest) =>
  name in sources ? ts.createSourceFile(name, sources[name], options.target) : read(name, ...rest);
host.fileExists = (name) => name in sources || ts.sys.fileExists(name);
host.readFile = (name) => sources[name] ?? ts.sys.readFile(name);
host.getCurrentDirectory = () => "";

const said = Object.fromEntries(["wellio.ts", ...names].map((name) => [name, []]));
for (const { file, messageText } of ts.getPreEmitDiagnostics(ts.createProgram(names, options, host))) {
  (said[file?.fileName ?? "wellio.ts"] ??= []).push(ts.flattenDiagnosticMessageText(messageText, " "));
}
console.log(JSON.stringify(said));
