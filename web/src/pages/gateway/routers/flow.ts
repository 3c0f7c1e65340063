/** The way of a request through a router, as stages to draw. */

import { fullName, objectHref, shortName } from '../names';
import type { MiddlewareInfo, RouterInfo, ServiceInfo } from '../types';

export interface FlowNode {
  key: string;
  title: string;
  /** What it is or does, under its name. */
  detail?: string;
  /** A state that is worth showing. */
  state?: string;
  /** What is wrong with it. */
  problem?: string;
  /** Its page. */
  href?: string;
  /** Whether this is the page that shows the drawing. */
  here?: boolean;
}

export interface Stage {
  name: string;
  nodes: FlowNode[];
  /** Whether a request passes the nodes one after the other, rather than one of them. */
  ordered?: boolean;
}

/** An object that was asked for: undefined while it loads, `null` when there is none. */
type Asked<T> = T | null | undefined;

/** The stages in the order in which a request passes them. */
export function flowOf(
  router: RouterInfo,
  middlewares: Asked<MiddlewareInfo>[],
  service: Asked<ServiceInfo>,
): Stage[] {
  const names = router.middlewares ?? [];
  const stages: Stage[] = [
    { name: 'Entry points', nodes: router.entryPoints.map((name) => entryPoint(router, name)) },
    { name: 'Router', nodes: [routerNode(router)] },
  ];
  if (names.length > 0) {
    stages.push({
      name: 'Middlewares',
      ordered: true,
      nodes: names.map((name, index) => middlewareNode(router, name, index, middlewares[index])),
    });
  }
  stages.push({ name: 'Service', nodes: [serviceNode(router, service)] });
  if (service) {
    stages.push({ name: isShared(service) ? 'Shares' : 'Servers', nodes: targets(service) });
  }
  return stages.filter(({ nodes }) => nodes.length > 0);
}

function entryPoint({ using }: RouterInfo, name: string): FlowNode {
  const closed = using !== undefined && !using.includes(name);
  return {
    key: name,
    title: name,
    href: '/gateway',
    ...(closed && { state: 'disabled', problem: 'It does not listen.' }),
  };
}

function routerNode(router: RouterInfo): FlowNode {
  return {
    key: router.name,
    title: shortName(router.name, router.provider),
    detail: router.rule,
    state: router.status,
    here: true,
    ...problemOf(router.error),
  };
}

function middlewareNode(
  { provider }: RouterInfo,
  called: string,
  index: number,
  found: Asked<MiddlewareInfo>,
): FlowNode {
  const name = fullName(called, provider);
  return {
    key: `${index} ${name}`,
    title: shortName(name, provider),
    href: objectHref('middlewares', name),
    ...(found && { detail: found.type, state: found.status, ...problemOf(found.error) }),
    ...(found === null && { state: 'missing', problem: 'There is no middleware of this name.' }),
  };
}

function serviceNode(router: RouterInfo, found: Asked<ServiceInfo>): FlowNode {
  const name = fullName(router.service, router.provider);
  return {
    key: name,
    title: shortName(name, router.provider),
    href: objectHref('services', name),
    ...(found && {
      detail: serviceType(found),
      state: found.status,
      ...problemOf(found.error),
    }),
    ...(found === null && { state: 'missing', problem: 'There is no service of this name.' }),
  };
}

function problemOf(error: string[] | undefined): { problem?: string } {
  return error?.length ? { problem: error.join(' ') } : {};
}

/** What kind of service it is; one without a type answers within mito. */
export function serviceType({ type }: Pick<ServiceInfo, 'type'>): string {
  return type ?? 'in process';
}

/** Whether it shares requests between other services. */
function isShared(service: ServiceInfo): boolean {
  return children(service).length > 0;
}

/** The services that a service hands requests to, with what part of them. */
export function children(service: ServiceInfo): { name: string; detail: string }[] {
  const { weighted, highestRandomWeight, mirroring, failover } = service;
  const shares = [...(weighted?.services ?? []), ...(highestRandomWeight?.services ?? [])];
  const found = shares.map(({ name, weight = 1 }) => ({ name, detail: `weight ${weight}` }));
  if (mirroring?.service) {
    found.push({ name: mirroring.service, detail: 'answers' });
  }
  for (const { name, percent = 0 } of mirroring?.mirrors ?? []) {
    found.push({ name, detail: `gets a copy of ${percent} %` });
  }
  if (failover?.service) {
    found.push({ name: failover.service, detail: 'first' });
  }
  if (failover?.fallback) {
    found.push({ name: failover.fallback, detail: 'when the first is down' });
  }
  return found;
}

function targets(service: ServiceInfo): FlowNode[] {
  if (isShared(service)) {
    return children(service).map(({ name, detail }, index) => {
      const full = fullName(name, service.provider);
      const title = shortName(full, service.provider);
      return { key: `${index} ${full}`, title, detail, href: objectHref('services', full) };
    });
  }
  const servers = service.loadBalancer?.servers ?? [];
  if (servers.length === 0) {
    const title = service.type ? 'No servers' : 'mito answers itself';
    return [{ key: 'none', title, ...(service.type && { state: 'disabled' }) }];
  }
  return servers.map(({ url, weight }) => {
    const state = service.serverStatus?.[url];
    return {
      key: url,
      title: url,
      href: objectHref('services', service.name),
      ...(weight !== undefined && weight !== 1 && { detail: `weight ${weight}` }),
      ...(state && { state }),
    };
  });
}

/** A priority in words where it is one of the gateway's own, which no number here can hold. */
export function priorityText({ priority }: Pick<RouterInfo, 'priority'>): string {
  return Number.isSafeInteger(priority) ? String(priority) : 'highest';
}
