/** Shapes of the panel's API that no Rust type exports (PocketBase's and Traefik's among them). */

/** A page of a bounded list; `next` is where the following page starts. */
export interface Page<T> {
  items: T[];
  next: string | null;
}

export interface Identity {
  id: string;
  email: string;
  collection: string;
}

export interface Session {
  identity: Identity | null;
  setupNeeded: boolean;
  csrf: string;
}

export interface ServiceStatus {
  name: string;
  state: string;
  reason: string | null;
  port: number | null;
  protocol: string;
  exposure: string;
  depends_on: string[];
  published: string | null;
  since_ms: number;
}

export interface QueueCounts {
  name: string;
  counts: Record<string, number>;
}

export interface JobSummary {
  id: string;
  kind: string;
  queue: string;
  state: string;
  attempt: number;
  max_attempts: number;
  error: string | null;
  created_ms: number;
  run_at_ms: number | null;
  finished_ms: number | null;
  request_id: string | null;
}

export interface JobDetail extends JobSummary {
  payload: unknown;
  log: JobLogLine[];
}

export interface JobLogLine {
  time_ms: number;
  line: string;
}

export interface Bucket {
  name: string;
  created_ms: number;
}

export interface StoredObject {
  key: string;
  size: number;
  etag: string;
  content_type: string | null;
  modified_ms: number;
}

export interface ObjectListing {
  items: StoredObject[];
  prefixes: string[];
  next: string | null;
}

export interface MailSummary {
  id: string;
  from: string;
  to: string;
  subject: string;
  created_ms: number;
}

export interface MailMessage extends MailSummary {
  text: string | null;
  html: string | null;
  headers: [string, string][];
}

export interface Delivery {
  id: string;
  channel: string;
  recipient: string;
  state: string;
  error: string | null;
  created_ms: number;
}

export interface InboxEntry {
  id: string;
  recipient: string;
  title: string;
  body: string;
  created_ms: number;
  read_ms: number | null;
}

export interface AiRun {
  id: string;
  pipeline: string;
  state: string;
  bucket: string;
  key: string;
  provider: string;
  record: string | null;
  error: string | null;
  duration_ms: number | null;
  created_ms: number;
}

export interface AiPipeline {
  name: string;
  bucket: string;
  prefix: string | null;
  collection: string;
  provider: string;
}

export interface MobileUpdate {
  id: string;
  platform: string;
  runtime_version: string;
  channel: string;
  created_ms: number;
  size: number;
}

/** PocketBase's collection. */
export interface Collection {
  id: string;
  name: string;
  type: 'base' | 'auth' | 'view';
  system?: boolean;
  fields: CollectionField[];
  listRule: string | null;
  viewRule: string | null;
  createRule: string | null;
  updateRule: string | null;
  deleteRule: string | null;
}

export interface CollectionField {
  id: string;
  name: string;
  type: string;
  required?: boolean;
  system?: boolean;
  hidden?: boolean;
  values?: string[];
  maxSelect?: number;
}

/** PocketBase's record. */
export type RecordRow = { id: string } & Record<string, unknown>;

/** PocketBase's page; totals are −1 when they were left out. */
export interface RecordPage<T> {
  page: number;
  perPage: number;
  totalItems: number;
  totalPages: number;
  items: T[];
}

/** Traefik's `/api/http/routers`. */
export interface GatewayRouter {
  name: string;
  rule: string;
  service: string;
  priority?: number;
  status: string;
  provider: string;
  entryPoints?: string[];
  middlewares?: string[];
  tls?: unknown;
}

/** Traefik's `/api/http/services`. */
export interface GatewayService {
  name: string;
  type?: string;
  status: string;
  provider: string;
  loadBalancer?: { servers?: { url: string }[] };
  serverStatus?: Record<string, string>;
  usedBy?: string[];
}

/** Traefik's `/api/entrypoints`. */
export interface GatewayEntryPoint {
  name: string;
  address: string;
}
