// Memory of the daemon while a million messages wait for an EHR that is away:
//   ./tests/bench waiting  [--messages N] [--seconds N]
// The store is filled by its own transactions (bench_waiting.c), the daemon starts on it, sorts them into visits, tries to
// fetch and fails, and is asked for its status all the time. Printed: the largest resident size while that goes on (VmHWM), and the size of the store. Exit status 1
// above 64 MiB.
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { binary, eplan, startDaemon, writeConfig } from '../lib/daemon.mjs';
import { run, scratch, until } from '../lib/process.mjs';

const { values: options } = parseArgs({ options: { messages: { type: 'string', default: '1000000' }, seconds: { type: 'string', default: '30' } } });
const MOST_MIB = 64;
const messages = Number(options.messages);
const folder = scratch('bench-waiting');
const state = path.join(folder, 'state');
const config = await writeConfig(folder, { ehrs: [{ base: 'https://127.0.0.1:9/fhir', subscriptions: [], retry: { first: '1s', most: '2s', tries: 1000 } }] });

const began = Date.now();
const filled = await run(path.join(process.env.EPLAN_BUILD ?? path.dirname(binary), 'benches/bench_waiting'), [state, 'test', 'north', String(messages)]);
if (filled.code !== 0) throw new Error(`bench_waiting ended with ${filled.code}: ${filled.stderr}`);
const bytes = fs.statSync(path.join(state, 'store.db')).size;
console.log(`# ${messages} messages stored in ${((Date.now() - began) / 1000).toFixed(1)} s, ${(bytes / 2 ** 20).toFixed(0)} MiB`);

const daemon = await startDaemon(folder, config, { ms: 60_000 });
const field = (name) => Number(fs.readFileSync(`/proc/${daemon.facts.pid}/status`, 'utf8').match(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm'))[1]) / 1024;
const waiting = async () => { const [north] = (await daemon.status()).ehrs; const { received = 0, resolved = 0 } = north.messages ?? {}; return received + resolved; };
const over = Date.now() + 1000 * Number(options.seconds);
await until('the time to be over', async () => { await daemon.status(); return Date.now() >= over; }, 1000 * Number(options.seconds) + 10_000);
const page = await eplan(config, 'queue', '--json', '--limit', '100');
const most = field('VmHWM');
console.log(`# resident now ${field('VmRSS').toFixed(1)} MiB; a page of the queue has ${page.json().queue.length} visits`);
console.log(`waiting ${await waiting()} messages: at most ${most.toFixed(1)} MiB resident (allowed ${MOST_MIB})`);
await daemon.stop();
fs.rmSync(folder, { recursive: true, force: true });
process.exitCode = most <= MOST_MIB ? 0 : 1;
