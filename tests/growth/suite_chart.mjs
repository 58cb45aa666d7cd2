// suite: timeout=180 needs=build
// The chart in a browser, read as a person reads it: values are taken from where the ticks, curves and points stand on the
// screen (boxes and pixels), and compared with tests/data/growth/chart-expected.json and with `eplan growth`.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { assess, binary } from './csv.mjs';
import { run, scratch, testsDir } from '../lib/process.mjs';
import { readPng } from '../lib/png.mjs';
import { atEnd, finish, skip, test } from '../lib/tap.mjs';

const chromiumPath = '/usr/bin/chromium';
if (!fs.existsSync(chromiumPath)) {
  skip('growth charts in a browser', 'no chromium: apt-get install chromium');
  await finish();
}
const { chromium } = await import('playwright-core');
const browser = await chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox', '--disable-gpu', '--force-color-profile=srgb'] });
atEnd(() => browser.close());

const data = path.join(testsDir, 'data/growth');
const expected = JSON.parse(fs.readFileSync(path.join(data, 'chart-expected.json'), 'utf8'));
const folder = scratch('growth-chart');

async function svgOf(name, ...options) {
  const file = path.join(folder, `${name}.svg`);
  const { code, stderr } = await run(binary, ['growth', '--chart', file, '-r', path.join(data, `${name}.json`), ...options]);
  assert.equal(code, 0, stderr);
  return fs.readFileSync(file, 'utf8');
}

// What a page shows of a chart, in pixels of the page.
async function show(svg, width) {
  const page = await browser.newPage({ viewport: { width, height: 900 }, deviceScaleFactor: 2 });
  await page.setContent(`<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width"><body style="margin:0">${svg}`);
  const seen = await page.evaluate(() => {
    const box = (element) => {
      const { left, top, right, bottom, width: w, height: h } = element.getBoundingClientRect();
      return { left, top, right, bottom, width: w, height: h, x: (left + right) / 2, y: (top + bottom) / 2 };
    };
    const all = (selector) => [...document.querySelectorAll(selector)];
    const visible = (element) => { for (let e = element; e; e = e.parentElement) if (getComputedStyle(e).opacity === '0') return false; return true; };
    const texts = all('svg text').filter((e) => e.textContent).map((e) => ({ ...box(e), text: e.textContent, kind: e.getAttribute('class') ?? '', axis: e.closest('.axis')?.id ?? '', visible: visible(e), size: parseFloat(getComputedStyle(e).fontSize) * e.getScreenCTM().a }));
    const curves = Object.fromEntries(all('.curve').map((e) => {
      const matrix = e.getScreenCTM();
      const length = e.getTotalLength();
      const points = Array.from({ length: 400 }, (_, i) => e.getPointAtLength((length * i) / 399).matrixTransform(matrix)).map(({ x, y }) => [x, y]);
      const { strokeDasharray, strokeWidth } = getComputedStyle(e);
      return [e.id.replace(/^growth-/, ''), { points, box: box(e), style: `${strokeDasharray} ${strokeWidth}` }];
    }));
    return {
      texts, curves,
      svg: box(document.querySelector('svg')),
      frame: box(document.querySelector('.frame')),
      points: all('#growth-points .point').map(box),
      doubtful: all('#growth-points .doubtful').map(box),
      plans: all('#growth-plans line').map(box),
      title: document.querySelector('svg title').textContent,
      desc: document.querySelector('svg desc').textContent,
      labelled: document.querySelector('svg').getAttribute('aria-labelledby').split(' ').every((id) => document.getElementById(id)),
      language: document.querySelector('svg').getAttribute('lang'),
      rows: all('[role=table] [role=row]').map((row) => [...row.querySelectorAll('[role=cell],[role=columnheader]')].map((cell) => cell.textContent)),
      overflow: document.documentElement.scrollWidth > document.documentElement.clientWidth,
    };
  });
  const picture = readPng(await page.screenshot({ fullPage: true }));
  await page.close();
  return { ...seen, pixel: (x, y) => picture.at(x * 2, y * 2) };
}

// The scale, read off the outermost numbers of an axis.
function scale(seen, axis) {
  const along = axis === 'x' ? 'x' : 'y';
  const ticks = seen.texts.filter((t) => t.axis === `growth-${axis}` && t.kind.startsWith('tick')).map((t) => [Number(t.text), t[along]]);
  const [a, b] = [ticks[0], ticks.at(-1)];
  const slope = (b[1] - a[1]) / (b[0] - a[0]);
  const to = (value) => a[1] + (value - a[0]) * slope;
  const from = (pixel) => a[0] + (pixel - a[1]) / slope;
  for (const [value, pixel] of ticks) assert.ok(Math.abs(to(value) - pixel) < 1, `tick ${value} of ${axis} at ${pixel}, not ${to(value)}`);
  return { values: ticks.map(([v]) => v), to, from, unit: Math.abs(slope) };
}

function curveAt(curve, x) {
  const i = curve.points.findIndex(([px]) => px >= x);
  const [[ax, ay], [bx, by]] = [curve.points[i - 1], curve.points[i]];
  return ay + ((x - ax) / (bx - ax)) * (by - ay);
}

const dark = ([r, g, b]) => r + g + b < 500;
const blue = ([r, , b]) => b - r > 50;
function near(seen, x, y, what, reach = 1.5) {
  for (let dx = -reach; dx <= reach; dx += 0.5) for (let dy = -reach; dy <= reach; dy += 0.5) if (what(seen.pixel(x + dx, y + dy))) return true;
  return false;
}

function noOverlap(seen) {
  const texts = seen.texts.filter((t) => t.visible);
  for (const [i, a] of texts.entries()) {
    for (const b of texts.slice(i + 1)) {
      const [w, h] = [Math.min(a.right, b.right) - Math.max(a.left, b.left), Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)];
      assert.ok(w < 1 || h < Math.min(a.height, b.height) * 0.35, `"${a.text}" lies on "${b.text}"`);
    }
    assert.ok(a.left >= seen.svg.left - 0.5 && a.right <= seen.svg.right + 0.5 && a.bottom <= seen.svg.bottom, `"${a.text}" is cut off`);
  }
}

// The points that must be there, from `eplan growth` on the same visits: [x, y, plausible].
async function visitsOf(name) {
  const { entry } = JSON.parse(fs.readFileSync(path.join(data, `${name}.json`), 'utf8'));
  const { gender, birthDate } = entry.map((e) => e.resource).find((r) => r.resourceType === 'Patient');
  const kg = { kg: 1, '[lb_av]': 0.45359237 };
  const cm = { cm: 1, '[in_i]': 2.54 };
  const visits = new Map();
  for (const { resource: r } of entry.filter((e) => e.resource.resourceType === 'Observation')) {
    const date = r.effectiveDateTime.slice(0, 10);
    const row = visits.get(date) ?? visits.set(date, { sex: gender, birth_date: birthDate, measured_date: date }).get(date);
    const { value, code } = r.valueQuantity;
    if (code in kg) row.weight_kg = value * kg[code];
    if (code in cm) row.height_cm = value * cm[code];
  }
  const rows = [...visits.values()];
  return (await assess(rows)).map((out, i) => ({ ...out, ...rows[i] }));
}

for (const [name, width] of [['school-age', 320], ['school-age', 794], ['infant', 320], ['infant', 794]]) {
  test(`${name} at ${width} px: axes, curves and points stand where they should`, async () => {
    const want = expected[name];
    const seen = await show(await svgOf(name), width);
    const [x, y] = [scale(seen, 'x'), scale(seen, 'y')];
    assert.deepEqual([x.values, y.values], [want.xAxis, want.yAxis]);
    assert.ok(Math.abs(x.to(want.xAxis[0]) - seen.frame.left) < 1 && Math.abs(x.to(want.xAxis.at(-1)) - seen.frame.right) < 1);
    assert.ok(Math.abs(y.to(want.yAxis[0]) - seen.frame.bottom) < 1 && Math.abs(y.to(want.yAxis.at(-1)) - seen.frame.top) < 1);
    for (const { curve, x: at, y: value } of want.curves) {
      const [px, py] = [x.to(at), curveAt(seen.curves[curve], x.to(at))];
      assert.ok(Math.abs(py - y.to(value)) < 0.8, `${curve} at ${at} reads ${y.from(py)}, not ${value}`);
      if (['p50', 'p95', 'p98', 'p2'].includes(curve)) assert.ok(near(seen, px, py, dark), `${curve} at ${at} is not drawn`);
    }
    const visits = await visitsOf(name);
    const points = visits.map((v) => (name === 'infant' ? [v.height_cm, v.weight_kg] : [Number(v.age_months) / 12, Number(v.bmi)]));
    const inside = points.filter(([, value]) => value <= want.yAxis.at(-1));
    assert.equal(seen.points.length, inside.length);
    assert.equal(seen.doubtful.length, points.length - inside.length);
    for (const [i, [px, py]] of inside.entries()) {
      const circle = seen.points[i];
      assert.ok(Math.abs(circle.x - x.to(px)) < 0.8 && Math.abs(circle.y - y.to(py)) < 0.8, `point ${i} reads ${x.from(circle.x)}, ${y.from(circle.y)}, not ${px}, ${py}`);
      assert.ok(near(seen, circle.x, circle.y - circle.height / 2 + 0.5, blue), `point ${i} is not drawn`);
    }
    assert.equal(seen.plans.length, 1);
    assert.ok(near(seen, seen.plans[0].x, seen.frame.top + 1, dark), 'the mark of the plan');
  });
  test(`${name} at ${width} px: everything can be read`, async () => {
    const want = expected[name];
    const seen = await show(await svgOf(name), width);
    assert.equal(seen.overflow, false);
    noOverlap(seen);
    const labels = seen.texts.filter((t) => t.kind.startsWith('label') && t.visible).map((t) => t.text);
    assert.deepEqual(labels, width < 520 ? want.narrowLabels : want.labels);
    for (const t of seen.texts.filter((s) => s.visible)) assert.ok(t.size >= (width < 520 ? 8.5 : 13), `"${t.text}" is ${t.size.toFixed(1)} px`);
    for (const label of seen.texts.filter((t) => t.kind.startsWith('label') && t.visible)) assert.ok(label.left >= seen.frame.right, label.text);
  });
}

test('curves differ by dash and width, not by colour: neighbours are never alike', async () => {
  for (const name of ['school-age', 'infant']) {
    const styles = Object.values((await show(await svgOf(name), 794)).curves).map(({ style }) => style);
    for (const [i, style] of styles.entries()) assert.notEqual(style, styles[i + 1], `${name} curve ${i}`);
  }
});

test('for a screen reader: title, description, a table of every visit', async () => {
  const seen = await show(await svgOf('school-age'), 794);
  assert.ok(seen.labelled);
  assert.equal(seen.title, 'BMI for age, 2 to 20 years');
  assert.match(seen.desc, /^10 measurements on this chart\. Latest: 2023-09-01, 9 y 6 mo, BMI 22\.8 kg\/m², percentile 95\.4, 101\.9 % of the 95th percentile\. Plan dates: 2022-08-22\.$/);
  assert.deepEqual(seen.rows[0], ['Date', 'Age', 'Weight', 'Height', 'BMI', 'Percentile (% of P95)']);
  assert.equal(seen.rows.length, 11);
  assert.deepEqual(seen.rows[5], ['2021-08-11', '7 y 5 mo', '35.1 kg', '125.5 cm', '22.3', '97.3 (111 %)']);
  assert.equal(seen.rows[4][0], '2022-03-03 ×');
});

test('Spanish, pounds and inches', async () => {
  const seen = await show(await svgOf('school-age', '--lang', 'es', '--units', 'us'), 320);
  assert.equal(seen.language, 'es');
  assert.equal(seen.title, 'IMC para la edad, de 2 a 20 años');
  assert.deepEqual(seen.rows[1].slice(0, 4), ['2023-09-01', '9 a 6 m', '98.3 lb', '55.1 in']);
  noOverlap(seen);
  const infant = await show(await svgOf('infant', '--lang', 'es', '--units', 'us'), 794);
  assert.deepEqual(scale(infant, 'x').values.slice(0, 3), [18, 20, 22]);
  assert.equal(infant.points.length, 7);
  noOverlap(infant);
});

test('the sex of the curves stands there only when asked for', async () => {
  const words = /\b(girl|boy|female|male|sex)/i;
  assert.doesNotMatch((await svgOf('school-age')).replaceAll('font-weight', ''), words);
  assert.match(await svgOf('school-age', '--show-sex'), /, girls</);
  assert.match(await svgOf('infant', '--show-sex', '--lang', 'es'), /, niños</);
});

test('the axis grows with the child', async () => {
  const seen = await show(await svgOf('teen'), 794);
  const y = scale(seen, 'y');
  assert.equal(y.values.at(-1), 55);
  assert.equal(seen.points.length, 5);
  for (const point of seen.points) assert.ok(point.top > seen.frame.top && point.bottom < seen.frame.bottom);
});

test('on A4 it fits one page', async () => {
  const page = await browser.newPage();
  await page.setContent(`<!doctype html><meta charset="utf-8"><style>@page{size:A4;margin:10mm}body{margin:0}svg{width:100%}</style>${await svgOf('school-age')}`);
  const pdf = await page.pdf({ preferCSSPageSize: true });
  await page.close();
  assert.match(pdf.toString('latin1'), /\/Count 1\b/);
});

test('no chart without a sex: exit 3 and the reason', async () => {
  const { code, stderr } = await run(binary, ['growth', '--chart', path.join(folder, 'none.svg'), '-r', path.join(data, 'no-sex.json')]);
  assert.equal(code, 3);
  assert.match(stderr, /growth charts are by sex/);
  assert.ok(!fs.existsSync(path.join(folder, 'none.svg')));
});

await finish();
