// Runs one Surfpool node until its standard input closes: node.mjs FOLDER, where FOLDER/node_modules holds the package.
//
// Standard input is one line of JSON, Surfpool's own configuration (with the payer's secret key, which is why it does
// not come as an argument), and then nothing until it closes. It closes when the parent dies, however it dies.
// Standard output is one line of JSON: {"rpc": URL, "ws": URL}.

import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { resolve } from 'node:path';

const DRAIN_EVERY_MS = 50; // Surfpool stops answering for ever when about 1,024 of its events are left undrained.

const require = createRequire(resolve(process.argv[2], 'package.json'));
const { Surfnet } = require('@solana/surfpool-linux-x64-gnu');

let surfnet;

function stop() {
  surfnet?.stop();
  process.exit(0);
}

process.on('SIGTERM', stop);

createInterface({ input: process.stdin })
  .once('line', (line) => {
    surfnet = Surfnet.startWithConfig(JSON.parse(line));
    setInterval(() => surfnet.drainEvents(), DRAIN_EVERY_MS);
    process.stdout.write(`${JSON.stringify({ rpc: surfnet.rpcUrl, ws: surfnet.wsUrl })}\n`);
  })
  .once('close', stop);
