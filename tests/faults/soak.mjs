// Faults at random for a while, behind tests/soak:  --minutes N --seed S [--backend NAME]
// Children come in all the time; the gateway is killed; the EHR goes down, hangs after it committed, hangs up, asks to wait,
// fails, is slow; clinicians edit and accept plans; weights are corrected. In the end all must come to rest, and the history
// checker counts. One line for each backend, appended to RUNS.md. Exit status: 1 when anything was lost, doubled or
// overwritten, is still open, or when fewer than 100 messages or 10 kills a backend came about.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { backends } from './backends.mjs';
import { tally } from './checker.mjs';
import { Episode, randomOf } from './episode.mjs';

const { values: options } = parseArgs({ options: { minutes: { type: 'string', default: '1' }, seed: { type: 'string' }, backend: { type: 'string' } } });
const seed = Number(options.seed ?? Math.floor(Math.random() * 2 ** 31));
const minutes = Number(options.minutes);
const say = (line) => process.stdout.write(`${line}\n`);
const waitingMost = 60; // visits that are not planned yet
const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
if (!(minutes > 0)) throw new Error('--minutes must be a number above 0');

// In the scripted EHR: what goes wrong is drawn from the seed, request by request, but for what a file forbids.
const chaos = (folder) => `
import fs from 'node:fs';
let state = ${seed};
const random = () => { state = (Math.imul(state, 1664525) + 1013904223) | 0; return (state >>> 0) / 2 ** 32; };
export default ({ method, url }) => {
  if (!url.startsWith('/fhir/') || url.endsWith('/metadata')) return undefined;
  if (fs.existsSync('${folder}/calm')) return undefined;
  if (fs.existsSync('${folder}/down')) return { do: 'reset' };
  const write = method === 'POST' || method === 'PUT';
  const draw = random();
  if (draw > 0.12) return undefined;
  const faults = [
    { do: 'hang-up', commit: write }, { do: 'reset', commit: write }, { do: 'hang-up' }, { do: 'hang', commit: write }, { do: 'hang-up', commit: write, replyBytes: 120 },
    { do: 'reply', status: 429, retryAfter: 1 }, { do: 'reply', status: 429 }, { do: 'reply', status: 503, retryAfter: { date: -5 } }, { do: 'reply', status: 500, commit: write },
    { do: 'reply', status: 502 }, { do: 'reply', status: 504, commit: write }, { do: 'reply', status: 200, headers: { 'Content-Type': 'text/html' }, body: '<html>' },
    { do: 'pass', close: true }, { do: 'reply', status: write ? 201 : 200, headers: { 'Content-Type': 'application/fhir+json' }, body: '{"resourceType":', commit: write },
  ];
  return faults[Math.floor(random() * faults.length)];
};
`;

async function soak(backend) {
  const random = randomOf(seed);
  const folder = fs.mkdtempSync(path.join(process.env.EPLAN_SCRATCH ?? '/tmp', 'soak-'));
  const episode = await Episode.begin('soak', { backend, script: chaos(folder), ehr: { deadline: { connect: '500ms', read: '500ms', write: '500ms' } } });
  const end = Date.now() + minutes * 60_000;
  let [kills, faults, admitted] = [0, 0, 0];
  const going = () => Date.now() < end && !episode.failure;
  await episode.start();

  const kinds = ['overweight', 'overweight', 'obesity1', 'held', 'healthy', 'handedOver'];
  const children = async () => {
    while (going()) {
      if ((await episode.waiting().catch(() => waitingMost)) >= waitingMost) {
        await pause(200); // what waits must come to rest at the end, too
        continue;
      }
      const id = `child-${admitted += 1}`;
      await episode.admit(id, kinds[Math.floor(random() * kinds.length)]);
      await pause(random() * 400);
      if (random() < 0.3 && episode.people.get(id) === 'overweight') await episode.correct(id, 33 + Math.floor(random() * 3)); // still a plan, another one
    }
  };
  const killing = async () => {
    while (going()) {
      await pause(500 + random() * Math.min(8000, minutes * 60_000 / 15));
      if (!episode.daemon) continue;
      kills += 1;
      await episode.daemon.stop('SIGKILL');
    }
  };
  const outages = async () => {
    while (going()) {
      await pause(3000 + random() * 15_000);
      fs.writeFileSync(path.join(folder, 'down'), '');
      faults += 1;
      await pause(random() * 2500);
      fs.rmSync(path.join(folder, 'down'));
    }
  };
  // A clinician looks at the newest plans: writes a note, another title, accepts, or revokes.
  const clinicians = async () => {
    const edits = [{ title: 'What we agreed' }, { note: [{ text: 'Walk to school' }] }, { status: 'active', intent: 'plan' }, { status: 'revoked' }];
    while (going()) {
      await pause(300 + random() * 1200);
      const plans = episode.ehr.truth().filter(({ event, op, type }) => event === 'commit' && op === 'create' && type === 'CarePlan');
      const plan = plans[Math.floor(random() * plans.length)];
      if (!plan) continue;
      await episode.ehr.client.post(`${episode.ehr.origin}/_test/edit`, { resourceType: 'CarePlan', id: plan.id, set: edits[Math.floor(random() * edits.length)] });
    }
  };
  let wrong = [];
  let found = { accepted: 0, written: 0, lost: [], double: [], overwritten: [], open: [] };
  try {
    await Promise.all([children(), children(), killing(), outages(), clinicians()]);
    if (episode.failure) throw episode.failure;
    fs.writeFileSync(path.join(folder, 'calm'), '');
    await episode.quiet(300_000).catch(async (error) => { throw new Error(`${error.message}: ${JSON.stringify((await episode.ask({ verb: 'status' })).ehrs[0])}`); });
    found = await episode.verdict();
  } catch (error) {
    wrong.push(`${error.message}${error.cause ? `: ${error.cause.message ?? error.cause}` : ''}`);
  }
  faults += episode.ehr.truth().filter(({ event, do: done }) => event === 'answer' && done !== 'pass').length;
  if (!process.env.EPLAN_KEEP) fs.rmSync(folder, { recursive: true, force: true });
  await episode.close().catch((error) => wrong.push(error.message));
  wrong = [...wrong, ...found.lost, ...found.double, ...found.overwritten, ...found.open];
  if (found.accepted < 100) wrong.push(`only ${found.accepted} messages were accepted: 100 are wanted`);
  if (kills < 10) wrong.push(`only ${kills} kills: 10 are wanted`);
  for (const sentence of wrong) say(`WRONG ${backend.name}: ${sentence}`);
  return { wrong, line: `BACKEND ${backend.name} ACCEPTED ${found.accepted} WRITTEN ${found.written} FAULTS ${faults} KILLS ${kills} ${tally(found)}` };
}

say(`seed ${seed}`);
let failed = 0;
for (const backend of await backends(options.backend)) {
  const { wrong, line } = await soak(backend);
  say(line);
  failed += wrong.length;
  const what = `soak --minutes ${minutes} --seed ${seed}${wrong.length ? ` WRONG ${wrong.length}` : ''}`;
  fs.appendFileSync(path.join(path.dirname(fileURLToPath(import.meta.url)), 'RUNS.md'), `    ${new Date().toISOString().slice(0, 10)} ${process.env.EPLAN_COMMIT ?? 'unknown'} ${what}: ${line}\n`);
}
process.exit(failed > 0 ? 1 : 0);
