/** The page that a host opens with. */

import { pageHost } from './return-url';

const LANDINGS: Record<string, string> = {
  admin: '/network',
  'minio-console': '/objects',
  traefik: '/gateway',
  'mobile-build': '/mobile',
};

/** Where `/` leads on the given host; port 8080 is the gateway's dashboard, as Traefik's was. */
export function landing(place: Pick<URL, 'hostname' | 'port'>): string {
  const label = pageHost(place.hostname)?.label;
  const path = label === undefined ? undefined : LANDINGS[label];
  return path ?? (place.port === '8080' ? '/gateway' : '/network');
}
