// suite: timeout=120
// What a reader should not have to look for: format, sizes, banned functions, third-party headers in their one place.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { finish, test } from '../lib/tap.mjs';

const root = process.env.EPLAN_ROOT;

function filesBelow(folder, pattern) {
  return fs.readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => path.relative(root, path.join(entry.parentPath ?? entry.path, entry.name)));
}

const sources = ['fhir', 'gateway'].flatMap((folder) => filesBelow(folder, /\.[ch]$/));
const tests = ['unit', 'fuzzers', 'benches', 'drivers'].map((name) => `tests/${name}`)
  .filter((folder) => fs.existsSync(path.join(root, folder))).flatMap((folder) => filesBelow(folder, /\.[ch]$/));
const read = (file) => fs.readFileSync(path.join(root, file), 'utf8');

// An excuse is a line `file<TAB>rule<TAB>reason`.
const excuses = read('tests/lint/ALLOW').split('\n').filter((line) => line && !line.startsWith('#'))
  .map((line) => line.split('\t'));
const isExcused = (file, rule) => excuses.some(([name, what]) => name === file && what === rule);

function offenders(rule, files, isWrong) {
  return files.filter((file) => !isExcused(file, rule) && isWrong(read(file), file));
}

test('clang-format has nothing to change', () => {
  const ran = spawnSync('clang-format', ['--dry-run', '-Werror', ...sources, ...tests], { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 });
  assert.equal(ran.error, undefined);
  const wrong = [...new Set([...ran.stderr.matchAll(/^(\S+?):\d+:\d+: error/gm)].map((hit) => hit[1]))];
  assert.deepEqual(wrong, []);
});

test('no source file is longer than 900 lines', () => {
  assert.deepEqual(offenders('lines', sources, (text) => text.split('\n').length > 900), []);
});

test('no header is longer than 300 lines', () => {
  assert.deepEqual(offenders('lines', sources.filter((file) => file.endsWith('.h')), (text) => text.split('\n').length > 300), []);
});

test('functions that cannot be used safely are not used', () => {
  const banned = /\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|atof|tmpnam|mktemp|system|popen|alloca|scanf|sscanf)\s*\(/;
  assert.deepEqual(offenders('banned', sources, (text) => banned.test(text.replace(/\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\])*"/g, ''))), []);
});

test('the pure library reads no clock, file, environment or locale', () => {
  const impure = /\b(fopen|open|socket|getenv|setlocale|time|clock_gettime|gettimeofday|localtime|pthread_create)\s*\(/;
  const pure = sources.filter((file) => file.startsWith('fhir/') || file.startsWith('gateway/mapping/') || file.startsWith('gateway/plan/'));
  assert.deepEqual(offenders('impure', pure, (text) => impure.test(text.replace(/\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\])*"/g, ''))), []);
});

// DESIGN: each third-party header is seen by the files named, and by no other.
const places = [
  [/<cjson\//, /^fhir\/json\//],
  [/<libxml\//, /^fhir\/xml\//],
  [/<sqlite3\.h>/, /^gateway\/store\//],
  [/<curl\//, /^gateway\/http\/client/],
  [/<yaml\.h>/, /^gateway\/base\/yaml/],
  [/<event2\//, /^gateway\/(base\/loop|http\/server)/],
  [/<openssl\//, /^gateway\/(base\/(digest|crypto)|http\/(tls|jose|jwk|server))/],
  [/<pcre2\.h>/, /^fhir\/path\//],
  [/<utf8proc\.h>/, /^fhir\/path\//],
  [/<cairo/, /^gateway\/book\//],
  [/<histedit\.h>/, /^gateway\/cli\/line_editor/],
];
for (const [header, place] of places) {
  test(`${header.source} is included in its one place`, () => {
    assert.deepEqual(offenders('header', sources.filter((file) => !place.test(file)), (text) => new RegExp(`#include ${header.source}`).test(text)), []);
  });
}

test('every excuse is still needed', () => {
  assert.deepEqual(excuses.filter(([file]) => !fs.existsSync(path.join(root, file))), []);
});

await finish();
