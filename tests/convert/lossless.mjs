// JSON compared as FHIR compares it: numbers by their text, members in any order, narratives as XML.

// Numbers become { number: text }, so that 70.50 is not 70.5. Names are never numbers, so nothing else can look so.
export function parseLossless(text) {
  const tagged = text.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g, (token) => (token[0] === '"' ? token : `{"number":"${token}"}`));
  return JSON.parse(tagged);
}

const named = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const decode = (text) => text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (_, hex, dec, name) => (name ? named[name] : String.fromCodePoint(parseInt(hex ?? dec, hex ? 16 : 10))));

// A narrative as a list of what XML says it is: tags with their attributes in order of name, and text. Written apart from
// the product: good for well-formed text without prefixes.
export function narrativeTokens(text) {
  const tokens = [];
  const addText = (more) => {
    if (tokens.at(-1)?.text !== undefined) tokens.at(-1).text += more;
    else if (more) tokens.push({ text: more });
  };
  for (const [, comment, cdata, tag, run] of text.replace(/\r\n?/g, '\n').matchAll(/(<!--[^]*?-->)|<!\[CDATA\[([^]*?)\]\]>|<([^>"']*(?:(?:"[^"]*"|'[^']*')[^>"']*)*)>|([^<]+)/g)) {
    if (comment) continue;
    if (cdata !== undefined) addText(cdata);
    else if (run !== undefined) addText(decode(run));
    else {
      const name = /^\/?[^\s/]+/.exec(tag)[0];
      const attributes = [...tag.matchAll(/([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)].map(([, key, a, b]) => [key, decode((a ?? b).replace(/[\t\n]/g, ' '))]);
      tokens.push({ tag: name, attributes: attributes.sort(([a], [b]) => (a < b ? -1 : 1)) });
      if (tag.endsWith('/')) tokens.push({ tag: `/${name}`, attributes: [] });
    }
  }
  return tokens;
}

// Lists that stand side by side (given, _given) are as long as the longer: nulls at the end say nothing.
function withoutPadding(list) {
  const end = list.findLastIndex((item) => item !== null);
  return list.slice(0, end + 1);
}

// A form in which two equal resources are deeply equal.
export function comparable(value, name) {
  if (typeof value === 'string') return name === 'div' ? narrativeTokens(value) : value;
  if (Array.isArray(value)) return withoutPadding(value).map((item) => comparable(item));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, comparable(value[key], key)]));
}
