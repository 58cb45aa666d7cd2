#!/usr/bin/env node
// suite: needs=build presets=release,asan-ubsan timeout=180
// The review book as HTML and PDF: every hold, row, plan, text, case and code of the mapping is in both; nothing of a text
// becomes markup; the PDF has its title, page numbers and accented letters, and its decision table stands on one page.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { scratch } from '../lib/process.mjs';
import { finish, skip, test } from '../lib/tap.mjs';
import { eplan, rootDir } from './mapping.mjs';

const folder = scratch('review-book');
const mapping = path.join(rootDir, 'mappings/healthy-weight');
const book = (name, of = mapping) => {
  const file = path.join(folder, name);
  const { status, stdout, stderr } = eplan(['review-book', of, '-o', file]);
  assert.equal(status, 0, stdout + stderr);
  return file;
};
const source = fs.readFileSync(path.join(mapping, 'mapping.yaml'), 'utf8');
const holds = [...source.matchAll(/- (?:\{ )?id: (\w+)/g)].map(([, id]) => id);
const texts = fs.readdirSync(path.join(mapping, 'texts')).flatMap((name) => [...fs.readFileSync(path.join(mapping, 'texts', name), 'utf8').matchAll(/^ {2}[\w.]+: "(.*)"$/gm)].map(([, text]) => text));
const cases = fs.readdirSync(path.join(mapping, 'cases'));
const unescaped = (html) => html.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&amp;', '&');

test('HTML: everything a committee decides on is there', () => {
  const html = fs.readFileSync(book('book.html'), 'utf8');
  const cells = new Set([...html.matchAll(/<td>([^<]*)<\/td>/g)].map(([, text]) => unescaped(text)));
  assert.ok(holds.length > 15 && texts.length > 30 && cases.length > 5);
  for (const one of [...holds, ...texts, ...cases]) assert.ok(cells.has(one), one);
  for (const citation of source.matchAll(/citation: "([^"]*)"/g)) assert.ok(cells.has(citation[1]), citation[1]);
  assert.match(html, /NOT VERIFIED/);
  assert.match(html, /<html lang="en">/);
  assert.doesNotMatch(html, /<script|src=|href=|url\(/);
});

test('HTML: a text is never markup', () => {
  const copy = path.join(folder, 'mapping');
  fs.cpSync(mapping, copy, { recursive: true });
  const file = path.join(copy, 'texts/shared.en.yaml');
  fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('"Our family plan"', '"<img src=x onerror=\'a\'> & <b>"'));
  const html = fs.readFileSync(book('escaped.html', copy), 'utf8');
  assert.match(html, /&lt;img src=x onerror=&#39;a&#39;&gt; &amp; &lt;b&gt;/);
  assert.doesNotMatch(html, /<img|<b>/);
});

test('wrong use: another ending, no folder, a folder with mistakes', () => {
  assert.equal(eplan(['review-book', mapping, '-o', 'x.txt']).status, 64);
  assert.equal(eplan(['review-book', mapping]).status, 64);
  assert.equal(eplan(['review-book', folder, '-o', path.join(folder, 'x.html')]).status, 2);
});

if (!fs.existsSync('/usr/bin/pdftotext')) {
  skip('the PDF', 'no pdftotext: apt-get install poppler-utils');
} else {
  const tool = (name, ...args) => {
    const { status, stdout } = spawnSync(name, args, { encoding: 'utf8' });
    assert.equal(status, 0, name);
    return stdout;
  };
  test('PDF: the same content, with title, date and page numbers', () => {
    const file = book('book.pdf');
    const info = tool('pdfinfo', file);
    assert.match(info, /Title: +Review book: healthy-weight/);
    assert.match(info, /Page size: +595\.\d+ x 841\.\d+ pts \(A4\)/);
    const pages = Number(/Pages: +(\d+)/.exec(info)[1]);
    assert.ok(pages > 3);
    const text = tool('pdftotext', '-raw', file, '-');
    for (let page = 1; page <= pages; page++) assert.ok(text.includes(`page ${page} of ${pages}`), `${page}`);
    const squeezed = text.replaceAll(/\s+/g, '');
    for (const one of [...holds, ...cases]) assert.ok(squeezed.includes(one), one);
    for (const one of texts) assert.ok(squeezed.includes(one.replaceAll(/\s+/g, '')), one);
    assert.match(text, /días/);
  });
  test('PDF: each page of the decision table has its head, and no row is cut at the foot', () => {
    const file = book('table.pdf');
    const pages = tool('pdftotext', '-layout', file, '-').split('\f');
    const table = pages.filter((one) => /What happens/.test(one)).join('');
    const rows = [...source.matchAll(/^ {4}- \{ age: .*(propose|hand-over|drop): /gm)].length;
    assert.ok(rows > 0 && (table.match(/propose|hand over to|outside-charts/g) ?? []).length >= rows, table);
  });
  test('PDF: the same mapping gives the same bytes', () => assert.ok(fs.readFileSync(book('one.pdf')).equals(fs.readFileSync(book('two.pdf')))));
}
await finish();
