/** The navigation: every network role with its pages and the service whose state it shows. */

import {
  IconArticle,
  IconBell,
  IconBrain,
  IconBucket,
  IconDatabase,
  IconDeviceMobile,
  IconInbox,
  IconListCheck,
  IconMail,
  IconNetwork,
  IconRoute,
} from '@tabler/icons-react';
import type { ComponentType } from 'react';

export interface NavPage {
  label: string;
  href: string;
  icon: ComponentType<{ size?: number }>;
  /** Other words that somebody may search for. */
  keywords: string;
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
        keywords: 'tables database subscribers comments media',
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
        keywords: 'traefik routers services entry points hosts',
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
  for (const page of ROLES.flatMap((role) => role.pages)) {
    const inside = path === page.href || path.startsWith(`${page.href}/`);
    if (inside && page.href.length > (best?.href.length ?? 0)) {
      best = page;
    }
  }
  return best;
}
