// A run of receive to deliver under faults: children come in, the gateway is started again whenever it ends, and when all
// is quiet three accounts of it go to the history checker.
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { encounterOf, kinds, measurementOf, patientOf } from '../lib/children.mjs';
import { binary, secrets, startDaemon, writeConfig } from '../lib/daemon.mjs';
import { run, scratch, until } from '../lib/process.mjs';
import { check } from './checker.mjs';
import { direct, ends, startEhr } from './world.mjs';

export function randomOf(seed) { // mulberry32
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

// A list in another order.
export const drawn = (list, random) => list.map((one) => ({ one, at: random() })).sort((a, b) => a.at - b.at).map(({ one }) => one);

const want = { overweight: 'plan', obesity1: 'plan' };
const ehrSettings = {
  ...direct, settle: { wait: '50ms', most: '200ms' }, 'unknown-settle': '50ms', deadline: { connect: '2s', read: '2s', write: '2s' },
  retry: { first: '20ms', most: '200ms', tries: 1000 }, budget: { 'requests-per-minute': 1000000, 'writes-per-minute': 1000000, parallel: 8 },
};

export class Episode {
  acked = [];
  people = new Map(); // id -> kind
  starts = 0;
  deaths = 0;
  #stopping = false;

  // env: of the first start alone. spawnWith: a command put before the gateway at its first start. at: a scripted EHR that
  // begins anew for this run and stays when it is over.
  static async begin(name, { backend, at, script, profile, ehr = {}, gateway = {}, env = {}, spawnWith } = {}) {
    const it = new Episode();
    it.folder = scratch(name);
    [it.store, it.ehr] = await Promise.all([backend.open(), at ?? startEhr(it.folder, { script, profile }), at?.begin()]);
    it.stays = Boolean(at);
    it.config = await writeConfig(it.folder, { ehrs: [{ base: it.ehr.base, ...ehrSettings, ...ehr }], gateway: { lease: '1s', drain: '3s', ...it.store.settings, ...gateway } });
    it.env = env;
    it.spawnWith = spawnWith;
    return it;
  }

  // Starts the gateway, and again whenever it ends, until close().
  async live() {
    while (!this.#stopping) {
      this.starts += 1;
      try {
        this.daemon = await startDaemon(this.folder, this.config, { env: this.starts === 1 ? this.env : {}, ...(this.starts === 1 ? { spawnWith: this.spawnWith } : {}) });
      } catch (error) {
        if (!/it ended with SIG|ended with 137/.test(`${error.message}${error.cause?.message ?? ''}`)) throw error;
        this.deaths += 1;
        continue;
      }
      const { signal, code } = await this.daemon.ended;
      this.daemon = undefined;
      if (this.#stopping) return;
      this.deaths += 1;
      if (signal !== 'SIGKILL' && code !== 137) throw new Error(`the gateway ended by itself with ${code ?? signal}: ${this.log().trim().split('\n').filter((line) => !line.startsWith('{')).at(-1)}`);
    }
  }

  log() { return fs.readFileSync(path.join(this.folder, 'gateway.log'), 'utf8'); }

  // The chart of a child, and its measurements as they are posted.
  async chart(id, kind, { now = Date.now() } = {}) {
    const { put } = this.ehr;
    this.people.set(id, kind);
    await put(patientOf(kind, { id, now }));
    await put({ ...encounterOf(id, { now }), id: `${id}-visit` });
    const made = [];
    for (const what of ['weight', 'height']) made.push(await put(measurementOf(what, id, `${id}-visit`, kinds[kind][what], { now, id: `${id}-${what}` })));
    return made;
  }

  // As a sender does: again and again until it is answered.
  async post(resource, patient) {
    const { headers } = await until('an answer to a sender', async () => {
      const client = this.daemon?.client(`${secrets.engine}-north`);
      const answer = await client?.post('fhir/north/Observation', resource);
      client?.close();
      if (answer?.status < 500 && answer.status !== 202 && answer.status !== 200) throw Object.assign(new Error(`refused with ${answer.status}`), { final: true });
      return answer?.status < 500 && answer;
    }, 60_000);
    const message = /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(headers.location ?? '')?.[0];
    this.acked.push({ message, patient, want: want[this.people.get(patient)] });
    return message;
  }

  async admit(id, kind) {
    for (const resource of await this.chart(id, kind)) await this.post(resource, id);
  }

  // Another value is measured: the plan changes, or is taken back.
  async correct(id, value) {
    const resource = await this.ehr.put({ ...measurementOf('weight', id, `${id}-visit`, value, { id: `${id}-weight`, status: 'corrected' }) });
    return this.post(resource, id);
  }

  // What the gateway answers, when it is there again.
  answer(request) {
    return until('an answer of the gateway', () => {
      if (this.failure) throw Object.assign(this.failure, { final: true });
      return this.ask(request);
    }, 30_000);
  }

  // One line to the control socket, one back.
  ask(request) {
    return new Promise((resolve, reject) => {
      let text = '';
      const socket = net.connect(path.join(this.folder, 'state/control.sock'));
      socket.setTimeout(5000, () => socket.destroy(new Error('the control socket does not answer')));
      socket.on('data', (data) => { text += data; })
        .on('close', () => { try { resolve(JSON.parse(text)); } catch (error) { reject(error); } }).on('error', reject).write(`${JSON.stringify(request)}\n`);
    });
  }

  // Visits that have not come to an end.
  async waiting() {
    const { ehrs: [one] } = await this.ask({ verb: 'status' });
    return Object.entries(one.evaluations ?? {}).reduce((sum, [state, count]) => (ends.includes(state) ? sum : sum + count), 0);
  }

  async quiet(ms = 60_000) {
    await until('all to have ended', async () => {
      const { ehrs: [one] = [] } = await this.ask({ verb: 'status' });
      const open = (counts = {}, more = []) => Object.keys(counts).some((state) => ![...ends, ...more].includes(state));
      return one && !open(one.messages) && !open(one.evaluations) && !open(one.changes, ['delivered']);
    }, ms);
  }

  // What the gateway knows, for the checker.
  async account(acked, patients) {
    const lines = [];
    for (const message of new Set(acked.map((one) => one.message))) {
      const { message: known } = await this.answer({ verb: 'show', what: message });
      if (known) lines.push({ message, state: known.state, reason: known.reason });
    }
    for (const patient of patients) {
      const { evaluations, items } = await this.answer({ verb: 'show', what: `Patient/${patient}`, ehr: 'north' });
      lines.push({ patient, evaluations, items });
    }
    return lines;
  }

  async verdict() {
    return check({ acked: this.acked, truth: this.ehr.truth(), gateway: await this.account(this.acked, this.people.keys()) });
  }

  // The same of one child alone.
  async verdictOf(id) {
    const acked = this.acked.filter(({ patient }) => patient === id);
    const truth = this.ehr.truth().filter(({ event, resource }) => event === 'commit' && resource?.subject?.reference === `Patient/${id}`);
    return check({ acked, truth, gateway: await this.account(acked, [id]) });
  }

  // -> how the gateway ended
  async close() {
    // It may be quiet before a start that is under way has been noticed.
    await until('the gateway', () => this.daemon || this.failure, 60_000);
    this.#stopping = true;
    const end = await this.daemon?.stop();
    await this.living?.catch(() => {});
    if (!this.stays) {
      this.ehr.client.close();
      await this.ehr.server.stop();
    }
    const verified = await run(binary, ['verify', '-c', this.config]); // the rules of INVARIANTS.md, by code of its own
    await this.store.close();
    if (!process.env.EPLAN_KEEP) fs.rmSync(this.folder, { recursive: true, force: true });
    if (verified.code !== 0) throw new Error(`eplan verify: ${verified.stdout}${verified.stderr}`);
    return end;
  }

  start() {
    this.living = this.live();
    this.living.catch((error) => { this.failure = error; });
    return until('the gateway', () => { if (this.failure) throw Object.assign(this.failure, { final: true }); return this.daemon; }, 60_000);
  }
}

// What a checker's verdict has against a run, and how much.
export const faultsOf = (found) => ({
  sentences: [...found.lost, ...found.double, ...found.overwritten, ...found.open],
  counts: { lost: found.lost.length, double: found.double.length, overwritten: found.overwritten.length },
});

// The cohort of one run: a plan, an order with it, a hold, and a plan that changes while it is written.
export async function wholeRun(episode) {
  await Promise.all([
    episode.admit('a', 'overweight'), episode.admit('b', 'obesity1'), episode.admit('c', 'held'),
    episode.admit('d', 'overweight').then(() => episode.correct('d', 33)),
  ]);
  await episode.quiet();
}
