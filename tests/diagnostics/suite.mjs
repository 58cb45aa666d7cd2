// suite: needs=build presets=release,asan-ubsan timeout=300
// The exact texts of messages: every *.case below this folder, as README.md describes them.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { rootDir, run, scratch } from '../lib/process.mjs';
import { finish, test } from '../lib/tap.mjs';

const folder = path.dirname(fileURLToPath(import.meta.url));
const binary = path.resolve(process.env.EPLAN_BINARY ?? path.join(rootDir, 'build/release/eplan'));
const heading = /^=== (file (\S+)( escaped)?|run|out|err|exit (\d+))$/;

const read = (name) => fs.readFileSync(path.join(rootDir, name), 'utf8');
const unescape = (text) => text.replace(/\\(?:([nrt\\])|x([0-9a-f]{2}))/gi, (_, c, hex) => (hex ? String.fromCharCode(parseInt(hex, 16)) : { n: '\n', r: '\r', t: '\t', '\\': '\\' }[c]));

// -> { about, files: [{ name, bytes }], command, out, err, exit, head: the lines before what is printed }
function readCase(file) {
  const found = { about: [], files: [], command: '', out: '', err: '', exit: 0, head: [] };
  let take = (line) => found.about.push(line);
  let given = true;
  const lines = fs.readFileSync(file, 'utf8').split('\n');
  assert.equal(lines.pop(), '', 'a case ends with a line end');
  for (const line of lines) {
    const [, kind, name, escaped, exit] = heading.exec(line) ?? [];
    assert.ok(kind || !line.startsWith('==='), `not understood: ${line}`);
    if (kind) given = Boolean(name) || kind === 'run';
    if (given) found.head.push(line);
    if (!kind) take(line);
    else if (exit) found.exit = Number(exit);
    else if (name) {
      const made = { name, bytes: Buffer.alloc(0) };
      found.files.push(made);
      take = (text) => { made.bytes = Buffer.concat([made.bytes, escaped ? Buffer.from(unescape(text), 'latin1') : Buffer.from(`${text}\n`)]); };
    } else if (kind === 'run') {
      take = (text) => {
        assert.equal(found.command, '', 'a case runs one command');
        found.command = text;
      };
    } else take = (text) => { found[kind] += `${text}\n`; };
  }
  assert.ok(found.about.join('').trim(), 'a case says what it shows');
  assert.ok(found.command, 'a case runs a command');
  return found;
}

async function play({ files, command }) {
  const place = scratch('diagnostics');
  for (const { name, bytes } of files) {
    const file = path.resolve(place, name);
    assert.ok(file.startsWith(place + path.sep), `${name} is outside of the case's folder`);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, bytes);
  }
  const { code, signal, stdout, stderr } = await run('bash', ['-c', command], { cwd: place, env: { PATH: `${path.dirname(binary)}:${process.env.PATH}`, LC_ALL: 'C.UTF-8' } });
  if (!process.env.EPLAN_KEEP) fs.rmSync(place, { recursive: true });
  assert.equal(signal, null, `killed by ${signal}: ${stderr}`);
  return { exit: code, out: stdout, err: stderr };
}

const caseFiles = () => fs.readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.case')).sort();

async function update(wanted) {
  for (const name of caseFiles().filter((one) => wanted.length === 0 || wanted.some((part) => one.includes(part)))) {
    const file = path.join(folder, name);
    const found = readCase(file);
    const { out, err, exit } = await play(found);
    const sections = [['out', out], ['err', err]].filter(([, text]) => text !== '').map(([kind, text]) => `=== ${kind}\n${text.endsWith('\n') ? text : `${text}\n`}`);
    const text = `${found.head.join('\n')}\n${sections.join('')}${exit ? `=== exit ${exit}\n` : ''}`;
    if (text !== fs.readFileSync(file, 'utf8')) console.log(`written: ${name}`);
    fs.writeFileSync(file, text);
  }
}

function declareTests() {
  for (const name of caseFiles()) {
    test(name.replace(/\.case$/, ''), async () => {
      const wanted = readCase(path.join(folder, name));
      const got = await play(wanted);
      assert.deepEqual(got, { exit: wanted.exit, out: wanted.out, err: wanted.err });
    });
  }
  test('every code that the source tells has its text in a case, or in a test named in elsewhere.csv', () => {
    const declared = [...read('fhir/base/codes.def').matchAll(/^DIAG\((\w+), *"([^"]+)"/gm)];
    const sources = ['fhir', 'gateway'].flatMap((top) => fs.readdirSync(path.join(rootDir, top), { recursive: true }).filter((name) => name.endsWith('.c')).map((name) => read(path.join(top, name)))).join('\n');
    const told = declared.filter(([, id]) => new RegExp(`\\bDIAG_${id}\\b`).test(sources)).map(([, , code]) => code);
    assert.ok(told.length > 5);
    const rows = read('tests/diagnostics/elsewhere.csv').trim().split('\n').slice(1).map((line) => /^([^,]+),([^,]+),(.+)$/.exec(line).slice(1));
    for (const [code, file, piece] of rows) assert.ok(read(file).includes(piece), `elsewhere.csv: ${code}: ${file} has no "${piece}"`);
    const golden = fs.readdirSync(folder, { recursive: true }).filter((name) => /\.case$|(^|\/)expected\.txt$/.test(name));
    const text = golden.map((name) => read(path.join('tests/diagnostics', name))).join('');
    assert.deepEqual(told.filter((code) => !text.includes(`[${code}]`) && !rows.some(([row]) => row === code)), [], 'codes without a golden text');
  });
}

assert.ok(fs.existsSync(binary), `there is no ${binary}: build it, or name another in EPLAN_BINARY`);
if (process.argv[2] === '--update') {
  await update(process.argv.slice(3));
} else {
  declareTests();
  await finish();
}
