// What is random in an answer, under names that are the same for both servers.

const DATE = /\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g;
const TOKEN = /\beyJ[\w-]+\.[\w-]+\.[\w-]+/g;
const SUFFIX = /_[A-Za-z0-9]{10}(?=\.[A-Za-z0-9]+)/g;
const ID = /^[a-z0-9]{15}$/;

/** The value with saved values as `<name>`, and other random ones as `<id>`, `<date>`, … */
export function normalise(value, saved) {
  if (Array.isArray(value)) return value.map((item) => normalise(item, saved));
  if (value && typeof value === "object") {
    const entries = Object.entries(value).map(([key, item]) => [normaliseText(key, saved), normalise(item, saved)]);
    entries.sort(([one], [other]) => (one < other ? -1 : 1));
    return Object.fromEntries(entries);
  }
  if (typeof value === "string") return normaliseText(value, saved);
  return value;
}

function normaliseText(text, saved) {
  let named = text;
  for (const [name, value] of saved) {
    if (value.length > 3) named = named.split(value).join(`<${name}>`);
  }
  named = named.replace(TOKEN, "<token>").replace(DATE, "<date>").replace(SUFFIX, "_<suffix>");
  return ID.test(named) ? "<id>" : named;
}

/** Where two normalised values differ: `[{ path, one, other }]`. */
export function differences(one, other, path = "") {
  const bothObjects = one && other && typeof one === "object" && typeof other === "object";
  if (bothObjects && Array.isArray(one) === Array.isArray(other)) {
    const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
    return [...keys].flatMap((key) => differences(one[key], other[key], path ? `${path}.${key}` : key));
  }
  return Object.is(one, other) ? [] : [{ path, one, other }];
}
