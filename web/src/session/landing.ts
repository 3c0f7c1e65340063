/** The page that a host opens with. */

import { pageHost } from './return-url';

const LANDINGS: Record<string, string> = {
  admin: '/network',
  'minio-console': '/objects',
  traefik: '/gateway',
  'mobile-build': '/mobile',
};

/**
 * Where `/` leads on the given host. Entry points are the server's to know: it leads to `/gateway`
 * itself where Traefik had its dashboard.
 */
export function landing(place: Pick<URL, 'hostname'>): string {
  const label = pageHost(place.hostname)?.label;
  return (label === undefined ? undefined : LANDINGS[label]) ?? '/network';
}
