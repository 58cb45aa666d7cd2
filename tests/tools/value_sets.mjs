// The codes of a value set, from ValueSet.compose and the code systems of the same package.
// Only what can be told in full: a part that is not there makes the whole set not enumerable.

const walk = (concepts = []) => concepts.flatMap((c) => [c, ...walk(c.concept)]);

// Filters that the R4 value sets use; null: not one of them.
function filterCodes(system, filter) {
  const all = walk(system.concept);
  const isBelow = (top) => new Set(walk(all.find((c) => c.code === top)?.concept).map((c) => c.code));
  const parents = (c) => (c.property ?? []).filter((p) => p.code === 'subsumedBy').map((p) => p.valueCode);
  if (filter.property === 'concept' && (filter.op === 'is-a' || filter.op === 'descendent-of')) {
    const below = isBelow(filter.value);
    for (let before = -1; before !== below.size;) {
      before = below.size;
      for (const c of all) if (parents(c).some((p) => p === filter.value || below.has(p))) below.add(c.code);
    }
    if (filter.op === 'is-a') below.add(filter.value);
    return all.filter((c) => below.has(c.code));
  }
  return null;
}

function part(include, systems, expand) {
  let codes = null;
  const narrow = (next) => {
    if (next === null) return false;
    codes = codes === null ? next : codes.filter((c) => next.some((n) => n.code === c.code && n.system === c.system));
    return true;
  };
  for (const url of include.valueSet ?? []) if (!narrow(expand(url.split('|')[0]))) return null;
  if (include.system) {
    const system = systems.get(include.system);
    const coded = (list) => list.map((c) => ({ code: c.code, system: include.system }));
    if (include.concept) narrow(coded(include.concept));
    else {
      if (system?.content !== 'complete') return null;
      if (!narrow(coded(walk(system.concept)))) return null;
      for (const filter of include.filter ?? []) {
        const kept = filterCodes(system, filter);
        if (kept === null || !narrow(coded(kept))) return null;
      }
    }
  }
  return codes;
}

/* A function url -> [{code, system}], or null when the set is not enumerable. */
export function expandValueSets(terminology) {
  const sets = new Map();
  const systems = new Map();
  for (const r of terminology) {
    const map = { ValueSet: sets, CodeSystem: systems }[r.resourceType];
    if (map && !map.has(r.url)) map.set(r.url, r);
  }
  const expand = (url) => {
    const compose = sets.get(url)?.compose;
    if (!compose?.include) return null;
    const included = compose.include.map((i) => part(i, systems, expand));
    const excluded = (compose.exclude ?? []).map((i) => part(i, systems, expand));
    if (included.includes(null) || excluded.includes(null)) return null;
    const key = (c) => `${c.system}|${c.code}`;
    const out = new Set(excluded.flat().map(key));
    const codes = new Map(included.flat().filter((c) => !out.has(key(c))).map((c) => [key(c), c]));
    return [...codes.values()];
  };
  return expand;
}
