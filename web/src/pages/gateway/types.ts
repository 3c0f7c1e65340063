/** What the gateway answers, in Traefik's shapes; what the generated types do not have (yet) stands
 * here. Empty lists are left out of the answers. */

import type { GatewayCounts } from '@/bindings/GatewayCounts';
import type { GatewayEntryPoint } from '@/bindings/GatewayEntryPoint';
import type { GatewayMiddleware } from '@/bindings/GatewayMiddleware';
import type { GatewayOverview } from '@/bindings/GatewayOverview';
import type { GatewayRouter } from '@/bindings/GatewayRouter';
import type { GatewayService } from '@/bindings/GatewayService';

/** What every object of the gateway has. */
export interface Described {
  name: string;
  provider: string;
  /** `enabled`, `warning` or `disabled`. */
  status: string;
  error?: string[];
}

export type RouterInfo = Omit<GatewayRouter, 'middlewares' | 'error' | 'using' | 'tls'> &
  Described & {
    middlewares?: string[];
    using?: string[];
    tls?: { options?: string; certResolver?: string; domains?: unknown };
  };

export interface ServerInfo {
  url: string;
  weight?: number;
}

/** A share of a weighted service, or of one that mirrors. */
export interface ServiceShare {
  name: string;
  weight?: number;
  percent?: number;
}

export type ServiceInfo = Omit<
  GatewayService,
  'loadBalancer' | 'serverStatus' | 'type' | 'usedBy' | 'error' | 'weighted'
> &
  Described & {
    type?: string;
    usedBy?: string[];
    serverStatus?: Record<string, string>;
    loadBalancer?: { servers?: ServerInfo[] } & Record<string, unknown>;
    weighted?: { services?: ServiceShare[] } & Record<string, unknown>;
    mirroring?: { service?: string; mirrors?: ServiceShare[] } & Record<string, unknown>;
    failover?: { service?: string; fallback?: string } & Record<string, unknown>;
    highestRandomWeight?: { services?: ServiceShare[] } & Record<string, unknown>;
  };

export type MiddlewareInfo = Omit<GatewayMiddleware, 'usedBy' | 'error'> &
  Described & { usedBy?: string[] } & Record<string, unknown>;

export type EntryPointInfo = Omit<GatewayEntryPoint, 'note'> & { note?: string | null };

export type OverviewInfo = Omit<GatewayOverview, 'warnings' | 'certificates'> & {
  certificates?: GatewayCounts;
  warnings?: string[];
};

export interface VersionInfo {
  Version: string;
  startDate?: string;
}

/** A certificate, or a host that waits for one. */
export interface CertificateInfo {
  /** The SHA-256 of the certificate, or the host where there is none yet. */
  name: string;
  /** The host or the file that it is for (not in Traefik). */
  host?: string;
  provider?: string;
  sans?: string[];
  notAfter?: string | null;
  notBefore?: string | null;
  serialNumber?: string;
  commonName?: string;
  issuerOrg?: string;
  issuerCN?: string;
  keyType?: string;
  keySize?: number;
  signatureAlgorithm?: string;
  certFingerprint?: string;
  /** `enabled`, `warning`, `expired`, or `disabled` where there is none. */
  status: string;
  /** Why the last order or reading of a file failed. */
  error?: string | string[] | null;
  /** When it is renewed, or ordered again after a failure. */
  nextAttempt?: string | null;
}
