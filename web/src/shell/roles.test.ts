import { expect, it } from 'vitest';
import { activePage } from './roles';

it.each([
  ['/network', 'Overview'],
  ['/records', 'Collections'],
  ['/records/subscribers/abc', 'Collections'],
  ['/records/contents', 'Contents'],
  ['/records/contents/abc', 'Contents'],
  ['/records/contents2', 'Collections'],
  ['/schema/posts', 'Collections'],
  ['/collections/transfer', 'Collections'],
  ['/accounts', 'Accounts'],
  ['/queue/jobs/1', 'Jobs'],
  ['/gateway/routers/shop@file', 'Routing'],
  ['/gateway/files/shop.yml', 'Configuration'],
  ['/nowhere', undefined],
])('%s belongs to %s', (path, label) => {
  expect(activePage(path)?.label).toBe(label);
});
