// Starts the two EHRs of the tests and gives a client for them.
import path from 'node:path';
import { Client } from './fhir_client.mjs';
import { certificates, startServer, testsDir } from './process.mjs';

// The test EHR. folder: where its journal and ready-file live; args: further options of ehr/server.mjs.
// -> { base, origin, port, server, client }
export async function startTestEhr(folder, args = ['--no-auth']) {
  return start('ehr/server.mjs', ['--journal', path.join(folder, 'ehr.journal'), ...args], path.join(folder, 'ehr.ready'));
}

// The scripted EHR. script: JSON or .mjs file with its rules; truth is the name of its log.
export async function startScriptedEhr(folder, { script, args = [] } = {}) {
  const truth = path.join(folder, 'truth.jsonl');
  const all = ['--truth', truth, ...(script ? ['--script', script] : []), ...args];
  return { truth, ...(await start('fakes/scripted_ehr.mjs', all, path.join(folder, 'scripted.ready'))) };
}

async function start(program, args, ready) {
  const { ca, file } = await certificates();
  const common = ['--key', file('server.key'), '--cert', file('server.crt'), '--ready', ready, '--end-with-stdin'];
  if (program.startsWith('ehr/')) common.push('--ca', file('ca.crt'));
  const server = await startServer(process.execPath, [path.join(testsDir, program), ...common, ...args], { ready });
  const { base, origin, port } = server.facts;
  return { base, origin, port, server, client: new Client(base, { ca }) };
}
