// suite: needs=build timeout=180
// The page that a family reads, in a browser: at 320 px, printed on A4 and letter, in English and Spanish; nothing loaded,
// nothing cut off, each text word for word.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { scratch } from '../lib/process.mjs';
import { atEnd, finish, skip, test } from '../lib/tap.mjs';
import { eplan, rootDir } from './mapping.mjs';

const chromiumPath = '/usr/bin/chromium';
if (!fs.existsSync(chromiumPath)) {
  skip('the family page in a browser', 'no chromium: apt-get install chromium');
  await finish();
}
const { chromium } = await import('playwright-core');
const browser = await chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox', '--disable-gpu'] });
atEnd(() => browser.close());
const folder = scratch('family-page');
const mapping = 'mappings/healthy-weight';
const child = 'overweight-7y-ready';

function pageOf(...options) {
  const file = path.join(folder, 'page.html');
  const { status, stderr } = eplan(['preview', mapping, child, '--page', file, ...options]);
  assert.equal(status, 0, stderr);
  return fs.readFileSync(file, 'utf8');
}

async function show(html, width) {
  const page = await browser.newPage({ viewport: { width, height: 800 } });
  const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.setContent(html);
  const seen = await page.evaluate(() => ({
    language: document.documentElement.lang,
    title: document.title,
    h1: [...document.querySelectorAll('h1')].map((e) => e.textContent),
    main: document.querySelectorAll('main').length,
    steps: [...document.querySelectorAll('li')].map((e) => e.textContent),
    labelled: document.getElementById(document.querySelector('ul')?.getAttribute('aria-labelledby'))?.textContent,
    text: document.body.innerText,
    overflow: document.documentElement.scrollWidth > document.documentElement.clientWidth,
    cut: [...document.querySelectorAll('main *')].filter((e) => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline').map((e) => e.textContent),
    sizes: [...document.querySelectorAll('p,li,h1,h2')].map((e) => parseFloat(getComputedStyle(e).fontSize)),
    scripts: document.scripts.length,
  }));
  const shots = process.env.EPLAN_SHOTS;
  if (shots) await page.screenshot({ path: path.join(shots, `page-${seen.language}-${width}.png`), fullPage: true });
  await page.close();
  return { ...seen, asked };
}

const texts = (language) => Object.fromEntries([...fs.readFileSync(path.join(rootDir, mapping, `texts/shared.${language}.yaml`), 'utf8').split(/^family:$/m)[1].matchAll(/^ {2}([\w.]+): "(.*)"$/gm)].map(([, key, text]) => [key, text]));

for (const language of ['en', 'es']) {
  for (const width of [320, 794]) {
    test(`${language} at ${width} px: read as it was written`, async () => {
      const want = texts(language);
      const seen = await show(pageOf('--lang', language), width);
      assert.equal(seen.language, language);
      assert.deepEqual([seen.title, seen.h1, seen.main, seen.scripts], [want.title, [want.title], 1, 0]);
      assert.deepEqual(seen.steps, ['water', 'active', 'screen', 'meals', 'sleep'].map((goal) => want[`goal.${goal}`]));
      assert.ok(seen.labelled.length > 3);
      assert.equal(seen.overflow, false);
      assert.deepEqual(seen.cut, []);
      assert.ok(Math.min(...seen.sizes) >= 16, `${seen.sizes}`);
      assert.deepEqual(seen.asked.filter((url) => !url.startsWith('about:')), []);
      assert.match(seen.text, language === 'en' ? /Visit: May 14, 2024/ : /Visita: 14 de mayo de 2024/);
      assert.match(seen.text, language === 'en' ? /13 weeks/ : /13 semanas/);
    });
  }
}
test('the language is the record\'s own when none is named', async () => assert.equal((await show(pageOf(), 794)).language, 'es'));
test('the goals that were chosen, and the plural of one', async () => {
  const two = await show(pageOf('--lang', 'en', '--goals', 'water,sleep'), 794);
  assert.equal(two.steps.length, 2);
  assert.match(two.text, /these steps/);
  const one = await show(pageOf('--lang', 'en', '--goals', 'water'), 794);
  assert.match(one.text, /this step/);
});
test('what a family can try for the goals it chose, place by place; nothing of it for goals that are only offered', async () => {
  for (const language of ['en', 'es']) {
    const want = texts(language);
    const seen = await show(pageOf('--lang', language, '--goals', 'water,sleep'), 320);
    for (const [key, text] of Object.entries(want)) {
      const part = /^goal\.(\w+)\.(home|clinic|school|childcare|community)$/.exec(key);
      if (part) assert.equal(seen.text.includes(text), ['water', 'sleep'].includes(part[1]), key);
    }
    assert.equal(seen.overflow, false);
    const offered = await show(pageOf('--lang', language), 320);
    assert.ok(!offered.text.includes(want['goal.water.school']));
  }
});
for (const format of ['A4', 'Letter']) {
  test(`on ${format} it is one page`, async () => {
    const page = await browser.newPage();
    await page.setContent(pageOf('--lang', 'es'));
    const pdf = await page.pdf({ format });
    if (process.env.EPLAN_SHOTS) fs.writeFileSync(path.join(process.env.EPLAN_SHOTS, `page-${format}.pdf`), pdf);
    await page.close();
    assert.match(pdf.toString('latin1'), /\/Count 1\b/);
  });
}
test('a language without texts: an interpreter, exit 1', async () => {
  const file = path.join(folder, 'ht.html');
  const { status, stderr } = eplan(['preview', mapping, child, '--page', file, '--lang', 'ht']);
  assert.equal(status, 1);
  assert.match(stderr, /asks for an interpreter/);
  assert.match((await show(fs.readFileSync(file, 'utf8'), 320)).text, /interpreter/i);
});
test('a goal that is not in the plan', () => {
  const { status, stderr } = eplan(['preview', mapping, child, '--page', path.join(folder, 'no.html'), '--goals', 'fly']);
  assert.equal(status, 3);
  assert.match(stderr, /chosen goals/);
});
test('what the record writes is text: no markup comes through', () => {
  const bundle = { resourceType: 'Bundle', type: 'collection', entry: [{ resource: { resourceType: 'Patient', id: '<b>', gender: 'female', birthDate: '2017-03-01', name: [{ text: '<script>alert(1)</script>' }] } }, { resource: { resourceType: 'Encounter', id: 'v', status: 'finished', class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' }, type: [{ coding: [{ system: 'http://snomed.info/sct', code: '410620009' }] }], period: { start: '2024-05-14' } } }] };
  const file = path.join(folder, 'record.json');
  fs.writeFileSync(file, JSON.stringify(bundle));
  const { stdout, stderr } = eplan(['preview', mapping, file]);
  assert.match(stdout + stderr, /hold|not-eligible/);
});
await finish();
