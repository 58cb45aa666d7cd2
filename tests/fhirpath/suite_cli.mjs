#!/usr/bin/env node
// suite: timeout=120 needs=build presets=release,asan-ubsan
// `eplan fhirpath` as others script it: lines, exit statuses, variables, --batch in step, --ast, --trace, XML.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { scratch } from '../lib/process.mjs';
import { finish, test } from '../lib/tap.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const binary = process.env.EPLAN_BINARY ?? path.join(here, '../../build/dev/eplan');
const patient = path.join(here, 'patient.json');
const folder = scratch('fhirpath-cli');

function eplan(args, input = '') {
  const { status, stdout, stderr } = spawnSync(binary, ['fhirpath', ...args], { input, encoding: 'utf8', maxBuffer: 1 << 26 });
  return { status, out: stdout, err: stderr };
}
const lines = (answer) => answer.out.split('\n').filter(Boolean);
const batch = (...requests) => lines(eplan(['--batch'], requests.map((r) => (typeof r === 'string' ? r : JSON.stringify(r))).join('\n') + '\n')).map((l) => JSON.parse(l));

test('one line per item: type, tab, value as JSON', () => {
  assert.deepEqual(eplan(['-r', patient, "name.given | extension.value.value | 'a\"b'"]),
    { status: 0, out: 'FHIR.string\t"Ana"\nFHIR.string\t"Luz"\nFHIR.string\t"Anita"\nFHIR.decimal\t70.50\nSystem.String\t"a\\"b"\n', err: '' });
});
test('nothing is no line and no error', () => assert.deepEqual(eplan(['-r', patient, 'name.suffix']), { status: 0, out: '', err: '' }));
test('a resource from standard input', () => assert.equal(eplan(['-r', '-', 'id'], fs.readFileSync(patient)).out, 'FHIR.id\t"ana"\n'));
test('a resource in XML', () => {
  const file = path.join(folder, 'p.xml');
  fs.writeFileSync(file, '<Patient xmlns="http://hl7.org/fhir"><id value="x"/><birthDate value="2014-05-06"/></Patient>\n');
  assert.deepEqual(eplan(['-r', file, 'birthDate + 1 year']), { status: 0, out: 'System.Date\t"2015-05-06"\n', err: '' });
});
test('without a resource only what can be proved is an error', () => {
  assert.equal(eplan(['1 + 1']).out, 'System.Integer\t2\n');
  assert.equal(eplan(['Patient.name.given']).status, 0);
  assert.equal(eplan(['whatever.it.is']).status, 0);
  assert.equal(eplan(['Patient.nmae']).status, 2);
});
test('exit 2 for syntax and semantics, 3 for execution, 64 for wrong usage', () => {
  assert.equal(eplan(['1 +']).status, 2);
  assert.equal(eplan(['-r', patient, 'nmae']).status, 2);
  assert.equal(eplan(['-r', patient, 'name.single()']).status, 3);
  assert.equal(eplan([]).status, 64);
  assert.equal(eplan(['--no-such-option', '1']).status, 64);
  assert.equal(eplan(['-r', path.join(folder, 'absent.json'), '1']).status, 2);
});
test('several faults are all told; the first in the text names the status', () => {
  const both = eplan(['-r', patient, "('a' - 'b') | nmae"]);
  assert.equal(both.status, 3);
  assert.match(both.err, /^expression:1:6: error: .*\[path-operand\][\s\S]*^expression:1:15: error: .*\[path-unknown-element\]/m);
  assert.equal(eplan(['-r', patient, "nmae | ('a' - 'b')"]).status, 2);
});
test('line and column of a longer expression', () => {
  assert.match(eplan(['-r', patient, 'name\n  .given\n  .lenght()']).err, /^expression:3:4: error: .*lenght[\s\S]*\n {5}\^~~~~~\n.*did you mean length/m);
});
test('--var gives typed variables, each seeing those before it', () => {
  const run = eplan(['-r', patient, '--var', 'n=name.first()', '--var', "full=%n.given.first() & ' ' & %n.family", '%full']);
  assert.deepEqual(run, { status: 0, out: 'System.String\t"Ana Ruiz"\n', err: '' });
  const wrong = eplan(['-r', patient, '--var', 'n=name.first()', '%n.famly']);
  assert.equal(wrong.status, 2);
  assert.match(wrong.err, /"famly" is no element of FHIR\.HumanName/);
});
test('--strict adds only what is unsafe', () => {
  assert.equal(eplan(['-r', patient, 'children().first()']).status, 0);
  assert.equal(eplan(['-r', patient, '--strict', 'children().first()']).status, 2);
  assert.equal(eplan(['-r', patient, '--strict', 'name.first().family']).status, 0);
  assert.equal(eplan(['-r', patient, '--strict', '(name.given | name.family).first()']).status, 2);
  assert.equal(eplan(['-r', patient, '--strict', '(name.given | name.family).sort().first()']).status, 0);
});
test('--ast shows the tree with places and types', () => {
  assert.equal(eplan(['-r', patient, '--ast', "name.where(use = 'official').family"]).out, [
    'element family  1:30  : FHIR.string (many)',
    '  function where  1:6  : FHIR.HumanName (many)',
    '    element name  1:1  : FHIR.HumanName (many)',
    '    operator =  1:16  : System.Boolean',
    '      element use  1:12  : FHIR.code',
    "      literal 'official'  1:18  : System.String",
    ''].join('\n'));
});
test('--trace shows what each node yielded, trace() what it was given', () => {
  const run = eplan(['-r', patient, '--trace', 'name.given.first()']);
  assert.equal(run.out, 'FHIR.string\t"Ana"\n');
  assert.match(run.err, /^1:1 name: 2\n[\s\S]*^1:1 name\.given: 3\n {2}FHIR\.string\t"Ana"\n[\s\S]*^1:1 name\.given\.first\(\): 1\n/m);
  assert.equal(eplan(['-r', patient, "name.given.trace('given').count()"]).err, 'trace given: 3\n  FHIR.string\t"Ana"\n  FHIR.string\t"Luz"\n  FHIR.string\t"Anita"\n');
});
test('--trace changes no result', () => {
  for (const expr of ["name.where(use = 'official').given.first()", 'descendants().count()', "telecom.exists(system = 'phone' and rank > 1)", 'name[0].given[1].extension.value']) {
    assert.equal(eplan(['-r', patient, '--trace', expr]).out, eplan(['-r', patient, expr]).out);
  }
});
test('--functions lists the library by section', () => {
  const out = eplan(['--functions']).out;
  assert.match(out, /^5\.1 Existence\n {2}empty\(\) +true when there is no item\n/);
  assert.match(out, /^ {2}substring\(start \[, length\]\) /m);
});

test('--batch: file or resource, strict, errors with kind and place', () => {
  const resource = { resourceType: 'Observation', valueQuantity: { value: 1.5, unit: 'kg', code: 'kg', system: 'http://unitsofmeasure.org' } };
  assert.deepEqual(batch({ id: 1, expr: 'name.given.first()', file: patient },
    { id: 'b', expr: "value > 1000 'g'", resource },
    { id: null, expr: 'valueQuantity', resource },
    { id: 4, expr: 'children().first()', resource, strict: true },
    { id: 5, expr: '1 | 2' }), [
    { id: 1, result: [{ type: 'FHIR.string', value: 'Ana' }] },
    { id: 'b', result: [{ type: 'System.Boolean', value: true }] },
    { id: null, error: { kind: 'semantic', line: 1, column: 1, message: '"valueQuantity" is no element of FHIR.Observation', hint: 'that is its name in JSON; in FHIRPath it is value.ofType(Quantity)' } },
    { id: 4, error: { kind: 'semantic', line: 1, column: 12, message: 'first() counts on an order that this collection does not have', hint: 'children(), descendants() and unions come in no order; use where() or sort()' } },
    { id: 5, result: [{ type: 'System.Integer', value: 1 }, { type: 'System.Integer', value: 2 }] }]);
});
test('--batch: a line that is no request is answered, and the next one too', () => {
  const answers = batch('{"id":1,', { id: 2 }, { id: 3, expr: '1', file: path.join(folder, 'absent.json') }, '', { id: 4, expr: '1' });
  assert.deepEqual(answers.map((a) => [a.id, a.error?.kind]), [[null, 'syntax'], [2, 'syntax'], [3, 'execution'], [4, undefined]]);
});
test('--batch: a file is read once', () => {
  const file = path.join(folder, 'once.json');
  fs.writeFileSync(file, '{"resourceType":"Patient","id":"first"}');
  const child = spawn(binary, ['fhirpath', '--batch'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (request) => {
    child.stdin.write(JSON.stringify(request) + '\n');
    return JSON.parse((await answers.next()).value); // comes only if each answer is flushed before the next request
  };
  return (async () => {
    assert.equal((await ask({ id: 1, expr: 'id', file })).result[0].value, 'first');
    fs.writeFileSync(file, '{"resourceType":"Patient","id":"second"}');
    assert.equal((await ask({ id: 2, expr: 'id', file })).result[0].value, 'first');
    child.stdin.end();
    assert.equal(await new Promise((done) => child.on('close', done)), 0);
  })();
});
test('--batch: numbers keep their text', () => {
  const out = eplan(['--batch'], '{"id":9007199254740993,"expr":"1.50 | %resource.value.value","resource":{"resourceType":"Observation","valueQuantity":{"value":70.500}}}\n').out;
  assert.equal(out, '{"id":9007199254740993,"result":[{"type":"System.Decimal","value":1.50},{"type":"FHIR.decimal","value":70.500}]}\n');
});
test('a pattern, a repetition and a nest that would never end, end', () => {
  assert.equal(eplan(["'" + 'a'.repeat(40) + "!'.matches('^(a|aa)+$')"]).status, 3);
  assert.equal(eplan(['1.repeatAll($this)']).status, 3);
  assert.equal(eplan(['('.repeat(5000) + '1' + ')'.repeat(5000)]).status, 2);
  assert.equal(eplan(['1' + '+1'.repeat(5000)]).status, 2);
  assert.equal(eplan(["'" + 'ab'.repeat(2000) + "'.replace('', '" + 'x'.repeat(20000) + "').length()"]).status, 3);
});

await finish();
