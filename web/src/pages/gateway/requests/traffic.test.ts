import { describe, expect, it } from 'vitest';
import { areaPath, ceiling, linePath, stack } from './shapes';
import { classOf, matching, parseRequest, percentile, type RequestInfo, Traffic } from './traffic';

const NOW = 1_000_000_000;
let ids = 0;

function request(values: Partial<RequestInfo> = {}): RequestInfo {
  ids += 1;
  return {
    id: ids,
    at: NOW,
    method: 'GET',
    host: 'shop.test',
    path: '/',
    status: 200,
    durationMs: 10,
    router: 'shop@file',
    service: 'shop@file',
    clientIp: '192.0.2.1',
    entryPoint: 'web',
    bytes: 5,
    ...values,
  };
}

describe('parseRequest', () => {
  it('reads a request and leaves out what is none', () => {
    const data = '{"time":"2026-11-30T12:00:00.5Z","method":"GET","path":"/x","status":204}';
    expect(parseRequest(data, 7)).toMatchObject({ id: 7, path: '/x', status: 204, host: '' });
    for (const wrong of [
      '',
      'null',
      '[]',
      '{"time":"soon","status":200}',
      '{"time":"2026-11-30"}',
    ]) {
      expect(parseRequest(wrong, 1)).toBeNull();
    }
    const nobody = '{"time":"2026-11-30","status":404,"router":"-","service":"-"}';
    expect(parseRequest(nobody, 1)).toMatchObject({ router: '', service: '' });
    const odd = '{"time":"2026-11-30","status":200,"durationMs":-5,"bytes":"many"}';
    expect(parseRequest(odd, 1)).toMatchObject({ durationMs: 0, bytes: 0 });
  });
});

it.each([
  [101, 1],
  [204, 2],
  [499, 4],
  [599, 5],
  [0, 1],
  [999, 5],
])('status %i is of class %i', (status, expected) => {
  expect(classOf(status)).toBe(expected);
});

it('filters by words, class and router together', () => {
  const rows = [request(), request({ path: '/cart', status: 404 }), request({ router: 'b@file' })];
  const found = (search: string, statusClass = 0, router = '') =>
    matching(rows, { search, statusClass, router }).map(({ id }) =>
      rows.findIndex((r) => r.id === id),
    );
  expect(found('')).toEqual([0, 1, 2]);
  expect(found('get SHOP.test/cart')).toEqual([1]);
  expect(found('', 2)).toEqual([0, 2]);
  expect(found('', 2, 'b@file')).toEqual([2]);
  expect(found('192.0.2.1 404')).toEqual([1]);
});

describe('Traffic', () => {
  it("keeps the latest requests, and the panel's own apart", () => {
    const traffic = new Traffic();
    for (let index = 0; index < 1500; index += 1) {
      const path = index % 2 ? '/_mito/api/x' : `/${index}`;
      traffic.add(request({ path }), NOW);
    }
    const rows = traffic.rows(false);
    expect(rows).toHaveLength(500);
    expect(rows[0]?.path).toBe('/1498');
    expect(rows.at(-1)?.path).toBe('/500');
    expect(traffic.rows(true)[0]?.path).toBe('/_mito/api/x');
    expect(traffic.rows(true)).toHaveLength(500);
  });

  it('sums what arrived over the last five minutes', () => {
    const traffic = new Traffic();
    traffic.opened(NOW - 20_000);
    for (const [secondsAgo, status] of [
      [12, 200],
      [12, 500],
      [7, 200],
      [1, 200],
    ] as const) {
      traffic.add(request({ at: NOW - secondsAgo * 1000, status }), NOW - secondsAgo * 1000);
    }
    const points = traffic.points(false, NOW + 4000);
    expect(points).toHaveLength(60);
    expect(points.slice(0, -6).every(({ perSecond }) => perSecond === null)).toBe(true);
    expect(points.slice(-5).map(({ perSecond }) => perSecond)).toEqual([0, 0.4, 0.2, 0.2, 0]);
    expect(points.at(-4)?.classes).toEqual([0, 0.2, 0, 0, 0.2]);
    expect(points.at(-4)?.p50).toBeCloseTo(10, 0);
    expect(points.at(-1)?.p50).toBeNull();
  });

  it("follows the gateway's clock where it differs", () => {
    const traffic = new Traffic();
    const hour = 3_600_000;
    traffic.opened(NOW);
    traffic.add(request({ at: NOW - hour }), NOW);
    expect(traffic.points(false, NOW).at(-1)?.perSecond).toBeGreaterThan(0);
  });
});

it('finds percentiles within a tenth', () => {
  const traffic = new Traffic();
  for (let ms = 1; ms <= 100; ms += 1) {
    traffic.add(request({ durationMs: ms }), NOW);
  }
  const last = traffic.points(false, NOW).at(-1);
  expect(Math.abs((last?.p50 ?? 0) - 50)).toBeLessThan(5);
  expect(Math.abs((last?.p95 ?? 0) - 95)).toBeLessThan(9);
  expect(percentile(new Uint32Array(3), 0.5)).toBeNull();
});

describe('shapes', () => {
  it.each([
    [[], 1],
    [[null, 0], 1],
    [[0.3], 0.5],
    [[7, 12], 20],
    [[1000], 1000],
  ])('%j reach up to %d', (values, max) => {
    expect(ceiling(values)).toBeCloseTo(max);
  });

  it('breaks lines where nothing is known', () => {
    expect(linePath([0, 1, null, 1], 1)).toBe('M0 72L100 0M298.5 0L301.5 0');
    expect(areaPath([null, 1, 1], 1)).toBe('M150 72L150 0L300 0L300 72Z');
    expect(linePath([], 1)).toBe('');
  });

  it('stacks values', () => {
    expect(
      stack(
        [
          [1, 1],
          [0, 2],
        ],
        2,
      ).map(({ y, height, series }) => [y, height, series]),
    ).toEqual([
      [36, 36, 0],
      [0, 36, 1],
      [0, 72, 1],
    ]);
  });
});
