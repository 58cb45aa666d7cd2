// The second part of ./tests/bench ingest: a running gateway whose evaluation is paused takes 100,000 messages by HTTPS;
// then evaluation is resumed, against an EHR that knows none of the patients, and watched for a while. Resident memory
// stays below 64 MiB all the time.
import fs from 'node:fs';
import { run } from '../lib/process.mjs';
import { startScriptedEhr } from '../lib/ehrs.mjs';
import { startGateway } from './ingest_subjects.mjs';

const CEILING = 64; // MiB
const WATCHED_MS = 30_000;

const mebibytes = (pid, field) => Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

async function status({ config }) {
  const { stdout } = await run(process.env.EPLAN_BINARY, ['status', '--json', '-c', config]);
  return JSON.parse(stdout).ehrs[0];
}

// drive(server, seconds) sends as fast as it can. -> whether the ceiling was kept
export async function measureMemory({ state, certs, drive, wanted }) {
  const ehr = await startScriptedEhr(state);
  const server = await startGateway({ state, certs, onCore: (command) => command }, { base: ehr.base });
  const { pid } = server;
  const say = (what) => console.log(`    ${what.padEnd(44)} VmRSS ${mebibytes(pid, 'VmRSS').toFixed(1)} MiB   VmHWM ${mebibytes(pid, 'VmHWM').toFixed(1)} MiB`);
  console.log(`memory: messages waiting in eplan run, ceiling ${CEILING} MiB`);
  try {
    say('just started');
    let count = 0;
    while (count < wanted) {
      const { failed } = await drive(server, 5);
      if (failed) throw new Error(`${failed} requests failed\n${server.output()}`);
      count = (await status(server)).messages.received;
      say(`${count} messages wait`);
    }
    await server.reload({ evaluation: 'running' });
    let north;
    for (const end = Date.now() + WATCHED_MS; Date.now() < end;) {
      await new Promise((resolve) => { setTimeout(resolve, 5000); });
      north = await status(server);
      say(`resumed: ${north.evaluations.held ?? 0} visits ended`);
    }
    const peak = mebibytes(pid, 'VmHWM');
    const good = peak < CEILING && (north.evaluations.held ?? 0) > 0;
    console.log(`    peak ${peak.toFixed(1)} MiB   ${good ? 'ok' : 'MISSED'}`);
    return good;
  } finally {
    await server.stop();
    await ehr.server.stop();
  }
}
