import { NavLink, Text } from '@mantine/core';
import { useEffect, useRef } from 'react';
import { Link, useLocation } from 'wouter';
import { StateDot } from '@/components/StatusBadge';
import { useServices } from '@/pages/network/services';
import classes from './Navigation.module.css';
import { activePage, ROLES } from './roles';

/** The roles and their pages, each role with its live state. */
export function Navigation({ onNavigate }: { onNavigate: () => void }) {
  const [path] = useLocation();
  const { data: services, isError } = useServices();
  const active = activePage(path);
  const nav = useRef<HTMLElement>(null);
  const href = active?.href;
  // The roles may be more than the screen is high.
  useEffect(() => {
    if (href) {
      nav.current?.querySelector(`a[href="${href}"]`)?.scrollIntoView({ block: 'nearest' });
    }
  }, [href]);
  return (
    <nav aria-label="Roles" ref={nav}>
      {ROLES.map(({ role, service, pages }) => {
        const status = services?.find(({ name }) => name === service);
        // What was true before the last answer may not be any more.
        const state = isError ? 'unknown' : status?.state;
        return (
          <section key={role} className={classes.group} aria-label={role}>
            <Text className={classes.heading}>
              {role}
              {status && state && (
                <StateDot state={state} label={`The state of ${status.name} is ${state}`} />
              )}
            </Text>
            {pages.map((page) => (
              <NavLink
                key={page.href}
                component={Link}
                href={page.href}
                label={page.label}
                leftSection={<page.icon size={18} />}
                active={page === active}
                aria-current={page === active ? 'page' : undefined}
                className={classes.link}
                onClick={onNavigate}
              />
            ))}
          </section>
        );
      })}
    </nav>
  );
}
