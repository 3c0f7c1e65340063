import { useMantineColorScheme } from '@mantine/core';
import { Spotlight, type SpotlightActionGroupData } from '@mantine/spotlight';
import {
  IconDeviceDesktop,
  IconLogout,
  IconMoon,
  IconPackageImport,
  IconPlus,
  IconSearch,
  IconSun,
} from '@tabler/icons-react';
import { useLocation } from 'wouter';
import { useImportStarter } from '@/pages/network/starter';
import { ROLES } from './roles';

/** Every page and action by name, opened with Ctrl+K. */
export function CommandPalette({ onSignOut }: { onSignOut: () => void }) {
  const [, navigate] = useLocation();
  const { setColorScheme } = useMantineColorScheme();
  const importStarter = useImportStarter();

  const groups: SpotlightActionGroupData[] = [
    {
      group: 'Pages',
      actions: ROLES.flatMap(({ role, pages }) =>
        pages.map((page) => ({
          id: page.href,
          label: page.label,
          description: role,
          keywords: page.keywords,
          leftSection: <page.icon size={18} />,
          onClick: () => navigate(page.href),
        })),
      ),
    },
    {
      group: 'Actions',
      actions: [
        {
          id: 'starter',
          label: 'Import the content starter',
          keywords: 'demo sample collections',
          leftSection: <IconPackageImport size={18} />,
          onClick: () => importStarter.mutate(),
        },
        {
          id: 'create-bucket',
          label: 'Create a bucket',
          keywords: 'new s3',
          leftSection: <IconPlus size={18} />,
          onClick: () => navigate('/objects?create=1'),
        },
        {
          id: 'light',
          label: 'Light colours',
          keywords: 'theme',
          leftSection: <IconSun size={18} />,
          onClick: () => setColorScheme('light'),
        },
        {
          id: 'dark',
          label: 'Dark colours',
          keywords: 'theme',
          leftSection: <IconMoon size={18} />,
          onClick: () => setColorScheme('dark'),
        },
        {
          id: 'auto',
          label: "The system's colours",
          keywords: 'theme auto',
          leftSection: <IconDeviceDesktop size={18} />,
          onClick: () => setColorScheme('auto'),
        },
        {
          id: 'sign-out',
          label: 'Sign out',
          leftSection: <IconLogout size={18} />,
          onClick: onSignOut,
        },
      ],
    },
  ];

  return (
    <Spotlight
      actions={groups}
      shortcut={['mod + K']}
      highlightQuery
      scrollable
      maxHeight={420}
      nothingFound="Nothing found"
      searchProps={{
        leftSection: <IconSearch size={18} />,
        placeholder: 'Go to a page or do something',
        'aria-label': 'Search pages and actions',
      }}
    />
  );
}
