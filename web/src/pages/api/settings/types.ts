/** PocketBase's settings. */

export interface S3Settings {
  enabled: boolean;
  bucket: string;
  region: string;
  endpoint: string;
  accessKey: string;
  secret?: string;
  forcePathStyle: boolean;
}

export interface RateLimitRule {
  /** A path, a prefix of one, or `collection:action`. */
  label: string;
  /** Everybody, `@guest` or `@auth`. */
  audience: string;
  /** In seconds. */
  duration: number;
  maxRequests: number;
}

export interface Settings {
  meta: {
    appName: string;
    appURL: string;
    senderName: string;
    senderAddress: string;
    hideControls: boolean;
  };
  smtp: {
    enabled: boolean;
    host: string;
    port: number;
    username: string;
    password?: string;
    authMethod: string;
    tls: boolean;
    localName: string;
  };
  backups: { cron: string; cronMaxKeep: number; s3: S3Settings };
  batch: { enabled: boolean; maxRequests: number; timeout: number; maxBodySize: number };
  logs: {
    maxDays: number;
    minLevel: number;
    logIP: boolean;
    logAuthId: boolean;
    maxDataSize?: number;
  };
  rateLimits: { enabled: boolean; rules: RateLimitRule[]; excludedIPs?: string[] | null };
  trustedProxy: { headers: string[] | null; useLeftmostIP: boolean };
  superuserIPs?: string[] | null;
}
