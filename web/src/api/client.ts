/** Calls to mito's own API, with one error type for whatever can come back. */

/** What an answer said was wrong, in one shape. */
export class ApiError extends Error {
  /** The HTTP status; 0 when there was no answer at all. */
  readonly status: number;
  /** What kind of problem it is. */
  readonly title: string;
  /** Messages by field name. */
  readonly fields: Readonly<Record<string, string>>;
  /** Seconds to wait before trying again, where the server said so. */
  readonly retryAfterSeconds: number | null;
  /** The line of the sent text that is wrong, from 1, where the server said so. */
  readonly line: number | null;

  constructor(
    status: number,
    title: string,
    detail: string,
    fields: Record<string, string> = {},
    retryAfterSeconds: number | null = null,
    line: number | null = null,
  ) {
    super(detail || title);
    this.name = 'ApiError';
    this.status = status;
    this.title = title;
    this.fields = fields;
    this.retryAfterSeconds = retryAfterSeconds;
    this.line = line;
  }
}

const BASE = '/_mito/api';
const UNSAFE = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

let csrf = '';
let onUnauthorized: () => void = () => {};
let renewCsrf: () => Promise<string> = async () => csrf;

/** The token that unsafe requests carry from now on. */
export function setCsrf(token: string): void {
  csrf = token;
}

/** What happens when any request answers that nobody is signed in. */
export function setOnUnauthorized(callback: () => void): void {
  onUnauthorized = callback;
}

/** How to ask for the present token: another tab may have signed in or out meanwhile. */
export function setRenewCsrf(callback: () => Promise<string>): void {
  renewCsrf = callback;
}

/** The address of an endpoint: `path` below the panel's API, with the given query parameters. */
export function apiUrl(
  path: string,
  query: Record<string, string | number | null | undefined> = {},
): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== '') {
      search.set(name, String(value));
    }
  }
  const text = search.toString();
  return `${BASE}${path}${text ? `?${text}` : ''}`;
}

/** Encodes an object key or another path of several segments for use in a URL. */
export function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

/** Sends a request and reads JSON (nothing for an empty answer). */
export async function request<T>(method: string, url: string, body?: unknown): Promise<T> {
  const sent = csrf;
  try {
    return await send<T>(method, url, body);
  } catch (error) {
    // A token that has become stale is worth one more try; anything else stays refused.
    const refused = error instanceof ApiError && error.status === 403 && UNSAFE.has(method);
    if (!refused || (await renewCsrf()) === sent) {
      throw error;
    }
    return send<T>(method, url, body);
  }
}

async function send<T>(method: string, url: string, body: unknown): Promise<T> {
  return (await exchange<T>(method, url, body)).value;
}

async function exchange<T>(
  method: string,
  url: string,
  body?: unknown,
): Promise<{ value: T; headers: Headers }> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  // The browser writes the boundary of a form with files itself.
  const form = body instanceof FormData;
  if (body !== undefined && !form) {
    headers['Content-Type'] = 'application/json';
  }
  if (UNSAFE.has(method)) {
    headers['X-Mito-Csrf'] = csrf;
  }
  const init: RequestInit = { method, headers, credentials: 'same-origin' };
  if (body !== undefined) {
    init.body = form ? body : JSON.stringify(body);
  }
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch {
    throw noAnswer();
  }
  const text = await response.text();
  if (!response.ok) {
    const error = toError(response.status, text, response.headers.get('Retry-After'));
    reportUnauthorized(error, url);
    throw error;
  }
  return { value: (text ? JSON.parse(text) : undefined) as T, headers: response.headers };
}

/** Reads a page of a list whose `X-Next-Page` is the number of the following one, or 1. */
export async function getPage<T>(
  path: string,
  query: Record<string, string | number | null | undefined>,
): Promise<{ items: T[]; hasNext: boolean }> {
  const { value, headers } = await exchange<T[]>('GET', apiUrl(path, query));
  return { items: value, hasNext: Number(headers.get('X-Next-Page')) > 1 };
}

/** Reads an endpoint. */
export function get<T>(
  path: string,
  query?: Record<string, string | number | null | undefined>,
): Promise<T> {
  return request<T>('GET', apiUrl(path, query));
}

/** `null` for what is not there, where that is no error. */
export async function orNull<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) {
      return null;
    }
    throw error;
  }
}

/** Posts to an endpoint. */
export function post<T>(path: string, body?: unknown): Promise<T> {
  return request<T>('POST', apiUrl(path), body);
}

/** Changes what an endpoint stands for. */
export function patch<T>(path: string, body: unknown): Promise<T> {
  return request<T>('PATCH', apiUrl(path), body);
}

/** Puts something in the place that an endpoint stands for. */
export function put<T>(path: string, body: unknown): Promise<T> {
  return request<T>('PUT', apiUrl(path), body);
}

/** Deletes what an endpoint stands for. */
export function remove(path: string): Promise<void> {
  return request<void>('DELETE', apiUrl(path));
}

/** Reads an endpoint's bytes as text and stops after `limitBytes`. */
export async function getText(path: string, limitBytes: number): Promise<string> {
  const url = apiUrl(path);
  let response: Response;
  try {
    response = await fetch(url, { credentials: 'same-origin' });
  } catch {
    throw noAnswer();
  }
  if (!response.ok) {
    const error = toError(response.status, await response.text(), null);
    reportUnauthorized(error, url);
    throw error;
  }
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let read = 0;
  let result = '';
  while (reader && read < limitBytes) {
    const { done, value } = await reader.read();
    if (done) {
      break;
    }
    const part = value.subarray(0, limitBytes - read);
    read += part.length;
    result += decoder.decode(part, { stream: true });
  }
  await reader?.cancel();
  return result;
}

/** Uploads a file as the raw body of a PUT. `fetch` cannot tell how far an upload is. */
export function upload(
  path: string,
  file: File,
  onProgress: (fraction: number) => void,
): Promise<void> {
  const url = apiUrl(path);
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    xhr.open('PUT', url);
    xhr.setRequestHeader('X-Mito-Csrf', csrf);
    xhr.setRequestHeader('Content-Type', file.type || 'application/octet-stream');
    xhr.setRequestHeader('Accept', 'application/json');
    xhr.upload.onprogress = (event) => {
      if (event.lengthComputable && event.total > 0) {
        onProgress(event.loaded / event.total);
      }
    };
    xhr.onerror = () => reject(noAnswer());
    xhr.onload = () => {
      if (xhr.status >= 200 && xhr.status < 300) {
        resolve();
        return;
      }
      const error = toError(xhr.status, xhr.responseText, xhr.getResponseHeader('Retry-After'));
      reportUnauthorized(error, url);
      reject(error);
    };
    xhr.send(file);
  });
}

function noAnswer(): ApiError {
  return new ApiError(0, 'No answer', 'mito does not answer. Is it running?');
}

function reportUnauthorized(error: ApiError, url: string): void {
  // A wrong password answers 401 too, and is no lost session.
  if (error.status === 401 && !url.startsWith(`${BASE}/session`)) {
    onUnauthorized();
  }
}

/** Reads problem details (RFC 9457), PocketBase's envelope, or anything else, as one error. */
export function toError(status: number, body: string, retryAfter: string | null): ApiError {
  const seconds = retryAfter === null ? Number.NaN : Number.parseInt(retryAfter, 10);
  const wait = Number.isNaN(seconds) ? null : seconds;
  const parsed = parseObject(body);
  if (!parsed) {
    return new ApiError(status, fallbackTitle(status), fallbackDetail(status), {}, wait);
  }
  const title = text(parsed.title) || fallbackTitle(status);
  const detail = text(parsed.detail) || text(parsed.message) || fallbackDetail(status);
  const fields: Record<string, string> = {};
  if (text(parsed.field)) {
    fields[text(parsed.field)] = detail;
  }
  collectFields(parsed.data, '', fields);
  const line = typeof parsed.line === 'number' && parsed.line > 0 ? parsed.line : null;
  return new ApiError(status, title, detail, fields, wait, line);
}

/** How deep errors nest: `fields.2.values` is three, a request of a batch adds a few. */
const MAX_ERROR_DEPTH = 8;

/** Messages of PocketBase's nested errors by dotted name: `fields.2.values`. */
function collectFields(data: unknown, prefix: string, into: Record<string, string>, depth = 0) {
  if (!isObject(data) || depth > MAX_ERROR_DEPTH) {
    return;
  }
  for (const [name, value] of Object.entries(data)) {
    if (isObject(value) && text(value.message)) {
      into[prefix + name] = text(value.message);
    } else {
      collectFields(value, `${prefix}${name}.`, into, depth + 1);
    }
  }
}

const TITLES: Record<number, string> = {
  400: 'Not accepted',
  401: 'Not signed in',
  403: 'Not allowed',
  404: 'Not found',
  409: 'Conflict',
  413: 'Too large',
  422: 'Not valid',
  429: 'Too many requests',
  503: 'Not ready',
};

function fallbackTitle(status: number): string {
  return TITLES[status] ?? `Error ${status}`;
}

function fallbackDetail(status: number): string {
  switch (status) {
    case 401:
      return 'Sign in to go on.';
    case 403:
      return 'You may not do this.';
    case 404:
      return 'There is nothing here.';
    case 413:
      return 'This is larger than mito accepts.';
    case 429:
      return 'Too many requests. Wait a moment.';
    case 502:
    case 503:
    case 504:
      return 'The role that answers this is not ready. Try again in a moment.';
    default:
      return `mito answered with status ${status}.`;
  }
}

function parseObject(body: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(body);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
