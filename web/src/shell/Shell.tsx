import {
  ActionIcon,
  AppShell,
  Box,
  Burger,
  Group,
  Kbd,
  Menu,
  ScrollArea,
  Text,
  UnstyledButton,
  useMantineColorScheme,
} from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { spotlight } from '@mantine/spotlight';
import {
  IconDeviceDesktop,
  IconLogout,
  IconMoon,
  IconSearch,
  IconSun,
  IconUser,
} from '@tabler/icons-react';
import { type ReactNode, useEffect, useRef } from 'react';
import { Link, useLocation } from 'wouter';
import type { SessionIdentity } from '@/api/types';
import { toastError } from '@/components/actions';
import { adminOrigin } from '@/session/return-url';
import { useSessionActions } from '@/session/session';
import { CommandPalette } from './CommandPalette';
import { Logo } from './Logo';
import { Navigation } from './Navigation';
import classes from './Shell.module.css';

/** The frame of every page of somebody who is signed in. */
export function Shell({ identity, children }: { identity: SessionIdentity; children: ReactNode }) {
  const [opened, { toggle, close }] = useDisclosure(false);
  const [path, navigate] = useLocation();
  const { signOut } = useSessionActions();
  const main = useRef<HTMLDivElement>(null);
  const previous = useRef(path);

  // A new page starts at its top, for the eye and for the reader's cursor.
  useEffect(() => {
    if (previous.current !== path) {
      previous.current = path;
      window.scrollTo(0, 0);
      main.current?.focus({ preventScroll: true });
    }
  }, [path]);

  const leave = () => {
    // Another page host would fetch a new session at once.
    const next = adminOrigin(window.location) ? '/signed-out' : '/sign-in';
    signOut().then(() => navigate(next), toastError);
  };

  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 232, breakpoint: 'md', collapsed: { mobile: !opened } }}
      padding={{ base: 'md', sm: 'lg' }}
    >
      <a className="skip-link" href="#main">
        Skip to the content
      </a>
      <AppShell.Header className={classes.header}>
        <Group gap="xs" wrap="nowrap">
          <Burger
            opened={opened}
            onClick={toggle}
            hiddenFrom="md"
            size="sm"
            aria-label={opened ? 'Close the navigation' : 'Open the navigation'}
            aria-expanded={opened}
          />
          <Link href="/" className={classes.brand} onClick={close}>
            <Logo />
            <Text fw={700} size="lg" visibleFrom="xs">
              mito
            </Text>
          </Link>
        </Group>
        <UnstyledButton className={classes.search} onClick={spotlight.open}>
          <IconSearch size={16} />
          <Text size="sm" flex={1} truncate>
            Search
          </Text>
          <Kbd size="xs" visibleFrom="sm">
            Ctrl K
          </Kbd>
        </UnstyledButton>
        <Group gap={4} wrap="nowrap">
          <ColorSchemeMenu />
          <Menu position="bottom-end" width={240}>
            <Menu.Target>
              <ActionIcon variant="subtle" color="gray" size="lg" aria-label="Account">
                <IconUser size={20} />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Label>Signed in as</Menu.Label>
              <Box px="sm" pb="xs">
                <Text size="sm" fw={600}>
                  {identity.email}
                </Text>
              </Box>
              <Menu.Divider />
              <Menu.Item leftSection={<IconLogout size={16} />} onClick={leave}>
                Sign out
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar className={classes.navbar}>
        <ScrollArea type="auto" p="xs" h="100%">
          <Navigation onNavigate={close} />
        </ScrollArea>
      </AppShell.Navbar>
      <AppShell.Main>
        <Box ref={main} id="main" tabIndex={-1} className={classes.main}>
          {children}
        </Box>
      </AppShell.Main>
      <CommandPalette onSignOut={leave} />
    </AppShell>
  );
}

const SCHEMES = [
  { value: 'light', label: 'Light', icon: IconSun },
  { value: 'dark', label: 'Dark', icon: IconMoon },
  { value: 'auto', label: 'Like the system', icon: IconDeviceDesktop },
] as const;

function ColorSchemeMenu() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const current = SCHEMES.find(({ value }) => value === colorScheme) ?? SCHEMES[2];
  return (
    <Menu position="bottom-end" width={180}>
      <Menu.Target>
        <ActionIcon
          variant="subtle"
          color="gray"
          size="lg"
          aria-label={`Colours: ${current.label.toLowerCase()}`}
        >
          <current.icon size={20} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {SCHEMES.map(({ value, label, icon: Icon }) => (
          <Menu.Item
            key={value}
            leftSection={<Icon size={16} />}
            onClick={() => setColorScheme(value)}
            fw={value === colorScheme ? 700 : 400}
          >
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
