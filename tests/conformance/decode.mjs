// Anchor's own decoder as a child process: a line of JSON in, a line of JSON out. Takes the package's name.
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";

const [, , folder, name] = process.argv;
const require = createRequire(join(folder, "package.json"));
const { BorshEventCoder, EventParser, web3 } = require(name);

// Every value says what it is: JavaScript has one kind of number, and JSON neither NaN nor bytes.
function tagged(value) {
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "number") return { number: Object.is(value, -0) ? "-0" : String(value) };
  if (typeof value === "string") return { text: value };
  if (Buffer.isBuffer(value)) return { bytes: value.toString("hex") };
  if (value.constructor?.name === "BN") return { number: value.toString() };
  if (value instanceof web3.PublicKey) return { text: value.toBase58() };
  if (Array.isArray(value)) return { list: value.map(tagged) };
  return { fields: Object.entries(value).map(([key, item]) => [key, tagged(item)]) };
}

function attempt(read) {
  const events = [];
  try {
    for (const event of read()) events.push({ name: event.name, data: tagged(event.data) });
    return { events };
  } catch (error) {
    return { events, error: String(error) };
  }
}

function answer({ idl, program, payloads, logs }) {
  let coder;
  try {
    coder = { events: new BorshEventCoder(JSON.parse(idl)) };
  } catch (error) {
    return { refused: String(error) };
  }
  const parser = new EventParser(new web3.PublicKey(program), coder);
  return {
    payloads: payloads.map((payload) => attempt(() => [coder.events.decode(payload)].filter((event) => event !== null))),
    logs: logs.map((lines) => attempt(() => parser.parseLogs(lines))),
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(answer(JSON.parse(line)))}\n`);
}
