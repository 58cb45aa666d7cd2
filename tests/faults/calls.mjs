// Calls that fail: a gateway goes from child to child, and with each child other ones of its calls fail: the n-th allocation,
// write, send or SQL statement since the measurements began to come in (nth_call.c), and each `stride` behind it, so that n
// from 1 to `stride` strikes every call of a visit once. Whatever fails, the gateway lives, the child ends as if nothing had
// been or is held for a fetch that failed, and nothing is lost, doubled or overwritten. All children of a gateway are judged
// once more together, and its store verified, when it is stopped.
import fs from 'node:fs';
import path from 'node:path';
import { rootDir, scratch, until } from '../lib/process.mjs';
import { Episode, faultsOf } from './episode.mjs';
import { ends, startEhr } from './world.mjs';

const library = path.join(process.env.EPLAN_BUILD ?? path.join(rootDir, 'build/release'), 'drivers/nth_call.so');
const strides = { alloc: 1500, write: 150, full: 150, send: 150, sql: 300 }; // in the order of nth_call.c
const kinds = Object.keys(strides);
const fields = ['passed', 'nth', 'stride', 'last', 'struck']; // of struct tally
const childrenMost = 40; // of one gateway
const ms = { child: 45_000, told: 400 };

// What driver and gateway share.
class Calls {
  constructor(file) {
    fs.writeFileSync(file, Buffer.alloc(kinds.length * fields.length * 8));
    this.fd = fs.openSync(file, 'r+');
  }

  #at(kind, what) { return (kinds.indexOf(kind) * fields.length + fields.indexOf(what)) * 8; }

  get(kind, what) {
    const bytes = Buffer.alloc(8);
    fs.readSync(this.fd, bytes, 0, 8, this.#at(kind, what));
    return Number(bytes.readBigUInt64LE());
  }

  #set(kind, what, value) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(value));
    fs.writeSync(this.fd, bytes, 0, 8, this.#at(kind, what));
  }

  // The n-th call from now on fails, and each stride behind it up to the last.
  strike(kind, { n, stride, last }) {
    const passed = this.get(kind, 'passed');
    this.#set(kind, 'stride', stride);
    this.#set(kind, 'last', passed + last);
    this.#set(kind, 'nth', passed + n);
  }

  rest(kind) { this.#set(kind, 'nth', 0); }
}

// One gateway and the children that came to it.
class Ward {
  names = []; // of the points

  static async open(backend, at) {
    const it = new Ward();
    const shared = path.join(scratch('calls'), 'calls');
    it.at = at;
    it.calls = new Calls(shared);
    it.episode = await Episode.begin('calls', { backend, at, env: { LD_PRELOAD: library, EPLAN_NTH_CALL: shared } });
    await it.episode.start();
    await it.visit('first', 'new'); // the connection to the EHR, and what else is made once
    return it;
  }

  // new: a child's first measurements come in; change: its weight is corrected, and the plan becomes another. strike() is
  // called before the gateway hears of it. Ends when all messages have.
  async visit(id, phase, strike = () => {}) {
    const { episode } = this;
    const from = episode.log().length;
    if (phase === 'change') {
      strike();
      await episode.correct(id, 33);
    } else {
      const measured = await episode.chart(id, 'overweight');
      strike();
      for (const resource of measured) await episode.post(resource, id);
    }
    // The log tells without a question, which would be calls of the gateway too.
    await until('its log', () => /"resource_type":"CarePlan","outcome":"delivered"/.test(episode.log().slice(from)), ms.told).catch(() => {});
    for (const { message } of episode.acked.filter(({ patient }) => patient === id)) {
      await until(`${message} of ${id} to have ended`, async () => ends.includes((await episode.answer({ verb: 'show', what: message })).message?.state), ms.child);
    }
  }

  // -> what went wrong, in sentences, and the counts
  async strike(name) {
    const { episode, calls } = this;
    const [, kind, phase, ...numbers] = /^(\w+)-(\w+)@(\d+)\/(\d+)\/(\d+)$/.exec(name);
    const [n, stride, last] = numbers.map(Number);
    const id = `${kind}-${phase}-${n}`;
    const before = calls.get(kind, 'struck');
    this.names.push(name);
    if (phase === 'change') await this.visit(id, 'new');
    try {
      await this.visit(id, phase, () => calls.strike(kind, { n, stride, last }));
    } finally {
      calls.rest(kind);
    }
    const found = await episode.verdictOf(id);
    const { evaluations } = await episode.answer({ verb: 'show', what: `Patient/${id}`, ehr: 'north' });
    // A library that lacks memory may spoil an answer without a word of it: the visit is then held for a person.
    const spoilt = evaluations.filter(({ state, reason }) => state === 'held' && reason === 'fetch-failed');
    if (spoilt.length > 0) process.stdout.write(`# ${name}: held, fetch-failed\n`);
    const badly = evaluations.filter((one) => (one.state === 'held' || one.state === 'handed-over') && !spoilt.includes(one));
    return {
      wrong: [...faultsOf(found).sentences, ...badly.map(({ state, reason, detail }) => `it ended as ${state}, ${reason}: ${detail}`)],
      counts: faultsOf(found).counts, struck: calls.get(kind, 'struck') > before,
    };
  }

  // Of all children together. -> as strike()
  async close() {
    const { sentences: wrong, counts } = await this.episode.verdict().then(faultsOf, (error) => ({ sentences: [error.message] }));
    const end = await this.episode.close().catch((error) => { wrong.push(error.message); });
    if (end && end.code !== 0) wrong.push(`the stop ended with ${end.code ?? end.signal}`);
    return { wrong: wrong.map((sentence) => `${sentence} (one of ${this.names[0]} to ${this.names.at(-1)})`), counts };
  }
}

const wards = []; // that nobody is using
const ehrs = [];

async function end(ward) {
  const found = await ward.close();
  ehrs.push(ward.at);
  return found;
}

const opened = async (backend) => wards.pop() ?? Ward.open(backend, ehrs.pop() ?? await startEhr(scratch('ehr')));

// How often each kind of call is made by one visit, and so the points: KIND-PHASE@N/STRIDE/LAST.
async function find(backend) {
  const ward = await opened(backend);
  const names = [];
  for (const phase of ['new', 'change']) {
    const most = Object.fromEntries(kinds.map((kind) => [kind, 0]));
    for (const child of ['a', 'b', 'c']) {
      const before = kinds.map((kind) => ward.calls.get(kind, 'passed'));
      await ward.visit(child, phase);
      kinds.forEach((kind, i) => { most[kind] = Math.max(most[kind], ward.calls.get(kind, 'passed') - before[i]); });
    }
    names.push(...kinds.flatMap((kind) => Array.from({ length: Math.min(most[kind], strides[kind]) }, (_, i) => `${kind}-${phase}@${i + 1}/${strides[kind]}/${most[kind]}`)));
  }
  const { wrong } = await end(ward);
  if (wrong.length > 0) throw new Error(`the run without faults: ${wrong.join('; ')}`);
  return names;
}

async function strike(name, backend) {
  const ward = await opened(backend);
  let result;
  try {
    result = await ward.strike(name);
  } catch (error) {
    result = { wrong: [`${error.message}${error.cause ? `: ${error.cause.message ?? error.cause}` : ''}`], struck: true };
  }
  if (result.wrong.length === 0 && ward.episode.deaths === 0 && ward.names.length < childrenMost) {
    wards.push(ward);
    return result;
  }
  const { wrong, counts } = await end(ward);
  return { ...result, wrong: [...new Set([...result.wrong, ...wrong])], counts };
}

// The gateways that are left. -> as strike()
async function close() {
  const found = [];
  while (wards.length > 0) found.push(await end(wards.pop()));
  return found;
}

export const calls = { find, strike, close };
