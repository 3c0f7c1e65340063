import { expect, it } from 'vitest';
import { landing } from './landing';

it.each([
  ['http://admin.localhost:8000/', '/network'],
  ['https://minio-console.example.org/', '/objects'],
  ['http://traefik.localhost:8000/', '/gateway'],
  ['http://mobile-build.localhost/', '/mobile'],
  ['http://localhost:8080/', '/network'],
  ['http://127.0.0.1:3001/', '/network'],
])('%s opens %s', (url, path) => {
  expect(landing(new URL(url))).toBe(path);
});
