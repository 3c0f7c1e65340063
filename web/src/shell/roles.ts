/** The navigation: every network role with its pages and the service whose state it shows. */

import {
  IconActivity,
  IconArchive,
  IconArticle,
  IconBell,
  IconBrain,
  IconBucket,
  IconCertificate,
  IconClock,
  IconDatabase,
  IconDeviceMobile,
  IconFileCode,
  IconInbox,
  IconListCheck,
  IconListDetails,
  IconMail,
  IconNetwork,
  IconRoute,
  IconSettings,
  IconTerminal2,
  IconUsers,
} from '@tabler/icons-react';
import type { ComponentType } from 'react';

export interface NavPage {
  label: string;
  href: string;
  icon: ComponentType<{ size?: number }>;
  /** Other words that somebody may search for. */
  keywords: string;
  /** Addresses of pages that belong to it and do not begin with its own. */
  also?: string[];
}

export interface NavRole {
  role: string;
  /** The service on the network whose health stands beside the role; none for the network itself. */
  service: string | null;
  pages: NavPage[];
}

export const ROLES: NavRole[] = [
  {
    role: 'Network',
    service: null,
    pages: [
      {
        label: 'Overview',
        href: '/network',
        icon: IconNetwork,
        keywords: 'home roles health services status',
      },
    ],
  },
  {
    role: 'Records',
    service: 'api',
    pages: [
      {
        label: 'Contents',
        href: '/records/contents',
        icon: IconArticle,
        keywords: 'articles texts summary',
      },
      {
        label: 'Collections',
        href: '/records',
        icon: IconDatabase,
        keywords: 'tables database schema fields rules import export subscribers comments media',
        also: ['/schema', '/collections'],
      },
      {
        label: 'Accounts',
        href: '/accounts',
        icon: IconUsers,
        keywords: 'users sessions sign-in administrators impersonate',
      },
    ],
  },
  {
    role: 'API',
    service: 'api',
    pages: [
      { label: 'SQL', href: '/sql', icon: IconTerminal2, keywords: 'query console database' },
      { label: 'Logs', href: '/logs', icon: IconListDetails, keywords: 'requests errors' },
      {
        label: 'Scheduled tasks',
        href: '/crons',
        icon: IconClock,
        keywords: 'crons jobs timer',
      },
      {
        label: 'Backups',
        href: '/backups',
        icon: IconArchive,
        keywords: 'restore download snapshot',
      },
      {
        label: 'Settings',
        href: '/settings',
        icon: IconSettings,
        keywords: 'smtp mail rate limits batch application',
      },
    ],
  },
  {
    role: 'Objects',
    service: 'minio',
    pages: [
      {
        label: 'Buckets',
        href: '/objects',
        icon: IconBucket,
        keywords: 's3 minio files storage upload',
      },
    ],
  },
  {
    role: 'Queue',
    service: 'postgres',
    pages: [
      {
        label: 'Jobs',
        href: '/queue',
        icon: IconListCheck,
        keywords: 'queues workers tasks retry',
      },
    ],
  },
  {
    role: 'AI',
    service: 'ai-pipeline',
    pages: [
      {
        label: 'Runs',
        href: '/ai',
        icon: IconBrain,
        keywords: 'pipelines extractive summary language',
      },
    ],
  },
  {
    role: 'Notifications',
    service: 'notifications',
    pages: [
      {
        label: 'Mailbox',
        href: '/notifications/mailbox',
        icon: IconMail,
        keywords: 'mail e-mail smtp messages',
      },
      {
        label: 'Deliveries',
        href: '/notifications/deliveries',
        icon: IconBell,
        keywords: 'channels recipients sent',
      },
      {
        label: 'Inbox',
        href: '/notifications/inbox',
        icon: IconInbox,
        keywords: 'in-app entries unread',
      },
    ],
  },
  {
    role: 'Gateway',
    service: 'traefik',
    pages: [
      {
        label: 'Routing',
        href: '/gateway',
        icon: IconRoute,
        keywords: 'traefik routers services middlewares entry points hosts',
      },
      {
        label: 'Certificates',
        href: '/gateway/certificates',
        icon: IconCertificate,
        keywords: 'tls https acme expiry letsencrypt',
      },
      {
        label: 'Configuration',
        href: '/gateway/files',
        icon: IconFileCode,
        keywords: 'dynamic files yaml toml editor traefik routes',
      },
      {
        label: 'Live requests',
        href: '/gateway/requests',
        icon: IconActivity,
        keywords: 'traffic plots latency access log',
      },
    ],
  },
  {
    role: 'Mobile',
    service: 'mobile-build',
    pages: [
      {
        label: 'Updates',
        href: '/mobile',
        icon: IconDeviceMobile,
        keywords: 'expo over the air builds',
      },
    ],
  },
];

/** The page of the navigation that a path belongs to: the one with the longest matching address. */
export function activePage(path: string): NavPage | undefined {
  let best: NavPage | undefined;
  let length = 0;
  for (const page of ROLES.flatMap((role) => role.pages)) {
    for (const href of [page.href, ...(page.also ?? [])]) {
      const inside = path === href || path.startsWith(`${href}/`);
      if (inside && href.length > length) {
        best = page;
        length = href.length;
      }
    }
  }
  return best;
}
