/** Where a person may be sent after signing in. Everything else would be an open redirect. */

/** Labels of the hosts that show pages beside `admin.`. */
const PAGE_HOSTS = new Set(['traefik', 'minio-console', 'mobile-build']);

/** The part of `URL` that these checks read. */
export type Place = Pick<URL, 'protocol' | 'hostname' | 'port'>;

/** The platform's domain and the host's label, if the host has one that shows pages. */
export function pageHost(hostname: string): { label: string; domain: string } | null {
  const dot = hostname.indexOf('.');
  if (dot < 1) {
    return null;
  }
  const label = hostname.slice(0, dot);
  const domain = hostname.slice(dot + 1);
  return domain && (label === 'admin' || PAGE_HOSTS.has(label)) ? { label, domain } : null;
}

/** The origin of the control panel for a page host that gets its session from there. */
export function adminOrigin(place: Place): string | null {
  const host = pageHost(place.hostname);
  if (!host || host.label === 'admin') {
    return null;
  }
  return `${place.protocol}//admin.${host.domain}${place.port ? `:${place.port}` : ''}`;
}

/**
 * The URL to hand a session code to: on another page host of the same domain, scheme and port.
 * `null` when `target` is anything else.
 */
export function siblingUrl(target: string | null, here: Place): URL | null {
  const host = pageHost(here.hostname);
  if (!target || host?.label !== 'admin') {
    return null;
  }
  let url: URL;
  try {
    url = new URL(target);
  } catch {
    return null;
  }
  const other = pageHost(url.hostname);
  const accepted =
    other !== null &&
    other.domain === host.domain &&
    other.label !== 'admin' &&
    url.protocol === here.protocol &&
    url.port === here.port &&
    url.username === '' &&
    url.password === '';
  return accepted ? url : null;
}

/** A path on this host to go on to, or `/` when `target` is none. */
export function localPath(target: string | null): string {
  // `//host` and `/\host` are other hosts to a browser; a control character may hide either.
  if (!target || !/^\/(?![/\\])[\x21-\x7e]*$/.test(target)) {
    return '/';
  }
  return target.startsWith('/sign-in') || target.startsWith('/setup') ? '/' : target;
}
