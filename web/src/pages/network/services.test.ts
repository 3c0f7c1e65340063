import { expect, it } from 'vitest';
import { serviceUrl } from './services';

it.each([
  ['api', 'http://admin.localhost:8000/', 'http://api.localhost:8000'],
  ['admin-web', 'https://traefik.example.org/', 'https://admin.example.org'],
  ['redis', 'https://admin.example.org/', null],
  ['api', 'http://127.0.0.1:8080/', null],
  ['api', 'http://[::1]:8080/', null],
  ['api', 'http://localhost:8080/', null],
])('%s seen from %s is %s', (name, here, url) => {
  expect(serviceUrl(name, new URL(here))).toBe(url);
});
