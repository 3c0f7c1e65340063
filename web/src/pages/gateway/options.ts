/** Options of middlewares and services as lists that can be read. */

/** An option by its dotted name, with every value that it has. */
export interface Option {
  name: string;
  values: string[];
}

/** How deep options nest: `plugin.name.headers.X` is four. */
const MAX_DEPTH = 6;

/** Options under Traefik's names, those within others by their dotted name. */
export function readOptions(value: unknown, prefix = '', depth = 0): Option[] {
  if (!isObject(value)) {
    return [{ name: prefix || 'value', values: valuesOf(value) }];
  }
  return Object.entries(value).flatMap(([key, inner]) => {
    const name = prefix ? `${prefix}.${key}` : key;
    const nested = isObject(inner) && Object.keys(inner).length > 0 && depth < MAX_DEPTH;
    return nested ? readOptions(inner, name, depth + 1) : [{ name, values: valuesOf(inner) }];
  });
}

function valuesOf(value: unknown): string[] {
  if (Array.isArray(value)) {
    return value.map(oneValue);
  }
  return [oneValue(value)];
}

function oneValue(value: unknown): string {
  if (typeof value === 'boolean') {
    return value ? 'yes' : 'no';
  }
  if (value === null || value === undefined || value === '') {
    return '–';
  }
  if (isObject(value) && Object.keys(value).length === 0) {
    return 'on';
  }
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The options of a middleware stand under the name of its type, which keeps its capitals there. */
export function middlewareOptions(
  middleware: { type: string } & Record<string, unknown>,
): Option[] {
  const type = middleware.type.toLowerCase();
  const found = Object.entries(middleware).find(
    ([key, value]) => key.toLowerCase() === type && isObject(value),
  );
  return found ? readOptions(found[1]) : [];
}

const PURPOSES: Record<string, string> = {
  addprefix: 'puts something before the path',
  basicauth: 'asks for a name and a password',
  buffering: 'limits the size of requests and answers',
  chain: 'passes a request through several middlewares',
  circuitbreaker: 'keeps requests from a server that fails',
  compress: 'makes answers smaller on their way',
  contenttype: 'finds out the type of answers that name none',
  digestauth: 'asks for a name and a password, which is never sent',
  errors: 'shows a page of another service for errors',
  forwardauth: 'asks another server whether a request may pass',
  grpcweb: 'turns requests of browsers into gRPC',
  headers: 'sets headers of requests and answers',
  inflightreq: 'limits the requests that are answered at once',
  ipallowlist: 'lets some addresses pass alone',
  ipwhitelist: 'lets some addresses pass alone',
  passtlsclientcert: "hands the client's certificate on",
  ratelimit: 'limits how often a client may ask',
  redirectregex: 'redirects to another address',
  redirectscheme: 'redirects to another scheme or port',
  replacepath: 'replaces the path',
  replacepathregex: 'replaces a part of the path',
  retry: 'tries again when a server does not answer',
  stripprefix: 'takes something off the beginning of the path',
  stripprefixregex: 'takes what matches off the beginning of the path',
};

/** What middlewares of a type do, in a few words. */
export function purpose(type: string): string | undefined {
  return PURPOSES[type.toLowerCase()];
}
