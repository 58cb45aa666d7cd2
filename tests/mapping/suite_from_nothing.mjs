#!/usr/bin/env node
// suite: needs=build presets=release,asan-ubsan timeout=180
// A new user, from nothing to a released mapping: a new plan with texts in two languages, its cases, approval, release, and
// the next version; with editor and documented commands alone (each stands in mappings/README.md).
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { scratch } from '../lib/process.mjs';
import { finish, test } from '../lib/tap.mjs';
import { eplan, rootDir } from './mapping.mjs';

const folder = scratch('from-nothing');
const guide = fs.readFileSync(path.join(rootDir, 'mappings/README.md'), 'utf8');
const at = (name) => path.join(folder, 'steps', name);
const read = (name) => fs.readFileSync(at(name), 'utf8');
const write = (name, text) => { fs.mkdirSync(path.dirname(at(name)), { recursive: true }); fs.writeFileSync(at(name), text); };
const edit = (name, ...changes) => {
  let text = read(name);
  for (const [old, now] of changes) {
    assert.ok(text.includes(old), `${name} has no ${old}`);
    text = text.replaceAll(old, now);
  }
  write(name, text);
};
const used = new Set();
function run(verb, ...args) {
  used.add(verb);
  return eplan([verb, ...args], folder);
}
const ends = ({ status, stdout, stderr }, want) => assert.equal(status, want, stdout + stderr);

test('a new mapping passes its own check and test', () => {
  ends(run('new', 'steps'), 0);
  ends(run('check', 'steps'), 0);
  ends(run('test', 'steps'), 0);
});

test('a second plan: check names what is missing, until nothing is', () => {
  edit('mapping.yaml',
    ['bands: { young: 0, child: 72, grown: 240 }', 'bands: { young: 0, child: 72, teen: 144, grown: 240 }'],
    ['    - { age: young,', '    - { age: teen, propose: teen-plan, because: [ADVICE] }\n    - { age: young,']);
  assert.match(run('check', 'steps').stderr, /teen-plan/);
  write('plans/teen-plan.yaml', read('plans/first-plan.yaml').replace('plan: first-plan', 'plan: teen-plan').replace('np-01', 'np-02'));
  const missing = run('check', 'steps');
  ends(missing, 1);
  assert.match(missing.stderr, /teen-plan/);
  write('texts/teen-plan.en.yaml', read('texts/first-plan.en.yaml').replace('text: first-plan', 'text: teen-plan').replace('"Our family plan"', '"Your plan"'));
  assert.match(run('check', 'steps').stderr, /teen-plan.*es|es.*teen-plan/);
  write('texts/teen-plan.es.yaml', read('texts/first-plan.es.yaml').replace('text: first-plan', 'text: teen-plan').replace('"Nuestro plan familiar"', '"Tu plan"'));
  ends(run('check', 'steps'), 0);
});

test('a case for it: test says what is not reached, --update writes the whole result', () => {
  assert.match(run('test', 'steps').stdout, /no case reaches the plan teen-plan/);
  write('cases/fourteen/case.yaml', `case: 14 y boy
why: From 12 years the plan speaks to the teenager.
given:
  child: { sex: male, age: 14 y 0 mo, language: es }
  visit: { date: 2024-05-14, class: AMB, weight: 52 kg, height: 164 cm }
expect:
  outcome: hold
  row: { age: child }
  prompts: []
`);
  const wrong = run('test', 'steps');
  ends(wrong, 1);
  assert.match(wrong.stdout, /outcome: want hold, got proposal/);
  edit('cases/fourteen/case.yaml', ['outcome: hold', 'outcome: proposal'], ['age: child }', 'age: teen }'], ['prompts: []', 'prompts: [prompt.bp]']);
  assert.match(run('test', 'steps').stdout, /whole result of the plan teen-plan|plan teen-plan/);
  ends(run('test', '--update', 'steps'), 0);
  assert.match(read('cases/fourteen/whole.yaml'), /Tu plan/);
  ends(run('test', 'steps'), 0);
});

test('seen as the family will, and explained', () => {
  ends(run('preview', 'steps', 'fourteen', '--page', 'page.html'), 0);
  assert.match(fs.readFileSync(path.join(folder, 'page.html'), 'utf8'), /<html lang="es">[\s\S]*Tu plan/);
  assert.match(run('explain', 'steps', 'fourteen').stdout, /mapping\.yaml:\d+ is met: propose teen-plan/);
});

test('release says all that is missing', () => {
  const { status, stderr } = run('check', '--release', 'steps');
  assert.equal(status, 1);
  for (const missing of [/no clinical or no informatics owner/, /nobody has reviewed this text/, /is not verified/, /nobody has approved the part rules as clinical/, /texts\.es as translator/]) assert.match(stderr, missing);
});

test('owners, verified codes, reviewed texts, approvals: released', () => {
  edit('mapping.yaml', ['clinical: none, informatics: none, review-by: none', 'clinical: A. Clinician, informatics: B. Informaticist, review-by: 2099-01-31']);
  edit('concepts/holds.yaml', ['status: memory', 'status: verified']);
  for (const plan of ['first-plan', 'teen-plan']) for (const language of ['en', 'es']) edit(`texts/${plan}.${language}.yaml`, ['by: none, on: none', 'by: C. Reader, on: 2026-11-22']);
  ends(run('approve', 'steps', '--as', 'clinical', '--name', 'A. Clinician'), 0);
  assert.equal(run('check', '--release', 'steps').status, 1);
  ends(run('approve', 'steps', '--as', 'informatics', '--name', 'B. Informaticist'), 0);
  ends(run('approve', 'steps', '--as', 'translator', '--name', 'T. Traductor'), 0);
  ends(run('check', '--release', 'steps'), 0);
  ends(run('test', 'steps'), 0);
});

test('the book for the committee', () => {
  ends(run('review-book', 'steps', '-o', 'book.html'), 0);
  assert.match(fs.readFileSync(path.join(folder, 'book.html'), 'utf8'), /A\. Clinician/);
});

test('the next version: what changes, and that it must be approved again', () => {
  fs.cpSync(path.join(folder, 'steps'), path.join(folder, 'before'), { recursive: true });
  edit('texts/teen-plan.es.yaml', ['Tomar agua', 'Beber agua']);
  const change = run('diff', 'before', 'steps');
  assert.equal(change.status, 1);
  assert.match(change.stdout, /fourteen: 14 y boy\n {2}family page \(es\): Tomar agua -> Beber agua/);
  const { status, stderr } = run('check', '--release', 'steps');
  assert.equal(status, 1);
  assert.match(stderr, /the part texts\.es was changed after T\. Traductor approved it/);
  assert.match(run('test', 'steps').stdout, /es\.goal\.water: want Tomar agua, got Beber agua/);
  ends(run('test', '--update', 'steps'), 0);
  ends(run('approve', 'steps', '--as', 'translator', '--name', 'T. Traductor'), 0);
  ends(run('approve', 'steps', '--as', 'informatics', '--name', 'B. Informaticist', '--part', 'cases'), 0);
  ends(run('check', '--release', 'steps'), 0);
});

test('an approval whose review is due is none', () => {
  edit('approvals.yaml', [/review-by: (\S+)/.exec(read('approvals.yaml'))[0], 'review-by: 2020-01-31']);
  const { status, stderr } = run('check', '--release', 'steps');
  assert.equal(status, 1);
  assert.match(stderr, /ended on 2020-01-31: its review is due/);
});

test('wrong use is told, and nothing is written', () => {
  const before = read('approvals.yaml');
  assert.equal(run('approve', 'steps', '--as', 'nobody', '--name', 'A').status, 64);
  assert.equal(run('approve', 'steps', '--as', 'clinical', '--name', 'none').status, 64);
  assert.equal(run('approve', 'steps', '--as', 'clinical', '--name', 'A', '--review-by', '2020-01-01').status, 64);
  assert.equal(run('approve', 'steps', '--as', 'clinical', '--name', 'A', '--part', 'texts.es').status, 64);
  assert.equal(run('new', 'steps').status, 2);
  assert.equal(run('new', '../x').status, 64);
  assert.equal(read('approvals.yaml'), before);
});

test('every command used stands in the guide', () => {
  for (const verb of used) assert.match(guide, new RegExp(`eplan ${verb}\\b`), verb);
});
await finish();
if (!process.env.EPLAN_KEEP) fs.rmSync(folder, { recursive: true });
