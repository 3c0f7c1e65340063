import { Button } from '@mantine/core';
import { IconMoodSad } from '@tabler/icons-react';
import { Component, type ReactNode } from 'react';
import { EmptyState } from './states';

/** Keeps the error of one page from taking the others with it. */
export class Crash extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (!error) {
      return this.props.children;
    }
    // A page that cannot be loaded is most often one of an older version of this panel.
    const outdated = /dynamically imported module|module script/i.test(error.message);
    return (
      <EmptyState
        icon={IconMoodSad}
        title={outdated ? 'The control panel was updated' : 'This page failed'}
        action={<Button onClick={() => window.location.reload()}>Reload</Button>}
      >
        {outdated ? 'Reload to get the new version.' : error.message}
      </EmptyState>
    );
  }
}
