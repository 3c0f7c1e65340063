import { List, Text } from '@mantine/core';
import { modals } from '@mantine/modals';
import type { Change } from './draft';

/** Asks before changes that lose data or open something; saves at once where there are none. */
export function confirmChanges(changes: Change[], onConfirm: () => void): void {
  if (!changes.some(({ danger }) => danger)) {
    onConfirm();
    return;
  }
  modals.openConfirmModal({
    title: 'Save these changes?',
    children: (
      <List size="sm" spacing={4}>
        {changes.map(({ text, danger }) => (
          <List.Item key={text}>
            <Text size="sm" fw={danger ? 600 : 400}>
              {text}
            </Text>
          </List.Item>
        ))}
      </List>
    ),
    labels: { confirm: 'Save', cancel: 'Back' },
    confirmProps: { color: 'red' },
    onConfirm,
  });
}
