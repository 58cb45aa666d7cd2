// suite: needs=build presets=release,asan-ubsan timeout=120
// JSON to XML to JSON is the identity: same elements, same number text, same narratives as XML; and what comes back is
// canonical, so that a second round changes no byte. One process converts a whole file of lines.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { rootDir, run, testsDir } from '../lib/process.mjs';
import { finish, skip, test } from '../lib/tap.mjs';
import { comparable, narrativeTokens, parseLossless } from './lossless.mjs';

const binary = path.resolve(process.env.EPLAN_BINARY ?? path.join(rootDir, 'build/release/eplan'));
const shared = process.env.EPLAN_SHARED ?? path.join(rootDir, '../shared');
const own = path.join(testsDir, 'data/convert');

function convertLines(input, to) {
  return new Promise((resolve, reject) => {
    const child = spawn(binary, ['convert', '-', '--lines', '--to', to], { stdio: ['pipe', 'pipe', 'pipe'] });
    const [out, err] = [[], []];
    child.stdout.on('data', (data) => out.push(data));
    child.stderr.on('data', (data) => err.push(data));
    child.stdin.on('error', () => {}); // told by the exit status
    child.stdin.end(input);
    child.on('error', reject);
    child.on('close', (code) => {
      const text = Buffer.concat(out).toString();
      resolve({ code, text, err: Buffer.concat(err).toString(), lines: text.split('\n').slice(0, -1) });
    });
  });
}

async function converted(input, to) {
  const result = await convertLines(input, to);
  assert.equal(result.code, 0, result.err.slice(0, 2000));
  return result;
}

// JSON has line ends between tokens only, so a document becomes a line without touching a value.
const asLine = (file) => fs.readFileSync(file, 'utf8').trim().replace(/\s*\n\s*/g, ' ');
const documents = (files) => files.flatMap((file) => (file.endsWith('.ndjson') ? fs.readFileSync(file, 'utf8').split('\n').filter(Boolean) : [asLine(file)]));
const filesBelow = (folder, ending) => fs.readdirSync(folder, { recursive: true }).filter((name) => ending.test(name)).sort().map((name) => path.join(folder, name));

function identity(name, files) {
  test(`JSON to XML to JSON is the identity: ${name}`, async () => {
    const given = documents(files);
    assert.ok(given.length > 0, 'nothing was found');
    const xml = await converted(`${given.join('\n')}\n`, 'xml');
    const back = await converted(xml.text, 'json');
    assert.equal(back.lines.length, given.length);
    given.forEach((line, i) => assert.deepEqual(comparable(parseLossless(back.lines[i])), comparable(parseLossless(line)), `document ${i + 1}`));
    const again = await converted(back.text, 'xml');
    assert.equal(again.text, xml.text, 'a second round changes nothing');
  });
}

// An XML file that people wrote: what its JSON says is kept by a round through XML, byte for byte.
function xmlIdentity(name, file) {
  test(`XML to JSON to XML to JSON is the identity: ${name}`, async () => {
    const read = await run(binary, ['convert', file]);
    assert.equal(read.code, 0, read.stderr);
    const xml = await converted(read.stdout, 'xml');
    assert.equal((await converted(xml.text, 'json')).text, read.stdout);
  });
}

identity('own resources', filesBelow(own, /\.(json|ndjson)$/));
for (const file of filesBelow(own, /\.xml$/)) xmlIdentity(path.basename(file), file);

test('pretty or not, the resource is the same', async () => {
  for (const file of filesBelow(own, /\.json$/)) {
    const pretty = await run(binary, ['convert', file, '--pretty']);
    const back = await run(binary, ['convert', '-'], { input: pretty.stdout });
    const [compact] = (await converted((await converted(`${asLine(file)}\n`, 'xml')).text, 'json')).lines;
    assert.equal(back.stdout, `${compact}\n`);
  }
});

test('members come in the order of their definition, resourceType first, _name behind name', async () => {
  const [line] = (await converted((await converted('{"birthDate":"2014","_active":{"id":"a"},"id":"p","active":true,"resourceType":"Patient","name":[{"given":["A"],"use":"usual"}]}\n', 'xml')).text, 'json')).lines;
  assert.equal(line, '{"resourceType":"Patient","id":"p","active":true,"_active":{"id":"a"},"name":[{"use":"usual","given":["A"]}],"birthDate":"2014"}');
});

test('the comparison itself sees differences', () => {
  const same = (a, b) => assert.deepEqual(comparable(parseLossless(a)), comparable(parseLossless(b)));
  const differ = (a, b) => assert.notDeepEqual(comparable(parseLossless(a)), comparable(parseLossless(b)));
  same('{"a":1.50,"b":[null,"x",null]}', '{"b":[null,"x"],"a":1.50}');
  differ('{"a":1.50}', '{"a":1.5}');
  differ('{"a":1}', '{"a":"1"}');
  differ('{"a":[1,2]}', '{"a":[2,1]}');
  same('{"div":"<div b=\'1\' a=\\"&lt;\\"><br/>&#233;</div>"}', '{"div":"<div a=\\"&#60;\\" b=\\"1\\"><br></br>é<!-- x --></div>"}');
  differ('{"div":"<div> a</div>"}', '{"div":"<div>a</div>"}');
  assert.equal(narrativeTokens('<div><p>a</p></div>').length, 5);
});

const sets = [
  ['patients/r4-synthea-2019', /\.ndjson$/],
  ['patients/r4-synthea-2020', /\.ndjson$/],
  ['patients/stu3-smart-converted', /\.ndjson$/],
  ['patients/cms155-qicore2024', /\.json$/],
  ['fhirpath/r4/input', /\.json$/],
  ['fhirpath/bench', /\.json$/],
];
for (const [folder, ending] of sets) {
  if (fs.existsSync(path.join(shared, folder))) identity(folder, filesBelow(path.join(shared, folder), ending));
  else skip(`JSON to XML to JSON is the identity: ${folder}`, 'no ../shared');
}
const officialXml = path.join(shared, 'fhirpath/r4/input-xml');
if (fs.existsSync(officialXml)) for (const file of filesBelow(officialXml, /\.xml$/)) xmlIdentity(`fhirpath/r4/input-xml/${path.basename(file)}`, file);
else skip('XML to JSON to XML to JSON is the identity: fhirpath/r4/input-xml', 'no ../shared');

await finish();
