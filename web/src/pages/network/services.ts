import { useQuery } from '@tanstack/react-query';
import { get } from '@/api/client';
import type { ServiceStatus } from '@/api/types';

const POLL_MS = 2000;

/** The roles with their live states. */
export function useServices() {
  return useQuery({
    queryKey: ['network', 'services'],
    queryFn: () => get<ServiceStatus[]>('/network/services'),
    refetchInterval: POLL_MS,
  });
}

/** Labels of the hosts that the gateway serves for a service, beside the domain. */
const HOSTS: Record<string, string> = {
  traefik: 'traefik',
  api: 'api',
  'admin-web': 'admin',
  'mobile-build': 'mobile-build',
  minio: 'minio',
  'minio-console': 'minio-console',
};

/** The public address of a service, told from the address that this page has. */
export function serviceUrl(
  name: string,
  here: Pick<URL, 'protocol' | 'hostname' | 'port'>,
): string | null {
  const label = HOSTS[name];
  const dot = here.hostname.indexOf('.');
  const ip = /^[\d.]+$|^\[/.test(here.hostname);
  if (!label || dot < 1 || ip) {
    return null;
  }
  const port = here.port ? `:${here.port}` : '';
  return `${here.protocol}//${label}.${here.hostname.slice(dot + 1)}${port}`;
}
