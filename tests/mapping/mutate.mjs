// Breaks a shipped mapping in random ways and sees whether `eplan check` or `eplan test` tells: tests/mapping/mutate.mjs
//   --seed N       the first of the seeds (1)
//   --count N      how many ways (300)
//   --folder PATH  the mapping (mappings/healthy-weight)
//   --only N       this seed alone, and what it does
//   --record       print the page tests/mapping/MUTATIONS.md is made of
// A mistake is caught when a command fails, or when it tells something that it did not tell before (a warning). Each seed
// gives one mutation; the same seed on the same files always gives the same one.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { binary, rootDir } from './mapping.mjs';

// A small generator with a period far above what is drawn (mulberry32, public domain).
function randomOf(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below);
  };
}

export function readFolder(folder) {
  return Object.fromEntries(fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile() && one.name.endsWith('.yaml'))
    .map((one) => path.relative(folder, path.join(one.parentPath ?? one.path, one.name))).sort().map((name) => [name, fs.readFileSync(path.join(folder, name), 'utf8')]));
}

// Comments are not the mapping: what stands in one is not touched.
const codeOf = (line) => line.replace(/(^|\s)#(?=[^"]*$)(?!.*\}\}).*$/, (all) => ' '.repeat(all.length));

// -> [{ file, line, at, text }]: each match of the pattern's first group in the files that `where` takes
function places(files, where, pattern) {
  const found = [];
  for (const [file, text] of Object.entries(files)) {
    if (!where.test(file)) continue;
    text.split('\n').forEach((line, number) => {
      for (const hit of codeOf(line).matchAll(pattern)) {
        const at = hit.index + hit[0].indexOf(hit[1]);
        found.push({ file, line: number, at, text: hit[1] });
      }
    });
  }
  return found;
}

function replaceAt(files, { file, line, at, text }, into) {
  const lines = files[file].split('\n');
  lines[line] = lines[line].slice(0, at) + into + lines[line].slice(at + text.length);
  return { ...files, [file]: lines.join('\n') };
}

const own = /^(?!cases\/)/; // cases are what catches: they are not broken
const pick = (random, list) => list[random(list.length)];

// Each: (files, random) -> { files, says } or null where there is nothing to break.
const kinds = {
  'delete a key': (files, random) => {
    const found = [];
    for (const [file, text] of Object.entries(files)) {
      if (!own.test(file)) continue;
      const lines = text.split('\n');
      lines.forEach((line, number) => {
        const [, indent, key] = /^( *)(?:- )?([\w$.-]+):/.exec(codeOf(line)) ?? [];
        if (!key) return;
        let end = number + 1;
        while (end < lines.length && /\S/.test(lines[end]) && /^ */.exec(lines[end])[0].length > indent.length) end++;
        found.push({ file, from: number, end, key });
        for (const hit of codeOf(line).matchAll(/(?<=[{,] )([\w$.-]+): (?:"[^"]*"|[^{}[\],"]+|\[[^\]]*\])(?:, )?/g)) found.push({ file, from: number, at: hit.index, text: hit[0], key: hit[1] });
      });
    }
    const one = pick(random, found);
    const lines = files[one.file].split('\n');
    if (one.at === undefined) lines.splice(one.from, one.end - one.from);
    else lines[one.from] = lines[one.from].slice(0, one.at) + lines[one.from].slice(one.at + one.text.length);
    return { files: { ...files, [one.file]: lines.join('\n') }, says: `${one.file}:${one.from + 1}: without ${one.key}` };
  },
  'misspell a name': (files, random) => {
    const one = pick(random, [...places(files, own, /(?<![\w$.-])([\w$-]{4,})(?=:(?: |$))/g), ...places(files, own, /%((?:sets\.|growth\.|visit\.)?[A-Za-z]{4,})/g),
      ...places(files, own, /\.([a-z][A-Za-z]{3,})(?=[.(])/g), ...places(files, own, /(?:propose|\$code|\$text|\$use|\$site|\$refs|text|measure): ([\w.-]{4,})/g)]);
    const at = 1 + random(one.text.length - 2);
    const ways = [one.text.slice(0, at) + one.text.slice(at + 1), one.text.slice(0, at) + one.text[at] + one.text.slice(at), one.text.slice(0, at) + 'x' + one.text.slice(at + 1)];
    const into = pick(random, ways.filter((text) => text !== one.text));
    return { files: replaceAt(files, one, into), says: `${one.file}:${one.line + 1}: ${one.text} -> ${into}` };
  },
  'swap a code': (files, random) => {
    const codes = places(files, /^concepts\//, /code: "?([A-Za-z0-9.-]+)/g);
    const one = pick(random, codes);
    const other = pick(random, codes.filter(({ text }) => text !== one.text));
    return { files: replaceAt(files, one, other.text), says: `${one.file}:${one.line + 1}: code ${one.text} -> ${other.text}` };
  },
  'change a type': (files, random) => {
    const one = pick(random, places(files, own, /: ("[^"]*"|[\w.-]+|\[[^\]{}]*\])(?=[,\s}]|$)/g));
    const into = pick(random, one.text.startsWith('[') ? ['true', '"text"', '{ a: b }'] : [`[${one.text}]`, `{ value: ${one.text} }`, '[]']);
    return { files: replaceAt(files, one, into), says: `${one.file}:${one.line + 1}: ${one.text} -> ${into}` };
  },
  'alter a text': (files, random) => {
    const all = places(files, /^texts\//, /^  [\w.-]+: "([^"]+)"/g);
    const one = pick(random, all);
    const words = one.text.split(' ');
    const at = random(words.length);
    const ways = [words.filter((_, i) => i !== at).join(' '), words.map((word, i) => (i === at ? `${word}${word}` : word)).join(' '), pick(random, all.filter(({ text }) => text !== one.text)).text];
    const into = pick(random, ways.filter((text) => text !== one.text));
    return { files: replaceAt(files, one, into), says: `${one.file}:${one.line + 1}: "${one.text}" -> "${into}"` };
  },
  'change a number': (files, random) => {
    const one = pick(random, places(files, own, /(?<![\w.-])(\d+)(?![\w.-])/g).filter(({ text }) => !/^0\d/.test(text)));
    const into = String(pick(random, [Number(one.text) + 1, Number(one.text) * 10, Math.max(0, Number(one.text) - 1)].filter((number) => number !== Number(one.text))));
    return { files: replaceAt(files, one, into), says: `${one.file}:${one.line + 1}: ${one.text} -> ${into}` };
  },
};

export function mutation(files, seed) {
  const random = randomOf(seed * 7919);
  for (let i = 0; i < 20; i++) random(2);
  const kind = pick(random, Object.keys(kinds));
  return { seed, kind, ...kinds[kind](files, random) };
}

function told(command, folder) {
  const run = () => spawnSync(binary, [command, '.'], { cwd: folder, encoding: 'utf8', timeout: 60_000, maxBuffer: 1 << 26 });
  let ran = run();
  if (ran.error?.code === 'ETIMEDOUT') ran = run(); // the machine may have been stopped; what hangs does so again
  const { status, stdout, stderr, signal } = ran;
  return { failed: status !== 0, killed: signal ?? (status > 2 ? status : null), text: stderr, said: stdout + stderr };
}

// scratch: a copy of the folder with these files, and again when it returns. -> the command that told of it, or null
export function caughtBy(files, scratch, made, before) {
  const write = (from) => {
    for (const [file, text] of Object.entries(from)) if (made.files[file] !== files[file]) fs.writeFileSync(path.join(scratch, file), text);
  };
  write(made.files);
  let by = null;
  for (const command of ['check', 'test']) {
    const now = told(command, scratch);
    if (now.killed) throw new Error(`seed ${made.seed}: ${command} ended with ${now.killed}: ${now.text}`);
    if (now.failed || now.text !== before[command].text) {
      by = command;
      break;
    }
  }
  write(files);
  return by;
}

export function mutateAll(folder, seeds, scratch, each = () => {}) {
  const files = readFolder(folder);
  const before = { check: told('check', folder), test: told('test', folder) };
  if (before.check.failed || before.test.failed) throw new Error(`${folder} is broken before anything is done to it: ${before.check.said}${before.test.said}`);
  fs.rmSync(scratch, { recursive: true, force: true });
  fs.cpSync(folder, scratch, { recursive: true });
  return seeds.map((seed) => {
    const made = mutation(files, seed);
    const by = caughtBy(files, scratch, made, before);
    each(made, by);
    return { seed, kind: made.kind, says: made.says, by };
  });
}

function main() {
  const { values } = parseArgs({ options: { seed: { type: 'string', default: '1' }, count: { type: 'string', default: '300' }, folder: { type: 'string', default: 'mappings/healthy-weight' }, only: { type: 'string' }, record: { type: 'boolean', default: false } } });
  const seeds = values.only ? [Number(values.only)] : Array.from({ length: Number(values.count) }, (_, i) => Number(values.seed) + i);
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'eplan-mutate-'));
  const results = mutateAll(path.resolve(rootDir, values.folder), seeds, path.join(scratch, 'mapping'), (made, by) => {
    if (values.only) console.log(`${made.kind}: ${made.says}: ${by ?? 'not caught'}`);
  });
  fs.rmSync(scratch, { recursive: true });
  const survivors = results.filter(({ by }) => !by);
  if (values.record) {
    console.log('| kind | made | told by check | told by test | not told |\n|---|---|---|---|---|');
    for (const kind of Object.keys(kinds)) {
      const of = results.filter((one) => one.kind === kind);
      console.log(`| ${kind} | ${of.length} | ${of.filter(({ by }) => by === 'check').length} | ${of.filter(({ by }) => by === 'test').length} | ${of.filter(({ by }) => !by).length} |`);
    }
  }
  for (const { seed, kind, says } of survivors) console.log(`${values.record ? '- ' : ''}seed ${seed}, ${kind}: ${says}`);
  console.log(`${results.length} mutations, ${results.length - survivors.length} told of (${((1 - survivors.length / results.length) * 100).toFixed(1)} %), ${survivors.length} not`);
  process.exitCode = results.length - survivors.length >= 0.95 * results.length ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
