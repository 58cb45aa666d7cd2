// Writes fhir/growth/table_powers_of_ten.inc:
//   node tests/tools/make-power-table.mjs > fhir/growth/table_powers_of_ten.inc
// Row k - FIRST: the 128 leading bits of 10^k, cut off and plus one (Giulietti, "The Schubfach way to
// render doubles", section 9.8.2), for every k that a double needs.
const FIRST = -292n, LAST = 324n;
const out = ['/* 128 leading bits of 10^k for k from -292 to 324, plus one; high and low half.',
  ' * Made by: node tests/tools/make-power-table.mjs. Not edited by hand. */'];
const hex = (v) => '0x' + v.toString(16).padStart(16, '0');
const bits = (v) => BigInt(v.toString(2).length);
for (let k = FIRST; k <= LAST; k++) {
  let g;
  if (k >= 0n) {
    const p = 10n ** k, n = bits(p);
    g = n <= 128n ? p << (128n - n) : p >> (n - 128n);
  } else {
    const p = 10n ** -k, n = bits(p);
    // 2^(n+127) / 10^-k lies in [2^127, 2^128]; it is a power of two only for k = 0.
    g = (1n << (n + 127n)) / p;
  }
  g += 1n;
  out.push(`    {${hex(g >> 64n)}, ${hex(g & 0xffffffffffffffffn)}},`);
}
console.log(out.join('\n'));
