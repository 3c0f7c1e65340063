import { describe, expect, it } from 'vitest';
import { adminOrigin, localPath, pageHost, siblingUrl } from './return-url';

const admin = new URL('http://admin.localhost:8000/');

describe('siblingUrl', () => {
  it.each([
    ['http://traefik.localhost:8000/gateway?x=1'],
    ['http://minio-console.localhost:8000/'],
    ['http://mobile-build.localhost:8000/mobile'],
  ])('accepts %s', (target) => {
    expect(siblingUrl(target, admin)?.href).toBe(target);
  });

  it.each([
    [null],
    [''],
    ['/gateway'],
    ['javascript:alert(1)'],
    ['http://evil.example/'],
    ['http://traefik.evil.example:8000/'],
    ['http://traefik.localhost.evil.example:8000/'],
    ['http://traefik.localhost:8001/'],
    ['https://traefik.localhost:8000/'],
    ['http://admin.localhost:8000/'],
    ['http://api.localhost:8000/'],
    ['http://x.traefik.localhost:8000/'],
    ['http://user:pw@traefik.localhost:8000/'],
    ['http://traefik.localhost:8000@evil.example/'],
    ['//traefik.localhost:8000/'],
  ])('refuses %s', (target) => {
    expect(siblingUrl(target, admin)).toBeNull();
  });

  it('hands codes out on the admin host alone', () => {
    const other = new URL('http://traefik.localhost:8000/');
    expect(siblingUrl('http://mobile-build.localhost:8000/', other)).toBeNull();
  });
});

describe('adminOrigin', () => {
  it('keeps scheme and port', () => {
    expect(adminOrigin(new URL('http://traefik.localhost:8000/x'))).toBe(
      'http://admin.localhost:8000',
    );
    expect(adminOrigin(new URL('https://minio-console.example.org/'))).toBe(
      'https://admin.example.org',
    );
  });

  it('is none where a person signs in', () => {
    expect(adminOrigin(admin)).toBeNull();
    expect(adminOrigin(new URL('http://localhost:8080/'))).toBeNull();
    expect(adminOrigin(new URL('http://127.0.0.1:8080/'))).toBeNull();
  });
});

describe('pageHost', () => {
  it('knows the hosts that show pages', () => {
    expect(pageHost('admin.example.org')).toEqual({ label: 'admin', domain: 'example.org' });
    expect(pageHost('api.example.org')).toBeNull();
    expect(pageHost('localhost')).toBeNull();
  });
});

describe('localPath', () => {
  it.each([
    ['/queue/jobs/1?state=running#log', '/queue/jobs/1?state=running#log'],
    ['//evil.example', '/'],
    ['/\\evil.example', '/'],
    ['/\t/evil.example', '/'],
    ['http://evil.example', '/'],
    ['queue', '/'],
    ['/sign-in?return=/x', '/'],
    ['/setup', '/'],
    [null, '/'],
  ])('%s → %s', (target, path) => {
    expect(localPath(target)).toBe(path);
  });
});
