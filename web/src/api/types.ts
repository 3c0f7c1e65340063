/** The shapes that the API speaks: exported from Rust where a Rust type stands behind them, written
 * here where they are PocketBase's. */

export type { AiPipeline } from '@/bindings/AiPipeline';
export type { AiRun } from '@/bindings/AiRun';
export type { BucketSummary } from '@/bindings/BucketSummary';
export type { Delivery } from '@/bindings/Delivery';
export type { DeliveryState } from '@/bindings/DeliveryState';
export type { Explained } from '@/bindings/Explained';
export type { Explanation } from '@/bindings/Explanation';
export type { InboxEntry } from '@/bindings/InboxEntry';
export type { JobDetail } from '@/bindings/JobDetail';
export type { JobState } from '@/bindings/JobState';
export type { JobSummary } from '@/bindings/JobSummary';
export type { MailboxItem } from '@/bindings/MailboxItem';
export type { MailboxMessage } from '@/bindings/MailboxMessage';
export type { MobileUpdate } from '@/bindings/MobileUpdate';
export type { ObjectPage } from '@/bindings/ObjectPage';
export type { ObjectSummary } from '@/bindings/ObjectSummary';
export type { OtpSent } from '@/bindings/OtpSent';
export type { QueueSummary } from '@/bindings/QueueSummary';
export type { ServiceStatus } from '@/bindings/ServiceStatus';
export type { SessionIdentity } from '@/bindings/SessionIdentity';
export type { SessionState } from '@/bindings/SessionState';

/** A page of a bounded list; `next` is where the following page starts. */
export interface Page<T> {
  items: T[];
  next: string | null;
}

export type {
  AuthOptions,
  Collection,
  CollectionField,
  FieldType,
  MailTemplate,
  OAuth2Provider,
  RuleName,
} from './collections';

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
