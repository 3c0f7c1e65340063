import { expect, it } from 'vitest';
import type { MiddlewareInfo, RouterInfo, ServiceInfo } from '../types';
import { flowOf, priorityText } from './flow';

const ROUTER: RouterInfo = {
  name: 'shop@file',
  provider: 'file',
  status: 'enabled',
  rule: 'Host(`shop.test`)',
  entryPoints: ['web', 'websecure'],
  using: ['web'],
  middlewares: ['auth', 'compress@mito'],
  service: 'shop',
  priority: 17,
  priorityStr: '17',
};
const AUTH: MiddlewareInfo = {
  name: 'auth@file',
  provider: 'file',
  status: 'enabled',
  type: 'basicauth',
};
const SERVICE: ServiceInfo = {
  name: 'shop@file',
  provider: 'file',
  status: 'enabled',
  type: 'loadbalancer',
  loadBalancer: { servers: [{ url: 'http://a' }, { url: 'http://b', weight: 3 }] },
  serverStatus: { 'http://a': 'UP', 'http://b': 'DOWN' },
};

it('draws every stage in the order of a request', () => {
  const stages = flowOf(ROUTER, [AUTH, null], SERVICE);
  expect(stages.map(({ name, nodes }) => [name, nodes.map(({ title }) => title)])).toEqual([
    ['Entry points', ['web', 'websecure']],
    ['Router', ['shop']],
    ['Middlewares', ['auth', 'compress@mito']],
    ['Service', ['shop']],
    ['Servers', ['http://a', 'http://b']],
  ]);
  const [entries, , middlewares, service, servers] = stages.map(({ nodes }) => nodes);
  expect(entries?.map(({ state }) => state)).toEqual([undefined, 'disabled']);
  expect(middlewares?.map(({ state, href }) => [state, href])).toEqual([
    ['enabled', '/gateway/middlewares/auth@file'],
    ['missing', '/gateway/middlewares/compress@mito'],
  ]);
  expect(service?.[0]?.href).toBe('/gateway/services/shop@file');
  expect(servers?.map(({ state, detail }) => [state, detail])).toEqual([
    ['UP', undefined],
    ['DOWN', 'weight 3'],
  ]);
});

it('says what is missing, and nothing while it loads', () => {
  const { middlewares: _, ...router } = ROUTER;
  const names = (service: null | undefined) => flowOf(router, [], service);
  expect(names(undefined).map(({ name }) => name)).toEqual(['Entry points', 'Router', 'Service']);
  expect(names(undefined).at(-1)?.nodes[0]?.problem).toBeUndefined();
  expect(names(null).at(-1)?.nodes[0]?.problem).toBe('There is no service of this name.');
});

it('shows the shares of a service, and who answers when nobody else does', () => {
  const { loadBalancer: _, ...bare } = SERVICE;
  const last = (service: ServiceInfo) => flowOf(ROUTER, [], service).at(-1);
  expect(
    last({ ...bare, type: 'weighted', weighted: { services: [{ name: 'blue', weight: 3 }] } }),
  ).toEqual({
    name: 'Shares',
    nodes: [
      {
        key: '0 blue@file',
        title: 'blue',
        detail: 'weight 3',
        href: '/gateway/services/blue@file',
      },
    ],
  });
  const { type: __, ...internal } = bare;
  expect(last(internal)?.nodes[0]?.title).toBe('mito answers itself');
  expect(last(bare)?.nodes[0]).toMatchObject({ title: 'No servers', state: 'disabled' });
});

it('has a word for priorities that are no number here', () => {
  expect(priorityText({ priority: 44 })).toBe('44');
  expect(priorityText({ priority: 2 ** 63 })).toBe('highest');
});
