import { Anchor, Breadcrumbs, Group, Stack, Text, Title } from '@mantine/core';
import { type ReactNode, useEffect } from 'react';
import { Link } from 'wouter';

/** Names the browser's tab. */
export function useDocumentTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · mito`;
  }, [title]);
}

export interface Crumb {
  label: string;
  href: string;
}

interface PageProps {
  title: string;
  /** One sentence under the title. */
  lead?: ReactNode;
  /** The pages above this one. */
  crumbs?: Crumb[];
  /** Buttons at the title's side. */
  actions?: ReactNode;
  children: ReactNode;
}

/** What every page stands in: crumbs, title, actions, content. */
export function Page({ title, lead, crumbs = [], actions, children }: PageProps) {
  useDocumentTitle(title);
  return (
    <Stack gap="lg">
      <Group justify="space-between" align="flex-start" gap="sm">
        <div style={{ minWidth: 0 }}>
          {crumbs.length > 0 && (
            <Breadcrumbs component="nav" aria-label="Breadcrumbs" mb={4} separatorMargin={6}>
              {crumbs.map((crumb) => (
                <Anchor key={crumb.href} component={Link} href={crumb.href} size="sm">
                  {crumb.label}
                </Anchor>
              ))}
              <span />
            </Breadcrumbs>
          )}
          <Title order={1}>{title}</Title>
          {lead && (
            <Text component="div" c="dimmed" size="sm" mt={2}>
              {lead}
            </Text>
          )}
        </div>
        {actions && <Group gap="xs">{actions}</Group>}
      </Group>
      {children}
    </Stack>
  );
}
