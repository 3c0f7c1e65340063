import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  type ApiError,
  apiUrl,
  encodePath,
  get,
  getText,
  post,
  setCsrf,
  setOnUnauthorized,
  setRenewCsrf,
  toError,
} from './client';

function answer(status: number, body: string, headers: Record<string, string> = {}): void {
  vi.stubGlobal(
    'fetch',
    vi.fn(async () => new Response(status === 204 ? null : body, { status, headers })),
  );
}

afterEach(() => {
  vi.unstubAllGlobals();
  setOnUnauthorized(() => {});
});

describe('toError', () => {
  it('reads problem details and maps the field', () => {
    const error = toError(
      422,
      '{"status":422,"title":"Unprocessable","detail":"too short","field":"password"}',
      null,
    );
    expect(error.message).toBe('too short');
    expect(error.title).toBe('Unprocessable');
    expect(error.fields).toEqual({ password: 'too short' });
  });

  it('reads PocketBase field errors', () => {
    const error = toError(
      400,
      '{"status":400,"message":"Failed.","data":{"email":{"code":"x","message":"Invalid."}}}',
      null,
    );
    expect(error.message).toBe('Failed.');
    expect(error.fields).toEqual({ email: 'Invalid.' });
  });

  it('says something useful for a page of the gateway, with the wait', () => {
    const error = toError(503, '<h1>api is starting</h1>', '2');
    expect(error.message).toContain('not ready');
    expect(error.retryAfterSeconds).toBe(2);
  });

  it('survives JSON that is no object', () => {
    expect(toError(500, '[1]', null).message).toContain('500');
    expect(toError(500, 'null', 'soon').retryAfterSeconds).toBeNull();
  });
});

describe('request', () => {
  it('reports a lost session, but not a wrong password', async () => {
    const lost = vi.fn();
    setOnUnauthorized(lost);
    answer(401, '{"detail":"wrong e-mail or password"}');
    await expect(post('/session', {})).rejects.toThrow('wrong e-mail');
    expect(lost).not.toHaveBeenCalled();
    await expect(get('/queue/jobs')).rejects.toMatchObject({ status: 401 });
    expect(lost).toHaveBeenCalledOnce();
  });

  it('tells when nothing answers', async () => {
    vi.stubGlobal(
      'fetch',
      vi.fn(async () => Promise.reject(new TypeError('failed'))),
    );
    const error: ApiError = await get('/x').then(
      () => Promise.reject(new Error('answered')),
      (reason) => reason,
    );
    expect(error.status).toBe(0);
    expect(error.message).toContain('does not answer');
  });

  it('sends the CSRF header with unsafe methods alone, and reads an empty answer', async () => {
    setCsrf('token-1');
    answer(204, '');
    await expect(post('/x')).resolves.toBeUndefined();
    const mock = vi.mocked(fetch);
    expect(mock.mock.calls[0]?.[1]?.headers).toMatchObject({ 'X-Mito-Csrf': 'token-1' });
    answer(200, '{}');
    await get('/x');
    expect(vi.mocked(fetch).mock.calls[0]?.[1]?.headers).not.toHaveProperty('X-Mito-Csrf');
  });
});

describe('a stale CSRF token', () => {
  function refuseUnless(token: string) {
    const sent: string[] = [];
    vi.stubGlobal(
      'fetch',
      vi.fn(async (_url: string, init: RequestInit) => {
        const given = new Headers(init.headers).get('X-Mito-Csrf') ?? '';
        sent.push(given);
        return given === token ? new Response('{"id":1}') : new Response('{}', { status: 403 });
      }),
    );
    return sent;
  }

  it('is renewed once', async () => {
    setCsrf('old');
    setRenewCsrf(async () => {
      setCsrf('new');
      return 'new';
    });
    const sent = refuseUnless('new');
    await expect(post('/x', {})).resolves.toEqual({ id: 1 });
    expect(sent).toEqual(['old', 'new']);
  });

  it('is not the reason when it is still the same', async () => {
    setCsrf('same');
    setRenewCsrf(async () => 'same');
    const sent = refuseUnless('other');
    await expect(post('/x', {})).rejects.toMatchObject({ status: 403 });
    expect(sent).toEqual(['same']);
  });
});

describe('getText', () => {
  it('stops at the limit and asks for no more', async () => {
    const body = new ReadableStream<Uint8Array>(
      { pull: (controller) => controller.enqueue(new TextEncoder().encode('aé')) },
      { highWaterMark: 0 },
    );
    vi.stubGlobal(
      'fetch',
      vi.fn(async () => new Response(body)),
    );
    await expect(getText('/x', 7)).resolves.toBe('aéaéa');
  });

  it('reads a short answer whole', async () => {
    answer(200, 'short');
    await expect(getText('/x', 100)).resolves.toBe('short');
  });
});

describe('addresses', () => {
  it('leaves empty parameters out and escapes the others', () => {
    expect(apiUrl('/queue/jobs', { state: '', before: null, limit: 5, queue: 'a b' })).toBe(
      '/_mito/api/queue/jobs?limit=5&queue=a+b',
    );
  });

  it('keeps slashes of keys', () => {
    expect(encodePath('a b/c#d?.html')).toBe('a%20b/c%23d%3F.html');
  });
});

it('names nested errors by their path', () => {
  const body = {
    status: 400,
    message: 'Failed to create collection.',
    data: {
      name: { code: 'a', message: 'Taken.' },
      fields: { 2: { values: { code: 'b', message: 'Cannot be blank.' } } },
      oauth2: { providers: { 0: { clientId: { code: 'c', message: 'Missing.' } } } },
    },
  };
  expect(toError(400, JSON.stringify(body), null).fields).toEqual({
    name: 'Taken.',
    'fields.2.values': 'Cannot be blank.',
    'oauth2.providers.0.clientId': 'Missing.',
  });
});
